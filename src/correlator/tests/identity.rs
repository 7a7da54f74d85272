//! Who is who: names that Asterisk compares without case.

use super::*;

/// Members of a queue, by the sum of all their states.
fn members(stage: &Stage, queue: &str) -> u64 {
    let state = stage.correlator.state(stage.now);
    let names = stage.correlator.names();
    let of = |state: &&QueueState| names.queues.name(state.queue) == queue;
    state
        .queues
        .iter()
        .find(of)
        .map_or(0, |queue| queue.members.iter().map(|(_, count)| count).sum())
}

#[test]
fn a_refusal_is_of_the_listed_queue_however_it_was_dialled() {
    let mut stage = Stage::live();
    stage.resync(&["QueueParams Queue=Support ServiceLevel=0"]);
    stage.event("Newchannel Uniqueid=c Channel=SIP/trunk-1 Linkedid=c ChannelState=4");
    stage.event("Newexten Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Application=Queue AppData=SUPPORT,t,,,20");
    stage.event("VarSet Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Variable=QUEUESTATUS Value=FULL");
    assert_eq!(stage.counted(), ["1 Support refused full"]);
}

#[test]
fn what_was_dialled_makes_no_name_before_the_queue_reports_its_own() {
    let mut stage = Stage::live();
    stage.event("Newchannel Uniqueid=c Channel=SIP/trunk-1 Linkedid=c ChannelState=4");
    stage.event("Newexten Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Application=Queue AppData=SUPPORT,t,,,20");
    assert_eq!(stage.correlator.names().queues.count(), 1);
    stage.event("QueueCallerJoin Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Queue=Support Position=1 Count=1");
    assert_eq!(stage.counted(), ["1 Support entered"]);
}

#[test]
fn a_queue_whose_case_a_reload_changed_goes_on_over_a_gap() {
    let mut stage = Stage::live();
    stage.resync(&["QueueParams Queue=q ServiceLevel=0"]);
    stage.event("Newchannel Uniqueid=c Channel=SIP/trunk-1 Linkedid=c ChannelState=4");
    stage.event(
        "QueueCallerJoin Uniqueid=c Channel=SIP/trunk-1 Linkedid=c Queue=q Position=1 Count=1",
    );
    stage.at(5.0).cut().at(9.0).resync(&[
        "QueueParams Queue=Q ServiceLevel=0",
        "QueueEntry Queue=Q Uniqueid=c Channel=SIP/trunk-1 Wait=9",
        "CoreShowChannel Uniqueid=c Linkedid=c Channel=SIP/trunk-1 ChannelState=6 Application=Queue \
         ApplicationData=Q,t",
    ]);
    stage.at(30.0);
    assert_eq!(stage.counted(), ["1 q entered"]);
    assert_eq!(stage.inside(), (1, 0));
}

#[test]
fn an_interface_is_one_member_in_any_case() {
    let mut stage = Stage::live();
    let listed =
        "QueueMember Queue=q Location=sip/997 Name=Tea StateInterface=sip/997 Status=1 Paused=0";
    stage.resync(&["QueueParams Queue=q ServiceLevel=0", listed]);
    stage.event("QueueMemberPause Queue=q Interface=SIP/997 MemberName=Tea StateInterface=SIP/997 Status=1 Paused=1");
    assert_eq!(members(&stage, "q"), 1);
    assert_eq!(stage.counted(), ["1 q paused Tea"]);

    // A list in mid-session finds the very member, and so does the end of it.
    stage.correlator.begin_listing();
    let list = snapshot(&[
        "QueueParams Queue=q ServiceLevel=0",
        "QueueMember Queue=q Location=SIP/997 Name=Tea StateInterface=SIP/997 Status=1 Paused=1",
    ]);
    stage.correlator.reconcile(stage.now, &list, &mut stage.tally);
    assert_eq!((members(&stage, "q"), stage.count("anomaly member_vanished")), (1, 0));
    stage.event("QueueMemberRemoved Queue=q Interface=Sip/997 MemberName=Tea Status=1 Paused=1");
    assert_eq!(members(&stage, "q"), 0);
}

/// A call from a phone to a trunk, which answers.
fn outbound(stage: &mut Stage, phone: &str, id: &str) {
    stage
        .event(&format!("Newchannel Uniqueid={id} Channel={phone}-1 Linkedid={id} ChannelState=4"));
    stage.event(&format!(
        "Newchannel Uniqueid={id}t Channel=SIP/trunk-1 Linkedid={id} ChannelState=0"
    ));
    let both =
        format!("Uniqueid={id} Channel={phone}-1 DestUniqueid={id}t DestChannel=SIP/trunk-1");
    stage.event(&format!("DialBegin {both} DialString=trunk/12025550155"));
    stage.event(&format!("DialEnd {both} DialStatus=ANSWER"));
    stage.event(&format!("Hangup Uniqueid={id}t Channel=SIP/trunk-1 Cause=16"));
    stage.event(&format!("Hangup Uniqueid={id} Channel={phone}-1 Cause=16"));
}

