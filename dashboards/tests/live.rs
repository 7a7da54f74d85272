//! Every query, expanded, against a real Prometheus that scrapes a busy day of the demo.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::shown;
use asterisk_exporter::demo::{DemoPbx, Options, configuration};
use dashboards::prometheus::{Prometheus, Series, Span, choose_all, expand};
use dashboards::{Query, queries, shipped};
use support::program::{Running, command, demo, free_port, get, prometheus_3, tool, wait_until};
use support::scratch;

/// Also of a VictoriaMetrics, to which this Prometheus writes all it has.
#[test]
fn every_query_gives_series() {
    let (_demo, target) = demo(&["--speed", "60"]);
    let Some(program) = tool("prometheus") else { return };
    let (victoria, config) = Prometheus::victoria_metrics().unzip();
    let prometheus = Prometheus::of(&program, target, RULES, &[], &config.unwrap_or_default());
    for server in [&prometheus].into_iter().chain(&victoria) {
        every_query_gives_series_but(server, &may_be_empty);
    }
    shown::of_a_server(&prometheus);
}

#[test]
fn every_query_gives_series_of_prometheus_3() {
    let Some(program) = prometheus_3() else { return };
    let (_demo, target) = demo(&["--speed", "60"]);
    let prometheus = Prometheus::of(&program, target, RULES, &[], "");
    every_query_gives_series_but(&prometheus, &may_be_empty);
}

/// In place of the classic histograms, as the Prometheus of Debian 12 takes them.
#[test]
fn every_query_gives_series_of_native_histograms() {
    let exporter = Exporter::start("metrics: {native_histograms: true}");
    let Some(prometheus) = Prometheus::start(exporter.port, WITH_NATIVE, NATIVE) else { return };
    every_query_gives_series_but(&prometheus, &may_be_empty);
    assert_no_classic_histograms(&prometheus);
}

/// Classic histograms that Prometheus stores as native ones with the same buckets.
#[test]
fn every_query_gives_series_of_native_histograms_with_custom_buckets() {
    let Some(program) = prometheus_3() else { return };
    let (_demo, target) = demo(&["--speed", "60"]);
    let prometheus = Prometheus::of(&program, target, WITH_NATIVE, NATIVE, CUSTOM_BUCKETS);
    every_query_gives_series_but(&prometheus, &may_be_empty);
    assert_no_classic_histograms(&prometheus);
}

/// One Prometheus has both, of the same scrapes: of a query in which the names of one kind do not
/// exist, the other kind is left.
///
/// Counted is since the start: Prometheus 3.5 extrapolates a classic series no further than to zero,
/// and a native histogram beyond it.
#[test]
fn native_histograms_with_custom_buckets_give_the_same_numbers() {
    let Some(program) = prometheus_3() else { return };
    let mut exporter = Exporter::start("");
    let config = format!("{CUSTOM_BUCKETS}    always_scrape_classic_histograms: true\n");
    let prometheus = Prometheus::of(&program, exporter.port, WITH_NATIVE, NATIVE, &config);
    let either = |query: &Query| {
        HISTOGRAMS.iter().any(|name| query.expr.contains(&format!("{name}{{")))
            || query.expr.contains(":total{")
    };
    let boards = shipped();
    let all = || boards.iter().flat_map(|(_, board)| queries(board)).filter(either);
    assert!(all().count() >= 30, "{} queries", all().count());

    let everything = ["pbx", "queue", "agent", "trunk"].map(|name| (name.to_owned(), ".*".into()));
    let everything = BTreeMap::from(everything);
    let ask = |query: &Query, change: &dyn Fn(&str) -> String| {
        let expr = change(&since_the_start(&expand(&query.expr, &everything, "1m", "1m")));
        let to = prometheus.now();
        let found = prometheus.query(&expr, true, Span { from: to, to, step: 1.0 });
        found.unwrap_or_else(|error| panic!("{}: {error}: {expr}", query.panel))
    };
    for query in all() {
        wait_until("numbers of both kinds", || {
            let (classic, native) = (ask(&query, &without_native), ask(&query, &without_classic));
            (!classic.is_empty() && !native.is_empty()).then_some(())
        });
    }

    // What is recorded of a scrape comes with the next evaluation; now no more comes.
    exporter.end_pbx();
    for query in all() {
        let mut why = String::new();
        let same = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until("the same numbers", || {
                let (mut classic, native) =
                    (ask(&query, &without_native), ask(&query, &without_classic));
                let both = ask(&query, &str::to_owned);
                if native.iter().all(|series| series.native) {
                    // A heatmap: the buckets are in the one native histogram.
                    classic = in_all(&classic);
                }
                let compared =
                    same(&classic, &native, "native").and_then(|()| same(&both, &native, "both"));
                why = compared.as_ref().err().cloned().unwrap_or_default();
                compared.ok()
            });
        }));
        assert!(same.is_ok(), "{}: {why}", query.panel);
    }
}

