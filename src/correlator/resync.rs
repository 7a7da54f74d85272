//! The link lost and found again, and lists that disagree with what events told.
//!
//! What a gap hid ends as lost, once (`gap`); what the lists show going on goes on, or is adopted.
//! A list can be older than the events behind it and Asterisk itself lags, so what a list misses is
//! only doubted for two seconds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::Correlator;
use super::call::begins_call;
use super::deadline::{DOUBT, Task};
use super::device::is_media;
use super::dial::{DialStatus, Dialled};
use super::key::{ChannelKey, MemberKey, StayKey};
use super::member::{Place, place};
use super::names::{OTHER, QueueId};
use super::observation::{Anomaly, Observation, Observe, Outcome, Phase as AdoptedPhase};
use super::snapshot::{Channel, Entry, Member as Listed, Snapshot};
use super::stay::Phase;
use super::talk::Talk;
use super::time::Stamp;
use crate::clock::Moment;

impl Correlator {
    /// The link is gone: what happens from now on is hidden.
    pub fn disconnected(&mut self, now: Moment, out: &mut impl Observe) {
        self.give_up_listing();
        self.set_synchronised(false, now, out);
    }

    /// A whole snapshot, of channels and queues, taken behind a barrier after login.
    pub fn resync(&mut self, now: Moment, snapshot: &Snapshot, out: &mut impl Observe) {
        let at = Stamp { read: now, wire: None };
        self.drift = Drift::default();
        self.synchronised_at = Some(now);
        self.sight.listed = !snapshot.no_channels;
        self.members.all.values_mut().for_each(|member| member.was_free = false);
        self.set_synchronised(true, now, out);
        if !snapshot.no_channels {
            self.sync_channels(at, snapshot, out);
        }
        if !snapshot.no_queues {
            self.sync_members(at, snapshot, false, out);
        }
        // talking goes first: a caller known to wait may be talking now
        if !snapshot.no_channels {
            self.sync_talks(at, snapshot, out);
        }
        if !snapshot.no_queues {
            self.sync_entries(at, snapshot, false, out);
        }
        if !snapshot.no_channels {
            self.sync_rings(at, snapshot, out);
        }
        self.note_snapshot(now, snapshot, out);
        self.look_at_all_phones(now);
        self.follow_phones(now, out);
    }

    /// A QueueStatus list begins in the middle of a session: from now on events are noted, as they
    /// know better.
    pub fn begin_listing(&mut self, _now: Moment) {
        self.touched = Some(HashSet::new());
        self.touched_members.clear();
    }

    /// That list will not come to its end: nothing needs to be noted for it any more.
    pub fn give_up_listing(&mut self) {
        self.touched = None;
        self.touched_members.clear();
    }

    /// That list has ended and a barrier has passed: mends drift, and tells of it.
    pub fn reconcile(&mut self, now: Moment, snapshot: &Snapshot, out: &mut impl Observe) {
        let at = Stamp { read: now, wire: None };
        self.note_list(now, snapshot, out);
        self.sync_members(at, snapshot, true, out);
        self.sync_entries(at, snapshot, true, out);
        self.keep_list(snapshot, out);
        self.give_up_listing();
        self.follow_phones(now, out);
    }

    fn set_synchronised(&mut self, synchronised: bool, now: Moment, out: &mut dyn Observe) {
        self.synchronised = synchronised;
        let mut agents: Vec<_> = self.members.agents.keys().copied().collect();
        agents.sort_unstable();
        for agent in agents {
            self.refresh_agent(agent, now, out);
        }
    }

    /// An event spoke of the stay: no list knows better.
    pub(super) fn note_touched(&mut self, key: StayKey) {
        self.stays[key].doubted = false;
        self.drift.missed.remove(&key);
        if let Some(touched) = &mut self.touched {
            touched.insert(key);
        }
    }

    fn is_touched(&self, key: StayKey) -> bool {
        self.touched.as_ref().is_some_and(|touched| touched.contains(&key))
    }

