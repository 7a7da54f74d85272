//! The file of a recording: only its owner may read it, nothing is overwritten unasked, and what
//! was written up to the last flush can be played whatever happens then.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A gzipped file that is being written.
#[derive(Debug)]
pub struct Output {
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
    /// The recording.
    Written(Packer),
    /// Nothing more of it: a write failed.
    Broken,
}

type Packer = GzEncoder<BufWriter<File>>;

/// Why there is no recording, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Something is there, and nobody said that it may go.
    #[error("{}: exists already; --force replaces it", path.display())]
    Exists { path: PathBuf },
    /// What would be written over stands somewhere else, too: nobody meant that place.
    #[error("{}: is a link to another file, which is not written over; give another name", path.display())]
    Link { path: PathBuf },
    /// The file cannot be made or opened.
    #[error("{}: cannot be created", path.display())]
    Uncreatable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The disk is full, say.
    #[error("{}: cannot be written, what is in it so far can be played", path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Output {
    /// Makes the file; one that is there stays as it is until the first write, and only with
    /// `force` at all.
    ///
    /// # Errors
    /// The file exists, is a link, or cannot be made.
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

    /// Writes more of the recording.
    ///
    /// # Errors
    /// The disk is full, say.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.packer().and_then(|packer| packer.write_all(bytes));
        written.map_err(|source| self.broken(source))
    }

    /// Brings everything written so far to where it outlives this process.
    ///
    /// # Errors
    /// The disk is full, say.
    pub fn flush(&mut self) -> Result<(), FileError> {
        let State::Written(packer) = &mut self.state else { return Ok(()) };
        packer.flush().map_err(|source| self.broken(source))
    }

    /// Ends the file, and tells its size; without a recording there is no new file.
    ///
    /// # Errors
    /// The disk is full, say.
    pub fn finish(mut self) -> Result<u64, FileError> {
        match &mut self.state {
            State::Written(packer) => end(packer).map_err(|source| self.broken(source)),
            State::New(_) => {
                // An empty file is a nuisance, no more.
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

    /// What packs the recording; it writes a header even if nothing follows, so it is made by the
    /// first write.
    fn packer(&mut self) -> io::Result<&mut Packer> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::New(file) => self.state = State::Written(pack(file)),
            State::Old(file) => {
                clear(&file)?;
                self.state = State::Written(pack(file));
            }
            State::Written(packer) => self.state = State::Written(packer),
            State::Broken => {}
        }
        match &mut self.state {
            State::Written(packer) => Ok(packer),
            State::New(_) | State::Old(_) | State::Broken => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn broken(&mut self, source: io::Error) -> FileError {
        self.state = State::Broken;
        FileError::Unwritable { path: self.path.clone(), source }
    }
}

/// Opens what is there, if it has no other name: in a folder that others may write to, somebody
/// could have laid a link to a file of ours.
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

fn pack(file: File) -> Packer {
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

fn end(packer: &mut Packer) -> io::Result<u64> {
    packer.try_finish()?;
    packer.get_mut().flush()?;
    packer.get_ref().get_ref().metadata().map(|data| data.len())
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
        let mut output = Output::create(&path, false).unwrap();
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
        std::fs::write(&path, b"a long letter from home, far longer than the recording").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Output::create(&path, false).unwrap_err();
        assert!(error.to_string().ends_with(": exists already; --force replaces it"), "{error}");
        assert_eq!(Output::create(&path, true).unwrap().finish().unwrap(), 0);
        assert!(std::fs::read(&path).unwrap().starts_with(b"a long letter"));
        let mut output = Output::create(&path, true).unwrap();
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
            let error = Output::create(&path, true).unwrap_err();
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
    fn without_a_recording_no_file_is_left() {
        let path = scratch("nothing");
        assert_eq!(Output::create(&path, false).unwrap().finish().unwrap(), 0);
        assert!(!path.exists());
    }

    #[test]
    fn a_full_disk_and_a_missing_folder_are_told_by_name() {
        let mut full = Output::create(Path::new("/dev/full"), true).unwrap();
        full.write(b"something").unwrap();
        let error = full.flush().unwrap_err();
        assert_eq!(
            error.to_string(),
            "/dev/full: cannot be written, what is in it so far can be played"
        );
        let error = Output::create(Path::new("/nowhere/at/all"), false).unwrap_err();
        assert!(matches!(error, FileError::Uncreatable { .. }), "{error}");
    }
}
