//! The simulated PBX's whole runs through the real path, against what it knows of its own calls.

use std::time::Duration;

use asterisk_exporter::ami::id::{ActionId, BARRIER};
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::demo::{QueueTruth, SessionIds, Truth, capture, capture_of_two_sessions};
use asterisk_exporter::metrics::Format;
use support::Numbers;

use crate::lab::replay;

/// What is counted of a capture, and for how long it goes on.
fn played(bytes: &[u8]) -> (Numbers, Duration) {
    let trunks = Patterns::new(["^PJSIP/carrier-"]).expect("a valid pattern");
    let mut replay = replay(Rules { trunks, ..Rules::default() });
    let (held, failed) = replay.play(bytes);
    assert!(failed.is_none() && !held.cut);
    let (first, last) = replay.span().expect("time stamps");
    (Numbers::read(&replay.exposition(Format::Text)), last.since(first))
}

fn assert_all(numbers: &Numbers, truth: &Truth, what: &str) {
    numbers.assert_conserved(what);
    for (queue, truth) in &truth.queues {
        assert_queue(numbers, queue, truth, what);
    }
    for (trunk, attempts) in &truth.trunk_attempts {
        let counted =
            numbers.sum("asterisk_trunk_attempts_total", &[("trunk", &format!("PJSIP/{trunk}"))]);
        assert_eq!(counted, *attempts as f64, "{what}: {trunk}");
    }
    let calls = |direction| numbers.sum("asterisk_calls_total", &[("direction", direction)]);
    assert_eq!(calls("internal"), truth.internal as f64, "{what}: internal");
    assert_eq!(
        calls("inbound"),
        (truth.inbound_direct + truth.inbound_queued) as f64,
        "{what}: inbound"
    );
    assert_eq!(calls("outbound"), truth.outbound as f64, "{what}: outbound");
    for kind in ["channel", "stay", "call"] {
        assert_eq!(
            numbers.sum("asterisk_exporter_tracked_objects", &[("kind", kind)]),
            0.0,
            "{what}: {kind}"
        );
    }
}

fn assert_queue(numbers: &Numbers, queue: &str, truth: &QueueTruth, run: &str) {
    let q = ("queue", queue);
    let exits = |outcome| numbers.sum("asterisk_queue_exits_total", &[q, ("outcome", outcome)]);
    let ended = |by| numbers.sum("asterisk_queue_completions_total", &[q, ("ended_by", by)]);
    let rings = |result| numbers.sum("asterisk_queue_rings_total", &[q, ("result", result)]);
    let refused = |reason| numbers.sum("asterisk_queue_refusals_total", &[q, ("reason", reason)]);
    let counts = [
        ("entered", numbers.sum("asterisk_queue_entries_total", &[q]), truth.entered),
        ("answered", exits("answered"), truth.connected),
        ("abandoned", exits("abandoned"), truth.abandoned),
        ("timeout", exits("timeout"), truth.timed_out),
        ("leave_empty", exits("leave_empty"), truth.left_empty),
        ("exit_key", exits("exit_key"), truth.exit_key),
        ("caller", ended("caller"), truth.completed_by_caller),
        ("agent", ended("agent"), truth.completed_by_agent),
        ("transfer", ended("transfer"), truth.blind_transfers + truth.attended_transfers),
        ("no_answer", rings("no_answer"), truth.ring_no_answer),
        ("busy", rings("busy"), truth.ring_busy),
        ("failed", rings("failed"), truth.ring_failed),
        ("canceled", rings("canceled"), truth.ring_canceled),
        ("full", refused("full"), truth.refused_full),
        ("join_empty", refused("join_empty"), truth.refused_empty),
        (
            "blind",
            numbers.sum("asterisk_queue_transfers_total", &[q, ("kind", "blind")]),
            truth.blind_transfers,
        ),
        (
            "attended",
            numbers.sum("asterisk_queue_transfers_total", &[q, ("kind", "attended")]),
            truth.attended_transfers,
        ),
    ];
    for (what, counted, true_count) in counts {
        assert_eq!(counted, true_count as f64, "{run}, {queue}: {what}");
    }
    // a recording goes on with the caller who is transferred into another queue, whose calls it
    // records as well
    if truth.recorded > 0 {
        assert_eq!(
            numbers.sum("asterisk_queue_recorded_calls_total", &[q]),
            truth.recorded as f64,
            "{run}, {queue}"
        );
    }
    let hold = numbers.sum("asterisk_queue_hold_seconds_sum", &[q, ("outcome", "answered")]);
    let talk = numbers.sum("asterisk_queue_talk_seconds_sum", &[q]);
    let slack = 0.01 * (1.0 + truth.connected as f64);
    assert!(
        (hold - truth.hold_answered.as_secs_f64()).abs() < slack,
        "{run}, {queue}: hold {hold} {truth:?}"
    );
    assert!(
        (talk - truth.talk.as_secs_f64()).abs() < slack,
        "{run}, {queue}: talk {talk} {truth:?}"
    );
}

