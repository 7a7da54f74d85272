//! The snapshot's talks and ring attempts: who talks to an agent, and which agents are called.
//!
//! A channel that runs Queue in a bridge is no proof of a talk: after an attended transfer by
//! feature code (16 and 22) the caller's channel runs Queue until the end, bridged with the
//! colleague.

use hashbrown::HashSet;

use super::beside::Beside;
use crate::correlator::Correlator;
use crate::correlator::key::{ChannelKey, MemberKey, StayKey};
use crate::correlator::names::{OTHER, QueueId};
use crate::correlator::observation::{Observe, Phase as AdoptedPhase};
use crate::correlator::snapshot::{Channel, Snapshot};
use crate::correlator::stay::{Phase, Stay};
use crate::correlator::talk::Talk;
use crate::correlator::time::Stamp;
use crate::correlator::uid;

impl Correlator {
    /// Callers who talk to an agent: those that share a bridge with a channel that runs Queue.
    pub(super) fn sync_talks(&mut self, at: Stamp, snapshot: &Snapshot, out: &mut dyn Observe) {
        let mut confirmed = HashSet::new();
        let beside = Beside::new(snapshot);
        for channel in &snapshot.channels {
            let Some(queue) = channel.queue().filter(|_| !channel.bridge.is_empty()) else {
                continue;
            };
            let Some(caller) = self.channels.find(&channel.uid) else { continue };
            let queue = self.ensure_queue(queue, out);
            let agent = beside.partner(channel);
            if let Some(key) = self.sync_talk(at, caller, queue, agent, snapshot, out) {
                confirmed.insert(key);
            }
        }

        let goes_on = |(key, stay): (StayKey, &Stay)| {
            let is_listed = self.is_listed(stay.caller, stay.talk()?);
            Some((key, is_listed || confirmed.contains(&key)))
        };
        let talks: Vec<_> = self.stays.iter().filter_map(goes_on).collect();
        for (key, goes_on) in talks {
            match goes_on {
                true => self.stays[key].seen = Some(self.session),
                false => self.doubt(key, at),
            }
        }
    }

    /// Whether a known caller and the agent are listed in one bridge.  A caller who came through a
    /// Local channel that was optimised away does not run Queue.
    fn is_listed(&self, caller: ChannelKey, talk: &Talk) -> bool {
        let bridge = |key: ChannelKey| {
            let channel = self.channels.all.get(key);
            channel.filter(|channel| !channel.life.doubted)?.bridge.id()
        };
        bridge(caller).is_some() && talk.leg.and_then(bridge) == bridge(caller)
    }

    /// The talk of a caller who is listed in a bridge, known or adopted; none if the caller talks to
    /// somebody else.
    fn sync_talk(
        &mut self,
        at: Stamp,
        caller: ChannelKey,
        queue: QueueId,
        agent: Option<&Channel>,
        snapshot: &Snapshot,
        out: &mut dyn Observe,
    ) -> Option<StayKey> {
        let leg = agent.and_then(|agent| self.channels.find(&agent.uid));
        let known = self.find_stay(caller, queue);
        if let Some((key, leg)) = known.zip(leg)
            && self.stays[key].talk().is_some_and(|talk| talk.leg.is_none())
        {
            self.attach_leg(key, leg, at);
        }
        let same = |talk: &Talk| leg.is_none() || talk.leg == leg || talk.phone == leg;
        if let Some(key) = known
            && self.stays[key].talk().is_some_and(same)
        {
            return Some(key);
        }
        // AgentConnect or AgentComplete is still to come, and knows more.
        let caller_channel = &self.channels.all[caller];
        let mut rooms = [uid::EMPTY; 2];
        let [uid, _] = self.channels.ids(caller_channel, rooms.each_mut());
        if snapshot.foreseen.served.contains(uid) {
            return known;
        }

        // A caller who waited and is bridged now was connected, also by a member whose device no
        // list names.
        let agent = agent?;
        let leg = leg?;
        let waited = known.filter(|&key| self.stays[key].is_waiting());
        if waited.is_none() && !self.is_agents(queue, agent) {
            return None;
        }

        let key = match waited {
            Some(key) => key,
            None => {
                if let Some(before) = known {
                    self.lose_stay(before, at, out);
                }
                self.adopt_stay(caller, queue, AdoptedPhase::Talking, at, out)
            }
        };
        let member = self.ensure_listed_member(queue, agent, at, out);
        if waited.is_some() {
            self.emit_answered(key, member, None, out);
        }
        let mut talk = Talk::new(member, at);
        talk.adopted = true;
        talk.leg = Some(leg);
        self.stays[key].phase = Phase::Talking(talk.into());
        self.begin_talk(key, at, out);
        Some(key)
    }

    /// Whether a caller's partner is an agent: one the queue dialled, or a member's phone whose
    /// Local channel is gone.
    fn is_agents(&self, queue: QueueId, partner: &Channel) -> bool {
        *partner.application == *b"AppQueue" || self.find_listed_member(queue, partner).is_some()
    }

    /// The member whose device a channel is, else one made for the device.
    fn ensure_listed_member(
        &mut self,
        queue: QueueId,
        agent: &Channel,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> MemberKey {
        if let Some(known) = self.find_listed_member(queue, agent) {
            return known;
        }
        // No list names the member, and the device may be a number: it is never a member's name.
        let channel = self.channels.find(&agent.uid).map(|key| &self.channels.all[key]);
        let label: Box<str> = channel.map_or(OTHER, |channel| channel.label()).into();
        self.ensure_member(queue, label.as_bytes(), label.as_bytes(), at.read, out)
    }

    /// The queue's member whose device a channel is: by interface, else by whatever shows whose
    /// device it is.
    fn find_listed_member(&self, queue: QueueId, listed: &Channel) -> Option<MemberKey> {
        let channel = self.channels.find(&listed.uid).map(|key| &self.channels.all[key]);
        let device = channel.map_or("", |channel| &channel.identity.origin.device).as_bytes();
        self.members
            .find(queue, device)
            .or_else(|| self.members.find(queue, &[device, b"/n"].concat()))
            .or_else(|| {
                let agent = self.members.owners().of(device, false)?;
                self.members.find_of_agent(queue, agent)
            })
    }

    /// Agents being called for a caller who waits: the caller by Linkedid.
    pub(super) fn sync_rings(&mut self, at: Stamp, snapshot: &Snapshot, out: &mut dyn Observe) {
        for listed in &snapshot.channels {
            let rings = *listed.application == *b"AppQueue" && listed.state == Some(RINGING);
            let Some(leg) = self.channels.find(&listed.uid).filter(|_| rings) else { continue };
            if self.find_ring(leg).is_some() {
                continue;
            }

            let stays = self.find_stays_by_linkedid(&[&listed.linkedid]);
            let Some(stay) = stays.into_iter().find(|&stay| self.stays[stay].is_waiting()) else {
                continue;
            };
            let queue = self.stays[stay].queue;
            let member = self.ensure_listed_member(queue, listed, at, out);
            self.adopt_ring(stay, member, leg, at, out);
        }
    }
}

/// Channel state: Asterisk calls the device and it rings.
const RINGING: u8 = 5;
