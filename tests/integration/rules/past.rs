//! How often promtool has to make recording rules of history: rules of one run do not see each
//! other.  docs/backfill.md says how many runs there are, and how many rules each of them makes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::program::run;
use support::{Folder, root};

#[test]
fn the_documentation_knows_how_deep_rules_with_history_stand_on_each_other() {
    let text = std::fs::read_to_string(root("alerts/rules.yml")).expect("the rules");
    let all: Value = serde_saphyr::from_str(&text).expect("YAML");
    let groups = all["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    let field = |rule: &Value, name: &str| rule[name].as_str().expect("a text").to_owned();
    let rules = rules.map(|rule| (field(rule, "record"), words(&field(rule, "expr"))));
    let past = Past { rules: rules.collect(), metrics: metrics() };

    let mut runs = BTreeMap::new();
    for rule in past.rules.keys().filter(|rule| past.has(rule)) {
        *runs.entry(past.depth(rule)).or_insert(0) += 1;
    }
    assert!(runs.len() > 1, "{runs:?}");
    let docs = std::fs::read_to_string(root("docs/backfill.md")).expect("the documentation");
    for (run, rules) in &runs {
        assert!(docs.contains(&format!("\n| {run} | {rules} | ")), "{runs:?}");
    }
    let last = runs.len();
    assert!(docs.contains(&format!("So run it {last} times")), "{runs:?}");
    assert!(!docs.contains(&format!("\n| {} | ", last + 1)), "{runs:?}");
}

/// Rules, each with the words of its expression, and the metrics that have history.
struct Past {
    rules: BTreeMap<String, BTreeSet<String>>,
    metrics: BTreeSet<String>,
}

impl Past {
    /// Whether all that a rule reads has history.
    fn has(&self, rule: &str) -> bool {
        let part = |word: &str| {
            ["_bucket", "_sum", "_count"].iter().any(|part| {
                word.strip_suffix(part).is_some_and(|metric| self.metrics.contains(metric))
            })
        };
        self.rules[rule].iter().all(|word| match self.rules.contains_key(word) {
            true => self.has(word),
            false => !word.starts_with("asterisk_") || self.metrics.contains(word) || part(word),
        })
    }

    /// 1 for a rule that reads none.
    fn depth(&self, rule: &str) -> usize {
        let below = self.rules[rule].iter().filter(|word| self.rules.contains_key(*word));
        1 + below.map(|word| self.depth(word)).max().unwrap_or_default()
    }
}

fn words(expr: &str) -> BTreeSet<String> {
    let is_word = |sign: char| sign.is_ascii_alphanumeric() || "_:".contains(sign);
    expr.split(|sign| !is_word(sign)).map(str::to_owned).collect()
}

/// What a backfill writes.
fn metrics() -> BTreeSet<String> {
    let folder = Folder::new("rules-past");
    let config =
        "pbx: [{name: hq, address: 127.0.0.1, username: x}]\nservice_level: {default: 20s}\n";
    let (config, out) = (folder.write("config.yml", config), folder.path("history"));
    let [config, out] = [&config, &out].map(|path| path.to_str().expect("a plain path"));
    let log = "fixtures/captures/22/bulk.queue_log.gz";
    let done = run(&["backfill", "--config", config, "--queue-log", log, "--out", out]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    let mut metrics = BTreeSet::new();
    for file in std::fs::read_dir(out).expect("a folder") {
        let text = std::fs::read_to_string(file.expect("it").path()).expect("text");
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').expect("a kind");
            let end = if kind == "counter" { "_total" } else { "" };
            metrics.insert(format!("{name}{end}"));
        }
    }
    assert!(metrics.len() > 12, "{metrics:?}");
    metrics
}
