//! When something happened, on two clocks, and how long things took.

use std::time::Duration;

use crate::clock::Moment;
use crate::event::LONGEST;

/// When an event happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    /// When it was read: our clock, or in a capture the latest time stamp so far.
    pub read: Moment,
    /// The PBX's own `Timestamp`, if it sends them.
    pub wire: Option<Moment>,
}

/// Where durations come from when events carry no `Timestamp`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timing {
    /// From the moments at which the events were read.
    Live,
    /// From Asterisk's own fields: a capture has no moments of reading.
    Recorded,
}

impl Timing {
    /// Time between two events, by the first source that has both and can be right; `None` if none
    /// is.
    ///
    /// The PBX's clock may be set between the two, by years where a box has no battery.
    pub(super) fn between(self, from: Stamp, to: Stamp) -> Option<Duration> {
        let stamped = from.wire.zip(to.wire).map(|(from, to)| to.since(from));
        let read = (self == Self::Live).then(|| to.read.since(from.read));
        [stamped, read].into_iter().flatten().find(|&length| length <= LONGEST)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(read: u64, wire: u64) -> Stamp {
        Stamp { read: Moment::from_secs(read), wire: Some(Moment::from_secs(wire)) }
    }

    #[test]
    fn a_clock_that_was_set_between_two_events_gives_no_length() {
        let (before, after) = (stamp(1000, 10), stamp(1007, 1_700_000_000));
        assert_eq!(Timing::Live.between(before, after), Some(Duration::from_secs(7)));
        assert_eq!(Timing::Recorded.between(before, after), None);
    }
}
