//! What is right with a PBX and its account, what is missing, and the line that mends it.
//!
//! [`Facts`] take in everything that a session receives, [`examine`] reads a list of findings from
//! them.  Nothing is guessed: what did not happen while it was watched is a finding of its own, which
//! says what to do to see it.

mod distribution;
mod examine;
mod facts;
mod limits;
mod patterns;
mod targets;
mod trunks;

pub use examine::{Examined, examine, not_begun, of_failure};
pub use facts::Facts;
pub use patterns::TRUNKS_BY_NAME;
use serde::Serialize;
pub use targets::Targets;

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

/// The first of these names, and how many more there are.
fn list(names: &[&str]) -> String {
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

/// Names that a sentence has.
const SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_ten_names() {
        let names: Vec<String> = (0..12).map(|number| format!("SIP/t{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(list(&names).ends_with("SIP/t09 and 2 more"));
        assert!(list(&names[..10]).ends_with("SIP/t09"));
    }
}
