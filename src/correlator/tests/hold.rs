//! Hold within a talk: Ann talks from second 3 on.

use super::transfer::behind_local;
use super::{Stage, connected};

/// How often Ann put callers on hold, for how long, and how often one hung up meanwhile.
fn held(stage: &Stage) -> (u64, f64, u64) {
    let count = |what: &str| stage.count(&format!("q Ann {what}"));
    (count("held"), stage.sum("q Ann hold in talk"), count("hung up on hold"))
}

/// How many talks Ann has on hold now.
fn on_hold(stage: &Stage) -> u32 {
    stage.correlator.members.all().map(|member| member.activity().counts().2).sum()
}

/// The caller (`1.1`) or Ann (`1.2`) hangs up.
fn hang_up(stage: &mut Stage, seconds: f64, uid: &str, reason: &str) {
    stage
        .at(seconds)
        .event(&format!("HangupRequest Uniqueid={uid}"))
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2");
    stage.event(&format!(
        "AgentComplete Uniqueid=1.1 DestUniqueid=1.2 Queue=q Interface=SIP/201 MemberName=Ann Reason={reason}"
    ));
}

#[test]
fn each_hold_counts_with_its_time_when_the_talk_is_counted() {
    let mut stage = connected();
    stage.at(10.0).event("Hold Uniqueid=1.2");
    // The same again.
    stage.at(11.0).event("Hold Uniqueid=1.2");
    stage.at(14.5).event("Unhold Uniqueid=1.2");
    stage.at(15.0).event("Unhold Uniqueid=1.2");
    stage.at(20.0).event("Hold Uniqueid=1.2");
    stage.at(22.0).event("Unhold Uniqueid=1.2");
    assert_eq!(held(&stage), (0, 0.0, 0));
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (2, 6.5, 0));
    assert_eq!(stage.sum("q talk Ann"), 27.0);
}

#[test]
fn a_talk_that_ends_on_hold_ends_its_hold() {
    for (uid, reason, left) in [("1.1", "caller", 1), ("1.2", "agent", 0)] {
        let mut stage = connected();
        stage.at(10.0).event("Hold Uniqueid=1.2");
        hang_up(&mut stage, 30.0, uid, reason);
        assert_eq!(held(&stage), (1, 20.0, left), "{reason}");
    }
}

#[test]
fn a_caller_who_puts_the_agent_on_hold_is_none() {
    let mut stage = connected();
    stage.at(10.0).event("Hold Uniqueid=1.1");
    stage.at(20.0).event("Unhold Uniqueid=1.1");
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (0, 0.0, 0));
}

#[test]
fn an_unhold_before_a_transfer_is_none() {
    let mut stage = connected();
    stage.at(10.0).event("Unhold Uniqueid=1.2");
    stage.event("BlindTransfer TransfererUniqueid=1.2 BridgeUniqueid=b Result=Success");
    hang_up(&mut stage, 10.0, "1.2", "transfer");
    assert_eq!(held(&stage), (0, 0.0, 0));
}

#[test]
fn hold_in_a_consultation_is_none_of_the_talk_s() {
    let mut stage = connected();
    stage
        .at(8.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.2");
    stage.at(9.0).event("BridgeLeave BridgeUniqueid=c Uniqueid=1.2").event("Hold Uniqueid=1.2");
    stage.at(12.0).event("Unhold Uniqueid=1.2").event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2");
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (0, 0.0, 0));
}

const LISTED: &[&str] = &[
    "QueueParams Queue=q",
    "QueueMember Queue=q Location=SIP/201 Name=Ann Status=2",
    "CoreShowChannel Uniqueid=1.1 Channel=SIP/trunk-1 ChannelState=6 Application=Queue ApplicationData=q BridgeId=b",
    "CoreShowChannel Uniqueid=1.2 Channel=SIP/201-2 ChannelState=6 Application=AppQueue BridgeId=b",
];

#[test]
fn how_long_a_hold_lasted_over_a_gap_is_not_known() {
    let mut stage = connected();
    stage.at(5.0).event("Hold Uniqueid=1.2");
    stage.at(6.0).event("Unhold Uniqueid=1.2");
    stage.at(10.0).event("Hold Uniqueid=1.2");
    stage.at(12.0).cut();
    stage.at(20.0).resync(LISTED);
    stage.at(24.0).event("Unhold Uniqueid=1.2");
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (2, 1.0, 0));
    assert_eq!(stage.sum("q talk Ann"), 27.0);
}

#[test]
fn a_hold_that_may_have_ended_in_a_gap_loses_no_caller_and_the_next_one_counts() {
    let mut stage = connected();
    stage.at(10.0).event("Hold Uniqueid=1.2");
    stage.at(12.0).cut();
    stage.at(20.0).resync(LISTED);
    let mut other = connected();
    other.at(10.0).event("Hold Uniqueid=1.2");
    other.at(12.0).cut();
    other.at(20.0).resync(LISTED);
    hang_up(&mut other, 30.0, "1.1", "caller");
    assert_eq!(held(&other), (1, 0.0, 0));

    stage.at(25.0).event("Hold Uniqueid=1.2");
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (2, 5.0, 1));
}

