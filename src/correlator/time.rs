//! When something happened, on two clocks, and how long things took.

use std::num::NonZeroU64;
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

/// A length to keep, in whole microseconds as both clocks have them: half as large as a `Duration`, also
/// in an `Option`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span(NonZeroU64);

impl Span {
    pub(super) const ZERO: Self = Self(NonZeroU64::MIN);

    /// Both together.
    pub(super) fn plus(self, more: Duration) -> Self {
        Self(self.0.saturating_add(micros(more)))
    }
}

impl From<Duration> for Span {
    fn from(length: Duration) -> Self {
        Self::ZERO.plus(length)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_micros(span.0.get() - 1)
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
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
    fn a_span_is_the_length_it_was_made_of() {
        for length in [Duration::ZERO, Duration::from_micros(1), LONGEST] {
            assert_eq!(Duration::from(Span::from(length)), length);
        }
        let both = Span::from(LONGEST).plus(Duration::from_micros(7));
        assert_eq!(Duration::from(both), LONGEST + Duration::from_micros(7));
        assert_eq!((size_of::<Option<Span>>(), size_of::<Option<Stamp>>()), (8, 16));
    }

    #[test]
    fn a_clock_that_was_set_between_two_events_gives_no_length() {
        let (before, after) = (stamp(1000, 10), stamp(1007, 1_700_000_000));
        assert_eq!(Timing::Live.between(before, after), Some(Duration::from_secs(7)));
        assert_eq!(Timing::Recorded.between(before, after), None);
    }
}
