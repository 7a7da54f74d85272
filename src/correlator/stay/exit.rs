//! How a wait ends without an agent.
//!
//! It is counted in [`Correlator::close_wait`] only, which leaves the phase for good; so each stay
//! has exactly one outcome.

use std::time::Duration;

use super::leaving::{Circumstances, Leaving, Next};
use super::{Closed, Phase, Stay};
use crate::correlator::Correlator;
use crate::correlator::deadline::{Task, VERDICT};
use crate::correlator::key::StayKey;
use crate::correlator::observation::{Anomaly, Observation, Observe, Outcome, PositionAt};
use crate::correlator::time::Stamp;
use crate::version::Version;

impl Correlator {
    /// The caller is out of the queue without an agent, and nothing has shown yet why.
    pub(super) fn begin_leaving(&mut self, key: StayKey, leaving: Leaving) {
        // A caller whose agent's phone had answered is waited for until AgentConnect or the Hangup:
        // a member Gosub may run between Leave and AgentConnect for as long as it likes.
        if !leaving.way.awaits_connect() {
            self.deadlines.add(leaving.at.read.after(VERDICT), Task::Verdict(key));
        }
        self.stays[key].phase = Phase::Leaving(leaving.into());
    }

    /// Decides why a caller left, by what came next; the rules are [`super::leaving::WayOut::outcome`].
    pub(super) fn decide_outcome(&mut self, key: StayKey, next: Next, out: &mut dyn Observe) {
        let Some(Stay { phase: Phase::Leaving(leaving), .. }) = self.stays.get(key) else { return };
        let circumstances = Circumstances {
            agent_events: self.account.agent_events,
            silent_leave: self.version.is_some_and(Version::leaves_empty_silently),
        };
        if let Some(outcome) = leaving.way.outcome(next, circumstances) {
            self.exit(key, outcome, out);
        }
    }

    /// Counts the end of a wait that is known to be over, at the moment it was left.
    pub(in crate::correlator) fn exit(
        &mut self,
        key: StayKey,
        outcome: Outcome,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get(key) else { return };
        let Phase::Leaving(leaving) = &stay.phase else { return };
        let closed = Closed { left: leaving.way.has_left(), ..Closed::default() };
        let hold = self.hold(stay, leaving.at).or(leaving.hold.map(Duration::from));
        let queue = stay.queue;
        let position = leaving.position.filter(|_| outcome == Outcome::Abandoned);
        self.close_wait(key, outcome, hold, closed, out);
        if let Some(position) = position {
            let at = PositionAt::Abandon;
            self.emit_of(key, Observation::Positioned { queue, at, position }, out);
        }
    }

    /// Counts the end of a wait at `at`, of which no event of the queue has come.
    pub(in crate::correlator) fn exit_unreported(
        &mut self,
        key: StayKey,
        outcome: Outcome,
        at: Stamp,
        closed: Closed,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get(key) else { return };
        let hold = self.hold(stay, at);
        self.close_wait(key, outcome, hold, closed, out);
    }

    /// How long the caller had waited at a moment.
    fn hold(&self, stay: &Stay, until: Stamp) -> Option<Duration> {
        stay.joined.and_then(|joined| self.timing.between(joined, until))
    }

    /// Counts the end of a wait while disconnected.
    pub(in crate::correlator) fn lose_wait(&mut self, key: StayKey, out: &mut dyn Observe) {
        let closed = Closed { left: true, ..Closed::default() };
        self.close_wait(key, Outcome::Lost, None, closed, out);
    }

    /// The one end of a wait without an agent.
    pub(in crate::correlator) fn close_wait(
        &mut self,
        key: StayKey,
        outcome: Outcome,
        hold: Option<Duration>,
        closed: Closed,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get_mut(key).filter(|stay| stay.is_waiting()) else { return };
        stay.phase = Phase::Closed(closed);
        stay.seen = stay.seen.filter(|_| outcome != Outcome::Lost);
        let queue = stay.queue;
        let caller = stay.caller;
        self.emit_of(key, Observation::Exited { queue, outcome, hold }, out);
        self.call_unserved(caller, outcome);
    }

    /// A stay ended, and how was not reported.
    pub(in crate::correlator) fn lose_stay(
        &mut self,
        key: StayKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get(key) else { return };
        match stay.phase {
            Phase::Waiting { .. } => self.lose_wait(key, out),
            // It was reported to leave: only the reason is hidden.
            Phase::Leaving(_) => self.decide_outcome(key, Next::Silence, out),
            Phase::Talking(_) => self.lose_talk(key, at, out),
            Phase::Closed(_) => {}
        }
    }

    /// A list did not have the stay, and no event spoke of it since.
    pub(in crate::correlator) fn doubt_due(
        &mut self,
        key: StayKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get(key).filter(|stay| stay.doubted) else { return };
        // While disconnected no event could have come: that is no drift.
        if stay.is_waiting() && self.synchronised {
            self.emit(Observation::Anomaly(Anomaly::CallerVanished), out);
        }
        self.lose_stay(key, at, out);
    }

    /// Nothing came after the caller had left, or after the Hangup of a caller who waited.
    pub(in crate::correlator) fn verdict_due(
        &mut self,
        key: StayKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get(key) else { return };
        match stay.phase {
            // The Hangup of a caller who waits may come before Leave and Abandon: only now there is
            // nothing more to wait for.
            Phase::Waiting { .. } => {
                let caller = self.channels.all.get(stay.caller);
                if caller.is_none_or(|caller| !caller.is_live()) {
                    self.emit(Observation::Anomaly(Anomaly::StayOutlivedChannel), out);
                    let closed = Closed { left: true, ..Closed::default() };
                    self.exit_unreported(key, Outcome::Unserved, at, closed, out);
                }
            }
            Phase::Leaving(_) => self.decide_outcome(key, Next::Silence, out),
            Phase::Talking(_) | Phase::Closed(_) => {}
        }
    }
}
