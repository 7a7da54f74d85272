//! Every folder of `fixtures/` with an `events.ami`, through the real path, against its
//! `expected.prom`: whole text.
//!
//! A bug report becomes such a folder first.  `UPDATE_EXPECTED=1 cargo test --test integration replay::` writes
//! what comes out; read the difference before you keep it.

use std::path::PathBuf;

use asterisk_exporter::metrics::Format;
use support::{Numbers, fixture};

use crate::lab::{replay, rules};

fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture("")).expect("the folder of fixtures");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|path| path.join("events.ami").exists());
    folders.sort();
    folders
}

/// The order of series is not fixed, and the build is not of the capture.
fn comparable(exposition: &str) -> String {
    let mut lines: Vec<_> = exposition
        .lines()
        .filter(|line| !line.contains("asterisk_exporter_build_info") && !line.starts_with('#'))
        .collect();
    lines.sort_unstable();
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn every_fixture_gives_exactly_what_is_expected() {
    let folders = folders();
    assert!(folders.len() >= 4, "only {} fixtures found", folders.len());
    for folder in folders {
        let mut replay = replay(rules());
        replay.play_file(&folder.join("events.ami")).unwrap_or_else(|error| panic!("{error}"));
        let exposition = replay.exposition(Format::Text);
        Numbers::read(&exposition).assert_conserved(&folder.display().to_string());
        let (expected, found) = (folder.join("expected.prom"), comparable(&exposition));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &found).expect("a writable fixture");
        }
        let wanted = std::fs::read_to_string(&expected)
            .unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
        let differs = wanted
            .lines()
            .filter(|line| !found.contains(line))
            .chain(found.lines().filter(|line| !wanted.contains(line)));
        assert!(wanted == found, "{}: {:#?}", folder.display(), differs.collect::<Vec<_>>());
    }
}

fn seed(name: &str) -> Numbers {
    crate::lab::play(&fixture(name).join("events.ami"))
}

/// The value of the only series of a metric that is not zero, which must carry these labels.
fn only(numbers: &Numbers, name: &str, labels: &[(&str, &str)]) -> f64 {
    assert_eq!(
        numbers.series(name, &[]).count(),
        1,
        "{name}: {:?}",
        numbers.series(name, &[]).collect::<Vec<_>>()
    );
    numbers.sum(name, labels)
}

#[test]
fn flow_1_inbound_answered() {
    let numbers = seed("seed-1-inbound-answered");
    let (queue, agent) = (("queue", "test"), ("agent", "SIP/201"));
    assert_eq!(only(&numbers, "asterisk_queue_entries_total", &[queue]), 1.0);
    assert_eq!(
        only(&numbers, "asterisk_queue_exits_total", &[queue, ("outcome", "answered")]),
        1.0
    );
    assert_eq!(
        only(&numbers, "asterisk_queue_hold_seconds_sum", &[queue, ("outcome", "answered")]),
        4.0
    );
    assert_eq!(
        only(&numbers, "asterisk_queue_rings_total", &[queue, agent, ("result", "answered")]),
        1.0
    );
    assert_eq!(
        only(&numbers, "asterisk_queue_ring_seconds_sum", &[queue, agent, ("result", "answered")]),
        3.0
    );
    assert_eq!(only(&numbers, "asterisk_queue_talk_seconds_sum", &[queue, agent]), 7.0);
    assert_eq!(
        only(&numbers, "asterisk_queue_completions_total", &[queue, agent, ("ended_by", "caller")]),
        1.0
    );
    for leg in ["caller", "agent"] {
        let labels =
            [queue, agent, ("leg", leg), ("cause", "16"), ("cause_text", "normal_clearing")];
        assert_eq!(numbers.sum("asterisk_queue_hangups_total", &labels), 1.0);
    }
    assert_eq!(numbers.sum("asterisk_queue_hangups_total", &[]), 2.0);
    assert_eq!(only(&numbers, "asterisk_queue_recorded_calls_total", &[queue]), 1.0);
    assert_eq!(only(&numbers, "asterisk_recordings_total", &[]), 1.0);
}

#[test]
fn flow_2_inbound_unanswered() {
    let numbers = seed("seed-2-inbound-unanswered");
    let (queue, agent) = (("queue", "test"), ("agent", "SIP/201"));
    assert_eq!(only(&numbers, "asterisk_queue_entries_total", &[queue]), 1.0);
    assert_eq!(
        only(&numbers, "asterisk_queue_rings_total", &[queue, agent, ("result", "no_answer")]),
        1.0
    );
    assert_eq!(
        only(&numbers, "asterisk_queue_ring_seconds_sum", &[queue, agent, ("result", "no_answer")]),
        15.0
    );
    assert_eq!(
        only(&numbers, "asterisk_queue_exits_total", &[queue, ("outcome", "unserved")]),
        1.0
    );
    assert_eq!(
        only(&numbers, "asterisk_queue_hold_seconds_sum", &[queue, ("outcome", "unserved")]),
        15.0
    );
    let hangup = |leg, agent| {
        numbers.sum(
            "asterisk_queue_hangups_total",
            &[queue, ("leg", leg), ("agent", agent), ("cause", "16")],
        )
    };
    assert_eq!([hangup("caller", ""), hangup("agent", "SIP/201")], [1.0; 2]);
    assert_eq!(numbers.sum("asterisk_queue_hangups_total", &[]), 2.0);
    assert_eq!(only(&numbers, "asterisk_recordings_total", &[]), 1.0);
    assert_eq!(numbers.sum("asterisk_queue_recorded_calls_total", &[]), 0.0);
}

