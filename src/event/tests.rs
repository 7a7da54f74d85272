//! Events out of real frames.

use std::time::Duration;

use super::*;
use crate::ami::frame::{Decoder, Item, Limits};

fn parse<T>(text: &str, check: impl FnOnce(Result<Option<Event<'_>>, EventError>) -> T) -> T {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(text.replace('\n', "\r\n").as_bytes());
    decoder.feed(b"\r\n\r\n");
    let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame in {text}") };
    let (_, name) = Name::find(frame.name).expect("a known event");
    check(Event::parse(name, &frame))
}

fn kind<T>(text: &str, check: impl FnOnce(Kind<'_>) -> T) -> T {
    parse(text, |event| check(event.unwrap().unwrap().kind))
}

#[test]
fn times_are_read_in_their_own_units() {
    let call = "Uniqueid: 1.1\nDestUniqueid: 1.2\nQueue: q\nInterface: SIP/1\nRingTime: 3000";
    kind(&format!("Event: AgentRingNoAnswer\n{call}"), |kind| {
        let Kind::RingNoAnswer(missed) = kind else { panic!("{kind:?}") };
        assert_eq!(missed.ring, Some(Duration::from_secs(3)));
        assert_eq!(missed.call.member, b"SIP/1");
    });
    kind(&format!("Event: AgentConnect\n{}\nHoldTime: 4", call.replace("3000", "3")), |kind| {
        let Kind::AgentConnect(connect) = kind else { panic!("{kind:?}") };
        assert_eq!(
            (connect.ring, connect.hold),
            (Some(Duration::from_secs(3)), Some(Duration::from_secs(4)))
        );
    });
    kind(&format!("Event: AgentConnect\n{}", call.replace("3000", "0")), |kind| {
        let Kind::AgentConnect(connect) = kind else { panic!("{kind:?}") };
        assert_eq!(connect.ring, None);
    });
}

#[test]
fn of_what_is_kept_no_more_than_512_bytes_are_read_and_a_path_in_full() {
    let long = "x".repeat(600);
    let of_channel = |uid: &str| format!("Event: Newchannel\nChannel: SIP/1-1\nUniqueid: {uid}");
    for (given, read) in [(&long[..512], 512), (&long[..513], 512), (&long, 512)] {
        kind(&of_channel(given), |kind| {
            let Kind::NewChannel(channel) = kind else { panic!("{kind:?}") };
            assert_eq!(channel.uid, &long.as_bytes()[..read]);
        });
    }
    kind(&format!("Event: TestEvent\nState: MIXMONITOR_END\nFile: {long}"), |kind| {
        assert_eq!(kind, Kind::RecordingEnd(long.as_bytes()));
    });
}

#[test]
fn the_time_stamp_has_microseconds() {
    parse("Event: Shutdown\nPrivilege: system,all\nTimestamp: 1795445525.000310", |event| {
        assert_eq!(event.unwrap().unwrap().at, Some(Moment::from_micros(1_795_445_525_000_310)));
    });
    for bad in ["", "x", "1.2x", "99999999999999999999.0"] {
        parse(&format!("Event: Shutdown\nTimestamp: {bad}"), |event| {
            assert_eq!(event.unwrap().unwrap().at, None);
        });
    }
}

#[test]
fn a_missing_header_is_named() {
    parse("Event: QueueCallerJoin\nUniqueid: 1.1", |event| {
        assert_eq!(event.unwrap_err().to_string(), "event QueueCallerJoin has no Queue header");
    });
}

#[test]
fn an_agent_complete_may_lack_both_channels() {
    kind(
        "Event: AgentComplete\nQueue: q\nInterface: SIP/1\nMemberName: A\nTalkTime: 7\nReason: caller",
        |kind| {
            let Kind::AgentComplete(complete) = kind else { panic!("{kind:?}") };
            assert_eq!((complete.caller, complete.leg), (None, None));
            assert_eq!((complete.member, complete.reason), (&b"A"[..], &b"caller"[..]));
        },
    );
}

#[test]
fn only_variables_of_queues_and_of_the_sound_are_reported() {
    for variable in ["RTPAUDIOQOS", "RTPAUDIOQOSLOSS", "RTPAUDIOQOSBRIDGED", "DIALSTATUS"] {
        parse(&format!("Event: VarSet\nUniqueid: 1.1\nVariable: {variable}\nValue: x"), |event| {
            assert_eq!(event, Ok(None));
        });
    }
    let sound = "Event: VarSet\nUniqueid: 1.1\nVariable: RTPAUDIOQOS\nValue: lp=1;rxcount=9;txcount=8;rlp=2;rtt=0.5";
    kind(sound, |kind| {
        let Kind::Voice(VoiceReport { channel, voice }) = kind else { panic!("{kind:?}") };
        assert_eq!((channel.uid, voice.received.loss), (&b"1.1"[..], Some(0.1)));
        assert_eq!(
            (voice.sent.loss, voice.round_trip),
            (Some(0.25), Some(Duration::from_millis(500)))
        );
    });
    kind("Event: VarSet\nUniqueid: 1.1\nVariable: QUEUESTATUS\nValue: TIMEOUT", |kind| {
        assert!(matches!(kind, Kind::VarSet(set) if set.value == b"TIMEOUT"));
    });
}

#[test]
fn an_originate_has_no_caller() {
    kind(
        "Event: DialBegin\nDestUniqueId: 1.2\nDestChannel: SIP/carrier-1\nDialString: 9200@carrier",
        |kind| {
            let Kind::DialBegin(dial) = kind else { panic!("{kind:?}") };
            assert_eq!(
                (dial.caller, dial.dest.uid, dial.dial_string),
                (None, &b"1.2"[..], &b"9200@carrier"[..])
            );
        },
    );
}

#[test]
fn a_channel_variable_shows_the_queue_status() {
    kind(
        "Event: Hangup\nUniqueid: 1.1\nCause: 16\nChanVariable: X=1\nChanVariable: QUEUESTATUS=TIMEOUT",
        |kind| {
            let Kind::Hangup(hangup) = kind else { panic!("{kind:?}") };
            assert_eq!((hangup.cause, hangup.channel.queue_status), (16, Some(&b"TIMEOUT"[..])));
        },
    );
}

#[test]
fn lists_name_a_member_differently_than_events() {
    kind(
        "Event: QueueMember\nQueue: q\nName: Ann\nLocation: SIP/1\nStatus: 6\nPaused: 1\nActionID: ae-3",
        |kind| {
            let Kind::Listed { action_id, item: Listed::Member(member) } = kind else {
                panic!("{kind:?}")
            };
            assert_eq!(
                (action_id, member.name, member.interface),
                (&b"ae-3"[..], &b"Ann"[..], &b"SIP/1"[..])
            );
            assert!(member.paused && member.status == 6);
        },
    );
}

#[test]
fn a_test_event_other_than_the_end_of_a_recording_is_nothing() {
    parse("Event: TestEvent\nState: CallIDChange\nState: CallIDChange", |event| {
        assert_eq!(event, Ok(None));
    });
    kind("Event: TestEvent\nState: MIXMONITOR_END\nFile: /x/1606403878.1115", |kind| {
        assert_eq!(kind, Kind::RecordingEnd(b"/x/1606403878.1115"));
    });
}

#[test]
fn why_a_member_pauses_is_read_under_both_its_names() {
    let member = "Queue: q\nInterface: SIP/1\nPaused: 1";
    for (text, reason) in [
        ("Reason: lunch", "lunch"),
        ("PausedReason: lunch\nReason: lunch", "lunch"),
        ("PausedReason: lunch", "lunch"),
        ("Status: 1", ""),
    ] {
        kind(&format!("Event: QueueMemberPause\n{member}\n{text}"), |kind| {
            assert!(
                matches!(kind, Kind::Member(member) if member.reason == reason.as_bytes()),
                "{text}"
            );
        });
    }
}

#[test]
fn an_impossible_length_is_ignored() {
    let call = "Uniqueid: 1.1\nDestUniqueid: 1.2\nQueue: q\nInterface: SIP/1";
    for length in ["172801", "18446744073709551615", "-1", "many"] {
        kind(
            &format!("Event: AgentConnect\n{call}\nRingTime: {length}\nHoldTime: {length}"),
            |kind| {
                let Kind::AgentConnect(connect) = kind else { panic!("{kind:?}") };
                assert_eq!((connect.ring, connect.hold), (None, None));
            },
        );
        kind(
            &format!("Event: AgentComplete\n{call}\nTalkTime: {length}\nHoldTime: {length}"),
            |kind| {
                let Kind::AgentComplete(complete) = kind else { panic!("{kind:?}") };
                assert_eq!((complete.talk, complete.hold), (None, None));
            },
        );
        kind(&format!("Event: QueueEntry\nQueue: q\nUniqueid: 1.1\nWait: {length}"), |kind| {
            let Kind::Listed { item: Listed::Entry(entry), .. } = kind else { panic!("{kind:?}") };
            assert_eq!(entry.wait, None);
        });
        let ring = format!("{length}000");
        kind(&format!("Event: AgentRingNoAnswer\n{call}\nRingTime: {ring}"), |kind| {
            let Kind::RingNoAnswer(missed) = kind else { panic!("{kind:?}") };
            assert_eq!(missed.ring, None);
        });
    }
    kind("Event: FullyBooted\nUptime: 18446744073709551615", |kind| {
        assert_eq!(kind, Kind::FullyBooted { uptime: None });
    });
}

#[test]
fn a_setting_that_never_ends_is_the_longest_there_is() {
    kind(
        "Event: QueueMemberStatus\nQueue: q\nInterface: SIP/1\nWrapuptime: 18446744073709551615",
        |kind| {
            let Kind::Member(member) = kind else { panic!("{kind:?}") };
            assert_eq!(member.wrap_up, LONGEST);
        },
    );
    kind("Event: QueueParams\nQueue: q\nServiceLevel: 18446744073709551615", |kind| {
        let Kind::Listed { item: Listed::Queue(queue), .. } = kind else { panic!("{kind:?}") };
        assert_eq!(queue.service_level, LONGEST);
    });
}

#[test]
fn registrations_peers_and_devices_are_read_as_16_28_and_22_10_list_them() {
    let listed = |text: &str, expected: Listed<'_>| {
        kind(text, |kind| assert_eq!(kind, Kind::Listed { action_id: b"ae-7-x", item: expected }));
    };
    listed(
        "Event: RegistryEntry\nActionID: ae-7-x\nHost: sip.example.com\nPort: 5060\nUsername: office\n\
         Domain: example.com\nDomainPort: 5060\nRefresh: 44\nState: Request Sent\nRegistrationTime: 1796030575",
        Listed::Registration(ListedRegistration {
            technology: "SIP",
            name: b"",
            endpoint: b"",
            user: b"office",
            host: b"sip.example.com",
            state: Registered::Asking,
        }),
    );
    listed(
        "Event: OutboundRegistrationDetail\nActionID: ae-7-x\nObjectType: registration\n\
         ObjectName: upstream-reg\nClientUri: sip:branch@192.0.2.1\nServerUri: sip:192.0.2.1\nEndpoint: upstream\n\
         Status: Registered\nNextReg: 0",
        Listed::Registration(ListedRegistration {
            technology: "PJSIP",
            name: b"upstream-reg",
            endpoint: b"upstream",
            user: b"sip:branch@192.0.2.1",
            host: b"sip:192.0.2.1",
            state: Registered::Yes,
        }),
    );
    listed(
        "Event: PeerEntry\nActionID: ae-7-x\nChanneltype: SIP\nObjectName: 201\nChanObjectType: peer\n\
         IPaddress: -none-\nIPport: 0\nDynamic: yes\nStatus: LAGGED (3012 ms)\nRealtimeDevice: no",
        Listed::Peer(ListedPeer {
            name: b"201",
            address: None,
            dynamic: true,
            answers: false,
            round_trip: Some(Duration::from_millis(3012)),
        }),
    );
    listed(
        "Event: DeviceStateChange\nActionID: ae-7-x\nDevice: PJSIP/201\nState: UNAVAILABLE",
        Listed::Device(ListedDevice { device: b"PJSIP/201", state: DeviceState::Unavailable }),
    );
    // Without an ActionID it is an event, which may be of any device.
    kind("Event: DeviceStateChange\nDevice: PJSIP/201\nState: UNAVAILABLE", |kind| {
        assert_eq!(kind, Kind::DeviceState);
    });
}

#[test]
fn events_of_registrations_and_peers_are_read_as_16_28_and_22_10_send_them() {
    let registry = "Event: Registry\nPrivilege: system,all\nChannelType: PJSIP\n\
                    Username: sip:branch@192.0.2.1\nDomain: sip:192.0.2.1\nStatus: Rejected";
    let expected = Registry {
        technology: b"PJSIP",
        user: b"sip:branch@192.0.2.1",
        host: b"sip:192.0.2.1",
        state: Registered::No,
    };
    kind(registry, |kind| assert_eq!(kind, Kind::Registry(expected)));

    let peer = "Event: PeerStatus\nChannelType: SIP\nPeer: SIP/upstream\nPeerStatus: ";
    let expected = PeerStatus { device: b"SIP/upstream", change: PeerChange::Unreachable };
    kind(&format!("{peer}Lagged"), |kind| assert_eq!(kind, Kind::PeerStatus(expected)));
    parse(&format!("{peer}Rejected\nCause: AUTH_SECRET_FAILED"), |event| {
        assert_eq!(event, Ok(None));
    });

    let contact = "Event: ContactStatus\nURI: sip:192.0.2.1:5060\nContactStatus: Reachable\nAOR: upstream\n\
                   EndpointName: upstream\nRoundtripUsec: 515";
    let expected = ContactStatus {
        endpoint: b"upstream",
        is_reachable: true,
        round_trip: Some(Duration::from_micros(515)),
    };
    kind(contact, |kind| assert_eq!(kind, Kind::ContactStatus(expected)));
}
