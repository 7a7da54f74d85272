//! The exporter's side from a replay: what its correlator reports, by call.

use std::time::Duration;

use super::counted::Counted;
use super::subject::{Apart, Position, Subject};
use super::tally::Span;
use super::window::Place;
use super::{Audit, Slot};
use crate::clock::Moment;
use crate::correlator::{
    Anomaly, Caller, EndedBy, Leg, Names, Observation, Outcome, PauseChange, Phase, PositionAt,
    QueueId, RingResult,
};
use crate::replay::Watch;

impl Watch for Audit {
    fn observed(&mut self, at: Moment, names: &Names, fact: Observation, of: Option<Caller<'_>>) {
        if fact == Observation::Anomaly(Anomaly::CompleteMissing) {
            // The completion itself is the next observation.
            self.late = 1;
            return;
        }
        let is_late =
            matches!(fact, Observation::Completed { .. }) && std::mem::take(&mut self.late) > 0;

        if let Observation::QueueKnown { queue, .. } = fact {
            self.known(names.queues.name(queue));
        }
        let Some(queue) = queue(fact) else { return };

        // A capture without time stamps is compared as a whole.
        let place = at.dated().map_or(Place::Inside, |at| self.counts.place(at, at.after(INSTANT)));
        if place == Place::Outside {
            return;
        }

        let Slot::Queue(slot) = self.known(names.queues.name(queue)) else { return };
        let queue = &mut self.queues[slot];
        let counted = match of {
            Some(caller) => &mut queue.ensure_call(caller.uniqueid).counted,
            None => &mut queue.whole.counted,
        };
        if is_late {
            counted.count_apart(Apart::EndLate, place);
        }
        counted.take(at, fact, place);

        // What began and ended while the exporter was synchronised must not be lost.
        let begun = counted.span.map_or(at, |span| span.first);
        if let Some(lost) = lost(fact).filter(|_| !self.unsynchronised.explains(begun, at, place)) {
            counted.add_lost_synchronised(lost, 1);
        }
    }

    fn disconnected(&mut self, at: Moment) {
        self.unsynchronised.begins(at);
    }

    fn synchronised(&mut self, at: Moment) {
        self.unsynchronised.ends(at);
    }
}

impl From<PositionAt> for Position {
    fn from(at: PositionAt) -> Self {
        match at {
            PositionAt::Entry => Self::Entry,
            PositionAt::Abandon => Self::Abandon,
        }
    }
}

/// What of a call is lost by it.
const fn lost(fact: Observation) -> Option<Apart> {
    use Observation as O;
    match fact {
        O::Exited { outcome: Outcome::Lost, .. } => Some(Apart::WaitLost),
        O::Completed { ended_by: EndedBy::Lost, .. } => Some(Apart::EndLost),
        O::RingEnded { result: RingResult::Lost, .. } => Some(Apart::RingLost),
        _ => None,
    }
}

/// The queue of what is compared.
const fn queue(fact: Observation) -> Option<QueueId> {
    use Observation as O;
    match fact {
        O::Entered { queue }
        | O::Positioned { queue, .. }
        | O::Adopted { queue, .. }
        | O::Exited { queue, .. }
        | O::RingEnded { queue, .. }
        | O::Completed { queue, .. }
        | O::AgentDumped { queue, .. }
        | O::MemberPaused { queue, .. }
        | O::CallerParked { queue }
        | O::QueueHangup { queue, leg: Leg::Agent, .. } => Some(queue),
        _ => None,
    }
}

impl Counted {
    fn take(&mut self, at: Moment, fact: Observation, place: Place) {
        use Observation as O;
        self.span = Span::both(self.span, Some(Span::at(at)));

        match fact {
            O::Entered { .. } => self.count_one(Subject::Entered, place),
            O::Adopted { phase: Phase::Waiting, .. } => {
                self.count_apart(Apart::AdoptedWaiting, place);
            }
            O::Adopted { phase: Phase::Talking, .. } => {
                self.count_apart(Apart::AdoptedTalking, place);
            }
            O::Exited { outcome, hold, .. } => {
                self.exit(outcome, place);
                self.caller_parked = None;
                if let Some(hold) = hold.filter(|_| outcome == Outcome::Answered) {
                    self.held(hold);
                }
            }
            O::Positioned { at, position, .. } => self.stood(at.into(), position),
            O::RingEnded { result, .. } => self.ring(result, place),
            O::Completed { ended_by, talk, .. } => {
                self.end(ended_by, place);
                if let Some(talk) = talk {
                    self.talked(talk);
                }
            }
            O::AgentDumped { .. } => self.count_one(Subject::AgentDump, place),
            O::MemberPaused { change, .. } => {
                let is_pause = change == PauseChange::Paused;
                let subject = if is_pause { Subject::Paused } else { Subject::Unpaused };
                self.count_one(subject, place);
            }
            O::CallerParked { .. } => self.caller_parked = self.caller_parked.or(Some(at)),
            O::QueueHangup { .. } => self.agent_gone = self.agent_gone.max(Some(at)),
            _ => {}
        }
    }

    fn exit(&mut self, outcome: Outcome, place: Place) {
        match outcome {
            Outcome::Answered => self.count_one(Subject::Answered, place),
            Outcome::Abandoned => self.count_one(Subject::Abandoned, place),
            Outcome::Timeout => self.count_one(Subject::Timeout, place),
            Outcome::LeaveEmpty => self.count_one(Subject::LeaveEmpty, place),
            Outcome::Withdrawn => self.count_one(Subject::Withdrawn, place),
            Outcome::Redirected => self.count_apart(Apart::Redirected, place),
            Outcome::ExitKey => self.count_one(Subject::ExitKey, place),
            Outcome::Incompatible => self.count_one(Subject::Incompatible, place),
            Outcome::Unserved => self.count_apart(Apart::Unserved, place),
            Outcome::Lost => self.count_apart(Apart::WaitLost, place),
        }
    }

    fn end(&mut self, ended_by: EndedBy, place: Place) {
        match ended_by {
            EndedBy::Caller => self.count_one(Subject::ByCaller, place),
            EndedBy::Agent => self.count_one(Subject::ByAgent, place),
            EndedBy::Transfer => self.count_one(Subject::Transferred, place),
            EndedBy::Unknown => self.count_apart(Apart::EndUnknown, place),
            EndedBy::Lost => self.count_apart(Apart::EndLost, place),
        }
    }

    fn ring(&mut self, result: RingResult, place: Place) {
        match result {
            RingResult::NoAnswer | RingResult::Busy | RingResult::Failed => {
                self.count_one(Subject::RingNoAnswer, place);
            }
            RingResult::Lost => self.count_apart(Apart::RingLost, place),
            RingResult::Answered | RingResult::Canceled => {}
        }
    }
}

/// What an event lasts.
const INSTANT: Duration = Duration::from_micros(1);
