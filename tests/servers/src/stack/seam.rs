//! The seam between history and the running exporter: whatever is in the log is counted once, by
//! what the documentation tells people to do.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use support::program::{prometheus_3, run, tool};

use super::calls::{abandoned, answered};
use super::exporter::Exporter;
use super::pbx::Pbx;
use super::servers::{Folder, Server, port, prometheus, prometheus_2, scraping, until};

#[test]
fn nothing_is_counted_twice_or_left_out_at_the_seam() {
    let Some(promtool) = tool("promtool") else { return };
    for program in [prometheus_2(), prometheus_3()].into_iter().flatten() {
        counts_each_call_once(&program, &promtool);
    }
}

fn counts_each_call_once(program: &Path, promtool: &Path) {
    // The program may have to be built first, which takes minutes.
    assert!(run(&["--version"]).status.success());
    // Three hours of calls, of which the last ones are those of the very start of the exporter.
    let begun = now();
    let mut log = Log::default();
    (1..100).for_each(|number| log.answered(begun - 10_800 + 97 * number, 3));
    log.abandoned(begun - 40, 7);
    log.abandoned(begun - 1, 7);

    let (pbx, port) = (Pbx::start(), port());
    let exporter = Exporter::start_at(port, &pbx, "");
    let mut server = prometheus(program, &scraping(port, ""), &[]);
    let up = "asterisk_up == 1";
    until("the exporter was scraped", || found(&server, up, 1.0));
    let seam = server.ask(SEAM).total() as u64;
    // The kernel knows the start of a process to a second of its own.
    assert!(seam >= begun, "{seam} {begun}");

    // In the second of the seam either side may have a call, so the log goes on with the next one;
    // the exporter has counted more of them than the history has before it is scraped again.
    log.abandoned(seam - 1, 9);
    until("the seam is over", || if now() > seam { Ok(()) } else { Err("not yet".to_owned()) });
    for number in 0..5 {
        pbx.say(&abandoned(number, 4.0));
        log.abandoned(now(), 4);
    }
    for number in 5..12 {
        pbx.say(&answered(number, 2.0));
        log.answered(now(), 2);
    }
    until("all is scraped", || found(&server, "sum(asterisk_queue_completions_total)", 7.0));

    let folder = Folder::new("seam");
    let file = folder.file("queue_log", &log.0);
    let (out, instance) = (folder.path("history"), format!("127.0.0.1:{port}"));
    let to = seam.to_string();
    let done = run(&[
        "backfill",
        "--pbx",
        "hq",
        "--queue-log",
        &file,
        "--out",
        &out,
        "--to",
        &to,
        "--instance",
        &instance,
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    load(promtool, &out, &mut server);

    let page = folder.file("page.prom", &page(&server, begun));
    let audit = run(&["audit", "--queue-log", &file, "--metrics", &page]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
    let all = increase(&server, "asterisk_queue_entries_total", "pbx, queue");
    assert_eq!(all, "asterisk_queue_entries_total{pbx=\"hq\",queue=\"support\"} 114\n");
    exporter.stop();
}

/// As docs/backfill.md has it.
const SEAM: &str = "ceil(process_start_time_seconds + on (instance) group_right () \
                    asterisk_exporter_unsynchronized_seconds_total)";

/// Makes blocks of the files beside what the server has.
pub(super) fn load(promtool: &Path, history: &str, server: &mut Server) {
    // It would look for blocks once a minute.
    server.kill();
    let mut files: Vec<_> =
        std::fs::read_dir(history).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        let mut blocks = Command::new(promtool);
        blocks.args(["tsdb", "create-blocks-from", "openmetrics"]).arg(&file);
        let made = blocks.arg(server.path("data")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    server.start_again();
}

/// What Prometheus has counted over the seam, as the page of an exporter that was always there.
fn page(server: &Server, begun: u64) -> String {
    let mut page = format!(
        "asterisk_up{{pbx=\"hq\"}} 1\nasterisk_exporter_connects_total{{pbx=\"hq\"}} 1\n\
         asterisk_exporter_unsynchronized_seconds_total{{pbx=\"hq\"}} 0\n\
         process_start_time_seconds {}\n",
        begun - 12_000
    );
    for (name, labels) in [
        ("asterisk_queue_entries_total", "pbx, queue"),
        ("asterisk_queue_exits_total", "pbx, queue, outcome"),
        ("asterisk_queue_completions_total", "pbx, queue, ended_by"),
        ("asterisk_queue_hold_seconds_sum", "pbx, queue, outcome"),
        ("asterisk_queue_hold_seconds_count", "pbx, queue, outcome"),
        ("asterisk_queue_talk_seconds_sum", "pbx, queue"),
        ("asterisk_queue_talk_seconds_count", "pbx, queue"),
    ] {
        page.push_str(&increase(server, name, labels));
    }
    page
}

/// The series of a counter, each as its increase of four hours.
fn increase(server: &Server, name: &str, labels: &str) -> String {
    let query = format!("round(sum by ({labels}) (increase({name}[4h])))");
    let mut text = String::new();
    for (labels, value) in server.ask(&query).0 {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        writeln!(text, "{name}{{{}}} {value}", labels.join(",")).unwrap();
    }
    text
}

fn found(server: &Server, query: &str, wanted: f64) -> Result<(), String> {
    match server.ask(query).total() {
        total if total == wanted => Ok(()),
        total => Err(format!("{query} is {total}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "the store stamps what it scrapes with this time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What Asterisk writes.
#[derive(Default)]
struct Log(String);

impl Log {
    fn abandoned(&mut self, at: u64, hold: u64) {
        self.call(at, "ABANDON", "NONE", &format!("1|1|{hold}"));
    }

    /// A talk of a minute.  All lines of a call are written at once: where they are cut does not
    /// depend on how long the call was.
    fn answered(&mut self, at: u64, hold: u64) {
        let call = self.call(at, "CONNECT", "Ann Lee", &format!("{hold}|1.2|1"));
        writeln!(self.0, "{at}|1.{call}|support|Ann Lee|COMPLETECALLER|{hold}|60|1").unwrap();
    }

    fn call(&mut self, at: u64, verb: &str, agent: &str, data: &str) -> usize {
        // A caller is called by the line of the entry.
        let call = self.0.lines().count() + 1;
        writeln!(self.0, "{at}|1.{call}|support|NONE|ENTERQUEUE||1|1").unwrap();
        writeln!(self.0, "{at}|1.{call}|support|{agent}|{verb}|{data}").unwrap();
        call
    }
}
