//! What the program reports of its own build, and build.rs, which finds it out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use asterisk_exporter::build_info::{DATE, LONG_VERSION, REVISION, VERSION};
use support::program::run;
use support::{Folder, root};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_version_has_a_short_and_a_long_form() {
    assert_eq!(text(&run(&["-V"]).stdout), format!("asterisk_exporter {VERSION}\n"));

    let long = text(&run(&["--version"]).stdout);
    assert_eq!(long, format!("asterisk_exporter {}\n", *LONG_VERSION));
    let names: Vec<_> = long.lines().skip(1).filter_map(|line| line.split_once(':')).collect();
    let names: Vec<_> = names.iter().map(|(name, _)| name.trim()).collect();
    assert_eq!(names, ["revision", "build date", "rustc", "platform"]);
}

#[test]
fn the_first_line_of_the_log_and_a_metric_say_which_build_this_is() {
    let log = text(&run(&["run"]).stderr);
    let first = log.lines().next().expect("a line");
    let fields = format!("version={VERSION} revision={REVISION} build_date={}", *DATE);
    assert!(first.contains(" message=starting ") && first.ends_with(&fields), "{first}");

    let page = text(&run(&["replay", "fixtures/seed-1-inbound-answered/events.ami"]).stdout);
    let labels = format!("version=\"{VERSION}\",revision=\"{REVISION}\",build_date=\"{}\"", *DATE);
    let line = format!("\nasterisk_exporter_build_info{{{labels}}} 1\n");
    assert!(page.contains(&line), "{line}");
}

/// Sources of a program, and build.rs as Cargo runs it for them.
struct Sources {
    folder: PathBuf,
    script: PathBuf,
    kept: Rc<Folder>,
}

impl Sources {
    fn new(name: &str) -> Self {
        let kept = Folder::new(name);
        let folder = kept.path("sources");
        for file in ["build.rs", "Cargo.toml", "Cargo.lock", "src/main.rs"] {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, file).expect("a file");
        }

        let script = kept.path("build-script");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut compiler = Command::new(rustc);
        compiler.arg(root("build.rs")).args(["--edition", "2024", "-o"]).arg(&script);
        let compiled = compiler.output().expect("rustc starts");
        assert!(compiled.status.success(), "{}", text(&compiled.stderr));
        Self { folder, script, kept: Rc::new(kept) }
    }

    /// Git, as it is on a machine without any settings.
    fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.folder, arguments)
    }

    fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.current_dir(folder).args(arguments);
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@localhost"),
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@localhost"),
        ] {
            git.env(name, value);
        }
        let output = git.output().expect("git starts");
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// What build.rs prints with these variables in place of all others.
    fn printed(&self, variables: &[(&str, &str)]) -> Vec<String> {
        let path = std::env::var("PATH").expect("a path");
        let mut script = Command::new(&self.script);
        script.current_dir(&self.folder).env_clear().env("PATH", path);
        let output = script.envs(variables.iter().copied()).output().expect("the script starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout).lines().map(str::to_owned).collect()
    }

    fn value(&self, name: &str, variables: &[(&str, &str)]) -> String {
        let prefix = format!("cargo::rustc-env={name}=");
        let lines = self.printed(variables);
        let mut values = lines.iter().filter_map(|line| line.strip_prefix(&prefix));
        values.next().expect("a value").to_owned()
    }

    fn revision(&self, variables: &[(&str, &str)]) -> String {
        self.value("BUILD_REVISION", variables)
    }

    /// What Cargo watches.
    fn watched(&self, variables: &[(&str, &str)]) -> Vec<String> {
        let lines = self.printed(variables);
        let watched = lines.iter().filter_map(|line| line.strip_prefix("cargo::rerun-if-changed="));
        watched.map(str::to_owned).collect()
    }
}

