//! Logs in, files out: exact samples, and the same numbers as an audit finds in the log.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::audit::{Audit, Exposition, Window};
use crate::pbx::PbxName;
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
    aliases: BTreeMap<String, String>,
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
            aliases: BTreeMap::new(),
            replace: false,
        }
    }

    fn of_text(text: &str) -> Self {
        let run = Self::of(Vec::new());
        let log = run.folder.path().join("queue_log");
        fs::write(&log, text).expect("a log");
        Self { logs: vec![log], ..run }
    }

    fn survey(&self) -> Survey {
        let log = QueueLog::open(&self.logs, None).expect("a log");
        let mut survey = Survey::new(self.period, self.agents);
        log.read(|_, _, line| survey.line(line)).expect("lines");
        survey
    }

    fn play(&self) -> Result<Summary, BackfillError> {
        let log = QueueLog::open(&self.logs, None).expect("a log");
        let survey = self.survey();
        let Some((first, _)) = survey.span() else { return Ok(Summary::default()) };

        let (target, pace) = (target(), self.period.pace(first));
        let history = new_history(self.settings.clone(), &target, self.agents, pace);
        let days = Days::new(&self.folder.path().join("out"), pace, self.replace)?;
        let player = Player::new(self.period, pace, survey.names(), history, days);
        let mut player = player.with_aliases(AgentAliases::new(&self.aliases));
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
            // Nor the zeros with which another exporter goes on.
            let is_sample = |line: &&str| !line.starts_with('#') && !line.ends_with(".001");
            for line in text.lines().filter(is_sample) {
                let (rest, _) = line.rsplit_once(' ').expect("a time");
                let (series, value) = rest.rsplit_once(' ').expect("a value");
                ends.insert(series.to_owned(), value.parse().expect("a number"));
            }
        }
        ends
    }
}

fn target() -> Target {
    let pbx = PbxName::new("hq");
    Target { pbx, job: "a\"b".to_owned(), instance: "pbx:1".to_owned() }
}

#[test]
fn a_day_has_zeros_changes_and_a_sample_every_four_minutes() {
    let run = Run::of_text(CALL);
    let summary = run.play().expect("files");
    assert_eq!((summary.lines, summary.late, summary.untargeted), (3, 0, vec!["Sales".to_owned()]));

    // The queue has the configured spelling, and each sample the lines before its second.
    let entries = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"Sales\"";
    let before = |value: &str, from: u64, to: u64| -> Vec<String> {
        (from..=to).step_by(60).map(|at| format!("{value} {at}")).collect()
    };
    assert_eq!(run.samples("2026-11-22", entries), before("0", 1_795_391_700, 1_795_391_940));
    let day = run.samples("2026-11-23", entries);
    // Five minutes after the last change of the queue; then every four; then again each step.
    assert_eq!(day[..7], before("1", 1_795_392_000, 1_795_392_360));
    assert_eq!(day[7..], before("1", 1_795_392_420, 1_795_392_660));
    let answered = "asterisk_queue_exits_total{pbx=\"hq\",queue=\"Sales\",outcome=\"answered\"";
    assert_eq!(run.samples("2026-11-22", answered), before("0", 1_795_391_700, 1_795_391_940));
    let day = run.samples("2026-11-23", answered);
    assert_eq!(day[..2], ["0 1795392000", "1 1795392060"]);

    // A histogram begins five minutes before its first value.
    let hold = "asterisk_queue_hold_seconds_sum{pbx=\"hq\",queue=\"Sales\",outcome=\"answered\"";
    assert_eq!(run.samples("2026-11-22", hold), before("0.0", 1_795_391_760, 1_795_391_940));
    assert_eq!(run.samples("2026-11-23", hold)[..2], ["0.0 1795392000", "10.0 1795392060"]);
    let bucket = |le: &str| {
        let labels = "pbx=\"hq\",queue=\"Sales\",agent=\"Ann\"";
        run.samples(
            "2026-11-23",
            &format!("asterisk_queue_talk_seconds_bucket{{le=\"{le}\",{labels}"),
        )
    };
    assert_eq!(bucket("600.0"), before("0", 1_795_392_360, 1_795_392_660));
    let mut talks = before("0", 1_795_392_360, 1_795_392_600);
    talks.push("1 1795392660".to_owned());
    assert_eq!(bucket("900.0"), talks);

    // What the log does not tell is absent.
    let lines = run.day("2026-11-23");
    let has = |text: &str| lines.iter().any(|line| !line.starts_with('#') && line.contains(text));
    assert!(
        has("outcome=\"withdrawn\"") && !has("outcome=\"lost\"") && !has("outcome=\"redirected\"")
    );
    assert!(!has("in_target") && !has("transfers_total") && !has("asterisk_exporter_"));
    assert!(!has("asterisk_queue_service_level_target_seconds"));

    // Rules want to know that it was counted.
    let up = "asterisk_up{pbx=\"hq\"";
    assert_eq!(run.samples("2026-11-22", up), ["1 1795391700", "1 1795391760"]);
    assert_eq!(
        run.samples("2026-11-23", up),
        ["1 1795392000", "1 1795392240", "1 1795392480", "1 1795392660"]
    );
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
    assert_eq!(of("asterisk_queue_service_level_target_seconds", ""), Some(10.0));
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
    let write = |name: &str| {
        fs::write(run.folder.path().join("out").join(name), "# EOF\n").expect("a file");
    };
    ["2020-01-01.om", "2020-01-02.om.begun", "mine.om"].into_iter().for_each(write);
    run.play().expect("files");
    assert_eq!(run.day("2020-01-01"), [""; 0], "days of another run would be mixed with this one");
    assert_eq!(run.day("2020-01-02"), [""; 0]);
    assert!(!run.folder.path().join("out/2020-01-02.om.begun").exists());
    assert_eq!(run.day("mine"), ["# EOF"], "no run has written it");
}

