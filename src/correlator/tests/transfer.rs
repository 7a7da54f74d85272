//! Transfers of connected calls.

use super::{Stage, connected, joined};

/// Ann talks behind an unoptimised Local channel since second 0: her phone is 1.4, in the bridge
/// `far`.
pub(super) fn behind_local() -> Stage {
    let mut stage = Stage::live();
    let call = "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=Local/9@x-0;1 Queue=q Interface=Local/9@x/n MemberName=Ann";
    stage
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q")
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.2 Linkedid=1.1");
    stage
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.3 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3");
    stage
        .event(&format!("AgentCalled {call}"))
        .event("DialBegin Uniqueid=1.3 DestUniqueid=1.4 DestChannel=SIP/201-4");
    stage
        .event("DialEnd Uniqueid=1.3 DestUniqueid=1.4 DialStatus=ANSWER")
        .event(&format!("AgentConnect {call}"));
    stage
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.4")
        .event("BridgeEnter BridgeUniqueid=far Uniqueid=1.3");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

const LATE_COMPLETE: &str = "AgentComplete Uniqueid=1.1 Queue=q Interface=Local/9@x/n MemberName=Ann TalkTime=60 Reason=caller";

#[test]
fn a_transfer_in_the_bridge_behind_a_local_channel_ends_the_talk() {
    // The agent transfers in the far bridge; the caller talks on with somebody else through the
    // same Local channel.
    let blind = "BlindTransfer Result=Success TransfererUniqueid=1.4 BridgeUniqueid=far";
    let attended = "AttendedTransfer Result=Success DestType=Bridge DestBridgeUniqueid=far OrigTransfererUniqueid=1.4 \
                    OrigBridgeUniqueid=far SecondTransfererUniqueid=1.5 SecondBridgeUniqueid=c";
    for (transfer, kind) in [(blind, "blind"), (attended, "attended")] {
        let mut stage = behind_local();
        stage.at(9.0).event(transfer).event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4");
        stage.event("HangupRequest Uniqueid=1.4").event("Hangup Uniqueid=1.4 Cause=16");
        assert_eq!(stage.at(13.9).inside(), (0, 1), "{kind}");
        assert_eq!(stage.at(14.0).count("q complete Ann transfer"), 1, "{kind}");
        stage.at(60.0).event(LATE_COMPLETE);
        assert_eq!(stage.sum("q talk Ann"), 9.0, "{kind}");
        let counted: Vec<_> =
            stage.counted().into_iter().filter(|what| what.contains("q complete")).collect();
        assert_eq!(counted, ["1 q complete Ann transfer"], "{kind}");
        assert_eq!(stage.count(&format!("q transfer Ann {kind} agent")), 1, "{kind}");
    }
}

#[test]
fn a_transfer_that_failed_or_was_anothers_is_no_end_by_transfer() {
    for transfer in [
        "BlindTransfer Result=Fail TransfererUniqueid=1.4 BridgeUniqueid=far",
        "BlindTransfer Result=Success TransfererUniqueid=1.9 BridgeUniqueid=far",
    ] {
        let mut stage = behind_local();
        stage.at(9.0).event(transfer).event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4");
        stage.event("Hangup Uniqueid=1.4 Cause=16").at(60.0).event(LATE_COMPLETE);
        assert_eq!(
            (stage.count("q complete Ann unknown"), stage.sum("q talk Ann")),
            (1, 9.0),
            "{transfer}"
        );
    }
}

#[test]
fn a_transfer_seen_before_a_gap_is_the_end_that_is_counted_in_it() {
    let mut stage = behind_local();
    stage.at(9.0).event("BlindTransfer Result=Success TransfererUniqueid=1.4 BridgeUniqueid=far");
    stage
        .event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4")
        .event("Hangup Uniqueid=1.4 Cause=16");
    stage.at(10.0).cut().at(12.0).resync(&["QueueParams Queue=q ServiceLevel=0"]).at(30.0);
    assert_eq!((stage.count("q complete Ann transfer"), stage.sum("q talk Ann")), (1, 9.0));
}

#[test]
fn a_caller_s_transfer_of_a_later_bridge_is_not_the_queue_s() {
    let mut stage = connected();
    stage
        .at(10.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16");
    stage.event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    stage
        .at(20.0)
        .event("BlindTransfer Result=Success TransfererUniqueid=1.1 BridgeUniqueid=later");
    assert_eq!(stage.count("q transfer Ann blind caller"), 0);
    stage.event("BlindTransfer Result=Success TransfererUniqueid=1.1 BridgeUniqueid=b");
    assert_eq!(stage.count("q transfer Ann blind caller"), 1);
}

/// Ann, who talks to the caller, transfers blindly.
fn transferred() -> Stage {
    let mut stage = connected();
    stage
        .at(10.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1")
        .event("BlindTransfer Result=Success TransfererUniqueid=1.2 TransfereeUniqueid=1.1 BridgeUniqueid=b")
        .event("AgentComplete Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann Reason=transfer");
    stage.event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2").event("Hangup Uniqueid=1.2 Cause=16");
    stage
}

/// What was counted of where calls went.
fn ways(stage: &Stage) -> Vec<String> {
    let counted = stage.counted().into_iter();
    counted.filter(|what| what.contains("transferred to") || what.contains("flow")).collect()
}

#[test]
fn a_blind_transfer_goes_to_whom_the_caller_dials_first() {
    for (leg, to) in [
        ("DestChannel=SIP/trunk-7", "trunk"),
        ("DestChannel=SIP/202-7", "other"),
        ("DestChannel=SIP/203-7", "agent"),
    ] {
        let mut stage = transferred();
        stage.event("QueueMemberAdded Queue=q Interface=SIP/203 MemberName=Bob Status=1");
        assert_eq!(ways(&stage), [""; 0], "{to}");
        stage.at(11.0).event(&format!("DialBegin Uniqueid=1.1 DestUniqueid=1.7 {leg}"));
        stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.8 DestChannel=SIP/trunk-8");
        stage.event("Hangup Uniqueid=1.1 Cause=16");
        assert_eq!(ways(&stage), [format!("1 q transferred to {to}")]);
    }
}

#[test]
fn a_blind_transfer_through_a_local_channel_goes_where_that_goes() {
    let mut stage = transferred();
    stage
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.5 Linkedid=1.1")
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.6 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.5 LocalTwoUniqueid=1.6")
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.5 DestChannel=Local/9@x-0;1");
    assert_eq!(ways(&stage), [""; 0]);
    stage.event("DialBegin Uniqueid=1.6 DestUniqueid=1.7 DestChannel=SIP/trunk-7");
    assert_eq!(ways(&stage), ["1 q transferred to trunk"]);
}

#[test]
fn a_local_channel_whose_other_half_is_gone_leads_nowhere_else() {
    for seconds in [12.0, 60.0] {
        let mut stage = transferred();
        stage
            .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.5 Linkedid=1.1")
            .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.6 Linkedid=1.1")
            .event("LocalBridge LocalOneUniqueid=1.5 LocalTwoUniqueid=1.6")
            .event("Hangup Uniqueid=1.6 Cause=16");
        // It is kept for 30 s.
        stage
            .at(seconds)
            .event("DialBegin Uniqueid=1.1 DestUniqueid=1.5 DestChannel=Local/9@x-0;1");
        assert_eq!(ways(&stage), ["1 q transferred to other"], "{seconds}");
    }
}

#[test]
fn a_blind_transfer_into_a_queue_is_a_flow_whichever_event_comes_first() {
    let mut stage = transferred();
    stage.at(11.0).event("QueueCallerJoin Uniqueid=1.1 Queue=r");
    assert_eq!(ways(&stage), ["1 q flow r transfer", "1 q transferred to queue"]);

    let mut stage = connected();
    stage.at(10.0).event("QueueCallerJoin Uniqueid=1.1 Queue=r");
    stage.event("BlindTransfer Result=Success TransfererUniqueid=1.2 TransfereeUniqueid=1.1 BridgeUniqueid=b");
    stage.event("Hangup Uniqueid=1.1 Cause=16");
    assert_eq!(ways(&stage), ["1 q flow r dialplan", "1 q transferred to queue"]);

    // The caller transfers the agent's leg, which was in no queue before.
    let mut stage = connected();
    stage.at(10.0).event("QueueCallerJoin Uniqueid=1.2 Queue=r");
    stage.event("BlindTransfer Result=Success TransfererUniqueid=1.1 TransfereeUniqueid=1.2 BridgeUniqueid=b");
    assert_eq!(ways(&stage), ["1 q flow r transfer", "1 q transferred to queue"]);
}

/// The queue `r`, and the caller who joined it in a gap.
const IN_R: [&str; 4] = [
    "QueueParams Queue=q",
    "QueueParams Queue=r",
    "CoreShowChannel Uniqueid=1.1 Channel=SIP/trunk-1 ChannelState=6 Application=Queue ApplicationData=r",
    "QueueEntry Queue=r Uniqueid=1.1 Channel=SIP/trunk-1 Wait=3",
];
/// The caller, who waits nowhere.
const IN_DIALPLAN: [&str; 3] = [
    "QueueParams Queue=q",
    "QueueParams Queue=r",
    "CoreShowChannel Uniqueid=1.1 Channel=SIP/trunk-1 ChannelState=6 Application=Wait",
];

#[test]
fn a_transfer_whose_arrival_a_gap_hid_arrives_nowhere() {
    let dials = "DialBegin Uniqueid=1.1 DestUniqueid=1.7 DestChannel=SIP/201-7";
    let joins = "QueueCallerJoin Uniqueid=1.1 Queue=s";
    let ends = "Hangup Uniqueid=1.1 Cause=16";
    for event in [dials, joins, ends] {
        for listed in [&IN_R[..], &IN_DIALPLAN[..]] {
            let mut stage = transferred();
            stage.at(12.0).cut().at(20.0).resync(listed).at(25.0);
            if event == joins && listed == IN_R {
                leave(&mut stage, "r");
            }
            stage.event(event);
            let flows: &[&str] =
                if event == joins && listed == IN_R { &["1 r flow s dialplan"] } else { &[] };
            assert_eq!(ways(&stage), flows, "{event} {listed:?}");
        }
    }
}

#[test]
fn a_transfer_whose_join_was_missed_arrives_nowhere() {
    let mut stage = transferred();
    stage.at(11.0).event("AgentCalled Uniqueid=1.1 DestUniqueid=1.7 Queue=r Interface=SIP/202");
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.7 DestChannel=SIP/202-7");
    assert_eq!(ways(&stage), [""; 0]);
}

/// The caller, who waits in a queue, leaves it at its timeout.
fn leave(stage: &mut Stage, queue: &str) {
    stage
        .event(&format!("QueueCallerAbandon Uniqueid=1.1 Queue={queue} HoldTime=30"))
        .event(&format!("QueueCallerLeave Uniqueid=1.1 Queue={queue}"))
        .event("VarSet Uniqueid=1.1 Variable=QUEUESTATUS Value=TIMEOUT");
}

#[test]
fn a_queue_that_was_left_before_or_in_a_gap_is_not_where_the_caller_comes_from() {
    let joins = "QueueCallerJoin Uniqueid=1.1 Queue=s";

    // Lost in the gap, left before it, and talked before it.
    let mut lost = joined();
    lost.at(5.0).cut().at(20.0).resync(&IN_DIALPLAN).at(25.0).event(joins);
    assert_eq!((lost.count("q exit lost"), ways(&lost)), (1, vec![]));
    let mut left = joined();
    leave(left.at(5.0), "q");
    left.cut().at(20.0).resync(&IN_DIALPLAN).at(25.0).event(joins);
    assert_eq!((left.count("q exit timeout"), ways(&left)), (1, vec![]));
    let mut undecided = joined();
    undecided
        .at(5.0)
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .cut()
        .at(20.0)
        .resync(&IN_DIALPLAN)
        .at(25.0)
        .event(joins);
    assert_eq!(ways(&undecided), [""; 0]);
    let mut talked = connected();
    talked
        .at(5.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1")
        .event("Hangup Uniqueid=1.2 Cause=16")
        .cut();
    talked.at(20.0).resync(&IN_DIALPLAN).at(25.0).event(joins);
    assert_eq!((talked.count("q complete Ann unknown"), ways(&talked)), (1, vec![]));
}

#[test]
fn a_queue_that_was_left_after_a_gap_is_where_the_caller_comes_from() {
    let joins = "QueueCallerJoin Uniqueid=1.1 Queue=s";
    let channel = "CoreShowChannel Uniqueid=1.1 Channel=SIP/trunk-1 ChannelState=6 Application=Queue ApplicationData=q";
    let mut waited = joined();
    let entry = "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=20";
    waited.at(5.0).cut().at(20.0).resync(&["QueueParams Queue=q", channel, entry]);
    leave(waited.at(25.0), "q");
    assert_eq!(ways(waited.event(joins)), ["1 q flow s dialplan"]);

    // Also a caller whose channel does not run Queue, who came through a Local channel.
    let leg = "CoreShowChannel Uniqueid=1.2 Channel=SIP/201-2 ChannelState=6 Application=AppQueue BridgeId=b";
    let other = channel.replace("Application=Queue", "Application=Dial");
    for caller in [channel, &other] {
        let mut talked = connected();
        let caller = format!("{caller} BridgeId=b");
        talked.at(5.0).cut().at(20.0).resync(&["QueueParams Queue=q", &caller, leg]);
        talked
            .at(25.0)
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1")
            .event("Hangup Uniqueid=1.2 Cause=16")
            .at(35.0)
            .event(joins);
        assert_eq!(ways(&talked), ["1 q flow s dialplan"], "{caller}");
    }
}

#[test]
fn who_hangs_up_on_the_way_or_has_no_channel_arrives_nowhere() {
    let mut stage = transferred();
    stage.event("Hangup Uniqueid=1.1 Cause=16").event("Hangup Uniqueid=1.1 Cause=16");
    assert_eq!(ways(&stage), ["1 q transferred to other"]);

    let mut stage = connected();
    stage.event("BlindTransfer Result=Success TransfererUniqueid=1.2 BridgeUniqueid=b");
    assert_eq!(ways(&stage), ["1 q transferred to other"]);
}

#[test]
fn an_attended_transfer_goes_to_whom_the_agent_consulted() {
    let transfer = "AttendedTransfer Result=Success DestType=Bridge DestBridgeUniqueid=b OrigTransfererUniqueid=1.2 \
                    OrigBridgeUniqueid=b SecondTransfererUniqueid=1.5 SecondBridgeUniqueid=c TransfereeUniqueid=1.1 \
                    TransferTargetUniqueid=1.6";
    for (before, ways_seen) in [
        (
            "DialBegin Uniqueid=1.5 DestUniqueid=1.6 DestChannel=SIP/trunk-6",
            vec!["1 q transferred to trunk"],
        ),
        (
            "DialBegin Uniqueid=1.5 DestUniqueid=1.6 DestChannel=SIP/201-6",
            vec!["1 q transferred to agent"],
        ),
        (
            "DialBegin Uniqueid=1.5 DestUniqueid=1.6 DestChannel=SIP/209-6",
            vec!["1 q transferred to other"],
        ),
        (
            "QueueCallerJoin Uniqueid=1.5 Queue=r",
            vec!["1 q flow r transfer", "1 q transferred to queue"],
        ),
    ] {
        let mut stage = connected();
        stage.at(10.0).event(before).event(transfer);
        assert_eq!(ways(&stage), ways_seen, "{before}");
    }

    // The caller transfers by a feature code: the caller's own place is no other queue.
    let mut stage = connected();
    stage.event("DialBegin Uniqueid=1.1 DestUniqueid=1.6 DestChannel=SIP/trunk-6");
    stage.event("AttendedTransfer Result=Success DestType=Bridge OrigTransfererUniqueid=1.1 OrigBridgeUniqueid=b \
                 SecondTransfererUniqueid=1.1 SecondBridgeUniqueid=c TransfereeUniqueid=1.2 TransferTargetUniqueid=1.6");
    assert_eq!(ways(&stage), ["1 q transferred to trunk"]);
}

#[test]
fn a_caller_s_attended_transfer_into_a_queue_is_a_flow() {
    let mut stage = connected();
    stage
        .at(10.0)
        .event("Newchannel Channel=Local/9@x-0;1 Uniqueid=1.6 Linkedid=1.1")
        .event("Newchannel Channel=Local/9@x-0;2 Uniqueid=1.7 Linkedid=1.1")
        .event("LocalBridge LocalOneUniqueid=1.6 LocalTwoUniqueid=1.7")
        .event("QueueCallerJoin Uniqueid=1.7 Queue=r");
    stage.event("AttendedTransfer Result=Success DestType=Bridge OrigTransfererUniqueid=1.1 OrigBridgeUniqueid=b \
                 SecondTransfererUniqueid=1.1 SecondBridgeUniqueid=c TransfereeUniqueid=1.2 TransferTargetUniqueid=1.6");
    assert_eq!(ways(&stage), ["1 q flow r transfer", "1 q transferred to queue"]);
}

#[test]
fn a_caller_who_goes_on_to_another_queue_flows_by_dialplan() {
    let mut stage = joined();
    stage
        .at(30.0)
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q HoldTime=30")
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("VarSet Uniqueid=1.1 Variable=QUEUESTATUS Value=TIMEOUT")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=r");
    assert_eq!(ways(&stage), ["1 q flow r dialplan"]);
}
