//! Events that leave nothing behind by which their line would be known again: pauses, and ring
//! attempts that have ended.  The latest are kept, and lines of the log are held against them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::logged::SeenKind as Kind;
use crate::correlator::names::{AgentId, QueueId};
use crate::correlator::observation::Observe;
use crate::correlator::pbx_clock::PbxClock;
use crate::correlator::snapshot::{Brief, Snapshot};
use crate::correlator::time::Stamp;

/// What was seen last, in the order in which it was read.
#[derive(Debug, Default)]
pub(super) struct Seen(VecDeque<One>);

#[derive(Clone, Copy, Debug)]
struct One {
    at: Stamp,
    what: BriefFact,
}

/// What happened, and to whom.
pub(super) type BriefFact = (Kind, QueueId, AgentId);

impl Seen {
    pub(super) fn add(&mut self, at: Stamp, what: BriefFact) {
        while self.0.front().is_some_and(|first| first.at.read.after(KEPT) < at.read) {
            self.0.pop_front();
        }
        self.0.push_back(One { at, what });
    }

    /// Takes the first event that says what a line of that second does, if there is one.
    pub(super) fn take_event(&mut self, line: Moment, what: BriefFact, clock: &PbxClock) -> bool {
        let written = line.before(EARLY)..=line.after(LATE);
        let is_it = |one: &One| {
            let at = one.at.wire.or_else(|| clock.theirs(one.at.read));
            one.what == what && at.is_some_and(|at| written.contains(&at))
        };
        let Some(place) = self.0.iter().position(is_it) else { return false };
        self.0.remove(place).is_some()
    }

    /// Takes the first line that says what an event of that moment does, if there is one.
    fn take_line(&mut self, event: Moment, what: BriefFact) -> bool {
        let is_it = |one: &One| {
            let written = |line: Moment| line.before(EARLY)..=line.after(LATE);
            one.what == what && one.at.wire.is_some_and(|line| written(line).contains(&event))
        };
        let Some(place) = self.0.iter().position(is_it) else { return false };
        self.0.remove(place).is_some()
    }
}

impl Correlator {
    /// An event came that a line of the log repeats.  Whether it was counted by its line already.
    pub(in crate::correlator) fn is_recalled(
        &mut self,
        kind: Kind,
        queue: QueueId,
        agent: AgentId,
        at: Stamp,
    ) -> bool {
        if self.rules.dead_link.is_none() {
            return false;
        }
        let what = (kind, queue, agent);
        let when = at.wire.or_else(|| self.pbx_clock.theirs(at.read));
        if when.is_some_and(|when| self.recall.counted.take_line(when, what)) {
            return true;
        }
        self.recall.seen.add(at, what);
        false
    }

    /// The same for events that came before the lists, and are still to be handled.
    pub(super) fn foresee_brief(&mut self, snapshot: &Snapshot, out: &mut dyn Observe) {
        for Brief { at, kind, queue, interface, name } in &snapshot.foreseen.brief {
            let queue = self.ensure_queue(queue, out);
            let member = self.ensure_member(queue, interface, name, at.read, out);
            let agent = self.members[member].agent();
            self.recall.seen.add(*at, (*kind, queue, agent));
        }
    }
}

/// For how long before the loss of the link events are kept: as many of its lines are looked at, and
/// some more.
const KEPT: Duration = Duration::from_secs(8);
/// By how much an event may be earlier than its line's second.
const EARLY: Duration = Duration::from_millis(200);
/// By how much it may be later: a line is anywhere in its second, and Asterisk sends the event a moment
/// after it.
const LATE: Duration = Duration::from_secs(2);
