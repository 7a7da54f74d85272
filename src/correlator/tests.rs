//! The correlator over whole recordings and made-up ones.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ami::frame::{Decoder, Item, Limits};
use crate::event;
use crate::event::Name;

/// Observations as counts and sums, by name.
#[derive(Default, Debug)]
pub(super) struct Tally {
    pub counts: BTreeMap<String, u64>,
    pub sums: BTreeMap<String, f64>,
}

impl Tally {
    fn count(&mut self, what: String) {
        *self.counts.entry(what).or_default() += 1;
    }
    fn sum(&mut self, what: String, length: Option<Duration>) {
        *self.sums.entry(what).or_default() += length.unwrap_or_default().as_secs_f64();
    }
}

impl Observe for Tally {
    fn observe(&mut self, names: &Names, seen: Observation) {
        let queue = |id| names.queues.name(id).to_owned();
        let agent = |id| names.agents.name(id).to_owned();
        let trunk = |id| names.trunks.name(id).to_owned();
        match seen {
            Observation::Entered { queue: q } => self.count(format!("{} entered", queue(q))),
            Observation::Adopted { queue: q, phase } => self.count(format!("{} adopted {}", queue(q), phase.word())),
            Observation::Exited { queue: q, outcome, hold } => {
                self.count(format!("{} exit {}", queue(q), outcome.word()));
                self.sum(format!("{} hold {}", queue(q), outcome.word()), hold);
            }
            Observation::Refused { queue: q, reason } => self.count(format!("{} refused {}", queue(q), reason.word())),
            Observation::RingEnded { queue: q, agent: a, result, length } => {
                self.count(format!("{} ring {} {}", queue(q), agent(a), result.word()));
                self.sum(format!("{} ring {} {}", queue(q), agent(a), result.word()), length);
            }
            Observation::Completed { queue: q, agent: a, ended_by, talk } => {
                self.count(format!("{} complete {} {}", queue(q), agent(a), ended_by.word()));
                self.sum(format!("{} talk {}", queue(q), agent(a)), talk);
            }
            Observation::Transferred { queue: q, agent: a, kind, by } => {
                self.count(format!("{} transfer {} {} {}", queue(q), agent(a), kind.word(), by.word()));
            }
            Observation::AgentDumped { queue: q, agent: a } => self.count(format!("{} dump {}", queue(q), agent(a))),
            Observation::QueueHangup { queue: q, agent: a, leg, cause } => {
                self.count(format!("{} hangup {} {} {}", queue(q), agent(a), leg.word(), cause.0));
            }
            Observation::RecordedCall { queue: q, agent: a } => {
                self.count(format!("{} recorded {}", queue(q), agent(a)))
            }
            Observation::CallEnded { direction, agent: a, trunk: t, result } => {
                self.count(format!("call {} {} {} {}", direction.word(), agent(a), trunk(t), result.word()));
            }
            Observation::CallTalked { direction, agent: a, length } => {
                self.sum(format!("call talk {} {}", direction.word(), agent(a)), Some(length));
            }
            Observation::CallRang { direction, result, length } => {
                self.sum(format!("call ring {} {}", direction.word(), result.word()), Some(length));
            }
            Observation::CallHangup { direction, agent: a, trunk: t, cause } => {
                self.count(format!("call hangup {} {} {} {}", direction.word(), agent(a), trunk(t), cause.0));
            }
            Observation::TrunkAttempt { trunk: t, result } => {
                self.count(format!("trunk {} {}", trunk(t), result.word()))
            }
            Observation::TrunkHangup { trunk: t, cause } => self.count(format!("trunk {} cause {}", trunk(t), cause.0)),
            Observation::RecordingEnded => self.count("recording".into()),
            Observation::Anomaly(anomaly) => self.count(format!("anomaly {}", anomaly.word())),
            Observation::WrappedUp { .. } | Observation::AgentTime { .. } => {}
            Observation::QueueKnown { .. } | Observation::MemberKnown { .. } | Observation::TrunkKnown { .. } => {}
        }
    }
}

pub(super) fn play(bytes: &[u8], rules: Rules) -> (Tally, State) {
    let mut decoder = Decoder::new(Limits::default());
    let mut correlator = Correlator::new(rules, Timing::Recorded);
    let mut tally = Tally::default();
    let mut now = Moment::default();
    decoder.feed(bytes);
    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { continue };
        let Some((_, name)) = Name::find(frame.name) else { continue };
        let Ok(Some(event)) = Event::parse(name, &frame) else { continue };
        now = now.max(event.at.unwrap_or_default());
        correlator.expire(now, &mut tally);
        correlator.handle(now, &event, &mut tally);
    }
    let state = correlator.state(now);
    (tally, state)
}

/// Conservation, as METRICS.md has it, over a tally and the state beside it.
fn assert_conserved(tally: &Tally, state: &State, names: &Names) {
    let sum = |queue: &str, prefix: &str| -> u64 {
        let prefix = format!("{queue} {prefix}");
        tally.counts.iter().filter(|(what, _)| what.starts_with(&prefix)).map(|(_, count)| count).sum()
    };
    for queue in &state.queues {
        let name = names.queues.name(queue.queue);
        let begun = sum(name, "entered") + sum(name, "adopted waiting");
        assert_eq!(begun, sum(name, "exit ") + queue.waiting, "waits of {name}: {tally:#?}");
        let connected = sum(name, "exit answered") + sum(name, "adopted talking");
        assert_eq!(connected, sum(name, "complete ") + queue.talking, "talks of {name}: {tally:#?}");
    }
}

