//! Which series begin at zero, and when.

use super::*;
use crate::correlator::{CallResult, Cause, Direction, Observation as O, Outcome, TrunkId, Word};

const LEVELS: [ZeroSeries; 3] = [ZeroSeries::Few, ZeroSeries::Usual, ZeroSeries::All];

fn bench(zero_series: ZeroSeries) -> Bench {
    Bench::new(Settings { zero_series, ..Settings::default() })
}

/// The series of a metric whose labels contain `labels`, all of which are zero.
fn zeros(bench: &mut Bench, name: &str, labels: &str) -> usize {
    let text = bench.text();
    let start = format!("{name}{{");
    let series: Vec<_> =
        text.0.lines().filter(|line| line.starts_with(&start) && line.contains(labels)).collect();
    assert!(series.iter().all(|line| line.ends_with(" 0") || line.ends_with(" 0.0")), "{series:?}");
    series.len()
}

#[test]
fn a_known_queue_begins_its_hold_times_and_the_causes_of_those_who_leave() {
    for (level, hold, causes) in LEVELS.into_iter().zip([0, 9, 9]).zip([0, 2, 2]).map(flat) {
        let bench = &mut bench(level);
        let queue = bench.queue("support");
        bench.see(O::QueueKnown { queue, service_level: None });
        let name = "asterisk_queue_hold_seconds_count";
        assert_eq!(zeros(bench, name, "queue=\"support\""), hold, "{level:?}");
        assert_eq!(zeros(bench, name, Outcome::Lost.word()), 0, "{level:?}");
        let name = "asterisk_queue_hangups_total";
        assert_eq!(zeros(bench, name, "agent=\"\",leg=\"caller\""), causes, "{level:?}");
    }
}

#[test]
fn a_ring_attempt_begins_what_it_may_lead_to() {
    for (level, known, rung) in LEVELS.into_iter().zip([0, 0, 1]).zip([0, 1, 1]).map(flat) {
        let bench = &mut bench(level);
        let (queue, agent) = (bench.queue("support"), bench.agent("Ann"));
        let member = "queue=\"support\",agent=\"Ann\"";
        let check = |bench: &mut Bench, times: usize| {
            for (name, series) in [
                ("asterisk_queue_ring_seconds_count", 5),
                ("asterisk_queue_talk_seconds_count", 1),
                ("asterisk_queue_hangups_total", 8),
            ] {
                assert_eq!(zeros(bench, name, member), series * times, "{level:?} {name}");
            }
        };
        bench.see(O::MemberKnown { queue, agent });
        check(bench, known);
        bench.see(O::RingBegan { queue, agent });
        bench.see(O::RingBegan { queue, agent });
        check(bench, rung);
    }
}

#[test]
fn a_trunk_begins_its_causes_and_the_calls_of_nobody() {
    for (level, causes, calls) in
        LEVELS.into_iter().zip([0, Cause::COUNT, Cause::COUNT]).zip([0, 12, 12]).map(flat)
    {
        let bench = &mut bench(level);
        let trunk = bench.names.trunks.intern(b"SIP/carrier");
        bench.see(O::TrunkKnown { trunk });
        let label = "trunk=\"SIP/carrier\"";
        assert_eq!(zeros(bench, "asterisk_trunk_attempts_total", label), 6, "{level:?}");
        let name = "asterisk_trunk_attempt_hangups_total";
        assert_eq!(zeros(bench, name, label), causes, "{level:?}");
        assert_eq!(zeros(bench, "asterisk_calls_total", label), calls, "{level:?}");
        // Twelve usual causes in each direction.
        assert_eq!(zeros(bench, "asterisk_call_hangups_total", label), 2 * calls, "{level:?}");
    }
}

