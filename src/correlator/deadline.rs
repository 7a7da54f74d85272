//! What waits for a moment to pass.  Nothing is ever taken back: a task that is due looks whether
//! it still matters.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::channel::Channel;
use super::fifo::Fifo;
use super::key::{CallKey, ChannelKey, MemberKey, RingKey, StayKey};
use super::slab::Slab;
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

impl Task {
    /// Whether a log may know better what is to be done.
    pub(super) const fn is_decided_by_log(self) -> bool {
        match self {
            Self::Verdict(_)
            | Self::Completion(_)
            | Self::Doubt(_)
            | Self::Ring(_)
            | Self::Forget(_)
            | Self::Vanish(_)
            | Self::Age(_) => true,
            Self::CallEnd(_) | Self::Drift | Self::WrapUp(_) | Self::Linger(_) => false,
        }
    }
}

/// Tasks by moment.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    tasks: BinaryHeap<Reverse<(Moment, Task)>>,
    /// How many of these there may be until they are looked through.
    tasks_limit: usize,
    /// When channels will be forgotten, in the order in which they ended: most of all that waits.
    forgets: Fifo<(Moment, ChannelKey)>,
    /// Channels in the order in which they began, also some that are gone.  Nearly all end within
    /// minutes, so two days' worth of ended ones would be most of what is held.
    ages: Fifo<ChannelKey>,
    /// When the first of them will be too old.
    next_age: Option<Moment>,
    /// When the first of all is due.
    next: Option<Moment>,
    /// For how much longer than usual a channel that ended is kept.
    kept_longer: Duration,
}

impl Deadlines {
    /// Without a task; `dead_link` is as in [`Self::keep`].
    pub(super) fn keeping(dead_link: Option<Duration>) -> Self {
        let mut deadlines = Self::default();
        deadlines.keep(dead_link);
        deadlines
    }

    /// Where a log tells of gaps, what ended before the last thing that was read is still known as
    /// the loss of the link is noticed, which takes up to `dead_link`: its lines are of no use.
    pub(super) fn keep(&mut self, dead_link: Option<Duration>) {
        self.kept_longer = dead_link.unwrap_or_default();
    }

    pub(super) fn add(&mut self, at: Moment, task: Task) {
        self.tasks.push(Reverse((at, task)));
        self.note(at);
    }

    /// A channel ended.
    pub(super) fn add_forget(&mut self, now: Moment, key: ChannelKey) {
        let at = now.after(FORGET + self.kept_longer);
        self.forgets.push((at, key));
        self.note(at);
    }

    /// A channel began.
    pub(super) fn add_age(&mut self, now: Moment, key: ChannelKey) {
        let at = now.after(AGE);
        self.ages.push(key);
        self.next_age.get_or_insert(at);
        self.note(at);
    }

    fn note(&mut self, at: Moment) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// A channel was forgotten: leaves out those that were, once they are more than the others.
    pub(super) fn trim_ages(&mut self, channels: &Slab<ChannelKey, Channel>) {
        if self.ages.len() > channels.len() + channels.len() / 2 + AGES_KEPT {
            self.ages.retain(|key| channels.contains_key(*key));
            self.note_next_age(channels);
            self.next = self.first();
        }
    }

    /// The channel that can be spared best: the one that ended first, else the oldest.
    pub(super) fn take_oldest(
        &mut self,
        channels: &Slab<ChannelKey, Channel>,
    ) -> Option<ChannelKey> {
        let Self { forgets, ages, .. } = self;
        let ended = std::iter::from_fn(|| forgets.pop().map(|(_, key)| key));
        let mut all = ended.chain(std::iter::from_fn(|| ages.pop()));
        let oldest = all.find(|&key| channels.contains_key(key));
        self.note_next_age(channels);
        self.next = self.first();
        oldest
    }

    /// Leaves out ends of wrap-up that are none any more, once they may be more than the others: they
    /// are up to two days ahead, and a member may have a new one with each event.
    pub(super) fn trim_wrap_ups(&mut self, is_one: impl Fn(MemberKey, Moment) -> bool) {
        if self.tasks.len() < self.tasks_limit {
            return;
        }
        self.tasks.retain(|&Reverse((at, task))| match task {
            Task::WrapUp(key) => is_one(key, at),
            _ => true,
        });
        self.tasks_limit = TASKS_KEPT.max(2 * self.tasks.len());
        self.next = self.first();
    }

