//! Talks: one completion each, and how long they lasted.

use super::{Stage, connected, joined};

#[test]
fn talk_runs_from_the_bridge_to_its_end() {
    let mut stage = connected();
    assert_eq!(stage.inside(), (0, 1));
    stage
        .at(10.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16")
        .event("Hangup Uniqueid=1.1 Cause=16");
    // After both Hangups and without either id.
    stage.at(10.5).event("AgentComplete Queue=q Interface=SIP/201 MemberName=Ann HoldTime=3 TalkTime=7 Reason=caller");
    assert_eq!(stage.count("q complete Ann caller"), 1);
    assert_eq!(stage.sum("q talk Ann"), 7.0);
    assert_eq!(stage.sum("q ring Ann answered"), 2.0);
    assert_eq!(stage.inside(), (0, 0));
}

#[test]
fn without_an_agent_complete_the_first_request_decides_after_five_seconds() {
    let mut stage = connected();
    stage
        .at(10.0)
        .event("HangupRequest Uniqueid=1.2")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2");
    stage
        .event("HangupRequest Uniqueid=1.1")
        .event("Hangup Uniqueid=1.2")
        .event("Hangup Uniqueid=1.1");
    assert_eq!(stage.at(14.9).inside(), (0, 1));
    assert_eq!(stage.at(15.0).inside(), (0, 0));
    // The event that comes after all changes nothing.
    stage
        .at(20.0)
        .event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann TalkTime=17 Reason=caller");
    stage.event("AgentComplete Queue=q Interface=SIP/201 MemberName=Ann HoldTime=9 TalkTime=17 Reason=caller").at(90.0);
    assert_eq!(stage.count("q complete Ann agent"), 1);
    assert_eq!(stage.sum("q talk Ann"), 7.0);
}

#[test]
fn a_consultation_belongs_to_the_talk() {
    let mut stage = connected();
    stage
        .at(8.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.2");
    stage.at(20.0).event("BridgeLeave BridgeUniqueid=c Uniqueid=1.2");
    stage.at(21.0).event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2");
    stage
        .at(33.0)
        .event("AgentComplete Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    assert_eq!(stage.sum("q talk Ann"), 30.0);
    assert_eq!(stage.count("anomaly complete_missing"), 0);
}

#[test]
fn an_optimised_local_channel_is_followed_to_the_phone() {
    let mut stage = Stage::live();
    let call = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=Local/9@x-0;1 Queue=q Interface=Local/9@x MemberName=Ann";
    stage
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.2 Linkedid=1.1");
    stage
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.3 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3");
    stage.event(&format!("AgentCalled {call}")).event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.event("DialBegin Uniqueid=1.3 DestUniqueid=1.4 DestChannel=SIP/201-4");
    stage
        .at(2.0)
        .event("DialEnd Uniqueid=1.3 DestUniqueid=1.4 DialStatus=ANSWER")
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect {call} HoldTime=2 RingTime=2"));
    stage
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.4")
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.3");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
        .at(3.0)
        .event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.4 SwapUniqueid=1.2")
        .event("Hangup Uniqueid=1.3 Cause=16")
        .event("Hangup Uniqueid=1.2 Cause=16");
    // Long after the Local halves are forgotten.
    stage.at(100.0).event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage.event("AgentComplete Uniqueid=1.1 DestUniqueid=1.4 Queue=q Interface=Local/9@x MemberName=Ann Reason=caller");
    stage.event("Hangup Uniqueid=1.4 Cause=16").event("Hangup Uniqueid=1.1 Cause=16");
    assert_eq!(stage.sum("q talk Ann"), 98.0);
    assert_eq!(stage.count("q hangup Ann agent 16"), 1);
    assert_eq!(stage.count("q hangup Ann caller 16"), 1);
}

#[test]
fn a_completion_without_a_connect_was_answered_all_the_same() {
    let mut stage = joined();
    stage.at(30.0).event(
        "AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann HoldTime=4 TalkTime=26 Reason=caller",
    );
    assert_eq!((stage.count("q exit answered"), stage.sum("q hold answered")), (1, 4.0));
    assert_eq!(
        (stage.count("q complete Ann caller"), stage.sum("q talk Ann"), stage.inside()),
        (1, 0.0, (0, 0))
    );
}

#[test]
fn an_agent_who_is_passed_on_into_a_queue_is_a_caller_there() {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    let agent = "DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";
    stage.event(&format!("AgentConnect Uniqueid=1.1 {agent}"));
    stage
        .event("BridgeEnter BridgeUniqueid=a Uniqueid=1.1")
        .event("BridgeEnter BridgeUniqueid=a Uniqueid=1.2");
    stage
        .at(5.0)
        .event(&format!("AgentComplete Uniqueid=1.1 {agent} Reason=transfer"))
        .event("Hangup Uniqueid=1.1 Cause=16");
    // The first caller is forgotten by then.
    stage.at(60.0).event("QueueCallerJoin Uniqueid=1.2 Queue=p");
    let other = "DestUniqueid=1.3 DestChannel=SIP/202-3 Queue=p Interface=SIP/202 MemberName=Ben";
    stage.event(&format!("AgentConnect Uniqueid=1.2 {other}"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.3");
    stage.at(70.0).event("MixMonitorStart Uniqueid=1.2").event("HangupRequest Uniqueid=1.2");
    for uid in ["1.2", "1.3"] {
        stage
            .event(&format!("BridgeLeave BridgeUniqueid=b Uniqueid={uid}"))
            .event(&format!("Hangup Uniqueid={uid} Cause=16"));
    }
    stage.at(80.0);
    assert_eq!(
        (stage.count("p recorded Ben"), stage.count("p complete Ben caller")),
        (1, 1),
        "{:?}",
        stage.counted()
    );
}
