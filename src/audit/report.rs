//! What came of an audit.

use std::collections::BTreeMap;
use std::time::Duration;

use super::follow::follow;
use super::printable::printable;
use super::subject::{Apart, Reason, Subject};
use super::tally::Said;
use super::weigh::{Late, Row, SumRow, Weighed, weigh_call, weigh_queue};
use super::window::{Edge, Place, Window};
use super::{Audit, Book, Spot};
use crate::calendar::utc;
use crate::correlator::OTHER;
use crate::queue_log::Malformed;

/// What came of an audit.
#[derive(Clone, Debug)]
pub struct Report {
    /// What time was compared.
    pub window: Window,
    /// Every figure of every queue that is not zero on both sides: differences first, then what is
    /// explained.
    pub rows: Vec<ReportRow>,
    /// Lines that were compared.
    pub compared: u64,
    /// Lines of queues that the PBX does not have, by queue: they are no part of the verdict.
    pub foreign: BTreeMap<String, u64>,
    /// Lines outside the window.
    pub outside: u64,
    /// Lines and counts at the window's edges that the other side does not have.
    pub left_out: u64,
    /// Lines that could not be read, by why.
    pub malformed: BTreeMap<Malformed, u64>,
    /// The first of them: which file, which line.
    pub examples: Vec<(usize, u64, Malformed)>,
    /// Lines with verbs that nothing of the exporter corresponds to.
    pub not_compared: BTreeMap<String, u64>,
    /// What else a reader should know.
    pub notes: Vec<String>,
    /// Why there is no verdict, if the log is not of this time.
    unreached: Option<String>,
}

/// One figure of one queue.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportRow {
    /// The queue.
    pub queue: String,
    /// What is compared.
    pub what: What,
    /// Both sides of it.
    pub figures: Figures,
    /// Whether they agree.
    pub state: State,
    /// Calls behind a difference, where a recording tells them; the first thousand.
    pub calls: Vec<CallRow>,
    /// How many more there are.
    pub more_calls: u64,
}

/// What is compared in a row.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// A number both sides have.
    Count(Subject),
    /// A number only the exporter has, of which no line tells.
    Apart(Apart),
    /// Seconds that answered callers waited.
    Hold,
    /// Seconds that caller and agent talked.
    Talk,
}

/// Both sides of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// Lines and counts.
    Counts { said: u64, counted: u64, missing: u64, extra: u64, explained: Vec<(Reason, u64)> },
    /// Seconds, and by how many both sides may differ.
    /// `lacking`: calls that were counted without their length, and nothing tells why.
    Seconds {
        said: f64,
        counted: f64,
        tolerance: u64,
        explained: Vec<(Reason, f64, u64)>,
        lacking: u64,
    },
}

/// Whether two sides agree.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// They do not.
    Differs,
    /// They differ as documented.
    Explained,
    /// They do.
    Equal,
}

/// One call behind a row.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRow {
    /// Uniqueid of the caller's channel.
    pub uniqueid: String,
    /// Both sides of it.
    pub figures: Figures,
    /// Whether they agree.
    pub state: State,
}

impl Report {
    /// Whether both sides agree, but for what is explained.
    pub fn agrees(&self) -> bool {
        self.rows.iter().all(|row| row.state != State::Differs)
    }

    /// Why there is no verdict: the log is not of the time that is compared, or neither side has
    /// anything in it.
    pub fn nothing(&self) -> Option<String> {
        let edge = |edge: Option<Edge>| edge.map_or("…".to_owned(), |edge| utc(edge.at));
        let (since, until) = (edge(self.window.since), edge(self.window.until));
        let mut why = match &self.unreached {
            Some(why) => {
                vec![format!("{why}: it does not reach into the time from {since} to {until}")]
            }
            None if self.rows.is_empty() => vec![format!(
                "nothing to compare from {since} to {until}: no line of queue_log counts there, and the exporter counted nothing"
            )],
            None => return None,
        };
        let malformed: u64 = self.malformed.values().sum();
        if malformed > 0 {
            why.push(format!("{malformed} lines of queue_log are malformed"));
        }
        if !self.foreign.is_empty() {
            why.push(format!("the PBX does not have its queues {}", self.foreign_queues()));
        }
        why.extend(self.notes.iter().cloned());
        Some(why.join("; "))
    }

