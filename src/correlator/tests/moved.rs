//! Callers whose place in a queue goes over to another channel.

use super::swap::behind_local;
use super::{Stage, snapshot, with_event};

/// SIP/201 talks to a customer (1.1) on its first line (1.2); its second line (2.1) waits in the
/// queue.
fn consulting() -> Stage {
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1");
    stage
        .event("Newchannel Channel=SIP/201-2 Uniqueid=1.2 Linkedid=1.1")
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage.at(2.0).event("Newchannel Channel=SIP/201-3 Uniqueid=2.1 Linkedid=2.1");
    stage.event("Newexten Uniqueid=2.1 Extension=600 Application=Queue AppData=q,t");
    stage.event("QueueCallerJoin Uniqueid=2.1 Queue=q");
    stage
}

/// The second line's place goes to the customer, as REFER with Replaces does it.
pub(super) const HAND_OVER: &str = "AttendedTransfer Result=Success DestType=App DestApp=Queue OrigTransfererUniqueid=1.2 \
     OrigBridgeUniqueid=b SecondTransfererUniqueid=2.1 TransfereeUniqueid=1.1 TransfereeChannel=SIP/trunk-1";

/// Both lines of the agent are gone.
fn lines_end(stage: &mut Stage) {
    stage
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage.event("Newexten Uniqueid=1.1 Extension=600 Application=Queue AppData=q,t");
    stage.event("Newexten Uniqueid=2.1 Extension=7001 Application=Dial AppData=SIP/201");
    stage.event("Hangup Uniqueid=2.1 Cause=16").event("Hangup Uniqueid=1.2 Cause=16");
}

const RUNG: &str =
    "DestUniqueid=3.1 DestChannel=SIP/202-5 Queue=q Interface=SIP/202 MemberName=Bea";

#[test]
fn a_place_that_is_handed_over_is_one_stay_that_may_be_abandoned() {
    let mut stage = consulting();
    stage.at(5.0).event(HAND_OVER);
    lines_end(&mut stage);
    assert_eq!(stage.inside(), (1, 0));
    stage
        .at(20.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("QueueCallerAbandon Uniqueid=1.1 Queue=q HoldTime=18");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event("VarSet Uniqueid=1.1 Variable=QUEUEPOSITION Value=1");
    stage.event("Hangup Uniqueid=1.1 Cause=0").at(60.0);

    assert_eq!((stage.count("q entered"), stage.count("q exit abandoned")), (1, 1));
    assert_eq!(stage.sum("q hold abandoned"), 18.0);
    assert_eq!(stage.count("q hangup  caller 0"), 1);
    assert!(
        stage
            .tally
            .counts
            .keys()
            .all(|what| !what.contains("anomaly") && !what.contains("adopted"))
    );
    assert_eq!(stage.tally.whose.keys().collect::<Vec<_>>(), ["1.1 1.1", "2.1 2.1"]);
}

#[test]
fn a_place_that_is_handed_over_is_one_stay_that_may_be_answered() {
    let mut stage = consulting();
    stage
        .event(&format!("AgentCalled Uniqueid=2.1 {RUNG}"))
        .event("DialBegin Uniqueid=2.1 DestUniqueid=3.1");
    stage.at(5.0).event(HAND_OVER);
    lines_end(&mut stage);
    stage.at(8.0).event("DialEnd Uniqueid=1.1 DestUniqueid=3.1 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect Uniqueid=1.1 {RUNG} HoldTime=6"));
    stage
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=3.1")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.1");
    assert_eq!(stage.inside(), (0, 1));
    stage.at(18.0).event("HangupRequest Uniqueid=1.1");
    stage.event(&format!("AgentComplete Uniqueid=1.1 {RUNG} HoldTime=6 TalkTime=10 Reason=caller"));
    stage.event("Hangup Uniqueid=3.1 Cause=16").event("Hangup Uniqueid=1.1 Cause=16").at(60.0);

    assert_eq!((stage.count("q entered"), stage.count("q exit answered")), (1, 1));
    assert_eq!((stage.sum("q hold answered"), stage.sum("q talk Bea")), (6.0, 10.0));
    assert_eq!((stage.count("q ring Bea answered"), stage.sum("q ring Bea answered")), (1, 6.0));
    assert_eq!(stage.count("q complete Bea caller"), 1);
    assert!(
        stage
            .tally
            .counts
            .keys()
            .all(|what| !what.contains("anomaly") && !what.contains("adopted"))
    );
}

#[test]
fn a_line_without_its_place_is_not_looked_for_when_it_is_forgotten() {
    let mut stage = consulting();
    stage.at(5.0).event(HAND_OVER);
    // The masquerade has given the line the customer's Linkedid.
    stage.event(
        "Newexten Uniqueid=2.1 Linkedid=1.1 Extension=7001 Application=Dial AppData=SIP/201",
    );
    stage.event("Hangup Uniqueid=2.1 Linkedid=1.1 Cause=16").at(60.0);
    stage.resync(&[
        "CoreShowChannel Uniqueid=1.1 Linkedid=2.1 Channel=SIP/trunk-1 ChannelState=6 Application=Queue",
        "CoreShowChannel Uniqueid=3.1 Linkedid=2.1 Channel=SIP/202-5 ChannelState=5 Application=AppQueue",
        "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=58",
    ]);
    assert_eq!(stage.inside(), (1, 0));
}

