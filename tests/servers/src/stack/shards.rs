//! Two shards of the exporters, each in a pair of Prometheus, and a fifth one that reads both
//! shards by remote read and evaluates the rules; as docs/scaling.md has it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::program::newest;

use super::fleet::{Fleet, Kind, recorded, rules, stored};
use super::series::Series;
use super::servers::{Folder, Server, encoded, port, prometheus, prometheus_3, start, until};

#[test]
fn no_number_is_lost_with_a_replica_and_a_lost_shard_is_a_warning() {
    let (Some(program), Some(vmauth)) = (prometheus_3(), newest("vmauth")) else { return };
    let mut fleet = Fleet::start();
    let pair = |shard| REPLICAS.map(|name| replica(&program, &fleet, shard, name));
    let mut shards = [pair(0), pair(1)];
    let entrance = entrance(&vmauth, &shards);
    let folder = Folder::new("rules");
    let rules = folder.file("rules.yml", &rules(5));
    let reader = prometheus(&program, &reading(&entrance, &rules), &[]);

    // Beside it what is to be the same: one exporter, one server.
    let config = format!("rule_files: ['{rules}']\n{}", scraping(&fleet.target_of_all(), "", ""));
    let one = prometheus(&program, &config, &[]);
    let begun = f64::from(fleet.callers());
    for server in [&reader, &one] {
        until_stored(server, &fleet);
    }
    let shares = [0, 1].map(|shard| pbxs(&shards[shard][0]));
    assert_eq!(shares[0].len() + shares[1].len(), 30, "{shares:?}");

    // While a replica is gone, the other one answers.
    shards[0][0].kill();
    fleet.call();
    until_stored(&reader, &fleet);
    fleet.call();

    // Back again, it has a gap, and the same counters: it answers when the other one is gone.
    shards[0][0].start_again();
    until("the replica has what was counted", || {
        let share = |series: &Series| series.only(|_, labels| shares[0].contains(&labels["pbx"]));
        share(&fleet.counted()).compare(&stored(&shards[0][0]), 0.0)
    });
    shards[0][1].kill();
    fleet.call();
    until_stored(&reader, &fleet);

    // Without either, the answer is that of the other shard, and only a warning says so.
    assert_eq!(warnings(&reader), 0);
    shards[0][0].kill();
    until("a shard is missing", || {
        let left = pbxs(&reader);
        if left == shares[1] { Ok(()) } else { Err(format!("{left:?}")) }
    });
    assert_eq!(warnings(&reader), 1);

    for replica in &mut shards[0] {
        replica.start_again();
    }
    fleet.call();
    for server in [&reader, &one] {
        until_stored(server, &fleet);
    }
    let counted = f64::from(fleet.callers()) - begun;
    until("the rules say the same of both", || assert_same_rules(&reader, &one, counted));
}

/// Prometheus extrapolates an increase to the edges of its window: by at most 1.6 of the average
/// intervals between its samples, half a one before the first and 1.1 after the last.
fn assert_same_rules(reader: &Server, one: &Server, counted: f64) -> Result<(), String> {
    let samples = |server: &Server| server.ask("min(count_over_time(asterisk_up[1h]))").total();
    let samples = samples(reader).min(samples(one));
    if samples < 20.0 {
        return Err(format!("{samples} samples"));
    }
    let factor = 1.0 + 1.6 / (samples - 1.0);

    for kind in [Kind::Count, Kind::Ratio] {
        let (of_all, of_one) = (recorded(reader, kind), recorded(one, kind));
        if of_one.0.len() < 12 {
            return Err(format!("{kind:?}: {} series", of_one.0.len()));
        }
        // A ratio has the factor above the line in one and below it in the other.
        let slack = factor * factor - 1.0;
        of_one.compare(&of_all, slack).map_err(|why| format!("{kind:?}: {why}"))?;
    }
    for server in [reader, one] {
        let offered = recorded(server, Kind::Count);
        let offered = offered.named("queue:asterisk_queue_offered:increase5m").total();
        if !(counted..=counted * factor).contains(&offered) {
            return Err(format!("{offered} callers, not {counted}"));
        }
    }

    Ok(())
}

fn until_stored(server: &Server, fleet: &Fleet) {
    until("the server has what was counted", || fleet.counted().compare(&stored(server), 0.0));
}

/// The PBXs that a server knows.
fn pbxs(server: &Server) -> BTreeSet<String> {
    let up = server.ask("group by (pbx) (asterisk_up)").0;
    up.into_keys().map(|mut labels| labels.remove("pbx").expect("a pbx")).collect()
}

/// How many warnings come with an answer.
fn warnings(server: &Server) -> usize {
    let answer = server.json(&format!("/api/v1/query?query={}", encoded("asterisk_up")));
    assert_eq!(answer["status"], "success");
    answer["warnings"].as_array().map_or(0, Vec::len)
}

/// A server that scrapes the exporters of one shard.
fn replica(program: &Path, fleet: &Fleet, shard: usize, name: &str) -> Server {
    let labels = format!(", external_labels: {{shard: '{shard}', replica: {name}}}");
    let keep = format!(
        "    relabel_configs:\n      - {{source_labels: [__address__], action: hashmod, modulus: 2, target_label: \
         __tmp_shard}}\n      - {{source_labels: [__tmp_shard], action: keep, regex: '{shard}'}}\n"
    );
    prometheus(program, &scraping(&fleet.targets(), &labels, &keep), &[])
}

fn scraping(targets: &str, labels: &str, more: &str) -> String {
    format!(
        "global: {{scrape_interval: 2s, scrape_timeout: 2s{labels}}}\nscrape_configs:\n  - job_name: asterisk\n    \
         static_configs: [{{targets: [{targets}]}}]\n{more}"
    )
}

/// Where each shard is read, from the first replica that answers.
fn entrance(program: &Path, shards: &[[Server; 2]]) -> Server {
    let mut config = "unauthorized_user:\n  url_map:\n".to_owned();
    for (number, replicas) in shards.iter().enumerate() {
        let [a, b] = replicas.each_ref().map(|replica| replica.port);
        config += &format!(
            "    - src_paths: ['/shard-{number}/.*']\n      drop_src_path_prefix_parts: 1\n      url_prefix: \
             ['http://127.0.0.1:{a}/', 'http://127.0.0.1:{b}/']\n      load_balancing_policy: first_available\n      \
             retry_status_codes: [502, 503]\n"
        );
    }
    let folder = Folder::new("vmauth");
    let port = port();
    let mut command = Command::new(program);
    command
        .arg(format!("-auth.config={}", folder.file("auth.yml", &config)))
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg("-loggerLevel=WARN");
    start("vmauth", command, port, "/health", folder)
}

/// The configuration of the one that scrapes nothing.
fn reading(entrance: &Server, rules: &str) -> String {
    let shards = [0, 1].map(|shard| {
        format!(
            "  - {{url: 'http://127.0.0.1:{}/shard-{shard}/api/v1/read', read_recent: true}}\n",
            entrance.port
        )
    });
    format!("rule_files: ['{rules}']\nremote_read:\n{}", shards.concat())
}

const REPLICAS: [&str; 2] = ["a", "b"];
