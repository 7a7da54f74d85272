//! The comparison of queue_log with what the exporter counted, queue by queue and verb by verb.
//!
//! queue_log streams by; kept are counts by queue and, where a recording tells of single calls, counts by call of
//! the recording.  So a log of any length needs no more memory than a short one.
//!
//! - `subject`: what is compared, and what may explain a difference
//! - `window`: the time that is compared
//! - `tally`: what each side says of a queue, or of a call in it
//! - `exposition`: the exporter's side, from the text of a scrape
//! - `weigh`: equal, explained or different
//! - `report`, `table`, `json`: what came of it, for people and for programs

use std::collections::{BTreeMap, HashMap};

mod exposition;
mod json;
mod report;
mod subject;
mod table;
mod tally;
mod weigh;
mod window;

pub use exposition::{Exposition, ExpositionError};
pub use report::{CallRow, Figures, Report, ReportRow, State, What};
pub use subject::{Apart, Counter, Reason, Subject};
pub use table::Table;
pub use tally::{Count, Counted, Length, Said};
pub use window::{Edge, Place, Window};

use crate::clock::Moment;
use crate::queue_log::{Line, Malformed};

/// An audit under way.
#[derive(Debug)]
pub struct Audit {
    /// What time of queue_log is compared.
    window: Window,
    queues: Vec<Book>,
    /// Queues by name, as an index into `queues`.
    places: HashMap<Box<str>, u32>,
    /// Calls of the recording, and of queue_log as long as there is room.
    calls: HashMap<CallKey, Sides>,
    /// How many more calls are kept that only queue_log knows; none where there is no recording.
    room: usize,
    /// AgentCompletes that came late, of all queues; a recording tells it by call.
    late: u64,
    /// Queues that are not exported.
    hidden: Vec<String>,
    seen: Seen,
}

/// A queue, and a call's uniqueid.
type CallKey = (u32, Box<[u8]>);

/// One queue.
#[derive(Debug)]
struct Book {
    name: Box<str>,
    /// What belongs to no single call.
    whole: Sides,
}

/// Both sides of a queue or a call.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    said: Said,
    counted: Counted,
}

/// What queue_log held.
#[derive(Clone, Debug, Default)]
struct Seen {
    compared: u64,
    outside: u64,
    first: Option<Moment>,
    last: Option<Moment>,
    malformed: BTreeMap<Malformed, u64>,
    /// The first of them: file and line.
    examples: Vec<(usize, u64, Malformed)>,
    not_compared: BTreeMap<String, u64>,
    crowded: u64,
}

impl Audit {
    /// An audit of queue_log in this time.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            queues: Vec::new(),
            places: HashMap::new(),
            calls: HashMap::new(),
            room: 0,
            late: 0,
            hidden: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Takes the exporter's side from a scrape.
    pub fn scrape(&mut self, exposition: &Exposition) {
        self.late = exposition.late;
        for (name, counted) in &exposition.queues {
            if let Some(at) = self.place(name.as_bytes()) {
                self.queues[at as usize].whole.counted = *counted;
            }
        }
    }

    /// Takes a line of queue_log, or why it is none, from a place in a file.
    pub fn line(&mut self, file: usize, number: u64, line: Result<Line<'_>, Malformed>) {
        let line = match line {
            Ok(line) => line,
            Err(why) => return self.seen.malformed(file, number, why),
        };
        self.seen.first = Some(self.seen.first.map_or(line.at, |first| first.min(line.at)));
        self.seen.last = self.seen.last.max(Some(line.at));
        let place = self.window.place_of_line(line.at);
        if place == Place::Outside {
            self.seen.outside += 1;
            return;
        }
        if let crate::queue_log::Verb::Other(word) = line.verb {
            return self.seen.not_compared(word);
        }
        let Some(queue) = self.place(line.queue) else {
            self.seen.crowded += 1;
            return;
        };
        self.seen.compared += 1;
        self.sides(queue, line.call).said.line(line.at, line.verb, place);
    }

    /// Where a queue's counts are; `None` if there are too many names.
    fn place(&mut self, name: &[u8]) -> Option<u32> {
        let name = String::from_utf8_lossy(name);
        if let Some(&at) = self.places.get(&*name) {
            return Some(at);
        }
        if self.queues.len() >= QUEUES_MAX {
            return None;
        }
        let at = u32::try_from(self.queues.len()).expect("there are at most QUEUES_MAX");
        self.queues.push(Book { name: (&*name).into(), whole: Sides::default() });
        self.places.insert((&*name).into(), at);
        Some(at)
    }

    /// Where a line counts: for its call, if calls are told apart, else for the queue.
    fn sides(&mut self, queue: u32, call: &[u8]) -> &mut Sides {
        let whole = &mut self.queues[queue as usize].whole;
        if self.calls.is_empty() && self.room == 0 || call == b"NONE" || call == b"MANAGER" {
            return whole;
        }
        let key = (queue, Box::from(call));
        if self.room == 0 && !self.calls.contains_key(&key) {
            return whole;
        }
        let room = &mut self.room;
        self.calls.entry(key).or_insert_with(|| {
            *room = room.saturating_sub(1);
            Sides::default()
        })
    }
}

impl Seen {
    fn malformed(&mut self, file: usize, number: u64, why: Malformed) {
        *self.malformed.entry(why).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push((file, number, why));
        }
    }

    /// Verbs of the dialplan's own (QueueLog) can be any number of words.
    fn not_compared(&mut self, word: &[u8]) {
        let word = String::from_utf8_lossy(&word[..word.len().min(VERB_MAX)]);
        if let Some(count) = self.not_compared.get_mut(&*word) {
            *count += 1;
        } else if self.not_compared.len() < VERBS_MAX {
            self.not_compared.insert(word.into_owned(), 1);
        } else {
            *self.not_compared.entry("…".to_owned()).or_default() += 1;
        }
    }
}

/// Far above what a PBX has: more are garbage, and must not eat the memory.
const QUEUES_MAX: usize = 10_000;
/// How many verbs that are not compared are named.
const VERBS_MAX: usize = 40;
/// How much of one is kept.
const VERB_MAX: usize = 40;
/// How many malformed lines are shown.
const EXAMPLES: usize = 5;
