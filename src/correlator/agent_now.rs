//! What an agent is doing, for gauges.

use super::names::{AgentId, ReasonId};
use super::observation::{AgentState, CallKind};
use crate::clock::Moment;

/// What an agent is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AgentNow {
    /// Who.
    pub agent: AgentId,
    /// The state over all queues.
    pub state: AgentState,
    /// The reason of the pause that is on; none in any other state.
    pub reason: ReasonId,
    /// What kind of call it is, of an agent who is busy.
    pub busy: Option<CallKind>,
    /// When the state began; a pause for another reason is another.  `None` if that was not seen, and
    /// no field tells it.
    pub since: Option<Moment>,
    /// When the talk began that goes on, hold included; likewise.
    pub talk_since: Option<Moment>,
    /// When the first of the places was taken that the agent has had without a break; only of places
    /// that are added, not configured.
    pub login: Option<Moment>,
    /// When the agent's last call from a queue ended.
    pub last_call: Option<Moment>,
}
