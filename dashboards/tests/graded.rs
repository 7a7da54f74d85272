//! Numbers that are coloured by their queries, and the rows of half hours, by promtool.

use std::process::Command;

use dashboards::{queries, shipped};
use serde_json::{Value, json};
use support::program::tool;
use support::scratch;

use crate::lint::panels;

/// The queries of a number that is coloured by which of them gives it: green, red, and neither.
pub(crate) fn of(panel: &Value) -> Option<[String; 3]> {
    let colours = panel["fieldConfig"]["overrides"].as_array()?;
    let by_query = colours.iter().filter(|one| one["matcher"]["id"] == "byFrameRefID").count();
    let expr = |at: usize| panel["targets"][at]["expr"].as_str().unwrap_or_default().to_owned();
    (by_query == 2).then(|| [0, 1, 2].map(expr))
}

/// What a queue did in the last half hour, and its thresholds if they are recorded.
struct Queue {
    level: &'static str,
    answered: u32,
    abandoned: u32,
    thresholds: Option<[&'static str; 2]>,
}

/// Which of the three queries gives which number.
const GOOD: usize = 0;
const BAD: usize = 1;
const NEITHER: usize = 2;

#[test]
fn a_service_level_has_the_colour_of_its_threshold() {
    let queue = |level, answered, abandoned| Queue {
        level,
        answered,
        abandoned,
        thresholds: Some(["0.7", "0.25"]),
    };
    let unlimited = Queue { thresholds: None, ..queue("0.6", 16, 4) };
    let strict = Queue { thresholds: Some(["0.95", "0.25"]), ..queue("0.9", 24, 6) };
    let lax = Queue { thresholds: Some(["0.3", "0.25"]), ..queue("0.5", 8, 2) };

    check(
        "Service level",
        &[
            (vec![queue("0.8", 16, 4)], GOOD, 0.8),
            (vec![queue("0.7", 16, 4)], GOOD, 0.7),
            (vec![queue("0.69", 16, 4)], BAD, 0.69),
            // Fewer calls than alerts are made of.
            (vec![queue("0.69", 8, 1)], NEITHER, 0.69),
            (vec![unlimited], NEITHER, 0.6),
            (vec![], NEITHER, -1.0),
            // Of 40 calls 32, where 31.5 must be: 28.5 and 3.
            (vec![strict, lax], GOOD, 0.8),
        ],
    );
}

#[test]
fn an_abandon_rate_has_the_colour_of_its_threshold() {
    let queue = |answered, abandoned| Queue {
        level: "0.5",
        answered,
        abandoned,
        thresholds: Some(["0.7", "0.25"]),
    };
    let strict = Queue { thresholds: Some(["0.7", "0.1"]), ..queue(27, 3) };

    check(
        "Abandon rate",
        &[
            (vec![queue(16, 4)], GOOD, 0.2),
            (vec![queue(15, 5)], GOOD, 0.25),
            (vec![queue(13, 7)], BAD, 0.35),
            (vec![queue(5, 4)], NEITHER, 0.44),
            (vec![Queue { thresholds: None, ..queue(13, 7) }], NEITHER, 0.35),
            (vec![], NEITHER, -1.0),
            // Of 40 calls 6, where 5.5 may be: 3 and 2.5.
            (vec![strict, queue(7, 3)], BAD, 0.15),
        ],
    );
}

/// On each dashboard that has it: one query gives the number, the others nothing.
fn check(title: &str, cases: &[(Vec<Queue>, usize, f64)]) {
    let Some(promtool) = tool("promtool") else { return };
    let mut boards = 0;
    for (name, board) in shipped() {
        let panel = panels(&board).into_iter().find(|panel| panel["title"] == title);
        let Some(queries) = panel.as_ref().and_then(of) else { continue };
        let tests: Vec<_> = cases
            .iter()
            .map(|(queues, grade, number)| {
                let asked = queries.iter().enumerate().map(|(at, expr)| {
                    let mut found = Vec::new();
                    if at == *grade {
                        found.push(json!({ "labels": "{}", "value": number }));
                    }
                    json!({ "expr": rounded(expr), "eval_time": "0m", "exp_samples": found })
                });
                json!({ "input_series": input(queues), "promql_expr_test": asked.collect::<Vec<_>>() })
            })
            .collect();
        let file = scratch().join(format!("{name}-{title}.yml"));
        promtool_finds(&promtool, &file, &json!({ "tests": tests }));
        boards += 1;
    }
    assert_eq!(boards, 2, "dashboards with {title}");
}

fn input(queues: &[Queue]) -> Vec<Value> {
    let mut all = Vec::new();
    for (at, queue) in queues.iter().enumerate() {
        let Queue { level, answered, abandoned, thresholds } = queue;
        let mut series = |name: &str, value: String| {
            let series = format!("pbx_queue:asterisk_{name}{{pbx=\"hq\", queue=\"{at}\"}}");
            all.push(json!({ "series": series, "values": value }));
        };

        series("queue_service_level_alerted:ratio_rate30m", (*level).to_owned());
        series("queue_answered:increase30m", answered.to_string());
        series("queue_abandoned:increase30m", abandoned.to_string());
        series("queue_ended:increase30m", (answered + abandoned).to_string());
        if let Some([least, most]) = thresholds {
            series("threshold:service_level", (*least).to_owned());
            series("threshold:abandon_ratio", (*most).to_owned());
            series("threshold:min_calls", "10".to_owned());
        }
    }
    all
}

/// A caller each minute from 09:00 on: half of them are answered after 20 seconds on average, a fifth
/// gives up.  At 10:20 the present half hour has 20 minutes.
#[test]
fn a_half_hour_has_the_calls_from_its_beginning_on() {
    let Some(promtool) = tool("promtool") else { return };
    let (_, board) = shipped().into_iter().find(|(name, _)| name == "queue").expect("the queue's");
    let series = [
        ("entries_total", "", "0+0.25x320"),
        ("exits_total", ", outcome=\"answered\"", "0+0.125x320"),
        ("exits_total", ", outcome=\"abandoned\"", "0+0.05x320"),
        ("answered_in_target_total", "", "0+0.0875x320"),
        // Known from 09:40 on.
        ("service_level_target_seconds", "", "_x160 20x160"),
        ("hold_seconds_sum", ", outcome=\"answered\"", "0+2.5x320"),
        ("hold_seconds_count", ", outcome=\"answered\"", "0+0.125x320"),
        ("talk_seconds_sum", ", agent=\"Ann\"", "0+12.5x320"),
        ("talk_seconds_count", ", agent=\"Ann\"", "0+0.125x320"),
        ("completions_total", ", agent=\"Ann\"", "0+0.125x320"),
        ("wrapup_seconds_total", ", agent=\"Ann\"", "0+1.25x320"),
        ("longest_wait_seconds", "", "5x150 80x10 5x160"),
    ];
    let input = series.map(|(name, labels, values)| {
        let series = format!("asterisk_queue_{name}{{pbx=\"hq\", queue=\"support\"{labels}}}");
        json!({ "series": series, "values": values })
    });

    // From 09:30 to 10:00, and from 10:00 on.
    let rows = [[30.0, 15.0, 6.0], [20.0, 10.0, 4.0]];
    let shares = [0.29, 0.5, 20.0, 110.0];
    let longest = [80.0, 5.0];
    let columns: Vec<_> = queries(&board)
        .into_iter()
        .filter(|query| query.panel == "Half hours of today")
        .map(|query| query.expr)
        .collect();
    assert_eq!(columns.len(), 8);

    let mut asked = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let numbers = row.iter().chain(&shares).chain([&longest[at]]);
        for (column, (expr, number)) in columns.iter().zip(numbers).enumerate() {
            let found = [json!({ "labels": "{}", "value": number })];
            let time = format!("{}m", 30 * (at + 1));
            // Prometheus extrapolates a count by half a scrape.
            let expr = if column < 3 { format!("round({})", rounded(expr)) } else { rounded(expr) };
            asked.push(json!({ "expr": expr, "eval_time": time, "exp_samples": found }));
        }
    }
    // Only what is before the last question is loaded.
    let now = [json!({ "labels": "{}", "value": 1 })];
    asked.push(json!({ "expr": "vector(1)", "eval_time": "80m", "exp_samples": now }));
    let test = json!({ "interval": "15s", "input_series": input, "promql_expr_test": asked });
    promtool_finds(&promtool, &scratch().join("half_hours.yml"), &json!({ "tests": [test] }));
}

/// For everything, and as decimals have it.
fn rounded(expr: &str) -> String {
    let expr = expr.replace("$pbx", ".*").replace("$queue", ".*");
    format!("round({expr}, 0.01)")
}

fn promtool_finds(promtool: &std::path::Path, file: &std::path::Path, tests: &Value) {
    std::fs::write(file, tests.to_string()).expect("a file");
    let output = Command::new(promtool).args(["test", "rules"]).arg(file).output();
    let output = output.expect("promtool starts");
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
}
