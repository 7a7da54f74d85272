//! Callers whose place goes over to another channel, and callers who are taken out of a queue.

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
const HAND_OVER: &str = "AttendedTransfer Result=Success DestType=App DestApp=Queue OrigTransfererUniqueid=1.2 \
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
    // the masquerade has given the line the customer's Linkedid
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
    // of another queue; two at once; long ago
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

const LOCAL: &str =
    "DestUniqueid=1.5 DestChannel=SIP/201-5 Queue=q Interface=SIP/201 MemberName=Ann";

/// A customer (1.1) behind a Local channel (1.2, 1.3) whose second half talks to Ann (1.5) in the
/// queue's bridge.
fn behind_local() -> Stage {
    let mut stage = Stage::live();
    stage.event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1");
    stage.event("Newchannel Channel=Local/q@x-1;1 Uniqueid=1.2 Linkedid=1.1");
    stage.event("Newchannel Channel=Local/q@x-1;2 Uniqueid=1.3 Linkedid=1.1");
    stage
        .event("LocalBridge LocalOneUniqueid=1.2 LocalTwoUniqueid=1.3")
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("BridgeEnter BridgeUniqueid=a Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=a Uniqueid=1.1");
    stage.event("QueueCallerJoin Uniqueid=1.3 Queue=q");
    stage
        .at(1.0)
        .event(&format!("AgentCalled Uniqueid=1.3 {LOCAL}"))
        .event("DialBegin Uniqueid=1.3 DestUniqueid=1.5");
    stage.at(3.0).event("DialEnd Uniqueid=1.3 DestUniqueid=1.5 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.3 Queue=q")
        .event(&format!("AgentConnect Uniqueid=1.3 {LOCAL} HoldTime=3"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.5")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.3");
    stage
}

/// How the Local channel goes away, and the bridge that is left.
const OPTIMISATIONS: [(&str, &[&str]); 3] = [
    // what 16 and 22 do: the customer comes into the queue's bridge
    (
        "b",
        &[
            "BridgeLeave BridgeUniqueid=a Uniqueid=1.1",
            "BridgeLeave BridgeUniqueid=b Uniqueid=1.3",
            "BridgeEnter BridgeUniqueid=b Uniqueid=1.1 SwapUniqueid=1.3",
            "BridgeLeave BridgeUniqueid=a Uniqueid=1.2",
            "HangupRequest Uniqueid=1.2",
            "Hangup Uniqueid=1.3 Cause=16",
            "Hangup Uniqueid=1.2 Cause=16",
        ],
    ),
    // the agent goes into the customer's
    (
        "a",
        &[
            "BridgeLeave BridgeUniqueid=b Uniqueid=1.5",
            "BridgeLeave BridgeUniqueid=a Uniqueid=1.2",
            "BridgeEnter BridgeUniqueid=a Uniqueid=1.5 SwapUniqueid=1.2",
            "BridgeLeave BridgeUniqueid=b Uniqueid=1.3",
            "Hangup Uniqueid=1.3 Cause=16",
            "Hangup Uniqueid=1.2 Cause=16",
        ],
    ),
    // both bridges become one
    (
        "a",
        &[
            "BridgeLeave BridgeUniqueid=b Uniqueid=1.5",
            "BridgeEnter BridgeUniqueid=a Uniqueid=1.5",
            "BridgeLeave BridgeUniqueid=b Uniqueid=1.3",
            "BridgeLeave BridgeUniqueid=a Uniqueid=1.2",
            "Hangup Uniqueid=1.3 Cause=16",
            "Hangup Uniqueid=1.2 Cause=16",
        ],
    ),
];

#[test]
fn a_caller_behind_a_local_channel_that_is_optimised_away_talks_on() {
    for (bridge, events) in OPTIMISATIONS {
        let mut stage = behind_local();
        stage.at(3.5);
        for event in events {
            stage.event(event);
        }
        // past all deadlines of the channels that are gone
        stage.at(45.0);
        assert_eq!(stage.inside(), (0, 1), "{events:?}");

        stage
            .at(48.0)
            .event("HangupRequest Uniqueid=1.1")
            .event(&format!("BridgeLeave BridgeUniqueid={bridge} Uniqueid=1.5"));
        stage.event(&format!("BridgeLeave BridgeUniqueid={bridge} Uniqueid=1.1"));
        stage.event(&format!(
            "AgentComplete Uniqueid=1.1 {LOCAL} HoldTime=3 TalkTime=45 Reason=caller"
        ));
        stage.event("Hangup Uniqueid=1.5 Cause=16").event("Hangup Uniqueid=1.1 Cause=16").at(120.0);
        assert_eq!(
            (stage.count("q complete Ann caller"), stage.sum("q talk Ann")),
            (1, 45.0),
            "{events:?}"
        );
        assert_eq!(
            (stage.count("q hangup Ann caller 16"), stage.count("q hangup Ann agent 16")),
            (1, 1),
            "{events:?}"
        );
        assert_eq!(stage.count("call inbound Ann SIP/trunk answered"), 1, "{:?}", stage.counted());
        assert!(
            stage
                .tally
                .counts
                .keys()
                .all(|what| !what.contains("anomaly") && !what.contains("lost")),
            "{events:?}"
        );
    }
}

/// Who came through runs Dial and not Queue: the list must not be taken to say that the talk is
/// over.
#[test]
fn a_caller_who_came_through_talks_on_over_a_gap() {
    let listed = |uid: &str, name: &str, application: &str| {
        format!(
            "CoreShowChannel Uniqueid={uid} Linkedid=1.1 Channel={name} ChannelState=6 BridgeId=b \
             Application={application} ApplicationData=Local/q@x"
        )
    };
    let caller = listed("1.1", "SIP/trunk-1", "Dial");
    for (leg, talks) in [("1.5", true), ("1.8", false)] {
        let mut stage = behind_local();
        OPTIMISATIONS[0].1.iter().for_each(|event| {
            stage.event(event);
        });
        stage.at(10.0).cut().at(20.0).resync(&[
            &caller,
            &listed(leg, "SIP/201-5", "AppQueue"),
            "QueueParams Queue=q",
        ]);
        assert_eq!(stage.at(30.0).inside(), (0, u64::from(talks)));
        stage.at(48.0).event(&format!(
            "AgentComplete Uniqueid=1.1 {LOCAL} HoldTime=3 TalkTime=45 Reason=caller"
        ));
        let (told, lost) =
            (stage.count("q complete Ann caller"), stage.count("q complete Ann lost"));
        assert_eq!((told, lost), (u64::from(talks), u64::from(!talks)));
        assert_eq!(stage.sum("q talk Ann"), if talks { 45.0 } else { 0.0 });
    }
}

#[test]
fn without_an_agent_complete_the_caller_who_came_through_ended_the_talk() {
    let (_, events) = OPTIMISATIONS[0];
    let mut stage = behind_local();
    for event in events {
        stage.event(event);
    }
    stage
        .at(23.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.5")
        .at(40.0);
    assert_eq!((stage.count("q complete Ann caller"), stage.sum("q talk Ann")), (1, 20.0));
}

#[test]
fn a_local_caller_who_hangs_up_is_gone() {
    let mut stage = behind_local();
    stage
        .at(10.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=a Uniqueid=1.1");
    stage.event("Hangup Uniqueid=1.2 Cause=16").event("HangupRequest Uniqueid=1.3");
    stage
        .event("Hangup Uniqueid=1.3 Cause=16")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.5")
        .at(20.0);
    assert_eq!(
        (stage.count("q complete Ann caller"), stage.sum("q talk Ann"), stage.inside()),
        (1, 7.0, (0, 0))
    );
}

#[test]
fn whoever_takes_a_local_half_s_place_from_elsewhere_is_somebody_else() {
    let mut stage = behind_local();
    // the other party of a transfer comes out of a bridge of its own
    stage
        .event("Newchannel Channel=SIP/301-7 Uniqueid=5.1 Linkedid=5.1")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=5.1");
    stage.event("BridgeLeave BridgeUniqueid=b Uniqueid=1.3");
    stage.at(8.0).event("BridgeEnter BridgeUniqueid=b Uniqueid=5.1 SwapUniqueid=1.3");
    stage.event(&format!(
        "AgentComplete Uniqueid=1.3 {LOCAL} HoldTime=3 TalkTime=5 Reason=transfer"
    ));
    stage.event("Hangup Uniqueid=1.3 Cause=16").at(60.0);
    assert_eq!((stage.count("q complete Ann transfer"), stage.sum("q talk Ann")), (1, 5.0));
    assert!(stage.tally.counts.keys().all(|what| !what.contains("adopted")));
}

#[test]
fn a_masquerade_of_a_talking_caller_leaves_the_talk_as_it_is() {
    let mut stage = behind_local();
    stage.at(6.0).event("Newchannel Channel=SIP/205-9 Uniqueid=4.1 Linkedid=4.1");
    stage.event("Newexten Uniqueid=4.1 Extension=600 Application=Queue AppData=q,t");
    // no BridgeLeave, no BridgeEnter (ast_bridge_notify_masquerade)
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

/// A customer (1.1) talks to Ann (1.5) in the queue's bridge.
fn talking() -> Stage {
    let mut stage = ringing();
    stage.at(3.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.5 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect Uniqueid=1.1 {LOCAL} HoldTime=3"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.5")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

/// INVITE with Replaces: a phone takes over another one's part of the talk.
fn take_over(stage: &mut Stage, replaced: &str) {
    stage.event("Newchannel Channel=SIP/205-9 Uniqueid=4.1 Linkedid=4.1");
    stage.event(&format!("BridgeLeave BridgeUniqueid=b Uniqueid={replaced}"));
    stage.event(&format!("BridgeEnter BridgeUniqueid=b Uniqueid=4.1 SwapUniqueid={replaced}"));
    stage.event(&format!("Hangup Uniqueid={replaced} Cause=16"));
}

#[test]
fn a_talk_that_is_taken_along_to_another_phone_goes_on() {
    for (replaced, remaining) in [("1.1", "1.5"), ("1.5", "1.1")] {
        let mut stage = talking();
        take_over(stage.at(6.0), replaced);
        stage.at(60.0);
        assert_eq!(stage.inside(), (0, 1), "{replaced}");
        stage
            .at(63.0)
            .event("HangupRequest Uniqueid=4.1")
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=4.1");
        stage.event("Hangup Uniqueid=4.1 Cause=16");
        stage.event(&format!("BridgeLeave BridgeUniqueid=b Uniqueid={remaining}")).at(99.0);
        let ended_by = if replaced == "1.1" { "caller" } else { "agent" };
        assert_eq!(
            stage.count(&format!("q complete Ann {ended_by}")),
            1,
            "{replaced}: {:?}",
            stage.counted()
        );
        assert_eq!(stage.sum("q talk Ann"), 60.0, "{replaced}");
    }
}

#[test]
fn an_agent_who_is_replaced_by_a_transfer_is_out_of_the_talk() {
    let mut stage = talking();
    stage.at(6.0).event(
        "AttendedTransfer Result=Success DestType=Bridge DestBridgeUniqueid=b OrigTransfererUniqueid=1.5 \
         OrigBridgeUniqueid=b SecondTransfererUniqueid=1.6 SecondBridgeUniqueid=c",
    );
    take_over(&mut stage, "1.5");
    stage.at(20.0);
    assert_eq!(
        (stage.count("q complete Ann transfer"), stage.sum("q talk Ann"), stage.inside()),
        (1, 3.0, (0, 0))
    );
}

#[test]
fn a_caller_who_is_gone_talks_to_nobody_though_the_agent_stays_bridged() {
    let mut stage = talking();
    // a third party was added to the talk
    stage
        .event("Newchannel Channel=SIP/205-9 Uniqueid=4.1 Linkedid=4.1")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=4.1");
    stage
        .at(10.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
    stage.event("Hangup Uniqueid=1.1 Cause=16").at(20.0);
    assert_eq!(
        (stage.count("q complete Ann caller"), stage.sum("q talk Ann"), stage.inside()),
        (1, 7.0, (0, 0))
    );
}

/// A caller waits, and Ann's phone rings.
fn ringing() -> Stage {
    let mut stage = Stage::live();
    stage.event("QueueMemberAdded Queue=q Interface=SIP/201 MemberName=Ann Status=1 Paused=0");
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage.at(1.0).event("Newchannel Channel=SIP/201-5 Uniqueid=1.5 Linkedid=1.1");
    stage
        .event(&format!("AgentCalled Uniqueid=1.1 {LOCAL}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.5");
    stage
}

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
    let ann = stage.correlator.state(stage.now).agents[0].1;
    assert_eq!(ann, crate::correlator::AgentState::Available);

    // the same caller may come back
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
fn lists_that_no_longer_have_the_caller_mend_what_no_event_tells() {
    let mut stage = ringing();
    let member = "QueueMember Queue=q Name=Ann Location=SIP/201 Status=1 Paused=0";
    for list in 1..=2 {
        stage.at(60.0 * f64::from(list));
        stage.correlator.begin_listing(stage.now);
        let snapshot = snapshot(&["QueueParams Queue=q ServiceLevel=0", member]);
        stage.correlator.reconcile(stage.now, &snapshot, &mut stage.tally);
    }
    stage.at(123.0);
    assert_eq!(
        (stage.count("q exit lost"), stage.count("anomaly caller_vanished"), stage.inside()),
        (1, 1, (0, 0))
    );
}

#[test]
fn a_list_may_be_newer_than_the_transfer_it_shows() {
    // the place is known from before, or its Join comes behind the list as well
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
            with_event(event, |event| list.foresee(&event));
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

#[test]
fn an_agent_complete_with_a_uniqueid_that_never_stayed_belongs_to_the_member_s_talk() {
    for channel in ["Uniqueid=2.1", "", "DestUniqueid=1.5"] {
        let mut stage = behind_local();
        stage.event("Newchannel Channel=SIP/201-8 Uniqueid=2.1 Linkedid=2.1");
        let complete = format!(
            "{channel} Queue=q Interface=SIP/201 MemberName=Ann HoldTime=3 TalkTime=4 Reason=caller"
        );
        stage.at(7.0).event(&format!("AgentComplete {complete}"));
        assert_eq!(
            (stage.count("q complete Ann caller"), stage.sum("q talk Ann")),
            (1, 4.0),
            "{channel}"
        );
        // it may be told twice
        stage
            .event(&format!("AgentComplete {}", complete.replace("=caller", "=transfer")))
            .at(100.0);
        assert_eq!(
            (stage.count("q complete Ann caller"), stage.count("q complete Ann transfer")),
            (1, 0),
            "{channel}"
        );
        assert_eq!(stage.count("q adopted talking"), 0, "{channel}");
    }
}

/// Ann (1.5) talks to a customer (1.1); her second line (2.1) waits in the same queue.
fn consulting_the_same_queue() -> Stage {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage.at(1.0).event("Newchannel Channel=SIP/201-5 Uniqueid=1.5 Linkedid=1.1");
    stage
        .event(&format!("AgentCalled Uniqueid=1.1 {LOCAL}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.5");
    stage.at(2.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.5 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect Uniqueid=1.1 {LOCAL} HoldTime=2"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.5")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage.at(5.0).event("Newchannel Channel=SIP/201-6 Uniqueid=2.1 Linkedid=2.1");
    stage.event("QueueCallerJoin Uniqueid=2.1 Queue=q").at(12.0);
    stage
}

/// An AgentComplete that names the second line is the talk's, though that line waits in the same
/// queue.
#[test]
fn an_agent_complete_under_the_line_that_waits_answers_no_wait() {
    let handed_over = HAND_OVER.replace("1.2", "1.5");
    let complete = "AgentComplete Uniqueid=2.1 Queue=q Interface=SIP/201 MemberName=Ann HoldTime=2 TalkTime=10 Reason=transfer";
    for events in [[complete, &handed_over], [&handed_over, complete]] {
        let mut stage = consulting_the_same_queue();
        stage.event(events[0]).event(events[1]);
        stage
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.5")
            .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1");
        stage.event("Hangup Uniqueid=2.1 Cause=16").event("Hangup Uniqueid=1.5 Cause=16");
        assert_eq!(stage.at(20.0).inside(), (1, 0));
        stage
            .at(30.0)
            .event("HangupRequest Uniqueid=1.1")
            .event("QueueCallerAbandon Uniqueid=1.1 Queue=q HoldTime=25");
        stage
            .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
            .event("Hangup Uniqueid=1.1 Cause=0")
            .at(70.0);

        assert_eq!((stage.count("q entered"), stage.count("q complete Ann transfer")), (2, 1));
        assert_eq!((stage.count("q exit answered"), stage.sum("q talk Ann")), (1, 10.0));
        assert_eq!((stage.count("q exit abandoned"), stage.sum("q hold abandoned")), (1, 25.0));
        assert!(
            stage
                .tally
                .counts
                .keys()
                .all(|what| !what.contains("anomaly") && !what.contains("adopted"))
        );
    }
}

/// After a gap without a list of channels, the call of a Uniqueid that is not known is another one,
/// if it has a leg of its own.
#[test]
fn the_end_of_a_call_that_a_gap_hid_is_no_second_end_of_the_last_one() {
    let mut stage = talking();
    stage
        .at(20.0)
        .event(&format!("AgentComplete Uniqueid=1.1 {LOCAL} HoldTime=3 TalkTime=17 Reason=agent"));
    let hidden = LOCAL.replace("1.5", "8.5");
    stage
        .at(40.0)
        .event(&format!("AgentComplete Uniqueid=8.1 {hidden} HoldTime=3 TalkTime=9 Reason=agent"));
    assert_eq!((stage.count("q adopted talking"), stage.count("q complete Ann agent")), (1, 2));
}
