//! The dashboards: made here, checked here, and drawn here.
//!
//! `made` writes `dashboards/*.json`, `lint` holds them against rules, `names` against the
//! catalogue of metrics and the recording rules, `live` runs every query against a real Prometheus,
//! `grafana_types` asks Grafana's own type definitions, and `render` draws pictures.

mod colour_blindness;
mod first_count;
mod grafana_types;
mod lint;
mod live;
mod made;
mod names;
#[path = "../common/program.rs"]
mod program;
mod promql;
mod render;
mod server;

use std::path::PathBuf;

use serde_json::Value;

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The dashboards as they are shipped, by the name of their file.
fn shipped() -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir(path("dashboards"))
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
struct Query {
    /// The title of its panel, or of its annotation.
    panel: String,
    expr: String,
    legend: String,
    instant: bool,
    /// The labels that the rows of a table go by; Grafana makes a row of its own for what has
    /// others.
    rows: Option<Vec<String>>,
}

/// All queries of panels and annotations.
fn queries(board: &Value) -> Vec<Query> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for panel in board["panels"].as_array().into_iter().flatten() {
        let organized = &panel["transformations"][1]["options"]["renameByName"];
        let columns = organized.as_object().into_iter().flat_map(|names| names.keys());
        let labels: Vec<_> = columns.filter(|name| !name.starts_with("Value ")).cloned().collect();
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

#[test]
fn the_files_are_what_is_made_here() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    for (name, board) in made::all() {
        let file = path(&format!("dashboards/{name}.json"));
        let text = serde_json::to_string_pretty(&board).expect("JSON") + "\n";
        if update {
            std::fs::create_dir_all(path("dashboards")).expect("the folder");
            std::fs::write(&file, &text).expect("a dashboard is written");
        }
        let shipped = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            shipped == text,
            "{name}.json differs: UPDATE_EXPECTED=1 cargo test --test dashboards writes it anew"
        );
    }
    let names: Vec<_> = shipped().into_iter().map(|(name, _)| name).collect();
    let mut made: Vec<_> = made::all().into_iter().map(|(name, _)| name.to_owned()).collect();
    made.sort();
    assert_eq!(names, made, "files in dashboards/");
}
