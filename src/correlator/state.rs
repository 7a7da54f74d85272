//! What is going on right now, for gauges: a copy taken at scrape.

use std::time::Duration;

use super::names::{AgentId, QueueId, TrunkId};
use super::observation::{AgentState, Direction};

/// A moment's picture of one PBX.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Every known queue.
    pub queues: Vec<QueueState>,
    /// Every agent who is a member of a queue.
    pub agents: Vec<(AgentId, AgentState)>,
    /// Calls going on.
    pub calls: Vec<(Direction, u64)>,
    /// Calls going on over each known trunk.
    pub trunks: Vec<(TrunkId, u64)>,
    /// What is held in memory.
    pub tracked: Tracked,
}

/// One queue's part of it.
#[derive(Clone, Debug)]
pub struct QueueState {
    /// Which queue.
    pub queue: QueueId,
    /// Callers whose outcome is not counted yet.
    pub waiting: u64,
    /// Connected calls whose completion is not counted yet.
    pub talking: u64,
    /// Age of the oldest wait, zero if nobody waits.
    pub longest_wait: Duration,
    /// Members by state, in the order of [`AgentState`]'s words.
    pub members: Vec<(AgentState, u64)>,
}

/// What the correlator holds: live things only; ended ones are kept up to 30 s more for late events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tracked {
    /// Channels that are up.
    pub channels: u64,
    /// Stays whose outcome or completion is open.
    pub stays: u64,
    /// Calls whose end is open.
    pub calls: u64,
}