    /// Queues that the PBX does not have, each with its lines; the first of them.
    pub(super) fn foreign_queues(&self) -> String {
        let mut named: Vec<_> = self.foreign.iter().collect();
        named.sort_by_key(|(name, lines)| (std::cmp::Reverse(**lines), *name));
        let more = named.len().saturating_sub(FOREIGN_SHOWN);
        let mut text: Vec<_> = named
            .iter()
            .take(FOREIGN_SHOWN)
            .map(|(name, lines)| format!("{} {lines}", printable(name)))
            .collect();
        if more > 0 {
            text.push(format!("and {more} more"));
        }
        text.join(", ")
    }

    /// Rows in a state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &ReportRow> {
        self.rows.iter().filter(move |row| row.state == state)
    }
}

impl State {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::Explained => "explained",
            Self::Equal => "equal",
        }
    }

    const fn of(differs: bool, explains: bool) -> Self {
        match (differs, explains) {
            (true, _) => Self::Differs,
            (false, true) => Self::Explained,
            (false, false) => Self::Equal,
        }
    }
}

impl Audit {
    /// Weighs both sides of everything.
    pub fn report(mut self) -> Report {
        self.fold();
        let foreign = self.take_foreign();
        let compared = self.books.iter().map(|book| book.lines).sum();
        let mut late = Late::of(if self.by_call { 0 } else { self.late });
        let (gaps, by_call) = (self.gaps > 0, self.by_call);
        let mut followed = 0;
        let weigh = |mut book: Book| {
            followed += follow(&mut book.calls, gaps);
            Weighing::new(book, &mut late, gaps, by_call)
        };
        let queues: Vec<_> = std::mem::take(&mut self.books).into_iter().map(weigh).collect();
        let left_out = queues.iter().map(|queue| queue.sum.left_out).sum();
        let mut rows: Vec<_> = queues.into_iter().flat_map(Weighing::rows).collect();
        rows.sort_by(|a, b| (a.state, &a.queue, a.what).cmp(&(b.state, &b.queue, b.what)));
        let unreached = self.unreached();
        let mut notes = self.notes(followed);
        // a queue may be silent for ever; but what was counted and is in no line is missed
        if unreached.is_none() && rows.iter().any(|row| row.figures.are_missed()) {
            notes.extend(self.missing_files());
        }
        let seen = self.seen;
        Report {
            window: self.lines,
            rows,
            compared,
            foreign,
            outside: seen.outside,
            left_out,
            malformed: seen.malformed,
            examples: seen.examples,
            not_compared: seen.not_compared,
            notes,
            unreached,
        }
    }

    /// Sets apart what diallers and scripts wrote of queues that the PBX does not have.
    fn take_foreign(&mut self) -> BTreeMap<String, u64> {
        let (known, foreign) =
            std::mem::take(&mut self.books).into_iter().partition(|book| book.known);
        self.books = known;
        foreign.into_iter().map(|book: Book| (book.name.into_string(), book.lines)).collect()
    }

    /// Why the log is of another time than what is compared, if it is.
    fn unreached(&self) -> Option<String> {
        let Some((first, last)) = self.seen.first.zip(self.seen.last) else {
            return Some("queue_log has no line that can be read".to_owned());
        };
        let reached = self.lines.place(first, last.after(Duration::from_secs(1))) != Place::Outside;
        (!reached).then(|| format!("queue_log begins at {} and ends at {}", utc(first), utc(last)))
    }