/// The sum of the last values of the series that have all these parts in their text.
fn sums(run: &Run) -> impl Fn(&str) -> f64 {
    let ends = run.ends();
    move |text| {
        let has = |series: &String| text.split(' ').all(|part| series.contains(part));
        ends.iter().filter(|(series, _)| has(series)).map(|(_, value)| value).sum()
    }
}

#[test]
fn verbs_of_old_versions_are_counted_or_named() {
    let run = Run::of_text(
        "1150000000|1.1|q|NONE|ENTERQUEUE||5551\n\
         1150000004|1.1|q|Agent/1002|RINGNOANSWER\n\
         1150000010|1.1|q|Agent/1001|CONNECT|10\n\
         1150000040|1.1|q|Agent/1001|TRANSFER|200|default\n\
         1150000050|2.1|q|NONE|ENTERQUEUE||5552\n\
         1150000052|2.1|q|Agent/1001|CONNECT|2\n\
         1150000069|2.1|q|Agent/1001|TRANSFER|200|default|2|17\n\
         1150000080|3.1|q|NONE|ENTERQUEUE||5553\n\
         1150000081|3.1|q|NONE|SYSCOMPAT\n\
         1150000090|4.1|q|NONE|ENTERQUEUE||5554|1\n\
         1150000095|4.1|q|Agent/1001|CONNECT|5\n\
         1150000099|4.1|q|Agent/1001|AGENTDUMP\n\
         1150000100|5.1|NONE|Agent/1001|AGENTCALLBACKLOGIN|200@agents\n\
         1150000101|5.1|NONE|Agent/1001|AGENTCALLBACKLOGOFF|200@agents|1|\n\
         1150000102|5.1|NONE|Agent/1001|AGENTLOGIN|SIP/1\n\
         1150000103|5.1|NONE|Agent/1001|AGENTLOGOFF|SIP/1|1\n\
         1150000104|NONE|NONE|NONE|CONFIGRELOAD|\n\
         1150000105|NONE|NONE|NONE|QUEUESTART|\n\
         1150000106|MANAGER|q|SIP/1|ADDMEMBER|\n\
         1150000107|MANAGER|q|SIP/1|REMOVEMEMBER|\n\
         1150000108|NONE|NONE|SIP/1|PAUSEALL|\n\
         1150000109|NONE|NONE|SIP/1|UNPAUSEALL|\n\
         1150000110|NONE|q|SIP/1|PENALTY|3\n\
         1150000111|6.1|q|SIP/1|RINGCANCELED|900\n\
         1150000112|6.1|NONE|NONE|DID|100\n\
         1150000113|6.1|q|NONE|INFO|note\n",
    );
    let summary = run.play().expect("files");
    assert_eq!((summary.lines, summary.repeated), (12, 0));

    let sum = sums(&run);
    assert_eq!((sum("entries_total"), sum("exits_total \"incompatible\"")), (4.0, 1.0));
    assert_eq!((sum("exits_total \"answered\""), sum("hold_seconds_sum answered")), (3.0, 17.0));
    assert_eq!((sum("rings_total 1002 no_answer"), sum("rings_total 1001 answered")), (1.0, 3.0));
    // What is not in a line is not in its histogram.
    assert_eq!((sum("completions_total \"transfer\""), sum("talk_seconds_count")), (2.0, 1.0));
    assert_eq!((sum("talk_seconds_sum"), sum("hold_seconds_count incompatible")), (17.0, 0.0));
    assert_eq!((sum("ring_seconds_count"), sum("agent_dumps_total")), (0.0, 1.0));

    let survey = run.survey();
    let named: Vec<_> = survey.others().map(|(word, count)| format!("{word} {count}")).collect();
    let expected = "ADDMEMBER AGENTCALLBACKLOGIN AGENTCALLBACKLOGOFF AGENTLOGIN AGENTLOGOFF \
                    CONFIGRELOAD DID INFO PAUSEALL PENALTY QUEUESTART REMOVEMEMBER RINGCANCELED \
                    UNPAUSEALL";
    let expected: Vec<_> = expected.split(' ').map(|word| format!("{word} 1")).collect();
    assert_eq!((named, survey.malformed()), (expected, 0));
}

