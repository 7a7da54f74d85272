//! The files: one for each day (UTC), complete or not there.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::{BEAT, BackfillError};
use crate::calendar::utc;
use crate::clock::Moment;
use crate::metrics::{History, Span};

/// The folder with the files.
#[derive(Debug)]
pub struct Days {
    folder: PathBuf,
    /// The day that is not written yet, in days since the epoch.
    day: u64,
    /// The step of the samples: what is new has a zero that long before.
    step: u64,
    samples: u64,
}

impl Days {
    /// Files in a folder, which is made if it is not there, from the day of `first` on.
    ///
    /// # Errors
    /// The folder cannot be made, or has such files and may not lose them.
    pub fn new(
        folder: &Path,
        first: Moment,
        step: u64,
        replace: bool,
    ) -> Result<Self, BackfillError> {
        let unwritable = |source| BackfillError::Unwritable { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unwritable)?;

        // Files of another run have other counters: with a mixture each change of the files would be
        // a reset.
        for file in fs::read_dir(folder).map_err(unwritable)? {
            let path = file.map_err(unwritable)?.path();
            let is_ours = path.extension().is_some_and(|end| end == ENDING);
            if is_ours && !replace {
                return Err(BackfillError::Exists { path });
            }
            if is_ours {
                fs::remove_file(&path)
                    .map_err(|source| BackfillError::Unwritable { path, source })?;
            }
        }

        // The zero before the first sample may be of the day before.
        let begin = first.as_micros() / 1_000_000;
        let day = (begin / step * step) / DAY;
        Ok(Self { folder: folder.to_owned(), day, step, samples: 0 })
    }

    /// The samples up to this second are there: writes the days that get no more of them.
    pub(super) fn pass(&mut self, history: &mut History, at: u64) -> Result<(), BackfillError> {
        while (self.day + 1) * DAY <= at {
            self.write(history, None)?;
        }
        Ok(())
    }

    /// Writes the rest, of which the last samples are at `end`; returns how many samples were written
    /// in all.
    pub(super) fn finish(mut self, history: &mut History, end: u64) -> Result<u64, BackfillError> {
        while self.day * DAY <= end {
            self.write(history, Some(end))?;
        }
        Ok(self.samples)
    }

    fn write(&mut self, history: &mut History, last: Option<u64>) -> Result<(), BackfillError> {
        let day = utc(Moment::from_secs(self.day * DAY));
        let name = day.split('T').next().unwrap_or(&day);
        let path = self.folder.join(format!("{name}.{ENDING}"));
        let begun = self.folder.join(format!("{name}.{ENDING}.begun"));

        let unwritable = |source| BackfillError::Unwritable { path: path.clone(), source };
        let span = Span { end: (self.day + 1) * DAY, beat: BEAT / self.step * self.step, last };
        let mut file = BufWriter::new(File::create(&begun).map_err(unwritable)?);
        self.samples += history.write(&mut file, span).map_err(unwritable)?;
        file.flush().map_err(unwritable)?;
        fs::rename(&begun, &path).map_err(unwritable)?;
        self.day += 1;
        Ok(())
    }
}

const DAY: u64 = 86_400;
const ENDING: &str = "om";
