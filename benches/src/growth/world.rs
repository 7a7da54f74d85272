//! A PBX on which `n` of everything goes on: an event that looks through any of it shows.

use std::fmt::Display;
use std::time::Duration;

use asterisk_exporter::clock::Moment;
use asterisk_exporter::correlator::{
    Caller, Correlator, Names, Observation, Observe, Patterns, Rules, Snapshot, Timing, WrapUp,
};
use asterisk_exporter::event::{
    AgentCall, AgentConnect, BridgeEnter, CallerJoin, CallerLeave, Channel, Dial, DialEnd, Event,
    Hangup, Kind, Listed, ListedChannel, ListedEntry, ListedQueue, Member, MemberChange, NewExten,
};

/// What comes one after the other.
pub(super) type Kinds = Vec<Kind<'static>>;

/// A PBX, and what time it is there.
pub(super) struct World {
    pub correlator: Correlator,
    pub now: Moment,
}

/// Nobody counts what is observed.
pub(super) struct Nobody;

impl Observe for Nobody {
    fn observe(&mut self, _: &Names, _: Observation, _: Option<Caller<'_>>) {}
}

impl World {
    /// Nothing goes on.
    pub(super) fn empty() -> Self {
        let pattern = |text| Patterns::new([text]).expect("a pattern");
        let rules = Rules {
            trunks: pattern("^SIP/carrier"),
            agents: pattern("^SIP/m"),
            wrap_up: WrapUp::new(Duration::from_secs(5), [], true),
            ..Rules::default()
        };
        let now = Moment::from_secs(1_700_000_000);
        let mut correlator = Correlator::new(rules, Timing::Live);
        correlator.resync(now, &Snapshot::default(), &mut Nobody);
        Self { correlator, now }
    }

    /// `n` talks, callers who wait, members of one queue, queues of one agent, channels that have
    /// just ended or are about to join, channels in one bridge, unanswered Originates, calls out, and
    /// ring attempts of one member.
    pub(super) fn full(n: usize) -> Self {
        let mut world = Self::empty();
        for i in 0..n {
            world.play(&ended(i));
            world.play(&members(i));
            world.play(&talk(&format!("t{i}"), i));
            world.play(&waiting(i));
            world.play(&joining(i));
            world.play(&in_bridge(i));
            world.play(&originated(i));
            world.play(&call_out(&format!("c{i}"), i));
            world.play(&ring_of_busy(i));
        }
        world
    }

    /// `n` talks of 20 members of one queue.
    pub(super) fn of_talks(n: usize) -> Self {
        let mut world = Self::empty();
        for i in 0..n {
            world.play(&talk(&format!("t{i}"), i % 20));
            world.play(&waiting(i));
            world.play(&call_out(&format!("c{i}"), i));
        }
        world
    }

    pub(super) fn play(&mut self, kinds: &[Kind<'static>]) {
        for kind in kinds {
            let event = Event { at: None, kind: kind.clone() };
            self.correlator.handle(self.now, &event, &mut Nobody);
        }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }
}

/// Text for as long as the bench runs.
pub(super) fn text(text: impl Display) -> &'static [u8] {
    text.to_string().leak().as_bytes()
}

/// A channel of a device that is up.
pub(super) fn channel(device: &str, uid: impl Display, linkedid: impl Display) -> Channel<'static> {
    let name = text(format_args!("{device}-{uid}"));
    let (uid, linkedid) = (text(uid), text(linkedid));
    Channel { uid, linkedid, name, state: Some(6), context: b"in", queue_status: None }
}

/// Somebody who calls in.
pub(super) fn carrier(uid: impl Display + Copy) -> Channel<'static> {
    channel("SIP/carrier", uid, uid)
}

/// The leg of the queue's member `i`, called for `caller`.
pub(super) fn leg(uid: impl Display, i: usize, caller: impl Display) -> Channel<'static> {
    channel(&format!("SIP/m{i}"), uid, caller)
}

/// The queue in which everybody waits.
pub(super) const CROWD: &[u8] = b"crowd";

