//! How far a command has come is on the last line of a terminal, and nowhere else.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asterisk_exporter::progress::Progress;
use asterisk_exporter::queue_log::QueueLog;
use flate2::Compression;
use flate2::write::GzEncoder;
use support::program::{command, run, tool};
use support::{Folder, root};

use crate::lab::{Busy, replay, rules};

const CAPTURE: &str = "fixtures/seed-1-inbound-answered/events.ami";

/// What the commands of a shell show on a terminal, which util-linux' `script` makes.
fn on_terminal(line: &str, variables: &[(&str, &str)]) -> Option<String> {
    let script = tool("script")?;
    let exporter = command(&[]).get_program().to_str().expect("a plain path").to_owned();
    let mut terminal = Command::new(script);
    terminal
        .args(["--quiet", "--return", "--command", line, "/dev/null"])
        .current_dir(root(""))
        .env("EXPORTER", exporter)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    let output = terminal.envs(variables.iter().copied()).output().expect("script starts");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The size of a file as the bar has it.
fn size(path: &str) -> String {
    let bytes = std::fs::metadata(root(path)).expect("a file").len();
    format!("{:.2} KiB", bytes as f64 / 1024.0)
}

/// What clears the line of a bar.
const CLEAR: &str = "\r\x1b[2K";
/// What gives it its colour.
const CYAN: &str = "\x1b[36m";

#[test]
fn replay_shows_how_much_is_read_and_leaves_nothing_behind() {
    let folder = Folder::new("progress");
    let page = folder.path("page.prom");
    let line = format!("$EXPORTER replay {CAPTURE} > {}", page.display());
    let Some(shown) = on_terminal(&line, &[]) else { return };
    assert!(shown.contains(&format!(" of {}, ", size(CAPTURE))), "{shown:?}");
    assert!(shown.contains(CYAN) && shown.ends_with(CLEAR), "{shown:?}");

    // In a pipe there is the page alone, and the same one.
    let piped = run(&["replay", CAPTURE]);
    assert_eq!(String::from_utf8_lossy(&piped.stderr), "");
    assert_eq!(std::fs::read(&page).expect("a page"), piped.stdout);
}

#[test]
fn there_is_no_colour_where_none_is_wanted_and_no_bar_where_a_terminal_has_no_lines() {
    let line = format!("$EXPORTER replay {CAPTURE} > /dev/null");
    let Some(plain) = on_terminal(&line, &[("NO_COLOR", "1")]) else { return };
    assert!(plain.contains(&size(CAPTURE)) && !plain.contains(CYAN), "{plain:?}");
    assert_eq!(on_terminal(&line, &[("TERM", "dumb")]).as_deref(), Some(""));

    let piped = format!("$EXPORTER replay {CAPTURE} 2>&1 > /dev/null | cat");
    assert_eq!(on_terminal(&piped, &[]).as_deref(), Some(""));
}

#[test]
fn the_bytes_of_a_file_are_counted_as_they_are_on_the_disk() {
    let done = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&done);
    let progress = Progress::new(move |more| {
        counter.fetch_add(more, Ordering::Relaxed);
    });
    let size = |path: &Path| std::fs::metadata(path).expect("a file").len();

    let capture = root("fixtures/captures/16/01-answered-caller-hangs-up.ami.gz");
    let mut replay = replay(rules()).with_progress(progress.clone());
    replay.play_file(&capture).expect("a capture");
    assert_eq!(done.swap(0, Ordering::Relaxed), size(&capture));

    let folder = Folder::new("progress-log");
    let log = folder.write("queue_log", &"1795445526|1.1|q|NONE|ENTERQUEUE||5|1\n".repeat(9000));
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&std::fs::read(&log).expect("a file")).expect("memory");
    let gz = folder.path("queue_log.1.gz");
    std::fs::write(&gz, packed.finish().expect("memory")).expect("a file");
    let both = QueueLog::open(&[log.clone(), gz.clone()], None).expect("a log");
    let mut lines = 0;
    both.with_progress(&progress).read(|_, _, _| lines += 1).expect("lines");
    assert_eq!((lines, done.load(Ordering::Relaxed)), (18_000, size(&log) + size(&gz)));
}

