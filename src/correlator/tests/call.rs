//! Calls outside queues: direction, result, the deciding cause, trunks.

use super::{Patterns, Rules, Stage};

#[test]
fn a_failover_shows_the_failing_trunk_and_one_call() {
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/333-1 Uniqueid=1.1 Linkedid=1.1");
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/trunk-2");
    stage
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=CONGESTION")
        .event("Hangup Uniqueid=1.2 Cause=34");
    stage.at(2.0).event("DialBegin Uniqueid=1.1 DestUniqueid=1.3 DestChannel=SIP/trunk-3");
    stage.at(5.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.3 DialStatus=ANSWER");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.3")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
        .at(9.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.3")
        .event("Hangup Uniqueid=1.1 Cause=16")
        .event("Hangup Uniqueid=1.3 Cause=16");
    assert_eq!(
        stage.counted(),
        [
            "1 call hangup outbound SIP/333 SIP/trunk 16",
            "1 call outbound SIP/333 SIP/trunk answered",
            "1 trunk SIP/trunk answered",
            "1 trunk SIP/trunk cause 16",
            "1 trunk SIP/trunk cause 34",
            "1 trunk SIP/trunk congestion",
        ]
    );
    assert_eq!(
        (stage.sum("call ring outbound answered"), stage.sum("call talk outbound SIP/333")),
        (5.0, 4.0)
    );
}

#[test]
fn a_call_waits_for_the_cause_of_its_last_leg() {
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/333-1 Uniqueid=1.1 Linkedid=1.1");
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/trunk-2");
    stage
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=NOANSWER")
        .event("Hangup Uniqueid=1.1 Cause=20");
    assert_eq!(stage.counted(), Vec::<String>::new());
    stage.event("Hangup Uniqueid=1.2 Cause=17");
    assert_eq!(stage.count("call outbound SIP/333 SIP/trunk busy"), 1);
    assert_eq!(stage.count("call hangup outbound SIP/333 SIP/trunk 17"), 1);
}

#[test]
fn other_rules_hold_for_what_begins_from_then_on() {
    let mut stage = Stage::live();
    let begin = |stage: &mut Stage, call: u8| {
        let channel = format!("Channel=SIP/peer-{call} Uniqueid={call}.1 Linkedid={call}.1");
        stage.event(&format!("Newchannel {channel} Context=in"));
    };
    begin(&mut stage, 1);
    let inbound_contexts = Patterns::new(["^in$"]).unwrap();
    let rules = Rules { inbound_contexts, ..stage.correlator.rules.clone() };
    stage.correlator.change_rules(rules);
    begin(&mut stage, 2);

    stage.event("Hangup Uniqueid=1.1 Cause=16").event("Hangup Uniqueid=2.1 Cause=16");
    assert_eq!(
        stage.counted(),
        [
            "1 call hangup inbound   16",
            "1 call hangup unknown SIP/peer  16",
            "1 call inbound   failed",
            "1 call unknown SIP/peer  failed",
        ]
    );
}

#[test]
fn agent_to_agent_is_internal_and_alone_unknown() {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/333-1 Uniqueid=1.1 Linkedid=1.1")
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/334-2");
    stage
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=CANCEL")
        .event("Hangup Uniqueid=1.2 Cause=0")
        .event("Hangup Uniqueid=1.1 Cause=0");
    assert_eq!(stage.count("call internal SIP/333  canceled"), 1);
    stage
        .event("Newchannel Channel=SIP/333-3 Uniqueid=2.1 Linkedid=2.1 ChannelState=4")
        .event("Hangup Uniqueid=2.1 ChannelState=6 Cause=16");
    assert_eq!(stage.count("call unknown SIP/333  answered"), 1);
}

#[test]
fn an_originate_that_times_out_goes_by_its_response_before_or_after_the_hangup() {
    let response =
        "OriginateResponse Channel=SIP/9180@trunk Reason=3 Response=Failure Uniqueid=<unknown>";
    let hangup = "Hangup Uniqueid=1.1 Cause=16";
    for events in [[response, hangup], [hangup, response]] {
        let mut stage = Stage::live();
        stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1");
        stage.event("DialBegin DestUniqueid=1.1 DestChannel=SIP/trunk-1 DialString=9180@trunk");
        stage.event(events[0]).event(events[1]).at(60.0);
        assert_eq!(
            stage.count("call outbound  SIP/trunk no_answer"),
            1,
            "{events:?}: {:?}",
            stage.counted()
        );
        assert_eq!(stage.count("trunk SIP/trunk no_answer"), 1, "{events:?}");
    }
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1");
    stage
        .event("DialBegin DestUniqueid=1.1 DestChannel=SIP/trunk-1 DialString=9180@trunk")
        .event(hangup)
        .at(60.0);
    assert_eq!(stage.count("call outbound  SIP/trunk failed"), 1, "no response came");
}

#[test]
fn a_recording_begun_in_the_dialplan_counts_for_every_queue_it_is_connected_in() {
    let mut stage = Stage::live();
    let agent = |queue: &str, leg: &str| {
        format!("Uniqueid=1.1 DestUniqueid={leg} Queue={queue} Interface=SIP/201 MemberName=Ann")
    };
    stage
        .event("MixMonitorStart Uniqueid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect {}", agent("q", "1.2")));
    stage.event(
        "AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=transfer",
    );
    stage
        .event("QueueCallerJoin Uniqueid=1.1 Queue=r")
        .event(&format!("AgentConnect {}", agent("r", "1.3")));
    stage
        .event("MixMonitorStop Uniqueid=1.1")
        .event("TestEvent State=MIXMONITOR_END File=/m/1.1")
        .event("Hangup Uniqueid=1.1");
    assert_eq!(
        (stage.count("q recorded Ann"), stage.count("r recorded Ann"), stage.count("recording")),
        (1, 1, 1)
    );
}

