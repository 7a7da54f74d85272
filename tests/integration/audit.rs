//! The command `audit` as a user meets it: numbers, calls, exit codes, and how much memory it
//! takes.

use std::io::{Read as _, Write};
use std::net::TcpListener;
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

/// The metrics of a recording, as a scrape has them.
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
    let text = printed(&audit(&[&log], &["--recording", BULK]), 0);
    assert_eq!(lines(&text)[0], "compared 2026-11-23T22:50:06Z to 2026-11-23T22:52:31Z");
    assert_eq!(lines(&text)[1], "queue_log 2135 lines in it, 0 outside");
    assert!(
        text.contains("not compared  PAUSEALL 58, RINGCANCELED 86, UNPAUSEALL 546\n"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "\n42 figures are equal (--all shows them)\n\nqueue_log and the exporter agree.\n"
        ),
        "{text}"
    );
    let all = printed(&audit(&[&log], &["--recording", BULK, "--all"]), 0);
    assert_eq!(all.lines().filter(|line| line.starts_with("equal")).count(), 42);
    assert!(lines(&all).contains(&"equal bulk-fpbx ENTERQUEUE entries 94 94".to_owned()), "{all}");
}

#[test]
fn a_line_that_is_gone_is_found_with_its_call() {
    let (log, call) = without("|ABANDON|");
    let log = scratch("no-abandon", log.as_bytes());
    let text = printed(&audit(&[&log], &["--recording", BULK]), 1);
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
    let report = json(&audit(&[&log], &["--recording", BULK, "--json"]));
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

#[test]
fn json_has_what_the_table_has() {
    let (log, call) = without("|CONNECT|");
    let log = scratch("no-connect", log.as_bytes());
    let output = audit(&[&log], &["--recording", BULK, "--json"]);
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
    assert_eq!(report["rows"].as_array().expect("rows").len(), 42);
}

#[test]
fn what_is_documented_is_explained_and_no_difference() {
    for (name, row, verdict) in [
        (
            "09e-redirect-waiting-caller",
            "explained noagent ABANDON exits abandoned 1 0 1 redirected while waiting",
            "queue_log and the exporter agree; 1 difference is a documented one.",
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
        let output =
            audit(&[&log], &["--recording", &format!("fixtures/captures/16/{name}.ami.gz")]);
        let shown = lines(&printed(&output, 0));
        assert!(shown.contains(&row.to_owned()), "{shown:#?}");
        assert_eq!(shown.last().map(String::as_str), Some(verdict));
    }
}

#[test]
fn an_excuse_covers_no_more_than_its_own_calls() {
    // one caller was redirected; a second ABANDON, of another call, is not excused by that
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
    for side in [["--recording", recording], ["--metrics", scrape]] {
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
    let text = printed(&audit(&[&log], &["--recording", BULK]), 0);
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
    let report = json(&audit(&[&log], &["--recording", BULK, "--json"]));
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
    // two members, as two runs of gzip into one file leave them
    let oldest = [gzipped(&part(0, 500)), gzipped(&part(500, 1000))].concat();
    let oldest = scratch("queue_log.2.gz", &oldest);
    let older = scratch("queue_log.1", part(1000, 2000).replace('\n', "\r\n").as_bytes());
    let newest = scratch("queue_log", part(2000, all.len()).trim_end().as_bytes());
    let report = json(&audit(&[&newest, &oldest, &older], &["--recording", BULK, "--json"]));
    assert_eq!((&report["agrees"], &report["lines"]["compared"]), (&true.into(), &2135.into()));
    assert_eq!(report["files"], serde_json::json!([&oldest, &older, &newest]));
    // the shell's list behind one flag
    let (a, b, c) = (oldest.to_str(), older.to_str(), newest.to_str());
    let args = ["audit", "--recording", BULK, "--queue-log", a.unwrap(), b.unwrap(), c.unwrap()];
    assert!(run(&args).status.success());
}

#[test]
fn a_window_cuts_both_sides() {
    let log = scratch("window", bulk().as_bytes());
    let window = ["--since", "2026-11-23 22:51", "--until", "2026-11-23T23:51:50+01:00"];
    let report = json(&audit(&[&log], &[&["--recording", BULK, "--json"], &window[..]].concat()));
    assert_eq!(report["agrees"], true, "{report:#}");
    assert_eq!(
        (&report["since"], &report["until"]),
        (&"2026-11-23T22:51:00Z".into(), &"2026-11-23T22:51:50Z".into())
    );
    let (inside, outside) = (&report["lines"]["compared"], &report["lines"]["outside"]);
    assert!(
        inside.as_u64() > Some(200) && outside.as_u64() > Some(1000),
        "{inside} inside, {outside} outside"
    );
    // an older file that was not given is missed
    let late = bulk()
        .lines()
        .filter(|line| line > &"1795474300")
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let late = scratch("late", late.as_bytes());
    let output = audit(&[&late], &["--recording", BULK, "--since", "2026-11-23 21:00"]);
    assert!(
        printed(&output, 1).contains("queue_log begins at 2026-11-23T22:51:4"),
        "{}",
        text(&output.stdout)
    );
    let output = audit(&[&log], &["--recording", BULK, "--since", "tomorrow"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr)
            .contains("`tomorrow` is neither seconds since 1970 nor a time such as")
    );
}

#[test]
fn metrics_may_be_a_file_in_either_format() {
    let log = scratch("scraped", bulk().as_bytes());
    let (less, _) = without("|RINGNOANSWER|");
    let less = scratch("scraped-less", less.as_bytes());
    for format in ["text", "openmetrics"] {
        let scrape = scratch(&format!("bulk.{format}"), &metrics(BULK, format));
        let scrape = ["--metrics", scrape.to_str().expect("a plain path"), "--until", LATER];
        let text = printed(&audit(&[&log], &scrape), 0);
        assert!(text.contains("\n42 figures are equal"), "{text}");
        let text = printed(&audit(&[&less], &scrape), 1);
        let row = lines(&text).into_iter().find(|line| line.starts_with("differs")).expect("a row");
        assert!(
            row.contains("RINGNOANSWER rings no_answer+busy+failed")
                && row.ends_with("1 only counted"),
            "{row}"
        );
    }
}

#[test]
fn metrics_may_come_from_a_running_exporter() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/metrics?x=1", listener.local_addr().expect("an address"));
    let page = metrics(BULK, "text");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 4096];
        let length = stream.read(&mut request).expect("a request");
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            page.len()
        )
        .expect("a client");
        stream.write_all(&page).expect("a client");
        text(&request[..length])
    });
    let log = scratch("fetched", bulk().as_bytes());
    let shown = printed(&audit(&[&log], &["--metrics", &url, "--until", LATER]), 0);
    assert!(shown.contains("\n42 figures are equal"), "{shown}");
    assert!(server.join().expect("a request").starts_with("GET /metrics?x=1 HTTP/1.1\r\n"));
}

