//! Captures of real Asterisk 16 and 22, and synthetic ones of other versions, through the
//! real path, against the queue_log of the same calls.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::audit::{Audit, Edge, Exposition, Figures, Report, State, Window};
use asterisk_exporter::clock::Moment;
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::queue_log::QueueLog;
use asterisk_exporter::replay::Replay;
use flate2::read::GzDecoder;
use support::{Numbers, fixture};

use crate::lab::{play, rules};

const RINGS: &str = "asterisk_queue_rings_total";

/// 16 and 22 are real, the others are generated from them (`versions/`).
const VERSIONS: [&str; 6] = ["13.4", "13", "16", "18", "20", "22"];

/// What queue_log has beside what was counted, by call and as a scrape has it.
fn audits(recording: &Path, log: &Path) -> [Report; 2] {
    let log = QueueLog::open(&[log.to_owned()], None).unwrap_or_else(|error| panic!("{error}"));
    let audit = Audit::of_capture(Settings::default(), Window::default());
    let metrics = Metrics::new(Settings::default());
    let mut replay =
        Replay::watched(&PbxName::new("lab"), rules(), metrics, Limits::default(), audit);
    replay.play_file(recording).unwrap_or_else(|error| panic!("{error}"));
    let (begins, ends) = replay.span().map(|(first, last)| (edge(first), edge(last))).unzip();
    let lines = Window { since: begins, until: ends };
    let exposition = replay.exposition(Format::Text);
    let exposition = Exposition::read(exposition.as_bytes(), Some("lab"))
        .unwrap_or_else(|error| panic!("{error}"));
    let scrape = Audit::of_scrape(&exposition, Settings::default(), Window::default());
    let gaps = replay.sessions().saturating_sub(1);
    [replay.finish().with_lines(lines), scrape].map(|audit| audit.with_gaps(gaps)).map(
        |mut audit| {
            log.read(|file, number, line| audit.line(file, number, line))
                .unwrap_or_else(|error| panic!("{error}"));
            audit.report()
        },
    )
}

/// Line and event may fall into two seconds.
fn edge(at: Moment) -> Edge {
    Edge::around(at, Duration::from_secs(1))
}

fn scratch(name: &str, content: &[u8]) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, content).expect("a scratch file");
    path
}

/// Every figure that is not equal, as text: what queue_log has, what was counted, and why they may
/// differ.
fn differences(report: &Report) -> Vec<String> {
    let unequal = report.rows.iter().filter(|row| row.state != State::Equal);
    let mut found: Vec<_> = unequal
        .map(|row| {
            let state = row.state.word();
            let queue = &row.queue;
            let what = row.what.word();
            let (figures, reasons): (_, Vec<_>) = match &row.figures {
                Figures::Counts { logged, counted, explained, .. } => (
                    format!("{logged}, counted {counted}"),
                    explained.iter().map(|(reason, _)| reason.word()).collect(),
                ),
                Figures::Seconds { logged, counted, explained, .. } => (
                    format!("{logged}, counted {counted:.1}"),
                    explained.iter().map(|(reason, ..)| reason.word()).collect(),
                ),
            };
            format!("{state} {queue} {what}: queue_log {figures} {}", reasons.join(" "))
                .trim_end()
                .to_owned()
        })
        .collect();
    found.sort();
    found
}

