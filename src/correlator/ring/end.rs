//! How a ring attempt ends: one result, by the first event that can only mean one thing.
//!
//! AgentRingNoAnswer says that the agent was called in vain, and only the leg's cause says why.
//! DialEnd, AgentRingNoAnswer and Hangup come in an order that depends on the version and on what
//! ended the attempt, so each of them looks at what the others have shown.

use std::time::Duration;

use super::{Phase, Ring};
use crate::correlator::Correlator;
use crate::correlator::cause::Cause;
use crate::correlator::channel::Channel;
use crate::correlator::deadline::{RING, Task};
use crate::correlator::dial::DialStatus;
use crate::correlator::key::{ChannelKey, RingKey, StayKey};
use crate::correlator::logged::SeenKind;
use crate::correlator::observation::{Anomaly, Leg, Observation, Observe, RingResult};
use crate::correlator::stay::Phase as StayPhase;
use crate::correlator::time::{Span, Stamp};
use crate::event;

impl Correlator {
    pub(in crate::correlator) fn on_ring_no_answer(
        &mut self,
        at: Stamp,
        missed: &event::RingNoAnswer<'_>,
        out: &mut dyn Observe,
    ) {
        let leg = self.ensure_channel(&missed.call.leg, at, out);
        let key = self.ensure_ring(leg, &missed.call, at, out);
        self.rings[key].told = true;
        let Ring { queue, agent, .. } = self.rings[key];
        if self.is_recalled(SeenKind::RingNoAnswer, queue, agent, at) {
            self.rings[key].phase = Phase::Done;
            self.stop_ringing(key, at, out);
            return;
        }

        let ring = &self.rings[key];
        match ring.phase {
            // Refused at once, and the account does not receive the DialEnd before it.
            Phase::Ringing if missed.ring == Some(Duration::ZERO) => {
                self.refuse_ring(key, missed.ring, DialStatus::Other, at, out);
            }
            // Asterisk sends it before DialEnd only when the member's full time is over.
            Phase::Ringing | Phase::Forwarded { .. } => {
                let length = self.rang(ring, at).or(missed.ring);
                self.settle_ring(key, RingResult::NoAnswer, length, at, out);
            }
            Phase::Ended { length, status } => {
                let length = length.map(Duration::from).or(missed.ring);
                self.refuse_ring(key, length, status, at, out);
            }
            Phase::Answered | Phase::Refused { .. } | Phase::Done => {
                self.emit(Observation::Anomaly(Anomaly::RingWithoutCall), out);
            }
        }
    }

    /// The phone would not have the call: the leg's cause says why, and may be still to come.
    fn refuse_ring(
        &mut self,
        key: RingKey,
        length: Option<Duration>,
        status: DialStatus,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        self.rings[key].phase = Phase::Refused { length: length.map(Span::from), status };
        self.stop_ringing(key, at, out);
        if self.ring_cause(key).is_some() {
            self.settle_by_cause(key, at, out);
        } else {
            self.deadlines.add(at.read.after(RING), Task::Ring(key));
        }
    }

    /// The agent hung up during the announcement: that attempt was answered, and the caller waits
    /// on.
    pub(in crate::correlator) fn on_agent_dump(
        &mut self,
        at: Stamp,
        dump: &event::AgentCall<'_>,
        out: &mut dyn Observe,
    ) {
        let leg = self.ensure_channel(&dump.leg, at, out);
        let key = self.ensure_ring(leg, dump, at, out);
        let Ring { queue, agent, stay, .. } = self.rings[key];
        self.note_leg_answered(stay, false);
        if self.is_recalled(SeenKind::Dumped, queue, agent, at) {
            self.rings[key].phase = Phase::Done;
            self.stop_ringing(key, at, out);
            return;
        }
        self.ring_answered(key, None, at, out);
        self.emit_of(stay, Observation::AgentDumped { queue, agent }, out);
    }

    /// The first DialEnd of a leg.
    pub(in crate::correlator) fn ring_dial_ended(
        &mut self,
        leg: ChannelKey,
        status: DialStatus,
        forwarded: bool,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.find_ring(leg) else { return };
        let ring = &mut self.rings[key];

        // A phone behind the Local channel that the queue dialled: its end is not the attempt's.
        if ring.leg != leg {
            if status == DialStatus::Answer {
                ring.phone = Some(leg);
            }
            return;
        }
        if !ring.is_ringing() {
            return;
        }

        match status {
            _ if forwarded => self.ring_forwarded(key, at),
            DialStatus::Answer => self.leg_answered(key, at, out),
            // A loser of `ringall`, or the caller left; a timeout's AgentRingNoAnswer comes before
            // its DialEnd.
            DialStatus::Cancel => {
                let length = self.rang(&self.rings[key], at);
                self.settle_ring(key, RingResult::Canceled, length, at, out);
            }
            DialStatus::Busy
            | DialStatus::Congestion
            | DialStatus::NoAnswer
            | DialStatus::Other => {
                let length = self.rang(&self.rings[key], at).map(Span::from);
                self.rings[key].phase = Phase::Ended { length, status };
                self.stop_ringing(key, at, out);
            }
        }
    }

