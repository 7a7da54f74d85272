//! What is shown where there is no number, as Grafana has it.
//!
//! Its own code shows three things (`@grafana/data` and `@grafana/prometheus` 11.6 and 12.4): a
//! missing value has the colour of the lowest threshold, often green; a stat shows only series that
//! exist, and one alone without its name; and `merge` makes an outer join by the labels in any
//! order, but writes a row that lacks a label into every row that it could belong to.

use dashboards::shipped;
use serde_json::{Value, json};

use crate::graded;
use crate::lint::panels;
use crate::promql::names;

#[test]
fn a_missing_number_has_no_colour_of_a_traffic_light() {
    let mut seen = 0;
    for (name, panel) in of_kind("stat") {
        let defaults = &panel["fieldConfig"]["defaults"];
        let text = &defaults["noValue"];
        let last = defaults["mappings"].as_array().expect("a list").last().expect("a mapping");
        assert!(text.is_string() && is_none(last, text, GREY), "{name}: {}", panel["title"]);
        seen += 1;
    }

    for (name, panel) in of_kind("table") {
        assert_eq!(panel["fieldConfig"]["defaults"]["noValue"], "–", "{name}");
        for column in panel["fieldConfig"]["overrides"].as_array().expect("a list") {
            let property = |id| {
                let mut all = column["properties"].as_array().expect("a list").iter();
                all.find(|property| property["id"] == id).map(|property| &property["value"])
            };
            if property("custom.cellOptions").is_none() {
                continue;
            }
            let none = property("mappings").map(|mappings| &mappings[0]);
            assert!(
                none.is_some_and(|none| is_none(none, &json!("–"), "transparent")),
                "{name}: {}",
                column["matcher"]["options"]
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn numbers_side_by_side_keep_their_places_and_names() {
    let (mut several, mut labelled) = (0, 0);
    for (name, panel) in of_kind("stat") {
        let title = &panel["title"];
        let targets = panel["targets"].as_array().expect("queries");
        let text = |target: &Value, key: &str| target[key].as_str().unwrap_or_default().to_owned();

        // Of the queries of a graded number, one gives a series: graded.rs.
        let first = if graded::of(&panel).is_some() { 3 } else { 0 };
        for target in targets[first..].iter().filter(|_| targets.len() > 1) {
            let expr = text(target, "expr");
            assert!(expr.ends_with(" or vector(-1)"), "{name}: {title}: {expr}");
            several += 1;
        }

        if targets.iter().any(|target| text(target, "expr").contains("vector(-1)")) {
            let mappings = panel["fieldConfig"]["defaults"]["mappings"].as_array();
            let none = mappings.into_iter().flatten().find_map(|all| all["options"].get("-1"));
            assert!(none.is_some_and(|none| none["text"] == "–"), "{name}: {title}");
        }
        if targets.iter().any(|target| text(target, "legendFormat").contains("{{")) {
            let mode = panel["options"]["textMode"].as_str().unwrap_or_default();
            assert!(["value_and_name", "name"].contains(&mode), "{name}: {title}: {mode}");
            labelled += 1;
        }
    }
    assert!(several >= 5 && labelled >= 6, "{several}, {labelled}");
}

#[test]
fn a_row_of_an_agent_has_an_agent() {
    let mut checked = 0;
    for (name, panel) in of_kind("table") {
        let columns = &panel["transformations"][1]["options"]["renameByName"];
        if columns.get("agent").is_none() {
            continue;
        }
        for target in panel["targets"].as_array().expect("queries") {
            let expr = target["expr"].as_str().expect("an expression");
            for selector in names(expr).selectors {
                let named = selector.labels.iter().filter(|label| *label == "agent").count();
                // One matcher is the selection; the whole of a queue has none.
                assert_ne!(named, 1, "{name}: {}: no agent!=\"\" in {expr}", panel["title"]);
                checked += usize::from(named == 2);
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

fn of_kind(kind: &str) -> impl Iterator<Item = (String, Value)> {
    let all = shipped().into_iter().flat_map(|(name, board)| {
        panels(&board).into_iter().map(move |panel| (name.clone(), panel)).collect::<Vec<_>>()
    });
    all.filter(move |(_, panel)| panel["type"] == kind)
}

fn is_none(mapping: &Value, text: &Value, colour: &str) -> bool {
    let options = &mapping["options"];
    mapping["type"] == "special"
        && options["match"] == "null+nan"
        && options["result"]["text"] == *text
        && options["result"]["color"] == colour
}

const GREY: &str = "#5A5A5A";