    fn sync_channels(&mut self, at: Stamp, snapshot: &Snapshot, out: &mut dyn Observe) {
        let listed: HashSet<&[u8]> =
            snapshot.channels.iter().map(|channel| &*channel.uid).collect();
        let missing =
            self.channels.all.iter().filter(|(_, channel)| {
                channel.is_live() && !listed.contains(&*channel.identity.uid)
            });
        for key in missing.map(|(key, _)| key).collect::<Vec<_>>() {
            self.channels.all[key].life.doubted = true;
            self.deadlines.add(at.read.after(DOUBT), Task::Vanish(key));
        }
        let talked: HashSet<&[u8]> = snapshot
            .channels
            .iter()
            .filter(|channel| !channel.is_held())
            .map(|channel| &*channel.bridge)
            .collect();
        for channel in &snapshot.channels {
            let known = self.channels.find(&channel.uid).is_some();
            // one that is being born is left to its Newchannel
            if known || !snapshot.foreseen.born.contains(&channel.uid) {
                self.sync_channel(at, channel, talked.contains(&*channel.bridge), out);
            }
        }
        self.link_locals(snapshot);
        let beside = Beside::new(snapshot);
        for channel in snapshot.channels.iter().filter(|channel| channel.is_dialled()) {
            self.adopt_leg(at, channel, &beside, out);
        }
    }

