//! The Markdown files: links and anchors lead somewhere, and files that the text names exist.

mod examples;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asterisk_exporter::config::KEYS;
use support::root;

#[test]
fn links_and_anchors_lead_somewhere() {
    let mut broken = Vec::new();
    for file in files() {
        let text = read(&file);
        for target in links(&text) {
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let to = if path.is_empty() {
                file.clone()
            } else {
                file.parent().expect("a folder").join(path)
            };
            let found = to.exists() && (anchor.is_empty() || anchors(&read(&to)).contains(anchor));
            if !found {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_key_of_the_reference_says_when_a_change_is_in_force() {
    let known: Vec<_> =
        KEYS.iter().map(|(key, change)| ((*key).to_owned(), change.word().to_owned())).collect();
    assert_eq!(rows("docs/configuration.md", "### Keys"), known);

    // The reference has several keys in a row, and another column behind them.
    let reference: Vec<_> = rows("docs/configuration.md", "## Reference").into_iter().collect();
    let mut listed: Vec<_> =
        reference.iter().flat_map(|(keys, _)| keys.split("`, `").map(str::to_owned)).collect();
    let mut known: Vec<_> = known.into_iter().map(|(key, _)| key).collect();
    listed.sort();
    known.sort();
    assert_eq!(listed, known);
}

/// The first two cells of the rows of a table below a heading, without the marks of code around the
/// first.
fn rows(path: &str, heading: &str) -> Vec<(String, String)> {
    let text = read(&root(path));
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let table = lines.take_while(|line| !line.starts_with("## "));
    let row = |line: &str| {
        let (key, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((key.to_owned(), rest.split(" |").next()?.to_owned()))
    };
    table.filter_map(row).collect()
}

/// A file of sources may be named without its folders: `stay.rs`.
#[test]
fn files_that_the_text_names_exist() {
    let mut sources = Vec::new();
    for folder in ["src", "tests", "dashboards", "benches"] {
        collect(&root(folder), &mut sources);
    }

    let mut missing = Vec::new();
    for file in files() {
        for path in paths(&read(&file)) {
            let is_source = path.ends_with(".rs");
            let known = is_source && sources.iter().any(|source| source.ends_with(&path));
            if !known && !root(&path).exists() {
                missing.push(format!("{}: {path}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The repository's own Markdown files.
fn files() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/recipes", "alerts", "fixtures/captures"];
    let entries =
        folders.iter().flat_map(|folder| std::fs::read_dir(root(folder)).expect("a folder"));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    files.sort();
    assert!(files.len() >= 9, "{files:?}");
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The targets of `[text](target)`, without what is code.
fn links(text: &str) -> Vec<String> {
    let prose: Vec<_> = text.split('`').step_by(2).collect();
    let prose = prose.join("`");
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// What headings are called in links: lower case, blanks as `-`, without punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Paths of this repository in backticks, such as `src/version.rs`; patterns and other people's
/// sources are left out.
fn paths(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let ours = quoted
        .filter(|word| OURS.iter().any(|folder| word.starts_with(folder)) || word.ends_with(".rs"));
    ours.filter(|path| !path.contains([' ', '*', '<', '\n']) && !path.ends_with(".c"))
        .map(str::to_owned)
        .collect()
}

const OURS: &[&str] =
    &["src/", "tests/", "fixtures/", "dashboards/", "docs/", "alerts/", "contrib/", "benches/"];