    /// The phone forwarded the call: the next DialBegin of the caller shows whether the queue
    /// follows.
    fn ring_forwarded(&mut self, key: RingKey, at: Stamp) {
        let length = self.rang(&self.rings[key], at).map(Span::from);
        let ring = &mut self.rings[key];
        ring.phase = Phase::Forwarded { length };
        let stay = self.stays.get(ring.stay);
        if let Some(caller) = stay.and_then(|stay| self.channels.all.get_mut(stay.caller)) {
            caller.ensure_rare().forwarded = Some(key);
        }
    }

    /// The leg that the queue dialled answered, and may hear an announcement first.
    fn leg_answered(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        self.note_leg_answered(self.rings[key].stay, true);
        let length = self.rang(&self.rings[key], at);
        if length.is_some() {
            self.settle_ring(key, RingResult::Answered, length, at, out);
        } else {
            self.rings[key].phase = Phase::Answered;
            self.stop_ringing(key, at, out);
        }
    }

    /// Whether a leg has answered for a waiting caller, so that its Leave is no exit key.
    fn note_leg_answered(&mut self, stay: StayKey, has_answered: bool) {
        if let Some(StayPhase::Waiting { answered }) =
            self.stays.get_mut(stay).map(|stay| &mut stay.phase)
        {
            *answered = has_answered;
        }
    }

