//! What queue_log had besides the lines that are compared.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::queue_log::{Line, Malformed};

/// The lines that were read, added up.
#[derive(Clone, Debug, Default)]
pub(super) struct LogSummary {
    /// Lines outside the window.
    pub(super) outside: u64,
    /// Lines with a member's name that has a bar in it.
    pub(super) shifted: u64,
    /// The earliest line.
    pub(super) first: Option<Moment>,
    /// The latest line.
    pub(super) last: Option<Moment>,
    /// Lines that could not be read, by why.
    pub(super) malformed: BTreeMap<Malformed, u64>,
    /// The first of them: file and line.
    pub(super) examples: Vec<(usize, u64, Malformed)>,
    /// Lines with verbs that nothing of the exporter corresponds to.
    pub(super) not_compared: BTreeMap<String, u64>,
    /// Lines of more queues than are kept.
    pub(super) crowded: u64,
    /// Queues that are compared as `other`.
    pub(super) folded: u64,
}

impl LogSummary {
    /// Takes a line that could be read.
    pub(super) fn add_line(&mut self, line: &Line<'_>) {
        self.shifted += u64::from(line.shifted);
        self.first = Some(self.first.map_or(line.at, |first| first.min(line.at)));
        self.last = self.last.max(Some(line.at));
    }

    /// Takes a line that could not.
    pub(super) fn add_malformed(&mut self, file: usize, number: u64, why: Malformed) {
        *self.malformed.entry(why).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push((file, number, why));
        }
    }

    /// Takes a line of a verb that is not compared.  A dialplan's own verbs (QueueLog) can be any
    /// number of words of any length, so only so many are kept, each cut.
    pub(super) fn add_not_compared(&mut self, verb: &[u8]) {
        let verb = String::from_utf8_lossy(&verb[..verb.len().min(VERB_MAX)]);
        if let Some(count) = self.not_compared.get_mut(&*verb) {
            *count += 1;
        } else if self.not_compared.len() < VERBS_MAX {
            self.not_compared.insert(verb.into_owned(), 1);
        } else {
            *self.not_compared.entry("…".to_owned()).or_default() += 1;
        }
    }
}

/// How many verbs that are not compared are named.
const VERBS_MAX: usize = 40;
/// How much of one is kept.
const VERB_MAX: usize = 40;
/// How many malformed lines are shown.
const EXAMPLES: usize = 5;
