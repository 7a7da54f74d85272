//! One log in several files: rotated, compressed, or exported from a database.

use std::collections::HashSet;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use super::entry::Entry;
use super::line::Line;
use super::lines::Lines;
use super::malformed::Malformed;
use super::packed;
use super::zone::Zones;
use crate::calendar::{Offset, utc};
use crate::clock::Moment;
use crate::progress::Progress;

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum QueueLogError {
    /// A file cannot be opened or read, or its compressed data is damaged.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system, or of the decompressor.
        #[source]
        source: io::Error,
    },
    /// Two of the paths are the same file, whose lines would count double.
    #[error("{}: given more than once", path.display())]
    Duplicate {
        /// The second of the paths.
        path: PathBuf,
    },
    /// Most of a file's lines cannot be read, so it is something else.
    #[error(
        "{}: not a queue_log: {malformed} of {lines} lines cannot be read, the first of them is line {line} ({why}); \
         an export of a database needs its column names in the first line (time,callid,queuename,agent,event,data)",
        path.display()
    )]
    NotALog {
        /// The file.
        path: PathBuf,
        /// How many lines are malformed.
        malformed: u64,
        /// How many lines there are.
        lines: u64,
        /// The first malformed one.
        line: u64,
        /// Why that one is.
        why: Malformed,
    },
    /// A file has local times, and nothing in it shows their zone, or it can be read only once.
    #[error("{}: has local times ({example}), and {why}: give their zone with --log-offset, such as +02:00", path.display())]
    NoZone {
        /// The file.
        path: PathBuf,
        /// Such a time.
        example: String,
        /// Why the zone is unknown.
        why: &'static str,
    },
}

/// A log: its files, the oldest first.
#[derive(Clone, Debug)]
pub struct QueueLog {
    files: Vec<LogFile>,
    paths: Vec<PathBuf>,
}

/// One of its files.
#[derive(Clone, Debug)]
struct LogFile {
    path: PathBuf,
    zones: Zones,
    /// Where the zones come from.
    source: Source,
    progress: Progress,
}

/// Where the zones of a file come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Source {
    /// The user gave it.
    Given,
    /// The calls in the file show it.
    Calls,
    /// It is unknown: a pipe can be read only once, and finding the zone needs a pass of its own.
    Unknown,
}

impl QueueLog {
    /// A log in these files, in whatever order they are named; a file without a readable line comes
    /// first.  Local times in them are at `offset`, if that is given, else at what the calls in
    /// each file show.
    ///
    /// # Errors
    /// A file cannot be read, is given more than once, or has local times of a zone that nothing
    /// shows.
    pub fn open(paths: &[PathBuf], offset: Option<Offset>) -> Result<Self, QueueLogError> {
        let mut files = Vec::new();
        let mut canonical = HashSet::new();

        for path in paths {
            let unreadable = |source| QueueLogError::Unreadable { path: path.clone(), source };
            if !canonical.insert(path.canonicalize().map_err(unreadable)?) {
                return Err(QueueLogError::Duplicate { path: path.clone() });
            }

            let is_file = path.metadata().map_err(unreadable)?.is_file();
            let file = LogFile::open(path, is_file, offset).map_err(unreadable)?;

            // Whatever can be read once only (a pipe) must not lose its beginning to this look.
            let first = if paths.len() == 1 { None } else { file.first_moment()? };
            files.push((first, file));
        }

        files.sort_by(|(a, file), (b, other)| (a, &file.path).cmp(&(b, &other.path)));
        let files: Vec<_> = files.into_iter().map(|(_, file)| file).collect();
        let paths = files.iter().map(|file| file.path.clone()).collect();
        Ok(Self { files, paths })
    }

    /// Tells `progress` how many bytes of the files were read, as they are on the disk.
    pub fn with_progress(mut self, progress: &Progress) -> Self {
        for file in &mut self.files {
            file.progress = progress.clone();
        }
        self
    }

