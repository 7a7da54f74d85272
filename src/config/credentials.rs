//! The keys of a `pbx` that hold its secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::secret::Secret;
use super::section::Section;
use super::{Purpose, checks};
use crate::tls::File;

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
        (_, true) => section.path("secret_file").and_then(|file| secret_from(section, file)),
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

fn secret_from(section: &Section<'_>, file: File) -> Option<Secret> {
    warn_of_readers(section, "secret_file", &file.path);
    Secret::read(file.path)
        .map_err(|problem| section.mistake("secret_file", format!("{}{problem}", file.named)))
        .ok()
}

/// Warns if everybody may read the configuration file, and it holds the secret at `key`.
pub(super) fn warn_of_readers_of_file(section: &Section<'_>, key: &str) {
    let in_file = section.place(key).rank() == 0;
    if let Some(path) = section.layers().file.as_deref().filter(|_| in_file) {
        warn_of_readers(section, key, path);
    }
}

/// Warns of a file with a secret or a private key that everybody may read, and names a mode that keeps the rights of
/// its owner and its group.
pub(super) fn warn_of_readers(section: &Section<'_>, key: &str, path: &Path) {
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

/// The bits of a file's mode that concern a secret.
const READ_BY_OTHERS: u32 = 0o004;
const OWNER_AND_GROUP: u32 = 0o640;
