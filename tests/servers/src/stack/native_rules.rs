//! `alerts/rules-native.yml` gives out of native histograms what `alerts/rules.yml` gives out of
//! classic ones: both are asked of one Prometheus, which has both, for the same moment.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::Value;
use support::root;

use super::calls::day;
use super::exporter::Exporter;
use super::histograms::native_and_classic;
use super::nhcb::custom_buckets;
use super::pbx::Pbx;
use super::series::Series;
use super::servers::{Server, encoded, until};

#[test]
fn native_rules_say_what_the_classic_ones_say() {
    assert_same("metrics: {native_histograms: true}", native_and_classic);
}

#[test]
fn custom_buckets_give_what_classic_ones_give() {
    assert_same("", |exporter| custom_buckets(exporter, true));
}

/// Asks for everything that `rules.yml` records, of a server that has both kinds of histograms:
/// once of the classic ones, and once of the native ones alone.
fn assert_same(more: &str, server: impl Fn(&Exporter) -> Option<Server>) {
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, more);
    // Days, the last of which Prometheus sees come: an increase needs something to begin
    // from.
    pbx.say(&day(7, 400));
    let first = entered(&exporter, 100.0);
    let Some(server) = server(&exporter) else { return };
    scraped(&server, first, 20.0);
    pbx.say(&day(8, 400));
    let both = entered(&exporter, first + 50.0);
    scraped(&server, both, 4.0);

    let now = server.ask("vector(time())").total();
    let classic = rules("alerts/rules.yml");
    let mut native: BTreeMap<_, _> =
        classic.iter().map(|(name, expr)| (name.clone(), without_classic(expr))).collect();
    let only_native = rules("alerts/rules-native.yml");
    native.extend(only_native.clone());

    // What the dashboards read of the classic series themselves.
    let parts = Regex::new(r"histogram_(sum|count)\((\w+)((?:\{[^}]*\})?)\)").unwrap();
    let of_agents = only_native.iter().filter(|(name, _)| name.ends_with(":total"));
    let of_agents = of_agents
        .map(|(name, expr)| (name.clone(), parts.replace_all(expr, "${2}_$1$3").into_owned()));
    let mut all = classic.clone();
    all.extend(of_agents);

    for (name, theirs) in &all {
        if !has_counterpart(name) {
            continue;
        }
        let ask = |expr: &str, rules| {
            let path = format!(
                "/api/v1/query?time={now}&query={}",
                encoded(&since_the_start(&inlined(expr, rules)))
            );
            Series::of_answer(&server.json(&path))
        };
        let theirs = ask(theirs, &classic);
        let ours = ask(&native[name], &native);
        assert!(!theirs.0.is_empty(), "{name}");
        if name.contains(":p90_") {
            assert_same_buckets(name, &ours, &theirs, &exporter.series());
        } else if name.contains("_short_talks:") && !more.is_empty() {
            // Of the exponential bucket that contains 5 s, a part is taken for shorter.
            let up_to = |exponent: f64| {
                let bound = format!("(0, {},", exponent.exp2());
                assert!(inlined(&native[name], &native).contains("(0, 5,"), "{name}");
                ask(&inlined(&native[name], &native).replace("(0, 5,", &bound), &native)
            };
            assert_between(name, &up_to(18.0 / 8.0), &ours, &up_to(19.0 / 8.0));
            assert_between(name, &up_to(18.0 / 8.0), &theirs, &up_to(19.0 / 8.0));
        } else {
            theirs.compare(&ours, 1e-9).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}

#[test]
fn no_alert_depends_on_the_kind_of_histogram() {
    let mut recorded = rules("alerts/rules.yml");
    recorded.extend(rules("alerts/thresholds.yml"));
    let text = std::fs::read_to_string(root("alerts/alerts.yml")).unwrap();
    let parsed: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = parsed["groups"].as_array().expect("groups");
    let alerts: Vec<_> =
        groups.iter().flat_map(|group| group["rules"].as_array().expect("rules")).collect();
    assert!(alerts.len() > 20, "{} alerts", alerts.len());

    let mut pending: Vec<_> =
        alerts.iter().map(|alert| alert["expr"].as_str().expect("text").to_owned()).collect();
    let name = Regex::new(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+").unwrap();
    let mut seen = 0;
    while let Some(expr) = pending.pop() {
        assert_eq!(without_classic(&expr), expr);
        let names = name.find_iter(&expr).filter_map(|name| recorded.remove(name.as_str()));
        pending.extend(names);
        seen += 1;
    }
    assert!(seen > alerts.len() + 20, "{seen} expressions");
}

/// Waits until the exporter has counted more callers than that, and all are gone.
pub(crate) fn entered(exporter: &Exporter, least: f64) -> f64 {
    until("the calls are counted", || {
        let series = exporter.series();
        let entries = series.named("asterisk_queue_entries_total").total();
        let open = series.named("asterisk_exporter_tracked_objects").total();
        if entries > least && open == 0.0 {
            Ok(entries)
        } else {
            Err(format!("{entries}, {open} open"))
        }
    })
}

/// Whether it is recorded of native histograms too: their buckets have no series of their own.
pub(crate) fn has_counterpart(name: &str) -> bool {
    !name.contains("_le:")
}

/// What a server makes of it that has no classic histograms.
fn without_classic(expr: &str) -> String {
    let classic =
        Regex::new(r"(^|[^:a-z_])(asterisk_[a-z]+_[a-z]+_seconds_(bucket|sum|count))\b").unwrap();
    classic.replace_all(expr, "${1}absent_$2").into_owned()
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

/// Every value is one from `low` to `high`, of the same series.
fn assert_between(name: &str, low: &Series, series: &Series, high: &Series) {
    let keys = |series: &Series| series.0.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(low), keys(series), "{name}");
    assert_eq!(keys(high), keys(series), "{name}");
    for (labels, value) in &series.0 {
        let bounds = low.0[labels] - 1e-9..=high.0[labels] + 1e-9;
        assert!(bounds.contains(value), "{name}: {labels:?} is {value}, not in {bounds:?}");
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

/// Names of recorded series, and what they are recorded of.
pub(crate) fn rules(file: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root(file)).unwrap();
    let parsed: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = parsed["groups"].as_array().expect("groups");
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("rules"));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    rules.map(|rule| (text(&rule["record"]), text(&rule["expr"]))).collect()
}

/// In place of an increase or a rate, what was counted since the start: Prometheus 3.5 extrapolates a classic
/// series no further than to zero, and a native histogram beyond it.
fn since_the_start(expr: &str) -> String {
    let increase = Regex::new(r"(?:increase|rate)\(([^\[\]()]*)\[[0-9]+[mhd]\]\)").unwrap();
    increase.replace_all(expr, "($1)").into_owned()
}

/// An expression with what is recorded put in: nothing is recorded here, and no minute has to go
/// by.
pub(crate) fn inlined(expr: &str, rules: &BTreeMap<String, String>) -> String {
    // Nothing is recorded, so nothing has to be waited for.
    let expr = expr.replace(" offset 90s", "");
    let name =
        Regex::new(r#"([a-z_]+:[a-z0-9_]+:[a-z0-9_]+)(\{([^}]+)\})?(\[[0-9]+[mhd]\])?"#).unwrap();
    let put_in = |found: &Captures<'_>| {
        let recorded = rules.get(&found[1]).unwrap_or_else(|| panic!("no {} in {expr}", &found[1]));
        let inner = inlined(recorded, rules);
        let inner = found.get(3).map_or(inner.clone(), |only| matched(&inner, only.as_str()));
        // Nothing is older than what this reads.
        let window = found.get(4).map_or("", |_| "[4m:1s]");
        format!("({inner}){window}")
    };
    name.replace_all(&expr, put_in).into_owned()
}

/// The results of an expression that a matcher of one label selects, which only a selector can have.
fn matched(expr: &str, matcher: &str) -> String {
    let parts = Regex::new(r#"^([a-z]+)(=|!=|=~|!~)"([a-z_|]+)"$"#).unwrap();
    let parts = parts.captures(matcher).unwrap_or_else(|| panic!("{matcher} is one matcher"));
    let label = &parts[1];
    let values: Vec<_> = parts[3]
        .split('|')
        .map(|value| format!("label_replace(vector(1), \"{label}\", \"{value}\", \"\", \"\")"))
        .collect();

    let operator = if parts[2].starts_with('!') { "unless" } else { "and" };
    format!("({expr}) {operator} on ({label}) ({})", values.join(" or "))
}

/// Of a native bucket, at schema 3, and a little.
const WIDTH: f64 = 1.1;