/// An exporter that started at 1000 and saw the PBX from 1003 on: what it counted, and the log of
/// the same time.
const STARTED: &str = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"q\"} 2\n\
    asterisk_queue_exits_total{pbx=\"hq\",queue=\"q\",outcome=\"abandoned\"} 2\n\
    asterisk_up{pbx=\"hq\"} 1\n\
    asterisk_exporter_connects_total{pbx=\"hq\"} 1\n\
    asterisk_exporter_unsynchronized_seconds_total{pbx=\"hq\"} 3.0\n\
    process_start_time_seconds 1000.5\n";

#[test]
fn counters_began_when_the_exporter_did() {
    let scrape = scratch("started.prom", STARTED.as_bytes());
    let log = "500|0.1|q|NONE|ENTERQUEUE|\n501|0.1|q|NONE|ABANDON|1|1|1\n\
        1002|1.1|q|NONE|ENTERQUEUE|\n1010|1.2|q|NONE|ENTERQUEUE|\n1011|1.1|q|NONE|ABANDON|1|1|9\n\
        1012|1.3|q|NONE|ENTERQUEUE|\n1013|1.3|q|NONE|ABANDON|1|1|1\n1098|1.2|q|NONE|ABANDON|1|1|88\n";
    let log = scratch("started", log.as_bytes());
    let args = ["--metrics", scrape.to_str().expect("a plain path"), "--json", "--until", "1100"];
    let report = json(&audit(&[&log], &args));
    // one came before it could see, and one left a moment before the end: it may be counted or not
    assert_eq!(report["agrees"], true, "{report:#}");
    assert_eq!((&report["lines"]["outside"], &report["left_out_at_edges"]), (&2.into(), &2.into()));
}

