//! A text that must not be printed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::checks;

/// A password: printed as `***`, and read only with [`Secret::expose`].
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret {
    text: String,
    origin: Origin,
}

/// Where a secret comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Origin {
    /// The configuration itself.
    #[default]
    Text,
    /// A file, which may hold another one by now.
    File(PathBuf),
    /// A credential of systemd, which is a file as well.
    Credential {
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

impl Origin {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Text => None,
            Self::File(path) | Self::Credential { path, .. } => Some(path),
        }
    }
}

/// Why the file of a secret gives none.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct UnreadableSecret {
    path: PathBuf,
    problem: String,
}

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), origin: Origin::Text }
    }

    /// Reads a secret from where it is.  Blocks.
    ///
    /// # Errors
    /// The end of a message: why there is none.
    pub(super) fn read(origin: Origin) -> Result<Self, String> {
        let path = origin.path().unwrap_or(Path::new(""));
        let text = read_file(path).map_err(|error| format!(": {error}"))?;

        // Editors end a file with a line break, which is no part of the secret.
        let secret = text.strip_suffix('\n').unwrap_or(&text);
        let secret = secret.strip_suffix('\r').unwrap_or(secret);
        let text = checks::plain(secret).map_err(|problem| format!(" {problem}"))?;
        Ok(Self { text, origin })
    }

    /// The same secret as it is now: that of a file is read again, since it may have been changed
    /// together with that of the PBX.  Blocks.
    ///
    /// # Errors
    /// The file gives none any more.
    pub fn again(&self) -> Result<Self, UnreadableSecret> {
        let Some(path) = self.origin.path() else { return Ok(self.clone()) };
        Self::read(self.origin.clone()).map_err(|problem| UnreadableSecret {
            path: path.to_path_buf(),
            problem: problem.trim_start_matches([':', ' ']).to_owned(),
        })
    }

    /// The file it comes from, if it comes from one.
    pub fn file(&self) -> Option<&Path> {
        self.origin.path()
    }

    /// Where it comes from.
    pub(super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The text itself, for the login.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}

/// Many times the longest secret, and little enough for a wrong path such as `/dev/zero`.
const LONGEST_FILE: u64 = 65_536;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars() {
        let secret = Secret::new("s3cret");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.expose(), "s3cret");
    }

    #[test]
    fn a_secret_of_a_file_is_the_one_it_holds_now() {
        let path = std::env::temp_dir().join(format!("secret-again-{}", std::process::id()));
        std::fs::write(&path, "old\n").unwrap();
        let secret = Secret::read(Origin::File(path.clone())).unwrap();
        std::fs::write(&path, "new\r\n").unwrap();
        assert_eq!((secret.expose(), secret.again().unwrap().expose()), ("old", "new"));

        std::fs::write(&path, "\n").unwrap();
        let empty = format!("{}: is empty", path.display());
        assert_eq!(secret.again().unwrap_err().to_string(), empty);
        std::fs::remove_file(&path).unwrap();
        let gone = format!("{}: No such file or directory (os error 2)", path.display());
        assert_eq!(secret.again().unwrap_err().to_string(), gone);
        assert_eq!(Secret::new("fixed").again().unwrap().expose(), "fixed");
    }
}
