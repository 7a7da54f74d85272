//! Ratios in VictoriaMetrics with vmalert, which writes what a rule records some seconds later and
//! in parts: each is from 0 to 1, and what the counters of one moment give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use regex::{Captures, Regex};
use serde_json::Value;
use support::program::{demo, get, newest, tool};
use support::root;

use super::series::{Labels, labels};
use super::servers::{Folder, Server, encoded, port, start, until};

#[test]
fn ratios_in_vmalert_are_of_one_moment() {
    let (Some(storage), Some(vmalert)) = (tool("victoria-metrics"), tool("vmalert")) else {
        return;
    };
    // It cannot be told to evaluate what is old enough to be complete, but to look back as far.
    assert_ratios(&storage, &vmalert, "-datasource.lookback");
}

#[test]
fn ratios_in_the_newest_vmalert_are_of_one_moment() {
    let (Some(storage), Some(vmalert)) = (newest("victoria-metrics"), newest("vmalert")) else {
        return;
    };
    assert_ratios(&storage, &vmalert, "-rule.evalDelay");
}

/// The rules on the demo, everything [`FASTER`] than it is.
fn assert_ratios(storage: &Path, vmalert: &Path, delay: &str) {
    let text = std::fs::read_to_string(root("alerts/rules.yml")).unwrap();
    let text = faster(&text, FASTER);
    let names: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "))
        .filter(|name| name.contains(":ratio_"))
        .collect();
    let speed = FASTER.to_string();
    let (_demo, port) = demo(&["--seed", "7", "--speed", &speed]);
    let storage = victoria_metrics(storage, port);
    let _vmalert = evaluating(vmalert, &text, delay, &storage);

    until("every ratio has been recorded several times", || {
        let ratios = exported(&storage, "{__name__=~'.+:ratio_.+'}");
        let recorded: BTreeSet<_> =
            ratios.keys().map(|labels| labels["__name__"].as_str()).collect();
        let missing: Vec<_> = names.difference(&recorded).collect();
        let evaluations = ratios.values().map(BTreeMap::len).max().unwrap_or_default();
        if missing.is_empty() && evaluations >= 10 {
            Ok(())
        } else {
            Err(format!("{evaluations} evaluations, without {missing:?}"))
        }
    });

    for (labels, samples) in exported(&storage, "{__name__=~'.+:ratio_.+'}") {
        for (time, value) in samples {
            assert!((0.0..=1.0).contains(&value), "{labels:?} is {value} at {time}");
        }
    }
    for (kpi, numerator, denominator) in KPIS {
        for (window, length, lag) in WINDOWS {
            // What alerts read is of the counters' own moment, and divides rates.
            let is_of_now = window == "5m" || window == "30m" && kpi.starts_with("pbx_");
            let expr = ratio(numerator, denominator, length);
            match is_of_now {
                true => assert_same(&storage, kpi, window, 0, &expr.replace("increase(", "rate(")),
                false => assert_same(&storage, kpi, window, lag, &expr),
            }
        }
    }
    for (kpi, numerator, denominator) in KPIS_OF_AGENTS {
        assert_same(&storage, kpi, "5m", INTERVAL, &ratio(numerator, denominator, "30s"));
    }
}

fn ratio(numerator: &str, denominator: &str, length: &str) -> String {
    format!("({numerator}) / ({denominator} > 0)").replace("[W]", &format!("[{length}]"))
}

/// Every sample that a rule recorded is what `expr` gives so long before, within two points.
fn assert_same(storage: &Server, kpi: &str, window: &str, lag: u64, expr: &str) {
    let name = format!("{kpi}:ratio_rate{window}");
    let recorded = exported(storage, &format!("{{__name__='{name}'}}"));
    let mut expected = BTreeMap::new();
    let mut compared = 0;

    for (labels, samples) in recorded {
        let subject = ["queue", "trunk", "agent"].map(|label| labels.get(label).cloned());
        for (time, value) in samples {
            let theirs = expected.entry(time).or_insert_with(|| at(storage, expr, time - lag));
            let theirs = theirs.get(&subject).copied();
            assert!(
                theirs.is_some_and(|theirs| (theirs - value).abs() <= 0.02),
                "{name} of {subject:?} is {value} at {time}, and {theirs:?} by the counters"
            );
            compared += 1;
        }
    }

    assert!(compared > 0, "{name} has no sample");
}

