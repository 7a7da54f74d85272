//! What a person reads on the dashboards, by Grafana's own code: its `@grafana/data` runs the
//! transformations and overrides of each panel on what its queries gave (`shown.cjs`).
//!
//! What of a panel is drawn, and where, is in another package and needs a browser.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::root;

use crate::prometheus::Series;
use crate::{node, npm};

/// The folder with Grafana's code, from npm; `None` if it cannot be had.
pub fn installed() -> Option<PathBuf> {
    let needed = ["@grafana/data/package.json", "rxjs/package.json"];
    npm::installed("grafana-data", PACKAGES, &needed).filter(|_| node::is_new_enough())
}

/// A panel and the series that each of its queries gave, for [`shown`].
pub fn asked(panel: &Value, answers: &[Vec<Series>]) -> Value {
    let json = |series: &Series| json!({ "labels": series.labels, "points": series.points });
    let answers: Vec<Vec<_>> =
        answers.iter().map(|answer| answer.iter().map(json).collect()).collect();
    json!({ "panel": panel, "answers": answers })
}

/// What Grafana shows of these panels, one for each; the head of `shown.cjs` says what that is.
pub fn shown(grafana: &Path, asked: &[Value]) -> Vec<Value> {
    node::run(&root("dashboards/src/grafana/shown.cjs"), grafana, &json!(asked))
}

const PACKAGES: &[&str] = &["@grafana/data@13.2.3", "rxjs@7.8.2"];