    pub(super) const fn next(&self) -> Option<Moment> {
        self.next
    }

    /// How many tasks there are, those of channels apart.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.tasks.len()
    }

    /// A task that is due, the earliest first.
    #[inline]
    pub(super) fn due(
        &mut self,
        now: Moment,
        channels: &Slab<ChannelKey, Channel>,
    ) -> Option<Task> {
        // Before nearly every event nothing is.
        self.next.filter(|&next| next <= now)?;
        let task =
            self.first().filter(|&first| first <= now).and_then(|first| self.take(first, channels));
        self.next = self.first();
        task
    }

    /// The first task, which is due at `next`.
    fn take(&mut self, next: Moment, channels: &Slab<ChannelKey, Channel>) -> Option<Task> {
        if self.next_age.is_some_and(|at| at <= next) {
            let oldest = self.ages.pop();
            self.note_next_age(channels);
            return oldest.map(Task::Age);
        }

        // Of those that are due at one moment, each kind has its turn.
        let first = self.tasks.peek().map(|&Reverse(first)| first);
        let is_before = |&(at, key): &(Moment, ChannelKey)| {
            first.is_none_or(|first| (at, Task::Forget(key)) < first)
        };
        match self.forgets.first().is_some_and(is_before) {
            true => self.forgets.pop().map(|(_, key)| Task::Forget(key)),
            false => self.tasks.pop().map(|Reverse((_, task))| task),
        }
    }

    /// When the first of all is due.
    fn first(&self) -> Option<Moment> {
        let task = self.tasks.peek().map(|Reverse((at, _))| *at);
        let forget = self.forgets.first().map(|&(at, _)| at);
        [task, forget, self.next_age].into_iter().flatten().min()
    }

    /// Another channel is the first of those that may become too old.
    fn note_next_age(&mut self, channels: &Slab<ChannelKey, Channel>) {
        self.next_age = loop {
            let Some(&first) = self.ages.first() else { break None };
            if let Some(channel) = channels.get(first) {
                break Some(channel.life.since.after(AGE));
            }
            self.ages.pop();
        };
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
/// So few tasks are not worth looking through.
const TASKS_KEPT: usize = 1024;
/// Status follows the last Hangup within milliseconds, with a queue of device states to work off
/// within a second.
pub(super) const LINGER: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::channel::Identity;
    use crate::correlator::line::Line;
    use crate::correlator::origin::Origins;
    use crate::correlator::rules::Rules;
    use crate::correlator::uid::Uid;
    use slotmap::Key;

    fn channel(since: Moment) -> Channel {
        let origin = Origins::default().ensure("SIP/201-1", b"", &Rules::default());
        let (uid, linkedid) = (Uid::None, Uid::None);
        let mut channel = Channel::new(Identity { uid, linkedid, line: Line::Other, origin });
        channel.life.since = since;
        channel
    }

    #[test]
    fn tasks_come_by_moment_whatever_they_are() {
        let at = |second: u64| Moment::from_secs(1000 + second);
        let mut channels = Slab::default();
        let mut deadlines = Deadlines::default();
        let [old, gone, young] = [0, 1, 2].map(|second| {
            let key = channels.insert(channel(at(second)));
            deadlines.add_age(at(second), key);
            key
        });
        channels.remove(gone);
        deadlines.add_forget(at(1), old);
        deadlines.add_forget(at(2), young);
        deadlines.add(at(32), Task::Vanish(young));
        deadlines.add(at(32), Task::Verdict(StayKey::null()));
        deadlines.add(at(33), Task::Drift);

        assert_eq!((deadlines.next(), deadlines.due(at(30), &channels)), (Some(at(31)), None));
        let due: Vec<_> = std::iter::from_fn(|| deadlines.due(at(40), &channels)).collect();
        let [forget_old, forget_young] = [old, young].map(Task::Forget);
        let verdict = Task::Verdict(StayKey::null());
        assert_eq!(due, [forget_old, verdict, forget_young, Task::Vanish(young), Task::Drift]);
        assert_eq!(deadlines.next(), Some(at(0).after(AGE)));
        assert_eq!(deadlines.due(at(0).after(AGE), &channels), Some(Task::Age(old)));
        assert_eq!(deadlines.next(), Some(at(2).after(AGE)));
        assert_eq!(deadlines.due(at(2).after(AGE), &channels), Some(Task::Age(young)));
        assert_eq!(deadlines.next(), None);
    }
}
