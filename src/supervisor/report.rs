//! What is worth a line in the log of a link that does not last: a minute has at most one.

use std::time::Duration;

use super::backoff::{Attempt, LASTING};
use crate::clock::Moment;

/// What was logged of a link in the present row of failures, which a session that lasts ends.
#[derive(Debug, Default)]
pub(super) struct Report {
    failures: u64,
    /// Sessions among them that had logged in and asked for their lists.
    short_sessions: u64,
    /// The last line: an error, or nothing once a session was reported.
    last: Option<(String, Moment)>,
}

impl Report {
    /// Whether the sessions of this link begin again and again: what each of them says is old.
    pub(super) const fn is_flapping(&self) -> bool {
        self.short_sessions >= 2
    }

    /// An attempt failed `now`: whether that is worth a line, and how many there were in this row.
    pub(super) fn failed(&mut self, error: &str, attempt: Attempt, now: Moment) -> (bool, u64) {
        let lasted = attempt.synchronised.is_some_and(|moment| now.since(moment) >= LASTING);
        if lasted {
            *self = Self::default();
        }
        let was_session = attempt.listed.is_some();
        let was_reported = was_session && !self.is_flapping();

        // A session was the news since the last error, which may therefore be told again.
        if was_reported && let Some((last, _)) = &mut self.last {
            last.clear();
        }
        self.failures += 1;
        self.short_sessions += u64::from(was_session);

        let is_worth_a_line = self.last.as_ref().is_none_or(|(last, logged)| {
            let since = now.since(*logged);
            since >= REMINDER || (since >= APART && last != error)
        });
        if is_worth_a_line {
            self.last = Some((error.to_owned(), now));
        }
        (is_worth_a_line, self.failures)
    }
}

/// Between two lines, even if each failure has another error: what answers may be noise.
const APART: Duration = Duration::from_secs(60);

/// How often a lasting failure is logged again.
const REMINDER: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment::from_secs(second)
    }

    fn failed(report: &mut Report, error: &str, second: u64) -> (bool, u64) {
        report.failed(error, Attempt::default(), at(second))
    }

    /// A session that was synchronised at one second, and ended at another.
    fn closed(report: &mut Report, synchronised: u64, second: u64) -> (bool, u64) {
        let moment = Some(at(synchronised));
        let attempt = Attempt { listed: moment, synchronised: moment, ..Attempt::default() };
        report.failed("closed", attempt, at(second))
    }

    #[test]
    fn a_lasting_failure_is_logged_again_after_ten_minutes() {
        let mut report = Report::default();
        let mut logged = |second| failed(&mut report, "refused", second);
        assert_eq!(
            [logged(1000), logged(1599), logged(1600), logged(1601)],
            [(true, 1), (false, 2), (true, 3), (false, 4)]
        );
    }

    #[test]
    fn another_failure_is_logged_a_minute_behind_the_last_line() {
        let mut report = Report::default();
        assert_eq!(failed(&mut report, "refused", 1000), (true, 1));
        assert_eq!(failed(&mut report, "silent", 1001), (false, 2));
        assert_eq!(failed(&mut report, "silent", 1060), (true, 3));
        assert_eq!(failed(&mut report, "silent", 1200), (false, 4));
        assert_eq!(failed(&mut report, "refused", 1201), (true, 5));
    }

    #[test]
    fn the_end_of_a_session_that_lasted_is_logged_at_once() {
        let mut report = Report::default();
        assert_eq!(closed(&mut report, 1000, 1060), (true, 1));
        assert_eq!(closed(&mut report, 1061, 1121), (true, 1));
        assert!(!report.is_flapping());
    }

    #[test]
    fn a_pbx_that_never_gives_its_lists_becomes_quiet() {
        let mut report = Report::default();
        let mut listed = |second| {
            let attempt = Attempt { listed: Some(at(second)), ..Attempt::default() };
            (report.failed("silent", attempt, at(second + 15)), report.is_flapping())
        };
        assert_eq!(listed(1000), ((true, 1), false));
        assert_eq!(listed(1017), ((false, 2), true));
        assert_eq!(listed(1047), ((false, 3), true));
        assert_eq!(listed(1108), ((true, 4), true));
        assert_eq!(listed(1200), ((false, 5), true));
    }

    #[test]
    fn sessions_that_do_not_last_become_quiet() {
        let mut report = Report::default();
        assert_eq!(closed(&mut report, 1000, 1001), (true, 1));
        assert!(!report.is_flapping());
        assert_eq!(closed(&mut report, 1002, 1003), (false, 2));
        assert!(report.is_flapping());
        // The second session was reported, and that it ended was not.
        assert_eq!(closed(&mut report, 1062, 1063), (true, 3));
        assert_eq!(closed(&mut report, 1124, 1125), (false, 4));
        assert_eq!(closed(&mut report, 1663, 1664), (true, 5));
        assert_eq!(closed(&mut report, 1700, 1760), (true, 1));
    }
}
