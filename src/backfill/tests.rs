//! Logs in, files out: exact samples, and the same numbers as an audit finds in the log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::audit::{Audit, Exposition, Window};
use crate::queue_log::QueueLog;

const CALL: &str = "1795391990|1795391990.1|sales|NONE|ENTERQUEUE||12025550125|1\n\
                    1795392000|1795391990.1|Sales|Ann|CONNECT|10|1795391999.2|3\n\
                    1795392630|1795391990.1|Sales|Ann|COMPLETEAGENT|10|630|1\n";

/// A run of the command.
struct Run {
    logs: Vec<PathBuf>,
    folder: tempfile::TempDir,
    period: Period,
    settings: Settings,
    agents: bool,
    replace: bool,
}

impl Run {
    fn of(logs: Vec<PathBuf>) -> Self {
        Self {
            logs,
            folder: tempfile::tempdir().expect("a folder"),
            period: Period { step: 60, ..Period::default() },
            settings: Settings::default(),
            agents: true,
            replace: false,
        }
    }

    fn of_text(text: &str) -> Self {
        let run = Self::of(Vec::new());
        let log = run.folder.path().join("queue_log");
        fs::write(&log, text).expect("a log");
        Self { logs: vec![log], ..run }
    }

    fn play(&self) -> Result<Summary, BackfillError> {
        let log = QueueLog::open(&self.logs, None).expect("a log");
        let mut survey = Survey::new(self.period, self.agents);
        log.read(|_, _, line| survey.line(line)).expect("lines");
        let Some((first, _)) = survey.span() else { return Ok(Summary::default()) };

        let target = Target { job: "a\"b".to_owned(), instance: "pbx:1".to_owned() };
        let pbx = PbxName::new("hq");
        let history = new_history(self.settings.clone(), &pbx, &target, self.agents);
        let first = self.period.from.unwrap_or(first);
        let out = self.folder.path().join("out");
        let days = Days::new(&out, first, self.period.step, self.replace)?;
        let mut player = Player::new(self.period, first, survey.names(), history, days);
        log.read(|_, _, line| {
            if let Ok(line) = line {
                player.line(&line).expect("a file");
            }
        })
        .expect("lines");
        player.finish()
    }

    /// The lines of a day, or none if there is no file.
    fn day(&self, day: &str) -> Vec<String> {
        let path = self.folder.path().join("out").join(format!("{day}.om"));
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Values and times of a series on a day, as they are written.
    fn samples(&self, day: &str, series: &str) -> Vec<String> {
        let name = format!("{series},job=\"a\\\"b\",instance=\"pbx:1\"}} ");
        let lines = self.day(day).into_iter();
        lines.filter_map(|line| line.strip_prefix(&name).map(str::to_owned)).collect()
    }

    /// The last value of each series.
    fn ends(&self) -> BTreeMap<String, f64> {
        let out = fs::read_dir(self.folder.path().join("out"));
        let mut files: Vec<_> =
            out.into_iter().flatten().map(|file| file.expect("it").path()).collect();
        files.sort();

        let mut ends = BTreeMap::new();
        for file in files {
            let text = fs::read_to_string(file).expect("a file");
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let (rest, _) = line.rsplit_once(' ').expect("a time");
                let (series, value) = rest.rsplit_once(' ').expect("a value");
                ends.insert(series.to_owned(), value.parse().expect("a number"));
            }
        }
        ends
    }
}

#[test]
fn a_day_has_zeros_changes_and_a_sample_every_four_minutes() {
    let run = Run::of_text(CALL);
    let summary = run.play().expect("files");
    assert_eq!((summary.lines, summary.late, summary.untargeted), (3, 0, vec!["Sales".to_owned()]));

    // The queue has the configured spelling, and each sample the lines before its second.
    let entries = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"Sales\"";
    assert_eq!(run.samples("2026-11-22", entries), ["0 1795391940"]);
    assert_eq!(
        run.samples("2026-11-23", entries),
        ["1 1795392000", "1 1795392240", "1 1795392480", "1 1795392660"]
    );
    let answered = "asterisk_queue_exits_total{pbx=\"hq\",queue=\"Sales\",outcome=\"answered\"";
    assert_eq!(run.samples("2026-11-22", answered), ["0 1795391940"]);
    assert_eq!(
        run.samples("2026-11-23", answered),
        ["1 1795392060", "1 1795392300", "1 1795392540", "1 1795392660"]
    );

    // A histogram begins with its first value.
    let hold = "asterisk_queue_hold_seconds_sum{pbx=\"hq\",queue=\"Sales\",outcome=\"answered\"";
    assert_eq!(run.samples("2026-11-23", hold)[..2], ["0.0 1795392000", "10.0 1795392060"]);
    let bucket = |le: &str| {
        let labels = "pbx=\"hq\",queue=\"Sales\",agent=\"Ann\"";
        run.samples(
            "2026-11-23",
            &format!("asterisk_queue_talk_seconds_bucket{{le=\"{le}\",{labels}"),
        )
    };
    assert_eq!(bucket("600.0"), ["0 1795392600", "0 1795392660"]);
    assert_eq!(bucket("900.0"), ["0 1795392600", "1 1795392660"]);

    // What the log does not tell is absent.
    let lines = run.day("2026-11-23");
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(
        has("outcome=\"withdrawn\"") && !has("outcome=\"lost\"") && !has("outcome=\"redirected\"")
    );
    assert!(!has("in_target") && !has("transfers_total") && !has("asterisk_exporter_"));
    assert_eq!(lines.last().map(String::as_str), Some("# EOF"));
    assert_eq!(run.day("2026-11-22").last().map(String::as_str), Some("# EOF"));
}