/// The captures of a version that have a queue_log beside them.
fn captures(version: &str) -> Vec<(String, PathBuf, PathBuf)> {
    let folder = fixture("captures").join(version);
    let mut found = Vec::new();

    for entry in std::fs::read_dir(&folder).expect("the folder of captures") {
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
            "explained noagent abandon_positions: queue_log 1, counted 0 redirected",
            "explained noagent abandoned: queue_log 1, counted 0 redirected",
        ],
        name if name.starts_with("09f-") => {
            &["explained support talk_seconds: queue_log 4, counted 2.0 redirected_talk"]
        }
        name if name.starts_with("16f-") => &[
            "explained noagent lost: queue_log 0, counted 1 lost",
            "explained noagent ring_lost: queue_log 0, counted 1 lost",
            "explained support completion_lost: queue_log 0, counted 1 lost",
        ],
        "18-bridge-takes-waiting-caller" => &[
            "explained bridge-takes-waiting abandon_positions: queue_log 1, counted 0 redirected",
            "explained bridge-takes-waiting abandoned: queue_log 1, counted 0 redirected",
        ],
        "18b-bridge-takes-talking-caller" => &[
            "explained bridge-takes-talking completed_by_caller: queue_log 1, counted 0 late_complete",
            "explained bridge-takes-talking talk_seconds: queue_log 12, counted 2.0 redirected_talk",
        ],
        "18e-parked-and-back" => &[
            "explained parked-and-back completed_by_caller: queue_log 1, counted 0 late_complete",
            "explained parked-and-back talk_seconds: queue_log 16, counted 1.0 redirected_talk",
        ],
        "18f-parked-and-fetched" => &[
            "explained parked-and-fetched completed_by_caller: queue_log 1, counted 0 late_complete",
            "explained parked-and-fetched talk_seconds: queue_log 14, counted 1.0 redirected_talk",
        ],
        name if name.starts_with("15f-") => {
            &["explained sales rang_in_vain: queue_log 2, counted 1 logged_twice"]
        }
        _ => match scenario {
            // That account sees no VarSet: nothing distinguishes a timeout from a redirect or a withdrawal.
            "16/bulk.exporter" => {
                &["explained bulk-ringall timeout: queue_log 1, counted 0 unserved"]
            }
            "22/08c-pause-reason-changed" => {
                &["explained pause-reason-changed unpaused: queue_log 2, counted 1 auto_unpause"]
            }
            "22/bulk.exporter" => &[
                "explained bulk-fpbx timeout: queue_log 2, counted 0 unserved",
                "explained bulk-ringall timeout: queue_log 2, counted 0 unserved",
                "explained bulk-rrmemory timeout: queue_log 1, counted 0 unserved",
            ],
            _ => &[],
        },
    }
}

#[test]
fn every_capture_equals_its_queue_log() {
    let all: Vec<_> = VERSIONS.into_iter().flat_map(captures).collect();
    assert!(all.len() >= 180, "only {} captures found", all.len());
    let mut compared = 0;
    let mut wrong = Vec::new();
    let mut compare = |what: String, found: Vec<String>, wanted: Vec<&str>| {
        if found != wanted {
            wrong.push(format!("{what}: {found:#?}, not {wanted:#?}"));
        }
    };

    for (scenario, recording, log) in &all {
        play(recording).assert_conserved(scenario);
        let [by_call, by_scrape] = audits(recording, log);
        compare(scenario.clone(), differences(&by_call), documented(scenario).to_vec());
        let unread =
            format!("{} malformed, {} left out", by_call.malformed.len(), by_call.left_out);
        compare(scenario.clone(), vec![unread], vec!["0 malformed, 0 left out"]);
        compared += by_call.compared;
        // In the sums of a scrape, one talk that was cut off by two seconds is within what is
        // granted.
        let is_granted = |line: &str| {
            line.ends_with("counted 2.0 redirected_talk") && line.contains("queue_log 4,")
        };
        let of_scrape = documented(scenario).iter().filter(|line| !is_granted(line));
        let of_scrape: Vec<_> = of_scrape.copied().collect();
        compare(format!("{scenario}, by scrape"), differences(&by_scrape), of_scrape);
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 5000, "only {compared} lines were compared");
}

/// Both sides of a difference must be found: each line of a log is taken out in turn.
#[test]
fn no_line_can_be_missing() {
    let folder = fixture("captures/22");
    let mut cut = 0;

    for name in [
        "01-answered-caller-hangs-up",
        "07-ringall",
        "10-exit-with-key",
        "17c-agent-hangs-up-during-announcement",
    ] {
        let text =
            std::fs::read_to_string(folder.join(format!("{name}.queue_log"))).expect("a queue_log");
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let fewer: String = lines
                .iter()
                .filter(|other| *other != line)
                .map(|line| format!("{line}\n"))
                .collect();
            let path = scratch(&format!("{name}-{at}"), fewer.as_bytes());
            let reports = audits(&folder.join(format!("{name}.ami.gz")), &path);
            std::fs::remove_file(&path).expect("the scratch file");
            let counts = !["RINGCANCELED", "NONE|NONE"].iter().any(|word| line.contains(word));
            for report in reports {
                assert_eq!(report.agrees(), !counts, "{name} without {line}");
            }
            cut += 1;
        }
    }
    assert!(cut > 10, "only {cut} lines were cut");
}