pub(super) fn call(
    caller: Channel<'static>,
    leg: Channel<'static>,
    i: usize,
) -> AgentCall<'static> {
    let (interface, member) = (text(format_args!("SIP/m{i}")), text(format_args!("Agent {i}")));
    AgentCall { caller, leg, queue: CROWD, interface, member }
}

/// A call for the member that is being rung all the time.
pub(super) fn call_busy(caller: Channel<'static>, leg: Channel<'static>) -> AgentCall<'static> {
    AgentCall { caller, leg, queue: CROWD, interface: b"SIP/mbusy", member: b"Busy" }
}

pub(super) fn member(
    change: MemberChange,
    queue: &'static [u8],
    interface: &'static [u8],
    name: &'static [u8],
    status: u8,
) -> Member<'static> {
    Member {
        change,
        queue,
        interface,
        name,
        state_interface: b"",
        status,
        paused: false,
        reason: b"",
        penalty: Some(1),
        wrap_up: Duration::ZERO,
        dynamic: true,
        last_call: None,
        last_pause: None,
        login: None,
    }
}

pub(super) fn member_of_crowd(change: MemberChange, i: usize, status: u8) -> Kind<'static> {
    let (interface, name) = (text(format_args!("SIP/m{i}")), text(format_args!("Agent {i}")));
    Kind::Member(member(change, CROWD, interface, name, status))
}

/// The agent who is in as many queues as there are.
pub(super) fn everywhere(change: MemberChange, i: usize, status: u8) -> Kind<'static> {
    Kind::Member(member(change, queue(i), b"SIP/everywhere", b"Everywhere", status))
}

pub(super) fn queue(i: usize) -> &'static [u8] {
    text(format_args!("q{i}"))
}

pub(super) fn enter(bridge: &'static [u8], channel: Channel<'static>) -> Kind<'static> {
    Kind::BridgeEnter(BridgeEnter { bridge, channel, swap: None, holding: false })
}

/// A caller who is called back at once: all events of a talk until both are in a bridge.
pub(super) fn talk(id: &str, i: usize) -> Kinds {
    let mut kinds = ringing(id, i);
    kinds.extend(answered(id, i));
    kinds
}

/// A caller waits and the member `i` is called.
pub(super) fn ringing(id: &str, i: usize) -> Kinds {
    let (caller, leg) = (carrier(id), leg(format_args!("{id}.leg"), i, id));
    let mut kinds = joined(id);
    kinds.extend([
        Kind::NewChannel(leg),
        Kind::AgentCalled(call(caller, leg, i)),
        Kind::DialBegin(Dial { caller: Some(caller), dest: leg, dial_string: b"m" }),
    ]);
    kinds
}

fn answered(id: &str, i: usize) -> Kinds {
    let (caller, leg) = (carrier(id), leg(format_args!("{id}.leg"), i, id));
    let bridge = text(format_args!("bridge of {id}"));
    let hold = Some(Duration::from_secs(1));
    let connect = AgentConnect { call: call(caller, leg, i), hold, ring: hold };
    vec![
        dial_end(caller, leg, b"ANSWER", false),
        Kind::CallerLeave(CallerLeave { caller, queue: CROWD }),
        Kind::AgentConnect(connect),
        enter(bridge, leg),
        enter(bridge, caller),
    ]
}

pub(super) fn dial_end(
    caller: Channel<'static>,
    dest: Channel<'static>,
    status: &'static [u8],
    forwarded: bool,
) -> Kind<'static> {
    Kind::DialEnd(DialEnd { caller: Some(caller), dest, status, forwarded })
}

/// Somebody calls and joins the queue.
pub(super) fn joined(id: &str) -> Kinds {
    let caller = carrier(id);
    let join = CallerJoin { caller, queue: CROWD, position: Some(7) };
    vec![Kind::NewChannel(caller), Kind::CallerJoin(join)]
}

fn waiting(i: usize) -> Kinds {
    joined(&format!("w{i}"))
}

