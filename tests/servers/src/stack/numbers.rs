//! The same numbers everywhere: a whole day of calls, sent at once, is in each server what the
//! exporter exports.

use std::io::Write;
use std::process::{Command, Stdio};

use support::program::{demo, tool};
use support::root;

use super::calls::{day, recorded};
use super::exporter::Exporter;
use super::pbx::Pbx;
use super::series::Series;
use super::servers::{
    Folder, Server, prometheus, prometheus_2, prometheus_3, scraping, until, victoria_metrics,
};

/// An exporter that has seen a day of 400 calls of the demo, all of them over.
pub(crate) fn after_a_day(more: &str) -> (Pbx, Exporter) {
    after(&day(7, 400), more)
}

/// An exporter that has seen these calls, all of them over.
fn after(calls: &[u8], more: &str) -> (Pbx, Exporter) {
    let pbx = Pbx::start();
    let exporter = Exporter::start(&pbx, more);
    pbx.say(calls);
    until("the calls are over", || {
        let series = exporter.series();
        let open = series.named("asterisk_exporter_tracked_objects").total();
        let entries = series.named("asterisk_queue_entries_total").total();
        if open == 0.0 && entries > 100.0 {
            Ok(())
        } else {
            Err(format!("{entries} entries, {open} open"))
        }
    });

    (pbx, exporter)
}

/// What does not change when no call goes on: agents' times go on, and so does the process.
pub(crate) fn at_rest(series: &Series) -> Series {
    const MOVING: &[&str] =
        &["asterisk_agent_state_seconds_total", "asterisk_queue_wrapup_seconds_total"];
    series.only(|name, _| name.starts_with("asterisk_") && !MOVING.contains(&name))
}

/// Every Prometheus there is, and VictoriaMetrics, each with what it may lose of a number:
/// VictoriaMetrics stores decimals of some 15 digits.
fn all(config: &str) -> Vec<(Server, f64)> {
    let programs = [prometheus_2(), prometheus_3()].into_iter().flatten();
    let mut servers: Vec<_> =
        programs.map(|program| (prometheus(&program, config, &[]), 0.0)).collect();
    servers.extend(victoria_metrics(Some(config)).map(|server| (server, 1e-14)));
    servers
}

#[test]
fn each_server_has_the_exporter_s_numbers_of_the_demo() {
    assert_same_numbers(&day(7, 400));
}

#[test]
fn each_server_has_the_exporter_s_numbers_of_a_real_asterisk() {
    assert_same_numbers(&recorded("22"));
}

fn assert_same_numbers(calls: &[u8]) {
    let (_pbx, exporter) = after(calls, "");
    let servers = all(&scraping(exporter.port, ""));
    for (server, slack) in &servers {
        until(&format!("{} has what the exporter says", server.what()), || {
            let own = at_rest(&exporter.series());
            assert!(own.0.len() > 1000, "{} series are no day", own.0.len());
            own.compare(&at_rest(&server.ask("{job=\"asterisk\"}")), *slack)
        });
    }

    let own = exporter.series();
    let by = |metric: &str| own.named(metric).sum_by(&["queue", "outcome"]);
    let (sum, count) =
        (by("asterisk_queue_hold_seconds_sum"), by("asterisk_queue_hold_seconds_count"));
    // Where nothing was observed, Prometheus has a mean that is no number, and VictoriaMetrics none.
    let observed = count.0.iter().filter(|(_, count)| **count > 0.0);
    let mean =
        Series(observed.map(|(labels, count)| (labels.clone(), sum.0[labels] / count)).collect());
    let queries = [
        (
            "sum by (queue, outcome) (asterisk_queue_exits_total)",
            Some(by("asterisk_queue_exits_total")),
        ),
        (
            "sum by (queue, outcome) (asterisk_queue_hold_seconds_sum) \
             / (sum by (queue, outcome) (asterisk_queue_hold_seconds_count) > 0)",
            Some(mean),
        ),
        (
            "histogram_quantile(0.9, sum by (queue, le) (asterisk_queue_hold_seconds_bucket)) >= 0",
            None,
        ),
        (
            "sum by (agent) (asterisk_queue_rings_total{result=\"no_answer\"}) \
             / sum by (agent) (asterisk_queue_rings_total{result=~\"answered|no_answer\"}) > 0",
            None,
        ),
    ];
    for (query, expected) in queries {
        let expected = expected.or_else(|| servers.first().map(|(server, _)| server.ask(query)));
        for (server, _) in &servers {
            let found = server.ask(query);
            let expected = expected.as_ref().expect("a first server");
            assert!(!expected.0.is_empty(), "{query}");
            // Sums are added up in another order everywhere.
            expected
                .compare(&found, 1e-12)
                .unwrap_or_else(|why| panic!("{}: {query}: {why}", server.what()));
        }
    }
}