/// A capture may begin and end in the middle of calls; the log goes on before and behind it.
#[test]
fn a_part_of_a_capture_equals_that_part_of_the_log() {
    for (version, name) in
        [("16", "bulk"), ("16", "bulk.exporter"), ("22", "bulk"), ("22", "bulk.exporter")]
    {
        let folder = fixture("captures").join(version);
        let mut whole = Vec::new();
        let packed = File::open(folder.join(format!("{name}.ami.gz"))).expect("a capture");
        GzDecoder::new(packed).read_to_end(&mut whole).expect("gzipped events");
        for (from, to) in [(0, 50), (20, 100), (50, 100), (30, 60)] {
            let part = &whole[whole.len() * from / 100..whole.len() * to / 100];
            let path = scratch(&format!("{version}-{name}-{from}-{to}.ami"), part);
            let [by_call, _] = audits(&path, &folder.join("bulk.queue_log.gz"));
            assert!(
                by_call.agrees(),
                "{version}/{name} {from} to {to} %: {:#?}",
                differences(&by_call)
            );
            assert!(
                by_call.outside > 100 && by_call.compared > 400,
                "{version}/{name} {from} to {to} %"
            );
            std::fs::remove_file(&path).expect("the scratch file");
        }
    }
}

#[test]
fn nothing_is_tracked_at_the_end() {
    let mut left = Vec::new();
    for (scenario, recording, _) in VERSIONS.into_iter().flat_map(captures) {
        let numbers = play(&recording);
        for kind in ["channel", "stay", "call"] {
            let held = numbers.sum("asterisk_exporter_tracked_objects", &[("kind", kind)]);
            if held != 0.0 {
                left.push(format!("{scenario}: {held} {kind}"));
            }
        }
    }
    assert!(left.is_empty(), "{}", left.join("\n"));
}

fn scenario(version: &str, name: &str) -> Numbers {
    play(&fixture(&format!("captures/{version}/{name}.ami.gz")))
}

#[test]
fn hold_within_a_talk_is_what_the_agent_s_phone_began_and_ended() {
    for (version, name, holds, held, hangups, talk) in [
        ("16", "17g-held", 1.0, 2.006_729, 0.0, 10.491_561),
        ("22", "17g-held", 1.0, 2.009_129, 0.0, 10.484_619),
        ("16", "17h-left-on-hold", 1.0, 0.458_890, 1.0, 1.456_713),
        ("22", "17h-left-on-hold", 1.0, 0.983_549, 1.0, 1.976_236),
        // Of these Asterisk sends nothing but an Unhold before the transfer.
        ("16", "09h-sip-refer-attended", 0.0, 0.0, 0.0, 5.017_755),
        ("22", "09-blind-transfer-by-agent", 0.0, 0.0, 0.0, 1.501_384),
    ] {
        let numbers = scenario(version, name);
        let sum = |metric| numbers.sum(metric, &[]);
        let seen = (
            sum("asterisk_queue_talk_holds_total"),
            sum("asterisk_queue_talk_hold_seconds_total"),
            sum("asterisk_queue_talk_hold_hangups_total"),
            sum("asterisk_queue_talk_seconds_sum"),
        );
        assert_eq!(seen, (holds, held, hangups, talk), "{version}/{name}");
    }
}

/// ENTERQUEUE and ABANDON have the position that the events have.
#[test]
fn positions_are_those_of_queue_log() {
    let mut compared = [0.0, 0.0];
    for (name, recording, log) in ["16", "22"].into_iter().flat_map(captures) {
        let mut text = String::new();
        let file = File::open(&log).expect("a queue_log");
        if log.extension().is_some_and(|extension| extension == "gz") {
            GzDecoder::new(file).read_to_string(&mut text).expect("a gzipped queue_log");
        } else {
            text = std::fs::read_to_string(&log).expect("a queue_log");
        }
        // ENTERQUEUE: URL, number, position.  ABANDON: position, original position, hold.
        let positions = |verb: &str, field: usize| -> f64 {
            let fields = text.lines().map(|line| line.split('|').collect::<Vec<_>>());
            let with_verb = fields.filter(|fields| fields.get(4) == Some(&verb));
            with_verb.map(|fields| fields[field].parse::<f64>().expect("a position")).sum()
        };

        let logged = [positions("ENTERQUEUE", 7), positions("ABANDON", 5)];
        let numbers = play(&recording);
        let counted = ["entry", "abandon"]
            .map(|at| numbers.sum("asterisk_queue_position_sum", &[("at", at)]));
        let redirected = numbers.sum("asterisk_queue_exits_total", &[("outcome", "redirected")]);
        // A waiting caller who is taken elsewhere has abandoned by queue_log only; callers of a gap
        // are in no event.
        let is_whole = redirected == 0.0 && !name.contains("/16") && !name.ends_with("exporter");
        if is_whole {
            assert_eq!(counted, logged, "{name}");
            compared = [compared[0] + logged[0], compared[1] + logged[1]];
        }
    }
    assert!(compared[0] > 500.0 && compared[1] > 100.0, "only {compared:?}");
}