    /// What the exporter counts as `other` is compared with all it counts so.
    fn fold(&mut self) {
        let Some(other) = self.books.iter().position(|book| self.folded && &*book.name == OTHER)
        else {
            return;
        };
        let (mut said, mut lines) = (Said::default(), 0);
        for book in self.books.iter_mut().filter(|book| !book.known) {
            said.add(&std::mem::take(&mut book.whole.said));
            lines += std::mem::take(&mut book.lines);
            self.seen.folded += 1;
        }
        self.books[other].whole.said.add(&said);
        self.books[other].lines += lines;
        self.books.retain(|book| book.known);
    }

    /// Whether the log begins late or ends early.
    fn missing_files(&self) -> impl Iterator<Item = String> {
        let begins = self
            .seen
            .first
            .zip(self.lines.since)
            .filter(|(first, since)| first.since(since.at) > A_WHILE);
        let ends = self
            .seen
            .last
            .zip(self.lines.until)
            .filter(|(last, until)| until.at.since(*last) > A_WHILE);
        let older = begins.map(|(first, _)| {
            format!("queue_log begins at {}: is an older file missing?", utc(first))
        });
        let newer = ends
            .map(|(last, _)| format!("queue_log ends at {}: is a newer file missing?", utc(last)));
        older.into_iter().chain(newer)
    }

    fn notes(&self, followed: u64) -> Vec<String> {
        let mut notes = Vec::new();
        if followed > 0 {
            let calls = if followed == 1 {
                "1 call is".to_owned()
            } else {
                format!("{followed} calls are")
            };
            notes.push(format!(
                "{calls} in queue_log under two Uniqueids, since another channel took the caller's place"
            ));
        }
        if self.seen.shifted > 0 {
            let lines = if self.seen.shifted == 1 { "1 line names" } else { "lines name" };
            let many = if self.seen.shifted == 1 {
                String::new()
            } else {
                format!("{} ", self.seen.shifted)
            };
            notes.push(format!("{many}{lines} a member with a bar in the name: read behind it"));
        }
        if self.seen.crowded > 0 {
            notes.push(format!(
                "{} lines name more queues than are compared, and are left out",
                self.seen.crowded
            ));
        }
        let mut hidden: Vec<_> =
            self.spots.iter().filter(|(_, spot)| matches!(spot, Spot::Hidden)).collect();
        hidden.sort_by_key(|(name, _)| *name);
        if !hidden.is_empty() {
            let names: Vec<_> = hidden.iter().map(|(name, _)| printable(name)).collect();
            notes.push(format!("not exported, so not compared: {}", names.join(", ")));
        }
        if self.gaps > 0 && self.by_call {
            let gaps =
                if self.gaps == 1 { "a gap".to_owned() } else { format!("{} gaps", self.gaps) };
            notes.push(format!(
                "the recording has {gaps}: calls that came and went there are in queue_log only"
            ));
        } else if self.gaps > 0 {
            let gaps =
                if self.gaps == 1 { "a gap".to_owned() } else { format!("{} gaps", self.gaps) };
            let blind = format!(
                "the exporter could not see for {:.0} s, with {gaps} after its start",
                self.blind_seconds
            );
            notes.push(format!("{blind}: calls that came and went there are in queue_log only"));
        }
        if self.seen.folded > 0 {
            notes.push(format!(
                "{} queues are compared as `{OTHER}`, as the exporter counts them",
                self.seen.folded
            ));
        }
        notes
    }
}

/// A queue that was weighed.
struct Weighing {
    name: Box<str>,
    sum: Weighed,
    calls: BTreeMap<What, (Vec<CallRow>, u64)>,
}

