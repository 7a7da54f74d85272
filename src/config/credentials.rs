//! The keys of a `pbx` that hold its secret.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::mistake::Place;
use super::secret::Secret;
use super::section::Section;
use super::{Purpose, checks};

/// `secret` or the text of `secret_file`.  If both are given, in different sources, the stronger
/// source decides.
pub(super) fn read(section: &Section<'_>, purpose: Purpose) -> Option<Secret> {
    // Both keys are asked for even where they are not needed: neither is unknown.
    let has_secret = section.has("secret");
    let has_file = section.has("secret_file");
    if purpose == Purpose::Replay {
        return Some(Secret::default());
    }

    let direct_place = section.place("secret");
    let file_place = section.place("secret_file");
    match (has_secret, has_file) {
        (true, true) if direct_place.same_kind(&file_place) => {
            section.mistake(
                "secret_file",
                "cannot be combined with secret: only one of them is possible",
            );
            None
        }
        (true, true) if direct_place.rank() > file_place.rank() => direct_secret(section),
        (true, false) => direct_secret(section),
        (_, true) => section.read("secret_file", |path| secret_from(section, path)),
        (false, false) => {
            section.missing("secret", "missing: set it, or secret_file");
            None
        }
    }
}

fn direct_secret(section: &Section<'_>) -> Option<Secret> {
    warn_of_readers_of_file(section, "secret");
    section.read("secret", |text| checks::plain(text).map(Secret::new))
}

/// A path in the configuration file is relative to it, one in a variable to the working directory.
fn secret_from(section: &Section<'_>, path: &str) -> Result<Secret, String> {
    let from_file = !matches!(section.place("secret_file"), Place::Variable(_));
    let folder = section.layers().file.as_deref().filter(|_| from_file).and_then(Path::parent);
    let full = folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path));

    let text = read_file(&full).map_err(|error| format!("{path}: {error}"))?;
    warn_of_readers(section, "secret_file", &full);

    // Editors end a file with a line break, which is no part of the secret.
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    checks::plain(secret).map(Secret::new).map_err(|message| format!("{path} {message}"))
}

fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_SECRET_FILE).read_to_string(&mut text)?;
    Ok(text)
}

/// Warns if everybody may read the configuration file, and it holds the secret at `key`.
pub(super) fn warn_of_readers_of_file(section: &Section<'_>, key: &str) {
    let in_file = section.place(key).rank() == 0;
    if let Some(path) = section.layers().file.as_deref().filter(|_| in_file) {
        warn_of_readers(section, key, path);
    }
}

/// Warns of a file with a secret that everybody may read, and names a mode that keeps the rights of
/// its owner and its group.
fn warn_of_readers(section: &Section<'_>, key: &str, path: &Path) {
    let Ok(about) = fs::metadata(path) else { return };
    let mode = about.permissions().mode() & 0o777;

    if about.is_file() && mode & READ_BY_OTHERS != 0 {
        let path = path.display();
        let better = mode & OWNER_AND_GROUP;
        section.warning(
            key,
            format!("everybody may read {path}, its mode is {mode:04o}: chmod {better:04o} {path}"),
        );
    }
}

/// Many times the longest secret, and little enough for a wrong path such as `/dev/zero`.
const LONGEST_SECRET_FILE: u64 = 65_536;

/// The bits of a file's mode that concern a secret.
const READ_BY_OTHERS: u32 = 0o004;
const OWNER_AND_GROUP: u32 = 0o640;
