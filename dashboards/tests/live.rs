//! Every query, expanded, against a real Prometheus that scrapes a busy day of the demo.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use asterisk_exporter::demo::{DemoPbx, Options, configuration};
use dashboards::prometheus::{Prometheus, Span, choose_all, expand};
use dashboards::{queries, shipped};
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
        every_query_gives_series_but(server, &|board, panel, _| {
            EMPTY_WHEN_ALL_IS_WELL.contains(&(board, panel))
        });
    }
}

#[test]
fn every_query_gives_series_of_prometheus_3() {
    let Some(program) = prometheus_3() else { return };
    let (_demo, target) = demo(&["--speed", "60"]);
    let prometheus = Prometheus::of(&program, target, RULES, &[], "");
    every_query_gives_series_but(&prometheus, &|board, panel, _| {
        EMPTY_WHEN_ALL_IS_WELL.contains(&(board, panel))
    });
}

/// In place of the classic histograms, as the Prometheus of Debian 12 takes them.
#[test]
fn every_query_gives_series_of_native_histograms() {
    let exporter = NativeExporter::start();
    let rules = ["rules.yml", "rules-native.yml", "thresholds.yml"];
    let native = ["--enable-feature=native-histograms"];
    let Some(prometheus) = Prometheus::start(exporter.port, &rules, &native) else { return };
    every_query_gives_series_but(&prometheus, &|board, panel, expr| {
        let averages = NEEDS_CLASSIC.contains(&(board, panel)) && expr.contains("_seconds_sum{");
        averages || EMPTY_WHEN_ALL_IS_WELL.contains(&(board, panel))
    });

    let classic = "{__name__=~\"asterisk_.+_(bucket|sum)\"}";
    let to = prometheus.now();
    let found = prometheus.query(classic, true, Span { from: to, to, step: 1.0 });
    assert!(found.as_ref().is_ok_and(Vec::is_empty), "classic histograms: {found:?}");
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
                    let labels: Vec<_> = series.labels.keys().cloned().collect();
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

/// The exporter with native histograms beside a demo PBX: `demo` itself has no configuration.
struct NativeExporter {
    port: u16,
    folder: PathBuf,
    _running: Running,
    // What it looks at; ends with it.
    _pbx: tokio::runtime::Runtime,
}

impl NativeExporter {
    fn start() -> Self {
        let port = free_port();
        let folder = scratch().join(format!("native-{port}"));
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
        let config = configuration(listening.address(), &username, &secret)
            + "metrics: {native_histograms: true}\n";
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
        Self { port, folder, _running: running, _pbx: pbx }
    }
}

impl Drop for NativeExporter {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const RULES: &[&str] = &["rules.yml", "thresholds.yml"];

/// Panels that show a fault, and nothing on a PBX that has none.
const EMPTY_WHEN_ALL_IS_WELL: &[(&str, &str)] =
    &[("exporter", "Never received"), ("exporter", "Anomalies by kind")];

/// Tables whose averages of single agents have no native form: see `definitions::average`.
const NEEDS_CLASSIC: &[(&str, &str)] = &[
    ("agents", "Agents"),
    ("calls-and-trunks", "Calls by agent"),
    ("queue", "Agents of the queue"),
];
