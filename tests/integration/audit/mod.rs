//! The command `audit` as a user meets it: numbers, calls, exit codes, and how much memory it
//! takes.

mod doubts;
#[cfg(target_os = "linux")]
mod effort;
mod https;
mod sides;

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::Output;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use support::fixture;
use support::program::run;

/// A file for this test alone.
fn scratch(name: &str, content: &[u8]) -> PathBuf {
    let path = place(name);
    std::fs::write(&path, content).expect("a scratch file");
    path
}

fn place(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-audit-{name}", std::process::id()))
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).expect("memory");
    packer.finish().expect("memory")
}

/// The queue_log of the 400 random calls.
fn bulk() -> String {
    let packed = std::fs::read(fixture("captures/22/bulk.queue_log.gz")).expect("a fixture");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzipped text");
    text
}

const BULK: &str = "fixtures/captures/22/bulk.ami.gz";
/// After every fixture: what is compared up to now depends on the day.
const LATER: &str = "2030-01-01T00:00:00Z";

/// An exporter that started at 1000 and saw the PBX from 1003 on: what it counted, and the log of
/// the same time.
const STARTED: &str = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"q\"} 2\n\
    asterisk_queue_exits_total{pbx=\"hq\",queue=\"q\",outcome=\"abandoned\"} 2\n\
    asterisk_up{pbx=\"hq\"} 1\n\
    asterisk_exporter_connects_total{pbx=\"hq\"} 1\n\
    asterisk_exporter_unsynchronized_seconds_total{pbx=\"hq\"} 3.0\n\
    process_start_time_seconds 1000.5\n";