#[test]
fn a_call_begins_what_it_may_be_counted_in() {
    let bench = &mut bench(ZeroSeries::Usual);
    let agent = bench.agent("Ann");
    let trunk = bench.names.trunks.intern(b"SIP/carrier");
    bench.see(O::CallBegan { direction: Direction::Outbound, agent, trunk });
    bench.see(O::CallBegan { direction: Direction::Inbound, agent, trunk });

    let outbound = "direction=\"outbound\",agent=\"Ann\"";
    let inbound = "direction=\"inbound\",agent=\"Ann\"";
    for (name, series) in [
        ("asterisk_calls_total", [6, 1]),
        ("asterisk_call_hangups_total", [12, 1]),
        ("asterisk_call_talk_seconds_count", [1, 1]),
    ] {
        assert_eq!([outbound, inbound].map(|labels| zeros(bench, name, labels)), series, "{name}");
    }
    assert_eq!(
        zeros(
            bench,
            "asterisk_calls_total",
            &format!("{inbound},trunk=\"SIP/carrier\",result=\"answered\"")
        ),
        1
    );
}

#[test]
fn durations_of_all_calls_begin_with_the_exporter() {
    for (level, ring, causes) in LEVELS.into_iter().zip([0, 24, 24]).zip([0, 48, 48]).map(flat) {
        let bench = &mut bench(level);
        assert_eq!(zeros(bench, "asterisk_call_ring_seconds_count", ""), ring, "{level:?}");
        assert_eq!(zeros(bench, "asterisk_call_hangups_total", ""), causes, "{level:?}");
    }
}

#[test]
fn each_known_agent_may_call_over_each_known_trunk() {
    let bench = &mut bench(ZeroSeries::All);
    let queue = bench.queue("support");
    let [one, two] = ["one", "two"].map(|name| bench.names.trunks.intern(name.as_bytes()));
    let [ann, bob] = ["Ann", "Bob"].map(|name| bench.agent(name));
    bench.see(O::TrunkKnown { trunk: one });
    bench.see(O::MemberKnown { queue, agent: ann });
    bench.see(O::TrunkKnown { trunk: two });
    bench.see(O::MemberKnown { queue, agent: bob });

    for agent in ["Ann", "Bob"] {
        for trunk in ["one", "two"] {
            for (direction, series) in [("inbound", 1), ("outbound", 6)] {
                let labels =
                    format!("direction=\"{direction}\",agent=\"{agent}\",trunk=\"{trunk}\"");
                assert_eq!(zeros(bench, "asterisk_calls_total", &labels), series, "{labels}");
            }
        }
        let labels = format!("direction=\"internal\",agent=\"{agent}\",trunk=\"\"");
        assert_eq!(zeros(bench, "asterisk_calls_total", &labels), 6, "{labels}");
    }
}

#[test]
fn what_may_never_happen_leaves_half_of_the_limit() {
    let limits = LabelLimits { series: 20_000, ..LabelLimits::default() };
    let settings = Settings { zero_series: ZeroSeries::All, limits, ..Settings::default() };
    let mut bench = Bench::new(settings);
    let queue = bench.queue("support");
    bench.see(O::QueueKnown { queue, service_level: None });
    for number in 0..100 {
        let agent = bench.agent(&format!("agent-{number}"));
        bench.see(O::MemberKnown { queue, agent });
    }
    let series = bench.text().of("asterisk_exporter_series").expect("it is there");
    // What the names have for sure is on top of it.
    assert!((10_000.0..13_500.0).contains(&series), "{series}");

    let agent = bench.agent("agent-99");
    let length = Some(secs(3));
    bench.see(O::RingEnded { queue, agent, result: crate::correlator::RingResult::Busy, length });
    let ring =
        r#"asterisk_queue_ring_seconds_count{queue="support",agent="agent-99",result="busy"}"#;
    assert_eq!(bench.text().of(ring), Some(1.0));
    let (direction, trunk) = (Direction::Internal, TrunkId::NONE);
    bench.see(O::CallEnded { direction, agent, trunk, result: CallResult::Busy });
    assert_eq!(bench.recorder.take_overflows(), []);
}

fn flat<A, B, C>(((a, b), c): ((A, B), C)) -> (A, B, C) {
    (a, b, c)
}
