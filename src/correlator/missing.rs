//! What the exporter needs of a PBX and may not get: the closed set of
//! `asterisk_exporter_degraded`.

mod events;
mod evidence;
mod lists;

pub(super) use evidence::Evidence;
pub(super) use lists::LastList;

use super::observation::{Word, words};

words! {
    /// What never comes in a session.
    #[expect(missing_docs, reason = "an event without a sentence is itself what is missing")]
    Missing {
        /// Every needed event of class `call`.
        ClassCall = "class_call",
        /// Every needed event of class `agent`.
        ClassAgent = "class_agent",
        /// Every needed event of class `dialplan`.
        ClassDialplan = "class_dialplan",
        /// Every needed event of class `system`.
        ClassSystem = "class_system",
        /// The list of channels: the PBX refuses it.
        ListChannels = "list_channels",
        /// The list of queues: the PBX refuses it.
        ListQueues = "list_queues",
        /// The time stamps of events.
        Timestamps = "timestamps",
        Newchannel = "event_newchannel",
        Hangup = "event_hangup",
        HangupRequest = "event_hangup_request",
        DialBegin = "event_dial_begin",
        DialEnd = "event_dial_end",
        BridgeEnter = "event_bridge_enter",
        BridgeLeave = "event_bridge_leave",
        LocalBridge = "event_local_bridge",
        /// BlindTransfer and AttendedTransfer: both.
        Transfer = "event_transfer",
        QueueCallerJoin = "event_queue_caller_join",
        QueueCallerLeave = "event_queue_caller_leave",
        QueueCallerAbandon = "event_queue_caller_abandon",
        AgentCalled = "event_agent_called",
        AgentConnect = "event_agent_connect",
        AgentComplete = "event_agent_complete",
        AgentRingNoAnswer = "event_agent_ring_no_answer",
        QueueMemberStatus = "event_queue_member_status",
        QueueMemberPause = "event_queue_member_pause",
        QueueMemberAdded = "event_queue_member_added",
        QueueMemberRemoved = "event_queue_member_removed",
        VarSet = "event_var_set",
    }
}

impl Missing {
    /// The class of an event.
    pub(super) const fn class(self) -> Option<Self> {
        match self {
            Self::ClassCall | Self::ClassAgent | Self::ClassDialplan | Self::ClassSystem => None,
            Self::ListChannels | Self::ListQueues | Self::Timestamps => None,
            Self::Newchannel
            | Self::Hangup
            | Self::HangupRequest
            | Self::DialBegin
            | Self::DialEnd
            | Self::BridgeEnter
            | Self::BridgeLeave
            | Self::LocalBridge
            | Self::Transfer => Some(Self::ClassCall),
            Self::QueueCallerJoin
            | Self::QueueCallerLeave
            | Self::QueueCallerAbandon
            | Self::AgentCalled
            | Self::AgentConnect
            | Self::AgentComplete
            | Self::AgentRingNoAnswer
            | Self::QueueMemberStatus
            | Self::QueueMemberPause
            | Self::QueueMemberAdded
            | Self::QueueMemberRemoved => Some(Self::ClassAgent),
            Self::VarSet => Some(Self::ClassDialplan),
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Some of what may be missing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MissingSet(u32);

impl MissingSet {
    /// Whether it is among them.
    pub const fn contains(self, what: Missing) -> bool {
        self.0 & what.bit() != 0
    }

    /// Whether there is nothing among them.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of the contract.
    pub fn iter(self) -> impl Iterator<Item = Missing> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            Missing::ALL.get(place).copied()
        })
    }

    /// What is among these and not among `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Puts it among them.
    pub const fn insert(&mut self, what: Missing) {
        self.0 |= what.bit();
    }

    /// The same with the classes of its events.
    pub(super) fn with_classes(self) -> Self {
        let mut all = self;
        self.iter().filter_map(Missing::class).for_each(|class| all.insert(class));
        all
    }
}

impl FromIterator<Missing> for MissingSet {
    fn from_iter<I: IntoIterator<Item = Missing>>(all: I) -> Self {
        let mut set = Self::default();
        all.into_iter().for_each(|what| set.insert(what));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_bit_for_each() {
        assert!(Missing::ALL.len() <= 32);
        let all: MissingSet = Missing::ALL.iter().copied().collect();
        assert_eq!(all.iter().count(), Missing::ALL.len());
    }

    #[test]
    fn the_word_says_whether_it_is_a_class_or_an_event_of_one() {
        for what in Missing::ALL {
            assert_eq!(
                what.word().starts_with("event_"),
                what.class().is_some(),
                "{}",
                what.word()
            );
            assert!(
                what.class().is_none_or(|class| class.word().starts_with("class_")),
                "{}",
                what.word()
            );
        }
    }
}
