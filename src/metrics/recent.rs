//! What happened in each queue lately: in the last minutes and since local midnight, for the wallboard.
//!
//! A counter alone shows neither, and a store that knows both may not be there.  Counts are kept by the
//! minute and by the quarter of an hour, in rings of a fixed size: a midnight of any time zone begins a
//! quarter, so whoever looks can choose the zone.

use std::sync::Arc;

use hashbrown::HashMap;

use super::labels::QueueName;
use super::naming::Labelled;
use super::queues::Wait;
use super::timeline::Timeline;
use crate::clock::Moment;
use crate::correlator::{Outcome, QueueId};

/// Waits that ended, and callers who came.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// As `asterisk_queue_entries_total`.
    pub entered: u32,
    /// As `asterisk_queue_exits_total` with the outcome `answered`.
    pub answered: u32,
    /// As `asterisk_queue_answered_in_target_total`.
    pub in_target: u32,
    /// As `asterisk_queue_exits_total` with the outcome `abandoned`.
    pub abandoned: u32,
    /// All other outcomes but `lost`.
    pub others: u32,
}

/// The counts of one queue.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QueueCounts {
    /// In the last half hour: the minute that goes on, and the thirty before it.
    pub half_hour: Counts,
    /// In the quarter that goes on.
    pub quarter: Counts,
}

/// What happened lately in the queues of one PBX.
#[derive(Debug)]
pub(super) struct Recent {
    timeline: Arc<Timeline>,
    since: Option<Moment>,
    /// Queues that share a label have one id, so there are no more than labels.
    queues: HashMap<QueueId, Queue>,
}

#[derive(Debug)]
struct Queue {
    name: QueueName,
    minutes: Ring<MINUTES>,
    quarters: Ring<QUARTERS>,
}

/// The counts of the latest `N` spans of time, each at the place of its number.
#[derive(Debug)]
struct Ring<const N: usize>(Box<[(u64, Counts); N]>);

impl Recent {
    pub(super) fn new(timeline: Arc<Timeline>) -> Self {
        Self { since: timeline.now(), timeline, queues: HashMap::new() }
    }

    /// Since when anything is counted.
    pub(super) const fn since(&self) -> Option<Moment> {
        self.since
    }

    pub(super) fn entered(&mut self, queue: &Labelled<QueueId>) {
        self.add(queue, Counts { entered: 1, ..Counts::default() });
    }

    pub(super) fn exited(&mut self, queue: &Labelled<QueueId>, wait: &Wait) {
        let one = Counts::default();
        let one = match wait.outcome {
            Outcome::Answered => {
                Counts { answered: 1, in_target: u32::from(wait.in_target()), ..one }
            }
            Outcome::Abandoned => Counts { abandoned: 1, ..one },
            Outcome::Lost => return,
            Outcome::Timeout
            | Outcome::LeaveEmpty
            | Outcome::Withdrawn
            | Outcome::Redirected
            | Outcome::ExitKey
            | Outcome::Incompatible
            | Outcome::Unserved => Counts { others: 1, ..one },
        };
        self.add(queue, one);
    }

    /// The counts of each queue at the minute `now`.
    pub(super) fn counts(&self, now: u64) -> impl Iterator<Item = (QueueName, QueueCounts)> {
        self.queues.values().map(move |queue| {
            let half_hour = queue.minutes.sum(now);
            let quarter = queue.quarters.at(quarter_of(now));
            (queue.name.clone(), QueueCounts { half_hour, quarter })
        })
    }

    /// The quarters of each queue that ended before the minute `now`, without those that are empty.
    pub(super) fn quarters(
        &self,
        now: u64,
    ) -> impl Iterator<Item = (QueueName, Vec<(u64, Counts)>)> {
        self.queues
            .values()
            .map(move |queue| (queue.name.clone(), queue.quarters.before(quarter_of(now))))
    }

    /// Without a time, as in a replay, nothing is late or early.
    fn add(&mut self, labelled: &Labelled<QueueId>, counts: Counts) {
        let Some(now) = self.timeline.now() else { return };
        let minute = minute_of(now.as_micros());
        let queue = self.queues.entry(labelled.id).or_insert_with(|| Queue {
            name: labelled.name.clone(),
            minutes: Ring::default(),
            quarters: Ring::default(),
        });
        queue.minutes.add(minute, counts);
        queue.quarters.add(quarter_of(minute), counts);
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self(Box::new([(0, Counts::default()); N]))
    }
}

impl<const N: usize> Ring<N> {
    fn add(&mut self, number: u64, counts: Counts) {
        let slot = &mut self.0[(number % N as u64) as usize];
        if slot.0 != number {
            *slot = (number, Counts::default());
        }
        slot.1.add(counts);
    }

    /// The counts of one span.
    fn at(&self, number: u64) -> Counts {
        let (of, counts) = self.0[(number % N as u64) as usize];
        if of == number { counts } else { Counts::default() }
    }

    /// The counts of the latest `N` spans together, of which `last` is the last.
    fn sum(&self, last: u64) -> Counts {
        let first = (last + 1).saturating_sub(N as u64);
        let mut sum = Counts::default();
        for (_, counts) in self.0.iter().filter(|(of, _)| (first..=last).contains(of)) {
            sum.add(*counts);
        }
        sum
    }

    /// Those of the latest `N` spans that ended before `now` and are not empty, the first one first.
    fn before(&self, now: u64) -> Vec<(u64, Counts)> {
        let first = (now + 1).saturating_sub(N as u64);
        let all = self
            .0
            .iter()
            .filter(|(of, counts)| (first..now).contains(of) && *counts != Counts::default());
        let mut all: Vec<_> = all.copied().collect();
        all.sort_unstable_by_key(|(of, _)| *of);
        all
    }
}

impl Counts {
    fn add(&mut self, more: Self) {
        let Self { entered, answered, in_target, abandoned, others } = more;
        self.entered += entered;
        self.answered += answered;
        self.in_target += in_target;
        self.abandoned += abandoned;
        self.others += others;
    }
}

/// The number of a minute since the Unix epoch.
pub(super) const fn minute_of(micros: u64) -> u64 {
    micros / 60_000_000
}

/// The number of the quarter of an hour that a minute is in.
pub(super) const fn quarter_of(minute: u64) -> u64 {
    minute / 15
}

/// Half an hour, and the minute that goes on.
const MINUTES: usize = 31;
/// The longest day, 25 hours at the end of a summer time, and one hour more.
const QUARTERS: usize = 104;

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(number: u32) -> Counts {
        Counts { answered: number, ..Counts::default() }
    }

    #[test]
    fn a_ring_has_the_latest_spans_and_no_older_ones() {
        let mut ring = Ring::<3>::default();
        ring.add(10, answered(1));
        ring.add(11, answered(2));
        ring.add(11, answered(3));
        assert_eq!([9, 10, 11, 12, 13, 14].map(|last| ring.sum(last).answered), [0, 1, 6, 6, 5, 0]);

        // 13 is at the place of 10
        ring.add(13, answered(10));
        assert_eq!([10, 11, 13].map(|number| ring.at(number).answered), [0, 5, 10]);
        assert_eq!(ring.sum(13).answered, 15);
        assert_eq!(ring.before(13), [(11, answered(5))]);
        assert_eq!(ring.before(14), [(13, answered(10))]);
        assert_eq!(ring.before(16), []);
    }

    #[test]
    fn what_never_happened_is_not_counted_at_the_beginning_of_time() {
        let ring = Ring::<3>::default();
        assert_eq!(ring.sum(0), Counts::default());
        assert_eq!(ring.before(2), []);
    }
}
