//! Directions where the configuration does not name every trunk.

use super::*;

fn stage(trunks: &[&str], agents: &[&str], inbound: &[&str], outbound: &[&str]) -> Stage {
    let patterns = |texts: &[&str]| Patterns::new(texts).unwrap();
    let rules = Rules {
        trunks: patterns(trunks),
        agents: patterns(agents),
        inbound_contexts: patterns(inbound),
        outbound_contexts: patterns(outbound),
        ..Rules::default()
    };
    let correlator = Correlator::new(rules, Timing::Live);
    let mut stage = Stage { now: START, correlator, tally: Tally::default() };
    stage.resync(&[]);
    stage
}

/// A call that one device makes to another, dialled as given, and that is answered.
fn call(stage: &mut Stage, id: &str, from: (&str, &str), to: (&str, &str)) {
    let ((first, context), (leg, dialled)) = (from, to);
    stage
        .event(&format!("Newchannel Uniqueid={id} Linkedid={id} Channel={first}-{id} ChannelState=4 Context={context}"));
    let both =
        format!("Uniqueid={id} DestUniqueid={id}d DestLinkedid={id} DestChannel={leg}-{id}d");
    stage.event(&format!("DialBegin {both} DialString={dialled}"));
    stage.event(&format!("DialEnd {both} DialStatus=ANSWER"));
    stage
        .event(&format!("Hangup Uniqueid={id}d Cause=16"))
        .event(&format!("Hangup Uniqueid={id} Cause=16"));
}

/// Calls by direction, agent and trunk.
fn calls(stage: &Stage) -> Vec<String> {
    let calls = stage
        .counted()
        .into_iter()
        .filter(|what| what.contains(" call ") && what.ends_with(" answered"));
    calls.map(|what| what.replace(" call ", " ").replace(" answered", "")).collect()
}

const PHONE: (&str, &str) = ("PJSIP/201", "from-internal");
const OTHER_PHONE: (&str, &str) = ("PJSIP/202", "202/sip:202@192.0.2.7");
const UNLISTED: (&str, &str) = ("PJSIP/voipms", "912025550155@voipms");

#[test]
fn what_is_neither_trunk_nor_agent_leaves_it_to_the_context_and_else_unknown() {
    let mut stage = stage(&["^PJSIP/carrier-"], &["^PJSIP/2\\d\\d-"], &[], &[]);
    call(&mut stage, "1", PHONE, UNLISTED);
    call(&mut stage, "2", PHONE, ("PJSIP/doorbell", "doorbell"));
    call(&mut stage, "3", PHONE, OTHER_PHONE);
    assert_eq!(calls(&stage), ["1 internal PJSIP/201 ", "2 unknown PJSIP/201 "]);

    let mut stage =
        self::stage(&["^PJSIP/carrier-"], &["^PJSIP/2\\d\\d-"], &[], &["^from-internal$"]);
    call(&mut stage, "1", PHONE, UNLISTED);
    call(&mut stage, "2", PHONE, OTHER_PHONE);
    assert_eq!(calls(&stage), ["1 internal PJSIP/201 ", "1 outbound PJSIP/201 "]);
}

#[test]
fn a_number_dialled_through_a_device_is_to_no_agent() {
    let mut stage = stage(&["^PJSIP/carrier-"], &[], &[], &[]);
    call(&mut stage, "1", PHONE, UNLISTED);
    call(&mut stage, "2", PHONE, OTHER_PHONE);
    // Nobody who answered there is an agent.
    call(&mut stage, "3", ("PJSIP/carrier", "from-carrier"), UNLISTED);
    assert_eq!(
        calls(&stage),
        ["1 inbound  PJSIP/carrier", "1 internal PJSIP/201 ", "1 unknown PJSIP/201 "]
    );
}

#[test]
fn a_ring_group_with_a_stranger_in_it_is_not_only_agents() {
    let mut stage = stage(&[], &["^PJSIP/2\\d\\d-"], &[], &[]);
    stage.event(
        "Newchannel Uniqueid=1 Linkedid=1 Channel=PJSIP/201-1 ChannelState=4 Context=from-internal",
    );
    stage.event("DialBegin Uniqueid=1 DestUniqueid=2 DestChannel=PJSIP/202-2 DialString=202");
    stage.event("DialBegin Uniqueid=1 DestUniqueid=3 DestChannel=PJSIP/voipms-3 DialString=912025550155@voipms");
    stage.event("DialEnd Uniqueid=1 DestUniqueid=2 DialStatus=ANSWER");
    stage
        .event("Hangup Uniqueid=3 Cause=26")
        .event("Hangup Uniqueid=2 Cause=16")
        .event("Hangup Uniqueid=1 Cause=16");
    assert_eq!(calls(&stage), ["1 unknown PJSIP/201 "]);
}

#[test]
fn a_device_that_calls_in_from_outside_is_a_trunk_from_then_on() {
    // Of FreePBX the contexts are known by name.
    for (inbound, context) in
        [(&[][..], "from-trunk-pjsip-voipms"), (&["^incoming$"][..], "incoming")]
    {
        let mut stage = stage(&[], &["^PJSIP/2\\d\\d-"], inbound, &[]);
        call(&mut stage, "1", PHONE, UNLISTED);
        call(&mut stage, "2", ("PJSIP/voipms", context), OTHER_PHONE);
        call(&mut stage, "3", PHONE, UNLISTED);
        let expected = [
            "1 inbound PJSIP/202 PJSIP/voipms",
            "1 outbound PJSIP/201 PJSIP/voipms",
            "1 unknown PJSIP/201 ",
        ];
        assert_eq!(calls(&stage), expected, "{context}");
        assert_eq!(stage.count("trunk PJSIP/voipms answered"), 1, "{context}");
    }
}