#[test]
fn a_caller_who_is_overtaken_abandons_farther_back() {
    for (version, entry, abandon) in [("16", 3.0, 1.0), ("22", 3.0, 1.0)] {
        let numbers = scenario(version, "11f-withdrawn-and-priority");
        let sum = |at| numbers.sum("asterisk_queue_position_sum", &[("at", at)]);
        let count = |at| numbers.sum("asterisk_queue_position_count", &[("at", at)]);
        assert_eq!((sum("entry"), count("entry")), (entry, 2.0), "{version}");
        assert_eq!((sum("abandon"), count("abandon")), (abandon, 1.0), "{version}");
    }
}

#[test]
fn transfers_arrive_where_the_caller_went() {
    for (name, to, flow) in [
        ("09-blind-transfer-by-agent", "agent", None),
        // The caller sends the agent into an announcement.
        ("09b-blind-transfer-by-caller", "other", None),
        // By a feature code: the consulted phone is behind a Local channel.
        ("09c-attended-transfer", "agent", None),
        ("09d-blind-transfer-to-other-queue", "queue", Some(("endbyagent", "support"))),
        ("09g-sip-refer-blind", "agent", None),
        ("09h-sip-refer-attended", "agent", None),
        (
            "09j-refer-into-waiting-place",
            "queue",
            Some(("refer-into-waiting-answered", "refer-into-waiting-answered-b")),
        ),
        ("09l-refer-into-conference", "other", None),
    ] {
        for version in ["16", "22"] {
            let numbers = scenario(version, name);
            // No event of this capture has a member whose phone is called.
            let to = if (version, name) == ("22", "09g-sip-refer-blind") { "other" } else { to };
            let arrived = |labels| numbers.sum("asterisk_queue_transfer_arrivals_total", labels);
            let transferred = numbers.sum("asterisk_queue_transfers_total", &[]);
            let seen = (arrived(&[("to", to)]), arrived(&[]), transferred);
            assert_eq!(seen, (1.0, 1.0, 1.0), "{version}/{name}");

            let all = numbers.sum("asterisk_queue_flows_total", &[]);
            let flows = flow.map(|(queue, to_queue)| {
                let labels = [("queue", queue), ("to_queue", to_queue), ("by", "transfer")];
                numbers.sum("asterisk_queue_flows_total", &labels)
            });
            assert_eq!(
                (all, flows),
                (flow.map_or(0.0, |_| 1.0), flow.map(|_| 1.0)),
                "{version}/{name}"
            );
        }
    }
}

#[test]
fn a_caller_whom_one_queue_lets_go_flows_into_the_next() {
    for version in ["16", "22"] {
        let numbers = scenario(version, "13-queue-a-to-b");
        let labels = [("queue", "noagent"), ("to_queue", "support"), ("by", "dialplan")];
        let flows = |labels| numbers.sum("asterisk_queue_flows_total", labels);
        assert_eq!((flows(&labels), flows(&[])), (1.0, 1.0), "{version}");
    }
}

