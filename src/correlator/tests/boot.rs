//! Restarts of the PBX: what they end, and when it was started.

use super::{AGENT, START, Stage, connected, joined};

#[test]
fn a_restart_ends_everything_and_a_reconnect_nothing() {
    let mut stage = connected();
    stage.event("FullyBooted Uptime=100").event("QueueCallerJoin Uniqueid=2.1 Queue=q");
    // The same boot, reported again later.
    stage.at(50.0).cut().event("FullyBooted Uptime=148");
    assert_eq!(stage.inside(), (1, 1));
    stage.event("FullyBooted Uptime=1");
    assert_eq!(
        (stage.count("q exit lost"), stage.count("q complete Ann lost"), stage.inside()),
        (1, 1, (0, 0))
    );
    stage.event("Shutdown").at(100.0);
    assert_eq!((stage.count("q exit lost"), stage.count("q complete Ann lost")), (1, 1));
}

#[test]
fn the_start_is_dated_by_our_clock_and_does_not_move() {
    let mut stage = joined();
    let started = |stage: &Stage| {
        stage.correlator.state(stage.now).started.map(|at| START.since(at).as_secs_f64())
    };
    assert_eq!(started(stage.event("FullyBooted")), None);
    // While we were logged in, so it carries the time of the PBX, whose clock is 50 years slow.
    stage.at(10.0).event("FullyBooted Uptime=100 Timestamp=1000.5");
    assert_eq!(started(&stage), Some(90.0));
    // The next login: no time, and another second of jitter.
    stage.at(50.0).cut().event("FullyBooted Uptime=139");
    assert_eq!((started(&stage), stage.inside()), (Some(90.0), (1, 0)));
    stage.at(60.0).cut().event("FullyBooted Uptime=155");
    assert_eq!((started(&stage), stage.inside()), (Some(90.0), (1, 0)));
}

#[test]
fn an_open_ring_attempt_is_lost_with_its_pbx() {
    let mut stage = joined();
    stage.event(&format!("AgentCalled {AGENT}")).event("Shutdown");
    assert_eq!((stage.count("q ring Ann lost"), stage.count("q exit lost")), (1, 1));
}
