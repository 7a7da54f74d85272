//! What a header does not mean.

use support::Numbers;
use support::fixture;

use super::Case;
use crate::lab::play;

/// Ring attempts at the agents of a queue, by result, without those that never came up.
fn rings(numbers: &Numbers, queue: &str) -> Vec<String> {
    let labels = [("queue", queue)];
    let result = |series: &str| {
        series.split("result=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
    };
    let rings = numbers.series("asterisk_queue_rings_total", &labels);
    rings.map(|(series, count)| format!("{count} {}", result(series).expect("a result"))).collect()
}

/// The state of the only member of a queue.
fn member(numbers: &Numbers, queue: &str) -> String {
    let labels = [("queue", queue)];
    let members: Vec<_> = numbers.series("asterisk_queue_agents", &labels).collect();
    assert!(matches!(members[..], [(_, 1.0)]), "{members:?}");
    members[0]
        .0
        .split("state=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a state")
        .to_owned()
}

/// Seconds an agent spent in each state in which there were any, to the millisecond.
fn states(numbers: &Numbers, agent: &str) -> Vec<(String, f64)> {
    let labels = [("agent", agent)];
    let series = numbers.series("asterisk_agent_state_seconds_total", &labels);
    let word = |series: &str| {
        series.split("state=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
    };
    series
        .map(|(series, seconds)| {
            (word(series).expect("a state"), (seconds * 1000.0).round() / 1000.0)
        })
        .collect()
}

/// Seconds of wrap-up after the calls of a queue.
fn wrapped_up(numbers: &Numbers, queue: &str) -> f64 {
    (numbers.sum("asterisk_queue_wrapup_seconds_total", &[("queue", queue)]) * 1e6).round() / 1e6
}

/// Waits that ended in a queue, by outcome.
fn exits(numbers: &Numbers, queue: &str, outcome: &str) -> f64 {
    numbers.sum("asterisk_queue_exits_total", &[("queue", queue), ("outcome", outcome)])
}

#[test]
fn a_forward_that_the_queue_does_not_follow_is_canceled_each_time() {
    let case = Case::open("forward-refused-22");
    let numbers = case.numbers();

    // The first caller's forward was followed and answered, the second one's queue had option i.
    assert_eq!(rings(&numbers, "cfwd"), ["1 answered", "8 canceled"]);
    assert_eq!(
        (exits(&numbers, "cfwd", "answered"), exits(&numbers, "cfwd", "timeout")),
        (1.0, 1.0)
    );
    assert_eq!(
        numbers.sum("asterisk_queue_agents", &[("queue", "cfwd"), ("state", "ringing")]),
        0.0
    );

    let audited = case.audit(&[]);
    assert_eq!(audited.code, Some(0), "{}", audited.text);
}

#[test]
fn an_account_that_sees_joins_and_leaves_only_knows_no_exit_key() {
    let numbers = Case::open("joins-and-leaves-only").numbers();
    assert_eq!(numbers.sum("asterisk_queue_entries_total", &[("queue", "500")]), 4.0);
    assert_eq!(
        (exits(&numbers, "500", "unserved"), exits(&numbers, "500", "exit_key")),
        (4.0, 0.0)
    );
}

#[test]
fn the_queue_s_wrap_up_is_in_both_queues_where_the_last_call_is_shared() {
    // AgentComplete came at 1790040950.886632; wrapa has 20 s, and wrapb nothing.
    let case = Case::open("queue-wrap-up");
    let both = |numbers: &Numbers| [member(numbers, "wrapa"), member(numbers, "wrapb")];
    assert_eq!(both(&case.numbers_until(1_790_040_948.0)), ["ringing", "ringing"]);
    assert_eq!(both(&case.numbers()), ["wrapup", "wrapup"]);
    assert_eq!(both(&case.numbers_at(1_790_040_970.886)), ["wrapup", "wrapup"]);

    let over = case.numbers_at(1_790_040_970.887);
    assert_eq!(both(&over), ["available", "available"]);
    assert_eq!((wrapped_up(&over, "wrapa"), wrapped_up(&over, "wrapb")), (20.0, 0.0));

    // However late the next event comes.
    for (at, available) in [(1_790_040_970.887, 0.0), (1_790_040_990.887, 20.0)] {
        let times = states(&case.numbers_at(at), "Cleo Cole");
        for (state, seconds) in [("wrapup", 19.997), ("available", available)] {
            assert!(times.contains(&(state.to_owned(), seconds)), "{at}: {times:?}");
        }
    }
}

#[test]
fn wrap_up_of_22_keeps_the_agent_from_the_other_queue_for_6_s() {
    // The call in cwa ended at 1795940668.900920; a caller waits in cwb from 671.684 on, and is put
    // through to the agent at 674.689, as Asterisk counts whole seconds.
    let case = Case::open("queue-wrap-up-22");
    let both = |numbers: &Numbers| {
        ["cwa", "cwb"].map(|queue| {
            let of =
                |state| numbers.sum("asterisk_queue_agents", &[("queue", queue), ("state", state)]);
            (of("wrapup"), of("available"))
        })
    };
    assert_eq!(both(&case.numbers_until(1_795_940_668.9)), [(0.0, 0.0), (0.0, 0.0)]);
    assert_eq!(both(&case.numbers_until(1_795_940_671.5)), [(1.0, 0.0), (1.0, 0.0)]);
    assert_eq!(both(&case.numbers_until(1_795_940_674.68)), [(1.0, 0.0), (1.0, 0.0)]);

    // cwb has no wrap-up time, so none follows its call.
    let numbers = case.numbers();
    assert_eq!(both(&numbers), [(0.0, 1.0), (0.0, 1.0)]);
    assert_eq!((wrapped_up(&numbers, "cwa"), wrapped_up(&numbers, "cwb")), (6.0, 0.0));
}

#[test]
fn do_not_disturb_by_a_custom_device_state_is_no_call() {
    let case = Case::open("dnd-by-hint");
    let numbers = case.numbers_until(1_790_003_660.0);
    assert_eq!(
        (member(&numbers, "500"), numbers.sum("asterisk_agent_state", &[("state", "dnd")])),
        ("dnd".to_owned(), 1.0)
    );

    let numbers = case.numbers();
    assert_eq!(member(&numbers, "500"), "available");
    assert_eq!(
        states(&numbers, "Dana Dove"),
        [("available".to_owned(), 60.001), ("dnd".to_owned(), 3600.0)]
    );
}

#[test]
fn a_hint_in_use_whose_second_line_rings_is_busy_throughout() {
    let case = Case::open("hint-status-4");
    assert_eq!(member(&case.numbers_until(1_795_944_790.0), "hintq"), "busy");
    let numbers = case.numbers();
    assert_eq!(member(&numbers, "hintq"), "available");
    assert_eq!(
        states(&numbers, "Hin T"),
        [("available".to_owned(), 5.0), ("busy".to_owned(), 35.0)]
    );
}

#[test]
fn pool_agents_of_real_servers_are_in_a_call_and_nothing_else() {
    for folder in ["16", "22"] {
        let numbers = play(&fixture(&format!("captures/{folder}/17e-agent-pool.ami.gz")));
        let words: Vec<_> =
            states(&numbers, "Pat Page").into_iter().map(|(state, _)| state).collect();
        assert!(!words.contains(&"dnd".to_owned()), "{folder}: {words:?}");
        // The agent's own call: nobody to talk to while it waits in the holding bridge.
        let own: Vec<_> = numbers
            .series("asterisk_call_talk_seconds_count", &[("direction", "unknown")])
            .collect();
        assert_eq!(own, [], "{folder}");
    }
}

#[test]
fn a_pool_agent_who_pressed_the_key_is_free_when_the_talk_is_over() {
    for (folder, talk, talking) in [("16", 2.587_179, 2.591), ("22", 3.599_891, 3.603)] {
        let numbers =
            play(&fixture(&format!("captures/{folder}/17f-pool-agent-leaves-by-key.ami.gz")));
        let agent = ("agent", "pool-agent-key 0");
        let times = states(&numbers, agent.1);
        assert!(times.contains(&("talking".to_owned(), talking)), "{folder}: {times:?}");
        assert_eq!(numbers.sum("asterisk_queue_talk_seconds_sum", &[agent]), talk, "{folder}");
        assert_eq!(
            numbers.sum("asterisk_queue_completions_total", &[agent, ("ended_by", "agent")]),
            1.0,
            "{folder}"
        );
    }
}

#[test]
fn no_real_agent_is_on_do_not_disturb() {
    let mut played = 0;
    for folder in ["16", "22"] {
        let captures = std::fs::read_dir(fixture(&format!("captures/{folder}"))).expect("captures");
        for path in captures.map(|entry| entry.expect("an entry").path()) {
            if path.to_string_lossy().ends_with(".ami.gz")
                && !path.to_string_lossy().contains("quer")
            {
                let numbers = play(&path);
                let spent = numbers.sum("asterisk_agent_state_seconds_total", &[("state", "dnd")]);
                assert!(spent < 0.01, "{}: {spent}", path.display());
                played += 1;
            }
        }
    }
    assert!(played > 100, "only {played} captures");
}
