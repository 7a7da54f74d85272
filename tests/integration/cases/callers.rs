//! Callers whose channel changes under the stay.

use support::Numbers;

use super::Case;

/// What became of the callers of a queue: entries, exits by outcome, completions by end; nothing
/// else may be counted.
#[track_caller]
fn assert_stays(numbers: &Numbers, queue: &str, expected: &[(&str, f64)]) {
    let q = ("queue", queue);
    let mut found = vec![("entered".to_owned(), numbers.sum("asterisk_queue_entries_total", &[q]))];

    for (metric, label) in [
        ("asterisk_queue_adopted_total", "phase"),
        ("asterisk_queue_exits_total", "outcome"),
        ("asterisk_queue_completions_total", "ended_by"),
    ] {
        for value in numbers.values(metric, label) {
            found.push((value.clone(), numbers.sum(metric, &[q, (label, &value)])));
        }
    }

    found.retain(|(_, count)| *count > 0.0);

    // `caller` is of a completion, all others are their own.
    let mut expected: Vec<_> =
        expected.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    expected.sort_by(|one, other| one.0.cmp(&other.0));

    assert_eq!(found, expected, "{queue}");
}

#[track_caller]
fn assert_seconds(numbers: &Numbers, metric: &str, labels: &[(&str, &str)], expected: f64) {
    let found = numbers.sum(metric, labels);
    assert!((found - expected).abs() < 0.001, "{metric} {labels:?}: {found}, not {expected}");
}

fn no_anomaly(numbers: &Numbers) {
    let found: Vec<_> = numbers.series("asterisk_exporter_anomalies_total", &[]).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_refer_into_a_waiting_place_is_one_stay_that_is_abandoned() {
    let case = Case::open("refer-into-waiting-place-abandoned");
    let numbers = case.numbers();
    assert_stays(&numbers, "none", &[("entered", 1.0), ("abandoned", 1.0)]);
    // From the consultation's Join.
    assert_seconds(
        &numbers,
        "asterisk_queue_hold_seconds_sum",
        &[("outcome", "abandoned")],
        33.017,
    );
    no_anomaly(&numbers);

    // Waiting throughout: before the transfer, right behind it, at the end.
    for moment in [1_790_040_295.0, 1_790_040_296.5, 1_790_040_325.0] {
        let then = case.numbers_until(moment);
        assert_eq!(
            then.sum("asterisk_queue_callers_waiting", &[("queue", "none")]),
            1.0,
            "{moment}"
        );
    }
    assert_eq!(numbers.sum("asterisk_queue_callers_waiting", &[]), 0.0);
    let audited = case.audit(&[]);
    assert_eq!(audited.code, Some(0), "{}", audited.text);
}

#[test]
fn a_refer_into_a_waiting_place_that_rings_an_agent_is_one_stay_on_a_real_22() {
    let case = Case::open("refer-into-waiting-place-22");
    let numbers = case.numbers();
    assert_stays(&numbers, "cdesk", &[("entered", 1.0), ("answered", 1.0), ("transfer", 1.0)]);
    assert_stays(&numbers, "cnever", &[("entered", 1.0), ("abandoned", 1.0)]);
    assert_seconds(
        &numbers,
        "asterisk_queue_hold_seconds_sum",
        &[("outcome", "abandoned")],
        12.495,
    );

    let rings = |result| {
        numbers.sum("asterisk_queue_rings_total", &[("queue", "cnever"), ("result", result)])
    };
    assert_eq!((rings("no_answer"), rings("canceled"), rings("answered")), (2.0, 1.0, 0.0));
    no_anomaly(&numbers);

    assert_eq!(case.audit(&[]).code, Some(0));
}

#[test]
fn a_caller_behind_an_optimised_local_channel_talks_to_the_end() {
    let case = Case::open("local-caller-optimised");
    let numbers = case.numbers();
    assert_stays(&numbers, "sales", &[("entered", 1.0), ("answered", 1.0), ("caller", 1.0)]);
    assert_seconds(
        &numbers,
        "asterisk_queue_talk_seconds_sum",
        &[("queue", "sales"), ("agent", "Anna Ash")],
        45.008,
    );
    no_anomaly(&numbers);

    // 36 s after the Local channel is gone its caller talks on.
    let late = case.numbers_until(1_790_040_675.0);
    assert_eq!(late.sum("asterisk_queue_callers_talking", &[("queue", "sales")]), 1.0);
    assert_eq!(
        late.sum("asterisk_agent_state", &[("agent", "Anna Ash"), ("state", "talking")]),
        1.0
    );
    assert_eq!(case.audit(&[]).code, Some(0));
}

#[test]
fn a_waiting_caller_whom_the_bridge_action_takes_is_redirected() {
    let case = Case::open("bridge-takes-waiting-caller-22");
    let numbers = case.numbers();
    assert_stays(&numbers, "cnever", &[("entered", 1.0), ("redirected", 1.0)]);
    assert_seconds(
        &numbers,
        "asterisk_queue_hold_seconds_sum",
        &[("outcome", "redirected")],
        2.516,
    );
    let rings = [("queue", "cnever"), ("agent", "Nora North")];
    assert_eq!(numbers.sum("asterisk_queue_rings_total", &rings), 1.0);
    assert_eq!(
        numbers.sum("asterisk_queue_rings_total", &[rings[0], rings[1], ("result", "canceled")]),
        1.0
    );
    no_anomaly(&numbers);

    // Eight seconds into the other call nobody waits, and the agent is free.
    let later = case.numbers_until(1_795_942_265.0);
    assert_eq!(later.sum("asterisk_queue_callers_waiting", &[]), 0.0);
    assert_eq!(later.sum("asterisk_queue_longest_wait_seconds", &[]), 0.0);
    assert_eq!(
        later.sum("asterisk_agent_state", &[("agent", "Nora North"), ("state", "available")]),
        1.0
    );
}

#[test]
fn an_agent_complete_of_the_second_line_ends_the_talk_once() {
    let numbers = Case::open("refer-to-conference-24").numbers();
    assert_stays(&numbers, "cdesk", &[("entered", 1.0), ("answered", 1.0), ("caller", 1.0)]);
    assert_seconds(&numbers, "asterisk_queue_talk_seconds_sum", &[("agent", "Dana Dale")], 4.039);
    no_anomaly(&numbers);
}

#[test]
fn events_behind_the_first_list_are_no_anomaly() {
    let numbers = Case::open("login-in-load-23").numbers();
    let adopted = |phase| numbers.sum("asterisk_queue_adopted_total", &[("phase", phase)]);
    assert_eq!((adopted("waiting"), adopted("talking")), (10.0, 6.0));
    assert_eq!(
        numbers.sum("asterisk_exporter_anomalies_total", &[("kind", "stay_without_join")]),
        0.0
    );
}
