//! The comparison of queue_log with what the exporter counted, queue by queue and verb by verb.
//!
//! queue_log streams by; kept are counts by queue and, where a recording tells of single calls, by
//! call of the recording.  So a log of any length needs no more memory than a short one.
//!
//! - `subject`: what is compared, and what may explain a difference
//! - `window`, `bounds`: the time that is compared
//! - `tally`: what each side says of a queue, or of a call in it
//! - `twice`: what queue_log says twice of one ringing or talk
//! - `follow`: calls that queue_log has under two Uniqueids
//! - `sight`: when the exporter could not see the PBX
//! - `exposition`, `watch`: the exporter's side, from the text of a scrape or from a replay
//! - `weigh`: equal, explained or different
//! - `report`, `table`, `json`: what came of it, for people and for programs
//! - `printable`: text of a damaged log, fit for a terminal

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

mod bounds;
mod exposition;
mod follow;
mod json;
mod printable;
mod report;
mod sight;
mod subject;
mod table;
mod tally;
mod twice;
mod watch;
mod weigh;
mod window;

pub use bounds::{Bounds, BoundsError};
pub use exposition::{Exposition, ExpositionError};
pub use report::{CallRow, Figures, Report, ReportRow, State, What};
use sight::Blindness;
pub use subject::{Apart, Counter, Reason, Subject};
pub use table::Table;
use tally::{Counted, Said};
use twice::{Latest, Repeats};
pub use window::{Edge, Place, Window};

use crate::clock::Moment;
use crate::correlator::readable;
use crate::metrics::Settings;
use crate::pbx::PbxName;
use crate::queue_log::{Line, Malformed, Verb};

/// An audit under way.
#[derive(Debug)]
pub struct Audit {
    settings: Settings,
    /// Whose labels the queues have; a recording names them as the PBX does.
    pbx: Option<PbxName>,
    /// What time of queue_log is compared.
    lines: Window,
    /// What time of a recording is compared.
    counts: Window,
    books: Vec<Book>,
    /// Queues by name, without case: queue_log has what was dialled in ENTERQUEUE and ABANDON.
    spots: HashMap<Box<str>, Spot>,
    /// Calls are told apart.
    by_call: bool,
    /// How many more calls are kept that only queue_log knows.
    room: usize,
    /// What queue_log said last of its calls.
    latest: Latest,
    /// AgentCompletes that came late, of all queues; a recording tells it by call.
    late: u64,
    /// How often the exporter lost sight of the PBX, and for how many seconds in all.
    gaps: u64,
    blind_seconds: f64,
    /// And when.
    blind: Blindness,
    /// Queues without series of their own are counted as `other`.
    folded: bool,
    seen: Seen,
}

/// One queue.
#[derive(Debug, Default)]
struct Book {
    name: Box<str>,
    /// The PBX has it: the scrape or the recording names it.
    known: bool,
    /// Lines that name it.
    lines: u64,
    /// What belongs to no call that is told apart.
    whole: Sides,
    calls: HashMap<Box<[u8]>, Box<Sides>>,
}

/// Both sides of a queue or a call.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    said: Said,
    counted: Counted,
}

/// Where a queue's counts are.
#[derive(Clone, Copy, Debug)]
enum Spot {
    Book(usize),
    /// The configuration does not export it.
    Hidden,
    /// One queue too many.
    Crowded,
}

/// What queue_log held.
#[derive(Clone, Debug, Default)]
struct Seen {
    outside: u64,
    /// Lines with a member's name that has a bar in it.
    shifted: u64,
    first: Option<Moment>,
    last: Option<Moment>,
    malformed: BTreeMap<Malformed, u64>,
    /// The first of them: file and line.
    examples: Vec<(usize, u64, Malformed)>,
    not_compared: BTreeMap<String, u64>,
    crowded: u64,
    /// Queues that are compared as `other`.
    folded: u64,
}

impl Audit {
    /// An audit against a scrape; `settings` tell which queues are exported.
    pub fn of_scrape(exposition: &Exposition, settings: Settings, window: Window) -> Self {
        let mut audit = Self {
            settings,
            pbx: Some(PbxName::new(&exposition.pbx)),
            lines: window,
            counts: Window::default(),
            books: Vec::new(),
            spots: HashMap::new(),
            by_call: false,
            room: 0,
            latest: Latest::default(),
            late: exposition.late,
            gaps: exposition.gaps(),
            blind_seconds: exposition.blind,
            blind: Blindness::of_scrape(exposition.gaps()),
            folded: exposition.folded,
            seen: Seen::default(),
        };
        for (name, counted) in &exposition.queues {
            if let Spot::Book(at) = audit.known(name) {
                let counted_all = &mut audit.books[at].whole.counted;
                *counted_all = *counted;
                if exposition.gaps() == 0 {
                    counted_all.lose_all_in_sight();
                }
            }
        }
        audit
    }

