//! The snapshot's channels: which are up, in which bridge, and by which they were dialled.

use hashbrown::{HashMap, HashSet};

use super::beside::Beside;
use crate::correlator::Correlator;
use crate::correlator::call::begins_call;
use crate::correlator::deadline::{DOUBT, Task};
use crate::correlator::dial::{DialStatus, Dialled};
use crate::correlator::key::ChannelKey;
use crate::correlator::observation::Observe;
use crate::correlator::snapshot::{Channel, Snapshot};
use crate::correlator::time::Stamp;

impl Correlator {
    pub(super) fn sync_channels(&mut self, at: Stamp, snapshot: &Snapshot, out: &mut dyn Observe) {
        self.doubt_unlisted_channels(at, snapshot);

        // Nobody talks in a bridge in which all only wait: a parking lot.
        let talked: HashSet<&[u8]> = snapshot
            .channels
            .iter()
            .filter(|channel| !channel.is_held())
            .map(|channel| &*channel.bridge)
            .collect();
        for channel in &snapshot.channels {
            let known = self.channels.find(&channel.uid).is_some();
            // One that is being born is left to its Newchannel.
            if known || !snapshot.foreseen.born.contains(&channel.uid) {
                self.sync_channel(at, channel, talked.contains(&*channel.bridge), out);
            }
        }

        // The dialler of a leg may be found through the other half of a Local channel, so all
        // channels and pairs are there first.
        self.link_locals(snapshot);
        let beside = Beside::new(snapshot);
        for channel in snapshot.channels.iter().filter(|channel| channel.is_dialled()) {
            self.adopt_leg(at, channel, &beside, out);
        }
    }

    fn doubt_unlisted_channels(&mut self, at: Stamp, snapshot: &Snapshot) {
        let listed: HashSet<ChannelKey> = snapshot
            .channels
            .iter()
            .filter_map(|channel| self.channels.find(&channel.uid))
            .collect();
        for (key, channel) in self.channels.all.iter_mut() {
            if channel.is_live() && !listed.contains(&key) {
                channel.life.doubted = true;
                self.deadlines.add(at.read.after(DOUBT), Task::Vanish(key));
            }
        }
    }

    /// Puts a listed channel where the list has it.
    fn sync_channel(&mut self, at: Stamp, listed: &Channel, talks: bool, out: &mut dyn Observe) {
        let known = self.channels.find(&listed.uid).is_some();
        let key = self.ensure_channel(&listed.block(), at, out);
        self.leave_bridge(key, at);
        if talks && !listed.bridge.is_empty() {
            let bridge = self.channels.bridge_id(&listed.bridge);
            self.enter_bridge(key, bridge, at);
        }

        if !known && begins_call(&listed.block()) && !listed.is_dialled() {
            self.recognise_trunk(key, out);
            // Only the application shows that the channel was originated, and so is a dialled leg.
            if *listed.application == *b"AppDial2" {
                self.channels.all[key].dialled = Some(adopted_dial(None));
            }
            let call = self.open_call(key);
            self.calls[call].adopted = true;
        }
    }

    /// No list ties the halves of a Local channel together but their names.
    fn link_locals(&mut self, snapshot: &Snapshot) {
        let mut halves: HashMap<&[u8], ChannelKey> = HashMap::new();
        for channel in &snapshot.channels {
            let Some(key) = self.channels.find(&channel.uid) else { continue };
            let half = |end: &[u8]| channel.name.strip_suffix(end);
            let Some(name) = half(b";1").or_else(|| half(b";2")) else { continue };

            if let Some(other) = halves.insert(name, key)
                && self.channels.all[key].rare().peer.is_none()
            {
                self.channels.all[key].ensure_rare().peer = Some(other);
                self.channels.all[other].ensure_rare().peer = Some(key);
            }
        }
    }

    /// A leg that was dialled in the gap.
    fn adopt_leg(
        &mut self,
        at: Stamp,
        listed: &Channel,
        beside: &Beside<'_>,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.channels.find(&listed.uid) else { return };
        if self.channels.all[key].dialled.is_some() {
            return;
        }

        let by = self.find_dialler(listed, beside).filter(|&by| by != key);
        let up = self.channels.all[key].life.up;
        let mut dialled = adopted_dial(by);
        dialled.status = up.then_some(DialStatus::Answer);
        self.channels.all[key].dialled = Some(dialled);
        self.mark_call_of(key);

        let Some(by) = by else { return };
        self.call_dialled(Some(by), key, at, out);
        // A queue's leg is connected by its stay instead.
        if up && *listed.application == *b"AppDial" {
            self.call_answered(key, at);
        }
    }

    /// The channel that dialled a listed leg, as far as that can be known: the one its Linkedid
    /// names, or, where the list has none, the one in its bridge.
    fn find_dialler(&self, leg: &Channel, beside: &Beside<'_>) -> Option<ChannelKey> {
        if !leg.linkedid.is_empty() {
            return self.channels.find(&leg.linkedid);
        }
        beside.caller(leg).and_then(|other| self.channels.find(&other.uid))
    }
}

fn adopted_dial(by: Option<ChannelKey>) -> Dialled {
    Dialled { by, status: None, reason: None }
}
