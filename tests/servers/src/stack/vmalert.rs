//! The shipped rules and alerts in a real vmalert, on a real VictoriaMetrics: `vmalert -dryRun`
//! reads an expression, but does not notice a function that VictoriaMetrics lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use support::program::{demo, tool};
use support::root;

use super::servers::{Folder, encoded, scraping, start, until, victoria_metrics};

#[test]
fn every_rule_runs_in_vmalert_and_gives_what_it_records() {
    let Some(program) = tool("vmalert") else { return };
    let (_demo, port) = demo(&["--speed", "60"]);
    let Some(storage) = victoria_metrics(Some(&scraping(port, ""))) else { return };
    let folder = Folder::new("vmalert");
    let mut command = Command::new(program);

    for file in ["rules.yml", "thresholds.yml", "alerts.yml"] {
        // Minutes are too long for a test; what comes of it then is not right, but there.
        let rules = std::fs::read_to_string(root("alerts").join(file)).unwrap();
        let quick =
            |line: &&str| !line.trim().starts_with("interval:") && !line.trim().starts_with("for:");
        let rules: Vec<_> = rules.lines().filter(quick).collect();
        command.arg(format!("-rule={}", folder.file(file, &rules.join("\n"))));
    }

    command.arg(format!("-rule={}", folder.file("ours.yml", OURS)));
    for url in ["datasource", "remoteWrite", "remoteRead"] {
        command.arg(format!("-{url}.url=http://127.0.0.1:{}", storage.port));
    }
    let port = super::servers::port();
    command.args([
        "-evaluationInterval=3s",
        "-remoteWrite.flushInterval=1s",
        "-notifier.url=http://127.0.0.1:1",
    ]);

    command.arg(format!("-httpListenAddr=127.0.0.1:{port}"));
    let vmalert = start("vmalert", command, port, "/health", folder);
    let mut given = BTreeSet::new();
    until("every rule has given something", || {
        let mut missing = Vec::new();
        let groups = vmalert.json("/api/v1/rules");
        for rule in groups["data"]["groups"].as_array().unwrap().iter().flat_map(rules) {
            if rule["lastError"] != "" {
                return Err(rule.to_string());
            }
            let name = rule["name"].as_str().unwrap().to_owned();
            if rule["type"] == "recording" && rule["lastSamples"].as_u64() > Some(0) {
                given.insert(name);
            } else if rule["type"] == "recording"
                && !given.contains(&name)
                && !OLDER.contains(&name.as_str())
            {
                missing.push(name);
            }
        }
        if missing.is_empty() && given.len() > 300 { Ok(()) } else { Err(format!("{missing:?}")) }
    });

    // An alert would wait until the store has seen the PBX for half an hour.
    until("the queue that may not lose anybody has its threshold, and no other queue", || {
        let query = encoded("pbx_queue:asterisk_threshold:service_level");
        let answer = storage.json(&format!("/api/v1/query?query={query}"));
        let results = answer["data"]["result"].as_array().unwrap();
        let in_force: BTreeMap<_, _> = results
            .iter()
            .map(|result| (result["metric"]["queue"].as_str(), result["value"][1].as_str()))
            .collect();

        let expected = |queue: &Option<&str>| Some(if *queue == Some("sales") { "1" } else { "0" });
        let all = in_force.len() > 1 && in_force.contains_key(&Some("sales"));
        let right = in_force.iter().all(|(queue, threshold)| *threshold == expected(queue));
        if all && right { Ok(()) } else { Err(format!("{in_force:?}")) }
    });
}

/// The threshold of one queue, as alerts/README.md has it: out of reach; and all others'.
const OURS: &str = "\
groups:
  - name: ours
    rules:
      - {record: 'asterisk:threshold:service_level', expr: vector(1), labels: {queue: sales}}
      - {record: 'asterisk:threshold:service_level', expr: vector(0), labels: {pbx: demo}}
";

fn rules(group: &Value) -> Vec<Value> {
    group["rules"].as_array().unwrap().clone()
}

/// These look at hours and weeks ago, of which there is nothing.
const OLDER: [&str; 2] = [
    "pbx_queue:asterisk_queue_abandoned_before:ratio_rate6h",
    "pbx_queue:asterisk_queue_offered_usual:increase30m",
];
