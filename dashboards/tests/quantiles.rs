//! `definitions::quantile` by promtool, where an exporter has no buckets but `+Inf`.

use std::process::Command;

use dashboards::definitions::quantile;
use serde_json::{Value, json};
use support::program::tool;
use support::scratch;

/// Observations a minute of each PBX up to 10 s, up to 20 s and in all; none for a bucket that is
/// not there.
type Buckets = [Option<u32>; 3];

/// What there is, and the 90th percentile of each selection.
struct Case {
    pbxs: &'static [(&'static str, Buckets)],
    expected: &'static [(&'static str, Option<f64>)],
}

const CASES: &[Case] = &[
    Case {
        pbxs: &[("full", [Some(5), Some(10), Some(10)])],
        expected: &[("full", Some(18.0)), (".*", Some(18.0))],
    },
    Case { pbxs: &[("sums", [None, None, Some(10)])], expected: &[("sums", None), (".*", None)] },
    Case {
        pbxs: &[("full", [Some(5), Some(10), Some(10)]), ("sums", [None, None, Some(90)])],
        expected: &[("full", Some(18.0)), ("sums", None), (".*", Some(18.0))],
    },
    // Nobody calls.
    Case { pbxs: &[("full", [Some(0), Some(0), Some(0)])], expected: &[("full", None)] },
];

#[test]
fn a_quantile_needs_buckets() {
    let Some(promtool) = tool("promtool") else { return };
    let tests = CASES.iter().map(|Case { pbxs, expected }| {
        let series = pbxs.iter().flat_map(|(pbx, buckets)| {
            let with_bound = ["10.0", "20.0", "+Inf"].into_iter().zip(buckets);
            with_bound.filter_map(move |(bound, count)| {
                let series = format!("x_bucket{{pbx=\"{pbx}\", le=\"{bound}\"}}");
                let each = (*count)?;
                Some(json!({ "series": series, "values": format!("0+{each}x10") }))
            })
        });

        let cases = expected.iter().map(|(pbx, value)| {
            let samples: Vec<Value> =
                value.iter().map(|value| json!({ "labels": "{}", "value": value })).collect();
            let expr = quantile(0.9, "x", &format!("pbx=~\"{pbx}\""));
            let expr = expr.replace("$__rate_interval", "5m");
            json!({ "expr": format!("round({expr}, 0.001)"), "eval_time": "10m", "exp_samples": samples })
        });
        json!({
            "interval": "1m",
            "input_series": series.collect::<Vec<_>>(),
            "promql_expr_test": cases.collect::<Vec<_>>(),
        })
    });

    let file = scratch().join("quantiles.yml");
    std::fs::write(&file, json!({ "tests": tests.collect::<Vec<_>>() }).to_string())
        .expect("a file");
    let output =
        Command::new(promtool).args(["test", "rules"]).arg(file).output().expect("promtool starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