#[test]
fn which_pbx_is_meant_must_be_clear() {
    let two =
        scratch("two.prom", format!("{STARTED}{}", STARTED.replace("hq", "branch")).as_bytes());
    let two = two.to_str().expect("a plain path");
    let log = scratch("two", b"1010|1.2|q|NONE|ENTERQUEUE|\n1011|1.2|q|NONE|ABANDON|1|1|9\n");
    let unclear = audit(&[&log], &["--metrics", two]);
    printed(&unclear, 2);
    assert!(
        text(&unclear.stderr).ends_with("choose one with --pbx: branch, hq\n"),
        "{}",
        text(&unclear.stderr)
    );
    printed(&audit(&[&log], &["--metrics", two, "--pbx", "hq", "--until", "2000"]), 1);
}

#[test]
fn queues_that_are_not_exported_are_not_compared() {
    let config = scratch("deny.yml", b"pbx:\n  - name: hq\nqueues: {deny: ['^bulk-fpbx$']}\n");
    let log = scratch("deny", bulk().as_bytes());
    let output =
        audit(&[&log], &["--recording", BULK, "--config", config.to_str().expect("a plain path")]);
    let text = printed(&output, 0);
    assert!(text.contains("note          not exported, so not compared: bulk-fpbx\n"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_told_and_no_verdict() {
    let log = scratch("whole", bulk().as_bytes());
    let (name, nowhere) = (log.to_str().expect("a plain path"), "fixtures/nothing");
    let packed = gzipped(&bulk());
    let cut = scratch("cut.gz", &packed[..packed.len() / 2]);
    for (args, message) in [
        (
            vec!["--queue-log", nowhere, "--recording", BULK],
            "fixtures/nothing: cannot be read: No such file or directory",
        ),
        (
            vec!["--queue-log", name, "--queue-log", name, "--recording", BULK],
            ": given more than once\n",
        ),
        (
            vec!["--queue-log", cut.to_str().expect("a plain path"), "--recording", BULK],
            "cut.gz: cannot be read: ",
        ),
        (vec!["--queue-log", name, "--recording", nowhere], "fixtures/nothing: cannot be read"),
        (vec!["--queue-log", name, "--metrics", nowhere], "fixtures/nothing: cannot be read"),
        (vec!["--queue-log", name, "--metrics", "README.md"], "of the metrics is no sample"),
        (
            vec!["--queue-log", name, "--metrics", "https://pbx/metrics"],
            "curl -o metrics.txt https://pbx/metrics",
        ),
        (
            vec!["--queue-log", name, "--metrics", "http://me:secret@pbx/metrics"],
            "save the page, and name the file\n",
        ),
        (
            vec!["--queue-log", name, "--recording", BULK, "--config", nowhere],
            "fixtures/nothing: no such file",
        ),
        (vec!["--queue-log", name], "--recording"),
        (vec!["--recording", BULK], "--queue-log"),
    ] {
        let output = run(&[&["audit"], &args[..]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(text(&output.stderr).contains(message), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn where_nothing_is_compared_nothing_agrees() {
    let nothing = STARTED.replace("\"} 2\n", "\"} 0\n");
    assert_ne!(nothing, STARTED);
    let scrape = scratch("zeroes.prom", nothing.as_bytes());
    let counted = scratch("counted.prom", STARTED.as_bytes());
    let (scrape, counted) =
        (scrape.to_str().expect("a plain path"), counted.to_str().expect("a plain path"));
    let (empty, garbage) =
        (scratch("empty", b""), scratch("garbage", b"\x00\xff\x1b[31m\nnot a line\n"));
    let other_day =
        scratch("other-day", b"500|0.1|q|NONE|ENTERQUEUE|\n501|0.1|q|NONE|ABANDON|1|1|1\n");
    let noted = scratch("noted", b"1050|1.1|q|NONE|LABNOTE|x\n");
    let whole = scratch("forward", bulk().as_bytes());
    let quiet = ["--recording", BULK, "--since", "2026-11-23 20:00", "--until", "2026-11-23 21:00"];
    for (log, more, message) in [
        (
            &empty,
            vec!["--metrics", scrape, "--until", "1100"],
            "queue_log has no line that can be read",
        ),
        (
            &garbage,
            vec!["--metrics", scrape, "--until", "1100"],
            "garbage: not a queue_log: 2 of 2 lines cannot be read",
        ),
        (
            &other_day,
            vec!["--metrics", scrape, "--until", "1100"],
            "queue_log begins at 1970-01-01T00:08:20Z and ends at 1970-01-01T00:08:21Z: it does not reach into the time \
             from 1970-01-01T00:16:40Z to 1970-01-01T00:18:20Z",
        ),
        (
            &whole,
            quiet.to_vec(),
            "it does not reach into the time from 2026-11-23T20:00:00Z to 2026-11-23T21:00:00Z",
        ),
        (
            &noted,
            vec!["--metrics", scrape, "--until", "1100"],
            "nothing to compare from 1970-01-01T00:16:40Z to 1970-01-01T00:18:20Z",
        ),
        (
            &whole,
            vec!["--metrics", scrape, "--since", "1100", "--until", "1050"],
            "there is no time to compare: ",
        ),
        (
            &whole,
            vec!["--metrics", scrape, "--since", "1100", "--until", "1100"],
            "there is no time to compare: ",
        ),
        (&whole, vec!["--metrics", scrape, "--until", "900"], "there is no time to compare: "),
        (
            &whole,
            vec!["--recording", "fixtures/nothing", "--since", "9", "--until", "8"],
            "there is no time to compare: ",
        ),
    ] {
        for json in [&[][..], &["--json"]] {
            let output = audit(&[log], &[&more[..], json].concat());
            assert_eq!(printed(&output, 2), "", "{more:?}");
            assert!(text(&output.stderr).contains(message), "{more:?}: {}", text(&output.stderr));
        }
    }
    // a log of another time tells nothing of what was counted, and neither does an empty one
    for log in [&empty, &other_day] {
        let output = audit(&[log], &["--metrics", counted, "--until", "1100"]);
        assert_eq!(printed(&output, 2), "", "{}", log.display());
    }
    // what was counted, and is not in a log of this time, is a difference
    let shown = printed(&audit(&[&noted], &["--metrics", counted, "--until", "1100"]), 1);
    assert!(shown.contains("2 only counted"), "{shown}");
}

#[test]
fn a_completion_without_a_length_never_agrees_by_itself() {
    let log: String = (0..100)
        .map(|call| format!("1010|1.{call}|q|Ann|CONNECT|0|2.{call}|0\n1120|1.{call}|q|Ann|COMPLETECALLER|0|100|1\n"))
        .collect();
    let log = scratch("lengths", log.as_bytes());
    let scrape = |talks: u32, late: u32| {
        let series = format!(
            "asterisk_queue_exits_total{{pbx=\"hq\",queue=\"q\",outcome=\"answered\"}} 100\n\
             asterisk_queue_hold_seconds_sum{{pbx=\"hq\",queue=\"q\",outcome=\"answered\"}} 0\n\
             asterisk_queue_hold_seconds_count{{pbx=\"hq\",queue=\"q\",outcome=\"answered\"}} 100\n\
             asterisk_queue_completions_total{{pbx=\"hq\",queue=\"q\",agent=\"Ann\",ended_by=\"caller\"}} 100\n\
             asterisk_exporter_anomalies_total{{pbx=\"hq\",kind=\"complete_missing\"}} {late}\n"
        );
        let talk = format!(
            "asterisk_queue_talk_seconds_sum{{pbx=\"hq\",queue=\"q\",agent=\"Ann\"}} {talks}\n\
             asterisk_queue_talk_seconds_count{{pbx=\"hq\",queue=\"q\",agent=\"Ann\"}} {talks}\n"
        );
        scratch(
            &format!("lengths-{talks}-{late}.prom"),
            format!("{series}{}", if talks > 0 { &talk } else { "" }).as_bytes(),
        )
    };
    for (talks, late, why) in [
        (99, 0, "1 call counted without its length"),
        (100, 1, "100.0 s of 1 call"),
        (0, 0, "100 calls counted without"),
    ] {
        let scrape = scrape(talks, late);
        let args = [
            "--metrics",
            scrape.to_str().expect("a plain path"),
            "--since",
            "1000",
            "--until",
            "1200",
        ];
        let shown = printed(&audit(&[&log], &args), 1);
        let row =
            lines(&shown).into_iter().find(|line| line.starts_with("differs q COMPLETE* seconds"));
        assert!(row.as_ref().is_some_and(|row| row.contains(why)), "{talks} {late}: {shown}");
    }
}

#[test]
fn a_damaged_log_cannot_colour_the_terminal() {
    let log = scratch(
        "colours",
        b"1010|1.\x1b[1m|\x1b[31mq|NONE|ENTERQUEUE|\n1011|1.2|q|NONE|\x1b[2JNOVERB|\n1010|1.3|q|NONE|ENTERQUEUE|\n",
    );
    let scrape = scratch("colours.prom", STARTED.as_bytes());
    let scrape = ["--metrics", scrape.to_str().expect("a plain path"), "--until", "1100"];
    let shown = printed(&audit(&[&log], &scrape), 1);
    assert!(!shown.contains('\x1b'), "{shown:?}");
    assert!(
        shown.contains(r"does not have: \u{1b}[31mq 1") && shown.contains(r"\u{1b}[2JNOVERB 1"),
        "{shown}"
    );
    let call = format!("{}1795474208|9.\x1b[1m|bulk-fpbx|NONE|ABANDON|1|1|1\n", bulk());
    let call = scratch("colours-call", call.as_bytes());
    let shown = printed(&audit(&[&call], &["--recording", BULK]), 1);
    assert!(!shown.contains('\x1b') && shown.contains(r"call 9.\u{1b}[1m"), "{shown:?}");
}

#[test]
fn a_log_that_begins_late_is_told_only_if_something_is_missed() {
    let scrape = scratch("late.prom", STARTED.as_bytes());
    let scrape =
        ["--metrics", scrape.to_str().expect("a plain path"), "--since", "0", "--until", "1100"];
    let call =
        |id: u32| format!("1010|1.{id}|q|NONE|ENTERQUEUE|\n1011|1.{id}|q|NONE|ABANDON|1|1|9\n");
    for (log, code, told) in [(call(1) + &call(2), 0, false), (call(1), 1, true)] {
        let log = scratch("late-log", log.as_bytes());
        let shown = printed(&audit(&[&log], &scrape), code);
        assert_eq!(shown.contains("is an older file missing?"), told, "{shown}");
    }
}

#[test]
fn a_recording_tells_its_gaps() {
    let log = scratch("gap", b"1795615060|NONE|NONE|NONE|CONFIGRELOAD|\n");
    let shown = printed(&audit(&[&log], &["--recording", "fixtures/gaps/22.ami.gz"]), 1);
    assert!(
        shown.contains("note          the capture has a gap: calls that came and went there"),
        "{shown}"
    );
}

/// The log comes through a pipe; the most memory it took is read before the pipe's end.
#[cfg(target_os = "linux")]
#[test]
fn a_long_log_needs_no_more_memory_than_a_short_one() {
    use std::process::{Command, Stdio};

    use support::program::{Running, command};

    let most_memory = |bytes: usize| -> u64 {
        let pipe = place(&format!("pipe-{bytes}"));
        let _ = std::fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let name = pipe.to_str().expect("a plain path");
        let mut child = command(&[
            "audit",
            "--queue-log",
            name,
            "--recording",
            BULK,
            "--since",
            "0",
            "--until",
            LATER,
        ]);
        let mut child = Running(child.stdout(Stdio::null()).spawn().expect("the program starts"));
        let mut log = std::fs::OpenOptions::new().write(true).open(&pipe).expect("a reader");
        let mut block = String::new();
        let (mut written, mut call) = (0, 0);
        while written < bytes {
            block.clear();
            // every call another one, verbs and queues without end
            for _ in 0..1000 {
                call += 1;
                block += &format!(
                    "1795474{:03}|1795474000.{call}|bulk-fpbx|NONE|ENTERQUEUE||0301234567|1\n",
                    call % 1000
                );
                block += &format!(
                    "1795474{:03}|1795474000.{call}|garbage{call}|NONE|ABANDON|1|1|1\n",
                    call % 1000
                );
                block += &format!("1795474{:03}|NONE|NONE|NONE|VERB{call}|\n", call % 1000);
            }
            log.write_all(block.as_bytes()).expect("a reader");
            written += block.len();
        }
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).expect("a process");
        drop(log);
        assert_eq!(child.0.wait().expect("a child").code(), Some(1));
        std::fs::remove_file(&pipe).expect("the pipe");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        most.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    };
    let (short, long) = (most_memory(4 * MB), most_memory(100 * MB));
    assert!(long < short + 8 * 1024, "{short} kB for 4 MB of log, {long} kB for 100 MB");
}

/// A year of a database's local times in central Europe, calls of each hour, with the random ones
/// in their place.
#[cfg(target_os = "linux")]
fn year(days: u64, calls_an_hour: u64) -> String {
    use asterisk_exporter::calendar::utc;
    use asterisk_exporter::clock::Moment;

    // summer time is from the last Sunday of March to that of October, at 01:00 UTC
    let (summer, winter) = (1_774_746_000, 1_792_890_000);
    let local = |at: u64| {
        let hours = if (summer..winter).contains(&at) { 2 } else { 1 };
        utc(Moment::from_secs(at + hours * 3600)).replace('T', " ").replace('Z', ".250000")
    };
    let bars = |line: &str| {
        let (at, rest) = line.split_once('|').expect("a line");
        let mut fields: Vec<_> = rest.splitn(5, '|').collect();
        fields.resize(5, "");
        format!("{},{}\n", local(at.parse().expect("seconds")), fields.join(","))
    };
    let mut csv = "time,callid,queuename,agent,event,data\n".to_owned();
    let mut bulk: Option<String> = Some(bulk().lines().map(bars).collect());
    let first = 1_798_761_600 - days * 86_400;
    for hour in 0..days * 24 {
        let begins = first + hour * 3600;
        if begins > 1_795_474_000
            && let Some(bulk) = bulk.take()
        {
            csv += &bulk;
        }
        for call in 0..calls_an_hour {
            let (at, spacing) = (begins + call * 3600 / calls_an_hour, 3600 / calls_an_hour);
            let id = format!("{}.{}", at - spacing.min(40), hour * 1000 + call);
            csv += &format!("{},{id},bulk-fpbx,NONE,ENTERQUEUE,|2025550100|1\n", local(at));
            csv += &format!("{},{id},bulk-fpbx,Ann,CONNECT,5|{at}.7|4\n", local(at + 5));
            csv += &format!("{},{id},bulk-fpbx,Ann,COMPLETEAGENT,5|60|1\n", local(at + 65));
        }
    }
    csv
}

/// Memory in kB and time of the processor in hundredths of a second that an audit took at most.
#[cfg(target_os = "linux")]
fn effort(args: &[&str]) -> (u64, u64) {
    use std::process::Stdio;

    use support::program::{Running, command};

    let mut child =
        Running(command(args).stdout(Stdio::null()).spawn().expect("the program starts"));
    let (mut memory, mut time) = (0, 0);
    while child.0.try_wait().expect("a child").is_none() {
        let of = |file: &str| {
            std::fs::read_to_string(format!("/proc/{}/{file}", child.0.id())).unwrap_or_default()
        };
        let number =
            |text: &str| text.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default();
        memory = of("status")
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .map_or(memory, number);
        // user time is the 14th field; the name in brackets before it has no space
        time = time.max(of("stat").split(' ').nth(13).map_or(0, number));
        std::thread::yield_now();
    }
    (memory, time)
}

#[cfg(target_os = "linux")]
#[test]
fn a_year_of_a_database_is_read_in_its_own_zones_and_little_memory() {
    let log = scratch("year.csv", year(365, 4).as_bytes());
    let shown = printed(&audit(&[&log], &["--recording", BULK]), 0);
    let zones = "year.csv: its local times are UTC+01:00, then UTC+02:00, then UTC+01:00, as the Uniqueids in it tell\n";
    assert!(shown.contains(zones), "{shown}");
    assert!(shown.contains("\n42 figures are equal"), "{shown}");

    // compared from beginning to end, twelve times as much takes as much memory, and time in
    // proportion
    let month = scratch("month.csv", year(31, 4).as_bytes());
    let whole = |log: &Path| {
        let name = log.to_str().expect("a plain path");
        effort(&[
            "audit",
            "--queue-log",
            name,
            "--recording",
            BULK,
            "--since",
            "0",
            "--until",
            LATER,
        ])
    };
    let (month, year) = (whole(&month), whole(&log));
    assert!(year.0 < month.0 + 16 * 1024, "{} kB for a month, {} kB for a year", month.0, year.0);
    assert!(
        year.1 < 12 * 3 * month.1.max(10),
        "{} for a month, {} for a year, in 1/100 s",
        month.1,
        year.1
    );
    println!(
        "a month: {} kB, {} ms; a year: {} kB, {} ms",
        month.0,
        10 * month.1,
        year.0,
        10 * year.1
    );
}

const MB: usize = 1_000_000;
