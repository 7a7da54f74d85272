//! Voice quality: once for each channel of a trunk or an agent.

use super::*;

const SOUND: &str =
    "Value=lp=1;rxjitter=0.004;rxcount=3;txjitter=0.008;txcount=10;rlp=1;rtt=0.5;rxmes=70;txmes=60";

/// An inbound call over a trunk to a phone whose owner is known by a queue, or to one of nobody.
fn call() -> Stage {
    let mut stage = Stage::live();
    stage
        .event("QueueMemberStatus Queue=q Interface=SIP/201 MemberName=Ann Status=1")
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1 ChannelState=4")
        .event("Newchannel Channel=SIP/201-2 Uniqueid=1.2 Linkedid=1.1 ChannelState=0")
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 DestLinkedid=1.1")
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
}

/// What was measured, and its sum.
fn measured(stage: &Stage) -> Vec<(&str, u64, f64)> {
    let words = ["jitter", "loss", "score", "round trip"];
    let is_one = |what: &str| words.iter().any(|word| what.contains(word));
    let counts = stage.tally.counts.iter().filter(|(what, _)| is_one(what));
    counts.map(|(what, &count)| (what.as_str(), count, stage.sum(what))).collect()
}

#[test]
fn the_sound_of_a_trunk_and_of_an_agent_is_counted_at_the_end_of_each_channel() {
    let mut stage = call();
    stage.event(&format!("VarSet Channel=SIP/trunk-1 Uniqueid=1.1 Variable=RTPAUDIOQOS {SOUND}"));
    assert_eq!(measured(&stage), []);
    stage.event("Hangup Channel=SIP/trunk-1 Uniqueid=1.1 Cause=16");
    let trunk = [
        ("SIP/trunk jitter received", 1, 0.008),
        ("SIP/trunk jitter sent", 1, 0.004),
        ("SIP/trunk loss received", 1, 0.25),
        ("SIP/trunk loss sent", 1, 0.1),
        ("SIP/trunk round trip", 1, 0.5),
        ("SIP/trunk score", 1, 60.0),
    ];
    assert_eq!(measured(&stage), trunk);

    stage
        .event("VarSet Channel=SIP/201-2 Uniqueid=1.2 Variable=RTPAUDIOQOS Value=lp=0;rxcount=9;txcount=9;rtt=0.2;rlp=0")
        .event("Hangup Channel=SIP/201-2 Uniqueid=1.2 Cause=16");
    let agent = [
        ("Ann jitter received", 1, 0.0),
        ("Ann loss received", 1, 0.0),
        ("Ann loss sent", 1, 0.0),
        ("Ann round trip", 1, 0.2),
    ];
    assert_eq!(measured(&stage), [&agent[..], &trunk[..]].concat());
}

/// chan_sip sets it for both channels as one side hangs up, and again as each ends.
#[test]
fn of_several_reports_the_last_one_counts_once() {
    let mut stage = call();
    for lost in [1, 2, 4] {
        stage.event(&format!(
            "VarSet Channel=SIP/201-2 Uniqueid=1.2 Variable=RTPAUDIOQOS Value=lp=0;txcount=8;rlp={lost}"
        ));
    }
    let hangup = "Hangup Channel=SIP/201-2 Uniqueid=1.2 Cause=16";
    stage.event(hangup);
    assert_eq!(measured(&stage), [("Ann loss sent", 1, 0.5)]);

    // one that comes late, and the same end again, count nothing
    stage
        .event("VarSet Channel=SIP/201-2 Uniqueid=1.2 Variable=RTPAUDIOQOS Value=txcount=8;rlp=8")
        .event(hangup);
    assert_eq!(measured(&stage), [("Ann loss sent", 1, 0.5)]);
}

#[test]
fn what_is_neither_a_trunk_nor_an_agent_is_not_counted() {
    let mut stage = Stage {
        now: START,
        correlator: Correlator::new(Rules::default(), Timing::Live),
        tally: Tally::default(),
    };
    stage.resync(&[]);
    for channel in ["SIP/strange-1", "Local/1@x-1;1", "Snoop/1.1-1"] {
        stage
            .event(&format!("Newchannel Channel={channel} Uniqueid=1.1 Linkedid=1.1"))
            .event(&format!("VarSet Channel={channel} Uniqueid=1.1 Variable=RTPAUDIOQOS {SOUND}"))
            .event(&format!("Hangup Channel={channel} Uniqueid=1.1 Cause=16"));
        stage.at(100.0);
    }
    assert_eq!(measured(&stage), []);
}

