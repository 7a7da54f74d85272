//! A pair of Alertmanagers behind a pair of Prometheus: each group is notified once, also when one
//! Alertmanager is killed and comes back.

use std::path::Path;

use serde_json::Value;
use support::program::{get, newest, tool};

use super::pager::Pager;
use super::servers::{Folder, Server, alertmanager_of, port, prometheus, prometheus_2, until};
use super::standing::Standing;

#[test]
fn a_pair_of_alertmanagers_pages_once() {
    let Some(prometheus) = prometheus_2() else { return };
    let pagers = [tool("prometheus-alertmanager"), newest("prometheus-alertmanager")];

    // Both at once, since they wait most of the time.
    std::thread::scope(|scope| {
        for program in pagers.into_iter().flatten() {
            let prometheus = &prometheus;
            scope.spawn(move || pages_once(&program, prometheus));
        }
    });
}

fn pages_once(program: &Path, prometheus: &Path) {
    let pager = Pager::start();
    let page = Standing::start(down(&["one"]));
    let Some(mut pair) = pair(program, pager.port) else { return };
    let _replicas = ["a", "b"].map(|name| replica(prometheus, name, &page, &pair));

    // Each asks its log before it would notify, the second one 15 s after the first.
    until("both have decided on the first", || pair.iter().try_for_each(|one| has_decided(one, 1)));
    assert_eq!(paged(&pager), ["one"]);

    pair[0].kill();
    page.show(down(&["one", "two"]));
    until("the other one has decided on the second", || has_decided(&pair[1], 2));
    assert_eq!(paged(&pager), ["one", "two"]);

    // Back again, it has forgotten what was notified, and learns it from the other one.
    pair[0].start_again();
    until("they have met again", || pair.iter().try_for_each(has_met));
    until("it has decided on what goes on", || has_decided(&pair[0], 2));
    assert_eq!(paged(&pager), ["one", "two"]);

    page.show(down(&["one", "two", "three"]));
    until("the first has decided on the third", || has_decided(&pair[0], 3));
    until("so has the second", || has_decided(&pair[1], 3));
    assert_eq!(paged(&pager), ["one", "two", "three"]);
}

/// A page on which these PBXs are down.
fn down(pbxs: &[&str]) -> String {
    pbxs.iter().map(|pbx| format!("asterisk_up{{pbx=\"{pbx}\"}} 0\n")).collect()
}

/// The PBX of each notification, in order.
fn paged(pager: &Pager) -> Vec<String> {
    let notifications = pager.notifications();
    let groups = notifications.iter().map(|notification| {
        // The replicas' alerts are the same one.
        assert_eq!(notification["alerts"].as_array().map(Vec::len), Some(1), "{notification}");
        notification["groupLabels"]["pbx"].as_str().expect("a group").to_owned()
    });
    groups.collect()
}

/// Two that know each other.
fn pair(program: &Path, pager: u16) -> Option<[Server; 2]> {
    // A group is looked at again after an hour, so a decision is one on a new group.
    let config = format!(
        "route: {{receiver: pager, group_by: [alertname, pbx], group_wait: 1s, group_interval: 1h, repeat_interval: \
         4h}}\nreceivers: [{{name: pager, webhook_configs: [{{url: 'http://127.0.0.1:{pager}/'}}]}}]\n"
    );
    let ports = [port(), port()];
    let start = |own: usize| {
        let listen = format!("--cluster.listen-address=127.0.0.1:{}", ports[own]);
        let peer = format!("--cluster.peer=127.0.0.1:{}", ports[1 - own]);
        alertmanager_of(program, &config, &[&listen, &peer])
    };
    let pair = [start(0)?, start(1)?];
    until("they have met", || pair.iter().try_for_each(has_met));
    Some(pair)
}

/// Whether it knows the other one, and notifies.
fn has_met(one: &Server) -> Result<(), String> {
    let cluster = &one.json("/api/v2/status")["cluster"];
    let peers = cluster["peers"].as_array().map(Vec::len);
    if cluster["status"] == "ready" && peers == Some(2) { Ok(()) } else { Err(cluster.to_string()) }
}

/// Whether it has asked its log about so many groups since its start.
fn has_decided(one: &Server, groups: u32) -> Result<(), String> {
    const ASKED: &str = "alertmanager_nflog_queries_total ";
    let (_, page) = get(one.port, "/metrics", "*/*").unwrap();
    let asked = page.lines().find_map(|line| line.strip_prefix(ASKED)).expect("a counter");
    if asked == groups.to_string() { Ok(()) } else { Err(format!("{asked} groups of {groups}")) }
}

/// A Prometheus with the alert, which tells both.
fn replica(program: &Path, name: &str, page: &Standing, pair: &[Server; 2]) -> Server {
    let folder = Folder::new("rules");
    let rules = folder.file("rules.yml", RULES);
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {{replica: \
         {name}}}}}\nrule_files: ['{rules}']\nalerting:\n  alert_relabel_configs: [{{action: labeldrop, regex: \
         replica}}]\n  alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{}', '127.0.0.1:{}']}}]}}]\n\
         scrape_configs: [{{job_name: asterisk, static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]\n",
        pair[0].port, pair[1].port, page.port
    );
    let server = prometheus(program, &config, &["--rules.alert.resend-delay=10s"]);

    // It reads its rules once, before it is ready.
    until("the rule is there", || {
        let groups = server.json("/api/v1/rules");
        let groups: Option<&Vec<Value>> = groups["data"]["groups"].as_array();
        if groups.map(Vec::len) == Some(1) { Ok(()) } else { Err(format!("{groups:?}")) }
    });
    server
}

const RULES: &str = "\
groups:
  - name: pair
    rules:
      - {alert: Down, expr: asterisk_up == 0, labels: {severity: critical}}
";
