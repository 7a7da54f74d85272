//! A target for each PBX of one exporter, found by `http_sd_configs`: each has its own `up`, each series
//! is stored once, and two Prometheus can share the PBXs.

use std::fs::read_to_string;
use std::path::Path;

use support::root;

use super::calls::answered;
use super::exporter::Exporter;
use super::numbers::at_rest;
use super::pbx::Pbx;
use super::series::Series;
use super::servers::{
    Server, port, prometheus, prometheus_2, prometheus_3, until, victoria_metrics,
};

#[test]
fn each_pbx_is_a_target_and_each_series_is_stored_once() {
    let (pbxs, exporter) = two_pbxs();
    let config = discovering(&exporter, "");
    let programs = [prometheus_2(), prometheus_3()].into_iter().flatten();
    let mut servers: Vec<_> =
        programs.map(|program| (prometheus(&program, &config, &[]), 0.0)).collect();
    servers.extend(victoria_metrics(Some(&config)).map(|server| (server, 1e-14)));

    for (server, slack) in servers {
        until("it has what the exporter has", || {
            let stored = numbers(&server.ask(r#"{job="asterisk"}"#));
            numbers(&exporter.series()).compare(&stored, slack)
        });

        // Without a PBX it is the exporter itself.
        let up = |pbx: &str| server.ask(&format!(r#"up{{job="asterisk", pbx="{pbx}"}}"#)).total();
        assert_eq!(["", "hq", "branch"].map(up), [1.0; 3], "{}", server.what());
        let count = |query: &str| server.ask(&format!("count({query})")).total();
        for (query, wanted) in [
            (r#"up{job="asterisk"}"#, 3.0),
            ("asterisk_exporter_build_info", 1.0),
            ("process_start_time_seconds", 1.0),
            ("asterisk_up", 2.0),
            ("asterisk_queue_entries_total", 2.0),
        ] {
            assert_eq!(count(query), wanted, "{}: {query}", server.what());
        }
    }
    drop(pbxs);
}

#[test]
fn two_prometheus_share_the_pbxs_of_one_exporter() {
    let Some(program) = prometheus_3() else { return };
    let (pbxs, exporter) = two_pbxs();
    let shards = ["branch", "hq|"].map(|pbxs| shard(&program, &exporter, pbxs));

    let page = numbers(&exporter.series());
    let of_branch = page.only(|_, labels| labels.get("pbx").is_some_and(|pbx| pbx == "branch"));
    let others = page.only(|_, labels| labels.get("pbx").is_none_or(|pbx| pbx == "hq"));
    assert_eq!(of_branch.named("asterisk_queue_entries_total").total(), 2.0);
    assert_eq!(others.named("asterisk_queue_entries_total").total(), 1.0);
    for (shard, wanted) in shards.iter().zip([of_branch, others]) {
        until("a shard has its PBXs and no other", || {
            wanted.compare(&numbers(&shard.ask(r#"{job="asterisk"}"#)), 0.0)
        });
    }
    drop(pbxs);
}

/// One call on `hq` and two on `branch`, and the exporter that has counted them.
fn two_pbxs() -> ([Pbx; 2], Exporter) {
    let pbxs = [Pbx::start(), Pbx::start()];
    let exporter = Exporter::of(port(), &[("hq", &pbxs[0]), ("branch", &pbxs[1])], "");
    pbxs[0].say(&answered(1, 3.0));
    pbxs[1].say(&answered(1, 4.0));
    pbxs[1].say(&answered(2, 5.0));

    until("the calls are counted", || {
        match exporter.series().named("asterisk_queue_exits_total").total() {
            3.0 => Ok(()),
            exits => Err(format!("{exits} exits")),
        }
    });
    (pbxs, exporter)
}

/// Those that stay as they are while nothing happens; the exporter's own count scrapes.
fn numbers(series: &Series) -> Series {
    at_rest(series).only(|name, _| {
        !name.starts_with("asterisk_exporter_") || name == "asterisk_exporter_build_info"
    })
}

/// The shipped configuration, for this exporter, with more lines of the job.
fn discovering(exporter: &Exporter, more: &str) -> String {
    let shipped = read_to_string(root("contrib/prometheus/each-pbx.yml")).unwrap();
    let job = shipped.replace("localhost:15038", &format!("127.0.0.1:{}", exporter.port));
    assert_ne!(job, shipped);
    format!("global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\n{job}{more}")
}

/// A Prometheus that takes some of the targets.
fn shard(program: &Path, exporter: &Exporter, pbxs: &str) -> Server {
    let keep =
        format!("    relabel_configs: [{{source_labels: [pbx], regex: '{pbxs}', action: keep}}]\n");
    prometheus(program, &discovering(exporter, &keep), &[])
}
