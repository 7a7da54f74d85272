//! The keys of a `pbx` that hold its secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::secret::{Origin, Secret};
use super::section::Section;
use super::{Purpose, checks};
use crate::tls::File;

/// `secret`, the text of `secret_file`, or that of systemd's `secret_credential`.  If several are
/// given, in different sources, the stronger source decides.
pub(super) fn read(section: &Section<'_>, purpose: Purpose) -> Option<Secret> {
    // All keys are asked for even where they are not needed: none is unknown.
    let given: Vec<&'static str> = KEYS.into_iter().filter(|key| section.has(key)).collect();
    if purpose == Purpose::Replay {
        return Some(Secret::default());
    }

    let rank = |key: &&'static str| section.place(key).rank();
    let Some(strongest) = given.iter().map(rank).max() else {
        section.missing("secret", "missing: set it, or secret_file");
        return None;
    };
    let mut strong = given.into_iter().filter(|key| rank(key) == strongest);
    let first = strong.next()?;
    if let Some(another) = strong.next() {
        let message = format!("cannot be combined with {first}: only one of them is possible");
        section.mistake(another, message);
        return None;
    }

    match first {
        "secret_file" => section.path(first).and_then(|file| secret_from(section, file)),
        "secret_credential" => credential(section),
        _ => direct_secret(section),
    }
}

fn direct_secret(section: &Section<'_>) -> Option<Secret> {
    warn_of_readers_of_file(section, "secret");
    section.read("secret", |text| checks::plain(text).map(Secret::new))
}

fn secret_from(section: &Section<'_>, file: File) -> Option<Secret> {
    warn_of_readers(section, "secret_file", &file.path);
    Secret::read(Origin::File(file.path))
        .map_err(|problem| section.mistake("secret_file", format!("{}{problem}", file.named)))
        .ok()
}

/// A credential is a file in a directory that systemd makes for the service alone.
fn credential(section: &Section<'_>) -> Option<Secret> {
    let name = section.read("secret_credential", |text| match Path::new(text).file_name() {
        Some(name) if name == text => checks::plain(text),
        _ => Err(format!("{text} is not the name of a credential")),
    })?;
    let Some(directory) = &section.layers().credentials else {
        let message = format!("{name}: systemd has given no credentials: is LoadCredential set?");
        section.mistake("secret_credential", message);
        return None;
    };

    let path = directory.join(&name);
    Secret::read(Origin::Credential { name: name.clone(), path })
        .map_err(|problem| section.mistake("secret_credential", format!("{name}{problem}")))
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

/// The keys, of which one is possible.
const KEYS: [&str; 3] = ["secret", "secret_file", "secret_credential"];

/// The bits of a file's mode that concern a secret.
const READ_BY_OTHERS: u32 = 0o004;
const OWNER_AND_GROUP: u32 = 0o640;
