//! Captured sessions, lists and all, out of order: what the correlator is spared and what `replay`
//! meets in damaged files.
//!
//! `SEQUENCES` and `SEQUENCE_SEED` as in the correlator's own test of that kind.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;

use fastrand::Rng;
use flate2::read::MultiGzDecoder;

use super::*;
use crate::correlator::Patterns;
use crate::metrics::Settings;

/// Captures with answers to our own questions, and one without.
const SESSIONS: [&str; 4] = [
    "gaps/16.ami.gz",
    "gaps/22.ami.gz",
    "cases/login-in-load-23/events.ami.gz",
    "captures/22/bulk.exporter.ami.gz",
];

#[test]
fn sessions_out_of_order_add_up_and_label_nobody() {
    let sessions = SESSIONS.map(frames);
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    let seeds = match number("SEQUENCE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEQUENCES").map_or(SEQUENCES, |sequences: u64| sequences / 10),
    };
    for seed in seeds {
        let mut rng = Rng::with_seed(seed);
        let one = window(&mut rng, &sessions);
        let other = window(&mut rng, &sessions);
        let text = splice(&mut rng, one, other);
        let mut replay = replay();
        for part in text.chunks(150) {
            replay.play(part.concat().as_bytes());
            let exposition = replay.exposition(Format::Text);
            assert_adds_up(&exposition, seed);
            assert_anonymous(&exposition, &text, seed);
        }
        replay.finish();
    }
}

fn replay() -> Replay {
    let trunks = Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a pattern");
    let metrics = Metrics::new(Settings::default());
    Replay::new(
        &PbxName::new("test"),
        Rules { trunks, ..Rules::default() },
        metrics,
        Limits::default(),
    )
}

fn frames(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).expect("a capture"))
        .read_to_string(&mut text)
        .expect("text");
    text.split_inclusive("\r\n\r\n").map(str::to_owned).collect()
}

/// The beginning of a session, which has its lists, and a part of what follows; a part of what has
/// no sessions.
fn window(rng: &mut Rng, sessions: &[Vec<String>]) -> Vec<String> {
    let frames = &sessions[rng.usize(0..sessions.len())];
    let logins: Vec<_> =
        (0..frames.len()).filter(|&at| frames[at].contains("-Login\r\n")).collect();
    let begins = rng.choice(&logins).copied().unwrap_or_else(|| rng.usize(0..frames.len()));
    frames[begins..].iter().take(rng.usize(50..700)).cloned().collect()
}

/// Both in turns, some frames left out, sent twice or late, and some with numbers that cannot be.
fn splice(rng: &mut Rng, one: Vec<String>, other: Vec<String>) -> Vec<String> {
    let rate = [0.0, 0.01, 0.05, 0.2][rng.usize(0..4)];
    let mut strands = [one.into_iter(), other.into_iter()];
    let (mut text, mut late) = (Vec::new(), Vec::new());
    loop {
        let strand = rng.usize(0..2);
        let before = text.len();
        for frame in strands[strand].by_ref().take(rng.usize(1..120)) {
            match rng.u8(0..5) {
                _ if rng.f64() >= rate => text.push(frame),
                0 => {}
                1 => text.extend([frame.clone(), frame]),
                2 => text.push(absurd(rng, &frame)),
                _ => late.push(frame),
            }
            if rng.u8(0..40) == 0 {
                text.append(&mut late);
            }
        }
        if text.len() == before && strands.iter().all(|strand| strand.len() == 0) {
            return text;
        }
    }
}

fn absurd(rng: &mut Rng, frame: &str) -> String {
    let number = ["18446744073709551615", "-1", "99999999999999999999999", "4294967296.5", ""]
        [rng.usize(0..5)];
    let line = |line: &str| match line.split_once(": ") {
        Some((key, value)) if value.parse::<f64>().is_ok() => format!("{key}: {number}\r\n"),
        _ => format!("{line}\r\n"),
    };
    frame.lines().map(line).collect()
}

/// Who waits and talks is what came less what went.
fn assert_adds_up(exposition: &str, seed: u64) {
    let sum = |name: &str, label: &str| -> f64 {
        let lines =
            exposition.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines
            .map(|line| {
                line.rsplit_once(' ')
                    .and_then(|(_, value)| value.parse::<f64>().ok())
                    .expect("a value")
            })
            .sum()
    };
    let joined = sum("asterisk_queue_entries_total{", "")
        + sum("asterisk_queue_adopted_total{", "\"waiting\"");
    let left = sum("asterisk_queue_exits_total{", "") + sum("asterisk_queue_callers_waiting{", "");
    assert_eq!(joined, left, "waits, SEQUENCE_SEED={seed}");
    let met = sum("asterisk_queue_exits_total{", "\"answered\"")
        + sum("asterisk_queue_adopted_total{", "\"talking\"");
    let parted =
        sum("asterisk_queue_completions_total{", "") + sum("asterisk_queue_callers_talking{", "");
    assert_eq!(met, parted, "talks, SEQUENCE_SEED={seed}");
}

/// No label is a channel or a Uniqueid.
fn assert_anonymous(exposition: &str, text: &[String], seed: u64) {
    let keys = ["Uniqueid: ", "Linkedid: ", "Channel: "];
    let lines = text.iter().flat_map(|frame| frame.lines());
    let private: HashSet<&str> =
        lines.filter_map(|line| keys.iter().find_map(|key| line.strip_prefix(key))).collect();
    let values = exposition
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split('"').skip(1).step_by(2));
    let private_label =
        values.filter(|value| !value.is_empty()).find(|value| private.contains(value));
    assert_eq!(private_label, None, "SEQUENCE_SEED={seed}");
}

/// A few seconds' worth.
const SEQUENCES: u64 = 12;
