use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;

use super::*;

#[test]
fn exactly_the_calls_of_a_stream_are_counted() {
    for (mix, recordings) in
        [(Mix::Transcript, false), (Mix::Transcript, true), (Mix::Full, false), (Mix::Full, true)]
    {
        let shape = Shape { mix, recordings, live: 60, bytes: 3_000_000, ..Shape::default() };
        let (bytes, sent) = generate(&shape);
        assert_eq!(sent.bytes, bytes.len() as u64);
        let page = replay(&bytes, sent.events);
        sent.check(&page).expect("exact numbers");
        assert_eq!(sum(&page, "asterisk_exporter_events_total", ""), sent.events as f64);
        assert!(sent.calls > sent.entries && sent.entries > sent.answered && sent.answered > 0);
        // The check itself must not be content with any page.
        assert!(Sent { calls: sent.calls + 1, ..sent }.check(&page).is_err());
    }
}

#[test]
fn the_same_seed_gives_the_same_stream() {
    let shape = Shape { live: 10, bytes: 100_000, ..Shape::default() };
    let other = Shape { seed: 2, ..shape };
    assert!(generate(&shape).0 == generate(&shape).0);
    assert!(generate(&shape).0 != generate(&other).0);
}

fn replay(bytes: &[u8], events: u64) -> String {
    let trunks = Patterns::new([TRUNKS]).expect("a pattern");
    let rules = Rules { trunks, ..Rules::default() };
    let metrics = Metrics::new(Settings::default());
    let mut replay = Replay::new(&PbxName::new("bench"), rules, metrics, Limits::default());
    let (played, stopped) = replay.play(bytes);
    assert!(stopped.is_none() && played.events == events);
    replay.exposition(Format::Text)
}