#[test]
fn with_a_target_its_counters_are_there_and_without_agents_one_series() {
    let service_level = Some(Duration::from_secs(10));
    let settings = Settings { service_level, ..Settings::default() };
    let run = Run { settings, agents: false, ..Run::of_text(CALL) };
    assert_eq!(run.play().expect("files").untargeted, [""; 0]);

    let ends = run.ends();
    let of = |name: &str, more: &str| {
        let labels = format!("pbx=\"hq\",queue=\"Sales\"{more},job=\"a\\\"b\",instance=\"pbx:1\"");
        ends.get(&format!("{name}{{{labels}}}")).copied()
    };
    assert_eq!(of("asterisk_queue_answered_in_target_total", ""), Some(1.0));
    assert_eq!(of("asterisk_queue_abandoned_in_target_total", ""), Some(0.0));
    assert_eq!(of("asterisk_queue_talk_seconds_sum", ",agent=\"\""), Some(630.0));
    let by_agent = ",agent=\"\",ended_by=\"agent\"";
    assert_eq!(of("asterisk_queue_completions_total", by_agent), Some(1.0));
    assert!(ends.keys().all(|series| !series.contains("Ann")));
}

#[test]
fn files_of_another_run_are_kept_unless_they_may_be_replaced() {
    let run = Run::of_text(CALL);
    run.play().expect("files");
    let refused = run.play().expect_err("files are there");
    assert!(
        refused.to_string().ends_with(".om: is there already; --force replaces it"),
        "{refused}"
    );

    let run = Run { replace: true, ..run };
    fs::write(run.folder.path().join("out/2020-01-01.om"), "# EOF\n").expect("a file");
    run.play().expect("files");
    assert_eq!(run.day("2020-01-01"), [""; 0], "days of another run would be mixed with this one");
}

#[test]
fn a_ring_attempt_that_is_answered_after_all_and_a_second_end_count_once() {
    let run = Run::of_text(
        "1795392001|1.1|q|NONE|ENTERQUEUE||1|1\n\
         1795392005|1.1|q|Bea|RINGNOANSWER|4000\n\
         1795392059|1.1|q|Ann|RINGNOANSWER|15000\n\
         1795392060|1.1|q|Ann|CONNECT|59|1.2|16\n\
         1795392070|1.1|q|Ann|COMPLETECALLER|59|10|1\n\
         1795392070|1.1|q|Ann|BLINDTRANSFER|1990|x|59|10|1\n",
    );
    assert_eq!(run.play().expect("files").repeated, 2);
    let ends = run.ends();
    let sum = |text: &str| -> f64 {
        let all =
            ends.iter().filter(|(series, _)| text.split(' ').all(|part| series.contains(part)));
        all.map(|(_, value)| value).sum()
    };
    assert_eq!(sum("rings_total no_answer"), 1.0);
    assert_eq!(sum("rings_total Ann \"answered\""), 1.0);
    assert_eq!(
        (sum("completions_total \"caller\""), sum("completions_total \"transfer\"")),
        (1.0, 0.0)
    );
}

/// The recorded logs of all versions.
fn recorded() -> Vec<PathBuf> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures");
    let mut logs = Vec::new();
    for version in fs::read_dir(captures).expect("the captures") {
        let Ok(files) = fs::read_dir(version.expect("a version").path()) else { continue };
        let files = files.map(|file| file.expect("a file").path());
        logs.extend(files.filter(|path| path.to_string_lossy().contains(".queue_log")));
    }
    assert!(logs.len() > 200, "{}", logs.len());
    logs
}

#[test]
fn an_audit_of_what_was_written_finds_the_numbers_of_the_log() {
    let mut compared = 0;
    for path in recorded() {
        let run = Run::of(vec![path.clone()]);
        run.play().expect("files");
        let ends = run.ends();
        if ends.is_empty() {
            continue;
        }
        let page: String =
            ends.iter().map(|(series, value)| format!("{series} {value}\n")).collect();
        let exposition = Exposition::read(page.as_bytes(), None).expect("a page");

        let mut audit = Audit::of_scrape(&exposition, Settings::default(), Window::default());
        let log = QueueLog::open(&run.logs, None).expect("a log");
        log.read(|file, number, line| audit.line(file, number, line)).expect("lines");
        let report = audit.report();
        assert!(report.agrees(), "{}: {:#}", path.display(), report.json(&[]));
        compared += usize::from(report.nothing().is_none());
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn two_halves_are_the_whole() {
    let path = recorded().into_iter().find(|path| path.ends_with("22/bulk.queue_log.gz"));
    let path = path.expect("the log of many calls");
    let part = |from: Option<u64>, to: Option<u64>| {
        let [from, to] = [from, to].map(|at| at.map(Moment::from_secs));
        let period = Period { from, to, step: 7 };
        let run = Run { period, ..Run::of(vec![path.clone()]) };
        let summary = run.play().expect("files");
        (summary, run.ends())
    };
    let (summary, whole) = part(None, None);
    let log = QueueLog::open(std::slice::from_ref(&path), None).expect("a log");
    let mut moments = Vec::new();
    log.read(|_, _, line| moments.extend(line.map(|line| line.at.as_micros() / 1_000_000)))
        .expect("lines");
    let seam = moments[moments.len() / 2];

    let (first, before) = part(None, Some(seam));
    let (second, mut sum) = part(Some(seam), None);
    assert!(first.lines > 100 && second.lines > 100);
    assert_eq!(first.lines + second.lines, summary.lines);
    for (series, value) in before {
        *sum.entry(series).or_default() += value;
    }
    assert_eq!(sum, whole);
}
