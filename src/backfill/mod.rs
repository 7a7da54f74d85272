//! The metrics of the time before the exporter, from Asterisk's `queue_log`.
//!
//! The log is read twice: `survey` finds out what is in it, `player` plays it through the recorder of
//! a live exporter, and `days` has the samples written, a file a day.  One day is in memory at a
//! time.
//!
//! - `size`: about how much that will be
//! - `told`: which metrics a log tells
//! - `agents`: agents with an alias
//! - `facts`: what a line means, as the exporter would have observed it

mod agents;
mod days;
mod facts;
mod player;
mod size;
mod survey;
#[cfg(test)]
mod tests;
mod told;

use std::io;
use std::path::PathBuf;

pub use agents::AgentAliases;
pub use days::Days;
pub use player::{Player, Summary};
pub use size::Size;
pub use survey::Survey;

use crate::clock::Moment;
use crate::metrics::{AgentLabel, History, Pace, Settings, Target};

/// What is backfilled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    /// From this line on; if left out, from the first one.
    pub from: Option<Moment>,
    /// Up to the lines of this second, exclusive; if left out, up to the last one.
    pub to: Option<Moment>,
    /// Samples are at multiples of so many seconds.
    pub step: u64,
}

impl Period {
    /// When there are samples, for a log whose first line in it is of `first`.
    ///
    /// Nothing is said about the second `from` itself: a run that ended there has its last samples
    /// at it, beside which a zero would be a reset and the same number counted again.
    pub fn pace(self, first: Moment) -> Pace {
        let begin = self.from.map_or_else(
            || {
                let pace = Pace::new(self.step, 0);
                pace.after(whole(first)).saturating_sub(pace.lead())
            },
            |from| whole(from) + 1,
        );
        let begin = self.to.map_or(begin, |to| begin.min(whole(to).saturating_sub(1)));
        Pace::new(self.step, begin)
    }

    /// Whether a line written at this moment is in it.
    pub fn has(self, at: Moment) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}

/// Why the past could not be written.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// A file of the output is there already.
    #[error("{}: is there already; --force replaces it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
}

/// An exporter of the past that counts what a log tells.  Without `by_agent` all agents of a queue
/// are one series, as with `agent_label: none`.
pub fn new_history(settings: Settings, target: &Target, by_agent: bool, pace: Pace) -> History {
    let agent_label = if by_agent { settings.agent_label.clone() } else { AgentLabel::None };
    History::new(Settings { agent_label, ..settings }, told::TOLD, target, pace)
}

/// In whole seconds.
const fn whole(at: Moment) -> u64 {
    at.as_micros() / 1_000_000
}
