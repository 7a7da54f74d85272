//! The file of a capture: only its owner may read it, nothing is overwritten unasked, and what
//! was written up to the last flush can be replayed whatever happens then.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A gzipped file that is being written.
#[derive(Debug)]
pub struct CaptureFile {
    path: PathBuf,
    state: State,
}

/// What is at the path.
#[derive(Debug)]
enum State {
    /// A new file, and empty.
    New(File),
    /// What was there before; the first write replaces it.
    Old(File),
    /// The capture.
    Written(Encoder),
    /// A write failed: nothing more is written.
    Broken,
}

type Encoder = GzEncoder<BufWriter<File>>;

/// Why there is no capture, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Something is there, and the user did not allow replacing it.
    #[error("{}: exists already; --force replaces it", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The file has another name, too, under which nobody expects it to be overwritten.
    #[error("{}: is a link to another file, which is not written over; give another name", path.display())]
    Link {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be made or opened.
    #[error("{}: cannot be created", path.display())]
    Uncreatable {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written, for example because the disk is full.
    #[error("{}: cannot be written, what is in it so far can be replayed", path.display())]
    Unwritable {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
}

impl CaptureFile {
    /// Creates the file.  One that is there is opened only with `force`, and stays as it is until
    /// the first write.
    ///
    /// # Errors
    /// The file exists, is a link, or cannot be created.
    pub fn create(path: &Path, force: bool) -> Result<Self, FileError> {
        let uncreatable = |source| FileError::Uncreatable { path: path.into(), source };
        let mut options = OpenOptions::new();
        options.write(true).mode(OWNER_ONLY);

        let state = match options.clone().create_new(true).open(path) {
            Ok(file) => State::New(file),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(uncreatable(error));
            }
            Err(_) if !force => return Err(FileError::Exists { path: path.into() }),
            Err(_) => State::Old(open_old(path, &mut options)?),
        };
        Ok(Self { path: path.into(), state })
    }

    /// Writes more of the capture.
    ///
    /// # Errors
    /// The file cannot be written, for example because the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.encoder().and_then(|encoder| encoder.write_all(bytes));
        written.map_err(|source| self.broken(source))
    }

    /// Brings everything written so far to where it outlives this process.
    ///
    /// # Errors
    /// The file cannot be written, for example because the disk is full.
    pub fn flush(&mut self) -> Result<(), FileError> {
        let State::Written(encoder) = &mut self.state else { return Ok(()) };
        encoder.flush().map_err(|source| self.broken(source))
    }

    /// Ends the file and returns its size; a new file to which nothing was written is removed.
    ///
    /// # Errors
    /// The file cannot be written, for example because the disk is full.
    pub fn finish(mut self) -> Result<u64, FileError> {
        match &mut self.state {
            State::Written(encoder) => end(encoder).map_err(|source| self.broken(source)),
            State::New(_) => {
                // An empty file does no harm.
                let _ = std::fs::remove_file(&self.path);
                Ok(0)
            }
            State::Old(_) | State::Broken => Ok(0),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The compressor.  It writes a header even if nothing follows, so it is made by the
    /// first write.
    fn encoder(&mut self) -> io::Result<&mut Encoder> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::New(file) => self.state = State::Written(encoder_of(file)),
            State::Old(file) => {
                clear(&file)?;
                self.state = State::Written(encoder_of(file));
            }
            State::Written(encoder) => self.state = State::Written(encoder),
            State::Broken => {}
        }

        match &mut self.state {
            State::Written(encoder) => Ok(encoder),
            State::New(_) | State::Old(_) | State::Broken => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn broken(&mut self, source: io::Error) -> FileError {
        self.state = State::Broken;
        FileError::Unwritable { path: self.path.clone(), source }
    }
}

/// Opens what is there, if it has no other name: in a folder that others may write to, someone
/// could have placed a link to a file of ours.
fn open_old(path: &Path, options: &mut OpenOptions) -> Result<File, FileError> {
    let opened = options.custom_flags(libc::O_NOFOLLOW).open(path).and_then(|file| {
        let about = file.metadata()?;
        Ok((file, about.is_file() && about.nlink() > 1))
    });

    match opened {
        Ok((file, false)) => Ok(file),
        Ok((_, true)) => Err(FileError::Link { path: path.into() }),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            Err(FileError::Link { path: path.into() })
        }
        Err(source) => Err(FileError::Uncreatable { path: path.into(), source }),
    }
}

fn encoder_of(file: File) -> Encoder {
    GzEncoder::new(BufWriter::new(file), Compression::default())
}

/// Empties a file; a pipe or a device has neither a length nor a former content.
fn clear(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(OWNER_ONLY))?;
        file.set_len(0)?;
    }
    Ok(())
}

