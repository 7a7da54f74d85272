//! Ringings: every agent a queue calls, once, with exactly one result.

use std::time::Duration;

use super::Correlator;
use super::cause::Cause;
use super::channel::Channel;
use super::deadline::{RING, Task};
use super::dial::DialStatus;
use super::key::{ChannelKey, MemberKey, RingKey, StayKey};
use super::names::{AgentId, QueueId};
use super::observation::{Anomaly, Leg, Observation, Observe, RingResult};
use super::stay::Phase as StayPhase;
use super::time::Stamp;
use crate::event;

/// One agent being called for one stay.
#[derive(Debug)]
pub(super) struct Ring {
    pub stay: StayKey,
    pub queue: QueueId,
    pub agent: AgentId,
    pub member: MemberKey,
    /// The channel the queue dialled.
    pub leg: ChannelKey,
    /// The phone behind it, if it is a Local channel: the one that answered, else the last one
    /// dialled.
    pub phone: Option<ChannelKey>,
    /// Unknown if the beginning was not seen.
    pub begun: Option<Stamp>,
    pub phase: Phase,
    /// How a phone ended that was tried behind a Local channel and did not answer.
    pub phone_cause: Option<Cause>,
    /// The phone does not ring any more.
    pub silent: bool,
    /// The agent leg's cause is counted.
    pub hung_up: bool,
}

