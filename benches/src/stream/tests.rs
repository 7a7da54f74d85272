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
        let text = replay(&bytes, sent.events);
        let counted = |name: &str, label: &str| {
            let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
            lines.map(|line| line.rsplit(' ').next().expect("a number")).map(parse).sum::<u64>()
        };
        assert_eq!(counted("asterisk_calls_total{", ""), sent.calls, "{mix:?}");
        assert_eq!(counted("asterisk_queue_entries_total{", ""), sent.entries, "{mix:?}");
        let answered = counted("asterisk_queue_exits_total{", "outcome=\"answered\"");
        assert_eq!(answered, sent.answered, "{mix:?}");
        assert_eq!(counted("asterisk_queue_exits_total{", ""), sent.entries, "{mix:?}");
        assert_eq!(counted("asterisk_exporter_events_total{", ""), sent.events, "{mix:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_stream() {
    let shape = Shape { live: 10, bytes: 100_000, ..Shape::default() };
    let other = Shape { seed: 2, ..shape };
    assert!(generate(&shape).0 == generate(&shape).0);
    assert!(generate(&shape).0 != generate(&other).0);
}

fn parse(number: &str) -> u64 {
    number.parse().expect("a number")
}

fn replay(bytes: &[u8], events: u64) -> String {
    let trunks = Patterns::new(["^(SIP/channel|PJSIP/(trunk|carrier))[0-9]"]).expect("a pattern");
    let rules = Rules { trunks, ..Rules::default() };
    let metrics = Metrics::new(Settings::default());
    let mut replay = Replay::new(&PbxName::new("bench"), rules, metrics, Limits::default());
    let (played, stopped) = replay.play(bytes);
    assert!(stopped.is_none() && played.events == events);
    replay.exposition(Format::Text)
}
