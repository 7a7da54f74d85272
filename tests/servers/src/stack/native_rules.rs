//! `alerts/rules-native.yml` gives out of native histograms what `alerts/rules.yml` gives out of
//! classic ones: both are asked of one Prometheus, which has both, for the same moment.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::Value;
use support::root;

use super::calls::day;
use super::exporter::Exporter;
use super::histograms::native_and_classic;
use super::pbx::Pbx;
use super::series::Series;
use super::servers::{Server, encoded, until};

#[test]
fn native_rules_say_what_the_classic_ones_say() {
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, "metrics: {native_histograms: true}");
    let entered = |least: f64| {
        until("the calls are counted", || {
            let series = exporter.series();
            let (entries, open) =
                (series.named("asterisk_queue_entries_total").total(), open(&series));
            if entries > least && open == 0.0 {
                Ok(entries)
            } else {
                Err(format!("{entries}, {open} open"))
            }
        })
    };
    // Two days, the second of which Prometheus sees come: an increase needs something to begin
    // from.
    pbx.say(&day(7, 400));
    let first = entered(100.0);
    let Some(server) = native_and_classic(&exporter) else { return };
    scraped(&server, first, 4.0);
    pbx.say(&day(8, 400));
    let both = entered(first + 100.0);
    scraped(&server, both, 4.0);

    let now = server.ask("vector(time())").total();
    let native = rules("alerts/rules-native.yml");
    let classic = rules("alerts/rules.yml");
    let mut compared = 0;
    let parts = Regex::new(r"histogram_(sum|count)\((\w+)((?:\{[^}]*\})?)\)").unwrap();
    for (name, expr) in &native {
        // What the dashboards read of the classic series themselves.
        let of_classic = || parts.replace_all(expr, "${2}_$1$3").into_owned();
        let of_agents = name.ends_with(":total").then(of_classic);
        let Some(theirs) = classic.get(name).or(of_agents.as_ref()) else { continue };
        let ask = |expr: &str, rules| {
            let path = format!(
                "/api/v1/query?time={now}&query={}",
                encoded(&since_the_start(&inlined(expr, rules)))
            );
            Series::of_answer(&server.json(&path))
        };
        let ours = ask(expr, &native);
        let theirs = ask(theirs, &classic);
        assert!(!ours.0.is_empty() && ours.total() > 0.0, "{name}: {ours:?}");
        if name.contains(":p90_") {
            assert_same_buckets(name, &ours, &theirs, &exporter.series());
        } else {
            theirs.compare(&ours, 1e-9).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
        compared += 1;
    }
    // All but the two histograms that only these rules have.
    assert_eq!(compared, native.len() - 2);
}

/// What a classic percentile is worth: its bucket.  The native one is in it, up to the width of its
/// own.
fn assert_same_buckets(name: &str, native: &Series, classic: &Series, exporter: &Series) {
    assert_eq!(native.0.keys().collect::<Vec<_>>(), classic.0.keys().collect::<Vec<_>>(), "{name}");
    let metric = name.split(':').nth(1).expect("level:metric:operation");
    let buckets = exporter.named(&format!("{metric}_bucket"));
    let mut bounds: Vec<f64> =
        buckets.0.keys().map(|labels| labels["le"].parse().expect("a number")).collect();
    bounds.push(0.0);
    bounds.sort_by(f64::total_cmp);

    for (labels, theirs) in &classic.0 {
        let above = bounds.partition_point(|bound| bound < theirs);
        let low = bounds[above.saturating_sub(1)] / WIDTH;
        let high = bounds[above] * WIDTH;
        let ours = native.0[labels];
        assert!(
            (low..=high).contains(&ours),
            "{name}: {labels:?}: {ours} where the classic one is {theirs}"
        );
    }
}

/// Waits for so many scrapes that have all of these callers.
fn scraped(server: &Server, entries: f64, scrapes: f64) {
    let query =
        format!("sum(count_over_time((sum(asterisk_queue_entries_total) == {entries})[5m:500ms]))");
    until("Prometheus has scraped", || match server.ask(&query).total() {
        found if found >= scrapes => Ok(()),
        found => Err(format!("{found} scrapes")),
    });
}

fn open(series: &Series) -> f64 {
    series.named("asterisk_exporter_tracked_objects").total()
}

/// Names of recorded series, and what they are recorded of.
pub(crate) fn rules(file: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root(file)).unwrap();
    let parsed: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = parsed["groups"].as_array().expect("groups");
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    rules.map(|rule| (text(&rule["record"]), text(&rule["expr"]))).collect()
}

/// In place of an increase, what was counted since the start: Prometheus 3.5 extrapolates a classic
/// series no further than to zero, and a native histogram beyond it.
fn since_the_start(expr: &str) -> String {
    let increase = Regex::new(r"increase\(([^\[\]()]*)\[[0-9]+[mhd]\]\)").unwrap();
    increase.replace_all(expr, "($1)").into_owned()
}

/// An expression with what is recorded put in: nothing is recorded here, and no minute has to go
/// by.
pub(crate) fn inlined(expr: &str, rules: &BTreeMap<String, String>) -> String {
    // Nothing is recorded, so nothing has to be waited for.
    let expr = expr.replace(" offset 90s", "");
    let name = Regex::new(r"([a-z_]+:[a-z0-9_]+:[a-z0-9_]+)(\[([0-9]+[mhd])\])?").unwrap();
    let put_in = |found: &Captures<'_>| {
        let inner = inlined(&rules[&found[1]], rules);
        found.get(3).map_or_else(
            || format!("({inner})"),
            |window| format!("({inner})[{}:1s]", window.as_str()),
        )
    };
    name.replace_all(&expr, put_in).into_owned()
}

/// Of a native bucket, at schema 3, and a little.
const WIDTH: f64 = 1.1;
