//! Ring attempts: every agent a queue calls, once, with exactly one result.  How they begin, and
//! which channels belong to them.

mod end;

use std::hash::BuildHasher;
use std::ops::{Index, IndexMut};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::Correlator;
use super::cause::Cause;
use super::dial::DialStatus;
use super::key::{ChannelKey, MemberKey, RingKey, StayKey};
use super::line::Line;
use super::names::{AgentId, QueueId};
use super::observation::{Observation, Observe, RingResult};
use super::slab::Slab;
use super::time::{Span, Stamp};
use crate::event;

/// One agent being called for one stay.
#[derive(Debug)]
pub(super) struct Ring {
    stay: StayKey,
    queue: QueueId,
    agent: AgentId,
    member: MemberKey,
    /// The channel the queue dialled.
    leg: ChannelKey,
    /// The phone behind it, if it is a Local channel: the one that answered, else the last one
    /// dialled.
    phone: Option<ChannelKey>,
    /// Unknown if the beginning was not reported.
    begun: Option<Stamp>,
    phase: Phase,
    /// How a phone ended that was tried behind a Local channel and did not answer.
    phone_cause: Option<Cause>,
    /// The phone does not ring any more.
    silent: bool,
    /// Its AgentRingNoAnswer has come, or the log has it.
    pub told: bool,
    /// The agent leg's cause is counted.
    hung_up: bool,
}

/// Where a ring attempt is, and how long the phone rang if it does no more.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Ringing,
    /// The phone forwarded the call: the next leg the caller dials takes this one's place, if the
    /// queue lets it.
    Forwarded {
        length: Option<Span>,
    },
    /// Answered, and only AgentConnect's RingTime can show how long it rang.
    Answered,
    /// Ended by DialEnd; AgentRingNoAnswer or the leg's Hangup will say how.
    Ended {
        length: Option<Span>,
        status: DialStatus,
    },
    /// Refused: the leg's cause will say how.
    Refused {
        length: Option<Span>,
        status: DialStatus,
    },
    Done,
}

/// All ring attempts of a PBX.
#[derive(Debug, Default)]
pub(super) struct Rings {
    all: Slab<RingKey, Ring>,
    /// The latest of each member for each stay.
    latest: HashTable<RingKey>,
    hasher: DefaultHashBuilder,
    /// How many each member has.
    of_members: HashMap<MemberKey, usize>,
}

impl Rings {
    pub(super) fn get(&self, key: RingKey) -> Option<&Ring> {
        self.all.get(key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    fn insert(&mut self, ring: Ring) -> RingKey {
        let of = (ring.member, ring.stay);
        *self.of_members.entry(ring.member).or_default() += 1;
        let key = self.all.insert(ring);

        let Self { all, latest, hasher, .. } = self;
        let is_of = |&key: &RingKey| all[key].of() == of;
        match latest.entry(hasher.hash_one(of), is_of, |&key| hasher.hash_one(all[key].of())) {
            Entry::Occupied(mut before) => *before.get_mut() = key,
            Entry::Vacant(place) => _ = place.insert(key),
        }
        key
    }

    fn remove(&mut self, key: RingKey) {
        let Some(ring) = self.all.remove(key) else { return };
        let hash = self.hasher.hash_one(ring.of());
        if let Ok(entry) = self.latest.find_entry(hash, |&latest| latest == key) {
            entry.remove();
        }

        if let Some(rings) = self.of_members.get_mut(&ring.member) {
            *rings -= 1;
            if *rings == 0 {
                self.of_members.remove(&ring.member);
            }
        }
    }

    /// The latest attempt to ring a member for a stay, as long as its leg is known.
    pub(super) fn latest(&self, member: MemberKey, stay: StayKey) -> Option<RingKey> {
        let of = (member, stay);
        self.latest.find(self.hasher.hash_one(of), |&key| self.all[key].of() == of).copied()
    }

    /// Whether there is any attempt to ring a member.
    pub(super) fn has_any(&self, member: MemberKey) -> bool {
        self.of_members.contains_key(&member)
    }

    /// How many have no result yet.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.all.values().filter(|ring| !matches!(ring.phase, Phase::Done)).count()
    }
}

/// What [`Correlator::find_ring`] found is there until the end of the event.
impl Index<RingKey> for Rings {
    type Output = Ring;

    fn index(&self, key: RingKey) -> &Ring {
        &self.all[key]
    }
}

impl IndexMut<RingKey> for Rings {
    fn index_mut(&mut self, key: RingKey) -> &mut Ring {
        &mut self.all[key]
    }
}

impl Ring {
    /// Whom it rings, and for which stay.
    const fn of(&self) -> (MemberKey, StayKey) {
        (self.member, self.stay)
    }

    pub(super) const fn stay(&self) -> StayKey {
        self.stay
    }

    pub(super) const fn leg(&self) -> ChannelKey {
        self.leg
    }

    /// Whether its result is counted.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    pub(super) const fn phone(&self) -> Option<ChannelKey> {
        self.phone
    }

    /// Whether its beginning was reported.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    pub(super) const fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::Ringing)
    }

    /// Whether no end was reported: a phone that forwarded the call may be followed.
    const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Ringing | Phase::Forwarded { .. })
    }
}

impl Correlator {
    pub(super) fn on_agent_called(
        &mut self,
        at: Stamp,
        call: &event::AgentCall<'_>,
        out: &mut dyn Observe,
    ) {
        let leg = self.ensure_channel(&call.leg, at, out);
        if self.find_ring(leg).is_none() {
            self.open_ring(call, leg, Some(at), at, out);
        }
    }

