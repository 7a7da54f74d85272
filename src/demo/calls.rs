//! What is going on: waits, ring attempts, talks, transfers and dials.  Only the state; each file
//! of behaviour moves its own kind on.

use std::time::Duration;

use super::channel::Channel;
use super::id::{AgentId, BridgeId, ChannelId, MemberId, QueueId, TrunkId};
use crate::clock::Moment;

/// A caller who waits.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) caller: ChannelId,
    pub(super) queue: QueueId,
    pub(super) joined: Moment,
    pub(super) original_position: usize,
    pub(super) expires: Moment,
    pub(super) attempt: u32,
    pub(super) ring_started: Moment,
    pub(super) legs: Vec<Leg>,
    /// The member that a linear queue rings next.
    pub(super) next: usize,
}

/// A member's phone that rings for a caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) member: MemberId,
    /// What the queue dialled: the phone, or the Local channel's first half.
    pub(super) dialled: ChannelId,
    pub(super) phone: ChannelId,
    /// The Local channel's second half.
    pub(super) far: Option<ChannelId>,
}

/// Caller and agent are connected.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) queue: QueueId,
    pub(super) agent: AgentId,
    pub(super) caller: ChannelId,
    pub(super) leg: Leg,
    /// The bridge of caller and dialled leg.
    pub(super) bridge: BridgeId,
    /// The bridge of the phone and the Local channel's second half.
    pub(super) far_bridge: Option<BridgeId>,
    pub(super) hold_seconds: u64,
    /// The caller's position when joining the queue.
    pub(super) original_position: usize,
    /// When the second of the two entered the bridge.
    pub(super) started: Moment,
    pub(super) ending: Ending,
}

/// The planned end of a talk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Caller,
    Agent,
    Blind,
    Attended,
}

/// An AgentComplete to be sent.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) queue: QueueId,
    pub(super) member: MemberId,
    /// Absent if the channel is gone when the event is made.
    pub(super) caller: Option<Channel>,
    pub(super) dialled: Option<Channel>,
    pub(super) hold_seconds: u64,
    pub(super) talk_seconds: u64,
    pub(super) reason: &'static str,
    /// The caller's Uniqueid and the verb with its parameters, for queue_log.
    pub(super) call: String,
    pub(super) verb: String,
}

/// An agent consults a colleague while the caller waits.
#[derive(Debug)]
pub(super) struct Consultation {
    pub(super) talk: Talk,
    /// The Local channel that the agent's phone is bridged with; its second half dials the
    /// colleague.
    pub(super) near: ChannelId,
    pub(super) far: ChannelId,
    pub(super) colleague: ChannelId,
    pub(super) bridge: BridgeId,
    pub(super) far_bridge: Option<BridgeId>,
}

/// One dialled leg, until its call ends.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) from: ChannelId,
    pub(super) leg: ChannelId,
    pub(super) route: Route,
    pub(super) outcome: DialOutcome,
    /// Once answered.
    pub(super) bridge: Option<BridgeId>,
}

/// Where a dialled leg goes.
#[derive(Clone, Debug)]
pub(super) enum Route {
    Phone(AgentId),
    Trunk(TrunkId, String),
}

/// The planned outcome of a dialled leg.
#[derive(Clone, Copy, Debug)]
pub(super) enum DialOutcome {
    Answer {
        talk: Duration,
        by_leg: bool,
    },
    /// Q.850 cause and SIP code.
    Refuse {
        cause: u16,
        tech: u16,
    },
    NoAnswer,
    /// The caller hangs up first.
    Cancel,
}