/// Where a histogram by agent has no buckets, a distribution shows nothing; averages are there.
#[test]
fn sums_give_averages_and_no_percentiles() {
    let exporter = Exporter::start("agent_histograms: sums");
    let Some(prometheus) = Prometheus::start(exporter.port, RULES, &[]) else { return };
    let without = |query: &Query| {
        let by_agent = ["queue_ring", "queue_talk", "call_talk"];
        by_agent.iter().any(|name| query.expr.contains(&format!("asterisk_{name}_seconds_bucket")))
    };
    let mut empty = BTreeSet::new();
    for (name, board) in shipped() {
        let panels = queries(&board).into_iter().filter(without).map(|query| query.panel);
        empty.extend(panels.map(|panel| (name.clone(), panel)));
    }
    assert_eq!(empty.len(), 7, "{empty:?}");
    // Waits for the tables; of the others it is enough that they are no mistake.
    every_query_gives_series_but(&prometheus, &|board, panel, _| !TABLES.contains(&(board, panel)));

    for (name, board) in shipped() {
        let chosen = choose_all(&prometheus, &board);
        for query in queries(&board).into_iter().filter(without) {
            let to = prometheus.now();
            let span = Span { from: to - 60.0, to, step: 1.0 };
            let expr = expand(&query.expr, &chosen, "1m", "5m");
            let found = prometheus.query(&expr, query.instant, span);
            assert!(found.as_ref().is_ok_and(Vec::is_empty), "{name}: {}: {found:?}", query.panel);
        }
    }
}

/// Histograms without an agent are in no row of an agent.
#[test]
fn without_histograms_by_agent_the_rows_are_those_of_agents() {
    let exporter = Exporter::start("agent_histograms: off");
    let Some(prometheus) = Prometheus::start(exporter.port, RULES, &[]) else { return };
    for histogram in ["queue_ring_seconds", "queue_talk_seconds", "call_talk_seconds"] {
        wait_until("durations without an agent", || {
            let query = format!("increase(asterisk_{histogram}_count{{agent=\"\"}}[1m]) > 0");
            let to = prometheus.now();
            let found = prometheus.query(&query, true, Span { from: to, to, step: 1.0 });
            found.is_ok_and(|found| !found.is_empty()).then_some(())
        });
    }
    every_query_gives_series_but(&prometheus, &|board, panel, expr| {
        let by_agent = ["queue_ring", "queue_talk", "call_talk"];
        !TABLES.contains(&(board, panel))
            || by_agent.iter().any(|name| expr.contains(&format!("asterisk_{name}_seconds_sum")))
    });
}

fn assert_no_classic_histograms(prometheus: &Prometheus) {
    let classic = "{__name__=~\"asterisk_[a-z_]+_(bucket|sum)\"}";
    let to = prometheus.now();
    let found = prometheus.query(classic, true, Span { from: to, to, step: 1.0 });
    assert!(found.as_ref().is_ok_and(Vec::is_empty), "classic histograms: {found:?}");
}

/// Whether both have the same series with the same last points.
fn same(one: &[Series], other: &[Series], what: &str) -> Result<(), String> {
    let by_labels = |all: &[Series]| -> BTreeMap<_, _> {
        let last = |series: &Series| series.points.last().map_or(f64::NAN, |(_, value)| *value);
        all.iter().map(|series| (series.labels.clone(), last(series))).collect()
    };
    let (one, other) = (by_labels(one), by_labels(other));
    let near = |(value, theirs): (&f64, &f64)| (value - theirs).abs() <= 1e-9 * value.abs();
    let equal = one.keys().eq(other.keys()) && one.values().zip(other.values()).all(near);
    if equal && !one.is_empty() { Ok(()) } else { Err(format!("{what}: {one:?}, {other:?}")) }
}

