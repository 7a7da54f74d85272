//! Start times: with them Prometheus counts the first event of a series, in every format.

use std::path::Path;

use super::calls::abandoned;
use super::exporter::Exporter;
use super::numbers::{after_a_day, at_rest};
use super::pbx::Pbx;
use super::series::{Labels, labels};
use super::servers::{Server, encoded, prometheus, prometheus_2, prometheus_3, scraping, until};

const START_TIMES: &str = "--enable-feature=created-timestamp-zero-ingestion";
const PROTOBUF: &str = "    scrape_protocols: [PrometheusProto]\n";
const OPEN_METRICS: &str = "    scrape_protocols: [OpenMetricsText1.0.0]\n";
/// Of the exporter: hold times and causes begin with their first event, and not at zero.
const FEW: &str = "metrics: {zero_series: few}";
const FEW_AND_LINES: &str = "metrics: {zero_series: few, created_lines: true}";

/// All samples that a server has of what this selects, oldest first.
pub(super) fn samples(server: &Server, selector: &str) -> Vec<(Labels, Vec<f64>)> {
    let answer =
        server.json(&format!("/api/v1/query?query={}", encoded(&format!("{selector}[1h]"))));
    let all = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("no matrix: {answer}"));
    let read = all.iter().map(|series| {
        let values = series["values"].as_array().into_iter().flatten();
        let values = values.map(|pair| pair[1].as_str().unwrap().parse().unwrap());
        (labels(&series["metric"]), values.collect())
    });
    read.collect()
}

/// The first samples of what the first caller's end creates.
fn first_samples(
    program: &Path,
    config: &str,
    exporter: &str,
    flags: &[&str],
) -> Vec<(Labels, f64)> {
    const CREATED: &str = "{__name__=~\"asterisk_queue_hold_seconds_(count|sum|bucket)\
                           |asterisk_call_hangups_total\"}";
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, exporter);
    let server = prometheus(program, &scraping(exporter.port, config), flags);
    until("Prometheus has scraped twice", || {
        let scrapes = server.ask("count_over_time(asterisk_up[1h])").total();
        if scrapes >= 2.0 { Ok(()) } else { Err(format!("{scrapes} scrapes")) }
    });
    let known: Vec<_> = samples(&server, CREATED).into_iter().map(|(labels, _)| labels).collect();

    pbx.say(&abandoned(1, 7.5));
    until("Prometheus has the caller", || {
        let count = server.ask("sum(asterisk_queue_hold_seconds_count)").total();
        if count == 1.0 { Ok(()) } else { Err(format!("{count} callers")) }
    });
    let all = samples(&server, CREATED).into_iter();
    let new = all.filter(|(labels, _)| !known.contains(labels));
    new.map(|(labels, values)| (labels, values[0])).collect()
}

/// Which of them tell a first event from none: a bucket below it is 0 in either case.
fn tells(labels: &Labels) -> bool {
    labels.get("le").is_none_or(|bound| bound.parse::<f64>().unwrap() >= 7.5)
}

#[test]
fn prometheus_3_stores_a_zero_before_the_first_event() {
    let Some(program) = prometheus_3() else { return };
    for (config, exporter) in [(PROTOBUF, FEW), (OPEN_METRICS, FEW_AND_LINES)] {
        let first = first_samples(&program, config, exporter, &[START_TIMES]);
        assert!(first.len() > 10, "{config}: {first:?}");
        for (labels, value) in first {
            assert_eq!(value, 0.0, "{config}: {labels:?}");
        }
    }

    // The difference that the flag makes.
    let first = first_samples(&program, PROTOBUF, FEW, &[]);
    let telling: Vec<_> = first.iter().filter(|(labels, _)| tells(labels)).collect();
    assert!(telling.len() > 10, "{first:?}");
    for (labels, value) in telling {
        assert_ne!(*value, 0.0, "{labels:?}");
    }
}

#[test]
fn protobuf_has_the_numbers_of_the_text() {
    let (_pbx, exporter) = after_a_day("");
    let native = "--enable-feature=native-histograms";
    // The Prometheus 2 of Debian 12 asks for protobuf with this flag only.
    let servers = [
        prometheus_2().map(|program| prometheus(&program, &scraping(exporter.port, ""), &[native])),
        prometheus_3().map(|program| {
            prometheus(&program, &scraping(exporter.port, PROTOBUF), &[START_TIMES])
        }),
    ];
    for server in servers.into_iter().flatten() {
        until("Prometheus has what the exporter says", || {
            let own = at_rest(&exporter.series());
            assert!(own.0.len() > 1000, "{} series are no day", own.0.len());
            own.compare(&at_rest(&server.ask("{job=\"asterisk\"}")), 0.0)
        });
    }
}

#[test]
fn created_lines_are_no_series_where_they_are_read() {
    let Some(program) = prometheus_3() else { return };
    let (_pbx, exporter) = after_a_day("metrics: {created_lines: true}");
    let config = scraping(exporter.port, OPEN_METRICS);
    let server = prometheus(&program, &config, &[START_TIMES]);
    until("Prometheus has what the exporter says", || {
        at_rest(&exporter.series()).compare(&at_rest(&server.ask("{job=\"asterisk\"}")), 0.0)
    });

    // Without the flag each is one.
    let server = prometheus(&program, &config, &[]);
    until("Prometheus has the lines as series", || {
        let all = server.ask("{job=\"asterisk\"}");
        let created = all.only(|name, _| name.ends_with("_created")).0.len();
        let counters = all.only(|name, _| name.ends_with("_total") || name.ends_with("_count"));
        let counters = counters.0.len();
        if counters > 500 && created == counters {
            Ok(())
        } else {
            Err(format!("{created} lines, {counters} counters"))
        }
    });
}
