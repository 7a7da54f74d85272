//! Moments, and the only reader of the clock.
//!
//! A [`Moment`] is a point on one time line: microseconds since the Unix epoch.  Our own moments
//! come from a clock that never steps back (tokio's, so that tests can pause it); the PBX's come
//! from its `Timestamp` header.  The two are never subtracted from each other here.

use std::fmt;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time, in microseconds since the Unix epoch.
///
/// Kept as one more than these, so that an `Option` of it is no larger: thousands of calls hold
/// some each.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Moment(NonZeroU64);

impl Default for Moment {
    fn default() -> Self {
        Self::EPOCH
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Moment").field(&self.as_micros()).finish()
    }
}

impl Moment {
    /// The beginning of the time line, in 1970.
    pub const EPOCH: Self = Self(NonZeroU64::MIN);

    /// What stands for the time where there is none: in a capture before its first time stamp.
    pub const UNDATED: Self = Self::EPOCH;

    /// The moment, unless it is [`UNDATED`](Self::UNDATED).
    pub fn dated(self) -> Option<Self> {
        (self != Self::UNDATED).then_some(self)
    }

    /// The moment `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// The moment `micros` microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(micros))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0.get() - 1
    }

    /// Time since `earlier`, zero if that is later: real Asterisk's time stamps step back by up to
    /// a millisecond.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// The moment `span` later.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// The moment `span` earlier.
    pub fn before(self, span: Duration) -> Self {
        Self::from_micros(self.as_micros().saturating_sub(micros(span)))
    }
}

/// Our own clock: wall time at its start, then only forward.
#[derive(Clone, Debug)]
pub struct Clock {
    started: tokio::time::Instant,
    epoch: Moment,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: tokio::time::Instant::now(), epoch: Moment::from_micros(micros(wall)) }
    }

    /// This moment.
    pub fn now(&self) -> Moment {
        self.epoch.after(self.started.elapsed())
    }

    /// When `moment` comes, for tokio's timers.
    pub fn instant(&self, moment: Moment) -> tokio::time::Instant {
        self.started + moment.since(self.epoch)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_another_is_no_time_after_it() {
        assert_eq!(Moment::from_secs(1).since(Moment::from_secs(2)), Duration::ZERO);
        assert_eq!(Moment::from_secs(5).since(Moment::from_secs(2)), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_tokio() {
        let clock = Clock::start();
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(clock.now().since(before), Duration::from_secs(7));
        assert_eq!(
            clock.instant(before.after(Duration::from_secs(9))) - clock.instant(clock.now()),
            Duration::from_secs(2)
        );
    }
}
