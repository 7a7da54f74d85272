//! Recordings of real Asterisk 16 and 22 through the real path, against the queue_log of the same calls.

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use common::{Numbers, fixture, play};
use flate2::read::GzDecoder;

/// What queue_log says of one queue.
#[derive(Debug, Default)]
struct Truth {
    counts: BTreeMap<(&'static str, &'static str), u32>,
    hold: f64,
    talk: f64,
    talks: u32,
}

const ENTRIES: &str = "asterisk_queue_entries_total";
const EXITS: &str = "asterisk_queue_exits_total";
const COMPLETIONS: &str = "asterisk_queue_completions_total";
const RINGS: &str = "asterisk_queue_rings_total";
const DUMPS: &str = "asterisk_queue_agent_dumps_total";

/// Verb to metric and the label value that stands for it (LAB-FINDINGS.md, queue_log to AMI).
const VERBS: &[(&str, &str, &str)] = &[
    ("ENTERQUEUE", ENTRIES, ""),
    ("CONNECT", EXITS, "answered"),
    ("ABANDON", EXITS, "abandoned"),
    ("EXITWITHTIMEOUT", EXITS, "timeout"),
    ("EXITEMPTY", EXITS, "leave_empty"),
    ("WITHDRAW", EXITS, "withdrawn"),
    ("EXITWITHKEY", EXITS, "exit_key"),
    ("COMPLETECALLER", COMPLETIONS, "caller"),
    ("COMPLETEAGENT", COMPLETIONS, "agent"),
    ("BLINDTRANSFER", COMPLETIONS, "transfer"),
    ("ATTENDEDTRANSFER", COMPLETIONS, "transfer"),
    ("RINGNOANSWER", RINGS, "missed"),
    ("AGENTDUMP", DUMPS, ""),
];

fn text(path: &Path) -> String {
    let mut text = String::new();
    let mut file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|end| end == "gz") {
        GzDecoder::new(file).read_to_string(&mut text).expect("gzipped text");
    } else {
        file.read_to_string(&mut text).expect("text");
    }
    text
}

fn queue_log(text: &str) -> BTreeMap<String, Truth> {
    let mut queues: BTreeMap<String, Truth> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let (queue, verb) = (fields[2], fields[4]);
        let Some(&(_, metric, label)) = VERBS.iter().find(|(known, ..)| *known == verb) else { continue };
        let truth = queues.entry(queue.to_owned()).or_default();
        *truth.counts.entry((metric, label)).or_default() += 1;
        let seconds = |at: usize| -> f64 { fields[at].parse().expect("a number of seconds") };
        match verb {
            "CONNECT" => truth.hold += seconds(5),
            "COMPLETECALLER" | "COMPLETEAGENT" => truth.talk += seconds(6),
            "BLINDTRANSFER" | "ATTENDEDTRANSFER" => truth.talk += seconds(8),
            _ => {}
        }
        truth.talks += u32::from(metric == COMPLETIONS);
    }
    queues
}

/// What the exporter counted for a verb.
fn counted(numbers: &Numbers, queue: &str, metric: &str, label: &str) -> f64 {
    let q = ("queue", queue);
    match (metric, label) {
        (EXITS, outcome) => numbers.sum(EXITS, &[q, ("outcome", outcome)]),
        (COMPLETIONS, ended_by) => numbers.sum(COMPLETIONS, &[q, ("ended_by", ended_by)]),
        // queue_log writes RINGNOANSWER for busy and unreachable phones too
        (RINGS, _) => {
            ["no_answer", "busy", "failed"].iter().map(|result| numbers.sum(RINGS, &[q, ("result", result)])).sum()
        }
        (metric, _) => numbers.sum(metric, &[q]),
    }
}

/// Every difference between queue_log and the exporter, as text.
fn differences(numbers: &Numbers, truth: &BTreeMap<String, Truth>) -> Vec<String> {
    let mut found = Vec::new();
    let nothing = Truth::default();
    let mut queues = numbers.values(ENTRIES, "queue");
    queues.extend(truth.keys().cloned());
    queues.sort();
    queues.dedup();
    for queue in queues {
        let truth = truth.get(&queue).unwrap_or(&nothing);
        let mut seen = std::collections::BTreeSet::new();
        for &(_, metric, label) in VERBS.iter().filter(|(_, metric, label)| seen.insert((*metric, *label))) {
            let said = f64::from(truth.counts.get(&(metric, label)).copied().unwrap_or(0));
            let ours = counted(numbers, &queue, metric, label);
            if said != ours {
                found.push(format!("{queue} {metric} {label}: queue_log {said}, counted {ours}"));
            }
        }
        for other in ["redirected", "unserved", "incompatible", "lost"] {
            let ours = numbers.sum(EXITS, &[("queue", &queue), ("outcome", other)]);
            if ours != 0.0 {
                found.push(format!("{queue} {EXITS} {other}: queue_log 0, counted {ours}"));
            }
        }
        for ended_by in ["unknown", "lost"] {
            let ours = numbers.sum(COMPLETIONS, &[("queue", &queue), ("ended_by", ended_by)]);
            if ours != 0.0 {
                found.push(format!("{queue} {COMPLETIONS} {ended_by}: queue_log 0, counted {ours}"));
            }
        }
        found.extend(sum_differences(numbers, &queue, truth));
    }
    found
}

