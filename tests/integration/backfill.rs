//! The command `backfill` as a user meets it: files, messages, refusals, forms of logs.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use support::program::{run, tool};
use support::{Folder, root};

/// The 400 random calls of Asterisk 22.
fn bulk() -> String {
    let packed = std::fs::File::open(root(BULK)).expect("a fixture");
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).expect("gzipped text");
    text
}

const BULK: &str = "fixtures/captures/22/bulk.queue_log.gz";
const CALL: &str = "1795391990|1795391990.1|sales|NONE|ENTERQUEUE||12025550125|1\n\
                    1795392000|1795391990.1|sales|PJSIP/201|CONNECT|10|1795391999.2|3\n\
                    1795392030|1795391990.1|sales|PJSIP/201|COMPLETEAGENT|10|30|1\n";
const HQ: &[&str] = &["--pbx", "hq"];

/// Exit code and standard error; nothing goes to standard output.
fn backfill(logs: &[&Path], out: &Path, more: &[&str]) -> (i32, String) {
    let mut args = vec!["backfill", "--out", out.to_str().expect("a plain path"), "--queue-log"];
    args.extend(logs.iter().map(|log| log.to_str().expect("a plain path")));
    args.extend(more);
    let output = run(&args);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let code = output.status.code().expect("it ended by itself");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The files of a folder, with what is in them.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("it").path());
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    entries.map(|path| (name(&path), std::fs::read_to_string(&path).expect("text"))).collect()
}

#[test]
fn a_log_becomes_a_file_a_day_and_the_run_says_what_it_did() {
    let folder = Folder::new("backfill");
    let out = folder.path("history");
    let text = format!("{CALL}1795392031|1795391990.1|sales|NONE|INFO|x\nno line\n");
    let log = folder.write("queue_log", &text);
    let (code, said) = backfill(&[&log], &out, HQ);
    assert_eq!(code, 0, "{said}");
    let (estimate, rest) = said.split_once('\n').expect("lines");
    assert!(estimate.starts_with("4 lines of 1 queues in 2 days: about "), "{said}");
    assert!(estimate.ends_with(" MB"), "{said}");
    let files = files(&out);
    let samples: usize = files.values().map(|text| lines(text).count()).sum();
    assert_eq!(
        rest,
        format!(
            "3 lines counted, {samples} samples written\n1 lines cannot be read\n\
             without a service level target in the configuration, so without its counters: sales\n\
             verbs that are not read: INFO (1)\n"
        )
    );
    assert_eq!(files.keys().collect::<Vec<_>>(), ["2026-11-22.om", "2026-11-23.om"]);
    let labels = "pbx=\"hq\",queue=\"sales\",job=\"asterisk\",instance=\"localhost:15038\"";
    let entry = format!("asterisk_queue_entries_total{{{labels}}} 1 1795392000");
    assert!(lines(&files["2026-11-23.om"]).any(|line| line == entry));
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn the_configuration_gives_name_target_and_aliases() {
    let folder = Folder::new("backfill-config");
    let (out, log) = (folder.path("history"), folder.write("queue_log", CALL));
    let config = folder.write(
        "config.yml",
        "pbx: [{name: main, address: 127.0.0.1, username: x, \
         aliases: {queues: {sales: Verkauf}, agents: {PJSIP/201: Ann}}}]\n\
         service_level: {default: 20s}\n",
    );
    let config = ["--config", config.to_str().expect("a plain path"), "--agents", "--job", "pbx"];
    let (code, said) = backfill(&[&log], &out, &config);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("service level"), "{said}");
    let files = files(&out);
    let has = |line: &str| lines(&files["2026-11-23.om"]).any(|written| written == line);
    let queue = "pbx=\"main\",queue=\"Verkauf\"";
    let target = "job=\"pbx\",instance=\"localhost:15038\"";
    let in_target = "asterisk_queue_answered_in_target_total";
    assert!(has(&format!("{in_target}{{{queue},{target}}} 1 1795392060")));
    let completed = "asterisk_queue_completions_total";
    let by = "agent=\"Ann\",ended_by=\"agent\"";
    assert!(has(&format!("{completed}{{{queue},{by},{target}}} 1 1795392060")));
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_written() {
    let folder = Folder::new("backfill-refused");
    let (out, log) = (folder.path("history"), folder.write("queue_log", CALL));
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let pbx = |name: &str| format!("{{name: {name}, address: 127.0.0.1, username: x}}");
    let two = folder.write("two.yml", &format!("pbx: [{}, {}]\n", pbx("hq"), pbx("branch")));
    let two = two.to_str().expect("a plain path");
    let nothing = folder.write("other", "what\nis\nthis\n");

    for (log, more, code, said) in [
        (&log, &[][..], 1, "the label pbx is not known: name it with --pbx, or give --config"),
        (
            &log,
            &["--config", two],
            1,
            "there are several PBXs in the configuration: name one with --pbx",
        ),
        (&log, &["--config", two, "--pbx", "lab"], 1, "no pbx lab in the configuration"),
        (&log, &["--pbx", "hq", "--config", "nowhere.yml"], 1, "nowhere.yml: no such file"),
        (&pipe, HQ, 1, "pipe: is no file, and it is read twice"),
        (&folder.path("nowhere"), HQ, 1, "nowhere: No such file or directory"),
        (&nothing, HQ, 1, "other: not a queue_log: 3 of 3 lines cannot be read"),
        (
            &log,
            &["--pbx", "hq", "--step", "5m"],
            2,
            "5m is not a whole number of seconds from 1s to 4m",
        ),
        (&log, &["--pbx", "hq", "--from", "200", "--to", "200"], 1, "--from is not before --to"),
        (&log, &["--pbx", "hq", "--from", "soon"], 2, "soon"),
        (
            &log,
            &["--pbx", "hq", "--to", "2099-01-01T00:00:00Z"],
            1,
            "--to 2099-01-01T00:00:00Z: is in the future",
        ),
        (&log, &["--pbx", "hq", "--to", "1000"], 1, "no line of queue_log is in that time"),
    ] {
        let (status, text) = backfill(&[log], &out, more);
        assert_eq!(status, code, "{more:?}: {text}");
        assert!(text.contains(said), "{more:?}: {text}");
        assert!(!out.exists(), "{more:?}");
    }

    // The place of the folder is taken.
    let (status, text) = backfill(&[&log], &nothing, HQ);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("other: cannot be written"), "{text}");
}

