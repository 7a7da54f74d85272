//! When something happened, on two clocks, and how long things took.

use std::time::Duration;

use crate::clock::Moment;

/// When an event happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    /// When it was read: our clock, or in a recording the latest time stamp so far.
    pub read: Moment,
    /// The PBX's own `Timestamp`, if it sends them.
    pub wire: Option<Moment>,
}

/// Where durations come from when events carry no `Timestamp`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timing {
    /// From the moments at which the events were read.
    Live,
    /// From Asterisk's own fields: a recording does not say when it was read.
    Recorded,
}

impl Timing {
    /// Time between two events, by the first source that has both; `None` if none has.
    pub(super) fn between(self, from: Stamp, to: Stamp) -> Option<Duration> {
        match (from.wire, to.wire, self) {
            (Some(from), Some(to), _) => Some(to.since(from)),
            (_, _, Self::Live) => Some(to.read.since(from.read)),
            (_, _, Self::Recorded) => None,
        }
    }
}

impl Stamp {
    /// The earlier of two.
    pub(super) fn earlier(self, other: Self) -> Self {
        let later = match (self.wire, other.wire) {
            (Some(mine), Some(theirs)) => mine > theirs,
            _ => self.read > other.read,
        };
        if later { other } else { self }
    }
}
