//! Rules that a dashboard keeps: Grafana's own linter has most of them, the rest are ours.
//!
//! Grafana's linter also wants variables `job` and `instance` in each query.  Ours have `pbx`
//! instead, which names the Asterisk server whatever exporter watches it; recorded series have no
//! `job`.

use std::collections::{BTreeMap, HashSet};

use dashboards::{Query, queries, shipped};
use serde_json::{Value, json};
use support::root;

use crate::promql::names;

#[test]
fn every_dashboard_keeps_the_rules() {
    let complaints: Vec<_> =
        shipped().iter().flat_map(|(name, board)| complaints(name, board)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn uids_are_unique_and_links_lead_to_one_of_them() {
    let boards = shipped();
    let uids: HashSet<_> = boards.iter().map(|(_, board)| text(&board["uid"])).collect();
    assert_eq!(uids.len(), boards.len(), "{uids:?}");
    let mut links = 0;
    for (name, board) in &boards {
        let text = board.to_string();
        for rest in text.split("\"/d/").skip(1) {
            let uid = rest.split('?').next().unwrap_or_default();
            assert!(uids.contains(uid), "{name} links to {uid}");
            assert!(
                rest.starts_with(&format!(
                    "{uid}?${{datasource:queryparam}}&${{__url_time_range}}"
                )),
                "{name}: {uid}"
            );
            links += 1;
        }
    }
    assert!(links >= 3, "{links} links");
    // Alerts link to them, too: /d/UID?var-NAME=…
    let alerts = std::fs::read_to_string(root("alerts/alerts.yml")).unwrap_or_default();
    let linked = alerts.split("dashboard: /d/").skip(1);
    assert!(linked.clone().count() >= 30, "links of the alerts");
    for rest in linked {
        let link = rest.lines().next().unwrap_or_default();
        let uid = link.split('?').next().unwrap_or_default();
        let board = boards.iter().find(|(_, board)| board["uid"] == uid);
        let (_, board) = board.unwrap_or_else(|| panic!("an alert links to {uid}"));
        for variable in link.split("var-").skip(1).filter_map(|rest| rest.split('=').next()) {
            let known = board["templating"]["list"].as_array().expect("variables").iter();
            assert!(
                known.into_iter().any(|known| known["name"] == variable),
                "an alert: {uid} has no {variable}"
            );
        }
    }
}

/// The same name has the same colour everywhere, and no two names of a panel have the same.
#[test]
fn a_colour_means_the_same_everywhere() {
    let mut meanings: BTreeMap<String, String> = BTreeMap::new();
    for (name, board) in shipped() {
        for panel in panels(&board) {
            let mut here = HashSet::new();
            for (meaning, colour) in colours(&panel) {
                assert!(
                    here.insert(colour.clone()),
                    "{name}: {}: {colour} is used twice",
                    panel["title"]
                );
                let known = meanings.entry(meaning.clone()).or_insert_with(|| colour.clone());
                assert_eq!(*known, colour, "{name}: {}: {meaning}", panel["title"]);
            }
        }
    }
    assert!(meanings.len() > 40, "{meanings:?}");
}

/// Grafana's rows are 30 pixels high with gaps of 8; without its bars, 1080 pixels hold 28 of them.
#[test]
fn the_wallboard_fits_a_screen_of_1080_lines() {
    let (_, board) =
        shipped().into_iter().find(|(name, _)| name == "wallboard").expect("the wallboard");
    let bottom = panels(&board)
        .iter()
        .map(|panel| number(&panel["gridPos"]["y"]) + number(&panel["gridPos"]["h"]))
        .max();
    assert!(bottom <= Some(28), "{bottom:?}");
}

#[test]
fn provisioning_files_are_yaml_and_name_the_folder_and_the_data_source() {
    for (file, key) in [("datasource.yml", "datasources"), ("dashboards.yml", "providers")] {
        let text = std::fs::read_to_string(root("dashboards/provisioning").join(file)).expect(file);
        let value: Value = serde_saphyr::from_str(&text).expect(file);
        assert_eq!(value["apiVersion"], 1, "{file}");
        let entry = &value[key][0];
        assert!(entry["name"].is_string() && entry["type"].is_string(), "{file}: {entry}");
        if key == "datasources" {
            assert_eq!(entry["type"], "prometheus");
            assert!(entry["url"].as_str().is_some_and(|url| url.starts_with("http")));
        } else {
            assert_eq!(entry["type"], "file");
            assert!(entry["options"]["path"].as_str().is_some_and(|path| path.starts_with('/')));
        }
    }
}

/// A rule that finds nothing in a damaged dashboard is no rule.
#[test]
fn each_rule_finds_its_fault() {
    let (name, board) =
        shipped().into_iter().find(|(name, _)| name == "queue").expect("the queue's dashboard");
    let panel = board["panels"]
        .as_array()
        .expect("panels")
        .iter()
        .position(|panel| panel["type"] == "timeseries");
    let panel = format!("/panels/{}", panel.expect("a panel with lines"));
    let faults: &[(&str, Value, &str)] = &[
        ("/id", json!(7), "id"),
        ("/schemaVersion", json!(36), "schemaVersion"),
        ("/tags", json!([]), "tag"),
        ("/links/0/includeVars", json!(false), "variables"),
        ("/links/0/keepTime", json!(false), "time"),
        ("/templating/list/0/name", json!("source"), "datasource"),
        ("/templating/list/1/refresh", json!(1), "refresh"),
        ("/templating/list/1/query/query", json!("asterisk_up"), "label_values"),
        ("PANEL/title", json!(""), "title"),
        ("PANEL/description", json!("none"), "description"),
        ("PANEL/fieldConfig/defaults/unit", json!("parsecs"), "unit"),
        ("PANEL/datasource/uid", json!("prometheus-1"), "datasource"),
        ("PANEL/id", json!(1), "twice"),
        ("PANEL/targets", json!([]), "queries"),
        ("PANEL/targets/0/refId", json!("B"), "refId"),
        ("PANEL/targets/0/expr", json!("sum(asterisk_queue_exits_total)"), "rate"),
        ("PANEL/targets/0/expr", json!("rate(asterisk_queue_exits_total[5m])"), "window"),
        ("PANEL/targets/0/expr", json!("rate(asterisk_queue_exits_total[$__range])"), "window"),
        ("PANEL/gridPos/w", json!(20), "overlaps"),
        ("PANEL/gridPos/x", json!(22), "wide"),
        ("PANEL/gridPos/h", json!(0), "gridPos"),
        ("PANEL/type", json!("graph"), "type"),
        ("/annotations/list/1/expr", json!(""), "annotation"),
    ];
    assert_eq!(complaints(&name, &board), Vec::<String>::new());
    for (place, value, word) in faults {
        let mut damaged = board.clone();
        let place = place.replace("PANEL", &panel);
        *damaged.pointer_mut(&place).unwrap_or_else(|| panic!("{place}")) = value.clone();
        let found = complaints(&name, &damaged);
        assert!(
            found.iter().any(|complaint| complaint.contains(word)),
            "{place}={value}: {found:?}"
        );
    }
}

fn complaints(name: &str, board: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut want = |holds: bool, what: String| {
        if !holds {
            found.push(format!("{name}: {what}"));
        }
    };
    want(board["id"].is_null() && board.get("id").is_some(), "id is not null".into());
    want(board["schemaVersion"] == 42, "schemaVersion is not 42".into());
    want(
        text(&board["uid"]).starts_with("asterisk-") && text(&board["uid"]).len() <= 40,
        "uid".into(),
    );
    want(board["tags"] == json!(["asterisk-exporter"]), "the tag that links use is missing".into());
    want(text(&board["description"]).len() > 20, "description of the dashboard".into());
    want(board["time"]["from"].is_string() && board["time"]["to"] == "now", "time".into());
    want(board["refresh"].is_string(), "refresh".into());
    want(board["links"][0]["includeVars"] == true, "links do not carry variables".into());
    want(board["links"][0]["keepTime"] == true, "links do not carry the time".into());
    let variables = board["templating"]["list"].as_array().cloned().unwrap_or_default();
    let called: Vec<_> = variables.iter().map(|variable| text(&variable["name"])).collect();
    want(
        called == ["datasource", "pbx", "queue", "agent", "trunk"],
        format!("variables are {called:?}, not datasource and so on"),
    );
    for variable in &variables {
        let variable_name = text(&variable["name"]);
        want(!text(&variable["label"]).is_empty(), format!("{variable_name} has no label"));
        if variable["type"] == "datasource" {
            want(
                variable["query"] == "prometheus" && variable["label"] == "Data source",
                "datasource variable".into(),
            );
            continue;
        }
        want(
            variable["refresh"] == 2,
            format!("{variable_name} does not refresh on a change of time"),
        );
        want(templated(variable), format!("{variable_name}: datasource"));
        let query = text(&variable["query"]["query"]);
        want(
            query.starts_with("label_values(") && query.ends_with(&format!(", {variable_name})")),
            format!("{variable_name}: no label_values: {query}"),
        );
        want(
            variable["definition"] == variable["query"]["query"],
            format!("{variable_name}: definition"),
        );
        want(
            variable["multi"] == true && variable["includeAll"] == true,
            format!("{variable_name}: several, and all"),
        );
    }
    for note in board["annotations"]["list"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|note| note["builtIn"] != 1)
    {
        let sound =
            templated(note) && note["enable"] == true && text(&note["iconColor"]).starts_with('#');
        want(sound && !text(&note["expr"]).is_empty(), format!("annotation {}", note["name"]));
    }
    let all = board["panels"].as_array().cloned().unwrap_or_default();
    let mut ids = HashSet::new();
    for panel in &all {
        want(ids.insert(panel["id"].as_u64()), format!("id {} is used twice", panel["id"]));
        if panel["type"] != "row" {
            for complaint in of_panel(panel) {
                want(false, format!("{}: {complaint}", panel["title"]));
            }
        }
    }
    for query in queries(board) {
        for complaint in of_query(name, &query) {
            want(false, format!("{}: {complaint}: {}", query.panel, query.expr));
        }
    }
    for complaint in grid(&all) {
        want(false, complaint);
    }
    found
}

fn of_panel(panel: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let kind = text(&panel["type"]);
    if !KINDS.contains(&kind) {
        found.push(format!("type {kind}"));
    }
    if text(&panel["title"]).is_empty() {
        found.push("no title".into());
    }
    let description = text(&panel["description"]);
    if description.len() < 15 || !description.ends_with('.') {
        found.push("no description that ends in a full stop".into());
    }
    if !UNITS.contains(&text(&panel["fieldConfig"]["defaults"]["unit"])) {
        found.push("no unit".into());
    }
    if !templated(panel) {
        found.push("datasource is not the variable".into());
    }
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    if targets.is_empty() {
        found.push("no queries".into());
    }
    let mut ids = HashSet::new();
    for target in &targets {
        if !ids.insert(text(&target["refId"])) {
            found.push(format!("refId {} is used twice", target["refId"]));
        }
        if !templated(target) {
            found.push("datasource of a query".into());
        }
        if target["instant"] == target["range"] {
            found.push("a query is instant or a range".into());
        }
    }
    for field in ["options", "fieldConfig"] {
        if !panel[field].is_object() {
            found.push(format!("no {field}"));
        }
    }
    found
}

fn of_query(board: &str, query: &Query) -> Vec<String> {
    let mut found = Vec::new();
    for selector in names(&query.expr).selectors {
        let rated = ["rate", "increase"].contains(&selector.function.as_str())
            && !selector.window.is_empty();
        // the whole of a counter that began in the time that is shown: definitions::in_range_with_first
        let rated = rated || query.expr.contains(&format!("unless {}", selector.metric));
        // that there are buckets: definitions::buckets
        let rated = rated || query.expr.contains(&format!("and on (pbx) {}", selector.metric));
        let counts = ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .any(|end| selector.metric.ends_with(end));
        if counts && !rated && !BARE_COUNTERS.contains(&(board, &query.panel)) {
            found.push(format!("{} without rate or increase", selector.metric));
        }
        let whole = query.instant
            || query.expr.contains("@ end()")
            || selector.function == "last_over_time";
        let half_hours = query.rows.as_ref().is_some_and(|rows| rows == &["Time"]);
        let allowed = match selector.window.as_str() {
            "" | "$__rate_interval" => true,
            "$__range" => whole,
            // What was known recently: definitions::connected.
            "1w" => selector.function == "last_over_time",
            // A row for each half hour: Panel::half_hours. What is recorded of it is not older.
            "30m" | "2m" => half_hours,
            _ => false,
        };
        if !allowed {
            found.push(format!("window {}", selector.window));
        }
    }
    found
}

/// No panel outside the 24 columns, and none over another.
fn grid(panels: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    let mut places: Vec<(String, [u64; 4])> = Vec::new();
    for panel in panels {
        let title = panel["title"].to_string();
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap_or(0));
        if w == 0 || h == 0 {
            found.push(format!("{title}: gridPos"));
        }
        if x + w > 24 {
            found.push(format!("{title}: {} columns are too wide", x + w));
        }
        for (other, [ox, oy, ow, oh]) in &places {
            if x < ox + ow && *ox < x + w && y < oy + oh && *oy < y + h {
                found.push(format!("{title} overlaps {other}"));
            }
        }
        places.push((title, [x, y, w, h]));
    }
    found
}

/// The names of a panel that have a colour of their own.
pub(crate) fn colours(panel: &Value) -> Vec<(String, String)> {
    let config = &panel["fieldConfig"];
    let mappings = config["defaults"]["mappings"].as_array().into_iter().flatten();
    let mapped = mappings
        .filter(|mapping| mapping["type"] == "value")
        .filter_map(|mapping| mapping["options"].as_object())
        .flat_map(|map| map.values());
    let mapped =
        mapped.map(|shown| (text(&shown["text"]).to_owned(), text(&shown["color"]).to_owned()));
    let fixed = config["overrides"].as_array().into_iter().flatten().filter_map(|change| {
        let mut properties = change["properties"].as_array()?.iter();
        let colour = properties.find(|property| property["value"]["fixedColor"].is_string())?;
        Some((
            text(&change["matcher"]["options"]).to_owned(),
            text(&colour["value"]["fixedColor"]).to_owned(),
        ))
    });
    mapped.chain(fixed).collect()
}

pub(crate) fn panels(board: &Value) -> Vec<Value> {
    let all = board["panels"].as_array().expect("panels");
    all.iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

fn templated(of: &Value) -> bool {
    of["datasource"] == json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a whole number")
}

/// Panels that show counters as they are: the law of conservation is about the counts themselves.
const BARE_COUNTERS: &[(&str, &str)] =
    &[("exporter", "Not conserved"), ("exporter", "Conservation")];
const KINDS: &[&str] = &["stat", "timeseries", "table", "heatmap", "bargauge", "state-timeline"];
/// Grafana's names: counts, seconds, hours:minutes:seconds (after days), shares of 1, bytes, a
/// second, a minute.
const UNITS: &[&str] =
    &["short", "s", "dthms", "dtdhms", "percentunit", "bytes", "bool_yes_no", "cps", "cpm"];