/// One random event over a handful of channels, queues and members: any order, mostly impossible ones.
fn any_kind() -> impl Strategy<Value = (u8, u8, u8, u8, u8)> {
    (0..32u8, 0..5u8, 0..5u8, 0..6u8, 0..20u8)
}

const UIDS: [&[u8]; 5] = [b"1.1", b"1.2", b"1.3", b"1.4", b"1.5"];
const CHANNELS: [&[u8]; 5] = [b"SIP/trunk-1", b"SIP/201-2", b"Local/9@x-3;1", b"Local/9@x-3;2", b"SIP/202-5"];
const MEMBERS: [&[u8]; 3] = [b"SIP/201", b"Local/9@x/n", b"SIP/202"];

fn block(at: u8, linked: u8) -> event::Channel<'static> {
    let (at, linked) = (usize::from(at), usize::from(linked % 5));
    event::Channel { uid: UIDS[at], linkedid: UIDS[linked], name: CHANNELS[at], state: Some(6), ..Default::default() }
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
        3 => Kind::SoftHangupRequest(caller),
        4 => Kind::NewExten(event::NewExten { channel: caller, extension: b"1", application: b"Queue", data: b"a,t" }),
        5 => Kind::VarSet(event::VarSet { channel: caller, variable: b"QUEUEPOSITION", value: b"1" }),
        6 => Kind::VarSet(event::VarSet { channel: caller, variable: b"QUEUESTATUS", value: b"TIMEOUT" }),
        7 => Kind::VarSet(event::VarSet { channel: caller, variable: b"QUEUESTATUS", value: b"FULL" }),
        8 => Kind::DialBegin(event::Dial { caller: (cause != 0).then_some(caller), dest: leg, dial_string: b"9" }),
        9..=11 => {
            let status = [&b"ANSWER"[..], b"CANCEL", b"NOANSWER", b"BUSY"][usize::from(cause) % 4];
            Kind::DialEnd(event::DialEnd { caller: Some(caller), dest: leg, status, forwarded: cause == 19 })
        }
        12 | 13 => {
            let swap = (cause > 16).then_some(leg.uid);
            Kind::BridgeEnter(event::BridgeEnter { bridge, channel: caller, swap })
        }
        14 => Kind::BridgeLeave(event::BridgeLeave { bridge, channel: caller }),
        15 => Kind::LocalBridge(event::LocalBridge { one: UIDS[2], two: UIDS[3] }),
        16 => Kind::Hold(caller),
        17 => Kind::Unhold(caller),
        18 => Kind::BlindTransfer(event::BlindTransfer { success: true, transferer: caller.uid, bridge }),
        19 | 20 => Kind::CallerJoin(event::CallerJoin { caller, queue }),
        21 => Kind::CallerLeave(event::CallerLeave { caller, queue }),
        22 => Kind::CallerAbandon(event::CallerAbandon { caller, queue, hold }),
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
            _ => Kind::Member(event::Member {
                change: if cause == 3 { event::MemberChange::Removed } else { event::MemberChange::Present },
                queue,
                interface: member,
                name: member,
                state_interface: b"",
                status: cause % 9,
                paused: cause % 2 == 0,
                reason: b"lunch",
                wrap_up: Duration::from_secs(u64::from(cause)),
            }),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conservation_holds_whatever_comes_in_whatever_order(kinds in proptest::collection::vec((any_kind(), 0..9u64), 1..120)) {
        let rules = Rules { trunks: Patterns::new(["^SIP/trunk-"]).unwrap(), ..Rules::default() };
        let mut correlator = Correlator::new(rules, Timing::Live);
        let mut tally = Tally::default();
        let mut now = Moment::from_secs(1000);
        let empty = Snapshot::default();
        correlator.resync(now, &empty, &mut tally);
        let mut last = Moment::default();
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
        // everything that is tracked has a deadline
        for _ in 0..4 {
            now = now.after(Duration::from_secs(3 * 24 * 3600));
            correlator.expire(now, &mut tally);
        }
        let state = correlator.state(now);
        assert_conserved(&tally, &state, correlator.names());
        prop_assert_eq!(state.tracked, Tracked::default());
        prop_assert!(state.queues.iter().all(|queue| queue.waiting == 0 && queue.talking == 0));
    }
}

#[test]
fn dev_dump() {
    let Ok(path) = std::env::var("CAPTURE") else { return };
    let rules =
        Rules { trunks: Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).unwrap(), ..Rules::default() };
    let bytes = std::fs::read(path).unwrap();
    let (tally, state) = play(&bytes, rules);
    for (what, count) in &tally.counts {
        println!("{count:5} {what}");
    }
    for (what, sum) in &tally.sums {
        println!("{sum:8.3} {what}");
    }
    println!("{:?}", state.tracked);
}
