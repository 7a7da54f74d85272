//! A capture's own clock: the latest time stamp so far.

use crate::clock::Moment;
use crate::event::LONGEST;

/// The clock of a capture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    now: Moment,
    /// A stamp that was too far ahead to be believed.
    doubted: Option<Moment>,
}

impl Time {
    /// A clock that shows `now`.
    pub(super) const fn at(now: Moment) -> Self {
        Self { now, doubted: None }
    }

    pub(super) const fn now(self) -> Moment {
        self.now
    }

    /// Takes a time stamp.  One far ahead of all before it is believed if the next goes on from
    /// there: a capture may have a pause of days, but one stamp of a clock that was wrong for
    /// a moment would stop the time for good.
    pub(super) fn take(&mut self, stamp: Moment) {
        if self.now.dated().is_some_and(|now| is_far(now, stamp)) {
            let before = self.doubted.replace(stamp);
            if before.is_none_or(|before| stamp < before || is_far(before, stamp)) {
                return;
            }
        }
        self.doubted = None;
        self.now = self.now.max(stamp);
    }
}

fn is_far(from: Moment, to: Moment) -> bool {
    to.since(from) > LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;

    fn after(stamps: &[u64]) -> u64 {
        let mut time = Time::default();
        stamps.iter().for_each(|&second| time.take(Moment::from_secs(second)));
        time.now().as_micros() / 1_000_000
    }

    #[test]
    fn time_goes_on_and_never_back() {
        assert_eq!(after(&[5 * DAY, 5 * DAY + 7, 5 * DAY + 3]), 5 * DAY + 7);
    }

    #[test]
    fn one_stamp_in_the_future_does_not_stop_the_time() {
        assert_eq!(after(&[5 * DAY, 900 * DAY, 5 * DAY + 3]), 5 * DAY + 3);
        assert_eq!(after(&[5 * DAY, 900 * DAY, 5 * DAY + 3, 901 * DAY, 5 * DAY + 4]), 5 * DAY + 4);
    }

    #[test]
    fn a_pause_of_days_is_believed_at_the_second_stamp() {
        assert_eq!(after(&[5 * DAY, 9 * DAY, 9 * DAY + 1, 9 * DAY + 2]), 9 * DAY + 2);
    }
}
