//! The metrics of the time before the exporter, from Asterisk's `queue_log`.
//!
//! The log is read twice: `survey` finds out what is in it, `player` plays it through the recorder of
//! a live exporter, and `days` has the samples written, a file a day.  One day is in memory at a
//! time.
//!
//! - `told`: which metrics a log tells
//! - `facts`: what a line means, as the exporter would have observed it

mod days;
mod facts;
mod player;
mod survey;
#[cfg(test)]
mod tests;
mod told;

use std::io;
use std::path::PathBuf;

pub use days::Days;
pub use player::{Player, Summary};
pub use survey::Survey;

use crate::clock::Moment;
use crate::metrics::{History, Settings, Target};
use crate::pbx::PbxName;

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

/// An exporter of the past that counts what a log tells.
pub fn new_history(settings: Settings, pbx: &PbxName, target: &Target, by_agent: bool) -> History {
    History::new(settings, pbx, told::TOLD, target, by_agent)
}

/// A store forgets a series that has no sample for five minutes.
const BEAT: u64 = 240;