    /// An audit against a recording, which it is to watch; of its events only those in `window`
    /// count.
    pub fn of_recording(settings: Settings, window: Window) -> Self {
        let nothing = Exposition::default();
        Self {
            by_call: true,
            pbx: None,
            room: ROOM,
            counts: window,
            ..Self::of_scrape(&nothing, settings, Window::default())
        }
    }

    /// The recording was interrupted that often.
    #[must_use]
    pub const fn with_gaps(mut self, gaps: u64) -> Self {
        self.gaps = gaps;
        self
    }

    /// Compares this time of queue_log only.
    #[must_use]
    pub const fn with_lines(mut self, window: Window) -> Self {
        self.lines = window;
        self
    }

    /// Takes a line of queue_log, or why it is none, from a place in a file.
    pub fn line(&mut self, file: usize, number: u64, line: Result<Line<'_>, Malformed>) {
        let line = match line {
            Ok(line) => line,
            Err(why) => return self.seen.malformed(file, number, why),
        };
        self.seen.shifted += u64::from(line.shifted);
        self.seen.first = Some(self.seen.first.map_or(line.at, |first| first.min(line.at)));
        self.seen.last = self.seen.last.max(Some(line.at));
        let place = self.lines.place_of_line(line.at);
        if place == Place::Outside {
            self.seen.outside += 1;
            return;
        }
        if let Verb::Other(word) = line.verb {
            return self.seen.not_compared(word);
        }
        match self.spot(&readable(line.queue)) {
            Spot::Book(at) => self.line_of(at, &line, place),
            Spot::Hidden => {}
            Spot::Crowded => self.seen.crowded += 1,
        }
    }

    /// Takes a line of a queue.
    fn line_of(&mut self, at: usize, line: &Line<'_>, place: Place) {
        self.books[at].lines += 1;
        // calls of queues that the PBX does not have are only counted
        let told_apart = self.by_call && self.books[at].known && line.call != b"NONE";
        let room = if told_apart { Some(&mut self.room) } else { None };
        let repeats = self.latest.take(at, line, place);
        let said = self.books[at].said(line.call, room);
        match repeats {
            Repeats::End { first, then } => return said.end_again(first, then),
            Repeats::Ringing(place) => said.ring_again(place),
            Repeats::Nothing => {}
        }
        said.line(line, place, self.blind.hides_line(line.at));
    }

    /// A queue that the exporter's side names: a scrape by its label.
    fn known(&mut self, name: &str) -> Spot {
        let labels = |pbx: &PbxName| self.settings.queue_aliases.sharers(pbx, name) > 0;
        let spot =
            if self.pbx.as_ref().is_some_and(labels) { self.book(name) } else { self.spot(name) };
        if let Spot::Book(at) = spot {
            self.books[at].known = true;
        }
        spot
    }

    /// The place of a queue, by its name as a label has it.
    fn spot(&mut self, name: &str) -> Spot {
        let any_case = name.bytes().any(|byte| byte.is_ascii_uppercase());
        let key =
            if any_case { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) };
        if let Some(&spot) = self.spots.get(&*key) {
            return spot;
        }
        let spot = match (self.spots.len() < QUEUES_MAX, self.settings.shows_queue(name)) {
            (false, _) => return Spot::Crowded,
            (true, false) => Spot::Hidden,
            (true, true) => {
                let called =
                    self.pbx.as_ref().and_then(|pbx| self.settings.queue_aliases.of(pbx, name));
                self.book(&called.map_or_else(|| name.to_owned(), str::to_owned))
            }
        };
        self.spots.insert((&*key).into(), spot);
        spot
    }

    /// The book of a queue, or of all that are called so.
    fn book(&mut self, called: &str) -> Spot {
        let key = called.to_ascii_lowercase();
        if let Some(&spot @ Spot::Book(_)) = self.spots.get(&*key) {
            return spot;
        }
        self.books.push(Book { name: called.into(), ..Book::default() });
        let spot = Spot::Book(self.books.len() - 1);
        self.spots.insert(key.into(), spot);
        spot
    }
}

impl Book {
    /// Where a line counts: for its call if that is told apart or there is room to do so, else for
    /// the queue.
    fn said(&mut self, call: &[u8], room: Option<&mut usize>) -> &mut Said {
        let Some(room) = room else { return &mut self.whole.said };
        if !self.calls.contains_key(call) {
            if *room == 0 {
                return &mut self.whole.said;
            }
            *room -= 1;
        }
        &mut self.call(call).said
    }

    fn call(&mut self, call: &[u8]) -> &mut Sides {
        if !self.calls.contains_key(call) {
            self.calls.insert(call.into(), Box::default());
        }
        self.calls.get_mut(call).expect("it was put there just now")
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
/// How many calls are told apart that the recording does not have; the others are only counted.
const ROOM: usize = 10_000;
/// How many verbs that are not compared are named.
const VERBS_MAX: usize = 40;
/// How much of one is kept.
const VERB_MAX: usize = 40;
/// How many malformed lines are shown.
const EXAMPLES: usize = 5;
