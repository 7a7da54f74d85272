//! Mistakes in a configuration, and their places.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, io};

use thiserror::Error;

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: not readable", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The configuration is wrong in these places, a line each.
    #[error("{}", lines(.0))]
    Mistakes(Vec<Mistake>),
}

/// One thing wrong in one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Where the value comes from.
    pub place: Place,
    /// The key, as `pbx[0].address`; empty for the whole file.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Where a value comes from.  A later kind overrides an earlier one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// A place in a file; both numbers count from 1.
    At {
        /// The file as it was named.
        file: Arc<str>,
        /// The line.
        line: u64,
        /// The column, in characters.
        column: u64,
    },
    /// A file as a whole, or `configuration` where there is none.
    Whole(Arc<str>),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Place {
    /// How strong the source is: file, environment, flags.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::At { .. } | Self::Whole(_) => 0,
            Self::Variable(_) => 1,
            Self::Flag(_) => 2,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Whole(name) => f.write_str(name),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Collects what is wrong while the rest is read on, so that one run shows every mistake.
#[derive(Debug, Default)]
pub(super) struct Report {
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
}

impl Report {
    pub(super) fn mistake(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(super) fn warning(&self, warning: Mistake) {
        self.warnings.borrow_mut().push(warning);
    }

    /// The warnings, if there is no mistake.
    pub(super) fn finish(self) -> Result<Vec<Mistake>, Error> {
        let mut mistakes = self.mistakes.into_inner();
        let mut warnings = self.warnings.into_inner();
        for found in [&mut mistakes, &mut warnings] {
            found.sort_by(|a, b| a.place.cmp(&b.place));
        }
        if mistakes.is_empty() { Ok(warnings) } else { Err(Error::Mistakes(mistakes)) }
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
}