fn audit(logs: &[&Path], more: &[&str]) -> Output {
    let mut args = vec!["audit"];
    for log in logs {
        args.extend(["--queue-log", log.to_str().expect("a plain path")]);
    }
    args.extend(more);
    run(&args)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed, with the exit code it must have.
fn printed(output: &Output, code: i32) -> String {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Lines with runs of spaces as one.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
}

/// The metrics of a capture, as a scrape has them.
fn metrics(recording: &str, format: &str) -> Vec<u8> {
    let played = run(&["replay", "--format", format, recording]);
    assert!(played.status.success(), "{}", text(&played.stderr));
    played.stdout
}

/// The bulk log without the first line with a word, and that line's call.
fn without(word: &str) -> (String, String) {
    let log = bulk();
    let gone = log.lines().find(|line| line.contains(word)).expect("such a line").to_owned();
    let rest = log.replacen(&format!("{gone}\n"), "", 1);
    (rest, gone.split('|').nth(1).expect("a call").to_owned())
}

#[test]
fn a_recording_agrees_with_its_log() {
    let log = scratch("agrees", bulk().as_bytes());
    let text = printed(&audit(&[&log], &["--capture", BULK]), 0);
    assert_eq!(lines(&text)[0], "compared 2026-11-23T22:50:06Z to 2026-11-23T22:52:31Z");
    assert_eq!(lines(&text)[1], "queue_log 2135 lines in it, 0 outside");
    assert!(
        text.contains("not compared  PAUSEALL 58, RINGCANCELED 86, UNPAUSEALL 546\n"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "\n50 figures are equal (--all shows them)\n\nqueue_log and the exporter agree.\n"
        ),
        "{text}"
    );
    let all = printed(&audit(&[&log], &["--capture", BULK, "--all"]), 0);
    assert_eq!(all.lines().filter(|line| line.starts_with("equal")).count(), 50);
    assert!(lines(&all).contains(&"equal bulk-fpbx ENTERQUEUE entries 94 94".to_owned()), "{all}");
}

#[test]
fn a_line_that_is_gone_is_found_with_its_call() {
    let (log, call) = without("|ABANDON|");
    let log = scratch("no-abandon", log.as_bytes());
    let text = printed(&audit(&[&log], &["--capture", BULK]), 1);
    let shown = lines(&text);
    let differs: Vec<_> = shown.iter().filter(|line| line.starts_with("differs")).collect();
    assert_eq!(differs.len(), 1, "{text}");
    assert!(
        differs[0].contains(" ABANDON exits abandoned ") && differs[0].ends_with(" 1 only counted"),
        "{text}"
    );
    assert!(shown.contains(&format!("call {call}")), "{text}");
    assert!(text.ends_with("queue_log and the exporter DIFFER in 1 figure.\n"), "{text}");
}

#[test]
fn two_errors_that_cancel_out_are_two_errors() {
    let (log, call) = without("|EXITWITHKEY|");
    let extra =
        log.lines().find(|line| line.contains("|EXITWITHKEY|")).expect("another one").to_owned();
    let other = extra.split('|').nth(1).expect("a call").to_owned();
    let queue = |line: &str| line.split('|').nth(2).expect("a queue").to_owned();
    let gone =
        bulk().lines().find(|line| line.contains("|EXITWITHKEY|")).expect("the line").to_owned();
    let extra = extra.replace(&queue(&extra), &queue(&gone));
    let log = scratch("swapped", format!("{log}{extra}\n").as_bytes());
    let report = json(&audit(&[&log], &["--capture", BULK, "--json"]));
    let row = report["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["state"] == "differs")
        .expect("a row");
    assert_eq!(row["what"], "exit_key");
    assert_eq!(row["queue_log"], row["exporter"]);
    assert_eq!((&row["only_in_queue_log"], &row["only_in_exporter"]), (&1.into(), &1.into()));
    let mut calls: Vec<_> = row["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .map(|call| call["uniqueid"].clone())
        .collect();
    calls.sort_by_key(ToString::to_string);
    let mut expected = [call, other];
    expected.sort();
    assert_eq!(calls, expected);
}

/// A position of each kind that is another in the log: one difference each, with its call.
#[test]
fn a_position_that_differs_is_found_with_its_call() {
    let log = bulk();
    let changed = |word: &str, at: usize| {
        let line = log.lines().find(|line| line.contains(word)).expect("such a line").to_owned();
        let mut fields: Vec<_> = line.split('|').map(str::to_owned).collect();
        let position: u32 = fields[at].parse().expect("a position");
        fields[at] = (position + 2).to_string();
        (line.clone(), fields.join("|"), fields[1].clone())
    };
    let entry = changed("|ENTERQUEUE|", 7);
    let abandon = changed("|ABANDON|", 5);
    let broken = log.replacen(&entry.0, &entry.1, 1).replacen(&abandon.0, &abandon.1, 1);
    let broken = scratch("positions", broken.as_bytes());

    let report = json(&audit(&[&broken], &["--capture", BULK, "--json"]));
    let rows = report["rows"].as_array().expect("rows");
    let differs: Vec<_> = rows.iter().filter(|row| row["state"] == "differs").collect();
    let found = |what: &str| {
        let row = differs.iter().find(|row| row["what"] == what).unwrap_or_else(|| {
            panic!("no {what} in {report:#}");
        });
        let calls = row["calls"].as_array().expect("calls");
        assert_eq!(calls.len(), 1, "{row:#}");
        let numbers = ["only_in_queue_log", "only_in_exporter"].map(|side| row[side].clone());
        (calls[0]["uniqueid"].as_str().expect("a call").to_owned(), numbers)
    };
    assert_eq!(differs.len(), 2, "{report:#}");
    assert_eq!(found("entry_positions"), (entry.2, [2.into(), 0.into()]));
    assert_eq!(found("abandon_positions"), (abandon.2, [2.into(), 0.into()]));

    // The same by a scrape, which has no single calls.
    let scrape = scratch("positions.prom", &metrics(BULK, "text"));
    let scrape = scrape.to_str().expect("a plain path");
    let times = ["--since", "2026-11-23T00:00:00Z", "--until", "2026-11-24T00:00:00Z"];
    let report = json(&audit(&[&broken], &[&["--metrics", scrape, "--json"][..], &times].concat()));
    let rows = report["rows"].as_array().expect("rows").iter();
    let differs: Vec<_> = rows.filter(|row| row["state"] == "differs").collect();
    let whats: Vec<_> = differs.iter().map(|row| row["what"].clone()).collect();
    assert_eq!(whats, ["entry_positions", "abandon_positions"], "{report:#}");
}

#[test]
fn json_has_what_the_table_has() {
    let (log, call) = without("|CONNECT|");
    let log = scratch("no-connect", log.as_bytes());
    let output = audit(&[&log], &["--capture", BULK, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["agrees"], false);
    assert_eq!(
        (&report["since"], &report["until"]),
        (&"2026-11-23T22:50:06Z".into(), &"2026-11-23T22:52:31Z".into())
    );
    let expected = serde_json::json!({ "compared": 2134, "foreign": 0, "outside": 0, "malformed": 0, "not_compared": 690 });
    assert_eq!(report["lines"], expected);
    let row = &report["rows"][0];
    assert_eq!((&row["state"], &row["what"]), (&"differs".into(), &"answered".into()));
    assert_eq!(row["verbs"], serde_json::json!(["CONNECT"]));
    assert_eq!(row["metric"], "asterisk_queue_exits_total{outcome=\"answered\"}");
    assert_eq!((&row["only_in_queue_log"], &row["only_in_exporter"]), (&0.into(), &1.into()));
    assert_eq!(row["calls"][0]["uniqueid"], call.as_str());
    assert_eq!(report["rows"][1]["state"], "equal");
    assert_eq!(report["rows"].as_array().expect("rows").len(), 50);
}

#[test]
fn what_is_documented_is_explained_and_no_difference() {
    for (name, row, verdict) in [
        (
            "09e-redirect-waiting-caller",
            "explained noagent ABANDON exits abandoned 1 0 1 redirected while waiting",
            "queue_log and the exporter agree; 2 differences are documented ones.",
        ),
        (
            "09f-redirect-talking-caller",
            "explained support COMPLETE* seconds talk 4 s 2.0 s +2.0 s of 1 call: redirected while talking: queue_log counts on",
            "queue_log and the exporter agree; 1 difference is a documented one.",
        ),
        (
            "16f-crash-mid-call",
            "explained noagent – exits lost 0 1 1 lost: ended while the exporter was not synchronised",
            "queue_log and the exporter agree; 3 differences are documented ones.",
        ),
    ] {
        let log = fixture(&format!("captures/16/{name}.queue_log"));
        let output = audit(&[&log], &["--capture", &format!("fixtures/captures/16/{name}.ami.gz")]);
        let shown = lines(&printed(&output, 0));
        assert!(shown.contains(&row.to_owned()), "{shown:#?}");
        assert_eq!(shown.last().map(String::as_str), Some(verdict));
    }
}

#[test]
fn a_talk_that_ends_under_two_uniqueids_ends_once() {
    // 16.28, as two of its threads may race after a REFER into an application: the caller has the
    // Uniqueid of the agent's second line by then.
    let name = "16/09l-refer-into-conference";
    let log = fixture(&format!("captures/{name}.queue_log"));
    let log = std::fs::read_to_string(log).expect("a log");
    let again = "1795949395|1795949391.2|refer-into-conference|refer-into-conference 0|COMPLETECALLER|0|5|1\n";
    let transfer = log.find("1795949395|").expect("the ATTENDEDTRANSFER");

    for at in [transfer, log.len()] {
        let mut both = log.clone();
        both.insert_str(at, again);
        let both = scratch("ends-twice", both.as_bytes());
        let recording = format!("fixtures/captures/{name}.ami.gz");
        let shown = lines(&printed(&audit(&[&both], &["--capture", &recording]), 0));
        let verdict = "queue_log and the exporter agree; 1 difference is a documented one.";
        assert_eq!(shown.last().map(String::as_str), Some(verdict), "{shown:#?}");
        let row = "explained refer-into-conference COMPLETECALLER completions caller 1 0 1 duplicate \
                   in queue_log, of one ring attempt or one talk";
        assert!(shown.contains(&row.to_owned()), "{shown:#?}");
    }
}

#[test]
fn an_excuse_covers_no_more_than_its_own_calls() {
    // One caller was redirected; a second ABANDON, of another call, is not excused by that.
    let log = std::fs::read_to_string(fixture("captures/22/09e-redirect-waiting-caller.queue_log"))
        .expect("a log");
    let abandon = log.lines().find(|line| line.contains("|ABANDON|")).expect("an ABANDON");
    let log = scratch(
        "redirected-twice",
        format!("{log}{}\n", abandon.replacen("|17", "|99", 1)).as_bytes(),
    );
    let recording = "fixtures/captures/22/09e-redirect-waiting-caller.ami.gz";
    let scrape = scratch("redirected.prom", &metrics(recording, "text"));
    let scrape = scrape.to_str().expect("a plain path");
    for side in [["--capture", recording], ["--metrics", scrape]] {
        let shown = lines(&printed(&audit(&[&log], &[&side[..], &["--until", LATER]].concat()), 1));
        let row = "differs noagent ABANDON exits abandoned 2 0 1 only in queue_log; 1 redirected while waiting";
        assert!(shown.contains(&row.to_owned()), "{shown:#?}");
    }
}

#[test]
fn malformed_lines_are_counted_and_shown() {
    let mut log = b"not a line\n\x00\x00\n1795474208|1.1|bulk-ringall\n".to_vec();
    log.extend(bulk().into_bytes());
    log.extend(b"1795474208|1.1|bulk-ringall|NONE|");
    log.extend(vec![b'X'; 100_000]);
    log.extend(b"\r\n\r\n1795474208|1.1|bulk-ringall|Ann|CONNECT|soon\n");
    let log = scratch("malformed", &log);
    let text = printed(&audit(&[&log], &["--capture", BULK]), 0);
    let path = log.display();
    let expected = format!(
        "malformed     5 lines: 1 with longer than 16384 bytes, 1 with too few fields, \
         2 with no time, 1 with no number of seconds\n\
         \x20             {path}:1: no time\n\
         \x20             {path}:2: no time\n\
         \x20             {path}:3: too few fields\n\
         \x20             {path}:2829: longer than 16384 bytes\n\
         \x20             {path}:2831: no number of seconds\n"
    );
    assert!(text.contains(&expected), "{text}");
    let report = json(&audit(&[&log], &["--capture", BULK, "--json"]));
    assert_eq!(report["lines"]["malformed"], 5);
    let first = serde_json::json!({ "file": path.to_string(), "line": 1, "why": "no time" });
    assert_eq!(report["malformed"][0], first);
}

#[test]
fn rotated_and_gzipped_files_are_one_log() {
    let log = bulk();
    let all: Vec<_> = log.lines().collect();
    let part = |from: usize, to: usize| {
        all[from..to].iter().map(|line| format!("{line}\n")).collect::<String>()
    };
    // Two members, as two runs of gzip into one file leave them.
    let oldest = [gzipped(&part(0, 500)), gzipped(&part(500, 1000))].concat();
    let oldest = scratch("queue_log.2.gz", &oldest);
    let older = scratch("queue_log.1", part(1000, 2000).replace('\n', "\r\n").as_bytes());
    let newest = scratch("queue_log", part(2000, all.len()).trim_end().as_bytes());
    let report = json(&audit(&[&newest, &oldest, &older], &["--capture", BULK, "--json"]));
    assert_eq!((&report["agrees"], &report["lines"]["compared"]), (&true.into(), &2135.into()));
    assert_eq!(report["files"], serde_json::json!([&oldest, &older, &newest]));
    // The shell's list behind one flag.
    let (a, b, c) = (oldest.to_str(), older.to_str(), newest.to_str());
    let args = ["audit", "--capture", BULK, "--queue-log", a.unwrap(), b.unwrap(), c.unwrap()];
    assert!(run(&args).status.success());
}
