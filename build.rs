//! What the program reports of its own build: source revision, date, compiler and platform.
//!
//! A packager gives BUILD_REVISION and BUILD_DATE, or SOURCE_DATE_EPOCH for a build that can be
//! reproduced.  Otherwise the revision is the one that git has checked out here, and the date is
//! that of this build.  The names do not begin as the variables of the configuration do.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    for name in GIVEN {
        println!("cargo::rerun-if-env-changed={name}");
    }
    SOURCES.iter().for_each(|path| watch(path));
    let [revision, date, epoch] = GIVEN.map(variable);

    for (name, value) in [
        ("BUILD_REVISION", revision.or_else(checked_out)),
        ("BUILD_DATE", date.or(epoch).or_else(now)),
        ("BUILD_RUSTC", compiler()),
        ("BUILD_PLATFORM", variable("TARGET")),
    ] {
        // For src/build_info.rs.
        println!("cargo::rustc-env={name}={}", value.as_deref().unwrap_or("unknown"));
    }
}

/// A variable that has a value.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Builds again when the file changes.  Cargo takes one that is not there for changed.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo::rerun-if-changed={path}");
    }
}

/// What git changes at each commit and checkout: the log of HEAD, or without it the branch.
fn watch_commits() {
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"]);
    let names = ["HEAD".to_owned(), "logs/HEAD".to_owned()].into_iter().chain(branch);
    let paths = names.filter_map(|name| git(&["rev-parse", "--git-path", &name]));
    paths.for_each(|path| watch(&path));
}

/// The commit that is checked out, `-modified` if a source differs from it; `None` for sources that
/// are not in git, or were unpacked inside another repository.
fn checked_out() -> Option<String> {
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if top != Path::new(".").canonicalize().ok()? {
        return None;
    }

    // A developer's program may name an earlier commit that has the same sources: to compile
    // everything again after each commit would take a minute.
    if variable("PROFILE").is_some_and(|profile| profile == "release") {
        watch_commits();
    }
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let status = [&["status", "--porcelain", "--"], SOURCES].concat();
    let is_modified = git(&status).is_some_and(|changes| !changes.is_empty());
    Some(if is_modified { format!("{commit}-modified") } else { commit })
}

/// What git prints; `None`, silently, without git or a repository.
fn git(arguments: &[&str]) -> Option<String> {
    // `status` would refresh the index, and so disturb a commit that is being made.
    printed(Command::new("git").args(arguments).env("GIT_OPTIONAL_LOCKS", "0"))
}

/// `1.89.0`, of `rustc 1.89.0 (29483883e 2025-08-04)`.
fn compiler() -> Option<String> {
    let version = printed(Command::new(variable("RUSTC")?).arg("--version"))?;
    version.split(' ').nth(1).map(str::to_owned)
}

fn printed(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the build has no clock of ours")]
fn now() -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(now.as_secs().to_string())
}

/// The variables that a packager may set.
const GIVEN: [&str; 3] = ["BUILD_REVISION", "BUILD_DATE", "SOURCE_DATE_EPOCH"];
/// What the program is made of.
const SOURCES: &[&str] = &["build.rs", "Cargo.lock", "Cargo.toml", "src"];
