//! `definitions::in_range_with_first` by promtool: what a counter counted in the time that is shown, its
//! first included.

use std::process::Command;

use dashboards::definitions::in_range_with_first;
use serde_json::json;
use support::program::tool;
use support::scratch;

/// What, at which exporter, with which value each minute, and how many in the last half hour of
/// sixty minutes.
const CASES: &[(&str, &str, &str, u32)] = &[
    ("was there before", "a", "5x40 7x20", 2),
    ("began in it", "a", "_x40 1x5 3x15", 3),
    ("was seen once", "a", "_x60 1", 1),
    // One of seven is lost: the first before the exporter started anew.
    ("began in it, and again with the exporter", "b", "_x35 1x4 5x5 _ 2x14", 6),
    ("counted before Prometheus came", "c", "_x50 100x5 100x5", 0),
];
const EXPORTERS: &[(&str, &str)] = &[("a", "1x60"), ("b", "1x60"), ("c", "_x50 1x10")];

#[test]
fn the_first_of_a_rare_counter_counts() {
    let Some(promtool) = tool("promtool") else { return };
    let exporters = EXPORTERS.iter().map(|(exporter, values)| {
        let series = format!("asterisk_exporter_build_info{{job=\"j\", instance=\"{exporter}\"}}");
        json!({ "series": series, "values": values })
    });

    let counters = CASES.iter().map(|(what, exporter, values, _)| {
        let series = format!("x{{job=\"j\", instance=\"{exporter}\", what=\"{what}\"}}");
        json!({ "series": series, "values": values })
    });

    let expected = CASES.iter().map(
        |(what, _, _, count)| json!({ "labels": format!("{{what=\"{what}\"}}"), "value": count }),
    );

    // Prometheus extrapolates a little.
    let expr =
        format!("round({})", in_range_with_first("what", "x", "")).replace("$__range", "30m");
    let case =
        json!({ "expr": expr, "eval_time": "60m", "exp_samples": expected.collect::<Vec<_>>() });
    let test = json!({
        "interval": "1m",
        "input_series": exporters.chain(counters).collect::<Vec<_>>(),
        "promql_expr_test": [case],
    });

    let file = scratch().join("first_count.yml");
    std::fs::write(&file, json!({ "tests": [test] }).to_string()).expect("a file");
    let output =
        Command::new(promtool).args(["test", "rules"]).arg(file).output().expect("promtool starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
