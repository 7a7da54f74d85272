//! Every metric and label that a query uses is in the catalogue, or is recorded by
//! `alerts/rules.yml`.

use std::collections::BTreeMap;

use asterisk_exporter::metrics::catalogue;
use dashboards::{queries, shipped};
use support::root;

use crate::promql::names;

#[test]
fn every_metric_and_label_is_known() {
    let known = known();
    let mut checked = 0;
    for (name, board) in shipped() {
        for query in queries(&board) {
            let found = names(&query.expr);
            let mut here: Vec<&str> = vec!["job", "instance"];
            for selector in &found.selectors {
                let labels = known.get(&selector.metric);
                let labels = labels.unwrap_or_else(|| {
                    panic!("{name}: {}: unknown {}", query.panel, selector.metric)
                });
                for label in &selector.labels {
                    assert!(
                        labels.contains(label),
                        "{name}: {}: {} has no {label}",
                        query.panel,
                        selector.metric
                    );
                }
                here.extend(labels.iter().map(String::as_str));
                checked += 1;
            }
            for label in &found.grouping {
                assert!(
                    here.contains(&label.as_str()),
                    "{name}: {}: no {label} in {}",
                    query.panel,
                    query.expr
                );
            }
            for label in query.legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next())
            {
                assert!(
                    here.contains(&label),
                    "{name}: {}: no {label} for the legend",
                    query.panel
                );
            }
        }
    }
    assert!(checked > 200, "{checked} selectors only");
}

/// What the exporter shows and no dashboard does: by decision, not by mistake.
#[test]
fn every_metric_is_in_a_dashboard() {
    let mut shown = String::new();
    for (_, board) in shipped() {
        shown += &board.to_string();
    }
    shown += &rules();
    let missing: Vec<_> =
        catalogue().iter().map(|entry| entry.name).filter(|name| !shown.contains(name)).collect();
    assert_eq!(missing, NOT_SHOWN);
}

const NOT_SHOWN: &[&str] = &["process_virtual_memory_bytes", "process_threads"];

/// Names of series with their labels.
fn known() -> BTreeMap<String, Vec<String>> {
    let mut known = BTreeMap::new();
    let own = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    for entry in catalogue() {
        known.insert(entry.name.to_owned(), own(entry.labels));
        if entry.kind.word() == "histogram" {
            for end in ["_bucket", "_sum", "_count"] {
                let mut labels = own(entry.labels);
                labels.extend((end == "_bucket").then(|| "le".to_owned()));
                known.insert(format!("{}{end}", entry.name), labels);
            }
        }
    }
    for name in ["up", "scrape_duration_seconds", "scrape_samples_scraped"] {
        known.insert(name.to_owned(), own(&["job", "instance"]));
    }
    for name in rules()
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("record: "))
    {
        let level = name.split(':').next().unwrap_or_default();
        let labels = level.split('_').flat_map(|label| match label {
            "cause" => vec!["cause", "cause_text"],
            "instance" => vec!["job", "instance"],
            label => vec![label],
        });
        known.insert(name.to_owned(), labels.map(str::to_owned).collect());
    }
    known
}

fn rules() -> String {
    let read = |file| std::fs::read_to_string(root(file)).expect("recording rules");
    let files = ["alerts/rules.yml", "alerts/rules-native.yml", "alerts/thresholds.yml"];
    files.map(read).concat()
}
