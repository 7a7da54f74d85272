//! Talks that go on with another channel in a bridge: behind a Local channel that is optimised away,
//! and taken along to another phone.

use super::Stage;

pub(super) const LOCAL: &str =
    "DestUniqueid=1.5 DestChannel=SIP/201-5 Queue=q Interface=SIP/201 MemberName=Ann";

/// A customer (1.1) behind a Local channel (1.2, 1.3) whose second half talks to Ann (1.5) in the
/// queue's bridge.
pub(super) fn behind_local() -> Stage {
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
    // What 16 and 22 do: the customer comes into the queue's bridge.
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
    // The agent goes into the customer's.
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
    // Both bridges become one.
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
        // Past all deadlines of the channels that are gone.
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
        let (counted, lost) =
            (stage.count("q complete Ann caller"), stage.count("q complete Ann lost"));
        assert_eq!((counted, lost), (u64::from(talks), u64::from(!talks)));
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
    // The other party of a transfer comes out of a bridge of its own.
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

/// A customer (1.1) talks to Ann (1.5) in the queue's bridge.
pub(super) fn talking() -> Stage {
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
    // A third party was added to the talk.
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
pub(super) fn ringing() -> Stage {
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
