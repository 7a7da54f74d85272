//! What is in a log, before it is played: which queues, spelled as configured, from when to when, and
//! about how much will be written.

use std::collections::BTreeMap;

use super::size::{Size, Sizes};
use super::{Period, facts};
use crate::clock::Moment;
use crate::correlator::Names;
use crate::metrics::{Pace, Settings, Target};
use crate::queue_log::{Line, Malformed, Verb};

/// A name or a word, as the log has it.
type Name = Box<[u8]>;

/// What a log has.
#[derive(Debug)]
pub struct Survey {
    period: Period,
    /// Queues as lines spell them that have the configured name, and as callers dialled them.
    configured: Names,
    dialled: Names,
    first: Option<Moment>,
    last: Option<Moment>,
    lines: u64,
    malformed: u64,
    /// Verbs that are not read.
    others: BTreeMap<Name, u64>,
    sizes: Sizes,
}

impl Survey {
    /// Of a log that is not read yet.
    pub fn new(period: Period, by_agent: bool) -> Self {
        Self {
            period,
            configured: Names::default(),
            dialled: Names::default(),
            first: None,
            last: None,
            lines: 0,
            malformed: 0,
            others: BTreeMap::new(),
            sizes: Sizes::new(Pace::new(period.step, 0), by_agent),
        }
    }

    /// Takes a line, or why it is none.
    pub fn line(&mut self, line: Result<Line<'_>, Malformed>) {
        let Ok(line) = line else {
            self.malformed += 1;
            return;
        };
        if !self.period.has(line.at) {
            return;
        }
        self.lines += 1;
        self.first = Some(self.first.map_or(line.at, |first| first.min(line.at)));
        self.last = self.last.max(Some(line.at));

        if let Verb::Other(word) = line.verb {
            self.add_other(word);
            return;
        }
        if line.queue == b"NONE" {
            return;
        }

        // ENTERQUEUE and exits have what was dialled, lines of a member the configured name.
        let agent = facts::agent(&line);
        let names = if agent.is_some() { &mut self.configured } else { &mut self.dialled };
        names.queues.intern(line.queue);
        self.sizes.add(&line, agent);
    }

    fn add_other(&mut self, word: &[u8]) {
        if let Some(count) = self.others.get_mut(word) {
            *count += 1;
        } else if self.others.len() < OTHERS_MAX {
            self.others.insert(word.into(), 1);
        }
    }

    /// The names, of which the player's begin with the queues.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        for queues in [&self.configured.queues, &self.dialled.queues] {
            for name in queues.iter() {
                names.queues.intern_text(name);
            }
        }
        names
    }

    /// The first line's moment and the last one's; `None` if there is no line.
    pub fn span(&self) -> Option<(Moment, Moment)> {
        self.first.zip(self.last)
    }

    /// How many lines are in the period.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// How many lines cannot be read, in the period or not.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }

    /// The verbs that are not read, with their numbers.
    pub fn others(&self) -> impl Iterator<Item = (String, u64)> {
        self.others.iter().map(|(word, &count)| (String::from_utf8_lossy(word).into_owned(), count))
    }

    /// About how much will be written, up to the second `end`.
    pub fn size(&self, settings: &Settings, target: &Target, pace: Pace, end: u64) -> Size {
        self.sizes.of(settings, target, pace, end)
    }
}

/// More verbs are noise of a dialplan.
const OTHERS_MAX: usize = 50;