/// `DEMO_HOURS=24` plays a day and a night for each seed.
#[test]
fn whole_working_days_are_counted_exactly() {
    let hours = std::env::var("DEMO_HOURS").map_or(1, |text| text.parse().expect("a number"));
    for seed in 1..=4 {
        let (bytes, truth) = capture(seed, hours * CALLS_AN_HOUR);
        let (numbers, length) = played(&bytes);
        assert!(length.as_secs() >= hours as u64 * 3600, "{length:?}");
        println!(
            "seed {seed}: {:.1} h, {} MB",
            length.as_secs_f64() / 3600.0,
            bytes.len() / 1_000_000
        );
        assert_all(&numbers, &truth, &format!("seed {seed}"));
    }
}

/// More than the simulated PBX has.
const CALLS_AN_HOUR: usize = 800;

/// The command `demo` begins so: an hour is played, and the first live session takes it up in
/// mid-call.
#[test]
fn a_second_session_between_two_events_changes_nothing() {
    let id = |number, word| ActionId::new(number, word).as_str().to_owned();
    let ids = SessionIds {
        login: id(2, "Login"),
        version: id(3, "CoreSettings"),
        channels: id(5, "CoreShowChannels"),
        queues: id(6, "QueueStatus"),
        pings: [id(7, BARRIER), id(8, BARRIER)],
    };
    for seed in 1..=20 {
        let steps = 100 + 40 * seed as usize;
        let what = format!("seed {seed}, step {steps}");
        let (bytes, truth, log) = capture_of_two_sessions(seed, 120, &ids, steps);
        assert_eq!(
            memchr::memmem::find_iter(&bytes, b"Authentication accepted").count(),
            2,
            "{what}"
        );
        let (numbers, _) = played(&bytes);
        assert_all(&numbers, &truth, &what);
        for (name, labels) in [
            ("asterisk_queue_adopted_total", &[][..]),
            ("asterisk_queue_exits_total", &[("outcome", "lost")]),
            ("asterisk_queue_completions_total", &[("ended_by", "lost")]),
            ("asterisk_queue_rings_total", &[("result", "lost")]),
        ] {
            assert_eq!(numbers.sum(name, labels), 0.0, "{what}: {name} {labels:?}");
        }
        let logged = |verb: &str| {
            log.lines().filter(|line| line.split('|').nth(4) == Some(verb)).count() as f64
        };
        for (verb, counted) in [
            ("ENTERQUEUE", numbers.sum("asterisk_queue_entries_total", &[])),
            ("ABANDON", numbers.sum("asterisk_queue_exits_total", &[("outcome", "abandoned")])),
            ("PAUSE", numbers.sum("asterisk_queue_pauses_total", &[("change", "paused")])),
        ] {
            assert_eq!(logged(verb), counted, "{what}: {verb}");
        }
    }
}