#[test]
fn what_was_learned_of_trunks_goes_on_over_a_gap() {
    let mut stage = stage(&[], &["^PJSIP/2\\d\\d-"], &[], &[]);
    call(&mut stage, "1", ("PJSIP/voipms", "from-trunk"), OTHER_PHONE);
    stage.at(5.0).cut().at(9.0).resync(&[
        "CoreShowChannel Uniqueid=2 Linkedid=2 Channel=PJSIP/voipms-2 ChannelState=6 Context=ivr-1 Application=Playback",
        "CoreShowChannel Uniqueid=3 Linkedid=3 Channel=PJSIP/201-3 ChannelState=6 Context=macro-x Application=Dial",
        "CoreShowChannel Uniqueid=4 Linkedid=3 Channel=PJSIP/voipms-4 ChannelState=6 Context=from-trunk Application=AppDial",
    ]);
    stage
        .event("Hangup Uniqueid=2 Cause=16")
        .event("Hangup Uniqueid=4 Cause=16")
        .event("Hangup Uniqueid=3 Cause=16");
    assert_eq!(
        calls(&stage),
        [
            "1 inbound  PJSIP/voipms",
            "1 inbound PJSIP/202 PJSIP/voipms",
            "1 outbound PJSIP/201 PJSIP/voipms"
        ]
    );
}

#[test]
fn a_device_that_also_begins_calls_inside_is_no_trunk() {
    let mut stage = stage(&[], &[], &["^incoming$"], &[]);
    call(&mut stage, "1", ("PJSIP/both", "incoming"), OTHER_PHONE);
    call(&mut stage, "2", ("PJSIP/both", "from-internal"), OTHER_PHONE);
    call(&mut stage, "3", ("PJSIP/both", "incoming"), OTHER_PHONE);
    // The context of the third still says where it came from.
    assert_eq!(calls(&stage), ["1 inbound  ", "1 inbound  PJSIP/both", "1 unknown  "]);
}

#[test]
fn neither_a_members_phone_nor_an_agents_is_learned_as_a_trunk() {
    let mut stage = stage(&[], &["^PJSIP/3"], &["^from-internal$"], &[]);
    stage.event("QueueMemberAdded Queue=q Interface=PJSIP/201 MemberName=Ann Status=1 Paused=0");
    call(&mut stage, "1", PHONE, OTHER_PHONE);
    call(&mut stage, "2", ("PJSIP/301", "from-internal"), OTHER_PHONE);
    assert_eq!(calls(&stage), ["2 inbound  "]);
    assert_eq!(stage.correlator.names().trunks.count(), 1);
}

#[test]
fn a_members_phone_is_an_agents_whatever_the_patterns_say() {
    let mut stage = stage(&["^PJSIP/carrier-"], &["^PJSIP/3"], &[], &[]);
    stage.event("QueueMemberAdded Queue=q Interface=PJSIP/201 MemberName=Ann Status=1 Paused=0");
    call(&mut stage, "1", PHONE, ("PJSIP/carrier", "912025550155@carrier"));
    call(&mut stage, "2", PHONE, ("PJSIP/301", "301"));
    assert_eq!(calls(&stage), ["1 internal Ann ", "1 outbound Ann PJSIP/carrier"]);
}

#[test]
fn before_13_5_a_leg_teaches_nothing_about_trunks() {
    let mut stage = stage(&[], &[], &["^incoming$"], &[]);
    // A leg of a call from outside has its context, and looks like a beginning until its DialBegin.
    stage.event("Newchannel Uniqueid=1 Channel=SIP/channel2-1 ChannelState=4 Context=incoming");
    stage.event("Newchannel Uniqueid=2 Channel=SIP/201-2 ChannelState=0 Context=incoming");
    stage.event("DialBegin Uniqueid=1 DestUniqueid=2 DestChannel=SIP/201-2 DialString=201");
    assert_eq!(stage.correlator.names().trunks.count(), 1);
    // Since then a leg has the Linkedid of its caller.
    stage.event(
        "Newchannel Uniqueid=3 Linkedid=1 Channel=SIP/202-3 ChannelState=0 Context=incoming",
    );
    assert_eq!(stage.correlator.names().trunks.count(), 1);
}

#[test]
fn after_the_first_calls_it_is_reported_that_no_trunk_was_seen() {
    let mut stage = stage(&[], &[], &[], &[]);
    for id in 0..9 {
        call(&mut stage, &format!("a{id}"), PHONE, UNLISTED);
    }
    assert_eq!(stage.correlator.without_trunk(), None);
    call(&mut stage, "b", ("IAX2/far", "from-far"), OTHER_PHONE);
    let first = stage.correlator.without_trunk().expect("ten calls without a trunk").clone();
    assert_eq!(first.calls, 10);
    assert_eq!(first.technologies.into_iter().collect::<Vec<_>>(), ["IAX2", "PJSIP"]);
    assert_eq!(first.contexts.into_iter().collect::<Vec<_>>(), ["from-far", "from-internal"]);

    // One that is learned takes it back.
    call(&mut stage, "c", ("PJSIP/voipms", "from-pstn"), OTHER_PHONE);
    assert_eq!(stage.correlator.without_trunk(), None);
}

#[test]
fn patterns_that_match_nothing_are_given_more_calls() {
    let mut stage = stage(&["^PJSIP/carrier-"], &[], &[], &[]);
    for id in 0..49 {
        call(&mut stage, &format!("a{id}"), PHONE, OTHER_PHONE);
    }
    assert_eq!(stage.correlator.without_trunk(), None);
    call(&mut stage, "b", PHONE, OTHER_PHONE);
    assert_eq!(stage.correlator.without_trunk().map(|first| first.calls), Some(50));
}
