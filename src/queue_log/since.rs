//! The end of a log that is being written: its lines from a second on, also if it was rotated since.
//!
//! Lines are in the order of their seconds, so a file that is not compressed is searched by halves,
//! however long it is.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::files::QueueLogError;
use super::line::Line;
use super::lines::Lines;
use super::packed;
use crate::clock::Moment;
use crate::progress::Progress;

/// Why the end of a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// A file cannot be read.
    #[error(transparent)]
    Log(#[from] QueueLogError),
    /// There is more than is read at once.
    #[error("{}: more than {} MiB since then", path.display(), MOST >> 20)]
    TooMuch {
        /// The log.
        path: PathBuf,
    },
}

/// Reads the lines of a log that were written in a second of the PBX's clock or later.  A line that
/// is malformed, has a local time, or is not written to its end yet is left out.
///
/// # Errors
/// A file cannot be read, or there is too much.
pub fn read_since(
    path: &Path,
    second: u64,
    mut take: impl FnMut(&Line<'_>),
) -> Result<(), SinceError> {
    let unreadable = |path: &Path, source| QueueLogError::Unreadable { path: path.into(), source };
    let mut left = MOST;

    // The file is opened before its folder is read: a rotation in between renames what is open, and
    // the lines of a file that is read twice are told apart by nothing.
    let current = File::open(path).map_err(|source| unreadable(path, source))?;
    let first = first_second(&current).map_err(|source| unreadable(path, source))?;
    if first.is_none_or(|first| first >= second) {
        let rotated = rotated(path, &current, second).map_err(|source| unreadable(path, source))?;
        for file in rotated {
            let source = packed::open(&file, &Progress::default());
            let source = source.map_err(|source| unreadable(&file, source))?;
            read(source, second, &mut left, &mut take)
                .map_err(|source| unreadable(&file, source))?;
        }
    }

    let begin = find(&current, second).map_err(|source| unreadable(path, source))?;
    let source = from(&current, begin).map_err(|source| unreadable(path, source))?;
    read(source, second, &mut left, &mut take).map_err(|source| unreadable(path, source))?;

    if left == 0 {
        return Err(SinceError::TooMuch { path: path.into() });
    }
    Ok(())
}

/// Reads whole lines to the end, or until nothing is `left`.
fn read(
    source: impl BufRead,
    second: u64,
    left: &mut u64,
    take: &mut impl FnMut(&Line<'_>),
) -> io::Result<()> {
    let mut source = source.take(*left);
    let mut lines = Lines::of_whole(&mut source);
    while let Some((_, entry)) = lines.next_entry()? {
        let Ok(entry) = entry else { continue };
        if entry.when.local || entry.when.seconds < second {
            continue;
        }
        if let Ok(line) = Line::of(entry, Moment::from_secs(entry.when.seconds)) {
            take(&line);
        }
    }
    *left = source.limit();
    Ok(())
}

/// The place of a line before which all are older than `second`, but for lines that are slightly out
/// of order.
fn find(file: &File, second: u64) -> io::Result<u64> {
    let (mut low, mut high) = (0, file.metadata()?.len());
    while high - low > NEAR {
        let middle = low + (high - low) / 2;
        match second_behind(file, middle)? {
            Some(there) if there < second.saturating_sub(DISORDER) => low = middle,
            Some(_) | None => high = middle,
        }
    }
    // At a place in the middle of a line: it is left out, and older.
    Ok(low)
}

/// The second of the first line that begins behind a place.
fn second_behind(file: &File, place: u64) -> io::Result<Option<u64>> {
    let mut lines = Lines::of_whole(from(file, place)?);
    while let Some((_, entry)) = lines.next_entry()? {
        if let Ok(entry) = entry {
            return Ok(Some(entry.when.seconds));
        }
    }
    Ok(None)
}

fn first_second(file: &File) -> io::Result<Option<u64>> {
    second_behind(file, 0)
}

/// The file from a line on: from its beginning, or from the next that begins behind a place.
fn from(mut file: &File, place: u64) -> io::Result<BufReader<&File>> {
    file.seek(SeekFrom::Start(place))?;
    let mut source = BufReader::with_capacity(CHUNK, file);
    if place > 0 {
        source.skip_until(b'\n')?;
    }
    Ok(source)
}

/// Files beside the log that it was before, as logrotate and Asterisk name them (`queue_log.1`,
/// `queue_log.2.gz`, `queue_log-20261130`), if they were written in that second or later; the
/// oldest first.
fn rotated(path: &Path, current: &File, second: u64) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(vec![]) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let opened = same_file(&current.metadata()?);

    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name();
        let end = other.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
        if !end.is_some_and(|end| matches!(end.first(), Some(b'.' | b'-'))) {
            continue;
        }
        // One that goes while we look was rotated once more, and is found under its next name.
        let Ok(metadata) = entry.metadata() else { continue };
        let written = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if metadata.is_file() && same_file(&metadata) != opened && written >= second {
            found.push((written, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// What a file is, whatever its name.
fn same_file(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Of a file in which is searched, so many bytes are not worth another step.
const NEAR: u64 = 64 * 1024;
/// Seconds by which lines may be out of order: several threads write them.
const DISORDER: u64 = 60;
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;
/// The most that is read: a day of 100,000 calls is 40 MB.
const MOST: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn seconds(path: &Path, second: u64) -> Vec<u64> {
        let mut found = Vec::new();
        let take = |line: &Line<'_>| found.push(line.at.as_micros() / 1_000_000);
        read_since(path, second, take).expect("a log");
        found
    }

    fn line(second: u64) -> String {
        format!("{second}|{second}.7|sales|NONE|ENTERQUEUE||12025550125|1\n")
    }

    fn lines(seconds: impl Iterator<Item = u64>) -> String {
        seconds.map(line).collect()
    }

    #[test]
    fn of_a_long_log_only_the_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue_log");
        fs::write(&path, lines(1_000_000..1_200_000)).unwrap();
        for second in [1_199_999, 1_199_000, 1_100_000, 1_000_000, 5] {
            let expected: Vec<_> = (second.max(1_000_000)..1_200_000).collect();
            assert_eq!(seconds(&path, second), expected, "{second}");
        }
        assert_eq!(seconds(&path, 1_200_000), [0; 0]);

        let file = File::open(&path).unwrap();
        let begin = find(&file, 1_199_000).unwrap();
        let size = file.metadata().unwrap().len();
        // 1,060 lines of 57 bytes, and a last step of the search.
        assert!(size - begin < 2 * NEAR + 1_060 * 57, "{begin} of {size}");
    }

    #[test]
    fn a_line_that_is_not_whole_yet_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue_log");
        fs::write(&path, format!("{}nothing\n1002|1.2|sales|NONE|ENTERQ", line(1001))).unwrap();
        assert_eq!(seconds(&path, 1000), [1001]);
    }

    #[test]
    fn a_log_that_was_rotated_goes_on_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue_log");
        let put = |name: &str, bytes: &[u8], written: u64| {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            let at = UNIX_EPOCH + std::time::Duration::from_secs(written);
            File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
        };
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(lines(1000..1010).as_bytes()).unwrap();
        put("queue_log.2.gz", &packed.finish().unwrap(), 1009);
        put("queue_log.1", lines(1010..1020).as_bytes(), 1019);
        put("queue_log", lines(1020..1025).as_bytes(), 1024);
        put("queue_log.3.gz", b"damaged, but too old to be looked at", 990);
        put("queue_logs", lines(1000..1005).as_bytes(), 1024);

        assert_eq!(seconds(&path, 1005), (1005..1025).collect::<Vec<_>>());
        assert_eq!(seconds(&path, 1015), (1015..1025).collect::<Vec<_>>());
        assert_eq!(seconds(&path, 1021), (1021..1025).collect::<Vec<_>>());

        // Just rotated: nothing was written since.
        put("queue_log", b"", 1030);
        assert_eq!(seconds(&path, 1018), [1018, 1019]);
    }

    #[test]
    fn no_log_and_a_damaged_one_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue_log");
        let error = read_since(&path, 1000, |_| {}).unwrap_err();
        assert!(error.to_string().ends_with("/queue_log: cannot be read"), "{error}");
    }
}