/// Where a ringing is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Ringing,
    /// The phone forwarded the call: the next leg the caller dials takes this one's place, if the
    /// queue lets it.
    Forwarded {
        at: Stamp,
    },
    /// Answered, and only AgentConnect's RingTime can tell how long it rang.
    Answered,
    /// Ended by DialEnd; AgentRingNoAnswer or the leg's Hangup will say how.
    Ended {
        at: Stamp,
        status: DialStatus,
    },
    /// Refused: the leg's cause will say how.
    Refused {
        length: Option<Duration>,
        status: DialStatus,
    },
    Done,
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

    pub(super) fn on_ring_no_answer(
        &mut self,
        at: Stamp,
        missed: &event::RingNoAnswer<'_>,
        out: &mut dyn Observe,
    ) {
        let leg = self.ensure_channel(&missed.call.leg, at, out);
        let key = self.ensure_ring(leg, &missed.call, at, out);
        let ring = &mut self.rings[key];
        match ring.phase {
            // refused at once, and the account does not see the DialEnd before it
            Phase::Ringing if missed.ring == Some(Duration::ZERO) => {
                self.refused(key, missed.ring, DialStatus::Other, at, out);
            }
            // Asterisk sends it before DialEnd only when the member's full time is over
            Phase::Ringing | Phase::Forwarded { .. } => {
                let length =
                    ring.begun.and_then(|begun| self.timing.between(begun, at)).or(missed.ring);
                self.settle_ring(key, RingResult::NoAnswer, length, at, out);
            }
            Phase::Ended { at: ended, status } => {
                let length =
                    ring.begun.and_then(|begun| self.timing.between(begun, ended)).or(missed.ring);
                self.refused(key, length, status, at, out);
            }
            Phase::Answered | Phase::Refused { .. } | Phase::Done => {
                self.emit(Observation::Anomaly(Anomaly::RingWithoutCall), out);
            }
        }
    }

    /// The phone would not have the call: the leg's cause says why, and may be still to come.
    fn refused(
        &mut self,
        key: RingKey,
        length: Option<Duration>,
        status: DialStatus,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        self.rings[key].phase = Phase::Refused { length, status };
        self.stop_ringing(key, at, out);
        if self.ring_cause(key).is_some() {
            self.settle_by_cause(key, at, out);
        } else {
            self.deadlines.add(at.read.after(RING), Task::Ring(key));
        }
    }

    /// The agent hung up during the announcement: that ringing was answered, and the caller waits
    /// on.
    pub(super) fn on_agent_dump(
        &mut self,
        at: Stamp,
        dump: &event::AgentCall<'_>,
        out: &mut dyn Observe,
    ) {
        let leg = self.ensure_channel(&dump.leg, at, out);
        let key = self.ensure_ring(leg, dump, at, out);
        self.ring_answered(key, None, at, out);
        let Ring { queue, agent, stay, .. } = self.rings[key];
        if let Some(StayPhase::Waiting { answered }) =
            self.stays.get_mut(stay).map(|stay| &mut stay.phase)
        {
            *answered = false;
        }
        self.emit_of(stay, Observation::AgentDumped { queue, agent }, out);
    }

    /// The ringing of a leg; made up if its beginning was not seen.
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

    /// A ringing that was already going on.
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
        let (queue, agent) = (self.stays[stay].queue, self.members.all[member].agent);
        let phase = Phase::Ringing;
        let key = self.rings.insert(Ring {
            stay,
            queue,
            agent,
            member,
            leg,
            phone: None,
            begun,
            phase,
            phone_cause: None,
            silent: false,
            hung_up: false,
        });
        self.channels.all[leg].as_agent.ring = Some(key);
        // a queue calls a member for a caller again once the last try is over: a forward that 13
        // does not follow (option i) has no DialEnd, and no Hangup until the caller leaves
        let before =
            self.members.all[member].rings.iter().find(|&ring| self.is_ringing_for(ring, stay));
        if let Some(before) = before {
            self.settle_ring(before, RingResult::Canceled, None, at, out);
        }
        let place = &mut self.members.all[member];
        place.ringing += 1;
        place.rings.add(key, |ring| self.rings.contains_key(ring));
        // the queue does not call who is in wrap-up: it is over by the PBX's count of seconds, or
        // was reset
        self.members.end_wrap_up(member, at.read, &self.names, out);
        self.refresh_agent(agent, at.read, out);
        key
    }

    /// Whether a ringing is one for that stay whose end has not been told.
    fn is_ringing_for(&self, key: RingKey, stay: StayKey) -> bool {
        let open = |ring: &Ring| matches!(ring.phase, Phase::Ringing | Phase::Forwarded { .. });
        self.rings.get(key).is_some_and(|ring| ring.stay == stay && open(ring))
    }

    /// A leg begins to be dialled: it may be a ringing's own, the phone behind it, or where it was
    /// forwarded to.
    pub(super) fn ring_dialled(&mut self, caller: ChannelKey, leg: ChannelKey, at: Stamp) {
        if let Some(key) = self.find_ring(leg) {
            // AgentCalled comes a moment earlier
            let ring = &mut self.rings[key];
            if matches!(ring.phase, Phase::Ringing) && ring.begun.is_some() && ring.leg == leg {
                ring.begun = Some(at);
            }
            return;
        }
        if let Some(key) = self.forwarded_ring(caller) {
            let ring = &mut self.rings[key];
            let before = std::mem::replace(&mut ring.leg, leg);
            (ring.phase, ring.phone) = (Phase::Ringing, None);
            self.channels.all[leg].as_agent.ring = Some(key);
            if let Some(before) = self.channels.all.get_mut(before) {
                before.as_agent.ring = None;
            }
            return;
        }
        let one = self.channels.find_chain_start(leg);
        if one != leg
            && let Some(key) = self.find_ring(one)
            && self.channels.all[leg].identity.line != super::line::Line::Local
        {
            let interface = &self.members.all[self.rings[key].member].interface;
            if self.channels.all[leg].identity.line == super::line::Line::Agent {
                self.members
                    .devices
                    .dialled(interface, self.channels.all[leg].identity.device.as_bytes());
            }
            let answered = self.rings[key]
                .phone
                .is_some_and(|phone| self.channels.all.get(phone).is_some_and(|c| c.life.up));
            if !answered {
                self.rings[key].phone = Some(leg);
            }
            self.channels.all[leg].as_agent.ring = Some(key);
        }
    }

    /// The ringing a channel belongs to.
    pub(super) fn find_ring(&self, channel: ChannelKey) -> Option<RingKey> {
        self.channels.all.get(channel)?.as_agent.ring.filter(|&key| self.rings.contains_key(key))
    }

    /// A channel is about to be forgotten: so is its ringing, unless the phone behind it is still
    /// up and will tell the agent leg's cause (an optimised Local channel is gone long before
    /// its phone).
    pub(super) fn drop_ring(&mut self, channel: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(key) = self.find_ring(channel) else { return };
        if self.rings[key].leg == channel {
            self.lose_ring(key, at, out);
        }
        let ring = &self.rings[key];
        let leg_stays = ring.leg != channel && self.channels.all.contains_key(ring.leg);
        let phone_stays = ring
            .phone
            .is_some_and(|phone| phone != channel && self.channels.all.contains_key(phone));
        if !leg_stays && (ring.hung_up || !phone_stays) {
            self.rings.remove(key);
        }
    }

    /// The ringing whose phone has just forwarded the call: DialEnd with the forward, and DialBegin
    /// of the leg that is dialled instead, stand next to each other (13 to 23).
    fn forwarded_ring(&mut self, caller: ChannelKey) -> Option<RingKey> {
        let key = self.channels.all[caller].as_caller.forwarded.take()?;
        self.rings
            .get(key)
            .is_some_and(|ring| matches!(ring.phase, Phase::Forwarded { .. }))
            .then_some(key)
    }

    /// The first DialEnd of a leg.
    pub(super) fn ring_dial_ended(
        &mut self,
        leg: ChannelKey,
        status: DialStatus,
        forwarded: bool,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.find_ring(leg) else { return };
        let ring = &mut self.rings[key];
        if ring.leg != leg {
            if status == DialStatus::Answer {
                ring.phone = Some(leg);
            }
            return;
        }
        if !matches!(ring.phase, Phase::Ringing) {
            return;
        }
        match status {
            _ if forwarded => {
                ring.phase = Phase::Forwarded { at };
                let stay = self.stays.get(ring.stay);
                if let Some(caller) = stay.and_then(|stay| self.channels.all.get_mut(stay.caller)) {
                    caller.as_caller.forwarded = Some(key);
                }
            }
            DialStatus::Answer => {
                let stay = ring.stay;
                if let Some(StayPhase::Waiting { answered }) =
                    self.stays.get_mut(stay).map(|stay| &mut stay.phase)
                {
                    *answered = true;
                }
                let length = self.rings[key].begun.and_then(|begun| self.timing.between(begun, at));
                if length.is_some() {
                    self.settle_ring(key, RingResult::Answered, length, at, out);
                } else {
                    self.rings[key].phase = Phase::Answered;
                    self.stop_ringing(key, at, out);
                }
            }
            // a ring-all loser, or the caller left; a timeout's AgentRingNoAnswer comes before its
            // DialEnd
            DialStatus::Cancel => {
                let length = ring.begun.and_then(|begun| self.timing.between(begun, at));
                self.settle_ring(key, RingResult::Canceled, length, at, out);
            }
            DialStatus::Busy
            | DialStatus::Congestion
            | DialStatus::NoAnswer
            | DialStatus::Other => {
                ring.phase = Phase::Ended { at, status };
                self.stop_ringing(key, at, out);
            }
        }
    }

    /// The agent took the call, so whatever the events before said, this ringing was answered.
    pub(super) fn ring_answered(
        &mut self,
        key: RingKey,
        ring_time: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        match self.rings[key].phase {
            Phase::Done => {}
            Phase::Ringing
            | Phase::Forwarded { .. }
            | Phase::Answered
            | Phase::Ended { .. }
            | Phase::Refused { .. } => {
                self.settle_ring(key, RingResult::Answered, ring_time, at, out);
            }
        }
    }

    /// A channel that is the leg of a ringing, or the phone behind it, hung up.
    pub(super) fn ring_hung_up(&mut self, channel: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(key) = self.find_ring(channel) else { return };
        let ring = &self.rings[key];
        if ring.leg == channel {
            match ring.phase {
                Phase::Answered => self.settle_ring(key, RingResult::Answered, None, at, out),
                Phase::Refused { .. } => self.settle_by_cause(key, at, out),
                // a forward that is followed has its new leg before this Hangup: option i, or a bad
                // number
                Phase::Forwarded { .. } => self.ring_due(key, at, out),
                // an older Asterisk may send the leg's Hangup before the DialEnd on the caller's
                // channel, and the Hangup of a leg that was picked up may come
                // between Leave and AgentConnect (22.10)
                Phase::Ringing | Phase::Ended { .. }
                    if self.waits(ring.stay) || self.may_connect(ring.stay) =>
                {
                    self.deadlines.add(at.read.after(RING), Task::Ring(key));
                    self.stop_ringing(key, at, out);
                }
                Phase::Ringing | Phase::Ended { .. } => self.ring_due(key, at, out),
                Phase::Done => {}
            }
        } else if ring.phone == Some(channel) && matches!(ring.phase, Phase::Refused { .. }) {
            self.settle_by_cause(key, at, out);
        }
        self.count_agent_hangup(key, channel, out);
    }

    /// Counts the agent leg's cause once: that of the phone behind a Local channel if one answered,
    /// else of the last one, else the leg's own.
    fn count_agent_hangup(&mut self, key: RingKey, channel: ChannelKey, out: &mut dyn Observe) {
        let live =
            |channel: ChannelKey| self.channels.all.get(channel).is_some_and(Channel::is_live);
        let Some(own) = self.channels.all[channel].cause() else { return };
        let answered = self.channels.all[channel].life.up;
        let ring = &mut self.rings[key];
        let cause = if ring.leg != channel {
            if ring.phone != Some(channel) || live(ring.leg) && !answered {
                // another phone may be tried, or have been
                ring.phone_cause = Some(own);
                return;
            }
            own
        } else if ring.phone.is_some_and(live) {
            return;
        } else {
            ring.phone_cause.unwrap_or(own)
        };
        if !std::mem::replace(&mut ring.hung_up, true) {
            let (stay, queue, agent) = (ring.stay, ring.queue, ring.agent);
            self.emit_of(
                stay,
                Observation::QueueHangup { queue, agent, leg: Leg::Agent, cause },
                out,
            );
        }
    }

    /// Whether the caller is still in the queue.
    fn waits(&self, stay: StayKey) -> bool {
        self.stays.get(stay).is_some_and(|stay| matches!(stay.phase, StayPhase::Waiting { .. }))
    }

    /// Whether the caller left, and AgentConnect may still come.
    fn may_connect(&self, stay: StayKey) -> bool {
        let phase = self.stays.get(stay).map(|stay| &stay.phase);
        matches!(phase, Some(StayPhase::Leaving(leaving)) if !leaving.abandoned)
    }

    /// A ringing has waited long enough for what tells its result.
    pub(super) fn ring_due(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let Some(ring) = self.rings.get(key) else { return };
        match ring.phase {
            Phase::Refused { .. } => self.settle_by_cause(key, at, out),
            // the caller was gone, or another agent had the call: no AgentRingNoAnswer is sent then
            Phase::Ringing | Phase::Ended { .. } if !self.waits(ring.stay) => {
                self.settle_ring(key, RingResult::Canceled, None, at, out);
            }
            // the leg that hung up was forwarded since, and another rings instead
            Phase::Ringing if self.channels.all.get(ring.leg).is_some_and(Channel::is_live) => {}
            Phase::Ringing => {
                self.rings[key].phase = Phase::Refused { length: None, status: DialStatus::Other };
                self.settle_by_cause(key, at, out);
            }
            Phase::Ended { at: ended, status } => {
                let length = ring.begun.and_then(|begun| self.timing.between(begun, ended));
                self.rings[key].phase = Phase::Refused { length, status };
                self.settle_by_cause(key, at, out);
            }
            // nothing was dialled instead: the queue follows no forward (option i), or the number
            // was none
            Phase::Forwarded { at: ended } => {
                let length = ring.begun.and_then(|begun| self.timing.between(begun, ended));
                self.settle_ring(key, RingResult::Canceled, length, at, out);
            }
            Phase::Answered | Phase::Done => {}
        }
    }

    fn settle_by_cause(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let Phase::Refused { length, status } = self.rings[key].phase else { return };
        let result = match (self.ring_cause(key), status) {
            (Some(Cause(17)), _) | (None, DialStatus::Busy) => RingResult::Busy,
            (Some(Cause(0 | 16 | 26 | 127)), _) | (None, DialStatus::NoAnswer) => {
                RingResult::NoAnswer
            }
            _ => RingResult::Failed,
        };
        self.settle_ring(key, result, length, at, out);
    }

    /// The phone's cause if a phone is known and has hung up, else the leg's.
    fn ring_cause(&self, key: RingKey) -> Option<Cause> {
        let ring = &self.rings[key];
        let cause = |channel: ChannelKey| self.channels.all.get(channel).and_then(Channel::cause);
        ring.phone.and_then(cause).or_else(|| cause(ring.leg))
    }

    /// Counts the one result of a ringing.
    pub(super) fn settle_ring(
        &mut self,
        key: RingKey,
        result: RingResult,
        length: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Ring { stay, queue, agent, .. } = self.rings[key];
        self.stop_ringing(key, at, out);
        self.rings[key].phase = Phase::Done;
        self.emit_of(stay, Observation::RingEnded { queue, agent, result, length }, out);
    }

    /// The agent's phone does not ring any more.
    fn stop_ringing(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let ring = &mut self.rings[key];
        if !std::mem::replace(&mut ring.silent, true) {
            let (member, agent) = (ring.member, ring.agent);
            if let Some(member) = self.members.all.get_mut(member) {
                member.ringing = member.ringing.saturating_sub(1);
            }
            self.refresh_agent(agent, at.read, out);
        }
    }
}
