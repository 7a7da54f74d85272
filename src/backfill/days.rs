//! The files: one for each day (UTC), complete or not there.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::BackfillError;
use crate::calendar::utc;
use crate::clock::Moment;
use crate::metrics::{History, Pace, Span};

/// The folder with the files.
#[derive(Debug)]
pub struct Days {
    folder: PathBuf,
    /// The day that is not written yet, in days since the epoch.
    day: u64,
    /// A change so much later puts samples before it.
    lead: u64,
    samples: u64,
}

impl Days {
    /// Files in a folder, which is made if it is not there, from the day of the first sample on.
    ///
    /// # Errors
    /// The folder cannot be made, or has files of a run before and may not lose them.
    pub fn new(folder: &Path, pace: Pace, replace: bool) -> Result<Self, BackfillError> {
        let unwritable = |source| BackfillError::Unwritable { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unwritable)?;

        // Files of another run have other counters: with a mixture each change of the files would be
        // a reset.
        for file in fs::read_dir(folder).map_err(unwritable)? {
            let path = file.map_err(unwritable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !is_of_a_day(&name) {
                continue;
            }
            if !replace {
                return Err(BackfillError::Exists { path });
            }
            fs::remove_file(&path).map_err(|source| BackfillError::Unwritable { path, source })?;
        }

        let (day, lead) = (pace.begin() / DAY, pace.lead());
        Ok(Self { folder: folder.to_owned(), day, lead, samples: 0 })
    }

    /// The samples up to this second are there: writes the days that get no more of them.
    pub(super) fn pass(&mut self, history: &mut History, at: u64) -> Result<(), BackfillError> {
        while (self.day + 1) * DAY + self.lead <= at {
            self.write(history, None, false)?;
        }
        Ok(())
    }

    /// Writes the rest, of which the last samples are at `end`, where an exporter goes on if it
    /// `restarts`; returns how many samples were written in all.
    pub(super) fn finish(
        mut self,
        history: &mut History,
        end: u64,
        restarts: bool,
    ) -> Result<u64, BackfillError> {
        while self.day * DAY <= end {
            self.write(history, Some(end), restarts)?;
        }
        Ok(self.samples)
    }

    fn write(
        &mut self,
        history: &mut History,
        last: Option<u64>,
        restarts: bool,
    ) -> Result<(), BackfillError> {
        let day = utc(Moment::from_secs(self.day * DAY));
        let name = day.split('T').next().unwrap_or(&day);
        let path = self.folder.join(format!("{name}{ENDING}"));
        let begun = self.folder.join(format!("{name}{ENDING}{BEGUN}"));

        let unwritable = |source| BackfillError::Unwritable { path: path.clone(), source };
        let span = Span { begin: self.day * DAY, end: (self.day + 1) * DAY, last, restarts };
        let mut file = BufWriter::new(File::create(&begun).map_err(unwritable)?);
        self.samples += history.write(&mut file, span).map_err(unwritable)?;
        file.flush().map_err(unwritable)?;
        fs::rename(&begun, &path).map_err(unwritable)?;
        self.day += 1;
        Ok(())
    }
}

/// Whether a run has, or may have, given a file this name: `2026-11-23.om`, or the same while it is
/// written.
fn is_of_a_day(name: &str) -> bool {
    let name = name.strip_suffix(BEGUN).unwrap_or(name);
    let Some(day) = name.strip_suffix(ENDING) else { return false };
    let is_form = |(sign, form): (u8, u8)| match form {
        b'0' => sign.is_ascii_digit(),
        _ => sign == form,
    };
    day.len() == FORM.len() && day.bytes().zip(FORM.bytes()).all(is_form)
}

const DAY: u64 = 86_400;
const ENDING: &str = ".om";
const BEGUN: &str = ".begun";
/// A day, with `0` for each digit.
const FORM: &str = "0000-00-00";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_days_are_those_of_a_run() {
        let ours = ["2026-11-23.om", "1970-01-01.om", "2026-11-23.om.begun"];
        assert!(ours.iter().all(|name| is_of_a_day(name)));
        let others = [
            "2026-11-23",
            "2026-11-23.om.gz",
            "2026-11-23-pbx2.om",
            "x2026-11-23.om",
            "notes.om",
            "2026_11_23.om",
            "2026-1-23.om",
            ".om",
            "2026-11-2\u{e9}.om",
            "2026-11-23.begun",
        ];
        assert!(others.iter().all(|name| !is_of_a_day(name)));
    }
}
