//! The exporter's side from a replay: what its correlator saw, by call.

use std::time::Duration;

use super::subject::{Apart, Subject};
use super::tally::{Counted, Span};
use super::window::Place;
use super::{Audit, Spot};
use crate::clock::Moment;
use crate::correlator::{
    Anomaly, Caller, EndedBy, Leg, Names, Observation, Outcome, PauseChange, Phase, QueueId,
    RingResult,
};
use crate::replay::Watch;

impl Watch for Audit {
    fn saw(&mut self, at: Moment, names: &Names, seen: Observation, of: Option<Caller<'_>>) {
        if seen == Observation::Anomaly(Anomaly::CompleteMissing) {
            // the completion follows at once
            self.late = 1;
            return;
        }
        if let Observation::QueueKnown { queue, .. } = seen {
            self.known(names.queues.name(queue));
        }
        let Some(queue) = queue(seen) else { return };
        let late =
            matches!(seen, Observation::Completed { .. }) && std::mem::take(&mut self.late) > 0;
        // a recording without time stamps is compared as a whole
        let timed = at != Moment::default();
        let place = if timed { self.counts.place(at, at.after(INSTANT)) } else { Place::Inside };
        if place == Place::Outside {
            return;
        }
        let Spot::Book(spot) = self.known(names.queues.name(queue)) else { return };
        let book = &mut self.books[spot];
        let counted = match of {
            Some(caller) => &mut book.call(caller.uniqueid).counted,
            None => &mut book.whole.counted,
        };
        if late {
            counted.saw_apart(Apart::EndLate, place);
        }
        counted.take(at, seen, place);

        // a scene that was in sight all the time has no excuse
        let begun = counted.span.map_or(at, |span| span.first);
        if let Some(lost) = lost(seen).filter(|_| !self.blind.excuses(begun, at, place)) {
            counted.lose_in_sight(lost, 1);
        }
    }

    fn blind(&mut self, at: Moment) {
        self.blind.begins(at);
    }

    fn sighted(&mut self, at: Moment) {
        self.blind.ends(at);
    }
}

/// What is lost by it.
const fn lost(seen: Observation) -> Option<Apart> {
    use Observation as O;
    match seen {
        O::Exited { outcome: Outcome::Lost, .. } => Some(Apart::WaitLost),
        O::Completed { ended_by: EndedBy::Lost, .. } => Some(Apart::EndLost),
        O::RingEnded { result: RingResult::Lost, .. } => Some(Apart::RingLost),
        _ => None,
    }
}

/// The queue of what is compared.
const fn queue(seen: Observation) -> Option<QueueId> {
    use Observation as O;
    match seen {
        O::Entered { queue }
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
    fn take(&mut self, at: Moment, seen: Observation, place: Place) {
        use Observation as O;
        self.span = Span::both(self.span, Some(Span::at(at)));
        match seen {
            O::Entered { .. } => self.saw(Subject::Entered, place),
            O::Adopted { phase: Phase::Waiting, .. } => {
                self.saw_apart(Apart::AdoptedWaiting, place);
            }
            O::Adopted { phase: Phase::Talking, .. } => {
                self.saw_apart(Apart::AdoptedTalking, place);
            }
            O::Exited { outcome, hold, .. } => {
                self.exit(outcome, place);
                self.caller_parked = None;
                if let Some(hold) = hold.filter(|_| outcome == Outcome::Answered) {
                    self.held(hold);
                }
            }
            O::RingEnded { result, .. } => self.ring(result, place),
            O::Completed { ended_by, talk, .. } => {
                self.end(ended_by, place);
                if let Some(talk) = talk {
                    self.talked(talk);
                }
            }
            O::AgentDumped { .. } => self.saw(Subject::AgentDump, place),
            O::MemberPaused { change, .. } => {
                self.saw(
                    if change == PauseChange::Paused { Subject::Paused } else { Subject::Unpaused },
                    place,
                );
            }
            O::CallerParked { .. } => self.caller_parked = self.caller_parked.or(Some(at)),
            O::QueueHangup { .. } => self.agent_gone = self.agent_gone.max(Some(at)),
            _ => {}
        }
    }

    fn exit(&mut self, outcome: Outcome, place: Place) {
        match outcome {
            Outcome::Answered => self.saw(Subject::Answered, place),
            Outcome::Abandoned => self.saw(Subject::Abandoned, place),
            Outcome::Timeout => self.saw(Subject::Timeout, place),
            Outcome::LeaveEmpty => self.saw(Subject::LeaveEmpty, place),
            Outcome::Withdrawn => self.saw(Subject::Withdrawn, place),
            Outcome::Redirected => self.saw_apart(Apart::Redirected, place),
            Outcome::ExitKey => self.saw(Subject::ExitKey, place),
            Outcome::Incompatible => self.saw(Subject::Incompatible, place),
            Outcome::Unserved => self.saw_apart(Apart::Unserved, place),
            Outcome::Lost => self.saw_apart(Apart::WaitLost, place),
        }
    }

    fn end(&mut self, ended_by: EndedBy, place: Place) {
        match ended_by {
            EndedBy::Caller => self.saw(Subject::ByCaller, place),
            EndedBy::Agent => self.saw(Subject::ByAgent, place),
            EndedBy::Transfer => self.saw(Subject::Transferred, place),
            EndedBy::Unknown => self.saw_apart(Apart::EndUnknown, place),
            EndedBy::Lost => self.saw_apart(Apart::EndLost, place),
        }
    }

    fn ring(&mut self, result: RingResult, place: Place) {
        match result {
            RingResult::NoAnswer | RingResult::Busy | RingResult::Failed => {
                self.saw(Subject::RangInVain, place);
            }
            RingResult::Lost => self.saw_apart(Apart::RingLost, place),
            RingResult::Answered | RingResult::Canceled => {}
        }
    }
}

/// What an event lasts.
const INSTANT: Duration = Duration::from_micros(1);