/// Hold and talk within one second a call: queue_log counts whole clock seconds.
fn sum_differences(numbers: &Numbers, queue: &str, truth: &Truth) -> Vec<String> {
    let answered = truth.counts.get(&(EXITS, "answered")).copied().unwrap_or(0);
    let hold = numbers.sum("asterisk_queue_hold_seconds_sum", &[("queue", queue), ("outcome", "answered")]);
    let talk = numbers.sum("asterisk_queue_talk_seconds_sum", &[("queue", queue)]);
    let mut found = Vec::new();
    if (hold - truth.hold).abs() > f64::from(answered) {
        found.push(format!("{queue} hold: queue_log {}, counted {hold:.1}", truth.hold));
    }
    if (talk - truth.talk).abs() > f64::from(truth.talks) {
        found.push(format!("{queue} talk: queue_log {}, counted {talk:.1}", truth.talk));
    }
    found
}

/// The recordings of a version that have a queue_log beside them.
fn recordings(version: &str) -> Vec<(String, PathBuf, PathBuf)> {
    let folder = fixture("captures").join(version);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of recordings") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(scenario) = name.strip_suffix(".ami.gz") else { continue };
        let base = scenario.trim_end_matches(".exporter");
        let log = ["queue_log", "queue_log.gz"].map(|end| folder.join(format!("{base}.{end}")));
        if let Some(log) = log.into_iter().find(|log| log.exists()) {
            found.push((format!("{version}/{scenario}"), path, log));
        }
    }
    found.sort();
    found
}

/// The documented differences (METRICS.md): nothing else may differ.
fn documented(scenario: &str) -> &'static [&'static str] {
    match scenario.split_once('/').map_or(scenario, |(_, name)| name) {
        name if name.starts_with("09e-") => &[
            "noagent asterisk_queue_exits_total abandoned: queue_log 1, counted 0",
            "noagent asterisk_queue_exits_total redirected: queue_log 0, counted 1",
        ],
        name if name.starts_with("09f-") => &["support talk: queue_log 4, counted 2.0"],
        name if name.starts_with("16f-") => &[
            "noagent asterisk_queue_exits_total lost: queue_log 0, counted 1",
            "support asterisk_queue_completions_total lost: queue_log 0, counted 1",
        ],
        _ => &[],
    }
}

#[test]
fn every_recording_equals_its_queue_log() {
    let all: Vec<_> = ["16", "22"].into_iter().flat_map(recordings).collect();
    assert!(all.len() >= 110, "only {} recordings found", all.len());
    for (scenario, recording, log) in &all {
        let numbers = play(recording);
        numbers.assert_conserved(scenario);
        let truth = queue_log(&text(log));
        let mut found = differences(&numbers, &truth);
        if scenario.ends_with(".exporter") {
            // that account sees no VarSet: nothing tells a timeout from a redirect or a withdrawal
            found = unserved_instead_of_timeout(&numbers, &truth, found);
        }
        assert_eq!(found, documented(scenario), "{scenario}");
    }
}

fn unserved_instead_of_timeout(numbers: &Numbers, truth: &BTreeMap<String, Truth>, found: Vec<String>) -> Vec<String> {
    for (queue, truth) in truth {
        let silent = ["timeout", "leave_empty", "withdrawn"];
        let said: u32 = silent.iter().filter_map(|outcome| truth.counts.get(&(EXITS, *outcome))).sum();
        let ours = numbers.sum(EXITS, &[("queue", queue), ("outcome", "unserved")]);
        assert_eq!(f64::from(said), ours, "{queue}: unserved");
    }
    found.into_iter().filter(|line| !line.contains(" timeout: ") && !line.contains(" unserved: ")).collect()
}

#[test]
fn nothing_is_tracked_at_the_end() {
    for (scenario, recording, _) in ["16", "22"].into_iter().flat_map(recordings) {
        let numbers = play(&recording);
        for kind in ["channel", "stay", "call"] {
            let held = numbers.sum("asterisk_exporter_tracked", &[("kind", kind)]);
            assert_eq!(held, 0.0, "{scenario}: {kind}");
        }
    }
}

fn scenario(version: &str, name: &str) -> Numbers {
    play(&fixture(&format!("captures/{version}/{name}.ami.gz")))
}

#[test]
fn refusals_are_told_by_the_variable_alone() {
    let cases = [
        ("22", "11-joinempty", "joinempty", "join_empty"),
        ("16", "11b-full", "full", "full"),
        ("22", "11e-no-such-queue", "", "unknown_queue"),
    ];
    for (version, name, queue, reason) in cases {
        let numbers = scenario(version, name);
        let refused = numbers.sum("asterisk_queue_refusals_total", &[("queue", queue), ("reason", reason)]);
        assert_eq!((refused, numbers.sum("asterisk_queue_refusals_total", &[])), (1.0, 1.0), "{name}");
    }
}

