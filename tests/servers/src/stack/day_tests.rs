//! The first event of a series is counted too: over a day with restarts, `increase()` in a
//! Prometheus that reads start times is what the exporter counted, for every family.

use std::fmt::Write;

use asterisk_exporter::audit::{Audit, Exposition, State, Window};
use asterisk_exporter::metrics::Settings;
use asterisk_exporter::queue_log::QueueLog;
use support::fixture;

use super::day::{Day, names, names_of_all, sum, with_restarts};
use super::series::{Series, name, nameless};
use super::servers::{prometheus, prometheus_3, victoria_metrics};

#[test]
fn start_times_in_protobuf_make_every_increase_exact() {
    let Some(day) = played("", "", &[STARTS]) else { return };
    assert_exact(day);
}

#[test]
fn created_lines_in_openmetrics_make_every_increase_exact() {
    let lines = "metrics: {created_lines: true}";
    let text = "    scrape_protocols: [OpenMetricsText1.0.0]\n";
    let Some(day) = played(lines, text, &[STARTS]) else { return };
    assert_exact(day);
}

#[test]
fn without_start_times_what_comes_before_the_first_scrape_is_missing() {
    let Some(mut day) = played("", "", &[]) else { return };
    let entries = "asterisk_queue_entries_total";

    // The second run begins with a scrape that has two thirds of all calls.
    let counted = day.runs()[1].counted.named(entries).total();
    assert!(counted > 200.0, "{counted} callers are no day");
    assert_eq!(day.increases()[1].named(entries).total(), 0.0);
}

/// VictoriaMetrics reads no start times, but stores the zeros that a Prometheus makes of them.
#[test]
fn a_site_s_prometheus_with_start_times_makes_victoria_metrics_exact() {
    let Some(program) = prometheus_3() else { return };
    let servers = |port| {
        let centre = victoria_metrics(None)?;
        let write =
            format!("remote_write: [{{url: 'http://127.0.0.1:{}/api/v1/write'}}]\n", centre.port);
        let config = scraping(port, "") + &write;
        let site = prometheus(&program, &config, &[STARTS, "--agent"]);
        Some(vec![centre, site])
    };
    let Some(mut day) = Day::new("", servers) else { return };
    with_restarts(&mut day);

    let counted = sum(day.runs().iter().map(|run| &run.counted));
    assert_same("the day", &counted, &day.increase_of_all());
}

fn played(exporter: &'static str, job: &str, flags: &[&str]) -> Option<Day> {
    let program = prometheus_3()?;
    let mut day =
        Day::new(exporter, |port| Some(vec![prometheus(&program, &scraping(port, job), flags)]))?;
    with_restarts(&mut day);
    Some(day)
}

fn scraping(port: u16, job: &str) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n  - job_name: asterisk\n    \
         static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n{job}"
    )
}

fn assert_exact(mut day: Day) {
    let counted: Vec<_> = day.runs().iter().map(|run| run.counted.clone()).collect();
    let increases = day.increases();
    for (run, (counted, increase)) in counted.iter().zip(&increases).enumerate() {
        assert_same(&format!("run {run}"), counted, increase);
    }

    // The last run has every series of those before, so that nothing is extrapolated.
    let all = sum(&counted);
    assert_same("the day", &all, &day.increase_of_all());
    let mut absent: Vec<_> = names_of_all().difference(&names(&all)).cloned().collect();
    // The capture of this day has no sound, and no caller of it goes from one queue to another.
    absent.retain(|name| !name.contains("_voice_"));
    let expected = ["asterisk_exporter_repaired_total", "asterisk_queue_flows_total"];
    assert_eq!(absent, expected, "families without a series in this day");

    assert_agrees_with_queue_log(increases.last().expect("a run"));
}

/// The audit of the last run, which has all calls, with what Prometheus makes of it in place of the
/// exporter's metrics.
fn assert_agrees_with_queue_log(increase: &Series) {
    let page = page(increase);
    let exposition = Exposition::read(page.as_bytes(), Some("hq")).unwrap();
    let mut audit = Audit::of_scrape(&exposition, Settings::default(), Window::default());
    let log = QueueLog::open(&[fixture("captures/22/bulk.queue_log.gz")], None).unwrap();
    log.read(|file, number, line| audit.line(file, number, line)).unwrap();

    let report = audit.report();
    let unequal: Vec<_> = report.rows.iter().filter(|row| row.state != State::Equal).collect();
    assert!(unequal.is_empty(), "{unequal:#?}");
    assert!(report.compared > 2000 && report.rows.len() > 40, "{report:?}");
}

/// An exposition with these numbers, of an exporter that is connected.
fn page(increase: &Series) -> String {
    let mut page = "asterisk_up{pbx=\"hq\"} 1\n".to_owned();
    for (labels, value) in &increase.0 {
        // A count that a multiplication left a last bit beside.
        let whole = value.round();
        let value = if (value - whole).abs() <= 1e-9 * whole { whole } else { *value };
        let pairs: Vec<_> = nameless(labels.clone())
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        writeln!(page, "{}{{{}}} {value}", name(labels), pairs.join(",")).unwrap();
    }
    page
}

/// Every series that differs, by name.
fn assert_same(what: &str, counted: &Series, increase: &Series) {
    let mut wrong = Vec::new();
    for (labels, value) in &counted.0 {
        let found = increase.0.get(labels).copied().unwrap_or(f64::NAN);
        let near = (found - value).abs() <= 1e-9 * value.abs();
        if !near {
            wrong.push(format!("{} {labels:?}: {found}, not {value}", name(labels)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{what}: {} of {} series differ:\n{}",
        wrong.len(),
        counted.0.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

const STARTS: &str = "--enable-feature=created-timestamp-zero-ingestion";