#[test]
fn flow_3_outbound_answered() {
    let numbers = seed("seed-3-outbound-answered");
    let call = [("direction", "outbound"), ("agent", "SIP/333"), ("trunk", "SIP/channel2")];
    assert_eq!(
        only(
            &numbers,
            "asterisk_calls_total",
            &[call[0], call[1], call[2], ("result", "answered")]
        ),
        1.0
    );
    assert_eq!(
        only(
            &numbers,
            "asterisk_call_hangups_total",
            &[call[0], call[1], call[2], ("cause", "16")]
        ),
        1.0
    );
    assert_eq!(
        only(&numbers, "asterisk_trunk_attempts_total", &[call[2], ("result", "answered")]),
        1.0
    );
    assert_eq!(only(&numbers, "asterisk_recordings_total", &[]), 1.0);
}

#[test]
fn flow_4_outbound_unanswered() {
    let numbers = seed("seed-4-outbound-unanswered");
    let call = [("direction", "outbound"), ("agent", "SIP/201"), ("trunk", "SIP/channel2")];
    assert_eq!(
        only(
            &numbers,
            "asterisk_calls_total",
            &[call[0], call[1], call[2], ("result", "no_answer")]
        ),
        1.0
    );
    // The dialled leg's cause, not the agent leg's 20.
    assert_eq!(
        only(
            &numbers,
            "asterisk_call_hangups_total",
            &[call[0], call[1], call[2], ("cause", "16")]
        ),
        1.0
    );
    assert_eq!(only(&numbers, "asterisk_recordings_total", &[]), 1.0);
}

/// Sum and count of a histogram of voice quality.
fn voice(numbers: &Numbers, name: &str, labels: &[(&str, &str)]) -> (f64, f64) {
    let [sum, count] =
        ["sum", "count"].map(|part| numbers.sum(&format!("asterisk_{name}_{part}"), labels));
    (sum, count)
}

#[track_caller]
fn assert_near((sum, count): (f64, f64), expected: f64, channels: f64) {
    assert_eq!(count, channels);
    assert!((sum - expected).abs() < 1e-9, "{sum} for {expected}");
}

/// chan_sip set the variable twice for each channel: the second one is later.
#[test]
fn voice_quality_of_16() {
    let numbers = seed("voice-16");
    let (trunk, ann) = (("trunk", "SIP/carrier-lossy"), ("agent", "Ann"));
    let (received, sent) = (("stream", "received"), ("stream", "sent"));
    for (name, labels, sum, channels) in [
        ("trunk_voice_loss_ratio", &[trunk, received][..], 411.0 / 4236.0 + 379.0 / 3907.0, 2.0),
        ("trunk_voice_loss_ratio", &[trunk, sent], 209.0 / 4318.0 + 182.0 / 3772.0, 2.0),
        ("trunk_voice_jitter_seconds", &[trunk, received], 0.014509 + 0.017823, 2.0),
        ("trunk_voice_jitter_seconds", &[trunk, sent], 0.0, 0.0),
        ("trunk_voice_round_trip_seconds", &[trunk], 0.036788 + 0.061355, 2.0),
        ("trunk_voice_score", &[], 0.0, 0.0),
        ("agent_voice_loss_ratio", &[ann, received], 433.0 / 4455.0, 1.0),
        ("agent_voice_loss_ratio", &[ann, sent], 212.0 / 4386.0, 1.0),
        ("agent_voice_jitter_seconds", &[ann, received], 0.012297, 1.0),
        ("agent_voice_jitter_seconds", &[ann, sent], 0.0, 0.0),
        ("agent_voice_round_trip_seconds", &[ann], 0.032897, 1.0),
        ("agent_voice_score", &[], 0.0, 0.0),
    ] {
        assert_near(voice(&numbers, name, labels), sum, channels);
    }
}

#[test]
fn voice_quality_of_22() {
    let numbers = seed("voice-22");
    let (trunk, ann) = (("trunk", "PJSIP/carrier-lossy"), ("agent", "Ann"));
    let (received, sent) = (("stream", "received"), ("stream", "sent"));
    for (name, labels, sum, channels) in [
        ("trunk_voice_loss_ratio", &[trunk, received][..], 2.0 * 29.0 / 605.0, 2.0),
        ("trunk_voice_loss_ratio", &[trunk, sent], 2.0 * 59.0 / 606.0, 2.0),
        ("trunk_voice_jitter_seconds", &[trunk, received], 0.00025, 2.0),
        ("trunk_voice_jitter_seconds", &[trunk, sent], 0.00025, 2.0),
        ("trunk_voice_round_trip_seconds", &[trunk], 0.001052 + 0.000961, 2.0),
        ("trunk_voice_score", &[trunk], 87.014004 + 87.011759, 2.0),
        ("agent_voice_loss_ratio", &[ann, received], 29.0 / 600.0, 1.0),
        ("agent_voice_loss_ratio", &[ann, sent], 59.0 / 603.0, 1.0),
        ("agent_voice_jitter_seconds", &[ann, received], 0.000125, 1.0),
        ("agent_voice_jitter_seconds", &[ann, sent], 0.000125, 1.0),
        ("agent_voice_round_trip_seconds", &[ann], 0.00119, 1.0),
        ("agent_voice_score", &[ann], 87.019184, 1.0),
    ] {
        assert_near(voice(&numbers, name, labels), sum, channels);
    }
}