    /// Puts a listed channel where the list has it; nobody talks in a bridge of those who only
    /// wait.
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
            let originated = *listed.application == *b"AppDial2";
            if originated {
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
            let Some(name) =
                channel.name.strip_suffix(b";1").or_else(|| channel.name.strip_suffix(b";2"))
            else {
                continue;
            };
            if let Some(other) = halves.insert(name, key)
                && self.channels.all[key].peer.is_none()
            {
                self.channels.all[key].peer = Some(other);
                self.channels.all[other].peer = Some(key);
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
        let by = self.dialler(listed, beside).filter(|&by| by != key);
        let mut dialled = adopted_dial(by);
        let up = self.channels.all[key].life.up;
        dialled.status = up.then_some(DialStatus::Answer);
        self.channels.all[key].dialled = Some(dialled);
        let Some(by) = by else { return };
        self.call_dialled(Some(by), key, at, out);
        if up && *listed.application == *b"AppDial" {
            self.call_answered(key, at);
        }
    }

    /// Who dialled a listed leg, as far as that can be told: the channel its Linkedid names, or,
    /// where none is told, who is in its bridge.
    fn dialler(&self, leg: &Channel, beside: &Beside<'_>) -> Option<ChannelKey> {
        if !leg.linkedid.is_empty() {
            return self.channels.find(&leg.linkedid);
        }
        beside.caller(leg).and_then(|other| self.channels.find(&other.uid))
    }

    fn sync_members(&mut self, at: Stamp, snapshot: &Snapshot, drift: bool, out: &mut dyn Observe) {
        let mut listed = HashSet::new();
        for (name, level) in &snapshot.queues {
            let queue = self.ensure_queue(name, out);
            let level = Some(*level).filter(|level| !level.is_zero());
            if self.queues.insert(queue, level) != Some(level) {
                self.emit(Observation::QueueKnown { queue, service_level: level }, out);
            }
        }
        for member in &snapshot.members {
            let queue = self.ensure_queue(&member.queue, out);
            let place = place(queue, &member.interface);
            let touched = self.touched_members.contains(&place);
            listed.insert(place.clone());
            if drift && touched {
                continue;
            }
            let described = self.describe_member(at.read, &member.described(), out);
            self.sync_wrap_up(at.read, member, snapshot.told, out);
            if drift && described.appeared {
                self.drift.members.insert(place, Anomaly::MemberAppeared);
            } else if drift && described.drifted {
                self.drift.members.insert(place, Anomaly::MemberDrifted);
            }
        }
        let mut gone: Vec<_> =
            self.members.places.keys().filter(|place| !listed.contains(*place)).cloned().collect();
        gone.sort_unstable();
        for (queue, interface) in gone {
            if drift && self.touched_members.contains(&(queue, interface.clone())) {
                continue;
            }
            self.remove_member(queue, &interface, at.read, out);
            if drift {
                self.drift.members.insert((queue, interface), Anomaly::MemberVanished);
            }
        }
        if !self.drift.members.is_empty() {
            self.deadlines.add(at.read.after(DOUBT), Task::Drift);
        }
        self.drop_unlisted_queues(snapshot);
    }

    /// No event of these members came behind the list: what it showed of them was never sent.
    pub(super) fn drift_due(&mut self, out: &mut dyn Observe) {
        for anomaly in std::mem::take(&mut self.drift.members).into_values() {
            self.emit(Observation::Anomaly(anomaly), out);
        }
    }

    /// When the last call of a listed member ended: the wrap-up after one that was not seen, or
    /// that was reset.
    fn sync_wrap_up(
        &mut self,
        now: Moment,
        listed: &Listed,
        told: Option<Moment>,
        out: &mut dyn Observe,
    ) {
        let queue = self.names.queues.intern(&listed.queue);
        let Some(key) = self.members.seat(queue, &listed.interface) else { return };
        match (listed.last_call, told) {
            // QueueReset and `queue reset stats` send no event, and the next second the agent is
            // called
            (Some(last), _) if last == Moment::default() => {
                let agent = self.members.all[key].agent;
                self.members.end_wrap_up(key, now, &self.names, out);
                self.refresh_agent(agent, now, out);
            }
            (Some(last), Some(told)) => self.adopt_wrap_up(key, now.before(told.since(last)), now),
            (Some(_), None) | (None, _) => {}
        }
    }

    /// A queue that a reload took away disappears from the gauges once nobody is in it.
    fn drop_unlisted_queues(&mut self, snapshot: &Snapshot) {
        let listed: HashSet<QueueId> =
            snapshot.queues.iter().map(|(name, _)| self.names.queues.intern(name)).collect();
        let open: HashSet<QueueId> = self.stays.values().map(|stay| stay.queue).collect();
        self.queues.retain(|queue, _| listed.contains(queue) || open.contains(queue));
    }

    fn sync_entries(&mut self, at: Stamp, snapshot: &Snapshot, drift: bool, out: &mut dyn Observe) {
        let mut listed = HashSet::new();
        let members = std::mem::take(&mut self.drift.members);
        let before = std::mem::replace(&mut self.drift, Drift { members, ..Drift::default() });
        for entry in &snapshot.entries {
            // the list can be newer than the transfer that gives the place to somebody else
            let from = snapshot.foreseen.moved.get(&entry.uid);
            let joins =
                |uid: &[u8]| snapshot.foreseen.joins.contains(&(uid.into(), entry.queue.clone()));
            let foreseen = joins(&entry.uid) || from.is_some_and(|from| joins(from));
            let known = from.filter(|from| self.channels.find(from).is_some());
            let entry = Entry { uid: known.unwrap_or(&entry.uid).clone(), ..entry.clone() };
            if let Some(key) = self.sync_entry(at, &entry, drift.then_some(&before), foreseen, out)
            {
                listed.insert(key);
            }
        }
        let waiting =
            self.stays.iter().filter(|(_, stay)| matches!(stay.phase, Phase::Waiting { .. }));
        let missing: Vec<_> = waiting
            .map(|(key, _)| key)
            .filter(|key| !listed.contains(key) && !self.is_touched(*key))
            .collect();
        for key in missing {
            if drift && !before.missed.contains(&key) {
                self.drift.missed.insert(key);
            } else {
                self.doubt(key, at);
            }
        }
    }

    /// The stay of a listed caller: known, or adopted now with its wait.  In mid-session, with what
    /// the last list told that events had not, only if it is told again: a PBX with too much to
    /// do sends a Join seconds after the list.
    fn sync_entry(
        &mut self,
        at: Stamp,
        entry: &Entry,
        before: Option<&Drift>,
        foreseen: bool,
        out: &mut dyn Observe,
    ) -> Option<StayKey> {
        let (queue, drift) = (self.ensure_queue(&entry.queue, out), before.is_some());
        let joined = entry.wait.map(|wait| Stamp { read: at.read.before(wait), wire: None });
        let known = self.channels.find(&entry.uid).and_then(|caller| self.find_stay(caller, queue));
        if let Some(key) = known {
            let touched = self.is_touched(key);
            let stay = &mut self.stays[key];
            match stay.phase {
                // a wait shorter than expected: the caller left and came back in the gap
                Phase::Waiting { .. } if !drift && is_shorter(stay.joined, joined) => {
                    self.lose_wait(key, out);
                }
                Phase::Waiting { .. } => {
                    stay.joined = stay.joined.or(joined);
                    stay.doubted = false;
                    return Some(key);
                }
                Phase::Leaving(_) | Phase::Talking(_) if drift || touched => return Some(key),
                Phase::Leaving(_) | Phase::Talking(_) => self.lose_stay(key, at, out),
                Phase::Closed(_) if touched => return Some(key),
                Phase::Closed(_) => {}
            }
        }
        if foreseen {
            return None;
        }
        if let Some(before) = before {
            let place = (entry.uid.clone(), queue);
            if !before.appeared.contains(&place) {
                self.drift.appeared.insert(place);
                return None;
            }
            self.emit(Observation::Anomaly(Anomaly::CallerAppeared), out);
        }
        let block =
            crate::event::Channel { uid: &entry.uid, name: &entry.channel, ..Default::default() };
        let caller = self.ensure_channel(&block, at, out);
        let key = self.adopt_stay(caller, queue, AdoptedPhase::Waiting, out);
        self.stays[key].joined = joined;
        Some(key)
    }

    fn doubt(&mut self, key: StayKey, at: Stamp) {
        self.stays[key].doubted = true;
        self.deadlines.add(at.read.after(DOUBT), Task::Doubt(key));
    }

    /// Callers who talk to an agent, by who shares a bridge with a channel that runs Queue.
    fn sync_talks(&mut self, at: Stamp, snapshot: &Snapshot, out: &mut dyn Observe) {
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
        let talking = self
            .stays
            .iter()
            .filter(|(_, stay)| stay.talk().is_some_and(|talk| !self.is_listed(stay.caller, talk)));
        for key in
            talking.map(|(key, _)| key).filter(|key| !confirmed.contains(key)).collect::<Vec<_>>()
        {
            self.doubt(key, at);
        }
    }

    /// Whether a known caller and the agent are listed in one bridge.  A caller who came through a
    /// Local channel that was optimised away does not run Queue.
    fn is_listed(&self, caller: ChannelKey, talk: &Talk) -> bool {
        let bridge = |key: ChannelKey| {
            self.channels.all.get(key).filter(|channel| !channel.life.doubted)?.bridge.id
        };
        bridge(caller).is_some() && talk.leg.and_then(bridge) == bridge(caller)
    }

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
        let same = |talk: &Talk| leg.is_none() || talk.leg == leg || talk.phone == leg;
        if let Some(key) = known
            && self.stays[key].talk().is_some_and(same)
        {
            return Some(key);
        }
        // AgentConnect or AgentComplete is still to come, and knows more
        if snapshot.foreseen.served.contains(&self.channels.all[caller].identity.uid) {
            return known;
        }
        let (agent, leg) = (agent?, leg?);
        let waited = known.filter(|&key| self.stays[key].is_waiting());
        // who waited and is bridged now was connected, also by a member whose device no list names
        if waited.is_none() && !self.is_agents(queue, agent) {
            return None;
        }
        let key = match waited {
            Some(key) => {
                self.emit_of(
                    key,
                    Observation::Exited { queue, outcome: Outcome::Answered, hold: None },
                    out,
                );
                key
            }
            None => {
                if let Some(before) = known {
                    self.lose_stay(before, at, out);
                }
                self.adopt_stay(caller, queue, AdoptedPhase::Talking, out)
            }
        };
        let member = self.ensure_listed_member(queue, agent, at, out);
        let mut talk = Talk::new(member, at);
        (talk.adopted, talk.leg) = (true, Some(leg));
        self.stays[key].phase = Phase::Talking(talk);
        self.begin_talk(key, at, out);
        Some(key)
    }