#[test]
fn audit_shows_how_much_of_log_and_capture_is_read() {
    let folder = Folder::new("progress-audit");
    let log = folder.write("queue_log", &"1795445526|1.1|q|NONE|ENTERQUEUE||5|1\n".repeat(100));
    let line =
        format!("$EXPORTER audit --queue-log {} --capture {CAPTURE} > /dev/null", log.display());
    let Some(shown) = on_terminal(&line, &[]) else { return };
    let bytes = std::fs::metadata(root(CAPTURE)).expect("a file").len() + 3800;
    let all = format!(" of {:.2} KiB, ", bytes as f64 / 1024.0);
    assert!(shown.contains(&all), "{shown:?} has not {all}");
}

#[test]
fn backfill_shows_how_much_of_both_readings_is_done_and_the_estimate_above() {
    let folder = Folder::new("progress-backfill");
    let log = folder.write("queue_log", &"1795445526|1.1|q|NONE|ENTERQUEUE||5|1\n".repeat(1000));
    let out = folder.path("history");
    let line = format!(
        "$EXPORTER backfill --pbx hq --queue-log {} --out {}",
        log.display(),
        out.display()
    );
    let Some(shown) = on_terminal(&line, &[]) else { return };
    let all = format!(" of {:.2} KiB, ", 2.0 * 38_000.0 / 1024.0);
    assert!(shown.contains(&all), "{shown:?} has not {all}");
    // A line stands on its own, and the bar is gone in the end.
    let begins =
        |text: &str| shown.split(text).next().is_some_and(|before| before.ends_with(CLEAR));
    assert!(begins("1000 lines of 1 queues in 1 days: "), "{shown:?}");
    assert!(begins("1000 lines counted, "), "{shown:?}");
}

/// How many events each drawing of the bar has.
fn events(shown: &str) -> Vec<u64> {
    let before = shown.split(" events, ").map(|text| text.rsplit(' ').next().unwrap_or_default());
    before.filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn record_shows_events_and_how_much_of_its_time_is_over_unless_the_log_is_for_machines() {
    let pbx = Busy::start();
    let folder = Folder::new("progress-record");
    let account = "username: exporter, secret: hush-hush";
    let config = format!("pbx: [{{name: demo, address: '{}', {account}}}]\n", pbx.address);
    let config = folder.write("config.yml", &config);

    let record = |format: &str| {
        let out = folder.path(&format!("{format}.ami.gz"));
        let line = format!(
            "$EXPORTER record --config {} --duration 3s --out {} --log.format {format}",
            config.display(),
            out.display()
        );
        on_terminal(&line, &[])
    };

    let Some(shown) = record("logfmt") else { return };
    assert!(shown.contains("00:00:00 of 00:00:03  0 events, "), "{shown:?}");
    let (drawn, rest) = shown.rsplit_once(CLEAR).expect("the end of the bar");
    let written =
        rest.split_once(": ").and_then(|(_, rest)| rest.split_once(" events of pbx demo"));
    let written: u64 = written.expect("a summary").0.parse().expect("a number");
    let drawn = events(drawn);
    assert!(drawn.is_sorted() && drawn.last() > Some(&0), "{shown:?}");
    assert!(drawn.last() <= Some(&written), "{shown:?}");
    // A line of the log stands above the bar, which is drawn again below it.
    let before: Vec<_> = shown.split("ts=20").collect();
    let (_, before) = before.split_last().expect("a part");
    let begins = |before: &&str| before.is_empty() || before.ends_with(['\n', 'K']);
    assert!(before.len() >= 3 && before.iter().all(begins), "{shown:?}");

    let json = record("json").expect("a terminal");
    assert!(json.starts_with('{') && !json.contains(" events, "), "{json:?}");
}