#[test]
fn an_agent_who_is_in_the_log_by_an_interface_has_the_alias() {
    let aliases = BTreeMap::from([("Local/7@agents".to_owned(), "Ann".to_owned())]);
    let text = CALL.replace("|Ann|", "|Local/7@agents/n|");
    let run = Run { aliases, ..Run::of_text(&text) };
    run.play().expect("files");
    let sum = sums(&run);
    assert_eq!((sum("completions_total agent=\"Ann\""), sum("agent=\"Local")), (1.0, 0.0));
}

#[test]
fn a_second_run_from_where_the_first_ended_has_no_sample_of_its_last_second() {
    let to = Some(Moment::from_secs(1_795_392_000));
    let period = |from, to| Period { from, to, step: 60 };
    let text = CALL.replace("Sales", "sales");
    let first = Run { period: period(None, to), ..Run::of_text(&text) };
    let second = Run { period: period(to, None), ..Run::of_text(&text) };
    for run in [&first, &second] {
        run.play().expect("files");
    }

    let entries = "asterisk_queue_entries_total{pbx=\"hq\",queue=\"sales\"";
    let last = |run: &Run| run.samples("2026-11-23", entries);
    assert_eq!(last(&first), [""; 0]);
    let end = first.samples("2026-11-22", entries);
    assert_eq!(end[end.len() - 3..], ["0 1795391940", "1 1795391999", "0 1795391999.001"]);
    assert_eq!(last(&second)[..2], ["0 1795392001", "0 1795392060"]);
    let answered = "asterisk_queue_exits_total{pbx=\"hq\",queue=\"sales\",outcome=\"answered\"";
    assert_eq!(second.samples("2026-11-23", answered)[..2], ["0 1795392001", "1 1795392060"]);
}

/// People look at it before they fill a disk.
#[test]
fn the_estimate_is_within_a_factor_of_two() {
    let mut compared = 0;
    for (path, agents) in
        recorded().into_iter().flat_map(|path| [(path.clone(), true), (path, false)])
    {
        let run = Run { agents, ..Run::of(vec![path.clone()]) };
        let summary = run.play().expect("files");
        if summary.lines < 10 {
            continue;
        }
        let survey = run.survey();
        let (first, last) = survey.span().expect("lines");
        let end = whole(last);
        let size = survey.size(&run.settings, &target(), run.period.pace(first), end);
        let files = fs::read_dir(run.folder.path().join("out")).expect("files");
        let bytes: u64 = files.map(|file| file.expect("it").metadata().expect("it").len()).sum();
        let close = |estimated: u64, is: u64| estimated < 2 * is && is < 2 * estimated;
        assert!(close(size.samples, summary.samples), "{}: {size:?} {summary:?}", path.display());
        assert!(close(size.bytes, bytes), "{}: {size:?} {bytes}", path.display());
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
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
    let sum = sums(&run);
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
        if !ends.keys().any(|series| series.contains("queue=")) {
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
        let mut ends = run.ends();
        // The others count.
        ends.retain(|series, _| !series.starts_with("asterisk_up"));
        (summary, ends)
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
