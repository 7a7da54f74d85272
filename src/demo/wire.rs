//! Messages in the form in which AMI sends them.

use std::fmt::{Display, Write};

use super::channel::{Bridge, Channel};
use crate::clock::Moment;

/// The class of an event: a client is sent the classes it has asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    /// FullyBooted, PeerStatus.
    System,
    /// Channels, dials, bridges, transfers, device states.
    Call,
    /// Queues and agents.
    Agent,
    /// Newexten and VarSet.
    Dialplan,
    /// Pressed keys.
    Dtmf,
}

impl Class {
    /// All classes that are sent.
    pub(super) const ALL: [Self; 5] =
        [Self::System, Self::Call, Self::Agent, Self::Dialplan, Self::Dtmf];

    /// The word in Privilege and in masks.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Call => "call",
            Self::Agent => "agent",
            Self::Dialplan => "dialplan",
            Self::Dtmf => "dtmf",
        }
    }
}

/// One event as it goes out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wire {
    /// Its class.
    pub(super) class: Class,
    /// Its text, blank line included.
    pub(super) bytes: Vec<u8>,
}

/// A message while it is written.
#[derive(Debug)]
pub(super) struct Message {
    text: String,
}

impl Message {
    /// An event as it happens, with a time stamp.
    pub(super) fn live(name: &str, class: Class, at: Moment) -> Self {
        let mut message = Self { text: String::with_capacity(512) };
        message.put("Event", name);
        message.put("Privilege", format_args!("{},all", class.word()));
        message.put("Timestamp", Stamp(at));
        message
    }

    /// An item of a list: no class, no time stamp.
    pub(super) fn listed(name: &str) -> Self {
        let mut message = Self { text: String::with_capacity(512) };
        message.put("Event", name);
        message
    }

    /// An answer.
    pub(super) fn response(word: &str, action_id: Option<&str>) -> Self {
        let mut message = Self { text: String::new() };
        message.put("Response", word);
        message.action_id(action_id)
    }

    /// Echoes the id of the action, if it had one.
    pub(super) fn action_id(self, id: Option<&str>) -> Self {
        match id {
            Some(id) => self.with("ActionID", id),
            None => self,
        }
    }

    /// Adds a header.
    pub(super) fn with(mut self, key: &str, value: impl Display) -> Self {
        self.put(key, value);
        self
    }

    /// Adds a channel's block; one that is gone has none, as in Asterisk.
    pub(super) fn channel(self, prefix: &str, channel: Option<&Channel>) -> Self {
        match channel {
            Some(channel) => self.present(prefix, channel),
            None => self,
        }
    }

    fn present(mut self, prefix: &str, channel: &Channel) -> Self {
        let (number, name) = channel.caller.texts();
        let (connected_number, connected_name) = channel.connected.texts();

        // The order of Asterisk's own block (manager_channels.c).
        let mut put = |key: &str, value: &dyn Display| self.put(&format!("{prefix}{key}"), value);
        put("Channel", &channel.name);
        put("ChannelState", &channel.state.number());
        put("ChannelStateDesc", &channel.state.word());
        put("CallerIDNum", &number);
        put("CallerIDName", &name);
        put("ConnectedLineNum", &connected_number);
        put("ConnectedLineName", &connected_name);
        put("Language", &"en");
        put("AccountCode", &"");
        put("Context", &channel.context);
        put("Exten", &channel.exten);
        put("Priority", &channel.priority);
        put("Uniqueid", &channel.uniqueid);
        put("Linkedid", &channel.linkedid);
        self
    }

    /// Adds a bridge's block.
    pub(super) fn bridge(mut self, prefix: &str, bridge: &Bridge) -> Self {
        let mut put =
            |key: &str, value: &dyn Display| self.put(&format!("{prefix}Bridge{key}"), value);
        put("Uniqueid", &bridge.uniqueid);
        put("Type", &"basic");
        put("Technology", &"simple_bridge");
        put("Creator", &"<unknown>");
        put("Name", &"<unknown>");
        put("NumChannels", &bridge.channels.len());
        put("VideoSourceMode", &"none");
        self
    }

    /// The bytes, with the blank line that ends a message.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.text.push_str("\r\n");
        self.text.into_bytes()
    }

    fn put(&mut self, key: &str, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{key}: {value}\r\n");
    }
}

/// A moment as the `Timestamp` header has it: seconds and six decimals.
pub(super) struct Stamp(pub(super) Moment);

impl Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// A moment in whole seconds, 0 for never.
pub(super) fn seconds(moment: Option<Moment>) -> u64 {
    moment.map_or(0, |moment| moment.as_micros() / 1_000_000)
}