#[test]
fn the_revision_is_the_commit_of_the_sources_and_says_if_they_differ_from_it() {
    let sources = Sources::new("checkout");
    assert_eq!(sources.revision(&[]), "unknown");
    sources.git(&["init", "--quiet"]);
    assert_eq!(sources.revision(&[]), "unknown", "there is no commit yet");

    sources.git(&["add", "."]);
    sources.git(&["commit", "--quiet", "--message", "first"]);
    let commit = sources.git(&["rev-parse", "--short", "HEAD"]);
    assert_eq!(sources.revision(&[]), commit);

    // What is no source is not in the program.
    std::fs::write(sources.folder.join("README.md"), "changed").expect("a file");
    assert_eq!(sources.revision(&[]), commit);
    std::fs::write(sources.folder.join("src/main.rs"), "changed").expect("a file");
    assert_eq!(sources.revision(&[]), format!("{commit}-modified"));
    assert_eq!(sources.revision(&[("BUILD_REVISION", "v1-7")]), "v1-7");
    assert_eq!(sources.revision(&[("BUILD_REVISION", "")]), format!("{commit}-modified"));
    assert_eq!(sources.revision(&[("PATH", "/nowhere")]), "unknown", "git is not installed");
}

#[test]
fn sources_that_were_unpacked_inside_another_repository_have_not_its_revision() {
    let sources = Sources::new("inside");
    let around = sources.kept.path("");
    sources.git_in(&around, &["init", "--quiet"]);
    sources.git_in(&around, &["add", "."]);
    sources.git_in(&around, &["commit", "--quiet", "--message", "another program"]);
    assert_eq!(sources.revision(&[]), "unknown");
    assert_eq!(sources.watched(&[("PROFILE", "release")]), FILES);
}

#[test]
fn only_a_release_is_built_again_for_a_commit_that_changes_no_source() {
    let sources = Sources::new("watched");
    assert_eq!(sources.watched(&[("PROFILE", "release")]), FILES);
    sources.git(&["init", "--quiet", "--initial-branch", "main"]);
    sources.git(&["add", "."]);
    sources.git(&["commit", "--quiet", "--message", "first"]);
    assert_eq!(sources.watched(&[("PROFILE", "debug")]), FILES);

    let release = sources.watched(&[("PROFILE", "release")]);
    let git = [".git/HEAD", ".git/logs/HEAD", ".git/refs/heads/main"];
    assert_eq!(release, [FILES, &git].concat());

    // The place of another worktree is beside it, and not in it.
    let beside = sources.kept.path("beside");
    sources.git(&["worktree", "add", "--quiet", beside.to_str().expect("a plain path")]);
    let worktree =
        Sources { folder: beside, script: sources.script.clone(), kept: Rc::clone(&sources.kept) };
    assert_eq!(worktree.revision(&[]), sources.revision(&[]));
    let watched = worktree.watched(&[("PROFILE", "release")]);
    let names = watched.iter().filter_map(|path| path.split_once("sources/.git/"));
    let names: Vec<_> = names.map(|(_, name)| name).collect();
    assert_eq!(names, ["worktrees/beside/HEAD", "worktrees/beside/logs/HEAD", "refs/heads/beside"]);
}

const FILES: &[&str] = &["build.rs", "Cargo.lock", "Cargo.toml", "src"];

#[test]
fn the_date_is_given_or_that_of_the_build() {
    let sources = Sources::new("date");
    let date = |variables: &[(&str, &str)]| sources.value("BUILD_DATE", variables);
    let epoch = ("SOURCE_DATE_EPOCH", "1795445526");
    assert_eq!(date(&[epoch]), "1795445526");
    assert_eq!(date(&[("BUILD_DATE", "2026-11-23T14:52:06Z"), epoch]), "2026-11-23T14:52:06Z");

    let now = date(&[]).parse::<u64>().expect("seconds");
    let written = std::fs::metadata(&sources.script).and_then(|about| about.modified());
    let written = written.expect("a time").duration_since(std::time::UNIX_EPOCH).expect("a time");
    assert!((written.as_secs()..written.as_secs() + 600).contains(&now), "{now}");
}