    /// Whether a caller's partner is an agent: one the queue dialled, or a member's phone whose
    /// Local channel is gone.
    ///
    /// After an attended transfer the caller's channel still runs Queue (16 and 22), bridged with
    /// somebody else: that talk is over.
    fn is_agents(&self, queue: QueueId, partner: &Channel) -> bool {
        *partner.application == *b"AppQueue"
            || self.find_member_on(queue, &self.device_of(partner)).is_some()
    }

    /// The member whose device a channel is, else one made for the device.
    fn ensure_listed_member(
        &mut self,
        queue: QueueId,
        agent: &Channel,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let device = self.device_of(agent);
        if let Some(known) = self.find_member_on(queue, &device) {
            return known;
        }
        // no list names the member, and the device may be a number: it is never a member's name
        let channel = self.channels.find(&agent.uid).map(|key| &self.channels.all[key]);
        let label: Box<str> = channel.map_or(OTHER, |channel| channel.label()).into();
        self.ensure_member(queue, label.as_bytes(), label.as_bytes(), at.read, out)
    }

    fn device_of(&self, listed: &Channel) -> Box<str> {
        self.channels
            .find(&listed.uid)
            .map(|key| self.channels.all[key].identity.device.clone())
            .unwrap_or_default()
    }

    /// The queue's member with a device: by interface, else by state interface.
    fn find_member_on(&self, queue: QueueId, device: &str) -> Option<MemberKey> {
        let of = |interface: &[u8]| self.members.places.get(&place(queue, interface)).copied();
        let by_interface =
            of(device.as_bytes()).or_else(|| of(&[device.as_bytes(), b"/n"].concat()));
        if by_interface.is_some() {
            return by_interface;
        }
        let person = self.members.devices.of(device.as_bytes(), false)?;
        let mine = &self.members.agents.get(&person)?.members;
        mine.iter().copied().find(|&key| self.members.all[key].queue == queue)
    }

