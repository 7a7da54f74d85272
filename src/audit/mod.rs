//! The comparison of queue_log with what the exporter counted, queue by queue and verb by verb.
//!
//! The exporter's side comes first.  Then queue_log is read line by line, and only counts are kept:
//! by queue and, where a capture has single calls, by call of the capture.  So a log of any length
//! needs no more memory than a short one.
//!
//! - `subject`: what is compared, and what may explain a difference
//! - `window`, `bounds`: the time that is compared
//! - `tally`, `logged`, `counted`, `queue`: both sides of a queue, or of a call in it, added up
//! - `summary`: the lines of queue_log that are not compared
//! - `duplicates`: lines of queue_log that repeat a ring attempt or an end of a talk
//! - `follow`: calls that queue_log has under two Uniqueids
//! - `unsynchronised`: when the exporter was not synchronised with the PBX
//! - `exposition`, `watch`: the exporter's side, from the text of a scrape or from a replay
//! - `compare`, `comparison`, `matching`, `row`: equal, explained or different
//! - `report`, `conclude`, `notes`, `rows`: the result, and how it is made
//! - `table`, `json`: the result as text, for people and for programs

mod bounds;
mod compare;
mod comparison;
mod conclude;
mod counted;
mod duplicates;
mod exposition;
mod follow;
mod json;
mod logged;
mod matching;
mod notes;
mod queue;
mod report;
mod row;
mod rows;
mod subject;
mod summary;
mod table;
mod tally;
mod unsynchronised;
mod watch;
mod window;

use std::borrow::Cow;
use std::collections::HashMap;

pub use bounds::{Bounds, BoundsError};
pub(crate) use duplicates::{Latest, Repeats};
pub use exposition::{Exposition, ExpositionError};
use queue::Queue;
pub use report::{CallRow, Figures, Report, ReportRow, State, What};
pub use subject::{Apart, Counter, Position, Reason, Subject};
use summary::LogSummary;
pub use table::Table;
use unsynchronised::Unsynchronised;
pub use window::{Edge, Place, Window};

use crate::correlator::readable;
use crate::metrics::Settings;
use crate::pbx::PbxName;
use crate::queue_log::{Line, Malformed, Verb};

/// An audit under way.
#[derive(Debug)]
pub struct Audit {
    settings: Settings,
    /// Whose labels the queues have; a capture names them as the PBX does.
    pbx: Option<PbxName>,
    /// What time of queue_log is compared.
    lines: Window,
    /// What time of a capture is compared.
    counts: Window,
    queues: Vec<Queue>,
    /// Queues by name, without case: queue_log has what was dialled in ENTERQUEUE and ABANDON.
    slots: HashMap<Box<str>, Slot>,
    /// Each call is compared, not only their sums.
    by_call: bool,
    /// How many more calls are kept that only queue_log knows.
    room: usize,
    /// The last lines of the latest calls.
    latest: Latest,
    /// AgentCompletes that came late, of all queues; with a capture those of the next completion.
    late: u64,
    /// How often the exporter was disconnected after its start.
    gaps: u64,
    /// For how many seconds it was not synchronised, in all.
    unsynchronised_seconds: f64,
    /// And when.
    unsynchronised: Unsynchronised,
    /// Queues without series of their own are counted as `other`.
    folded: bool,
    log: LogSummary,
}

/// Where a queue's counts are.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Queue(usize),
    /// The configuration does not export it.
    Hidden,
    /// There are more queues than are kept.
    Crowded,
}

impl Audit {
    /// An audit against a scrape; which queues are exported follows from `settings`.
    pub fn of_scrape(exposition: &Exposition, settings: Settings, window: Window) -> Self {
        let mut audit = Self {
            settings,
            pbx: Some(PbxName::new(&exposition.pbx)),
            lines: window,
            counts: Window::default(),
            queues: Vec::new(),
            slots: HashMap::new(),
            by_call: false,
            room: 0,
            latest: Latest::default(),
            late: exposition.late,
            gaps: exposition.gaps(),
            unsynchronised_seconds: exposition.unsynchronised,
            unsynchronised: Unsynchronised::of_scrape(exposition.gaps()),
            folded: exposition.folded,
            log: LogSummary::default(),
        };

        for (name, counted) in &exposition.queues {
            if let Slot::Queue(at) = audit.known(name) {
                let whole = &mut audit.queues[at].whole.counted;
                *whole = *counted;
                if exposition.gaps() == 0 {
                    whole.set_all_lost_synchronised();
                }
            }
        }
        audit
    }

