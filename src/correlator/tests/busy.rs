//! What kind of call a busy agent is in.

use super::*;

const MEMBER: &str = "QueueMemberStatus Queue=q Interface=SIP/201 MemberName=Ann Paused=0";

/// Ann's state, and the kind of call.
fn busy(stage: &Stage) -> (&'static str, Option<&'static str>) {
    let names = stage.correlator.names();
    let is_ann = |now: &&AgentNow| names.agents.name(now.agent) == "Ann";
    let state = stage.correlator.state(stage.now);
    let ann = state.agents.iter().find(is_ann).expect("Ann is known");
    (ann.state.word(), ann.busy.map(Word::word))
}

/// Ann's phone is in use, and a colleague has another.
fn stage() -> Stage {
    let mut stage = Stage::live();
    stage.event("QueueMemberAdded Queue=r Interface=SIP/202 MemberName=Ben Status=1 Paused=0");
    stage.event(&format!("{MEMBER} Status=1"));
    assert_eq!(busy(&stage), ("available", None));
    stage.event(&format!("{MEMBER} Status=2"));
    stage
}

#[test]
fn an_outbound_call_and_a_consultation_beside_it() {
    let mut stage = stage();
    stage.event("Newchannel Channel=SIP/201-1 ChannelState=4 Uniqueid=1.1 Linkedid=1.1");
    assert_eq!(busy(&stage), ("busy", Some("unknown")));
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/trunk-2");
    assert_eq!(busy(&stage), ("busy", Some("outbound")));

    // A second line asks the colleague; the first call ends before it.
    stage.event("Newchannel Channel=SIP/201-3 ChannelState=4 Uniqueid=3.1 Linkedid=3.1");
    stage.event("DialBegin Uniqueid=3.1 DestUniqueid=3.2 DestChannel=SIP/202-4");
    assert_eq!(busy(&stage), ("busy", Some("outbound")));
    stage.event("Hangup Uniqueid=1.1 Cause=16").event("Hangup Uniqueid=1.2 Cause=16");
    assert_eq!(busy(&stage), ("busy", Some("internal")));
    stage.event("Hangup Uniqueid=3.1 Cause=16").event("Hangup Uniqueid=3.2 Cause=16");
    assert_eq!(busy(&stage), ("busy", Some("unknown")));
    stage.event(&format!("{MEMBER} Status=1"));
    assert_eq!(busy(&stage), ("available", None));
}

#[test]
fn a_call_from_a_trunk_is_the_queue_s_if_a_queue_has_served_it() {
    for (queue, kind) in [(false, "inbound"), (true, "queue")] {
        let mut stage = stage();
        stage.event("Newchannel Channel=SIP/trunk-1 ChannelState=4 Uniqueid=1.1 Linkedid=1.1");
        if queue {
            // A colleague answers, and sends the caller on.
            let served = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/202-2 Queue=r Interface=SIP/202 MemberName=Ben";
            stage.event("QueueCallerJoin Uniqueid=1.1 Queue=r");
            stage.event(&format!("AgentConnect {served}"));
            stage.event(&format!("AgentComplete {served} Reason=transfer"));
        }
        stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.3 DestChannel=SIP/201-3");
        assert_eq!(busy(&stage), ("busy", Some(kind)));
    }
}

#[test]
fn a_caller_who_is_transferred_after_a_consultation_makes_it_that_call() {
    let mut stage = stage();
    stage.event("Newchannel Channel=SIP/trunk-1 ChannelState=4 Uniqueid=1.1 Linkedid=1.1");
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/202-2");
    stage.event("Newchannel Channel=SIP/202-3 ChannelState=4 Uniqueid=3.1 Linkedid=3.1");
    stage.event("DialBegin Uniqueid=3.1 DestUniqueid=3.2 DestChannel=SIP/201-4");
    stage.event("BridgeEnter BridgeUniqueid=c Uniqueid=3.1");
    stage.event("BridgeEnter BridgeUniqueid=c Uniqueid=3.2");
    assert_eq!(busy(&stage), ("busy", Some("internal")));

    stage.event("BridgeLeave BridgeUniqueid=c Uniqueid=3.1");
    stage.event("BridgeEnter BridgeUniqueid=c Uniqueid=1.1 SwapUniqueid=3.1");
    assert_eq!(busy(&stage), ("busy", Some("inbound")));
    stage.event("Hangup Uniqueid=3.1 Cause=16");
    assert_eq!(busy(&stage), ("busy", Some("inbound")));
}

#[test]
fn the_phone_behind_a_local_channel_and_an_extension() {
    let mut stage = Stage::live();
    let member = "QueueMemberStatus Queue=q Interface=Local/201@from-queue/n MemberName=Ann StateInterface=hint:201@ext-local Paused=0";
    stage.event(&format!("{member} Status=1"));
    stage.event("Newchannel Channel=SIP/trunk-1 ChannelState=4 Uniqueid=1.1 Linkedid=1.1");
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2");
    stage.event(&format!("{member} Status=2"));
    assert_eq!(busy(&stage), ("busy", Some("inbound")));
}
