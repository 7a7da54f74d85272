//! How many series one PBX may have in all.
//!
//! A name takes everything that it is sure to have when it is admitted; other series are taken one
//! by one as they come.  What is folded into `other` has its place from the start, so whatever
//! comes, the limit holds and nothing is lost.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use prometheus_client::metrics::gauge::Gauge;

use super::overflow::{Limit, Overflows};

/// The series of one PBX; its copies are the same.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    limit: usize,
    taken: Arc<AtomicUsize>,
    exported: Gauge<u64, AtomicU64>,
    overflows: Overflows,
}

impl Budget {
    /// A budget of which `kept` are taken already; `exported` shows how many are.
    pub(super) fn new(
        limit: usize,
        kept: usize,
        exported: Gauge<u64, AtomicU64>,
        overflows: Overflows,
    ) -> Self {
        exported.set(kept as u64);
        Self { limit, taken: Arc::new(AtomicUsize::new(kept)), exported, overflows }
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Takes what a name has for sure, all of it or nothing.
    pub(super) fn admit(&self, lines: usize) -> bool {
        self.take_of(lines, self.limit)
    }

    /// Takes a series as it comes.  The last fiftieth is for names: a queue without series of its
    /// own is worse than a bucket.
    pub(super) fn take(&self, lines: usize) -> bool {
        self.take_of(lines, self.limit - self.limit / 50)
    }

    /// Takes what an agent in a queue has for sure.  The last tenth is for queues and agents, which
    /// the PBX may list behind the members of the first queues.
    pub(super) fn admit_member(&self, lines: usize) -> bool {
        self.take_of(lines, self.limit - self.limit / 10)
    }

    /// The same for series that nothing has happened to yet.
    pub(super) fn take_early(&self, lines: usize) -> bool {
        self.take_of(lines, self.limit - self.limit / 5)
    }

    /// The same for series that nothing may ever happen to.
    pub(super) fn take_ahead(&self, lines: usize) -> bool {
        self.take_of(lines, self.limit / 2)
    }

    /// Takes note of a series that had no room.
    pub(super) fn refuse(&self, series: impl Hash) {
        self.overflows.note(Limit::Series, series);
    }

    // Only ever used under the exporter's lock; the atomic is there to be shared.
    fn take_of(&self, lines: usize, limit: usize) -> bool {
        let taken = self.taken() + lines;
        if taken > limit {
            return false;
        }
        self.taken.store(taken, Ordering::Relaxed);
        self.exported.set(taken as u64);
        true
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;
    #[test]
    fn what_is_needed_has_more_room_than_what_may_be() {
        let overflows = Overflows::new(|_| Counter::default());
        let budget = Budget::new(100, 40, Gauge::default(), overflows);
        assert_eq!([10, 1].map(|lines| budget.take_ahead(lines)), [true, false]);
        assert_eq!([31, 30, 1].map(|lines| budget.take_early(lines)), [false, true, false]);
        assert_eq!([10, 1].map(|lines| budget.admit_member(lines)), [true, false]);
        assert_eq!([8, 1].map(|lines| budget.take(lines)), [true, false]);
        assert_eq!([2, 1].map(|lines| budget.admit(lines)), [true, false]);
        assert_eq!((budget.exported.get(), budget.taken()), (100, 100));
    }
}