/// Asterisk 13.4 and older.
#[test]
fn without_a_linkedid_only_what_nobody_dials_is_a_call() {
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/333-1 Uniqueid=1.1 ChannelState=0");
    // A member's Local channel, and the phone behind it.
    stage
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.2")
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.3");
    stage.event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3");
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=Local/9@x-0;1");
    stage.event("Newchannel Channel=SIP/334-4 Uniqueid=1.4");
    stage.event("DialBegin Uniqueid=1.3 DestUniqueid=1.4 DestChannel=SIP/334-4");
    assert_eq!(stage.correlator.state(stage.now).tracked.calls, 1);
    // A leg that could not be called.
    stage
        .event("Newchannel Channel=SIP/335-5 Uniqueid=1.5 ChannelState=0")
        .event("Hangup Uniqueid=1.5 ChannelState=0 Cause=0");
    stage.event("DialEnd Uniqueid=1.3 DestUniqueid=1.4 DialStatus=ANSWER");
    for uid in ["1.4", "1.3", "1.2", "1.1"] {
        stage.event(&format!("Hangup Uniqueid={uid} ChannelState=6 Cause=16"));
    }
    stage.at(60.0);
    assert_eq!(stage.count("call internal SIP/333  answered"), 1, "{:?}", stage.counted());
    assert_eq!(
        stage.counted().iter().filter(|line| line.contains(" call ")).count(),
        2,
        "{:?}",
        stage.counted()
    );
}

