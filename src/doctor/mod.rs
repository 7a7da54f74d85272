//! What is right with a PBX and its account, what is missing, and the line that mends it.
//!
//! [`Facts`] take in everything that a session receives, [`examine`] reads a list of findings from
//! them.  Nothing is guessed: what did not happen while it was watched is a finding of its own, which
//! says what to do to see it.

mod examine;
mod facts;
mod trunks;

pub use examine::{Examined, examine, not_begun, of_failure};
pub use facts::Facts;
use serde::Serialize;
pub use trunks::TRUNKS_BY_NAME;

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// How it is.
    pub level: Level,
    /// What was looked at, in a word: `login`, `trunks`.
    pub subject: &'static str,
    /// What was found, in a sentence.
    pub text: String,
    /// What mends it; empty if nothing is to be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
}

/// How something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Nothing has shown it yet.
    Unknown,
    /// Numbers are right, and could say more.
    Advice,
    /// Numbers are wrong or absent.
    Problem,
}

/// A line that mends something.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Remedy {
    /// Where it belongs: a file, and its section.
    pub place: String,
    /// The line.
    pub line: String,
}

impl Level {
    /// The level in one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Advice => "advice",
            Self::Problem => "problem",
        }
    }
}

impl Finding {
    fn new(level: Level, subject: &'static str, text: impl Into<String>) -> Self {
        Self { level, subject, text: text.into(), remedies: Vec::new() }
    }

    fn with(mut self, place: impl Into<String>, line: impl Into<String>) -> Self {
        self.remedies.push(Remedy { place: place.into(), line: line.into() });
        self
    }
}