fn end(encoder: &mut Encoder) -> io::Result<u64> {
    encoder.try_finish()?;
    encoder.get_mut().flush()?;
    encoder.get_ref().get_ref().metadata().map(|data| data.len())
}

/// Calls are personal data, even under pseudonyms.
const OWNER_ONLY: u32 = 0o600;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("asterisk_exporter-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    fn content(path: &Path) -> (String, bool) {
        let mut text = String::new();
        let whole =
            MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).is_ok();
        (text, whole)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_flushed_can_be_read_before_the_end() {
        let path = scratch("flushed");
        let mut output = CaptureFile::create(&path, false).unwrap();
        output.write(b"first ").unwrap();
        output.flush().unwrap();
        output.write(b"second").unwrap();
        let mut bytes = Vec::new();
        let cut = MultiGzDecoder::new(File::open(&path).unwrap()).read_to_end(&mut bytes);
        assert!(cut.is_err());
        assert_eq!(bytes, b"first ");
        let size = output.finish().unwrap();
        assert_eq!((content(&path), mode(&path)), (("first second".to_owned(), true), 0o600));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), size);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_is_replaced_only_by_force_and_only_when_there_is_something_to_write() {
        let path = scratch("replaced");
        std::fs::write(&path, b"a long letter from home, far longer than the capture").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = CaptureFile::create(&path, false).unwrap_err();
        assert!(error.to_string().ends_with(": exists already; --force replaces it"), "{error}");
        assert_eq!(CaptureFile::create(&path, true).unwrap().finish().unwrap(), 0);
        assert!(std::fs::read(&path).unwrap().starts_with(b"a long letter"));
        let mut output = CaptureFile::create(&path, true).unwrap();
        output.write(b"new").unwrap();
        output.finish().unwrap();
        assert_eq!((content(&path), mode(&path)), (("new".to_owned(), true), 0o600));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let (path, letter) = (scratch("link"), scratch("letter"));
        std::fs::write(&letter, b"a letter").unwrap();
        let refused = || {
            let error = CaptureFile::create(&path, true).unwrap_err();
            std::fs::remove_file(&path).unwrap();
            assert!(matches!(error, FileError::Link { .. }), "{error}");
        };
        std::os::unix::fs::symlink(&letter, &path).unwrap();
        refused();
        std::os::unix::fs::symlink("/nowhere/at/all", &path).unwrap();
        refused();
        std::fs::hard_link(&letter, &path).unwrap();
        refused();
        assert_eq!(std::fs::read(&letter).unwrap(), b"a letter");
        std::fs::remove_file(&letter).unwrap();
    }

    #[test]
    fn without_a_capture_no_file_is_left() {
        let path = scratch("nothing");
        assert_eq!(CaptureFile::create(&path, false).unwrap().finish().unwrap(), 0);
        assert!(!path.exists());
    }

    #[test]
    fn a_full_disk_and_a_missing_folder_are_reported_by_name() {
        let mut full = CaptureFile::create(Path::new("/dev/full"), true).unwrap();
        full.write(b"something").unwrap();
        let error = full.flush().unwrap_err();
        assert_eq!(
            error.to_string(),
            "/dev/full: cannot be written, what is in it so far can be replayed"
        );
        let error = CaptureFile::create(Path::new("/nowhere/at/all"), false).unwrap_err();
        assert!(matches!(error, FileError::Uncreatable { .. }), "{error}");
    }
}