#[test]
fn every_scrape_of_a_living_call_centre_is_a_consistent_cut() {
    let (_demo, port) = demo(&["--speed", "60"]);

    // VictoriaMetrics shows what it stores a moment later, and not all of a scrape at once.
    let law = "sum(asterisk_queue_entries_total offset 15s) \
               + sum(asterisk_queue_adopted_total{phase=\"waiting\"} offset 15s) \
               - sum(asterisk_queue_exits_total offset 15s) - sum(asterisk_queue_callers_waiting offset 15s)";

    for (server, _) in all(&scraping(port, "")) {
        let mut asked = 0;
        until(&format!("{} has seen 100 callers", server.what()), || {
            for rest in server.ask(law).0.values() {
                assert_eq!(*rest, 0.0, "{}: waits are not conserved", server.what());
                asked += 1;
            }
            let entered = server.ask("asterisk_queue_entries_total").total();
            if entered >= 100.0 && asked > 2 {
                Ok(())
            } else {
                Err(format!("{entered} callers, asked {asked} times"))
            }
        });
        assert_eq!(server.ask("asterisk_up").total(), 1.0);
    }
}

#[test]
fn a_site_s_prometheus_writes_the_same_numbers_to_the_centre() {
    let Some(program) = prometheus_2() else { return };
    let Some(centre) = victoria_metrics(None) else { return };
    let (_pbx, exporter) = after_a_day("");
    let folder = Folder::new("site");

    // The example as it is shipped, but for where things are.
    let mut config = std::fs::read_to_string(root("contrib/prometheus/site.yml")).unwrap();
    for (theirs, ours) in [
        (
            "http://localhost:8428/api/v1/write",
            format!("http://127.0.0.1:{}/api/v1/write", centre.port),
        ),
        ("localhost:15038", format!("127.0.0.1:{}", exporter.port)),
        ("scrape_interval: 15s", "scrape_interval: 500ms\n  scrape_timeout: 500ms".to_owned()),
        ("/etc/prometheus/metrics-password", folder.file("password", "x")),
    ] {
        assert_eq!(config.matches(theirs).count(), 1, "{theirs} in {config}");
        config = config.replace(theirs, &ours);
    }

    let _site = prometheus(&program, &config, &["--enable-feature=agent"]);
    until("the centre has what the exporter says", || {
        let stored = centre.ask("{job=\"asterisk\",site=\"berlin\"}");
        let stored = stored.0.into_iter().map(|(mut labels, value)| {
            labels.remove("site");
            (labels, value)
        });
        let stored = Series(stored.collect());
        at_rest(&exporter.series()).compare(&at_rest(&stored), 1e-14)
    });
}

#[test]
fn promtool_reads_a_day_of_classic_text_without_complaint() {
    let Some(promtool) = tool("promtool") else { return };
    for more in ["", "metrics: {native_histograms: true}", "metrics: {exemplars: true}"] {
        let (_pbx, exporter) = after_a_day(more);
        let text = exporter.page("*/*");
        let mut check = Command::new(&promtool);
        check
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut check = check.spawn().unwrap();
        check.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let checked = check.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&checked.stderr), "", "{more}");
        assert!(checked.status.success(), "{more}");
    }
}
