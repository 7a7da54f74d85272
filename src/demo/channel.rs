//! Channels and bridges: what events describe.

use super::id::{AgentId, BridgeId, ChannelId, TrunkId};
use crate::clock::Moment;

/// The far end of a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    Phone(AgentId),
    Trunk(TrunkId),
    Local,
}

/// The state of a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChannelState {
    Down,
    /// The far end calls.
    Ring,
    /// The far end is called.
    Ringing,
    Up,
}

impl ChannelState {
    /// ChannelState.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Down => 0,
            Self::Ring => 4,
            Self::Ringing => 5,
            Self::Up => 6,
        }
    }

    /// ChannelStateDesc.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Ring => "Ring",
            Self::Ringing => "Ringing",
            Self::Up => "Up",
        }
    }
}

/// A number and a name; Asterisk prints `<unknown>` for what is missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Party {
    pub(super) number: Option<String>,
    pub(super) name: Option<String>,
}

impl Party {
    /// A number without a name.
    pub(super) fn number(number: &str) -> Self {
        Self { number: Some(number.to_owned()), name: None }
    }

    /// Both, as headers have them.
    pub(super) fn texts(&self) -> (&str, &str) {
        (self.number.as_deref().unwrap_or("<unknown>"), self.name.as_deref().unwrap_or("<unknown>"))
    }
}

/// A channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) owner: Owner,
    pub(super) state: ChannelState,
    pub(super) caller: Party,
    pub(super) connected: Party,
    pub(super) context: String,
    pub(super) exten: String,
    pub(super) priority: u32,
    pub(super) uniqueid: String,
    pub(super) linkedid: String,
    pub(super) application: String,
    pub(super) data: String,
    pub(super) created: Moment,
    pub(super) bridge: Option<BridgeId>,
}

/// A bridge.
#[derive(Clone, Debug)]
pub(super) struct Bridge {
    pub(super) uniqueid: String,
    pub(super) channels: Vec<ChannelId>,
}
