//! Talk: what is known of a connected call until it is counted.

use super::channel::BridgeId;
use super::hold::Holds;
use super::key::{ChannelKey, MemberKey};
use super::observation::EndedBy;
use super::time::{Span, Stamp};

/// A connected call.
#[derive(Debug)]
pub(super) struct Talk {
    pub member: MemberKey,
    /// The channel the queue talks to: a phone, or `;1` of a Local channel.
    pub leg: Option<ChannelKey>,
    /// The phone behind it.
    pub phone: Option<ChannelKey>,
    pub connected: Stamp,
    /// HoldTime of AgentConnect: AgentComplete repeats it.
    pub hold: Option<Span>,
    /// The bridge caller and agent met in.
    pub bridge: Option<BridgeId>,
    /// When both were in it.
    pub begun: Option<Stamp>,
    /// When the agent was in no bridge any more; taken back if the agent comes back into one.
    pub over: Option<Stamp>,
    /// The caller was put into a holding bridge, and has not come back to the agent.
    pub parked: bool,
    /// The agent is in another bridge than the caller, as in a consultation by a feature code, and has
    /// not come back.
    pub apart: bool,
    /// Found going on: its length is not known.
    pub adopted: bool,
    pub holds: Holds,
    /// A transfer of it was reported: whoever takes the agent's place is somebody else.
    pub transferred: bool,
    /// Whose far end asked first for the end.
    pub first_request: Option<EndedBy>,
}

impl Talk {
    /// A call that is connected at `connected`.
    pub(super) const fn new(member: MemberKey, connected: Stamp) -> Self {
        Self {
            member,
            leg: None,
            phone: None,
            connected,
            hold: None,
            bridge: None,
            begun: None,
            over: None,
            parked: false,
            apart: false,
            adopted: false,
            holds: Holds::NONE,
            transferred: false,
            first_request: None,
        }
    }

    /// Whether the log has told of its beginning: a list knows no hold.
    pub(super) const fn is_logged(&self) -> bool {
        self.hold.is_some() && self.begun.is_some()
    }

    /// How it ended, where no AgentComplete reports it.  With an unoptimised Local member the transfer
    /// happens in the bridge behind it, and AgentComplete comes when the caller leaves in the
    /// end.
    pub(super) const fn end_without_complete(&self) -> EndedBy {
        match self.first_request {
            _ if self.transferred => EndedBy::Transfer,
            Some(side) => side,
            None => EndedBy::Unknown,
        }
    }
}
