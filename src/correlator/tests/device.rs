//! What channels' names come to: media, guests, lines that many share, bytes that are not UTF-8.

use super::*;

/// A live PBX with these patterns for trunks and agents.
fn live(trunks: &[&str], agents: &[&str]) -> Stage {
    let patterns = |texts: &[&str]| Patterns::new(texts).unwrap();
    let rules = Rules { trunks: patterns(trunks), agents: patterns(agents), ..Rules::default() };
    let mut stage = Stage { correlator: Correlator::new(rules, Timing::Live), ..Stage::live() };
    stage.tally = Tally::default();
    stage.resync(&[]);
    stage
}

/// A call from one channel to another that talk for ten seconds.
fn talk(stage: &mut Stage, from: &str, to: &str) {
    stage
        .event(&format!("Newchannel Channel={from} Uniqueid=1.1 Linkedid=1.1 ChannelState=4"))
        .event(&format!("Newchannel Channel={to} Uniqueid=1.2 Linkedid=1.1 ChannelState=0"))
        .event(&format!("DialBegin Channel={from} Uniqueid=1.1 DestChannel={to} DestUniqueid=1.2"))
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
        .at(10.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16")
        .event("Hangup Uniqueid=1.1 Cause=16");
}

#[test]
fn a_line_that_many_share_is_an_agent_s_only_if_the_configuration_says_so() {
    let mut by_default = live(&["^SIP/trunk-"], &[]);
    talk(&mut by_default, "SIP/trunk-1", "DAHDI/i2/2025550101-1");
    assert_eq!(
        by_default.count("call inbound  SIP/trunk answered"),
        1,
        "{:?}",
        by_default.counted()
    );

    let mut configured = live(&["^SIP/trunk-"], &["^DAHDI/i2/"]);
    talk(&mut configured, "SIP/trunk-1", "DAHDI/i2/2025550101-1");
    assert_eq!(
        configured.count("call inbound DAHDI/i2 SIP/trunk answered"),
        1,
        "{:?}",
        configured.counted()
    );
}

#[test]
fn a_guest_is_no_agent_and_its_domain_no_label() {
    let mut stage = live(&["^SIP/trunk-"], &[]);
    talk(&mut stage, "SIP/attacker.example-1", "SIP/201-1");
    assert!(!format!("{:?}", stage.tally).contains("attacker"), "{:?}", stage.counted());

    let mut trunk = live(&["^SIP/"], &[]);
    talk(&mut trunk, "SIP/203.0.113.9-1", "PJSIP/201-1");
    assert_eq!(
        trunk.count("call inbound PJSIP/201 SIP/unknown answered"),
        1,
        "{:?}",
        trunk.counted()
    );
}

#[test]
fn a_member_is_called_by_name_on_whatever_line() {
    for (interface, channel) in [
        ("DAHDI/i1/2025550101", "DAHDI/i1/2025550101-5"),
        ("SIP/host.example", "SIP/host.example-5"),
        ("OOH323/2025550101", "OOH323/2025550101-5"),
    ] {
        let mut stage = live(&["^SIP/trunk-"], &[]);
        stage.event(&format!(
            "QueueMemberAdded Queue=q Interface={interface} MemberName=Ada Status=1 Paused=0"
        ));
        talk(&mut stage, "SIP/trunk-1", channel);
        assert_eq!(
            stage.count("call inbound Ada SIP/trunk answered"),
            1,
            "{interface}: {:?}",
            stage.counted()
        );
    }
}

#[test]
fn what_media_dial_is_a_call_of_its_own() {
    let mut stage = live(&["^SIP/trunk-"], &[]);
    let bot = "AudioSocket/127.0.0.1:9092-0a1b2c3d-0000-4000-8000-00000000000f";
    talk(&mut stage, bot, "SIP/trunk-1");
    stage.at(60.0);
    assert_eq!(
        stage.counted(),
        [
            "1 call hangup outbound  SIP/trunk 16",
            "1 call outbound  SIP/trunk answered",
            "1 trunk SIP/trunk answered",
            "1 trunk SIP/trunk cause 16"
        ]
    );
    // Nobody but the far end was there.
    assert_eq!(stage.sum("call talk outbound "), 0.0);
}

#[test]
fn media_without_linkedid_begin_no_call_either() {
    // 13.4 and older send no Linkedid.
    let mut stage = live(&["^SIP/trunk-"], &[]);
    let channels = [
        "Message/ast_msg_queue",
        "Snoop/1.1-00000001",
        "Surrogate/SIP/201-1",
        "OutgoingSpoolFailed",
    ];
    for (minute, channel) in (1..).zip(channels) {
        stage
            .event(&format!("Newchannel Channel={channel} Uniqueid=2.1 ChannelState=6"))
            .event(&format!("Hangup Channel={channel} Uniqueid=2.1 ChannelState=6 Cause=16"))
            .at(60.0 * f64::from(minute));
    }
    assert_eq!(stage.counted(), Vec::<String>::new());
    assert_eq!(stage.correlator.state(stage.now).tracked, Tracked::default());
}

#[test]
fn who_is_alone_with_media_does_not_talk() {
    let mut stage = live(&["^SIP/trunk-"], &[]);
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1 ChannelState=4")
        .event("Newchannel Channel=SIP/201-1 Uniqueid=1.2 Linkedid=1.1 ChannelState=0")
        .event("Newchannel Channel=CBRec/1001-00000001 Uniqueid=1.3 Linkedid=1.3 ChannelState=6")
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2")
        .event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.3")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage.at(5.0).event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2");
    stage
        .at(12.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.2")
        .event("Hangup Uniqueid=1.2 Cause=16");
    stage
        .at(30.0)
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.3")
        .event("Hangup Uniqueid=1.3 Cause=16")
        .event("BridgeLeave BridgeUniqueid=b Uniqueid=1.1")
        .event("Hangup Uniqueid=1.1 Cause=16");
    assert_eq!(stage.count("call inbound SIP/201 SIP/trunk answered"), 1, "{:?}", stage.counted());
    assert_eq!(stage.sum("call talk inbound SIP/201"), 7.0);
}

#[test]
fn a_list_takes_nobody_for_an_agent_who_is_media_and_no_number_for_a_name() {
    let waits = "QueueEntry Queue=q Uniqueid=c Channel=SIP/trunk-1 Wait=9";
    let caller = "CoreShowChannel Uniqueid=c Linkedid=c Channel=SIP/trunk-1 ChannelState=6 Application=Queue \
                  ApplicationData=q BridgeId=b";
    let media =
        "CoreShowChannel Uniqueid=m Linkedid=m Channel=CBRec/1-00000001 ChannelState=6 BridgeId=b";
    let leg = "CoreShowChannel Uniqueid=l Linkedid=c Channel=DAHDI/i1/2025550101-5 ChannelState=6 \
               Application=AppDial BridgeId=b";

    let mut stage = live(&["^SIP/trunk-"], &[]);
    stage.resync(&["QueueParams Queue=q ServiceLevel=0", waits]);
    stage.at(5.0).cut().at(9.0).resync(&["QueueParams Queue=q ServiceLevel=0", caller, media, leg]);
    assert_eq!(stage.counted(), ["1 q adopted waiting", "1 q exit answered"]);
    let state = stage.correlator.state(stage.now);
    let names: Vec<_> =
        state.agents.iter().map(|now| stage.correlator.names().agents.name(now.agent)).collect();
    assert_eq!(names, ["DAHDI/i1"]);
}

/// Handles an event whose name and headers are any bytes.
fn handle_bytes(stage: &mut Stage, frame: &[u8]) {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(frame);
    let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
    let (_, name) = Name::find(frame.name).expect("a known event");
    let event = Event::parse(name, &frame).expect("a whole event").expect("a needed event");
    stage.correlator.handle(stage.now, &event, &mut stage.tally);
}

#[test]
fn two_names_that_differ_in_a_byte_that_is_not_utf_8_are_two_agents() {
    let mut stage = live(&["^SIP/trunk-"], &[]);
    for byte in [0xe4, 0xf6] {
        let mut frame = b"Event: QueueMemberAdded\r\nQueue: B\xfcro\r\nInterface: SIP/J?rg\r\nMemberName: J?rg\r\n\
            Status: 1\r\nPaused: 0\r\n\r\n"
            .to_vec();
        frame.iter_mut().filter(|sign| **sign == b'?').for_each(|sign| *sign = byte);
        handle_bytes(&mut stage, &frame);
    }
    let state = stage.correlator.state(stage.now);
    let names = stage.correlator.names();
    let agents: Vec<_> = state.agents.iter().map(|now| names.agents.name(now.agent)).collect();
    assert_eq!(agents, [r"J\xe4rg", r"J\xf6rg"]);
    let queues: Vec<_> = state.queues.iter().map(|queue| names.queues.name(queue.queue)).collect();
    assert_eq!(queues, [r"B\xfcro"]);

    // And the device of each is known.
    handle_bytes(
        &mut stage,
        b"Event: Newchannel\r\nChannel: SIP/J\xf6rg-00000001\r\nUniqueid: 9\r\nLinkedid: 9\r\n\r\n",
    );
    handle_bytes(&mut stage, b"Event: Hangup\r\nUniqueid: 9\r\nCause: 16\r\n\r\n");
    assert_eq!(stage.count(r"call unknown J\xf6rg  failed"), 1, "{:?}", stage.counted());
}