#[test]
fn of_a_talk_of_unknown_length_hold_has_none() {
    let mut stage = Stage::live();
    stage.resync(LISTED);
    stage.at(10.0).event("Hold Uniqueid=1.2");
    stage.at(15.0).event("Unhold Uniqueid=1.2");
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (1, 0.0, 0));
    assert_eq!(stage.count("q complete Ann caller"), 1);
}

#[test]
fn hold_ends_when_the_agent_takes_the_call_along_to_another_phone() {
    let mut stage = connected();
    stage.at(10.0).event("Hold Uniqueid=1.2");
    stage
        .at(12.0)
        .event("Newchannel Channel=SIP/205-9 Uniqueid=1.9 Linkedid=1.9")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.9 SwapUniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16");
    assert_eq!(on_hold(stage.at(16.9)), 1);
    assert_eq!(on_hold(stage.at(17.0)), 0);
    stage.at(20.0).event("Hold Uniqueid=1.9");
    assert_eq!(on_hold(&stage), 1);
    stage.at(21.0).event("Unhold Uniqueid=1.9");
    stage
        .at(30.0)
        .event("HangupRequest Uniqueid=1.1")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.9")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1")
        .event("Hangup Uniqueid=1.1 Cause=16")
        .at(40.0);
    assert_eq!(held(&stage), (2, 3.0, 0));
    assert_eq!(stage.sum("q talk Ann"), 27.0);
}

/// Ann leaves the caller for a consultation with 1.6.
fn consult(stage: &mut Stage, seconds: f64) {
    stage
        .at(seconds)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.6");
}

#[test]
fn hold_in_the_bridge_of_a_consultation_is_none_of_the_talk_s() {
    let mut stage = connected();
    consult(&mut stage, 8.0);
    stage.at(9.0).event("Hold Uniqueid=1.2");
    assert_eq!(on_hold(&stage), 0);
    stage.at(12.0).event("Unhold Uniqueid=1.2");
    stage
        .at(13.0)
        .event("BridgeLeave BridgeUniqueid=c Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2");
    stage.at(20.0).event("Hold Uniqueid=1.2");
    stage.at(22.0).event("Unhold Uniqueid=1.2");
    hang_up(&mut stage, 30.0, "1.1", "caller");
    assert_eq!(held(&stage), (1, 2.0, 0));
}

/// A feature code sends a Hold before the consultation, and no Unhold after it (16 and 22).
#[test]
fn the_caller_s_hold_lasts_until_the_agent_is_back_whatever_the_consultation_holds() {
    let back: &[&str] =
        &["BridgeLeave BridgeUniqueid=c Uniqueid=1.2", "BridgeEnter BridgeUniqueid=b Uniqueid=1.2"];
    let third_comes_along: &[&str] = &[
        "BridgeLeave BridgeUniqueid=c Uniqueid=1.6",
        "BridgeEnter BridgeUniqueid=b Uniqueid=1.6",
        "BridgeLeave BridgeUniqueid=c Uniqueid=1.2",
        "BridgeEnter BridgeUniqueid=b Uniqueid=1.2",
    ];
    let caller_comes: &[&str] =
        &["BridgeLeave BridgeUniqueid=b Uniqueid=1.1", "BridgeEnter BridgeUniqueid=c Uniqueid=1.1"];
    for events in [back, third_comes_along, caller_comes] {
        let mut stage = connected();
        stage.at(8.0).event("Hold Uniqueid=1.2");
        consult(&mut stage, 8.0);
        stage.at(9.0).event("Hold Uniqueid=1.2");
        stage.at(11.0).event("Unhold Uniqueid=1.2");
        assert_eq!(on_hold(&stage), 1);
        stage.at(14.0);
        events.iter().for_each(|event| {
            stage.event(event);
        });
        assert_eq!(on_hold(&stage), 0, "{events:?}");
        hang_up(&mut stage, 30.0, "1.1", "caller");
        assert_eq!(held(&stage), (1, 6.0, 0), "{events:?}");
    }
}

/// The phone of a member behind a Local channel consults in a bridge of its own.
#[test]
fn a_consultation_of_the_phone_behind_a_local_channel_is_one_too() {
    let along: &[&str] = &[
        "BridgeLeave BridgeUniqueid=c Uniqueid=1.4",
        "BridgeEnter BridgeUniqueid=far Uniqueid=1.4",
    ];
    let local_comes: &[&str] = &[
        "BridgeLeave BridgeUniqueid=far Uniqueid=1.3",
        "BridgeEnter BridgeUniqueid=c Uniqueid=1.3",
    ];
    for events in [along, local_comes] {
        let mut stage = behind_local();
        stage
            .at(8.0)
            .event("Hold Uniqueid=1.4")
            .event("BridgeLeave BridgeUniqueid=far Uniqueid=1.4")
            .event("BridgeEnter BridgeUniqueid=c Uniqueid=1.4");
        stage.at(10.0).event("Unhold Uniqueid=1.4").event("Hold Uniqueid=1.4");
        stage.at(14.0);
        events.iter().for_each(|event| {
            stage.event(event);
        });
        stage.at(30.0).event(
            "AgentComplete Uniqueid=1.1 Queue=q Interface=Local/9@x/n MemberName=Ann Reason=caller",
        );
        assert_eq!(held(&stage), (1, 6.0, 0), "{events:?}");
    }
}
