//! What is worth a line in the log of connections that the system does not hand over: out of
//! descriptors, each attempt fails, four times a second and for as long as it lasts.

use std::time::Duration;

use crate::clock::Moment;

/// Attempts that failed.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// The last line.
    logged: Option<Moment>,
    /// Attempts since then.
    since: u64,
}

impl Complaints {
    /// An attempt failed `now`: how many there were since the last line, if that is worth another.
    pub(super) fn note(&mut self, now: Moment) -> Option<u64> {
        self.since += 1;
        if self.logged.is_some_and(|logged| now.since(logged) < APART) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

/// Between two lines.
const APART: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_one_line_with_the_number_of_attempts() {
        let mut complaints = Complaints::default();
        let mut note = |second| complaints.note(Moment::from_secs(second));
        assert_eq!([note(100), note(101), note(159)], [Some(1), None, None]);
        assert_eq!([note(160), note(161), note(500)], [Some(3), None, Some(2)]);
    }
}
