//! Times and medians.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The middle one; the lower middle of an even number.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    assert!(!figures.is_empty(), "a median of nothing");
    figures.sort_by(f64::total_cmp);
    figures[(figures.len() - 1) / 2]
}

/// Median CPU seconds of `work` on this thread, after one run to warm up.
///
/// CPU time, because the machine may be shared: waiting for a core is no cost of the work.
pub(crate) fn cpu_seconds<T>(runs: usize, mut work: impl FnMut() -> T) -> f64 {
    std::hint::black_box(work());
    let once = |_| {
        let begun = ThreadTime::now();
        std::hint::black_box(work());
        begun.elapsed().as_secs_f64()
    };
    median((0..runs.max(1)).map(once).collect())
}

/// Waits until `ask` has an answer; gives up after `limit`.
pub(crate) fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = now();
    while begun.elapsed() < limit {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_does_not_move_a_median() {
        assert_eq!(median(vec![3.0, 900.0, 1.0, 2.0, 4.0]), 3.0);
        assert_eq!(median(vec![2.0, 1.0]), 1.0);
    }
}
