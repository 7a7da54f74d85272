//! The rules that a file of tests needs: those it asks for, and those that these read.
//!
//! Most tests ask for a few of 600 rules, over hours; evaluating the others takes nine tenths of
//! the time and shows nothing.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::words;

/// These files of rules as one, without the rules that `asked` does not lead to.
pub(super) fn needed(files: &[String], asked: &BTreeSet<String>) -> String {
    let groups: Vec<_> = files.iter().flat_map(|file| groups(file)).collect();
    let mut needed = asked.clone();

    // What a rule reads may be recorded by one above or below, or in another file.
    loop {
        let known = needed.len();
        for rule in groups.iter().flat_map(|group| &group.rules) {
            if needed.contains(rule.name) {
                needed.extend(words(rule.text));
            }
        }
        if needed.len() == known {
            break;
        }
    }

    let mut text = "groups:\n".to_owned();
    for group in groups {
        let rules = group.rules.iter().filter(|rule| needed.contains(rule.name));
        let rules: String = rules.map(|rule| rule.text).collect();
        // vmalert refuses a group without rules.
        if !rules.is_empty() {
            write!(text, "{}{rules}", group.head).expect("a text");
        }
    }

    text
}

struct Group<'a> {
    /// Its name and interval.
    head: &'a str,
    rules: Vec<Rule<'a>>,
}

struct Rule<'a> {
    name: &'a str,
    text: &'a str,
}

fn groups(file: &str) -> impl Iterator<Item = Group<'_>> {
    parts(file, &["- name: "]).skip(1).map(|group| {
        let mut parts = parts(group, &["- record: ", "- alert: "]);
        let head = parts.next().expect("a head");
        let rules = parts.map(|text| {
            let (_, name) = text.split_once(": ").expect("a key");
            Rule { name: name.lines().next().expect("a name").trim(), text }
        });
        Group { head, rules: rules.collect() }
    })
}

/// What stands before the first line that begins so, and what each of these lines begins.
fn parts<'a>(text: &'a str, starts: &[&str]) -> impl Iterator<Item = &'a str> {
    let mut offset = 0;
    let mut bounds = vec![0];
    for line in text.split_inclusive('\n') {
        if starts.iter().any(|start| line.trim_start().starts_with(start)) {
            bounds.push(offset);
        }
        offset += line.len();
    }
    bounds.push(text.len());

    let pairs: Vec<_> = bounds.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
    pairs.into_iter()
}

#[test]
fn what_a_rule_reads_is_kept_and_nothing_else() {
    let first = "\
groups:
  - name: counts
    interval: 1m
    rules:
      # A comment.
      - record: a:calls:increase5m
        expr: increase(calls[5m])
      - record: a:other:increase5m
        expr: increase(other[5m])
  - name: empty
    rules:
      - record: a:third:increase5m
        expr: a:other:increase5m * 2
";
    let second = "\
groups:
  - name: alerts
    rules:
      - alert: Calls
        expr: a:calls:increase5m > 1
        for: 2m
";
    let kept = "\
groups:
  - name: counts
    interval: 1m
    rules:
      # A comment.
      - record: a:calls:increase5m
        expr: increase(calls[5m])
  - name: alerts
    rules:
      - alert: Calls
        expr: a:calls:increase5m > 1
        for: 2m
";
    let files = [first.to_owned(), second.to_owned()];
    assert_eq!(needed(&files, &BTreeSet::from(["Calls".to_owned()])), kept);
    assert_eq!(needed(&files, &BTreeSet::from(["Callers".to_owned()])), "groups:\n");
}
