//! The template for Zabbix: what it names exists, in the exporter's catalogue and in itself, and its
//! thresholds are those of the alerts.  `tests/zabbix/` runs it on a real Zabbix.

use std::collections::BTreeSet;

use asterisk_exporter::metrics::{Kind, catalogue};
use serde_json::Value;
use support::root;

use crate::rules::alerts;

#[test]
fn it_is_a_template_of_zabbix_7_0() {
    let export = export();
    assert_eq!(export["version"], "7.0");
    assert_eq!(export["templates"].as_array().map(Vec::len), Some(1));
    assert_eq!(template()["template"], "Asterisk by asterisk_exporter");
}

#[test]
fn ids_are_unique_and_random() {
    let ids = values("uuid");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "two have the same uuid");

    // Zabbix imports no others than those of version 4.
    for id in ids {
        let hex = id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        let version_4 = id.get(12..13) == Some("4") && id.get(16..17).is_some_and(is_variant_1);
        assert!(id.len() == 32 && hex && version_4, "{id}");
    }
}

fn is_variant_1(digit: &str) -> bool {
    "89ab".contains(digit)
}

#[test]
fn every_metric_and_label_is_in_the_catalogue() {
    let patterns = patterns();
    assert!(patterns.len() >= 40, "{} patterns only", patterns.len());

    for pattern in patterns {
        let (metric, rest) = pattern.split_once('{').unwrap_or((&pattern, ""));
        let entry = catalogue().iter().find(|entry| {
            entry.name == metric
                || (entry.kind == Kind::Histogram
                    && ["_sum", "_count"]
                        .iter()
                        .any(|part| metric == format!("{}{part}", entry.name)))
        });
        let entry = entry.unwrap_or_else(|| panic!("{pattern}: no such metric"));

        for label in labels(rest) {
            assert!(entry.labels.contains(&label.as_str()), "{pattern}: no label {label}");
        }
    }
}

/// Zabbix makes an index of the page by the first label that is compared by `=`, so that with `pbx` first it
/// would read all lines of a metric for each item.
#[test]
fn patterns_begin_with_the_label_of_the_most_values() {
    let mut counted = 0;
    for pattern in patterns() {
        let Some((_, selectors)) = pattern.split_once('{') else { continue };
        let labels = labels(selectors);
        // A rule of discovery reads the lines of all PBXs.
        if !labels.contains(&"pbx".to_owned()) {
            continue;
        }
        let of_most = ["agent", "queue", "trunk"];
        let has_more = labels.iter().any(|label| of_most.contains(&label.as_str()));
        counted += usize::from(has_more);

        let first = labels.first().map(String::as_str).unwrap_or_default();
        assert_eq!(of_most.contains(&first), has_more, "{pattern}");
        assert!(selectors.starts_with(&format!("{first}=\"")), "{pattern}: not compared by `=`");
    }
    assert!(counted > 20, "{counted} patterns with more than `pbx`");
}

/// The patterns over the page: of items, and of the rules of discovery.
fn patterns() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    visit(&template(), &mut |key, value| {
        let kind = value["type"].as_str().unwrap_or_default();
        if key == "preprocessing" && kind.starts_with("PROMETHEUS_") {
            found.insert(text(&value["parameters"][0]));
        }
    });
    found
}

/// The names before `=`, `!=`, `=~` and `!~`; values are quoted, and have no quotes in them.
fn labels(selectors: &str) -> Vec<String> {
    let outside = selectors.split('"').step_by(2);
    let names = outside.map(|part| part.trim_matches(['{', '}', ',', '=', '!', '~', ' ']));
    names.filter(|name| name.starts_with(char::is_alphabetic)).map(str::to_owned).collect()
}

#[test]
fn macros_are_defined_and_used() {
    let defined: BTreeSet<_> = macros().into_iter().map(|(name, _)| name).collect();

    let mut used = BTreeSet::new();
    visit(&template(), &mut |key, value| {
        let Some(text) = value.as_str().filter(|_| key != "macro") else { return };
        used.extend(
            text.split("{$").skip(1).map(|rest| {
                rest.chars().take_while(|c| !matches!(c, ':' | '}')).collect::<String>()
            }),
        );
    });

    assert_eq!(used, defined);
}