fn ended(i: usize) -> Kinds {
    let channel = carrier(&*format!("e{i}"));
    vec![Kind::NewChannel(channel), Kind::Hangup(Hangup { channel, cause: 16 })]
}

fn members(i: usize) -> Kinds {
    vec![member_of_crowd(MemberChange::Added, i, 1), everywhere(MemberChange::Added, i, 1)]
}

fn joining(i: usize) -> Kinds {
    let channel = carrier(&*format!("j{i}"));
    vec![Kind::NewChannel(channel), run_queue(channel)]
}

/// The dialplan's step into the queue.
pub(super) fn run_queue(channel: Channel<'static>) -> Kind<'static> {
    let (extension, application, data) = (&b"1"[..], &b"Queue"[..], &b"crowd,t"[..]);
    Kind::NewExten(NewExten { channel, extension, application, data })
}

fn in_bridge(i: usize) -> Kinds {
    let channel = carrier(&*format!("b{i}"));
    vec![Kind::NewChannel(channel), enter(b"conference", channel)]
}

fn originated(i: usize) -> Kinds {
    let id = format!("o{i}");
    let dest = Channel { state: Some(0), ..channel("SIP/x", &id, &id) };
    vec![Kind::DialBegin(Dial { caller: None, dest, dial_string: b"9@x" })]
}

/// A phone of nobody calls out.
pub(super) fn call_out(id: &str, i: usize) -> Kinds {
    let caller = channel(&format!("SIP/p{i}"), id, id);
    let dest = channel("SIP/carrier", format_args!("{id}.leg"), id);
    vec![
        Kind::NewChannel(caller),
        Kind::DialBegin(Dial { caller: Some(caller), dest, dial_string: b"9" }),
        dial_end(caller, dest, b"ANSWER", false),
    ]
}

/// One more caller for whom the same member is called, which fails at once.
fn ring_of_busy(i: usize) -> Kinds {
    let caller = carrier(&*format!("w{i}"));
    let leg = channel("SIP/mbusy", format_args!("r{i}"), format_args!("w{i}"));
    vec![Kind::AgentCalled(call_busy(caller, leg)), dial_end(caller, leg, b"CHANUNAVAIL", false)]
}

/// The lists of a PBX on which `n` talks go on, and as many callers wait for whom an agent is
/// called.
pub(super) fn lists(n: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for i in 0..n {
        let queue = queue(i % 50);
        let (interface, name) = (text(format_args!("SIP/m{i}")), text(format_args!("Agent {i}")));
        let listed = ListedQueue { queue, service_level: Duration::ZERO, hold: 3 };
        snapshot.add(&Listed::Queue(ListedQueue { queue: self::queue(i), ..listed }));
        snapshot.add(&Listed::Member(member(MemberChange::Present, queue, interface, name, 1)));
        let wait = Some(Duration::from_secs(3));
        let (waiter, waits) = (carrier(&*format!("lw{i}")), text(format_args!("lw{i}")));
        snapshot.add(&Listed::Entry(ListedEntry { queue, uid: waits, channel: waiter.name, wait }));

        let bridge = text(format_args!("lb{i}"));
        let data = text(format_args!("q{},t", i % 50));
        let caller = carrier(&*format!("lt{i}"));
        let talks = leg(format_args!("lt{i}.leg"), i, format_args!("lt{i}"));
        let rung =
            Channel { state: Some(5), ..leg(format_args!("lw{i}.leg"), i, format_args!("lw{i}")) };
        for (block, application, bridge) in [
            (caller, &b"Queue"[..], bridge),
            (talks, b"AppQueue", bridge),
            (waiter, b"Queue", b""),
            (rung, b"AppQueue", b""),
        ] {
            snapshot.add(&Listed::Channel(ListedChannel {
                uid: block.uid,
                linkedid: block.linkedid,
                name: block.name,
                state: block.state,
                context: b"in",
                application,
                data,
                bridge,
            }));
        }
    }
    snapshot
}