/// The agents of calls that ended.
fn callers(stage: &Stage) -> Vec<String> {
    let calls = stage.counted().into_iter().filter(|what| what.contains(" call outbound"));
    calls.map(|what| what.replace(" SIP/trunk answered", "")).collect()
}

const ANN: &str = "Queue=q Name=Ann MemberName=Ann Location=Local/201@from-queue/n Interface=Local/201@from-queue/n \
                   StateInterface=hint:201@ext-local Status=1 Paused=0";

#[test]
fn the_phone_of_an_extension_is_its_members() {
    let mut stage = Stage::live();
    stage.resync(&["QueueParams Queue=q ServiceLevel=0", &format!("QueueMember {ANN}")]);
    outbound(&mut stage, "SIP/201", "a");
    outbound(&mut stage, "SIP/2012", "b");
    assert_eq!(callers(&stage), ["1 call outbound Ann", "1 call outbound SIP/2012"]);
}

#[test]
fn what_the_hint_watches_is_reported_by_events_and_lists_alike() {
    let mut stage = Stage::live();
    assert!(!stage.correlator.wants_hints());
    stage.event("ExtensionStatus Exten=201 Context=ext-local Hint=SIP/desk&Custom:DND201 Status=0");
    stage.event(&format!("QueueMemberAdded {ANN}"));
    assert!(stage.correlator.wants_hints());
    outbound(&mut stage, "SIP/desk", "a");
    outbound(&mut stage, "SIP/DESK", "b");
    assert_eq!(callers(&stage), ["2 call outbound Ann"]);
}

#[test]
fn the_phone_behind_a_local_channel_is_learned_and_kept_over_a_gap() {
    let mut stage = Stage::live();
    let listed = format!("QueueMember {ANN}");
    stage.resync(&["QueueParams Queue=q ServiceLevel=0", &listed]);
    outbound(&mut stage, "SIP/desk", "a");

    stage.event("Newchannel Uniqueid=c Channel=SIP/trunk-2 Linkedid=c ChannelState=4");
    stage.event(
        "QueueCallerJoin Uniqueid=c Channel=SIP/trunk-2 Linkedid=c Queue=q Position=1 Count=1",
    );
    let one = "DestUniqueid=1 DestChannel=Local/201@from-queue-1;1 DestLinkedid=c";
    stage.event("Newchannel Uniqueid=1 Channel=Local/201@from-queue-1;1 Linkedid=c ChannelState=0");
    stage.event("Newchannel Uniqueid=2 Channel=Local/201@from-queue-1;2 Linkedid=c ChannelState=4");
    stage.event("LocalBridge LocalOneUniqueid=1 LocalTwoUniqueid=2");
    stage.event(&format!("AgentCalled Uniqueid=c Channel=SIP/trunk-2 {one} {ANN}"));
    stage.event(&format!(
        "DialBegin Uniqueid=c Channel=SIP/trunk-2 {one} DialString=Local/201@from-queue/n"
    ));
    stage.event("Newchannel Uniqueid=3 Channel=SIP/desk-2 Linkedid=c ChannelState=0");
    stage.event(
        "DialBegin Uniqueid=2 Channel=Local/201@from-queue-1;2 DestUniqueid=3 DestChannel=SIP/desk-2 DialString=desk",
    );

    stage.at(5.0).cut().at(9.0).resync(&["QueueParams Queue=q ServiceLevel=0", &listed]);
    outbound(&mut stage, "SIP/desk", "b");
    assert_eq!(callers(&stage), ["1 call outbound Ann", "1 call outbound SIP/desk"]);
}

#[test]
fn a_talk_that_a_list_finds_is_the_members_whose_phone_it_is() {
    let mut stage = Stage::live();
    // The Local channel was optimised away: what the caller talks to is the phone.
    stage.cut().at(3.0).resync(&[
        "QueueParams Queue=q ServiceLevel=0",
        &format!("QueueMember {ANN}"),
        "CoreShowChannel Uniqueid=c Linkedid=c Channel=SIP/trunk-1 ChannelState=6 Application=Queue \
         ApplicationData=q,t BridgeId=b",
        "CoreShowChannel Uniqueid=p Linkedid=c Channel=SIP/201-1 ChannelState=6 Application=AppDial BridgeId=b",
    ]);
    stage.event(&format!(
        "AgentComplete Uniqueid=c Channel=SIP/trunk-1 {ANN} HoldTime=1 TalkTime=9 Reason=caller"
    ));
    assert_eq!(stage.counted(), ["1 q adopted talking", "1 q complete Ann caller"]);
}

#[test]
fn a_nameless_member_is_one_agent_in_any_case() {
    let mut stage = Stage::live();
    stage.resync(&[
        "QueueParams Queue=q ServiceLevel=0",
        "QueueParams Queue=r ServiceLevel=0",
        "QueueMember Queue=q Location=sip/997 Name=sip/997 Status=1 Paused=0",
        "QueueMember Queue=r Location=SIP/997 Name=SIP/997 Status=1 Paused=0",
    ]);
    outbound(&mut stage, "SIP/997", "a");
    assert_eq!(callers(&stage), ["1 call outbound sip/997"]);
    assert_eq!(stage.correlator.state(stage.now).agents.len(), 1);
}
