//! A PBX's lists, kept until the barrier behind them has passed.

use hashbrown::{HashMap, HashSet};
use std::time::Duration;

use super::logged::{Past, SeenKind};
use super::observation::PauseChange;
use super::pbx_clock::PbxClock;
use super::time::Stamp;
use crate::clock::Moment;
use crate::event::{self, Event, Kind, Listed, MemberChange};

/// Text as the PBX sent it.
type Bytes = Box<[u8]>;

/// The lists of one connection, filled item by item.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(super) queues: Vec<Queue>,
    pub(super) members: Vec<Member>,
    pub(super) entries: Vec<Entry>,
    pub(super) channels: Vec<Channel>,
    /// The PBX would not list channels: nothing follows from a channel that is not in the list.
    pub(super) no_channels: bool,
    /// The PBX would not list queues.
    pub(super) no_queues: bool,
    pub(super) foreseen: Foreseen,
    /// When the lists were sent, by the PBX's own clock.
    pub(super) sent: Option<Moment>,
    /// What the PBX's log has of the gap before the login.
    pub(super) past: Option<Past>,
}

/// What events report that came while the lists did, and are handled after them: they know better.
#[derive(Clone, Debug, Default)]
pub(super) struct Foreseen {
    /// Callers who join a queue: Uniqueid and queue.
    pub joins: HashSet<(Bytes, Bytes)>,
    /// Callers who are connected, or whose connected call ends.
    pub served: HashSet<Bytes>,
    /// Channels that are born.
    pub born: HashSet<Bytes>,
    /// Places in a queue that are handed over: who waits from now on, and whose place it was.
    pub moved: HashMap<Bytes, Bytes>,
    /// What is said of callers that the PBX's log says, too.
    pub told: HashSet<(Told, Bytes)>,
    /// Pauses and ends of ring attempts.
    pub brief: Vec<Brief>,
    /// The PBX's clock, as they show it.
    pub clock: PbxClock,
}

/// An event of a member of which nothing is left once it is counted.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    pub at: Stamp,
    pub kind: SeenKind,
    pub queue: Bytes,
    pub interface: Bytes,
    pub name: Bytes,
}

/// What an event and a line of the log both say of a caller.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Told {
    Joined,
    Connected,
    Left,
    Completed,
}

/// A queue of a list.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub name: Bytes,
    pub service_level: Duration,
    /// The average hold time, in seconds.
    pub hold: u64,
}

/// A member of a list.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub queue: Bytes,
    pub interface: Bytes,
    pub name: Bytes,
    pub state_interface: Bytes,
    pub status: u8,
    pub paused: bool,
    pub reason: Bytes,
    pub penalty: Option<u32>,
    pub wrap_up: Duration,
    pub dynamic: bool,
    pub last_call: Option<Moment>,
    pub last_pause: Option<Moment>,
    pub login: Option<Moment>,
}

/// A waiting caller.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub queue: Bytes,
    pub uid: Bytes,
    pub channel: Bytes,
    pub wait: Option<Duration>,
}

/// A channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub uid: Bytes,
    pub linkedid: Bytes,
    pub name: Bytes,
    pub state: Option<u8>,
    pub context: Bytes,
    pub application: Bytes,
    pub data: Bytes,
    pub bridge: Bytes,
}

impl Snapshot {
    /// Takes an item of a list.
    pub fn add(&mut self, item: &Listed<'_>) {
        match item {
            Listed::Queue(queue) => {
                let service_level = queue.service_level;
                let hold = queue.hold;
                self.queues.push(Queue { name: queue.queue.into(), service_level, hold });
            }
            Listed::Member(member) => self.members.push(Member::keep(member)),
            Listed::Entry(entry) => self.entries.push(Entry {
                queue: entry.queue.into(),
                uid: entry.uid.into(),
                channel: entry.channel.into(),
                wait: entry.wait,
            }),
            Listed::Channel(channel) => self.channels.push(Channel {
                uid: channel.uid.into(),
                linkedid: channel.linkedid.into(),
                name: channel.name.into(),
                state: channel.state,
                context: channel.context.into(),
                application: channel.application.into(),
                data: channel.data.into(),
                bridge: channel.bridge.into(),
            }),
            // They are in lists of their own.
            Listed::Registration(_) | Listed::Peer(_) | Listed::Device(_) => {}
        }
    }

    /// The PBX sent the lists at that moment of its own clock.
    pub const fn dated(&mut self, sent: Moment) {
        self.sent = Some(sent);
    }

    /// The PBX's log has this of the gap before the login.
    pub fn recall(&mut self, past: Past) {
        self.past = Some(past);
    }

    /// The PBX refused to list channels: channels and talking callers cannot be checked.
    pub const fn without_channels(&mut self) {
        self.no_channels = true;
    }

