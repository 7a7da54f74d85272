//! The two moments that counting knows: when the numbers were last read, and now.
//!
//! A series begins with its first event, so a scraper never sees it at zero, and its first event
//! would be no increase.  Therefore each series has a start time, at which it was zero: right after
//! the latest scrape before it was created.  The moment of its creation would be as true, but nearer
//! to the scrape that shows it: `rate()` extrapolates by the distance of samples.  It would also be
//! later than that scrape for a scraper whose clock is behind ours, and a start time in the future
//! is not stored.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;

/// Shared by all families; without a beginning, as in a replay, nothing has a time.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// The latest scrape, or the beginning; in microseconds, as `now`.
    read: AtomicU64,
    now: AtomicU64,
}

impl Timeline {
    /// Counting begins.
    pub(super) fn begin(&self, now: Moment) {
        self.read.store(now.as_micros(), Ordering::Relaxed);
        self.pass(now);
    }

    /// Whatever is counted next happens at `now`.
    pub(super) fn pass(&self, now: Moment) {
        self.now.fetch_max(now.as_micros(), Ordering::Relaxed);
    }

    /// A scrape copied all numbers.
    pub(super) fn scraped(&self, now: Moment) {
        if self.read().dated().is_some() {
            self.read.fetch_max(now.as_micros(), Ordering::Relaxed);
        }
    }

    /// The start time of a series that is created now.
    pub(super) fn start(&self) -> Moment {
        let earliest = |now: Moment| self.read().after(AFTER_SCRAPE).max(now.before(LONGEST));
        self.now().map_or(Moment::UNDATED, earliest)
    }

    /// When what is counted now happens.
    pub(super) fn now(&self) -> Option<Moment> {
        let now = Moment::from_micros(self.now.load(Ordering::Relaxed));
        self.read().dated().map(|_| now)
    }

    fn read(&self) -> Moment {
        Moment::from_micros(self.read.load(Ordering::Relaxed))
    }
}

/// Prometheus refuses a start time that is some 60 minutes older than its newest sample.  A scrape
/// interval is rarely longer than this.
const LONGEST: Duration = Duration::from_secs(300);

/// After a restart, a scrape that fails, or one in which a series of the previous process is missing,
/// marks the series as stale.  Prometheus stores no zero in the millisecond of that marker, or before
/// it; and it dates a scrape up to 2 ms ahead (`--scrape.timestamp-tolerance`).
const AFTER_SCRAPE: Duration = Duration::from_millis(3);
