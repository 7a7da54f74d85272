use std::collections::HashMap;

use super::*;
use crate::correlator::{Outcome, Patterns, Phase, QueueState, Refusal, Word};

fn exited(queue: QueueId, outcome: Outcome, hold: Duration) -> Observation {
    Observation::Exited { queue, outcome, hold: Some(hold) }
}

#[test]
fn a_known_queue_starts_at_zero() {
    let mut bench = Bench::new(Settings::default());
    let queue = bench.queue("support");
    bench.see(Observation::QueueKnown { queue, service_level: None });
    let text = bench.text();
    for name in
        ["entries", "answered_in_target", "abandoned_in_target", "short_abandons", "recorded_calls"]
    {
        assert_eq!(
            text.of(&format!("asterisk_queue_{name}_total{{queue=\"support\"}}")),
            Some(0.0),
            "{name}"
        );
    }
    for outcome in Outcome::ALL {
        let sample = format!(
            "asterisk_queue_exits_total{{queue=\"support\",outcome=\"{}\"}}",
            outcome.word()
        );
        assert_eq!(text.of(&sample), Some(0.0));
    }
    assert_eq!(
        text.of(r#"asterisk_queue_adopted_total{queue="support",phase="talking"}"#),
        Some(0.0)
    );
    assert_eq!(
        text.of(r#"asterisk_queue_refusals_total{queue="support",reason="full"}"#),
        Some(0.0)
    );
    assert_eq!(
        text.of(r#"asterisk_queue_refusals_total{queue="support",reason="unknown_queue"}"#),
        None
    );
    assert_eq!(
        text.of(r#"asterisk_queue_refusals_total{queue="",reason="unknown_queue"}"#),
        Some(0.0)
    );
    // All but `lost`.
    let holds =
        text.0.lines().filter(|line| line.starts_with("asterisk_queue_hold_seconds_count{"));
    assert_eq!((holds.count(), text.sum("asterisk_queue_hold_seconds_count")), (9, Some(0.0)));
}

#[test]
fn each_outcome_is_counted_once_and_a_lost_wait_has_no_length() {
    let mut bench = Bench::new(Settings::default());
    let queue = bench.queue("support");
    for (seconds, &outcome) in Outcome::ALL.iter().enumerate() {
        bench.see(Observation::Entered { queue });
        bench.see(exited(queue, outcome, secs(10 + seconds as u64)));
    }
    bench.see(Observation::Exited { queue, outcome: Outcome::Answered, hold: None });
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_queue_entries_total{queue="support"}"#), Some(10.0));
    assert_eq!(
        text.of(r#"asterisk_queue_exits_total{queue="support",outcome="answered"}"#),
        Some(2.0)
    );
    assert_eq!(text.of(r#"asterisk_queue_exits_total{queue="support",outcome="lost"}"#), Some(1.0));
    assert_eq!(text.sum("asterisk_queue_exits_total"), Some(11.0));
    assert_eq!(
        text.of(r#"asterisk_queue_hold_seconds_count{queue="support",outcome="answered"}"#),
        Some(1.0)
    );
    assert_eq!(
        text.of(r#"asterisk_queue_hold_seconds_sum{queue="support",outcome="abandoned"}"#),
        Some(11.0)
    );
    assert_eq!(
        text.of(
            r#"asterisk_queue_hold_seconds_bucket{le="10.0",queue="support",outcome="answered"}"#
        ),
        Some(1.0)
    );
    assert_eq!(
        text.of(r#"asterisk_queue_hold_seconds_count{queue="support",outcome="lost"}"#),
        None
    );
    assert_eq!(text.sum("asterisk_queue_hold_seconds_count"), Some(9.0));
}

#[test]
fn a_wait_of_exactly_the_target_is_within_it() {
    let mut bench = Bench::new(Settings { service_level: Some(secs(20)), ..Settings::default() });
    let queue = bench.queue("support");
    bench.see(Observation::QueueKnown { queue, service_level: Some(secs(60)) });
    let beyond = secs(20) + Duration::from_micros(1);
    for hold in [secs(19), secs(20), beyond, secs(60)] {
        bench.see(exited(queue, Outcome::Answered, hold));
    }
    for hold in [secs(5), secs(5) + Duration::from_micros(1), secs(20), beyond] {
        bench.see(exited(queue, Outcome::Abandoned, hold));
    }
    bench.see(exited(queue, Outcome::Timeout, secs(1)));
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_queue_answered_in_target_total{queue="support"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_queue_abandoned_in_target_total{queue="support"}"#), Some(3.0));
    assert_eq!(text.of(r#"asterisk_queue_short_abandons_total{queue="support"}"#), Some(1.0));
    let bucket =
        r#"asterisk_queue_hold_seconds_bucket{le="20.0",queue="support",outcome="answered"}"#;
    assert_eq!(text.of(bucket), Some(2.0));
}

#[test]
fn the_target_is_the_configured_one_else_the_queue_s_own_else_none() {
    let levels = HashMap::from([("vip".to_owned(), secs(7))]);
    let mut bench = Bench::new(Settings { queue_service_levels: levels, ..Settings::default() });
    let (vip, sales, plain) = (bench.queue("vip"), bench.queue("sales"), bench.queue("plain"));
    for (queue, service_level) in [(vip, Some(secs(60))), (sales, Some(secs(60))), (plain, None)] {
        bench.see(Observation::QueueKnown { queue, service_level });
        bench.see(exited(queue, Outcome::Answered, secs(8)));
        bench.state.queues.push(idle(queue));
    }
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_queue_service_level_target_seconds{queue="vip"}"#), Some(7.0));
    assert_eq!(
        text.of(r#"asterisk_queue_service_level_target_seconds{queue="sales"}"#),
        Some(60.0)
    );
    assert_eq!(text.of(r#"asterisk_queue_service_level_target_seconds{queue="plain"}"#), None);
    assert_eq!(text.of(r#"asterisk_queue_answered_in_target_total{queue="vip"}"#), Some(0.0));
    assert_eq!(text.of(r#"asterisk_queue_answered_in_target_total{queue="sales"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_queue_answered_in_target_total{queue="plain"}"#), Some(0.0));
    assert_eq!(
        text.of(r#"asterisk_queue_hold_seconds_bucket{le="7.0",queue="plain",outcome="answered"}"#),
        Some(0.0)
    );
}

#[test]
fn a_denied_queue_is_nowhere() {
    let deny = Patterns::new(["^test"]).expect("a valid pattern");
    let mut bench = Bench::new(Settings { queue_deny: deny, ..Settings::default() });
    let (queue, agent) = (bench.queue("test-1"), bench.agent("Ann"));
    bench.see(Observation::QueueKnown { queue, service_level: Some(secs(20)) });
    bench.see(Observation::MemberKnown { queue, agent });
    bench.see(Observation::Entered { queue });
    bench.see(Observation::Adopted { queue, phase: Phase::Waiting });
    bench.see(exited(queue, Outcome::Answered, secs(2)));
    bench.see(Observation::Refused { queue, reason: Refusal::Full });
    bench.see(Observation::RecordedCall { queue, agent });
    bench.see(Observation::AgentDumped { queue, agent });
    bench.see(Observation::Refused { queue: QueueId::NONE, reason: Refusal::UnknownQueue });
    bench.state.queues.push(QueueState { waiting: 3, ..idle(queue) });
    let text = bench.text();
    assert!(!text.0.contains("test-1"), "{}", text.0);
    assert_eq!(text.sum("asterisk_queue_entries_total"), None);
    assert_eq!(text.sum("asterisk_queue_callers_waiting"), None);
    assert_eq!(
        text.of(r#"asterisk_queue_refusals_total{queue="",reason="unknown_queue"}"#),
        Some(1.0)
    );
    assert_eq!(
        text.of(r#"asterisk_agent_state_seconds_total{agent="Ann",state="talking",reason=""}"#),
        Some(0.0)
    );
}

#[test]
fn conservation_holds_for_queues_folded_into_other() {
    let limits = LabelLimits { queues: 1, ..LabelLimits::default() };
    let mut bench =
        Bench::new(Settings { limits, service_level: Some(secs(20)), ..Settings::default() });
    for (name, waits) in [("first", 1), ("second", 2), ("third", 3)] {
        let queue = bench.queue(name);
        for _ in 0..waits + 2 {
            bench.see(Observation::Entered { queue });
        }
        bench.see(exited(queue, Outcome::Answered, secs(2)));
        bench.see(exited(queue, Outcome::Timeout, secs(2)));
        bench.state.queues.push(QueueState {
            waiting: waits,
            talking: 1,
            longest_wait: secs(waits),
            ..idle(queue)
        });
    }
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_queue_entries_total{queue="first"}"#), Some(3.0));
    assert_eq!(text.of(r#"asterisk_queue_entries_total{queue="other"}"#), Some(9.0));
    assert_eq!(
        text.of(r#"asterisk_queue_exits_total{queue="other",outcome="answered"}"#),
        Some(2.0)
    );
    assert_eq!(
        text.of(r#"asterisk_queue_exits_total{queue="other",outcome="timeout"}"#),
        Some(2.0)
    );
    assert_eq!(text.of(r#"asterisk_queue_callers_waiting{queue="other"}"#), Some(5.0));
    assert_eq!(text.of(r#"asterisk_queue_callers_talking{queue="other"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_queue_longest_wait_seconds{queue="other"}"#), Some(3.0));
    assert_eq!(
        text.of(r#"asterisk_queue_service_level_target_seconds{queue="first"}"#),
        Some(20.0)
    );
    assert_eq!(text.of(r#"asterisk_queue_service_level_target_seconds{queue="other"}"#), None);
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="queue"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="agent"}"#), Some(0.0));
}

#[test]
fn a_removed_queue_leaves_the_gauges_and_stays_in_the_counters() {
    let mut bench = Bench::new(Settings::default());
    let queue = bench.queue("support");
    bench.see(Observation::QueueKnown { queue, service_level: Some(secs(30)) });
    bench.state.queues.push(QueueState { waiting: 2, ..idle(queue) });
    assert_eq!(bench.text().of(r#"asterisk_queue_callers_waiting{queue="support"}"#), Some(2.0));
    assert_eq!(bench.text().of(r#"asterisk_queue_callers_waiting{queue="support"}"#), Some(2.0));
    bench.state.queues.clear();
    let text = bench.text();
    assert_eq!(text.sum("asterisk_queue_callers_waiting"), None);
    assert_eq!(text.sum("asterisk_queue_service_level_target_seconds"), None);
    assert_eq!(text.of(r#"asterisk_queue_entries_total{queue="support"}"#), Some(0.0));
}

fn idle(queue: QueueId) -> QueueState {
    QueueState { queue, waiting: 0, talking: 0, longest_wait: Duration::ZERO, members: Vec::new() }
}
