//! METRICS.md against the code's catalogue: the same names, kinds and labels, none more and none
//! less.

use std::collections::BTreeMap;

use asterisk_exporter::metrics::catalogue;

/// Rows of METRICS.md whose first cell is a metric's name in backticks: name to kind and labels.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/METRICS.md");
    let text = std::fs::read_to_string(path).expect("METRICS.md");
    let mut rows = BTreeMap::new();

    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(name) = cells[0].strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) else {
            continue;
        };
        if !name.starts_with("asterisk_") && !name.starts_with("process_") || cells.len() < 4 {
            continue;
        }
        let labels = cells[2].split(',').map(|label| label.trim().to_owned());
        let labels: Vec<_> = labels.filter(|label| !label.is_empty() && label != "–").collect();
        assert!(
            rows.insert(name.to_owned(), (cells[1].to_owned(), labels)).is_none(),
            "{name} is in two rows"
        );
    }

    rows
}

#[test]
fn metrics_md_is_the_catalogue() {
    let mut documented = documented();
    for entry in catalogue() {
        let (kind, labels) = documented
            .remove(entry.name)
            .unwrap_or_else(|| panic!("{} is not documented", entry.name));
        assert_eq!(kind, entry.kind.word(), "{}: kind", entry.name);
        assert_eq!(labels, entry.labels, "{}: labels", entry.name);
    }
    assert!(documented.is_empty(), "not in the code: {:?}", documented.keys());
}
