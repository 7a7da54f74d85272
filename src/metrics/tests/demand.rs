//! Agents needed: a target of 20 s, and the half hour that begins at second `T`.

use std::sync::Arc;

use super::*;
use crate::clock::Moment;
use crate::correlator::{EndedBy, QueueState};

/// A queue that is known, and a scrape before its first half hour.
fn bench() -> (Bench, QueueId) {
    let settings = Settings { service_level: Some(secs(20)), ..Settings::default() };
    let mut bench = Bench::new(settings);
    let queue = bench.queue("support");
    bench.see(Observation::QueueKnown { queue, service_level: None });
    let (waiting, talking, longest_wait) = (0, 0, secs(0));
    bench.state.queues.push(QueueState { queue, waiting, talking, longest_wait, members: vec![] });
    pass(&mut bench, -10);
    pass(&mut bench, 5);
    (bench, queue)
}

const T: i64 = 1_764_000_000;

fn pass(bench: &mut Bench, seconds: i64) {
    pass_in(bench, seconds, Some(1));
}

fn pass_in(bench: &mut Bench, seconds: i64, session: Option<u32>) {
    let now = Moment::from_secs((T + seconds).unsigned_abs());
    bench.recorder.demands.pass(now, session);
}

/// A hundred calls, of which ten end after 150 s, with 30 s of wrap-up each: as many as in the published
/// example of `erlang`.
fn calls(bench: &mut Bench, queue: QueueId) {
    let agent = bench.agent("Ann");
    for _ in 0..100 {
        bench.see(Observation::Entered { queue });
    }
    for _ in 0..10 {
        let (ended_by, talk) = (EndedBy::Caller, Some(secs(150)));
        bench.see(Observation::Completed { queue, agent, ended_by, talk });
        bench.see(Observation::WrappedUp { queue, agent, spent: secs(30) });
    }
    bench.see(Observation::Completed { queue, agent, ended_by: EndedBy::Lost, talk: None });
}

fn needed(bench: &mut Bench) -> Option<f64> {
    bench.text().of(r#"asterisk_queue_agents_needed{queue="support"}"#)
}

#[test]
fn agents_needed_are_those_of_the_last_whole_half_hour() {
    let (mut bench, queue) = bench();
    calls(&mut bench, queue);
    pass(&mut bench, 1799);
    assert_eq!(needed(&mut bench), None);
    pass(&mut bench, 1805);
    assert_eq!(needed(&mut bench), Some(14.0));

    // The goal may change; what comes from now on is of the next half hour.
    calls(&mut bench, queue);
    let settings = Settings { service_level_share: 0.9, ..(*bench.recorder.settings).clone() };
    bench.recorder.change(&Arc::new(settings));
    assert_eq!(needed(&mut bench), Some(15.0));

    // Nobody called.
    pass(&mut bench, 3605);
    pass(&mut bench, 5405);
    assert_eq!(needed(&mut bench), Some(0.0));
}

#[test]
fn a_half_hour_that_was_not_seen_as_a_whole_needs_nobody_knows_how_many() {
    // Of the first one the beginning is missing.
    let (mut bench, queue) = bench();
    assert_eq!(needed(&mut bench), None);

    // The connection was lost, and is there again.
    calls(&mut bench, queue);
    pass_in(&mut bench, 900, None);
    pass_in(&mut bench, 905, Some(2));
    pass_in(&mut bench, 1805, Some(2));
    assert_eq!(needed(&mut bench), None);

    // It was back before anybody looked.
    calls(&mut bench, queue);
    pass_in(&mut bench, 2000, Some(3));
    pass_in(&mut bench, 3605, Some(3));
    assert_eq!(needed(&mut bench), None);

    // Somebody looks each half hour, but in the midst of it.
    calls(&mut bench, queue);
    pass_in(&mut bench, 3605 + 900, Some(3));
    pass_in(&mut bench, 5405 + 900, Some(3));
    assert_eq!(needed(&mut bench), None);
    pass_in(&mut bench, 7205 + 900, Some(3));
    assert_eq!(needed(&mut bench), None);
}

#[test]
fn a_queue_that_nobody_ever_called_needs_nobody() {
    let (mut bench, _) = bench();
    pass(&mut bench, 1805);
    assert_eq!(needed(&mut bench), Some(0.0));
}

#[test]
fn an_interval_that_nobody_ended_is_not_a_half_hour() {
    let (mut bench, queue) = bench();
    // Nobody looked when it should have ended.
    calls(&mut bench, queue);
    pass_in(&mut bench, 5405 + 600, Some(3));
    assert_eq!(needed(&mut bench), None);
    pass_in(&mut bench, 7205, Some(3));
    assert_eq!(needed(&mut bench), None);
}

#[test]
fn callers_of_whom_no_talk_ended_need_nobody_knows_how_many() {
    let (mut bench, queue) = bench();
    bench.see(Observation::Entered { queue });
    pass(&mut bench, 1805);
    assert_eq!(needed(&mut bench), None);
}
