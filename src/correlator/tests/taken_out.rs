//! Callers who are taken out of a queue.

use super::snapshot;
use super::swap::ringing;

#[test]
fn a_waiting_caller_who_enters_a_bridge_was_taken_out_of_the_queue() {
    let mut stage = ringing();
    stage
        .at(4.0)
        .event("BridgeEnter BridgeUniqueid=x Uniqueid=1.1")
        .event("BridgeEnter BridgeUniqueid=x Uniqueid=7.1");
    assert_eq!(stage.inside(), (0, 0));
    stage.event("Hangup Uniqueid=1.5 Cause=0");
    assert_eq!((stage.count("q exit redirected"), stage.sum("q hold redirected")), (1, 4.0));
    assert_eq!((stage.count("q ring Ann canceled"), stage.count("q ring Ann no_answer")), (1, 0));
    let ann = stage.correlator.state(stage.now).agents[0].state;
    assert_eq!(ann, crate::correlator::AgentState::Available);

    // The same caller may come back.
    stage
        .at(20.0)
        .event("BridgeLeave BridgeUniqueid=x Uniqueid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    assert_eq!((stage.count("q entered"), stage.inside()), (2, (1, 0)));
    assert_eq!(stage.count("anomaly duplicate_join"), 0);
}

#[test]
fn a_caller_who_is_taken_in_the_announcement_left_as_well() {
    let mut stage = ringing();
    stage.at(3.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.5 DialStatus=ANSWER");
    stage
        .at(4.0)
        .event("BridgeEnter BridgeUniqueid=x Uniqueid=1.1")
        .event("Hangup Uniqueid=1.5 Cause=16");
    assert_eq!(
        (stage.count("q exit redirected"), stage.count("q ring Ann answered"), stage.inside()),
        (1, 1, (0, 0))
    );
}

#[test]
fn lists_that_no_longer_have_the_caller_mend_what_no_event_reports() {
    let mut stage = ringing();
    let member = "QueueMember Queue=q Name=Ann Location=SIP/201 Status=1 Paused=0";
    for list in 1..=2 {
        stage.at(60.0 * f64::from(list));
        stage.correlator.begin_listing();
        let snapshot = snapshot(&["QueueParams Queue=q ServiceLevel=0", member]);
        stage.correlator.reconcile(stage.now, &snapshot, &mut stage.tally);
    }
    stage.at(123.0);
    assert_eq!(
        (stage.count("q exit lost"), stage.count("anomaly caller_vanished"), stage.inside()),
        (1, 1, (0, 0))
    );
}
