//! What else a reader of a report should know.

use std::time::Duration;

use super::{Audit, Slot};
use crate::calendar::utc;
use crate::correlator::OTHER;
use crate::error::printable;

impl Audit {
    /// The notes; `followed`: calls under two Uniqueids.
    pub(super) fn notes(&self, followed: u64) -> Vec<String> {
        let log = &self.log;
        let mut notes = Vec::new();

        if followed > 0 {
            let calls = number(followed, "1 call is", "calls are");
            notes.push(format!(
                "{calls} in queue_log under two Uniqueids, since another channel took the caller's place"
            ));
        }

        if log.shifted > 0 {
            let lines = number(log.shifted, "1 line names", "lines name");
            notes.push(format!(
                "{lines} a member with a bar in the name, which is taken into account"
            ));
        }

        if log.crowded > 0 {
            notes.push(format!(
                "{} lines name more queues than are compared, and are left out",
                log.crowded
            ));
        }

        notes.extend(self.not_exported());
        notes.extend(self.gaps());

        if log.folded > 0 {
            notes.push(format!(
                "{} queues are compared as `{OTHER}`, as the exporter counts them",
                log.folded
            ));
        }
        notes
    }

    fn not_exported(&self) -> Option<String> {
        let mut hidden: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, slot)| matches!(slot, Slot::Hidden))
            .map(|(name, _)| name)
            .collect();
        if hidden.is_empty() {
            return None;
        }

        // A map has no order, and two runs must print the same text.
        hidden.sort();
        let names: Vec<_> = hidden.into_iter().map(|name| printable(name)).collect();
        Some(format!("not exported, so not compared: {}", names.join(", ")))
    }

    fn gaps(&self) -> Option<String> {
        if self.gaps == 0 {
            return None;
        }

        let gaps = number(self.gaps, "a gap", "gaps");
        let gaps = if self.by_call {
            format!("the capture has {gaps}")
        } else {
            format!(
                "the exporter was not synchronised for {:.0} s, with {gaps} after its start",
                self.unsynchronised_seconds
            )
        };
        Some(format!("{gaps}: calls that came and went there are in queue_log only"))
    }

    /// Whether the log begins late or ends early.
    pub(super) fn missing_files(&self) -> Vec<String> {
        let mut notes = Vec::new();

        if let Some((first, since)) = self.log.first.zip(self.lines.since)
            && first.since(since.at) > A_WHILE
        {
            let first = utc(first);
            notes.push(format!("queue_log begins at {first}: is an older file missing?"));
        }

        if let Some((last, until)) = self.log.last.zip(self.lines.until)
            && until.at.since(last) > A_WHILE
        {
            let last = utc(last);
            notes.push(format!("queue_log ends at {last}: is a newer file missing?"));
        }
        notes
    }
}

/// `one`, or a number of `many`.
fn number(number: u64, one: &str, many: &str) -> String {
    if number == 1 { one.to_owned() } else { format!("{number} {many}") }
}

/// A queue may well have no lines for so long at the beginning or the end of a window.
const A_WHILE: Duration = Duration::from_secs(600);
