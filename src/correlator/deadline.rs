//! What waits for a moment to pass.  Nothing is ever taken back: a task that is due looks whether
//! it still matters.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use slotmap::SlotMap;

use super::channel::Channel;
use super::key::{CallKey, ChannelKey, MemberKey, RingKey, StayKey};
use crate::clock::Moment;
use crate::event::LONGEST;

/// What to look at when the moment has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Task {
    /// A caller left, and no event gave the reason yet.
    Verdict(StayKey),
    /// Talk ended and AgentComplete did not come.
    Completion(StayKey),
    /// A stay a snapshot does not list.
    Doubt(StayKey),
    /// A ring attempt whose leg's cause did not come.
    Ring(RingKey),
    /// A call whose last leg's cause did not come.
    CallEnd(CallKey),
    /// Members whom a list in mid-session has otherwise than the events.
    Drift,
    /// A channel that ended, and is kept a while for late events.
    Forget(ChannelKey),
    /// A channel a snapshot does not list.
    Vanish(ChannelKey),
    /// A channel that is up for longer than any call lasts.
    Age(ChannelKey),
    /// Wrap-up ends.
    WrapUp(MemberKey),
    /// A phone has hung up, and its Status has not followed yet.
    Linger(MemberKey),
}

/// Tasks by moment.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    tasks: BinaryHeap<Reverse<(Moment, Task)>>,
    /// When channels will be too old, in the order in which they were born.  Nearly all end within
    /// minutes, so two days' worth of ended ones would be most of what is held.
    ages: VecDeque<(Moment, ChannelKey)>,
}

impl Deadlines {
    pub(super) fn add(&mut self, at: Moment, task: Task) {
        self.tasks.push(Reverse((at, task)));
    }

    /// A channel was born.
    pub(super) fn add_age(&mut self, now: Moment, key: ChannelKey) {
        self.ages.push_back((now.after(AGE), key));
    }

    /// A channel was forgotten: leaves out those that were, once they are more than the others.
    pub(super) fn trim_ages(&mut self, channels: &SlotMap<ChannelKey, Channel>) {
        if self.ages.len() > 2 * channels.len() + AGES_KEPT {
            self.ages.retain(|(_, key)| channels.contains_key(*key));
        }
    }

    #[inline]
    pub(super) fn next(&self) -> Option<Moment> {
        let task = self.tasks.peek().map(|Reverse((at, _))| *at);
        let age = self.ages.front().map(|(at, _)| *at);
        task.into_iter().chain(age).min()
    }

    /// A task that is due, the earliest first.
    #[inline]
    pub(super) fn due(&mut self, now: Moment) -> Option<Task> {
        // Before nearly every event nothing is.
        let next = self.next().filter(|&next| next <= now)?;
        self.take(next)
    }

    /// The first task, which is due at `next`.
    fn take(&mut self, next: Moment) -> Option<Task> {
        if let Some(&(at, key)) = self.ages.front()
            && at <= next
        {
            self.ages.pop_front();
            return Some(Task::Age(key));
        }
        self.tasks.pop().map(|Reverse((_, task))| task)
    }
}

/// A caller has left: VarSet, Newexten or Hangup follow within a millisecond on real Asterisk.
pub(super) const VERDICT: Duration = Duration::from_secs(2);
/// The longest that the end of a talk, a ring attempt or a call waits for the events that belong to
/// it.  They follow within milliseconds; a busy PBX may need longer.  Whoever compares ends with
/// another source must allow for it.
pub const LATEST_END: Duration = Duration::from_secs(5);
/// METRICS.md: a completion is counted five seconds after the talk ended, if no AgentComplete came.
pub(super) const COMPLETION: Duration = LATEST_END;
/// Asterisk's own lag between a list and the events before it.
pub(super) const DOUBT: Duration = Duration::from_secs(2);
/// The leg's Hangup follows AgentRingNoAnswer within milliseconds.
pub(super) const RING: Duration = LATEST_END;
/// The legs' Hangups follow the first channel's.
pub(super) const CALL_END: Duration = LATEST_END;
/// AgentComplete and MIXMONITOR_END may come up to 30 s after the Hangup.
pub(super) const FORGET: Duration = Duration::from_secs(30);
/// A channel that is up for longer has ended, and no event reported it.
pub(super) const AGE: Duration = LONGEST;
/// So few ended channels are not worth leaving out.
const AGES_KEPT: usize = 1024;
/// Status follows the last Hangup within milliseconds, with a queue of device states to work off
/// within a second.
pub(super) const LINGER: Duration = Duration::from_secs(2);
