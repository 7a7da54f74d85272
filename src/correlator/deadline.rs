//! What waits for a moment to pass.  Nothing is ever taken back: a task that is due looks whether it still matters.

use super::key::{CallKey, ChannelKey, MemberKey, RingKey, StayKey};

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::clock::Moment;
use crate::event::LONGEST;

/// What to look at when the moment has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Task {
    /// A caller left and nothing told why.
    Verdict(StayKey),
    /// Talk ended and AgentComplete did not come.
    Completion(StayKey),
    /// A stay a snapshot does not list.
    Doubt(StayKey),
    /// A ringing whose leg's cause did not come.
    Ring(RingKey),
    /// A call whose last leg's cause did not come.
    CallEnd(CallKey),
    /// A channel that is gone is kept a while for late events.
    Forget(ChannelKey),
    /// A channel a snapshot does not list.
    Vanish(ChannelKey),
    /// A channel that is up for longer than any call lasts.
    Age(ChannelKey),
    /// Wrap-up ends.
    WrapUp(MemberKey),
}

/// Tasks by moment.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BinaryHeap<Reverse<(Moment, Task)>>);

impl Deadlines {
    pub(super) fn add(&mut self, at: Moment, task: Task) {
        self.0.push(Reverse((at, task)));
    }

    pub(super) fn next(&self) -> Option<Moment> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// A task that is due, the earliest first.
    pub(super) fn due(&mut self, now: Moment) -> Option<Task> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, task))| task)
    }
}

/// A caller has left: VarSet, Newexten or Hangup follow within a millisecond on real Asterisk.
pub(super) const VERDICT: Duration = Duration::from_secs(2);
/// METRICS.md: a completion is counted five seconds after the talk ended, if no AgentComplete came.
pub(super) const COMPLETION: Duration = Duration::from_secs(5);
/// Asterisk's own lag between a list and the events before it.
pub(super) const DOUBT: Duration = Duration::from_secs(2);
/// The leg's Hangup follows AgentRingNoAnswer within milliseconds.
pub(super) const RING: Duration = Duration::from_secs(5);
/// The legs' Hangups follow the first channel's.
pub(super) const CALL_END: Duration = Duration::from_secs(5);
/// AgentComplete and MIXMONITOR_END may come up to 30 s after the Hangup.
pub(super) const FORGET: Duration = Duration::from_secs(30);
/// A channel that is up for longer has ended, and nobody told.
pub(super) const AGE: Duration = LONGEST;