#[test]
fn files_of_a_run_before_are_replaced_by_force_alone_and_others_never() {
    let folder = Folder::new("backfill-force");
    let (out, log) = (folder.path("history"), folder.write("queue_log", CALL));
    std::fs::create_dir(&out).expect("a folder");
    std::fs::write(out.join("notes.om"), "mine\n").expect("a file");
    assert_eq!(backfill(&[&log], &out, HQ).0, 0);
    let first = files(&out);

    let (code, said) = backfill(&[&log], &out, HQ);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(".om: is there already; --force replaces it"), "{said}");
    assert_eq!(files(&out), first);

    // A day that this run does not write has other counters.
    std::fs::write(out.join("2020-01-01.om"), "old\n").expect("a file");
    assert_eq!(backfill(&[&log], &out, &["--pbx", "hq", "--force"]).0, 0);
    assert_eq!(files(&out), first);
    assert_eq!(first["notes.om"], "mine\n");
}

/// The same log packed and as a table gives the same bytes.
#[test]
fn each_form_of_a_log_gives_the_same_files() {
    let folder = Folder::new("backfill-forms");
    let text = bulk();
    let log = folder.write("queue_log", &text);
    let mut logs = vec![root(BULK)];

    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).expect("memory");
    std::fs::write(folder.path("queue_log.1.gz"), packed.finish().expect("memory"))
        .expect("a file");
    logs.push(folder.path("queue_log.1.gz"));
    for (program, ending) in [("xz", "xz"), ("bzip2", "bz2"), ("zstd", "zst")] {
        let Some(program) = tool(program) else { continue };
        let path = folder.path(&format!("queue_log.{ending}"));
        let file = std::fs::File::create(&path).expect("a file");
        let packed = Command::new(program).args(["--stdout"]).arg(&log).stdout(file).status();
        assert!(packed.expect("it starts").success());
        logs.push(path);
    }
    for (name, between, begin) in [("csv", ",", ""), ("psql", " | ", " "), ("mysql", " | ", "| ")] {
        logs.push(folder.write(&format!("queue_log.{name}"), &table(&text, between, begin)));
    }

    let out = folder.path("plain");
    assert_eq!(backfill(&[&log], &out, HQ).0, 0);
    let expected = files(&out);
    assert!(expected.values().map(String::len).sum::<usize>() > 100_000);
    for (number, log) in logs.iter().enumerate() {
        let out = folder.path(&number.to_string());
        let (code, said) = backfill(&[log], &out, HQ);
        assert_eq!(code, 0, "{}: {said}", log.display());
        assert!(files(&out) == expected, "{} gives other files", log.display());
    }
}

/// The log as an export of Asterisk's realtime table.
fn table(log: &str, between: &str, begin: &str) -> String {
    let end = if begin == "| " { " |" } else { "" };
    let row = |cells: &[&str]| format!("{begin}{}{end}\n", cells.join(between));
    let columns = "time callid queuename agent event data1 data2 data3 data4 data5";
    let mut text = row(&columns.split(' ').collect::<Vec<_>>());
    for line in log.lines() {
        let mut cells: Vec<_> = line.split('|').collect();
        assert!(cells.len() <= 10, "{line}");
        cells.resize(10, "");
        text.push_str(&row(&cells));
    }
    text
}