#[test]
fn refusals_are_recognised_by_the_variable_alone() {
    let cases = [
        ("22", "11-joinempty", "joinempty", "join_empty"),
        ("16", "11b-full", "full", "full"),
        ("22", "11e-no-such-queue", "", "unknown_queue"),
    ];

    for (version, name, queue, reason) in cases {
        let numbers = scenario(version, name);
        let refused =
            numbers.sum("asterisk_queue_refusals_total", &[("queue", queue), ("reason", reason)]);
        assert_eq!(
            (refused, numbers.sum("asterisk_queue_refusals_total", &[])),
            (1.0, 1.0),
            "{name}"
        );
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
    assert_eq!(
        calls.sum("asterisk_calls_total", &[("direction", "outbound"), ("agent", "PJSIP/a106")]),
        17.0
    );
    assert_eq!(
        calls.sum(
            "asterisk_call_hangups_total",
            &[("cause", "34"), ("cause_text", "circuit_channel_congestion")]
        ),
        1.0
    );

    let canceled = scenario("22", "12c-caller-cancels-outbound");
    assert_eq!(results(&canceled, "asterisk_calls_total"), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    // Three click-to-calls and four plain Originates, all over the carrier.
    let originate = scenario("16", "12b-originate");
    assert_eq!(results(&originate, "asterisk_calls_total"), [2.0, 2.0, 2.0, 0.0, 0.0, 1.0]);
    assert_eq!(
        results(&originate, "asterisk_trunk_attempts_total"),
        [2.0, 2.0, 2.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(
        originate
            .sum("asterisk_calls_total", &[("direction", "outbound"), ("agent", "Alice Adams")]),
        3.0
    );

    let inbound = scenario("16", "12d-inbound-without-queue");
    assert_eq!(
        inbound.sum("asterisk_calls_total", &[("direction", "inbound"), ("result", "answered")]),
        2.0
    );
    assert_eq!(
        inbound.sum("asterisk_calls_total", &[("direction", "inbound"), ("agent", "")]),
        1.0
    );
    assert_eq!(results(&scenario("22", "12e-unknown-number"), "asterisk_calls_total"), [0.0; 6]);
    assert_eq!(
        scenario("16", "12f-outbound-booked-on-queue")
            .sum("asterisk_calls_total", &[("direction", "outbound")]),
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
        assert_eq!(
            numbers.sum("asterisk_queue_recorded_calls_total", &[("queue", queue)]),
            1.0,
            "{name}"
        );
    }
}

#[test]
fn transfers_are_counted_by_kind_and_by_whom() {
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
        let reported = numbers
            .sum("asterisk_queue_transfers_total", &[("queue", queue), ("kind", kind), ("by", by)]);
        assert_eq!(
            (reported, numbers.sum("asterisk_queue_transfers_total", &[])),
            (1.0, 1.0),
            "{name}"
        );
    }
}

#[test]
fn local_members_are_one_call_with_the_phone_s_cause() {
    let numbers = scenario("16", "14-local-members");
    let ring = |agent, result| {
        numbers.sum(RINGS, &[("queue", "fpbx"), ("agent", agent), ("result", result)])
    };
    assert_eq!(
        [
            ring("Bob Brown", "busy"),
            ring("Nora North", "no_answer"),
            ring("Alice Adams", "answered")
        ],
        [1.0; 3]
    );

    let hangup = |agent, cause| {
        numbers.sum(
            "asterisk_queue_hangups_total",
            &[("agent", agent), ("leg", "agent"), ("cause", cause)],
        )
    };
    assert_eq!(
        [hangup("Bob Brown", "17"), hangup("Nora North", "16"), hangup("Alice Adams", "16")],
        [1.0; 3]
    );
    assert_eq!(numbers.sum("asterisk_calls_total", &[]), 1.0);
    let optimised = scenario("22", "14b-local-optimised");
    assert_eq!(optimised.sum("asterisk_queue_talk_seconds_count", &[("agent", "Dana Dale")]), 1.0);
    assert_eq!(
        optimised.sum("asterisk_queue_hangups_total", &[("leg", "agent"), ("cause", "16")]),
        1.0
    );
}

/// Fifteen calls with a hole in the middle, as `record` took them: what was hidden is lost, once,
/// and the rest is not.
#[test]
fn a_gap_is_played_as_the_exporter_took_it() {
    for version in ["16", "22"] {
        let numbers = play(&fixture(&format!("gaps/{version}.ami.gz")));
        numbers.assert_conserved(version);
        let of = |metric: &str, label, queue, value| {
            numbers.sum(metric, &[("queue", queue), (label, value)])
        };
        let exits = |queue, outcome| of("asterisk_queue_exits_total", "outcome", queue, outcome);
        let ends =
            |queue, ended_by| of("asterisk_queue_completions_total", "ended_by", queue, ended_by);
        let adopted = |queue, phase| of("asterisk_queue_adopted_total", "phase", queue, phase);
        let all = |metric| numbers.sum(metric, &[]);
        assert_eq!(
            all("asterisk_queue_entries_total"),
            10.0,
            "{version}: those who came before the gap"
        );
        assert_eq!(
            ["gives-up-unseen", "served-unseen"].map(|queue| exits(queue, "lost")),
            [1.0; 2],
            "{version}"
        );
        assert_eq!(all("asterisk_queue_exits_total"), 11.0, "{version}");
        // The agent of one had passed the caller on, to whom the caller's channel still runs Queue.
        assert_eq!(
            ["hangs-up-unseen", "passed-on-unseen"].map(|queue| ends(queue, "lost")),
            [1.0; 2],
            "{version}"
        );
        assert_eq!(
            ["passed-on-before", "consults-through"].map(|queue| ends(queue, "transfer")),
            [1.0; 2],
            "{version}"
        );
        assert_eq!(all("asterisk_queue_completions_total"), 7.0, "{version}");
        let seen =
            [adopted("comes-unseen", "waiting"), adopted("comes-and-talks-unseen", "talking")];
        assert_eq!((seen, all("asterisk_queue_adopted_total")), ([1.0; 2], 2.0), "{version}");
    }
}
