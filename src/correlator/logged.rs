//! Lines of queue_log as the correlator takes them, to tell what a gap hid.

use std::time::Duration;

use super::observation::{EndedBy, Outcome, PauseChange};
use crate::clock::Moment;

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// When it was written, in whole seconds of the PBX's clock.
    pub at: Moment,
    /// Uniqueid of the caller's channel.
    pub call: Box<[u8]>,
    /// The queue.
    pub queue: Box<[u8]>,
    /// The member's name, or its interface if it has none.
    pub agent: Box<[u8]>,
    /// What happened.
    pub fact: Fact,
}

/// What a line of the log says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// QUEUESTART: Asterisk was started, and every call before it is gone.
    Started,
    /// A caller joined, in which place.
    Entered {
        /// From 1.
        position: Option<u32>,
    },
    /// A member took the call.
    Connected {
        /// How long the caller had waited.
        hold: Duration,
        /// How long the member's phone had rung.
        ring: Option<Duration>,
    },
    /// A wait ended without a member.
    Left {
        /// As what.
        outcome: Outcome,
        /// How long the caller had waited.
        hold: Option<Duration>,
        /// In which place a caller was who gave up.
        position: Option<u32>,
    },
    /// A talk ended.
    Completed {
        /// By whom.
        ended_by: EndedBy,
        /// How long caller and member talked, if the line says it.
        talk: Option<Duration>,
    },
    /// A member was called in vain.
    RingNoAnswer,
    /// A member hung up during the announcement.
    Dumped,
    /// A member was paused or unpaused.
    Paused(PauseChange),
}

/// What the log has of a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Its lines, in their order; some are of before the gap, or of after the login.
    pub lines: Vec<Logged>,
    /// When the login was accepted behind the gap: what happens from then on is reported by events.
    pub login: Moment,
}

/// An event of a member that leaves nothing behind by which its line would be known again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SeenKind {
    RingNoAnswer,
    Dumped,
    Paused(PauseChange),
}

impl SeenKind {
    /// That of a line, if it is one of these.
    pub(super) const fn of(fact: Fact) -> Option<Self> {
        match fact {
            Fact::RingNoAnswer => Some(Self::RingNoAnswer),
            Fact::Dumped => Some(Self::Dumped),
            Fact::Paused(change) => Some(Self::Paused(change)),
            Fact::Started
            | Fact::Entered { .. }
            | Fact::Connected { .. }
            | Fact::Left { .. }
            | Fact::Completed { .. } => None,
        }
    }
}