type Subject = [Option<String>; 3];

/// What an expression gives for each queue, trunk or agent at a time in milliseconds.
fn at(storage: &Server, expr: &str, time: u64) -> BTreeMap<Subject, f64> {
    let seconds = Duration::from_millis(time).as_secs_f64();
    let path = format!("/api/v1/query?nocache=1&time={seconds}&query={}", encoded(expr));
    let answer = storage.json(&path);
    let results = answer["data"]["result"].as_array().expect("a vector");
    let read = results.iter().map(|result| {
        let labels = labels(&result["metric"]);
        let subject = ["queue", "trunk", "agent"].map(|label| labels.get(label).cloned());
        (subject, result["value"][1].as_str().unwrap().parse().unwrap())
    });
    read.collect()
}

/// All samples of some series by their time, without markers of staleness.
fn exported(storage: &Server, series: &str) -> BTreeMap<Labels, BTreeMap<u64, f64>> {
    let path = format!("/api/v1/export?match[]={}", encoded(series));
    let (status, body) = get(storage.port, &path, "*/*").unwrap();
    assert_eq!(status, 200, "{body}");

    let parsed = body.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let times =
            line["timestamps"].as_array().unwrap().iter().map(|time| time.as_u64().unwrap());
        let values = line["values"].as_array().unwrap().iter().map(Value::as_f64);
        let samples = times.zip(values).filter_map(|(time, value)| Some((time, value?)));
        (labels(&line["metric"]), samples.collect())
    });
    parsed.collect()
}

/// One that scrapes the demo, and shows what is 3 s old.
fn victoria_metrics(program: &Path, scraped: u16) -> Server {
    let folder = Folder::new("victoria");
    let config = format!(
        "global: {{scrape_interval: 1500ms, scrape_timeout: 1500ms}}\nscrape_configs:\n  - job_name: asterisk\n    \
         static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]\n"
    );
    let port = port();
    let mut command = Command::new(program);
    command
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!("-storageDataPath={}", folder.path("data")))
        .arg(format!("-promscrape.config={}", folder.file("scrape.yml", &config)))
        .args(["-search.latencyOffset=3s", "-memory.allowedBytes=256MB", "-loggerLevel=WARN"]);
    start("VictoriaMetrics", command, port, "/health", folder)
}

fn evaluating(program: &Path, rules: &str, delay: &str, storage: &Server) -> Server {
    let folder = Folder::new("vmalert");
    let mut command = Command::new(program);
    command.arg(format!("-rule={}", folder.file("rules.yml", rules)));
    for url in ["datasource", "remoteWrite"] {
        command.arg(format!("-{url}.url=http://127.0.0.1:{}", storage.port));
    }
    let port = port();
    command
        .arg(format!("{delay}=3s"))
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .args(["-datasource.queryStep=30s", "-remoteWrite.flushInterval=500ms"])
        .arg("-notifier.url=http://127.0.0.1:1");
    start("vmalert", command, port, "/health", folder)
}

/// Rules whose windows, offsets and intervals are so many times shorter than they were.
pub(crate) fn faster(rules: &str, times: u64) -> String {
    let duration = Regex::new(r"(\[|offset |interval: )([0-9]+)([smhd])\b").unwrap();
    let shorter = |found: &Captures<'_>| {
        let unit = match &found[3] {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => 86_400_000,
        };
        let milliseconds = found[2].parse::<u64>().unwrap() * unit / times;
        format!("{}{milliseconds}ms", &found[1])
    };
    duration.replace_all(rules, shorter).into_owned()
}

/// Ten minutes of the demo in one: vmalert's delays of a second stay what they are.
const FASTER: u64 = 10;
/// Of the rules over 5m, in milliseconds.
const INTERVAL: u64 = 6_000;

/// A window, its length here, and how old the counts are that the rules read: one evaluation.
const WINDOWS: [(&str, &str, u64); 3] =
    [("5m", "30s", INTERVAL), ("30m", "180s", INTERVAL), ("1d", "8640s", 4 * INTERVAL)];

