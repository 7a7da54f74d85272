//! Where the account belongs on a PBX on this machine, and how it comes there.
//!
//! No file that another program writes is ever changed: FreePBX writes manager.conf itself, and a
//! package may ship it.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{Like, Staged};
use crate::app::Failure;

/// Where the account belongs.
pub(super) struct Place {
    kind: Kind,
    /// The file that gets the account.
    file: PathBuf,
    /// The main file, whose owner reads all of them.
    main: PathBuf,
}

enum Kind {
    /// A file of its own in a folder that manager.conf includes, as in Debian's package and on VitalPBX.
    Own,
    /// A file that is there for what the administrator adds, as on FreePBX and Issabel.
    Custom,
    /// manager.conf itself, which includes neither.
    Main,
}

impl Place {
    /// Looks at what manager.conf includes.
    pub(super) fn find(etc: &Path) -> Option<Self> {
        let main = etc.join("manager.conf");
        let text = fs::read_to_string(&main).ok()?;
        let includes: Vec<&str> = text.lines().filter_map(included).collect();

        let is_custom = |name: &&str| Path::new(name).ends_with(CUSTOM);
        let is_folder = |name: &&str| Path::new(name).ends_with("manager.d/*.conf");
        let vitalpbx = includes.iter().map(Path::new).find(|name| name.ends_with(VITALPBX));
        let (kind, file) = if includes.iter().any(is_custom) {
            (Kind::Custom, etc.join(CUSTOM))
        } else if includes.iter().any(is_folder) {
            (Kind::Own, etc.join("manager.d").join(OWN))
        } else if let Some(name) = vitalpbx {
            (Kind::Own, etc.join(name).with_file_name(VITALPBX_OWN))
        } else {
            (Kind::Main, main.clone())
        };
        Some(Self { kind, file, main })
    }

    /// What brings the account of that file there, as commands for root.
    pub(super) fn commands(&self, account: &Path) -> Vec<String> {
        let [account, file, main] = [account, &self.file, &self.main].map(word);
        match self.kind {
            Kind::Own => vec![
                format!("install -m 600 {account} {file}"),
                format!("chown --reference={main} {file}"),
            ],
            Kind::Custom | Kind::Main => vec![format!("cat {account} >> {file}")],
        }
    }

    /// Adds what `--install` changes to the files that are to be written.
    pub(super) fn stage(
        &self,
        staged: &mut Staged,
        stanza: &str,
        username: &str,
    ) -> Result<(), Failure> {
        let file = self.file.display();
        match self.kind {
            Kind::Own => {
                let like = Like::File(self.main.clone());
                staged.add_like(self.file.clone(), stanza.to_owned(), like)?;
            }
            Kind::Custom => {
                // The file itself, should the name be a link to it.
                let path = self.file.canonicalize().map_err(|error| format!("{file}: {error}"))?;
                let old = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
                if has_section(&old, username) {
                    return Err(
                        format!("{file}: has a section [{username}]: remove it first").into()
                    );
                }
                let gap = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
                let text = format!("{old}{gap}\n{stanza}");
                staged.add_like(path.clone(), text, Like::File(path))?;
            }
            Kind::Main => {
                let why = "includes no file for accounts, such as manager.d/*.conf or manager_custom.conf";
                return Err(format!("--install: {file} {why}: append the account by hand").into());
            }
        }
        Ok(())
    }
}

/// The name in a line `#include "manager.d/*.conf"`.
fn included(line: &str) -> Option<&str> {
    let line = line.trim();
    let rest = line.strip_prefix("#include").or_else(|| line.strip_prefix("#tryinclude"))?;
    Some(rest.trim().trim_matches(['"', '<', '>']))
}

fn has_section(text: &str, name: &str) -> bool {
    let section = format!("[{name}]");
    text.lines().any(|line| line.trim_start().starts_with(&section))
}

/// The path as a word of a shell.
pub(super) fn word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

const CUSTOM: &str = "manager_custom.conf";
const OWN: &str = "asterisk_exporter.conf";
/// What the manager.conf of VitalPBX includes, where its own files are `manager__50-….conf`.
const VITALPBX: &str = "vitalpbx/manager__*.conf";
const VITALPBX_OWN: &str = "manager__60-exporter.conf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_names_its_file() {
        for (line, file) in [
            (r#"#include "manager.d/*.conf" "#, Some("manager.d/*.conf")),
            ("#include manager_custom.conf", Some("manager_custom.conf")),
            (
                "  #tryinclude </etc/asterisk/manager_custom.conf>",
                Some("/etc/asterisk/manager_custom.conf"),
            ),
            (";#include manager_custom.conf", None),
            ("[general]", None),
        ] {
            assert_eq!(included(line), file, "{line}");
        }
    }

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(word(Path::new("/etc/a_b.conf")), "/etc/a_b.conf");
        assert_eq!(word(Path::new("it's $HOME")), r"'it'\''s $HOME'");
    }
}
