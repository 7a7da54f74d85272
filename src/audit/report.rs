//! The result of an audit.

use std::collections::BTreeMap;

use super::subject::{Apart, Position, Reason, Subject};
use super::window::{Edge, Window};
use crate::calendar::utc;
use crate::error::printable;
use crate::queue_log::Malformed;

/// The result of an audit.
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
    pub(super) unreached: Option<String>,
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
    /// Calls behind a difference, where a capture has them; the first thousand.
    pub calls: Vec<CallRow>,
    /// How many more there are.
    pub more_calls: u64,
}

/// What is compared in a row.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// A number both sides have.
    Count(Subject),
    /// A number only the exporter has, which no line of queue_log fits.
    Apart(Apart),
    /// Seconds that answered callers waited.
    Hold,
    /// Seconds that caller and agent talked.
    Talk,
    /// Places of callers in the queue, added up.
    Position(Position),
}

/// Both sides of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// Lines and counts.
    Counts {
        /// Lines of queue_log.
        logged: u64,
        /// What the exporter counted.
        counted: u64,
        /// Lines that nothing explains.
        missing: u64,
        /// Counts that nothing explains.
        extra: u64,
        /// Differences that have a reason.
        explained: Vec<(Reason, u64)>,
    },
    /// Seconds.
    Seconds {
        /// Those in queue_log.
        logged: f64,
        /// Those that the exporter measured.
        counted: f64,
        /// By how many both sides may differ.
        tolerance: u64,
        /// Seconds that have a reason, and of how many calls.
        explained: Vec<(Reason, f64, u64)>,
        /// Calls that were counted without their length, for no known reason.
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
        let since = edge(self.window.since);
        let until = edge(self.window.until);
        let mut why = match &self.unreached {
            Some(why) => {
                vec![format!("{why}: it does not reach into the time from {since} to {until}")]
            }
            None if self.rows.is_empty() => vec![format!(
                "nothing to compare from {since} to {until}: no line of queue_log counts there, and the exporter counted nothing"
            )],
            None => return None,
        };

        // What was read and is no part of the comparison may show why.
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

    pub(super) const fn of(differs: bool, explains: bool) -> Self {
        match (differs, explains) {
            (true, _) => Self::Differs,
            (false, true) => Self::Explained,
            (false, false) => Self::Equal,
        }
    }
}

impl Figures {
    /// Whether something was counted that queue_log does not have.
    pub(super) fn are_missed(&self) -> bool {
        matches!(self, Self::Counts { extra, .. } if *extra > 0)
    }

    pub(super) fn are_zero(&self) -> bool {
        match self {
            Self::Counts { logged, counted, .. } => *logged == 0 && *counted == 0,
            Self::Seconds { logged, counted, .. } => *logged == 0.0 && *counted == 0.0,
        }
    }
}

/// How many queues are named that the PBX does not have.
const FOREIGN_SHOWN: usize = 10;