    /// An audit against a capture, whose replay it is to watch; only events in `window` count.
    pub fn of_capture(settings: Settings, window: Window) -> Self {
        let nothing = Exposition::default();
        Self {
            by_call: true,
            pbx: None,
            room: ROOM,
            counts: window,
            ..Self::of_scrape(&nothing, settings, Window::default())
        }
    }

    /// The capture was interrupted that often.
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
            Err(why) => return self.log.add_malformed(file, number, why),
        };
        self.log.add_line(&line);

        let place = self.lines.place_of_line(line.at);
        if place == Place::Outside {
            self.log.outside += 1;
            return;
        }
        if let Verb::Other(word) = line.verb {
            return self.log.add_not_compared(word);
        }

        match self.slot(&readable(line.queue)) {
            Slot::Queue(at) => self.line_of(at, &line, place),
            Slot::Hidden => {}
            Slot::Crowded => self.log.crowded += 1,
        }
    }

    /// Takes a line of a queue.
    fn line_of(&mut self, at: usize, line: &Line<'_>, place: Place) {
        let repeats = self.latest.take(at, line, place);
        let queue = &mut self.queues[at];
        queue.lines += 1;

        // Calls of queues that the PBX does not have are only counted: they may be any number, and
        // are no part of the verdict.
        let is_kept_by_call = self.by_call && queue.known && line.call != b"NONE";
        let room = if is_kept_by_call { Some(&mut self.room) } else { None };

        // A duplicate adds nothing to the sums, but the report shows that it was there.
        if let Repeats::End { call, first, then } = repeats {
            return queue.logged(&call, room).add_duplicate_end(first, then);
        }
        let logged = queue.logged(line.call, room);
        if let Repeats::RingAttempt(place) = repeats {
            logged.add_duplicate_ring(place);
        }
        logged.line(line, place, self.unsynchronised.hides_line(line.at));
    }

    /// A queue that the exporter's side names: a scrape by its label.
    fn known(&mut self, name: &str) -> Slot {
        // A scrape names a queue by its alias, which must not be translated a second time.
        let is_label = |pbx: &PbxName| self.settings.queue_aliases.sharers(pbx, name) > 0;
        let slot = if self.pbx.as_ref().is_some_and(is_label) {
            self.ensure_queue(name)
        } else {
            self.slot(name)
        };

        if let Slot::Queue(at) = slot {
            self.queues[at].known = true;
        }
        slot
    }

    /// The slot of a queue by the PBX's name for it, new if it is not known.
    fn slot(&mut self, name: &str) -> Slot {
        let any_case = name.bytes().any(|byte| byte.is_ascii_uppercase());
        let key =
            if any_case { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) };
        if let Some(&slot) = self.slots.get(&*key) {
            return slot;
        }

        // A queue without a slot stays without one, so that garbage does not fill the map either.
        if self.slots.len() >= QUEUES_MAX {
            return Slot::Crowded;
        }
        let slot = if self.settings.shows_queue(name) {
            let alias = self.pbx.as_ref().and_then(|pbx| self.settings.queue_aliases.of(pbx, name));
            self.ensure_queue(&alias.map_or_else(|| name.to_owned(), str::to_owned))
        } else {
            Slot::Hidden
        };
        self.slots.insert((&*key).into(), slot);
        slot
    }

    /// The slot of a queue by its label, which several queues may share; new if it is not known.
    fn ensure_queue(&mut self, label: &str) -> Slot {
        let key = label.to_ascii_lowercase();
        if let Some(&slot @ Slot::Queue(_)) = self.slots.get(&*key) {
            return slot;
        }

        self.queues.push(Queue { name: label.into(), ..Queue::default() });
        let slot = Slot::Queue(self.queues.len() - 1);
        self.slots.insert(key.into(), slot);
        slot
    }
}

/// Far above what a PBX has: more are garbage, and must not eat the memory.
const QUEUES_MAX: usize = 10_000;
/// How many calls are kept by themselves that the capture does not have; the others are only
/// counted.
const ROOM: usize = 10_000;
