//! Gaps: what they hid is lost, once; what goes on goes on.

use super::{Stage, snapshot, with_event};

const ENTRY: &str = "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 ActionID=ae-1";
const CALLER: &str =
    "CoreShowChannel Uniqueid=1.1 Linkedid=1.1 Channel=SIP/trunk-1 ChannelState=6 ActionID=ae-1";
const LEG: &str = "CoreShowChannel Uniqueid=1.2 Linkedid=1.1 Channel=SIP/201-2 ChannelState=6 Application=AppQueue BridgeId=b ActionID=ae-1";
const QUEUE: &str = "QueueParams Queue=q ServiceLevel=20 ActionID=ae-1";
const MEMBER: &str =
    "QueueMember Queue=q Name=Ann Location=SIP/201 Status=1 Paused=0 Wrapuptime=0 ActionID=ae-1";
const AGENT: &str =
    "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";

fn waiting() -> Stage {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage
}

fn talking() -> Stage {
    let mut stage = waiting();
    stage.at(2.0).event(&format!("AgentConnect {AGENT}"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

fn entry(wait: u32) -> String {
    format!("{ENTRY} Wait={wait}")
}

fn talker() -> String {
    format!("{CALLER} Application=Queue ApplicationData=q,t BridgeId=b")
}

#[test]
fn a_waiting_caller_is_adopted_with_its_wait() {
    let mut stage = Stage::live();
    stage.at(10.0).resync(&[QUEUE, MEMBER, CALLER, &entry(30)]);
    assert_eq!(
        (stage.count("q adopted waiting"), stage.count("q entered"), stage.inside()),
        (1, 0, (1, 0))
    );
    assert_eq!(stage.correlator.state(stage.now).queues[0].longest_wait.as_secs(), 30);
    stage.at(15.0).event(&format!("AgentConnect {AGENT} HoldTime=35"));
    assert_eq!((stage.count("q exit answered"), stage.sum("q hold answered")), (1, 35.0));
}

#[test]
fn a_join_that_comes_behind_its_list_is_no_second_caller() {
    let mut stage = Stage::live();
    stage.resync(&[QUEUE, CALLER, &entry(0)]).event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    assert_eq!(
        (stage.count("q adopted waiting"), stage.count("q entered"), stage.inside()),
        (1, 0, (1, 0))
    );
}

#[test]
fn a_join_foreseen_is_an_entry() {
    let mut stage = Stage::live();
    let mut lists = snapshot(&[QUEUE, CALLER, &entry(0)]);
    with_event("QueueCallerJoin Uniqueid=1.1 Queue=q", |event| {
        lists.foresee(crate::clock::Moment::from_secs(1000), &event);
    });
    stage.correlator.resync(stage.now, &lists, &mut stage.tally);
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    assert_eq!(
        (stage.count("q adopted waiting"), stage.count("q entered"), stage.inside()),
        (0, 1, (1, 0))
    );
}

#[test]
fn a_talking_caller_is_adopted_with_the_agent_and_without_a_length() {
    let mut stage = Stage::live();
    stage.resync(&[QUEUE, MEMBER, &talker(), LEG]);
    assert_eq!((stage.count("q adopted talking"), stage.inside()), (1, (0, 1)));
    stage.at(50.0).event("AgentComplete Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann TalkTime=90 Reason=caller");
    assert_eq!(
        (stage.count("q complete Ann caller"), stage.sum("q talk Ann"), stage.inside()),
        (1, 0.0, (0, 0))
    );
}

#[test]
fn a_caller_who_waited_through_the_gap_is_the_same() {
    let mut stage = waiting();
    stage.at(5.0).cut().at(9.0).resync(&[QUEUE, CALLER, &entry(8)]).at(20.0);
    assert_eq!(
        (stage.count("q exit lost"), stage.count("q adopted waiting"), stage.inside()),
        (0, 0, (1, 0))
    );
    stage.event("HangupRequest Uniqueid=1.1").event("QueueCallerAbandon Uniqueid=1.1 Queue=q");
    assert_eq!(stage.event("Hangup Uniqueid=1.1").sum("q hold abandoned"), 20.0);
}

#[test]
fn a_wait_that_began_in_the_gap_is_another() {
    let mut stage = waiting();
    stage.at(5.0).cut().at(29.0).resync(&[QUEUE, CALLER, &entry(3)]);
    assert_eq!(
        (stage.count("q exit lost"), stage.count("q adopted waiting"), stage.inside()),
        (1, 1, (1, 0))
    );
}

#[test]
fn a_caller_connected_in_the_gap_is_answered_without_a_hold_time() {
    let mut stage = waiting();
    stage.at(5.0).cut().at(9.0).resync(&[QUEUE, MEMBER, &talker(), LEG]);
    assert_eq!(
        (stage.count("q exit answered"), stage.sum("q hold answered"), stage.inside()),
        (1, 0.0, (0, 1))
    );
    stage.at(30.0).event("AgentComplete Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    assert_eq!((stage.count("q complete Ann agent"), stage.sum("q talk Ann")), (1, 0.0));
}

#[test]
fn a_caller_gone_in_the_gap_is_lost_once() {
    let mut stage = waiting();
    stage.at(5.0).cut().at(9.0).resync(&[QUEUE]);
    assert_eq!(stage.at(10.9).inside(), (1, 0));
    assert_eq!(stage.at(11.0).inside(), (0, 0));
    stage.cut().resync(&[QUEUE]).at(60.0);
    assert_eq!((stage.count("q exit lost"), stage.count("q entered")), (1, 1));
}

#[test]
fn an_event_behind_the_list_knows_better_than_the_list() {
    let mut stage = waiting();
    stage.at(5.0).cut().at(9.0).resync(&[QUEUE]).event("HangupRequest Uniqueid=1.1");
    stage
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .at(60.0);
    assert_eq!((stage.count("q exit lost"), stage.count("q exit abandoned")), (0, 1));
}

#[test]
fn a_talk_that_goes_on_is_the_same_and_keeps_its_length() {
    let mut stage = talking();
    stage.at(5.0).cut().at(9.0).resync(&[QUEUE, MEMBER, &talker(), LEG]).at(12.0);
    stage.event("AgentComplete Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann Reason=caller");
    assert_eq!(
        (
            stage.count("q complete Ann caller"),
            stage.sum("q talk Ann"),
            stage.count("q adopted talking")
        ),
        (1, 10.0, 0)
    );
}

#[test]
fn a_talk_gone_in_the_gap_is_lost_and_has_no_length() {
    let mut stage = talking();
    stage.at(5.0).cut().at(9.0).resync(&[QUEUE, MEMBER]).at(12.0);
    assert_eq!(
        (stage.count("q complete Ann lost"), stage.sum("q talk Ann"), stage.inside()),
        (1, 0.0, (0, 0))
    );
    assert_eq!(stage.count("call inbound Ann SIP/trunk answered"), 1);
}

#[test]
fn a_talk_that_an_agent_passed_on_is_over() {
    // 16 and 22: behind an attended transfer the caller's channel still runs Queue, bridged with
    // the colleague.
    let colleague = "CoreShowChannel Uniqueid=1.9 Linkedid=1.1 Channel=SIP/990-9 ChannelState=6 Application=AppDial BridgeId=b ActionID=ae-1";
    let lists = [QUEUE, MEMBER, &talker(), colleague];
    let mut before = talking();
    before
        .at(5.0)
        .event(&format!("AgentComplete {AGENT} Reason=transfer"))
        .cut()
        .at(9.0)
        .resync(&lists)
        .at(60.0);
    assert_eq!(
        (before.count("q complete Ann transfer"), before.count("q complete Ann lost")),
        (1, 0)
    );
    assert_eq!((before.count("q adopted talking"), before.inside()), (0, (0, 0)));
    let mut unseen = talking();
    unseen.at(5.0).cut().at(9.0).resync(&lists).at(60.0);
    assert_eq!((unseen.count("q complete Ann lost"), unseen.count("q adopted talking")), (1, 0));
    let mut strangers = Stage::live();
    strangers.resync(&lists);
    assert_eq!((strangers.count("q adopted talking"), strangers.inside()), (0, (0, 0)));
}

#[test]
fn a_member_behind_a_local_channel_that_is_gone_is_still_the_agent() {
    let phone = "CoreShowChannel Uniqueid=1.4 Linkedid=1.1 Channel=SIP/201-4 ChannelState=6 Application=AppDial BridgeId=b ActionID=ae-1";
    let member =
        MEMBER.replace("Location=SIP/201", "Location=Local/201@agents StateInterface=SIP/201");
    let mut stage = Stage::live();
    stage.resync(&[QUEUE, &member, &talker(), phone]);
    assert_eq!((stage.count("q adopted talking"), stage.inside()), (1, (0, 1)));
    stage.at(9.0).event(
        "AgentComplete Uniqueid=1.1 Queue=q Interface=Local/201@agents MemberName=Ann Reason=agent",
    );
    assert_eq!(stage.count("q complete Ann agent"), 1);
}

#[test]
fn a_ring_attempt_found_going_on_has_a_result() {
    let ringing =
        LEG.replace("ChannelState=6", "ChannelState=5").replace("BridgeId=b", "BridgeId=");
    let mut stage = Stage::live();
    stage.resync(&[QUEUE, MEMBER, CALLER, &entry(4), &ringing]);
    stage
        .event(&format!("AgentRingNoAnswer {AGENT} RingTime=4000"))
        .event("Hangup Uniqueid=1.2 Cause=16")
        .at(60.0);
    assert_eq!(stage.count("q ring Ann no_answer"), 1);
}

#[test]
fn a_periodic_list_mends_drift_and_says_so() {
    let mut stage = waiting();
    stage.resync(&[QUEUE, MEMBER, CALLER, &entry(0)]);
    stage.correlator.begin_listing();
    // While the list is on its way, one caller joins and is not in it, and an event removes a
    // member that is.
    stage
        .event("QueueCallerJoin Uniqueid=3.1 Queue=q")
        .event("QueueMemberRemoved Queue=q Interface=SIP/201 MemberName=Ann");
    let lists = snapshot(&[
        QUEUE,
        MEMBER,
        "QueueMember Queue=q Name=Ben Location=SIP/202 Status=1 ActionID=ae-1",
        "QueueEntry Queue=q Uniqueid=4.1 Wait=7 ActionID=ae-1",
    ]);
    stage.correlator.reconcile(stage.now, &lists, &mut stage.tally);
    // A caller is believed to wait only if two lists in a row say so: events may be seconds late.
    assert_eq!((stage.at(60.0).inside(), stage.count("q exit lost")), ((2, 0), 0));
    stage.correlator.begin_listing();
    let lists = snapshot(&[
        QUEUE,
        "QueueMember Queue=q Name=Ben Location=SIP/202 Status=1 ActionID=ae-1",
        "QueueEntry Queue=q Uniqueid=3.1 Wait=60 ActionID=ae-1",
        "QueueEntry Queue=q Uniqueid=4.1 Wait=67 ActionID=ae-1",
    ]);
    stage.correlator.reconcile(stage.now, &lists, &mut stage.tally);
    assert_eq!(stage.inside(), (3, 0));
    stage.at(63.0);
    assert_eq!((stage.count("q exit lost"), stage.inside()), (1, (2, 0)));
    let counted = |kind: &str| stage.count(&format!("anomaly {kind}"));
    assert_eq!(
        [
            counted("caller_appeared"),
            counted("caller_vanished"),
            counted("member_appeared"),
            counted("member_vanished")
        ],
        [1, 1, 1, 0]
    );
}

#[test]
fn a_join_that_comes_seconds_behind_a_periodic_list_is_an_entry() {
    // On 22.10 with more to do than it could.
    let mut stage = Stage::live();
    stage.correlator.begin_listing();
    stage.correlator.reconcile(stage.now, &snapshot(&[QUEUE, &entry(0)]), &mut stage.tally);
    stage.at(4.0).event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    assert_eq!(
        (stage.count("q entered"), stage.count("q adopted waiting"), stage.inside()),
        (1, 0, (1, 0))
    );
}

#[test]
fn without_lists_nothing_is_concluded() {
    let mut stage = talking();
    stage.event("QueueCallerJoin Uniqueid=2.1 Queue=q").cut();
    let mut nothing = snapshot(&[]);
    nothing.without_channels();
    nothing.without_queues();
    stage.correlator.resync(stage.now, &nothing, &mut stage.tally);
    assert_eq!(stage.at(60.0).inside(), (1, 1));
}

/// Asterisk 13.4 and older.
#[test]
fn without_a_linkedid_no_caller_is_guessed_for_a_leg() {
    let strip = |line: &str| line.replace(" Linkedid=1.1", "");
    let caller =
        |uid: &str| strip(CALLER).replace("1.1", uid).replace("trunk-1", &format!("trunk-{uid}"));
    let entry = |uid: &str| {
        format!("QueueEntry Queue=q Uniqueid={uid} Channel=SIP/trunk-{uid} Wait=5 ActionID=ae-1")
    };
    let ringing = strip(LEG).replace("ChannelState=6", "ChannelState=5").replace(" BridgeId=b", "");
    let mut stage = Stage::live();
    stage.at(10.0).resync(&[
        QUEUE,
        MEMBER,
        &caller("1.1"),
        &caller("1.3"),
        &ringing,
        &entry("1.1"),
        &entry("1.3"),
    ]);
    assert_eq!((stage.count("q adopted waiting"), stage.inside()), (2, (2, 0)));
    // The event names the caller for whom it rang.
    let agent = AGENT.replace("Uniqueid=1.1", "Uniqueid=1.3");
    stage
        .event(&format!("AgentRingNoAnswer {agent} RingTime=4000"))
        .event("Hangup Uniqueid=1.2 Cause=16");
    assert_eq!(stage.count("q ring Ann no_answer"), 1, "{:?}", stage.counted());
    // A caller who talks with nobody that is listed is not given another's agent.
    let mut stage = Stage::live();
    let lonely = strip(&talker());
    let other = strip(LEG).replace("BridgeId=b", "BridgeId=c");
    stage.at(10.0).resync(&[QUEUE, MEMBER, &lonely, &other]);
    assert_eq!((stage.count("q adopted talking"), stage.inside()), (0, (0, 0)));
}

#[test]
fn without_a_linkedid_a_call_that_is_up_is_recognised_by_its_bridge() {
    let channel = |uid: &str, name: &str, more: &str| {
        format!("CoreShowChannel Uniqueid={uid} Channel={name} ChannelState=6 {more} ActionID=ae-1")
    };
    let mut stage = Stage::live();
    stage.at(10.0).resync(&[
        &channel("1.1", "SIP/333-1", "Application=Dial BridgeId=b"),
        &channel("1.2", "SIP/trunk-2", "Application=AppDial BridgeId=b"),
        &channel("2.1", "SIP/334-3", "Application=Wait"),
        &channel("2.2", "SIP/335-4", "Application=AppDial"),
    ]);
    for uid in ["1.2", "1.1", "2.2", "2.1"] {
        stage.event(&format!("Hangup Uniqueid={uid} ChannelState=6 Cause=16"));
    }
    stage.at(60.0);
    assert_eq!(stage.count("call outbound SIP/333 SIP/trunk answered"), 1, "{:?}", stage.counted());
    // Nothing says who dialled the other leg.
    assert_eq!(stage.count("call unknown SIP/334  answered"), 1, "{:?}", stage.counted());
}

#[test]
fn a_list_that_is_refused_leaves_nothing_behind() {
    let mut stage = Stage::live();
    stage.correlator.begin_listing();
    stage.correlator.give_up_listing();
    stage.event("QueueCallerJoin Uniqueid=1.1 Channel=SIP/trunk-1 Queue=q");
    stage.event("QueueMemberStatus Queue=q Interface=SIP/201 MemberName=Ann Status=1 Paused=0");
    assert!(stage.correlator.listing.is_empty());
}

#[test]
fn a_stay_that_ends_behind_the_first_list_is_no_anomaly() {
    for (second, anomalies) in [(1.9, 0), (2.1, 1)] {
        let mut stage = Stage::live();
        stage
            .at(second)
            .event("QueueCallerAbandon Uniqueid=1.1 Queue=q")
            .event("QueueCallerLeave Uniqueid=1.1 Queue=q");
        stage.at(10.0);
        assert_eq!(stage.count("anomaly stay_without_join"), anomalies, "{second}");
        assert_eq!((stage.count("q adopted waiting"), stage.inside()), (1, (0, 0)), "{second}");
    }
}