    /// The PBX refused to list queues: members and waiting callers cannot be checked.
    pub const fn without_queues(&mut self) {
        self.no_queues = true;
    }

    /// Takes note of an event that came while the lists did and will be handled after them.
    pub fn foresee(&mut self, read: Moment, event: &Event<'_>) {
        let at = Stamp { read, wire: event.at };
        self.foreseen.clock.note(at);
        match &event.kind {
            Kind::CallerJoin(join) => {
                self.foreseen.joins.insert((join.caller.uid.into(), join.queue.into()));
                self.foreseen.told.insert((Told::Joined, join.caller.uid.into()));
            }
            Kind::CallerLeave(leave) => {
                self.foreseen.told.insert((Told::Left, leave.caller.uid.into()));
            }
            Kind::AgentConnect(connect) => {
                self.foreseen.served.insert(connect.call.caller.uid.into());
                self.foreseen.told.insert((Told::Connected, connect.call.caller.uid.into()));
            }
            Kind::AgentComplete(complete) => {
                let caller = complete.caller.map(|caller| caller.uid.into());
                self.foreseen.told.extend(caller.clone().map(|caller| (Told::Completed, caller)));
                self.foreseen.served.extend(caller);
            }
            Kind::AttendedTransfer(transfer) => {
                let moved = transfer.into_queue.iter().filter(|_| transfer.success);
                let places = moved.map(|into| (into.to.uid.into(), into.from.into()));
                self.foreseen.moved.extend(places);
            }
            Kind::RingNoAnswer(missed) => {
                self.foresee_brief(at, SeenKind::RingNoAnswer, &missed.call);
            }
            Kind::AgentDump(call) => self.foresee_brief(at, SeenKind::Dumped, call),
            Kind::Member(member) if member.change == MemberChange::Pause => {
                let kind = SeenKind::Paused(PauseChange::of(member.paused));
                let (queue, interface) = (member.queue.into(), member.interface.into());
                let name = member.name.into();
                self.foreseen.brief.push(Brief { at, kind, queue, interface, name });
            }
            Kind::NewChannel(channel) => {
                self.foreseen.born.insert(channel.uid.into());
            }
            _ => {}
        }
    }
}

impl Snapshot {
    fn foresee_brief(&mut self, at: Stamp, kind: SeenKind, call: &event::AgentCall<'_>) {
        let (queue, interface) = (call.queue.into(), call.interface.into());
        let brief = Brief { at, kind, queue, interface, name: call.member.into() };
        self.foreseen.brief.push(brief);
    }
}

impl Member {
    fn keep(member: &event::Member<'_>) -> Self {
        Self {
            queue: member.queue.into(),
            interface: member.interface.into(),
            name: member.name.into(),
            state_interface: member.state_interface.into(),
            status: member.status,
            paused: member.paused,
            reason: member.reason.into(),
            penalty: member.penalty,
            wrap_up: member.wrap_up,
            dynamic: member.dynamic,
            last_call: member.last_call,
            last_pause: member.last_pause,
            login: member.login,
        }
    }

    pub(super) fn described(&self) -> event::Member<'_> {
        event::Member {
            change: event::MemberChange::Present,
            queue: &self.queue,
            interface: &self.interface,
            name: &self.name,
            state_interface: &self.state_interface,
            status: self.status,
            paused: self.paused,
            reason: &self.reason,
            penalty: self.penalty,
            wrap_up: self.wrap_up,
            dynamic: self.dynamic,
            last_call: self.last_call,
            last_pause: self.last_pause,
            login: self.login,
        }
    }
}

impl Channel {
    pub(super) fn block(&self) -> event::Channel<'_> {
        event::Channel {
            uid: &self.uid,
            linkedid: &self.linkedid,
            name: &self.name,
            state: self.state,
            context: &self.context,
            queue_status: None,
        }
    }

    /// The queue whose application the channel runs as a caller.
    pub(super) fn queue(&self) -> Option<&[u8]> {
        (*self.application == *b"Queue")
            .then(|| self.data.split(|&byte| byte == b',').next().unwrap_or_default())
    }

    /// Whether it waits in a bridge where nobody talks, unless somebody of another application is
    /// in there with it: an agent of a pool, or a parked caller.
    pub(super) fn is_held(&self) -> bool {
        matches!(&*self.application, b"AgentLogin" | b"BridgeWait" | b"Park" | b"ParkAndAnnounce")
    }

    /// Whether somebody dialled it: `AppQueue`, `AppDial`; `AppDial2` is an Originate.
    pub(super) fn is_dialled(&self) -> bool {
        matches!(&*self.application, b"AppQueue" | b"AppDial")
    }
}
