//! Talks that the log tells of: who took a call, and how it ended.

use std::time::Duration;

use super::{At, Lines};
use crate::correlator::Correlator;
use crate::correlator::key::{ChannelKey, MemberKey, RingKey, StayKey};
use crate::correlator::observation::{
    EndedBy, Observation, Observe, Phase as AdoptedPhase, Repair, RingResult,
};
use crate::correlator::stay::Phase;
use crate::correlator::talk::Talk;
use crate::correlator::time::Stamp;

impl Correlator {
    /// A caller who waited was connected.
    pub(super) fn connect_recalled(
        &mut self,
        key: StayKey,
        member: MemberKey,
        at: Stamp,
        (hold, ring_time): (Duration, Option<Duration>),
        out: &mut dyn Observe,
    ) {
        let mut talk = Talk::new(member, at);
        let open = self.rings.latest(member, key).filter(|&ring| !self.rings[ring].is_done());
        match open {
            Some(ring) => {
                self.ring_answered(ring, ring_time, at, out);
                talk.leg = Some(self.rings[ring].leg());
                talk.phone = self.rings[ring].phone();
            }
            None => {
                let queue = self.stays[key].queue;
                let agent = self.members[member].agent();
                let result = RingResult::Answered;
                self.emit(Observation::RingBegan { queue, agent }, out);
                let ended = Observation::RingEnded { queue, agent, result, length: ring_time };
                self.emit_of(key, ended, out);
            }
        }

        // Until a list or an event shows the leg, nothing of its bridges says how long they talk.
        talk.adopted = talk.leg.is_none();
        talk.hold = Some(hold.into());
        talk.begun = Some(at);
        self.stays[key].phase = Phase::Talking(talk.into());
        self.emit_answered(key, member, Some(hold), out);
        self.enter_talk(key, at, out);
    }

    /// The leg of a talk that only the log had told of.
    pub(in crate::correlator) fn attach_leg(&mut self, key: StayKey, leg: ChannelKey, at: Stamp) {
        let Some(talk) = self.stays.get_mut(key).and_then(|stay| stay.talk_mut()) else { return };
        talk.leg = Some(leg);
        // It is adopted for the sake of its leg only: when it began is in the log.
        talk.adopted &= !talk.is_logged();
        if let Some(leg) = self.channels.all.get_mut(leg) {
            leg.as_agent.talk = Some(key);
        }
        self.follow_talk(key, at);
    }

    pub(super) fn recall_completion(
        &mut self,
        at: &At<'_>,
        ended_by: EndedBy,
        talk: Option<Duration>,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) {
        let queue = self.ensure_queue(&at.line.queue, out);
        let caller = self.channels.find(&at.line.call);
        let talking = caller.and_then(|caller| self.find_talking_stay_in(caller, queue));
        if let Some(key) = talking {
            let member = self.stays[key].member();
            self.complete_with(key, ended_by, talk, at.stamp, out);
            // What comes late is of this stay: Leave, AgentConnect, AgentComplete.
            if let Phase::Closed(closed) = &mut self.stays[key].phase {
                closed.left = false;
                closed.awaits_complete = member;
            }
            self.emit_repaired(Repair::Completion, out);
            return;
        }

        let newest = caller.and_then(|caller| self.find_stay(caller, queue));
        if newest.is_some() || at.may_be_seen {
            return;
        }
        // It began before there was anybody to see it.
        let member = self.recalled_member(queue, at, lines, out);
        let agent = self.members[member].agent();
        self.emit(Observation::Adopted { queue, phase: AdoptedPhase::Talking }, out);
        self.emit(Observation::Completed { queue, agent, ended_by, talk }, out);
        self.emit_repaired(Repair::Completion, out);
    }

    /// The log has the result of a ring attempt whose end was not seen.
    pub(super) fn settle_recalled_ring(
        &mut self,
        ring: RingKey,
        result: RingResult,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        match result {
            RingResult::Answered => self.ring_answered(ring, None, at, out),
            result => self.settle_missed_ring(ring, result, at, out),
        }
    }
}
