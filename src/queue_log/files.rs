//! One log in several files: rotated, some of them gzipped.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::line::{Line, Malformed};
use super::lines::Lines;
use crate::clock::Moment;

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum QueueLogError {
    /// A file cannot be opened or read, or is damaged gzip data.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A file is named twice, and each of its lines would count twice.
    #[error("{}: named twice", path.display())]
    Twice { path: PathBuf },
}

/// A log: its files, the oldest first.
#[derive(Clone, Debug)]
pub struct QueueLog {
    files: Vec<PathBuf>,
}

impl QueueLog {
    /// A log in these files, in whatever order they are named; a file without a readable line comes first.
    ///
    /// # Errors
    /// A file cannot be read, or is named twice.
    pub fn open(paths: &[PathBuf]) -> Result<Self, QueueLogError> {
        let mut files = Vec::new();
        let mut seen = HashSet::new();
        for path in paths {
            let unreadable = |source| QueueLogError::Unreadable { path: path.clone(), source };
            if !seen.insert(path.canonicalize().map_err(unreadable)?) {
                return Err(QueueLogError::Twice { path: path.clone() });
            }
            // whatever can be read once only (a pipe) must not lose its beginning to this look
            let first = if paths.len() == 1 { None } else { first_moment(path).map_err(unreadable)? };
            files.push((first, path.clone()));
        }
        files.sort();
        Ok(Self { files: files.into_iter().map(|(_, path)| path).collect() })
    }

    /// Its files, the oldest first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Reads all files from their beginning: each line, or why it is none, with the file's place and its number.
    ///
    /// # Errors
    /// A file cannot be read to its end.
    pub fn read(&self, mut take: impl FnMut(usize, u64, Result<Line<'_>, Malformed>)) -> Result<(), QueueLogError> {
        for (at, path) in self.files.iter().enumerate() {
            let unreadable = |source| QueueLogError::Unreadable { path: path.clone(), source };
            let mut lines = Lines::new(open(path).map_err(unreadable)?);
            while let Some((number, line)) = lines.next_line().map_err(unreadable)? {
                take(at, number, line);
            }
        }
        Ok(())
    }
}

/// When the first line of a file was written that can be read.
fn first_moment(path: &Path) -> io::Result<Option<Moment>> {
    let mut lines = Lines::new(open(path)?);
    while let Some((_, line)) = lines.next_line()? {
        if let Ok(line) = line {
            return Ok(Some(line.at));
        }
    }
    Ok(None)
}

/// A file as it was before it was gzipped, if it was.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(CHUNK, File::open(path)?);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match packed {
        true => Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(file))),
        false => Box::new(file),
    })
}

const CHUNK: usize = 64 * 1024;
