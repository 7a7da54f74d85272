//! What holds of the dashboards as they are shipped.
//!
//! `lint` checks them against rules, `names` against the catalogue of metrics and the recording
//! rules, `none` what is shown where there is no number, `live` runs every query against a real
//! Prometheus, and `grafana_types`, `shown`, `today` and `migrated` ask Grafana's own code.

mod colour_blindness;
mod first_count;
mod graded;
mod grafana_types;
mod lint;
mod live;
mod migrated;
mod names;
mod none;
mod promql;
mod quantiles;
mod shown;
mod today;

use std::path::PathBuf;

use dashboards::{generated, shipped};

#[test]
fn the_files_are_what_is_generated() {
    for (file, text) in generated() {
        let shipped = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            shipped == text,
            "{} differs: `cargo run -p dashboards` writes it anew",
            file.display()
        );
    }

    let name = |(file, _): &(PathBuf, String)| {
        file.file_stem().expect("a name").to_string_lossy().into_owned()
    };
    let mut generated: Vec<_> = generated().iter().map(name).collect();
    generated.sort();
    let names: Vec<_> = shipped().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, generated, "files in dashboards/");
}
