//! What is in a log, before it is played: which queues, spelled as configured, from when to when, and
//! about how much will be written.

use std::collections::{BTreeMap, HashSet};

use super::{BEAT, Period, facts};
use crate::clock::Moment;
use crate::correlator::Names;
use crate::metrics::Settings;
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
    /// What has histograms: queues with an outcome, and places of agents.
    outcomes: HashSet<(Name, &'static str)>,
    places: HashSet<(Name, Name)>,
    by_agent: bool,
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
            outcomes: HashSet::new(),
            places: HashSet::new(),
            by_agent,
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
        self.size(&line, agent);
    }

    fn add_other(&mut self, word: &[u8]) {
        if let Some(count) = self.others.get_mut(word) {
            *count += 1;
        } else if self.others.len() < OTHERS_MAX {
            self.others.insert(word.into(), 1);
        }
    }

    fn size(&mut self, line: &Line<'_>, agent: Option<&[u8]>) {
        if let Some(outcome) = outcome(line.verb) {
            self.outcomes.insert((line.queue.into(), outcome));
        }
        if let Some(agent) = agent {
            let agent = if self.by_agent { agent } else { b"" };
            self.places.insert((line.queue.into(), agent.into()));
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

    /// About how many samples will be written for so many seconds.
    pub fn samples(&self, settings: &Settings, seconds: u64) -> u64 {
        let hold = settings.buckets.hold.len() as u64 + FRAME;
        let agents = (settings.buckets.talk.len() + settings.buckets.ring.len()) as u64 + 2 * FRAME;
        let queues = self.names().queues.count() as u64 - 1;
        let series = queues * OF_QUEUE
            + self.outcomes.len() as u64 * hold
            + self.places.len() as u64 * (agents + OF_PLACE);

        // A line changes one histogram and few counters.
        series * (seconds / BEAT + 1) + self.lines * (hold + 2)
    }
}

fn outcome(verb: Verb<'_>) -> Option<&'static str> {
    Some(match verb {
        Verb::Connected { .. } => "answered",
        Verb::Abandoned { .. } => "abandoned",
        Verb::TimedOut => "timeout",
        Verb::LeftEmpty => "leave_empty",
        Verb::Withdrawn => "withdrawn",
        Verb::PressedKey => "exit_key",
        _ => return None,
    })
}

/// More verbs are noise of a dialplan.
const OTHERS_MAX: usize = 50;
/// Sum, count and the last bucket.
const FRAME: u64 = 3;
/// Counters of a queue, and its positions.
const OF_QUEUE: u64 = 9 + 18;
/// Counters of an agent in a queue.
const OF_PLACE: u64 = 8;