/// Ratios of queues and trunks: numerator and denominator in counters.
const KPIS: [(&str, &str, &str); 11] = [
    ("pbx_queue:asterisk_queue_abandoned", ABANDONED, ENDED),
    ("queue:asterisk_queue_abandoned", ABANDONED, ENDED),
    (
        "pbx_queue:asterisk_queue_unanswered",
        "sum by (queue) (increase(asterisk_queue_exits_total{outcome!~'lost|answered'}[W]))",
        ENDED,
    ),
    (
        "queue:asterisk_queue_abandoned_adjusted",
        "sum by (queue) (increase(asterisk_queue_exits_total{outcome='abandoned'}[W])) \
         - sum by (queue) (increase(asterisk_queue_short_abandons_total[W]))",
        "(sum by (queue) (increase(asterisk_queue_exits_total{outcome!='lost'}[W])) \
         - sum by (queue) (increase(asterisk_queue_short_abandons_total[W])))",
    ),
    ("pbx_queue:asterisk_queue_service_level_answered_only", IN_TARGET, ANSWERED),
    (
        "queue:asterisk_queue_service_level_short_abandons_excluded",
        IN_TARGET,
        "(sum by (queue) (increase(asterisk_queue_exits_total{outcome=~'answered|abandoned'}[W])) \
         - sum by (queue) (increase(asterisk_queue_short_abandons_total[W])))",
    ),
    (
        "pbx_queue:asterisk_queue_service_level_fast_abandons_as_success",
        "sum by (queue) (increase(asterisk_queue_answered_in_target_total[W])) \
         + sum by (queue) (increase(asterisk_queue_abandoned_in_target_total[W]))",
        "sum by (queue) (increase(asterisk_queue_exits_total{outcome=~'answered|abandoned'}[W]))",
    ),
    ("queue:asterisk_queue_service_level_all_exits", IN_TARGET, ENDED),
    (
        "pbx_queue:asterisk_queue_service_level_all_abandons",
        IN_TARGET,
        "sum by (queue) (increase(asterisk_queue_exits_total{outcome=~'answered|abandoned'}[W]))",
    ),
    (
        "pbx_trunk:asterisk_trunk_answer_seizure",
        "sum by (trunk) (increase(asterisk_trunk_attempts_total{result='answered'}[W]))",
        "sum by (trunk) (increase(asterisk_trunk_attempts_total[W]))",
    ),
    (
        "trunk:asterisk_trunk_network_failures",
        "sum by (trunk) (increase(asterisk_trunk_attempts_total{result='congestion'}[W]))",
        "sum by (trunk) (increase(asterisk_trunk_attempts_total[W]))",
    ),
];
const ABANDONED: &str =
    "sum by (queue) (increase(asterisk_queue_exits_total{outcome='abandoned'}[W]))";
const ANSWERED: &str =
    "sum by (queue) (increase(asterisk_queue_exits_total{outcome='answered'}[W]))";
const ENDED: &str = "sum by (queue) (increase(asterisk_queue_exits_total{outcome!='lost'}[W]))";
const IN_TARGET: &str = "sum by (queue) (increase(asterisk_queue_answered_in_target_total[W]))";

/// Those of agents over 5m, which longer windows add up.
const KPIS_OF_AGENTS: [(&str, &str, &str); 3] = [
    (
        "pbx_queue:asterisk_queue_rona",
        "sum by (queue) (increase(asterisk_queue_rings_total{result='no_answer'}[W]))",
        "sum by (queue) (increase(asterisk_queue_rings_total{result=~'answered|no_answer'}[W]))",
    ),
    (
        "queue:asterisk_queue_transferred",
        "sum by (queue) (increase(asterisk_queue_transfers_total[W]))",
        "sum by (queue) (increase(asterisk_queue_completions_total[W]))",
    ),
    (
        "agent:asterisk_agent_occupancy",
        "sum by (agent) (increase(asterisk_agent_state_seconds_total\
         {state=~'talking|on_hold|ringing|busy|wrapup'}[W]))",
        "sum by (agent) (increase(asterisk_agent_state_seconds_total{state!~'dnd|paused|unavailable|unknown'}[W]))",
    ),
];
