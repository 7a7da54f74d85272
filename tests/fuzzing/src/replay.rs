//! Bytes to the exposition: what went in came out or is still there, and nothing is left after a
//! restart.

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;
use support::Numbers;

/// The input is a capture.
pub(crate) fn check(input: &[u8]) {
    let mut replay = new();
    if let (_, Some(_)) = replay.play(input) {
        // Asterisk 11.
        return;
    }
    finish(replay);
}

/// A replay of nothing yet, which has trunks.
pub(crate) fn new() -> Replay {
    let trunks = Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).expect("a pattern");
    let rules = Rules { trunks, ..Rules::default() };
    let metrics = Metrics::new(Settings::default());
    Replay::new(&PbxName::new("pbx"), rules, metrics, Limits { line: 4096, frame: 16_384 })
}

/// Checks what was played, and ends whatever goes on.
pub(crate) fn finish(mut replay: Replay) {
    read(&mut replay).assert_conserved("after the input");

    // All calls end when the PBX starts again.
    let (_, stop) = replay.play(RESTART);
    assert!(stop.is_none(), "{stop:?}");
    let after = read(&mut replay);
    after.assert_conserved("after a restart");
    for gauge in OPEN {
        let left: Vec<_> = after.series(gauge, &[]).collect();
        assert!(left.is_empty(), "left after a restart: {left:?}");
    }
    replay.finish();
}

fn read(replay: &mut Replay) -> Numbers {
    let text = replay.exposition(Format::Text);
    let numbers = Numbers::read(&text);
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for sample in samples {
        let value: f64 = sample.rsplit(' ').next().and_then(|it| it.parse().ok()).expect("a value");
        assert!(value.is_finite() && value >= 0.0, "{sample}");
    }
    numbers
}

/// The greetings of two logins, between which the PBX was started again: it runs for less time.
const RESTART: &[u8] = b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 9\r\n\
    LastReload: 1\r\nStatus: Fully Booted\r\n\r\n\
    Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\nStatus: Fully Booted\r\n\r\n";

/// What is counted while it goes on.
const OPEN: &[&str] = &[
    "asterisk_queue_callers_waiting",
    "asterisk_queue_callers_talking",
    "asterisk_calls_active",
    "asterisk_trunk_calls_active",
    "asterisk_exporter_tracked_objects",
];
