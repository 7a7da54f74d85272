//! How many callers wait and talk in each queue, and since when: kept as stays change.

use std::collections::{BTreeMap, BTreeSet};

use super::{Phase, Stay};
use crate::clock::Moment;
use crate::correlator::key::StayKey;
use crate::correlator::names::QueueId;
use crate::correlator::table::Recount;

/// What a stay is counted by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::correlator) struct CountedAs {
    queue: QueueId,
    part: Part,
    /// Since when the caller waits, as far as that is known.
    waits_since: Option<Moment>,
}

/// What a stay counts as in its queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Waiting,
    Talking,
    /// Counted, and kept for late events.
    Closed,
}

/// The stays of all queues.
#[derive(Debug, Default)]
pub(in crate::correlator) struct Counts {
    /// Of every queue that has any stay, also a counted one.
    queues: BTreeMap<QueueId, InQueue>,
    open: u64,
}

/// The stays of one queue.
#[derive(Debug, Default)]
pub(in crate::correlator) struct InQueue {
    waiting: BTreeSet<(Option<Moment>, StayKey)>,
    talking: u64,
    closed: u64,
}

impl CountedAs {
    pub(in crate::correlator) fn of(stay: &Stay) -> Option<Self> {
        let part = match stay.phase {
            Phase::Waiting { .. } | Phase::Leaving(_) => Part::Waiting,
            Phase::Talking(_) => Part::Talking,
            Phase::Closed(_) => Part::Closed,
        };
        // A part of a capture that has no time shows no age.
        let joined = stay.joined.filter(|_| part == Part::Waiting);
        let waits_since = joined.and_then(|joined| joined.read.dated());
        Some(Self { queue: stay.queue, part, waits_since })
    }
}

impl Counts {
    pub(in crate::correlator) fn recount(
        &mut self,
        Recount { key, before, now }: Recount<StayKey, CountedAs>,
    ) {
        if let Some(is) = now {
            self.open += u64::from(is.part != Part::Closed);
            self.queues.entry(is.queue).or_default().enter(key, is);
        }
        if let Some(was) = before {
            self.open -= u64::from(was.part != Part::Closed);
            if let Some(queue) = self.queues.get_mut(&was.queue) {
                queue.leave(key, was);
                if queue.is_empty() {
                    self.queues.remove(&was.queue);
                }
            }
        }
    }

    /// How many stays wait or talk.
    pub(in crate::correlator) const fn open(&self) -> u64 {
        self.open
    }

    /// The queues that have any stay, also a counted one.
    pub(in crate::correlator) fn queues(&self) -> impl Iterator<Item = (QueueId, &InQueue)> {
        self.queues.iter().map(|(&queue, stays)| (queue, stays))
    }

    /// Whether a queue has any stay, also a counted one.
    pub(in crate::correlator) fn has_any(&self, queue: QueueId) -> bool {
        self.queues.contains_key(&queue)
    }
}

impl InQueue {
    fn enter(&mut self, key: StayKey, is: CountedAs) {
        match is.part {
            Part::Waiting => {
                self.waiting.insert((is.waits_since, key));
            }
            Part::Talking => self.talking += 1,
            Part::Closed => self.closed += 1,
        }
    }

    fn leave(&mut self, key: StayKey, was: CountedAs) {
        match was.part {
            Part::Waiting => {
                self.waiting.remove(&(was.waits_since, key));
            }
            Part::Talking => self.talking -= 1,
            Part::Closed => self.closed -= 1,
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.talking == 0 && self.closed == 0
    }

    /// Callers who wait.
    pub(in crate::correlator) fn waiting(&self) -> impl Iterator<Item = StayKey> {
        self.waiting.iter().map(|&(_, key)| key)
    }

    pub(in crate::correlator) fn waiting_count(&self) -> u64 {
        self.waiting.len() as u64
    }

    pub(in crate::correlator) const fn talking_count(&self) -> u64 {
        self.talking
    }

    /// Since when the caller waits who has waited longest.
    pub(in crate::correlator) fn oldest_wait(&self) -> Option<Moment> {
        // Those whose beginning is not known come first, and nothing is dated by the epoch itself.
        let undated = (Some(Moment::EPOCH), StayKey::default());
        self.waiting.range(undated..).next().and_then(|&(since, _)| since)
    }
}
