//! New files: all of them or none, and none over another.
//!
//! Each is written under a passing name first, and gets its own when all of them are complete.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::setup::NewFile;

/// Files that are to be written.
pub(super) struct Staged {
    force: bool,
    files: Vec<Planned>,
}

struct Planned {
    path: PathBuf,
    text: String,
    like: Like,
    /// Whether a file of this name may be there.
    replaces: bool,
}

/// Whose a file is, and who may read it.
pub(super) enum Like {
    /// Ours, with this mode.
    Ours(u32),
    /// As that file, and in place of it if it is the same.
    File(PathBuf),
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilesError {
    #[error("{}: exists already; --force replaces it", .0.display())]
    Exists(PathBuf),
    #[error("{}: not written", path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Staged {
    pub(super) const fn new(force: bool) -> Self {
        Self { force, files: Vec::new() }
    }

    /// Refuses a path at which something is that must stay.
    pub(super) fn ensure_free(&self, path: &Path) -> Result<(), FilesError> {
        // Also a link that leads nowhere is something.
        if !self.force && path.symlink_metadata().is_ok() {
            return Err(FilesError::Exists(path.to_owned()));
        }
        Ok(())
    }

    /// Adds a file of our own.
    pub(super) fn add(&mut self, path: PathBuf, file: &NewFile) -> Result<(), FilesError> {
        let mode = if file.is_secret { OWNER_ONLY } else { ALL_READ };
        self.add_like(path, file.text.clone(), Like::Ours(mode))
    }

    /// Adds a file; one that is there is replaced if that was asked for, or if it is its own model.
    pub(super) fn add_like(
        &mut self,
        path: PathBuf,
        text: String,
        like: Like,
    ) -> Result<(), FilesError> {
        let is_model = matches!(&like, Like::File(model) if *model == path);
        if !is_model {
            self.ensure_free(&path)?;
        }
        let replaces = self.force || is_model;
        self.files.push(Planned { path, text, like, replaces });
        Ok(())
    }

    /// Writes all of them, and returns their names.
    pub(super) fn write(self, folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
        let unwritable = |path: &Path| {
            let path = path.to_owned();
            move |source| FilesError::Unwritable { path, source }
        };
        fs::create_dir_all(folder).map_err(unwritable(folder))?;

        let mut complete = Vec::new();
        for planned in self.files {
            let file = planned.write().map_err(unwritable(&planned.path))?;
            complete.push((file, planned.path, planned.replaces));
        }

        let mut named = Vec::new();
        for (file, path, replaces) in complete {
            let done = if replaces { file.persist(&path) } else { file.persist_noclobber(&path) };
            if let Err(error) = done {
                // Whoever made it meanwhile keeps it; without all files, ours are of no use.
                if !self.force {
                    named.iter().for_each(|path| drop(fs::remove_file(path)));
                }
                return Err(unwritable(&path)(error.error));
            }
            named.push(path);
        }
        Ok(named)
    }
}

impl Planned {
    /// The complete file, still under a passing name, which goes with it if it gets no other.
    fn write(&self) -> io::Result<NamedTempFile> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        match &self.like {
            Like::Ours(OWNER_ONLY) if is_of_a_service(folder)? => {
                file.as_file().set_permissions(Permissions::from_mode(SERVICE_READS))?;
            }
            Like::Ours(mode) => file.as_file().set_permissions(Permissions::from_mode(*mode))?,
            Like::File(model) => {
                let about = fs::metadata(model)?;
                chown(file.path(), Some(about.uid()), Some(about.gid()))?;
                file.as_file().set_permissions(about.permissions())?;
            }
        }
        file.write_all(self.text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

/// Whether new files in a folder get its group, as a package sets it for the user of its service, and
/// others may not enter it.
fn is_of_a_service(folder: &Path) -> io::Result<bool> {
    const SET_GROUP: u32 = 0o2000;
    const OTHERS: u32 = 0o7;
    let mode = fs::metadata(folder)?.permissions().mode();
    Ok(mode & (SET_GROUP | OTHERS) == SET_GROUP)
}

/// Of what holds the secret.
const OWNER_ONLY: u32 = 0o600;
/// The same in the folder of a service.
const SERVICE_READS: u32 = 0o640;
/// The service's own user reads its configuration, whoever that is.
const ALL_READ: u32 = 0o644;