#[test]
fn outbound_calls_go_by_the_cause_of_the_dialled_leg() {
    let results = |numbers: &Numbers, name: &str| {
        ["answered", "busy", "no_answer", "congestion", "canceled", "failed"]
            .map(|result| numbers.sum(name, &[("result", result)]))
    };
    let calls = scenario("22", "12-outbound");
    assert_eq!(results(&calls, "asterisk_calls_total"), [2.0, 2.0, 3.0, 2.0, 0.0, 8.0]);
    assert_eq!(results(&calls, "asterisk_trunk_attempts_total"), [2.0, 2.0, 3.0, 2.0, 0.0, 8.0]);
    assert_eq!(calls.sum("asterisk_calls_total", &[("direction", "outbound"), ("agent", "PJSIP/a106")]), 17.0);
    assert_eq!(
        calls.sum("asterisk_call_hangups_total", &[("cause", "34"), ("cause_text", "circuit_channel_congestion")]),
        1.0
    );
    let canceled = scenario("22", "12c-caller-cancels-outbound");
    assert_eq!(results(&canceled, "asterisk_calls_total"), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    // three click-to-calls and four plain Originates, all over the carrier
    let originate = scenario("16", "12b-originate");
    assert_eq!(results(&originate, "asterisk_calls_total"), [2.0, 2.0, 2.0, 0.0, 0.0, 1.0]);
    assert_eq!(results(&originate, "asterisk_trunk_attempts_total"), [2.0, 2.0, 2.0, 0.0, 0.0, 1.0]);
    assert_eq!(originate.sum("asterisk_calls_total", &[("direction", "outbound"), ("agent", "Alice Adams")]), 3.0);
    let inbound = scenario("16", "12d-inbound-without-queue");
    assert_eq!(inbound.sum("asterisk_calls_total", &[("direction", "inbound"), ("result", "answered")]), 2.0);
    assert_eq!(inbound.sum("asterisk_calls_total", &[("direction", "inbound"), ("agent", "")]), 1.0);
    assert_eq!(results(&scenario("22", "12e-unknown-number"), "asterisk_calls_total"), [0.0; 6]);
    assert_eq!(
        scenario("16", "12f-outbound-booked-on-queue").sum("asterisk_calls_total", &[("direction", "outbound")]),
        1.0
    );
}

#[test]
fn recordings_end_with_a_stop_or_with_their_channel() {
    for (version, name, queue, ended) in [
        ("22", "15-recorded", "recorded", 1.0),
        ("16", "15b-recorded-in-dialplan", "support", 1.0),
        ("22", "15c-mute-stop-start-recording", "recorded", 2.0),
    ] {
        let numbers = scenario(version, name);
        assert_eq!(numbers.sum("asterisk_recordings_total", &[]), ended, "{name}");
        assert_eq!(numbers.sum("asterisk_queue_recorded_calls_total", &[("queue", queue)]), 1.0, "{name}");
    }
}

#[test]
fn transfers_are_told_by_kind_and_by_whom() {
    let cases = [
        ("22", "09-blind-transfer-by-agent", "support", "blind", "agent"),
        ("16", "09b-blind-transfer-by-caller", "support", "blind", "caller"),
        ("22", "09c-attended-transfer", "desk", "attended", "agent"),
        ("16", "09d-blind-transfer-to-other-queue", "endbyagent", "blind", "agent"),
        ("22", "09g-sip-refer-blind", "desk", "blind", "agent"),
        ("16", "09h-sip-refer-attended", "desk", "attended", "agent"),
    ];
    for (version, name, queue, kind, by) in cases {
        let numbers = scenario(version, name);
        let told = numbers.sum("asterisk_queue_transfers_total", &[("queue", queue), ("kind", kind), ("by", by)]);
        assert_eq!((told, numbers.sum("asterisk_queue_transfers_total", &[])), (1.0, 1.0), "{name}");
    }
}

#[test]
fn local_members_are_one_call_with_the_phone_s_cause() {
    let numbers = scenario("16", "14-local-members");
    let ring = |agent, result| numbers.sum(RINGS, &[("queue", "fpbx"), ("agent", agent), ("result", result)]);
    assert_eq!([ring("Bob Brown", "busy"), ring("Nora North", "no_answer"), ring("Alice Adams", "answered")], [1.0; 3]);
    let hangup = |agent, cause| {
        numbers.sum("asterisk_queue_hangups_total", &[("agent", agent), ("leg", "agent"), ("cause", cause)])
    };
    assert_eq!([hangup("Bob Brown", "17"), hangup("Nora North", "16"), hangup("Alice Adams", "16")], [1.0; 3]);
    assert_eq!(numbers.sum("asterisk_calls_total", &[]), 1.0);
    let optimised = scenario("22", "14b-local-optimised");
    assert_eq!(optimised.sum("asterisk_queue_talk_seconds_count", &[("agent", "Dana Dale")]), 1.0);
    assert_eq!(optimised.sum("asterisk_queue_hangups_total", &[("leg", "agent"), ("cause", "16")]), 1.0);
}