/// Of the buckets of a distribution the one with everything, without its label.
fn in_all(buckets: &[Series]) -> Vec<Series> {
    let all =
        buckets.iter().filter(|series| series.labels.get("le").is_some_and(|le| le == "+Inf"));
    all.map(|series| Series { labels: BTreeMap::new(), ..series.clone() }).collect()
}

/// Counters and histograms as they are, in place of their rates and increases.
///
/// A quantile exactly between two buckets, with empty ones between them, is the lower bound for
/// classic buckets and the upper one for native ones: these are between none.
fn since_the_start(expr: &str) -> String {
    let quantiles = [("(0.5,", "(0.4997,"), ("(0.9,", "(0.8997,"), ("(0.99,", "(0.9897,")];
    let expr =
        quantiles.iter().fold(expr.to_owned(), |expr, (exact, near)| expr.replace(exact, near));

    let rates = regex::Regex::new(r"(rate|increase)\(").expect("an expression");
    let windows = regex::Regex::new(r"\[\d+m\]").expect("an expression");
    windows.replace_all(&rates.replace_all(&expr, "("), "").into_owned()
}

fn without_native(expr: &str) -> String {
    let named = |expr: String, name: &&str| expr.replace(&format!("{name}{{"), "nothing{");
    HISTOGRAMS.iter().fold(expr.replace(":total{", ":nothing{"), named)
}

fn without_classic(expr: &str) -> String {
    let ends = ["_bucket{", "_sum{", "_count{"];
    ends.iter()
        .fold(expr.to_owned(), |expr, end| expr.replace(&format!("_seconds{end}"), "_nothing{"))
}

/// Waits for series of every query of every dashboard, but for those that are in `empty`, by
/// dashboard, panel and query.
fn every_query_gives_series_but(prometheus: &Prometheus, empty: &dyn Fn(&str, &str, &str) -> bool) {
    wait_until("a variable's values", || {
        let boards = shipped();
        let variables =
            boards.iter().flat_map(|(_, board)| board["templating"]["list"].as_array()).flatten();
        let queries = variables.filter_map(|variable| variable["query"]["query"].as_str());
        let everything =
            ["pbx", "queue", "agent", "trunk"].map(|name| (name.to_owned(), ".*".to_owned()));
        let everything = BTreeMap::from(everything);
        queries
            .map(|query| prometheus.label_values(&expand(query, &everything, "1m", "1m")))
            .all(|values| !values.is_empty())
            .then_some(())
    });

    let now = prometheus.now();
    let span = Span { from: now - 60.0, to: now, step: 1.0 };

    assert!(
        prometheus
            .query("asterisk_up{pbx=\"nobody\"}", false, span)
            .is_ok_and(|series| series.is_empty())
    );
    assert!(prometheus.query("sum(asterisk_up", false, span).is_err());
    let mut waiting = Vec::new();

    for (name, board) in shipped() {
        let chosen = choose_all(prometheus, &board);
        assert!(chosen.values().all(|value| !value.is_empty()), "{name}: {chosen:?}");
        for query in queries(&board) {
            let expr = expand(&query.expr, &chosen, "1m", "5m");
            assert!(!expr.contains('$'), "{name}: {}: {expr}", query.panel);
            waiting.push((name.clone(), query, expr));
        }
    }

    assert!(waiting.len() > 150, "{} queries only", waiting.len());
    let mut last = String::new();
    let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_until("series for every query", || {
            let to = prometheus.now();
            waiting.retain(|(name, query, expr)| {
                let span = Span { from: to - 60.0, to, step: 1.0 };
                let series = prometheus.query(expr, query.instant, span);
                let series = series
                    .unwrap_or_else(|error| panic!("{name}: {}: {error}: {expr}", query.panel));
                assert!(series.len() <= 250, "{name}: {}: {} series", query.panel, series.len());
                for label in
                    query.legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next())
                {
                    let named = series.is_empty()
                        || series.iter().any(|series| series.labels.contains_key(label));
                    // A native histogram is one series, whose buckets Grafana names.
                    let buckets = label == "le" && series.iter().all(|series| series.native);
                    assert!(named || buckets, "{name}: {}: no {label} in {series:?}", query.panel);
                }
                for series in series.iter().filter(|_| query.rows.is_some()) {
                    let mut labels: Vec<_> = series.labels.keys().cloned().collect();
                    if !query.instant {
                        // A row for each point.
                        labels.push("Time".to_owned());
                    }
                    assert_eq!(
                        Some(labels),
                        query.rows,
                        "{name}: {}: rows of a table: {expr}",
                        query.panel
                    );
                }
                series.is_empty() && !empty(name, &query.panel, expr)
            });
            last = waiting
                .iter()
                .map(|(name, query, expr)| format!("{name}: {}: {expr}\n", query.panel))
                .collect();
            waiting.is_empty().then_some(())
        });
    }));
    assert!(answered.is_ok(), "nothing for\n{last}");
}