#[test]
fn the_first_line_may_be_the_one_that_waits() {
    let mut stage = consulting();
    stage.at(5.0).event(
        "AttendedTransfer Result=Success DestType=App DestApp=Queue OrigTransfererUniqueid=2.1 \
         SecondTransfererUniqueid=1.2 SecondBridgeUniqueid=b TransferTargetUniqueid=1.1 TransferTargetChannel=SIP/trunk-1",
    );
    lines_end(&mut stage);
    stage.at(20.0);
    assert_eq!(stage.inside(), (1, 0));
    assert_eq!(
        stage.counted().iter().filter(|what| what.contains(" q ")).collect::<Vec<_>>(),
        ["1 q entered"]
    );
}

#[test]
fn a_transfer_that_fails_or_goes_elsewhere_moves_no_place() {
    for (from, to) in [
        ("Success", "Fail"),
        ("DestApp=Queue", "DestApp=ConfBridge"),
        ("DestType=App", "DestType=Bridge"),
    ] {
        let mut stage = consulting();
        stage.at(5.0).event(&HAND_OVER.replace(from, to)).at(6.0);
        stage
            .event("QueueCallerAbandon Uniqueid=2.1 Queue=q")
            .event("QueueCallerLeave Uniqueid=2.1 Queue=q")
            .at(9.0);
        assert_eq!((stage.count("q entered"), stage.inside()), (1, (0, 0)), "{to}");
        assert_eq!(stage.count("anomaly stay_without_join"), 0, "{to}");
    }
}

/// INVITE with Replaces of a waiting channel: a masquerade that no event names.
#[test]
fn a_masquerade_shows_by_the_steps_that_cross_and_the_hangup_of_the_shell() {
    let mut stage = consulting();
    stage.at(5.0).event("Newchannel Channel=SIP/205-9 Uniqueid=4.1 Linkedid=4.1");
    stage.event("Newexten Uniqueid=4.1 Extension=600 Application=Queue AppData=q,t");
    stage.event("Hangup Uniqueid=2.1 Cause=16").at(30.0);
    assert_eq!(stage.inside(), (1, 0));
    stage
        .event("QueueCallerAbandon Uniqueid=4.1 Queue=q")
        .event("QueueCallerLeave Uniqueid=4.1 Queue=q");
    stage
        .event("VarSet Uniqueid=4.1 Variable=QUEUEPOSITION Value=1")
        .event("Hangup Uniqueid=4.1 Cause=16");
    assert_eq!((stage.count("q exit abandoned"), stage.sum("q hold abandoned")), (1, 28.0));
    assert!(
        stage
            .tally
            .counts
            .keys()
            .all(|what| !what.contains("anomaly") && !what.contains("adopted"))
    );
}

#[test]
fn who_is_about_to_join_is_no_newcomer_to_a_place() {
    // Of another queue; two at once; long ago.
    for others in [vec!["r"], vec!["q", "q"]] {
        let mut stage = consulting();
        for (at, queue) in others.iter().enumerate() {
            stage.event(&format!("Newchannel Channel=SIP/205-9 Uniqueid=4.{at} Linkedid=4.{at}"));
            stage.event(&format!(
                "Newexten Uniqueid=4.{at} Extension=600 Application=Queue AppData={queue},t"
            ));
        }
        stage.event("Hangup Uniqueid=2.1 Cause=16").at(10.0);
        assert_eq!((stage.count("q exit unserved"), stage.inside()), (1, (0, 0)), "{others:?}");
        assert_eq!(stage.count("anomaly stay_outlived_channel"), 1);
    }
}

#[test]
fn a_masquerade_of_a_talking_caller_leaves_the_talk_as_it_is() {
    let mut stage = behind_local();
    stage.at(6.0).event("Newchannel Channel=SIP/205-9 Uniqueid=4.1 Linkedid=4.1");
    stage.event("Newexten Uniqueid=4.1 Extension=600 Application=Queue AppData=q,t");
    // No BridgeLeave, no BridgeEnter (ast_bridge_notify_masquerade).
    stage.event("Hangup Uniqueid=1.3 Cause=16").at(60.0);
    assert_eq!(stage.inside(), (0, 1));
    stage
        .at(63.0)
        .event("HangupRequest Uniqueid=4.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=4.1");
    stage
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.5")
        .event("Hangup Uniqueid=4.1 Cause=16")
        .at(99.0);
    assert_eq!((stage.count("q complete Ann caller"), stage.sum("q talk Ann")), (1, 60.0));
}

#[test]
fn a_list_may_be_newer_than_the_transfer_it_shows() {
    // The place is known from before, or its Join comes behind the list as well.
    for known in [true, false] {
        let mut stage = if known { consulting() } else { Stage::live() };
        let join = "QueueCallerJoin Uniqueid=2.1 Channel=SIP/201-3 Queue=q";
        let mut list = snapshot(&[
            "QueueParams Queue=q ServiceLevel=0",
            "QueueEntry Queue=q Uniqueid=1.1 Channel=SIP/trunk-1 Wait=3",
            "CoreShowChannel Uniqueid=1.1 Linkedid=1.1 Channel=SIP/trunk-1 ChannelState=6 Application=Queue ApplicationData=q",
        ]);
        let late: &[&str] = if known { &[HAND_OVER] } else { &[join, HAND_OVER] };
        for event in late {
            with_event(event, |event| list.foresee(crate::clock::Moment::from_secs(1000), &event));
        }
        stage.at(5.0).cut();
        stage.correlator.resync(stage.now, &list, &mut stage.tally);
        for event in late {
            stage.event(event);
        }
        stage.at(30.0);
        assert_eq!((stage.count("q entered"), stage.inside()), (1, (1, 0)), "{known}");
        assert_eq!(stage.count("q adopted waiting"), 0, "{known}");
    }
}
