//! History from a recorded queue_log: what the log has is in a real Prometheus and in VictoriaMetrics.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use support::program::{run, tool};
use support::root;

use super::servers::{Folder, Server, prometheus, prometheus_2, until, victoria_metrics_of};
use super::starts::post;

#[test]
fn prometheus_and_victoria_metrics_have_what_the_log_has() {
    let (folder, file) = backfilled();
    let text = std::fs::read_to_string(&file).unwrap();

    if let (Some(program), Some(promtool)) = (prometheus_2(), tool("promtool")) {
        let mut server = prometheus(&program, "", &["--storage.tsdb.retention.time=50y"]);
        // It would look for blocks once a minute.
        server.kill();
        let mut blocks = Command::new(promtool);
        blocks.args(["tsdb", "create-blocks-from", "openmetrics"]).arg(&file);
        let made = blocks.arg(server.path("data")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        assert_counted(&server);
    }
    if let Some(program) = tool("victoria-metrics") {
        let server = victoria_metrics_of(&program, None);
        post(server.port, "/api/v1/import/prometheus", &text);
        assert_counted(&server);
    }
    drop(folder);
}

/// The file of the only day of the log, and the folder that it goes with.
fn backfilled() -> (Folder, PathBuf) {
    let folder = Folder::new("backfill");
    let out = folder.path("history");
    let to = (verbs().1 + 30).to_string();
    let args =
        ["backfill", "--pbx", "lab", "--agents", "--queue-log", LOG, "--out", &out, "--to", &to];
    let done = run(&args);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let files = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.collect();
    assert_eq!(files.len(), 1, "{files:?}");
    (folder, files[0].clone())
}

/// Each verb that becomes a counter is there as often as in the log.
fn assert_counted(server: &Server) {
    let (wanted, last) = verbs();
    let counts = |name: &str, label: &str, value: &str| {
        // The last one is the zero with which another exporter goes on.
        let query = format!("max_over_time({name}{{{label}=\"{value}\"}}[1d])");
        server.ask_at(&query, last + 300).total() as u64
    };

    until("the history is there", || match counts("asterisk_queue_entries_total", "pbx", "lab") {
        0 => Err("no entries".to_owned()),
        _ => Ok(()),
    });
    for (verb, name, label, value) in [
        ("ENTERQUEUE", "asterisk_queue_entries_total", "pbx", "lab"),
        ("CONNECT", "asterisk_queue_exits_total", "outcome", "answered"),
        ("ABANDON", "asterisk_queue_exits_total", "outcome", "abandoned"),
        ("EXITWITHKEY", "asterisk_queue_exits_total", "outcome", "exit_key"),
        ("EXITWITHTIMEOUT", "asterisk_queue_exits_total", "outcome", "timeout"),
        ("COMPLETECALLER", "asterisk_queue_completions_total", "ended_by", "caller"),
        ("COMPLETEAGENT", "asterisk_queue_completions_total", "ended_by", "agent"),
        ("RINGNOANSWER", "asterisk_queue_rings_total", "result", "no_answer"),
    ] {
        let logged = wanted.get(verb).copied().unwrap_or_default();
        assert!(logged > 0, "no {verb} in the log");
        assert_eq!(counts(name, label, value), logged, "{}: {verb}", server.what());
    }
}

/// How often each verb is in the log, and the second of its last line.
fn verbs() -> (BTreeMap<String, u64>, u64) {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(root(LOG)).unwrap()).read_to_string(&mut text).unwrap();
    let mut verbs = BTreeMap::new();
    let mut last = 0;
    for line in text.lines() {
        let fields: Vec<_> = line.split('|').collect();
        *verbs.entry(fields[4].to_owned()).or_insert(0) += 1;
        last = fields[0].parse().unwrap();
    }
    (verbs, last)
}

/// Some 370 callers, beside Asterisk 16.
const LOG: &str = "fixtures/captures/16/bulk.queue_log.gz";
