//! What holds whatever comes in whatever order.

use proptest::prelude::*;

use super::*;
use crate::event;

/// One random event over a handful of channels, queues and members: any order, mostly impossible
/// ones.
fn any_kind() -> impl Strategy<Value = (u8, u8, u8, u8, u8)> {
    (0..32u8, 0..5u8, 0..5u8, 0..6u8, 0..20u8)
}

const UIDS: [&[u8]; 5] = [b"1.1", b"1.2", b"1.3", b"1.4", b"1.5"];
const CHANNELS: [&[u8]; 5] =
    [b"SIP/trunk-1", b"SIP/201-2", b"Local/9@x-3;1", b"Local/9@x-3;2", b"SIP/203-5"];
const MEMBERS: [&[u8]; 3] = [b"SIP/201", b"Local/9@x/n", b"SIP/202"];

fn block(at: u8, linked: u8) -> event::Channel<'static> {
    let (at, linked) = (usize::from(at), usize::from(linked % 5));
    event::Channel {
        uid: UIDS[at],
        linkedid: UIDS[linked],
        name: CHANNELS[at],
        state: Some(6),
        ..Default::default()
    }
}

fn make(kind: (u8, u8, u8, u8, u8)) -> Kind<'static> {
    let (kind, one, two, three, cause) = kind;
    let (caller, leg) = (block(one, three), block(two, one));
    let queue: &[u8] = if three % 2 == 0 { b"a" } else { b"b" };
    let member = MEMBERS[usize::from(three) / 2];
    let call = event::AgentCall { caller, leg, queue, interface: member, member };
    let bridge: &[u8] = if cause % 2 == 0 { b"x" } else { b"y" };
    let hold = Some(Duration::from_secs(u64::from(cause)));
    match kind {
        0 => Kind::NewChannel(caller),
        1 => Kind::Hangup(event::Hangup { channel: caller, cause: u16::from(cause) }),
        2 => Kind::HangupRequest(caller),
        3 => Kind::Unhold(leg),
        4 => Kind::NewExten(event::NewExten {
            channel: caller,
            extension: b"1",
            application: b"Queue",
            data: b"a,t",
        }),
        5 => {
            Kind::VarSet(event::VarSet { channel: caller, variable: b"QUEUEPOSITION", value: b"1" })
        }
        6 => Kind::VarSet(event::VarSet {
            channel: caller,
            variable: b"QUEUESTATUS",
            value: b"TIMEOUT",
        }),
        7 => Kind::VarSet(event::VarSet {
            channel: caller,
            variable: b"QUEUESTATUS",
            value: b"FULL",
        }),
        8 => Kind::DialBegin(event::Dial {
            caller: (cause != 0).then_some(caller),
            dest: leg,
            dial_string: b"9",
        }),
        9..=11 => {
            let status = [&b"ANSWER"[..], b"CANCEL", b"NOANSWER", b"BUSY"][usize::from(cause) % 4];
            Kind::DialEnd(event::DialEnd {
                caller: Some(caller),
                dest: leg,
                status,
                forwarded: cause == 19,
            })
        }
        12 | 13 => {
            let swap = (cause > 16).then_some(leg.uid);
            Kind::BridgeEnter(event::BridgeEnter {
                bridge,
                channel: caller,
                swap,
                holding: cause == 19,
            })
        }
        14 => Kind::BridgeLeave(event::BridgeLeave { bridge, channel: caller }),
        15 => Kind::LocalBridge(event::LocalBridge { one: UIDS[2], two: UIDS[3] }),
        16 => Kind::Hold(caller),
        17 => Kind::Unhold(caller),
        18 if cause > 9 => Kind::AttendedTransfer(event::AttendedTransfer {
            success: true,
            first: (caller.uid, bridge),
            second: (leg.uid, b""),
            parties: [leg.uid, caller.uid],
            into_queue: Some(event::IntoQueue { from: leg.uid, to: caller }),
        }),
        18 => Kind::BlindTransfer(event::BlindTransfer {
            success: true,
            transferer: caller.uid,
            bridge,
            transferee: leg.uid,
        }),
        19 | 20 => Kind::CallerJoin(event::CallerJoin { caller, queue, position: None }),
        21 => Kind::CallerLeave(event::CallerLeave { caller, queue }),
        22 => Kind::CallerAbandon(event::CallerAbandon { caller, queue, hold, position: None }),
        23 => Kind::AgentCalled(call),
        24 | 25 => Kind::AgentConnect(event::AgentConnect { call, hold, ring: None }),
        26 | 27 => Kind::AgentComplete(event::AgentComplete {
            caller: (cause % 3 != 0).then_some(caller),
            leg: (cause % 4 != 0).then_some(leg),
            queue,
            interface: member,
            member,
            hold,
            talk: hold,
            reason: b"agent",
        }),
        28 => Kind::RingNoAnswer(event::RingNoAnswer { call, ring: hold }),
        29 => Kind::AgentDump(call),
        30 => Kind::RecordingStart(caller),
        _ => match cause {
            0 => Kind::Shutdown,
            1 => Kind::FullyBooted { uptime: Some(1) },
            2 => Kind::RecordingStop(caller),
            8 => Kind::Voice(event::VoiceReport { channel: caller, voice: VOICE }),
            4 | 6 => Kind::Hint(event::Hint {
                extension: [&b"201"[..], b"9"][usize::from(one) % 2],
                context: b"x",
                watched: [&b"SIP/201"[..], b"SIP/203&SIP/201", b"SIP/203"][usize::from(two) % 3],
            }),
            _ => Kind::Member(event::Member {
                change: if cause == 3 {
                    event::MemberChange::Removed
                } else {
                    event::MemberChange::Present
                },
                queue,
                interface: member,
                name: member,
                state_interface: [&b""[..], b"hint:201@x", b"SIP/203"][usize::from(two) % 3],
                status: cause % 9,
                paused: cause % 2 == 0,
                reason: b"lunch",
                penalty: Some(u32::from(one)),
                wrap_up: Duration::from_secs(u64::from(cause)),
                dynamic: cause == 5,
                last_call: None,
                last_pause: None,
                login: None,
            }),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conservation_holds_whatever_comes_in_whatever_order(
        kinds in proptest::collection::vec((any_kind(), 0..9u64), 1..120),
        agents in 0..3usize,
        few in 1..9usize,
    ) {
        // With patterns that do not match it, a device is an agent's only while a member has it.
        let trunks = Patterns::new(["^SIP/trunk-"]).unwrap();
        let agents = Patterns::new([["^SIP/20", "^SIP/202", "^none"][agents]]).unwrap();
        // Of five channels, in one case of three not all are followed.
        let tracked = match few < 4 {
            true => TrackedLimits { channels: few, stays: few, members: few, recordings: few },
            false => TrackedLimits::default(),
        };
        let rules = Rules { trunks, agents, tracked, ..Rules::default() };
        let mut correlator = Correlator::new(rules, Timing::Live);
        let mut tally = Tally::default();
        let mut now = Moment::from_secs(1000);
        let empty = Snapshot::default();
        correlator.resync(now, &empty, &mut tally);
        let mut last = Moment::EPOCH;
        for (kind, pause) in kinds {
            now = now.after(Duration::from_millis(pause * pause * 100));
            correlator.expire(now, &mut tally);
            correlator.handle(now, &Event { at: None, kind: make(kind) }, &mut tally);
            if kind.4 == 7 && kind.0 == 31 {
                correlator.disconnected(now, &mut tally);
                correlator.resync(now, &empty, &mut tally);
            }
            if let Some(deadline) = correlator.next_deadline() {
                prop_assert!(deadline > last);
                last = now;
            }
            assert_conserved(&tally, &correlator.state(now), correlator.names());
        }
        // Everything that is tracked has a deadline.
        for _ in 0..4 {
            now = now.after(Duration::from_secs(3 * 24 * 3600));
            correlator.expire(now, &mut tally);
        }
        let state = correlator.state(now);
        assert_conserved(&tally, &state, correlator.names());
        prop_assert_eq!(state.tracked, Tracked::default());
        prop_assert!(correlator.voices.is_empty());
        prop_assert!(state.queues.iter().all(|queue| queue.waiting == 0 && queue.talking == 0));
    }
}

/// A report with everything in it.
const VOICE: event::Voice = {
    let half = event::Stream { jitter: Some(Duration::from_millis(5)), loss: Some(0.5) };
    let round_trip = Some(Duration::from_millis(20));
    event::Voice { received: half, sent: half, round_trip, score: Some(80.0) }
};