/// Names without braces, and values.
fn macros() -> Vec<(String, String)> {
    let template = template();
    let list = template["macros"].as_array().expect("macros").clone();
    let name = |entry: &Value| text(&entry["macro"]).replace(['{', '$', '}'], "");
    list.iter().map(|entry| (name(entry), text(&entry["value"]))).collect()
}

/// `{$ASTERISK.ABANDON_RATIO}` is `asterisk:threshold:abandon_ratio`.
#[test]
fn thresholds_are_those_of_the_alerts() {
    let file = read("alerts/thresholds.yml");
    let rules: Vec<_> = file.lines().filter(|line| !line.starts_with('#')).collect();
    let rules = rules.join("\n");
    let mut compared = 0;

    for (name, value) in macros() {
        let threshold = name.trim_start_matches("ASTERISK.").to_lowercase();
        let record = format!("- record: asterisk:threshold:{threshold}\n");
        let Some((_, rule)) = rules.split_once(&record) else { continue };
        let expr = rule.lines().next().unwrap_or_default().trim();
        assert_eq!(expr, format!("expr: vector({value})"), "{name}");
        compared += 1;
    }

    // All but usual_calls and recorded_ratio, whose alerts compare with weeks before.
    assert_eq!(compared, rules.matches("- record: asterisk:threshold:").count() - 2);
}

#[test]
fn each_alert_is_a_trigger_or_the_recipe_says_why_not() {
    let mut triggers = BTreeSet::new();
    visit(&template(), &mut |key, value| {
        if key == "tags" && value["tag"] == "alert" {
            assert!(triggers.insert(text(&value["value"])), "{value} twice");
        }
    });
    let recipe = read("docs/recipes/zabbix.md");
    let (_, left_out) = recipe.split_once("\n## What Zabbix does not get\n").expect("a section");

    for alert in alerts() {
        let named = left_out.contains(&format!("`{alert}`"));
        assert!(triggers.remove(&alert) != named, "{alert}: a trigger, or named in the recipe");
    }
    assert_eq!(triggers, BTreeSet::new(), "triggers that are no alerts");
}

#[test]
fn items_that_expressions_read_exist() {
    let template = template();
    let name = text(&template["template"]);
    let mut keys = BTreeSet::new();
    let mut read = BTreeSet::new();

    visit(&template, &mut |key, value| {
        let Some(text) = value.as_str() else { return };
        match key {
            "key" => drop(keys.insert(text.to_owned())),
            "expression" | "recovery_expression" => read.extend(after(&format!("(/{name}/"), text)),
            "params" => read.extend(after("(//", text)),
            _ => {}
        }
    });

    assert!(read.len() > 25, "{read:?}");
    assert_eq!(read.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The item keys behind a prefix: up to the `,` or `)` that is not inside `[…]`.
fn after(prefix: &str, text: &str) -> Vec<String> {
    let key = |rest: &str| {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += match c {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            depth == 0 && matches!(c, ',' | ')')
        });
        rest[..end.expect("an end")].to_owned()
    };
    text.split(prefix).skip(1).map(key).collect()
}

/// All values of a key, anywhere.
fn values(wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    visit(&export(), &mut |key, value| {
        if key == wanted {
            found.push(text(value));
        }
    });
    found
}

/// Each value with its key; what is in a list has the key of the list.
fn visit(value: &Value, seen: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                visit_entry(key, value, seen);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| visit(value, seen)),
        _ => {}
    }
}

fn visit_entry(key: &str, value: &Value, seen: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| seen(key, value)),
        _ => seen(key, value),
    }
    visit(value, seen);
}

fn template() -> Value {
    export()["templates"][0].clone()
}

fn export() -> Value {
    let parsed: Value = serde_saphyr::from_str(&read("contrib/zabbix/asterisk_exporter.yaml"))
        .unwrap_or_else(|error| panic!("{error}"));
    parsed["zabbix_export"].clone()
}

/// The text of a value; empty for none.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