    /// Its files, the oldest first.
    pub fn files(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The zones that were found out, of each file that has local times.
    pub fn zones(&self) -> impl Iterator<Item = (&Path, Vec<Offset>)> {
        let found = self.files.iter().filter(|file| file.source == Source::Calls);
        found.map(|file| (&*file.path, file.zones.all())).filter(|(_, zones)| !zones.is_empty())
    }

    /// Reads all files from their beginning: each line, or why it is none, with the file's place
    /// and its number.
    ///
    /// # Errors
    /// A file cannot be read to its end, is not a queue_log, or has local times of a zone that
    /// nothing shows.
    pub fn read(
        &self,
        mut take: impl FnMut(usize, u64, Result<Line<'_>, Malformed>),
    ) -> Result<(), QueueLogError> {
        for (at, file) in self.files.iter().enumerate() {
            file.read(|number, line| {
                take(at, number, line);
                true
            })?;
        }
        Ok(())
    }
}

impl LogFile {
    fn open(path: &Path, is_file: bool, offset: Option<Offset>) -> io::Result<Self> {
        let (zones, source) = match (offset, is_file) {
            (Some(offset), _) => (Zones::fixed(offset), Source::Given),
            (None, true) => (zones(packed::open(path, &Progress::default())?)?, Source::Calls),
            (None, false) => (Zones::default(), Source::Unknown),
        };
        Ok(Self { path: path.to_owned(), zones, source, progress: Progress::default() })
    }

    /// Reads it from its beginning, for as long as `take` wants more.
    fn read(
        &self,
        mut take: impl FnMut(u64, Result<Line<'_>, Malformed>) -> bool,
    ) -> Result<(), QueueLogError> {
        let unreadable = |source| QueueLogError::Unreadable { path: self.path.clone(), source };
        let mut lines = Lines::new(packed::open(&self.path, &self.progress).map_err(unreadable)?);
        let mut quality = Quality::default();

        while let Some((number, entry)) = lines.next_entry().map_err(unreadable)? {
            let line = match entry {
                Ok(entry) => self.moment(number, &entry).map(|at| Line::of(entry, at))?,
                Err(why) => Err(why),
            };

            quality.add(number, line.as_ref().err().copied());
            if !take(number, line) {
                return Ok(());
            }
        }
        quality.verdict(&self.path)
    }

    /// When an entry was written.
    fn moment(&self, number: u64, entry: &Entry<'_>) -> Result<Moment, QueueLogError> {
        let written = Moment::from_secs(entry.when.seconds);
        if !entry.when.local {
            return Ok(written);
        }

        match self.zones.at(number) {
            Some(Offset(east)) => {
                Ok(Moment::from_secs(entry.when.seconds.saturating_add_signed(-east)))
            }
            None => Err(self.no_zone(written)),
        }
    }

    fn no_zone(&self, written: Moment) -> QueueLogError {
        let example = utc(written).replace('T', " ").replace('Z', "");
        let why = match self.source {
            Source::Given | Source::Calls => "no call's Uniqueid in it shows their zone",
            Source::Unknown => "only a file can be searched for Uniqueids that show their zone",
        };

        QueueLogError::NoZone { path: self.path.clone(), example, why }
    }

    /// When its first line was written that can be read.
    fn first_moment(&self) -> Result<Option<Moment>, QueueLogError> {
        let mut first = None;
        self.read(|_, line| {
            first = line.ok().map(|line| line.at);
            first.is_none()
        })?;
        Ok(first)
    }
}

/// Looks for the zones of local times, if the file has any.
fn zones(source: impl BufRead) -> io::Result<Zones> {
    let mut zones = Zones::default();
    let mut lines = Lines::new(source);
    while let Some((number, entry)) = lines.next_entry()? {
        match entry {
            Ok(entry) if !entry.when.local => break,
            Ok(entry) => zones.learn(number, &entry),
            Err(_) => {}
        }
    }
    Ok(zones)
}

/// How much of a file is what it should be.
#[derive(Clone, Copy, Debug, Default)]
struct Quality {
    lines: u64,
    malformed: u64,
    first: Option<(u64, Malformed)>,
}

impl Quality {
    fn add(&mut self, number: u64, malformed: Option<Malformed>) {
        self.lines += 1;
        if let Some(why) = malformed {
            self.malformed += 1;
            self.first = self.first.or(Some((number, why)));
        }
    }

    /// A damaged log has a few such lines; something else has them mostly.
    fn verdict(self, path: &Path) -> Result<(), QueueLogError> {
        let Self { lines, malformed, first } = self;

        match first {
            Some((line, why)) if 2 * malformed > lines => {
                Err(QueueLogError::NotALog { path: path.to_owned(), malformed, lines, line, why })
            }
            _ => Ok(()),
        }
    }
}