    /// The ring attempt of a leg; made now if its beginning was not reported.
    pub(super) fn ensure_ring(
        &mut self,
        leg: ChannelKey,
        call: &event::AgentCall<'_>,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> RingKey {
        match self.find_ring(leg) {
            Some(key) => key,
            None => self.open_ring(call, leg, None, at, out),
        }
    }

    fn open_ring(
        &mut self,
        call: &event::AgentCall<'_>,
        leg: ChannelKey,
        begun: Option<Stamp>,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> RingKey {
        let caller = self.ensure_channel(&call.caller, at, out);
        let queue = self.ensure_queue(call.queue, out);
        let stay = self.find_or_adopt_stay(caller, queue, at, out);
        let member = self.ensure_member(queue, call.interface, call.member, at.read, out);
        self.begin_ring(stay, member, leg, begun, at, out)
    }

    /// A ring attempt that was already going on.
    pub(super) fn adopt_ring(
        &mut self,
        stay: StayKey,
        member: MemberKey,
        leg: ChannelKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        self.begin_ring(stay, member, leg, None, at, out);
    }

    fn begin_ring(
        &mut self,
        stay: StayKey,
        member: MemberKey,
        leg: ChannelKey,
        begun: Option<Stamp>,
        at: Stamp,
        out: &mut dyn Observe,
    ) -> RingKey {
        let queue = self.stays[stay].queue;
        let agent = self.members[member].agent();
        // A queue calls a member for a caller again once the last attempt is over: a forward that 13
        // does not follow (option `i`) has no DialEnd, and no Hangup until the caller leaves.
        let before = self.rings.latest(member, stay);
        let before = before.filter(|&before| self.rings[before].is_open());

        let key = self.rings.insert(Ring {
            stay,
            queue,
            agent,
            member,
            leg,
            phone: None,
            begun,
            phase: Phase::Ringing,
            phone_cause: None,
            silent: false,
            told: false,
            hung_up: false,
        });
        self.channels.all[leg].as_agent.ring = Some(key);

        if let Some(before) = before {
            self.settle_ring(before, RingResult::Canceled, None, at, out);
        }

        self.members.activity_mut(member).begin_ring();
        // The queue does not call a member in wrap-up: it is over by the PBX's count of seconds, or
        // was reset.
        self.members.end_wrap_up(member, at.read, &self.names, out);
        self.refresh_agent(agent, at.read, out);

        self.emit(Observation::RingBegan { queue, agent }, out);
        if let Some(call) = self.find_call(self.stays[stay].caller) {
            self.emit_call_began(call, agent, out);
        }
        key
    }

    /// A leg begins to be dialled: it may be that of a ring attempt, the phone behind it, or where it
    /// was forwarded to.
    pub(super) fn ring_dialled(&mut self, caller: ChannelKey, leg: ChannelKey, at: Stamp) {
        if let Some(key) = self.find_ring(leg) {
            // AgentCalled comes a moment earlier: the phone rings from DialBegin on.
            let ring = &mut self.rings[key];
            if ring.is_ringing() && ring.has_begun() && ring.leg == leg {
                ring.begun = Some(at);
            }
            return;
        }

        if let Some(key) = self.take_forwarded_ring(caller) {
            let ring = &mut self.rings[key];
            let before = std::mem::replace(&mut ring.leg, leg);
            ring.phase = Phase::Ringing;
            ring.phone = None;
            self.channels.all[leg].as_agent.ring = Some(key);
            if let Some(before) = self.channels.all.get_mut(before) {
                before.as_agent.ring = None;
            }
            return;
        }

        let first = self.channels.find_chain_start(leg);
        if first != leg
            && self.channels.all[leg].identity.line != Line::Local
            && let Some(key) = self.find_ring(first)
        {
            self.ring_phone_behind(key, leg);
        }
    }

    /// A phone is dialled behind the Local channel of a ring attempt.
    fn ring_phone_behind(&mut self, key: RingKey, phone: ChannelKey) {
        let channel = &mut self.channels.all[phone];
        channel.as_agent.ring = Some(key);

        let ring = &mut self.rings[key];
        if channel.identity.line == Line::Agent {
            self.members.note_dialled(ring.member, &channel.identity.origin.device);
        }

        // A ring group or follow-me dials several: the one that answered is the agent's.
        let is_up = |phone| self.channels.all.get(phone).is_some_and(|channel| channel.life.up);
        if !ring.phone.is_some_and(is_up) {
            ring.phone = Some(phone);
        }
    }

    /// The ring attempt a channel belongs to.
    pub(super) fn find_ring(&self, channel: ChannelKey) -> Option<RingKey> {
        self.channels.all.get(channel)?.as_agent.ring.filter(|&key| self.rings.get(key).is_some())
    }

    /// The ring attempt whose phone has just forwarded the call: DialEnd with the forward, and
    /// DialBegin of the leg that is dialled instead, come next to each other (13 to 23).
    fn take_forwarded_ring(&mut self, caller: ChannelKey) -> Option<RingKey> {
        let key = self.channels.all[caller].rare_mut()?.forwarded.take()?;
        let ring = self.rings.get(key)?;
        matches!(ring.phase, Phase::Forwarded { .. }).then_some(key)
    }

    /// A channel is about to be forgotten: so is its ring attempt, unless the phone behind it is
    /// still up and will report the agent leg's cause (an optimised Local channel is gone long before
    /// its phone).
    pub(super) fn drop_ring(&mut self, channel: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(key) = self.find_ring(channel) else { return };
        if self.rings[key].leg == channel {
            self.lose_ring(key, at, out);
        }

        let ring = &self.rings[key];
        let remains = |other| other != channel && self.channels.all.contains_key(other);
        let awaits_phone = !ring.hung_up && ring.phone.is_some_and(remains);
        if !remains(ring.leg) && !awaits_phone {
            self.rings.remove(key);
        }
    }
}