    /// The agent took the call, so whatever the events before reported, this attempt was answered.
    pub(in crate::correlator) fn ring_answered(
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

    /// A channel that is the leg of a ring attempt, or the phone behind it, hung up.
    pub(in crate::correlator) fn ring_hung_up(
        &mut self,
        channel: ChannelKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.find_ring(channel) else { return };
        let ring = &self.rings[key];
        if ring.leg == channel {
            self.ring_leg_hung_up(key, at, out);
        } else if ring.phone == Some(channel) && matches!(ring.phase, Phase::Refused { .. }) {
            self.settle_by_cause(key, at, out);
        }
        self.count_agent_hangup(key, channel, out);
    }

    /// The leg that the queue dialled hung up.
    fn ring_leg_hung_up(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let ring = &self.rings[key];
        match ring.phase {
            Phase::Answered => self.settle_ring(key, RingResult::Answered, None, at, out),
            Phase::Refused { .. } => self.settle_by_cause(key, at, out),
            // A forward that is followed has its new leg before this Hangup: option `i`, or a bad
            // number.
            Phase::Forwarded { .. } => self.ring_due(key, at, out),
            // An older Asterisk may send the leg's Hangup before the DialEnd on the caller's
            // channel, and the Hangup of a leg that was picked up may come between Leave and
            // AgentConnect (22.10).
            Phase::Ringing | Phase::Ended { .. }
                if self.is_waiting(ring.stay) || self.may_connect(ring.stay) =>
            {
                self.deadlines.add(at.read.after(RING), Task::Ring(key));
                self.stop_ringing(key, at, out);
            }
            Phase::Ringing | Phase::Ended { .. } => self.ring_due(key, at, out),
            Phase::Done => {}
        }
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
            // Another phone may be tried, or have been.
            if ring.phone != Some(channel) || live(ring.leg) && !answered {
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
            let Ring { stay, queue, agent, .. } = *ring;
            let fact = Observation::QueueHangup { queue, agent, leg: Leg::Agent, cause };
            self.emit_of(stay, fact, out);
        }
    }

    /// Whether the caller is still in the queue.
    fn is_waiting(&self, stay: StayKey) -> bool {
        self.stays.get(stay).is_some_and(|stay| matches!(stay.phase, StayPhase::Waiting { .. }))
    }

    /// Whether the caller left, and AgentConnect may still come.
    fn may_connect(&self, stay: StayKey) -> bool {
        let phase = self.stays.get(stay).map(|stay| &stay.phase);
        matches!(phase, Some(StayPhase::Leaving(leaving)) if !leaving.way.is_abandon())
    }

    /// A ring attempt has waited long enough for what shows its result.
    pub(in crate::correlator) fn ring_due(
        &mut self,
        key: RingKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(ring) = self.rings.get(key) else { return };

        match ring.phase {
            Phase::Refused { .. } => self.settle_by_cause(key, at, out),
            // The caller was gone, or another agent had the call: no AgentRingNoAnswer is sent then.
            Phase::Ringing | Phase::Ended { .. } if !self.is_waiting(ring.stay) => {
                self.settle_ring(key, RingResult::Canceled, None, at, out);
            }
            // The leg that hung up was forwarded since, and another rings instead.
            Phase::Ringing if self.channels.all.get(ring.leg).is_some_and(Channel::is_live) => {}
            Phase::Ringing => {
                self.rings[key].phase = Phase::Refused { length: None, status: DialStatus::Other };
                self.settle_by_cause(key, at, out);
            }
            Phase::Ended { length, status } => {
                self.rings[key].phase = Phase::Refused { length, status };
                self.settle_by_cause(key, at, out);
            }
            // Nothing was dialled instead: the queue follows no forward (option `i`), or the number
            // was none.
            Phase::Forwarded { length } => {
                let length = length.map(Duration::from);
                self.settle_ring(key, RingResult::Canceled, length, at, out);
            }
            Phase::Answered | Phase::Done => {}
        }
    }

    /// A channel of the ring attempt ended, and how was not reported.
    pub(in crate::correlator) fn lose_ring(
        &mut self,
        key: RingKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(ring) = self.rings.get(key) else { return };
        match ring.phase {
            Phase::Ringing | Phase::Forwarded { .. } => {
                self.settle_ring(key, RingResult::Lost, None, at, out);
            }
            Phase::Answered => self.settle_ring(key, RingResult::Answered, None, at, out),
            // The end was reported: only the cause is hidden.
            Phase::Ended { .. } | Phase::Refused { .. } => self.ring_due(key, at, out),
            Phase::Done => {}
        }
    }

    /// The agent was called in vain, as the log has it: why is known by what was seen of the end.
    pub(in crate::correlator) fn settle_missed_ring(
        &mut self,
        key: RingKey,
        result: RingResult,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        match self.rings[key].phase {
            Phase::Ended { length, status } => {
                self.rings[key].phase = Phase::Refused { length, status };
                self.settle_by_cause(key, at, out);
            }
            Phase::Refused { .. } => self.settle_by_cause(key, at, out),
            Phase::Ringing | Phase::Forwarded { .. } | Phase::Answered => {
                self.settle_ring(key, result, None, at, out);
            }
            Phase::Done => {}
        }
    }

    fn settle_by_cause(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let Phase::Refused { length, status } = self.rings[key].phase else { return };
        // The cause comes first: a phone that answers 486 has DialStatus BUSY on 16 and NOANSWER on
        // 22, and the cause 17 on both.
        let result = match (self.ring_cause(key), status) {
            (Some(Cause(17)), _) | (None, DialStatus::Busy) => RingResult::Busy,
            (Some(Cause(0 | 16 | 26 | 127)), _) | (None, DialStatus::NoAnswer) => {
                RingResult::NoAnswer
            }
            _ => RingResult::Failed,
        };
        self.settle_ring(key, result, length.map(Duration::from), at, out);
    }

    /// The phone's cause if a phone is known and has hung up, else the leg's.
    fn ring_cause(&self, key: RingKey) -> Option<Cause> {
        let ring = &self.rings[key];
        let cause = |channel: ChannelKey| self.channels.all.get(channel).and_then(Channel::cause);
        ring.phone.and_then(cause).or_else(|| cause(ring.leg))
    }

    /// How long the phone rang until a moment, if its beginning was reported.
    fn rang(&self, ring: &Ring, until: Stamp) -> Option<Duration> {
        ring.begun.and_then(|begun| self.timing.between(begun, until))
    }

    /// Counts the one result of a ring attempt.
    pub(in crate::correlator) fn settle_ring(
        &mut self,
        key: RingKey,
        result: RingResult,
        length: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        self.stop_ringing(key, at, out);
        let ring = &mut self.rings[key];
        ring.phase = Phase::Done;
        let Ring { stay, queue, agent, .. } = *ring;
        self.emit_of(stay, Observation::RingEnded { queue, agent, result, length }, out);
    }

    /// The agent's phone does not ring any more.
    fn stop_ringing(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let ring = &mut self.rings[key];
        if std::mem::replace(&mut ring.silent, true) {
            return;
        }
        let Ring { member, agent, .. } = *ring;
        self.members.activity_mut(member).end_ring();
        self.refresh_agent(agent, at.read, out);
    }
}