/// The exporter beside a demo PBX, with more in its configuration: `demo` itself has no
/// configuration.
struct Exporter {
    port: u16,
    folder: PathBuf,
    _running: Running,
    // What it looks at; ends with it.
    pbx: Option<tokio::runtime::Runtime>,
}

impl Exporter {
    fn start(more: &str) -> Self {
        let port = free_port();
        let folder = scratch().join(format!("exporter-{port}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let pbx = tokio::runtime::Runtime::new().expect("a runtime");
        let username = "exporter".to_owned();
        let secret = "demo".to_owned();
        let options = Options {
            seed: 1,
            speed: 60.0,
            username: username.clone(),
            secret: secret.clone(),
            busy: 1.0,
            open_for: Duration::ZERO,
        };
        let listening = pbx.block_on(DemoPbx::bind(options)).expect("a free port");
        let config = configuration(listening.address(), &username, &secret) + more + "\n";
        let (stop, stopped) = tokio::sync::watch::channel(false);
        pbx.spawn(async move {
            listening.serve(stopped).await;
            drop(stop);
        });

        let file = folder.join("config.yml");
        std::fs::write(&file, config).expect("a configuration");
        let listen = format!("127.0.0.1:{port}");
        let args =
            ["run", "--config", &file.display().to_string(), "--web.listen-address", &listen];
        let running = Running(
            command(&args).args(["--log.level", "error"]).spawn().expect("the program starts"),
        );
        wait_until("the exporter", || {
            get(port, "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
        });
        Self { port, folder, _running: running, pbx: Some(pbx) }
    }
}

impl Exporter {
    /// The exporter keeps what it has counted.
    fn end_pbx(&mut self) {
        self.pbx = None;
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const RULES: &[&str] = &["rules.yml", "thresholds.yml"];
const WITH_NATIVE: &[&str] = &["rules.yml", "rules-native.yml", "thresholds.yml"];
const NATIVE: &[&str] = &["--enable-feature=native-histograms"];
/// Of the job in Prometheus' configuration.
const CUSTOM_BUCKETS: &str = "    convert_classic_histograms_to_nhcb: true\n";
const HISTOGRAMS: &[&str] = &[
    "asterisk_queue_hold_seconds",
    "asterisk_queue_ring_seconds",
    "asterisk_queue_talk_seconds",
    "asterisk_call_ring_seconds",
    "asterisk_call_talk_seconds",
];

const TABLES: &[(&str, &str)] = &[
    ("agents", "Agents"),
    ("calls-and-trunks", "Calls by agent"),
    ("queue", "Agents of the queue"),
];

/// A query that need not give series of the demo.
fn may_be_empty(board: &str, panel: &str, expr: &str) -> bool {
    // One of three queries gives the number: graded.rs.
    let graded = ["Service level", "Abandon rate"].contains(&panel);
    // Only what is recorded has native histograms, and it is recorded when the half hour is over.
    let recorded = panel == "Half hours of today" && expr.contains("last_over_time(");
    (graded && expr.contains("asterisk_threshold:min_calls"))
        || recorded
        || EMPTY_WHEN_ALL_IS_WELL.contains(&(board, panel))
        || NOT_IN_THE_DEMO.iter().any(|name| expr.contains(name))
}

/// What the simulated PBX does not report: its members are configured, its peers are of PJSIP, and it has
/// neither RTP nor a log.  And what is known only after a whole half hour.
const NOT_IN_THE_DEMO: &[&str] = &[
    "asterisk_agent_login_timestamp_seconds",
    "asterisk_endpoint_round_trip_seconds",
    "asterisk_exporter_repaired_total",
    "asterisk_queue_agents_needed",
    "_voice_",
];
/// Panels that show a fault, or what happens seldom, and nothing on a PBX that has none.
const EMPTY_WHEN_ALL_IS_WELL: &[(&str, &str)] = &[
    ("exporter", "Never received"),
    ("exporter", "Anomalies by kind"),
    ("exporter", "Connections and requests refused"),
    ("queue", "From queue to queue"),
    ("queue", "Mean position"),
];