impl Weighing {
    fn new(book: Book, late: &mut Late, gaps: bool, by_call: bool) -> Self {
        let mut this = Self { name: book.name, sum: Weighed::default(), calls: BTreeMap::new() };
        for (call, sides) in book.calls {
            this.call(&call, &weigh_call(&sides.said, &sides.counted, gaps));
        }
        let mut whole = weigh_queue(&book.whole.said, &book.whole.counted, late, gaps);
        if by_call {
            // a call that cannot be told was not seen whole: the recording began in its middle
            (whole.hold.lacking, whole.talk.lacking) = (0, 0);
        }
        this.sum.add_whole(&whole);
        this
    }

    fn call(&mut self, call: &[u8], weighed: &Weighed) {
        self.sum.add(weighed);
        for (what, figures, state) in
            figures(weighed).filter(|(_, _, state)| *state != State::Equal)
        {
            let (calls, more) = self.calls.entry(what).or_default();
            if calls.len() < CALLS_MAX {
                calls.push(CallRow {
                    uniqueid: String::from_utf8_lossy(call).into_owned(),
                    figures,
                    state,
                });
            } else {
                *more += 1;
            }
        }
    }

    fn rows(mut self) -> Vec<ReportRow> {
        let queue = self.name.into_string();
        let rows = figures(&self.sum)
            .filter(|(_, figures, state)| *state == State::Differs || !figures.are_zero());
        rows.map(|(what, figures, state)| {
            let (mut calls, more_calls) = self.calls.remove(&what).unwrap_or_default();
            calls.retain(|call| call.state >= state);
            calls.sort_by(|a, b| (a.state, &a.uniqueid).cmp(&(b.state, &b.uniqueid)));
            ReportRow { queue: queue.clone(), what, figures, state, calls, more_calls }
        })
        .collect()
    }
}

/// Every figure with what it is, in the order of a stay.
fn figures(weighed: &Weighed) -> impl Iterator<Item = (What, Figures, State)> {
    let counts =
        Subject::ALL.iter().zip(&weighed.counts).map(|(&subject, row)| (What::Count(subject), row));
    let apart =
        Apart::ALL.iter().zip(&weighed.apart).map(|(&apart, row)| (What::Apart(apart), row));
    let counts = counts
        .chain(apart)
        .map(|(what, row)| (what, Figures::of(row), State::of(row.differs(), row.explains())));
    let sums = [(What::Hold, &weighed.hold), (What::Talk, &weighed.talk)];
    let sums = sums
        .into_iter()
        .map(|(what, row)| (what, Figures::of_sum(row), State::of(row.differs(), row.explains())));
    counts.chain(sums)
}

impl Figures {
    fn of(row: &Row) -> Self {
        let &Row { said, counted, missing, extra, explained } = row;
        let explained = Reason::ALL.iter().zip(explained).filter(|(_, number)| *number > 0);
        Self::Counts {
            said,
            counted,
            missing,
            extra,
            explained: explained.map(|(&reason, n)| (reason, n)).collect(),
        }
    }

    fn of_sum(row: &SumRow) -> Self {
        let &SumRow { said, counted, explained, lacking, .. } = row;
        let explained = Reason::ALL.iter().zip(explained).filter(|(_, (_, calls))| *calls > 0);
        let explained =
            explained.map(|(&reason, (seconds, calls))| (reason, seconds, calls)).collect();
        Self::Seconds { said, counted, tolerance: row.tolerance(), explained, lacking }
    }

    /// Something was counted that queue_log does not have.
    fn are_missed(&self) -> bool {
        matches!(self, Self::Counts { extra, .. } if *extra > 0)
    }

    fn are_zero(&self) -> bool {
        match self {
            Self::Counts { said, counted, .. } => *said == 0 && *counted == 0,
            Self::Seconds { said, counted, .. } => *said == 0.0 && *counted == 0.0,
        }
    }
}

/// How many calls are kept behind a row.
const CALLS_MAX: usize = 1000;
/// A queue may well be silent for so long at the beginning or the end of a window.
const A_WHILE: Duration = Duration::from_secs(600);
/// How many queues are named that the PBX does not have.
const FOREIGN_SHOWN: usize = 10;