#[test]
fn a_channel_that_ends_unseen_leaves_nothing_behind() {
    let mut stage = call();
    stage.event(&format!("VarSet Channel=SIP/trunk-1 Uniqueid=1.1 Variable=RTPAUDIOQOS {SOUND}"));
    stage.cut().resync(&[]).at(10.0);
    assert_eq!(measured(&stage), []);
    assert!(stage.correlator.voices.is_empty());
}

/// What Asterisk sent, after these events and a report of the leg that answered at 10 s.
fn sent_to_leg(stage: &mut Stage, events: &[&str]) -> Vec<(String, u64, f64)> {
    for event in events {
        match event.strip_prefix("at ") {
            Some(second) => stage.at(second.parse().expect("a second")),
            None => stage.event(event),
        };
    }
    stage
        .event(&format!("VarSet Channel=SIP/201-2 Uniqueid=1.2 Variable=RTPAUDIOQOS {SOUND}"))
        .event("Hangup Channel=SIP/201-2 Uniqueid=1.2 Cause=16");
    assert!(stage.correlator.voices.is_empty());
    let all = measured(stage).into_iter();
    let lost = all.filter(|(what, ..)| what.contains("loss sent"));
    lost.map(|(what, count, sum)| (what.to_owned(), count, sum)).collect()
}

/// The far end counts its losses from zero with each bridge, and Asterisk its packets from the answer.
#[test]
fn what_was_lost_of_what_was_sent_is_known_of_one_bridge_from_the_answer_on() {
    const ENTER: &str = "BridgeEnter BridgeUniqueid=b1 Channel=SIP/201-2 Uniqueid=1.2";
    const OTHER: &str = "BridgeEnter BridgeUniqueid=b2 Channel=SIP/201-2 Uniqueid=1.2";
    const AWAY: &str = "BlindTransfer Result=Success TransfererUniqueid=1.1 TransfereeUniqueid=1.2 BridgeUniqueid=b1";
    let known = [("Ann loss sent".to_owned(), 1, 0.1)];
    for (events, expected) in [
        (&[][..], &known[..]),
        (&[ENTER], &known),
        (&["at 1", ENTER, "at 300"], &known),
        // after an announcement to the agent
        (&["at 1.1", ENTER], &[]),
        (&[ENTER, "at 60", OTHER], &[]),
        (&[ENTER, AWAY], &[]),
    ] {
        assert_eq!(sent_to_leg(&mut call(), events), expected, "{events:?}");
    }
}

#[test]
fn a_phone_that_takes_the_place_of_a_local_channel_is_measured_from_its_answer_on() {
    let through_local = || {
        let mut stage = Stage::live();
        stage
            .event("QueueMemberStatus Queue=q Interface=SIP/201 MemberName=Ann Status=1")
            .event("Newchannel Channel=Local/201@a-1;2 Uniqueid=1.1 Linkedid=1.1 ChannelState=4")
            .event("Newchannel Channel=SIP/201-2 Uniqueid=1.2 Linkedid=1.1 ChannelState=0")
            .event("DialBegin Uniqueid=1.1 Channel=Local/201@a-1;2 DestUniqueid=1.2 DestChannel=SIP/201-2 DestLinkedid=1.1")
            .event("DialEnd Uniqueid=1.1 Channel=Local/201@a-1;2 DestUniqueid=1.2 DialStatus=ANSWER")
            .event("BridgeEnter BridgeUniqueid=b1 Channel=SIP/201-2 Uniqueid=1.2");
        stage
    };
    let other = "BridgeEnter BridgeUniqueid=b2 Channel=SIP/201-2 Uniqueid=1.2";
    let known = [("Ann loss sent".to_owned(), 1, 0.1)];
    assert_eq!(sent_to_leg(&mut through_local(), &["at 0.5", other]), known);
    assert_eq!(sent_to_leg(&mut through_local(), &["at 2", other]), []);
}

/// Nobody knows when a channel that called in was answered.
#[test]
fn of_a_caller_in_a_bridge_only_what_was_received_has_losses() {
    let mut stage = call();
    stage
        .event("BridgeEnter BridgeUniqueid=b1 Channel=SIP/trunk-1 Uniqueid=1.1")
        .event(&format!("VarSet Channel=SIP/trunk-1 Uniqueid=1.1 Variable=RTPAUDIOQOS {SOUND}"))
        .event("Hangup Channel=SIP/trunk-1 Uniqueid=1.1 Cause=16");
    let lost: Vec<_> =
        measured(&stage).into_iter().filter(|(what, ..)| what.contains("loss")).collect();
    assert_eq!(lost, [("SIP/trunk loss received", 1, 0.25)]);
}
