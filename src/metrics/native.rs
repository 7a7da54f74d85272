//! The buckets of a native histogram: exponential, and only those that are not empty.

use std::collections::BTreeMap;

/// What was observed, by exponential bucket.  Durations only, so nothing is below zero.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct NativeBuckets {
    zero: u64,
    /// Bucket `i` holds what is above `2^((i-1)/8)` and not above `2^(i/8)`.
    buckets: BTreeMap<i32, u64>,
}

/// Buckets side by side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Run {
    /// The number of empty buckets before it; of the first run, the index of its first bucket.
    pub(super) gap: i32,
    /// What each holds.
    pub(super) counts: Vec<u64>,
}

impl NativeBuckets {
    /// The number of an octave's buckets is two to the power of this.
    pub(super) const SCHEMA: i32 = 3;
    /// What is not longer is counted as zero: a millisecond, since PBXs are not more precise.  So a
    /// histogram of durations up to a day has no more than 220 buckets.
    pub(super) const ZERO: f64 = 0.001;

    pub(super) fn observe(&mut self, seconds: f64) {
        if seconds <= Self::ZERO {
            self.zero += 1;
            return;
        }
        // Every eighth bound is a power of two, whose logarithm is exact; no other can be written
        // as a float.
        let bucket = (seconds.log2() * f64::from(1 << Self::SCHEMA)).ceil();
        *self.buckets.entry(bucket as i32).or_default() += 1;
    }

    /// What was zero.
    pub(super) fn zero(&self) -> u64 {
        self.zero
    }

    /// The buckets that hold anything, in order.
    pub(super) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut next = 0;
        for (&bucket, &count) in &self.buckets {
            match runs.last_mut() {
                Some(run) if bucket == next => run.counts.push(count),
                _ => runs.push(Run { gap: bucket - next, counts: vec![count] }),
            }
            next = bucket + 1;
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(observations: &[f64]) -> NativeBuckets {
        let mut native = NativeBuckets::default();
        for &seconds in observations {
            native.observe(seconds);
        }
        native
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for (seconds, bucket) in
            [(1.0, 0), (1.001, 1), (2.0, 8), (2.001, 9), (0.5, -8), (8.0, 24), (1024.0, 80)]
        {
            assert_eq!(of(&[seconds]).runs(), [Run { gap: bucket, counts: vec![1] }], "{seconds}");
        }
    }

    #[test]
    fn a_millisecond_is_nothing() {
        let native = of(&[0.0, 0.001, 0.0011]);
        assert_eq!((native.zero(), native.runs().len()), (2, 1));
    }

    #[test]
    fn neighbours_are_one_run_and_a_gap_begins_another() {
        let native = of(&[1.0, 1.05, 1.06, 1.1, 4.0, 4.0]);
        let runs = [Run { gap: 0, counts: vec![1, 2, 1] }, Run { gap: 13, counts: vec![2] }];
        assert_eq!(native.runs(), runs);
        assert_eq!(of(&[]).runs(), []);
    }
}
