//! The dashboards: `definitions` generates `dashboards/*.json`, `grafana` says what a person reads on
//! them, and `render` draws that.

pub mod definitions;
pub mod grafana;
pub mod node;
pub mod npm;
pub mod prometheus;
pub mod render;

use std::path::PathBuf;

use serde_json::Value;
use support::root;

/// The dashboards as they are shipped, by the name of their file.
pub fn shipped() -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir(root("dashboards"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a dashboard");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("JSON"))
    };
    files.iter().map(read).collect()
}

/// One query of a dashboard.
pub struct Query {
    /// The title of its panel, or of its annotation.
    pub panel: String,
    /// The query in PromQL.
    pub expr: String,
    /// The legend of its series.
    pub legend: String,
    /// Whether it is for one moment, and not for a span.
    pub instant: bool,
    /// The labels that the rows of a table go by; Grafana makes a row of its own for what has
    /// others.
    pub rows: Option<Vec<String>>,
}

/// All queries of panels and annotations.
pub fn queries(board: &Value) -> Vec<Query> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();

    for panel in board["panels"].as_array().into_iter().flatten() {
        let organized = &panel["transformations"][1]["options"]["renameByName"];
        let columns = organized.as_object().into_iter().flat_map(|names| names.keys());
        let labels: Vec<_> = columns.filter(|name| !name.starts_with("Value")).cloned().collect();
        let rows = (panel["type"] == "table").then_some(labels);
        for target in panel["targets"].as_array().into_iter().flatten() {
            all.push(Query {
                rows: rows.clone(),
                panel: text(&panel["title"]),
                expr: text(&target["expr"]),
                legend: text(&target["legendFormat"]),
                instant: target["instant"] == true,
            });
        }
    }

    for note in board["annotations"]["list"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|note| note["builtIn"] != 1)
    {
        let legend = text(&note["textFormat"]);
        all.push(Query {
            panel: text(&note["name"]),
            expr: text(&note["expr"]),
            legend,
            instant: false,
            rows: None,
        });
    }

    all
}

/// Each dashboard's file, and what must be in it.
pub fn generated() -> Vec<(PathBuf, String)> {
    let file = |(name, board): (&str, Value)| {
        let text = serde_json::to_string_pretty(&board).expect("JSON") + "\n";
        (root("dashboards").join(name).with_extension("json"), text)
    };
    definitions::all().into_iter().map(file).collect()
}