    /// Agents being called for a caller who waits: the caller by Linkedid.
    fn sync_rings(&mut self, at: Stamp, snapshot: &Snapshot, out: &mut dyn Observe) {
        for listed in &snapshot.channels {
            let Some(leg) = self.channels.find(&listed.uid) else { continue };
            let rings = *listed.application == *b"AppQueue" && listed.state == Some(RINGING);
            if !rings || self.find_ring(leg).is_some() {
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

/// The listed channels by what one looks for another by.  Headers that are not told tie nothing.
#[derive(Debug, Default)]
struct Beside<'a> {
    /// By bridge: the first two whom a queue dialled, the first two of all but media, and the
    /// first whom nobody dialled.
    bridges: HashMap<&'a [u8], (Two<'a>, Two<'a>, Option<&'a Channel>)>,
    /// By Linkedid: the first two whom a queue dialled.
    legs: HashMap<&'a [u8], Two<'a>>,
}

/// The first two of a kind: who looks for another may be one of them.
type Two<'a> = [Option<&'a Channel>; 2];

impl<'a> Beside<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let mut this = Self::default();
        for channel in &snapshot.channels {
            let is_leg = *channel.application == *b"AppQueue";
            if is_leg && !channel.linkedid.is_empty() {
                add(this.legs.entry(&channel.linkedid).or_default(), channel);
            }
            if channel.bridge.is_empty() {
                continue;
            }
            let (legs, all, caller) = this.bridges.entry(&channel.bridge).or_default();
            if is_leg {
                add(legs, channel);
            }
            if is_media(&channel.name) {
                continue;
            }
            add(all, channel);
            if !channel.is_dialled() {
                caller.get_or_insert(channel);
            }
        }
        this
    }

    /// The agent's channel: in the caller's bridge, rather one that the queue dialled.
    fn partner(&self, caller: &Channel) -> Option<&'a Channel> {
        let (legs, all, _) = self.bridges.get(&*caller.bridge).copied().unwrap_or_default();
        // the agent consults somebody in another bridge
        let elsewhere = self.legs.get(&*caller.linkedid).copied().unwrap_or_default();
        [legs, all, elsewhere]
            .iter()
            .find_map(|two| two.iter().flatten().find(|other| other.uid != caller.uid))
            .copied()
    }

    /// Who is in the leg's bridge and was not dialled.
    fn caller(&self, leg: &Channel) -> Option<&'a Channel> {
        self.bridges.get(&*leg.bridge).and_then(|(.., caller)| *caller)
    }
}

fn add<'a>(two: &mut Two<'a>, channel: &'a Channel) {
    if let Some(place) = two.iter_mut().find(|place| place.is_none()) {
        *place = Some(channel);
    }
}

/// Where a list and the events disagree.  Who waits is believed only if two lists in a row say so.
#[derive(Debug, Default)]
pub(super) struct Drift {
    /// Listed, and no event has told: Uniqueid and queue.
    appeared: HashSet<(Box<[u8]>, QueueId)>,
    /// Known to wait, and not listed.
    missed: HashSet<StayKey>,
    /// Members who were taken from the list, unless an event of them comes soon: under load an
    /// event comes up to 112 ms behind a list that shows what it reports (18.26 and 23.5).
    pub members: BTreeMap<Place, Anomaly>,
}

fn adopted_dial(by: Option<ChannelKey>) -> Dialled {
    Dialled { by, status: None, reason: None, string: Box::default() }
}

fn is_shorter(known: Option<Stamp>, listed: Option<Stamp>) -> bool {
    known.zip(listed).is_some_and(|(known, listed)| listed.read.since(known.read) > WAIT_SLACK)
}

/// Wait is whole seconds, and the list is a moment old.
const WAIT_SLACK: Duration = Duration::from_secs(2);
/// Channel state: Asterisk calls the device and it rings.
const RINGING: u8 = 5;
