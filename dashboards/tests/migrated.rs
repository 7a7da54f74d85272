//! Nothing of a dashboard changes when Grafana migrates it.
//!
//! `schemaVersion` is the newest, so the migration of dashboards has nothing to do.  That of panels
//! goes by `pluginVersion`; without it, a panel is taken for one of Grafana 6.1.  Of the panels that are used here, Grafana's packages under a free licence have the
//! migration of stat and bar gauge (`@grafana/ui` 13.2).  Those of time series, table, heatmap and state timeline, and that of
//! whole dashboards, are in no package: looked for in `@grafana/data`, `schema`, `ui` and `scenes`
//! 9.2.

use dashboards::grafana::installed;
use dashboards::{node, npm, shipped};
use serde_json::{Value, json};
use support::root;

use crate::lint::panels;

#[test]
fn migration_changes_nothing() {
    let Some(grafana) = installed() else { return };
    if !npm::unpacked(&grafana, "@grafana/ui", "13.2.3") {
        return;
    }
    let migrated = |panels: &[Value]| -> Vec<Value> {
        node::run(&root("dashboards/tests/grafana/migrated.cjs"), &grafana, &json!(panels))
    };
    let singles = |panel: &Value| panel["type"] == "stat" || panel["type"] == "bargauge";
    let all: Vec<_> =
        shipped().iter().flat_map(|(_, board)| panels(board)).filter(singles).collect();
    assert!(all.len() > 30, "{}", all.len());
    for (panel, texts) in all.iter().zip(migrated(&all)) {
        assert_eq!(texts[0], texts[1], "{}", panel["title"]);
    }

    // It does find what is old.
    let stat = all.iter().find(|panel| panel["type"] == "stat");
    let mut old = stat.expect("a number").clone();
    let reduced = old["options"]["reduceOptions"].take();
    old["options"]["fieldOptions"] = reduced.clone();
    old["pluginVersion"] = Value::Null;
    let texts = &migrated(&[old])[0];
    let options = |text: &Value| -> Value {
        let panel: Value = serde_json::from_str(text.as_str().expect("a text")).expect("JSON");
        panel["options"].clone()
    };
    assert!(options(&texts[0])["reduceOptions"].is_null());
    assert_eq!(options(&texts[1])["reduceOptions"]["calcs"], reduced["calcs"]);
}
