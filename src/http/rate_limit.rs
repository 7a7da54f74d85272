//! The limit of requests that a web configuration file sets: the token bucket of exporter-toolkit.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::config::RateLimit;

/// The requests that may be answered at once, of all clients.
#[derive(Debug, Default)]
pub(super) struct Bucket(Mutex<Option<Level>>);

/// How much is missing in the bucket, as the time that fills it.
#[derive(Clone, Copy, Debug)]
struct Level {
    missing: Duration,
    at: Moment,
}

impl Bucket {
    /// Whether one more request is allowed; one that is not takes nothing.
    pub(super) fn allows(&self, limit: RateLimit, now: Moment) -> bool {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // It is full at first.
        let before = level.unwrap_or(Level { missing: Duration::ZERO, at: now });
        let missing = before.missing.saturating_sub(now.since(before.at));
        let after = missing.saturating_add(limit.interval);

        let allowed = after <= limit.interval.saturating_mul(limit.burst);
        *level = Some(Level { missing: if allowed { after } else { missing }, at: now });
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(bucket: &Bucket, limit: RateLimit, at: u64) -> usize {
        let now = Moment::from_secs(at);
        (0..10).filter(|_| bucket.allows(limit, now)).count()
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_request_each_interval() {
        let bucket = Bucket::default();
        let limit = RateLimit { interval: Duration::from_secs(2), burst: 3 };
        assert_eq!(allowed(&bucket, limit, 100), 3);
        assert_eq!(allowed(&bucket, limit, 101), 0);
        assert_eq!(allowed(&bucket, limit, 102), 1);
        assert_eq!(allowed(&bucket, limit, 107), 2);
        assert_eq!(allowed(&bucket, limit, 1000), 3);
    }

    #[test]
    fn a_burst_of_nothing_refuses_every_request() {
        let limit = RateLimit { interval: Duration::from_secs(1), burst: 0 };
        assert_eq!(allowed(&Bucket::default(), limit, 100), 0);
    }

    #[test]
    fn a_limit_that_changes_holds_from_then_on() {
        let bucket = Bucket::default();
        let limit = RateLimit { interval: Duration::from_secs(1), burst: 5 };
        assert_eq!(allowed(&bucket, limit, 100), 5);
        assert_eq!(allowed(&bucket, RateLimit { burst: 2, ..limit }, 100), 0);
        assert_eq!(allowed(&bucket, RateLimit { burst: 7, ..limit }, 100), 2);
    }
}