#[test]
fn without_a_linkedid_an_originated_local_channel_is_a_call_and_a_consultation_is_none() {
    let mut stage = Stage::live();
    for (one, two) in [("1.1", "1.2"), ("2.1", "2.2")] {
        stage.event(&format!("Newchannel Channel=Local/9@x-0;1 Uniqueid={one}"));
        stage.event(&format!("Newchannel Channel=Local/9@x-0;2 Uniqueid={two}"));
        stage.event(&format!("LocalBridge LocalOneUniqueid={one} LocalTwoUniqueid={two}"));
    }
    stage.event("DialBegin DestUniqueid=1.1 DestChannel=Local/9@x-0;1 DialString=9@x");
    stage.event("DialEnd DestUniqueid=2.1 DialStatus=ANSWER");
    for uid in ["1.1", "1.2", "2.1", "2.2"] {
        stage.event(&format!("Hangup Uniqueid={uid} ChannelState=6 Cause=16"));
    }
    stage.at(60.0);
    let calls = stage.counted();
    assert_eq!(calls.iter().filter(|line| line.contains("call unknown")).count(), 1, "{calls:?}");
}

const ORIGINATED: &str = "Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1";
const ANSWERED_ATTEMPT: [&str; 4] = [
    "1 call hangup outbound  SIP/trunk 16",
    "1 call outbound  SIP/trunk answered",
    "1 trunk SIP/trunk answered",
    "1 trunk SIP/trunk cause 16",
];

#[test]
fn an_originated_trunk_leg_that_was_up_counts_once_with_a_late_response_or_none() {
    for response in ["", "OriginateResponse Channel=SIP/9@trunk Uniqueid=1.1 Reason=4"] {
        let mut stage = Stage::live();
        stage.event(&format!("Newchannel {ORIGINATED} ChannelState=0"));
        stage.event("DialBegin DestUniqueid=1.1 DestChannel=SIP/trunk-1 DialString=9@trunk");
        stage.event(&format!("Newexten {ORIGINATED} ChannelState=6 Application=NoOp"));
        stage.event(&format!("Hangup {ORIGINATED} ChannelState=6 Cause=16"));
        if !response.is_empty() {
            stage.event(response);
        }
        stage.at(60.0);
        assert_eq!(stage.counted(), ANSWERED_ATTEMPT, "{response}");
    }
}

#[test]
fn an_originated_trunk_leg_found_in_a_list_counts_once_with_a_late_response_or_none() {
    for response in ["", "OriginateResponse Channel=SIP/9@trunk Uniqueid=1.1 Reason=4"] {
        let mut stage = Stage::live();
        stage.resync(&[&format!(
            "CoreShowChannel {ORIGINATED} ChannelState=6 Application=AppDial2 ActionID=ae-1"
        )]);
        stage.event(&format!("Hangup {ORIGINATED} ChannelState=6 Cause=16"));
        if !response.is_empty() {
            stage.event(response);
        }
        stage.at(60.0);
        assert_eq!(stage.counted(), ANSWERED_ATTEMPT, "{response}");
    }
}

#[test]
fn an_originated_trunk_leg_that_nobody_took_goes_by_its_late_response() {
    for (response, result) in [("3", "no_answer"), ("5", "busy"), ("8", "congestion")] {
        let mut stage = Stage::live();
        stage.event(&format!("Newchannel {ORIGINATED} ChannelState=0"));
        stage.event("DialBegin DestUniqueid=1.1 DestChannel=SIP/trunk-1 DialString=9@trunk");
        stage.event(&format!("Hangup {ORIGINATED} ChannelState=5 Cause=16"));
        assert_eq!(stage.counted(), Vec::<String>::new());
        stage.event(&format!(
            "OriginateResponse Channel=SIP/9@trunk Uniqueid=1.1 Reason={response}"
        ));
        stage.event(&format!(
            "OriginateResponse Channel=SIP/9@trunk Uniqueid=1.1 Reason={response}"
        ));
        stage.at(60.0);
        let counted =
            [format!("1 call outbound  SIP/trunk {result}"), format!("1 trunk SIP/trunk {result}")];
        assert!(counted.iter().all(|line| stage.counted().contains(line)), "{:?}", stage.counted());
        assert_eq!(stage.counted().len(), 4, "{:?}", stage.counted());
    }
}
