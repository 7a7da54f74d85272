//! The PBX's clock beside ours: its fields have whole seconds of its own clock, which is set as it likes.

use std::time::Duration;

use super::time::Stamp;
use crate::clock::Moment;

/// What the PBX's clock shows at a moment of ours.
#[derive(Clone, Debug, Default)]
pub(super) struct PbxClock {
    pair: Option<Pair>,
}

/// One moment, by both clocks.
#[derive(Clone, Copy, Debug)]
struct Pair {
    ours: Moment,
    theirs: Moment,
}

impl PbxClock {
    /// An event was read that the PBX had stamped.  Nothing is read before it is stamped, so the one
    /// that came fastest is the nearest.
    pub(super) fn note(&mut self, at: Stamp) {
        let Some(theirs) = at.wire else { return };
        let pair = Pair { ours: at.read, theirs };
        if self.pair.is_none_or(|known| pair.offset() < known.offset()) {
            self.pair = Some(pair);
        }
    }

    /// Another one of the same moments may know the time better.
    pub(super) fn sharpen(&mut self, other: &Self) {
        if let Some(Pair { ours, theirs }) = other.pair {
            self.note(Stamp { read: ours, wire: Some(theirs) });
        }
    }

    /// A Ping was answered, which the PBX does at once: its clock may have been set since the last one.
    pub(super) const fn answered(&mut self, theirs: Moment, ours: Moment) {
        self.pair = Some(Pair { ours, theirs });
    }

    /// What a moment of ours is by the PBX's clock.
    pub(super) fn theirs(&self, ours: Moment) -> Option<Moment> {
        let micros = i128::from(ours.as_micros()) - self.pair?.offset();
        u64::try_from(micros).ok().map(Moment::from_micros)
    }

    /// What a moment of the PBX's clock is by ours; `None` for one that is still to come, since a clock
    /// was set then.
    pub(super) fn ours(&self, theirs: Moment, now: Moment) -> Option<Moment> {
        let micros = i128::from(theirs.as_micros()) + self.pair?.offset();
        let ours = Moment::from_micros(u64::try_from(micros).ok()?);
        (ours.since(now) <= SECOND).then_some(ours.min(now))
    }
}

impl Pair {
    /// In microseconds, ours less the PBX's.
    fn offset(self) -> i128 {
        i128::from(self.ours.as_micros()) - i128::from(self.theirs.as_micros())
    }
}

/// The PBX's fields are whole seconds, and no two clocks run alike.
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    fn stamp(read: u64, wire: u64) -> Stamp {
        Stamp { read: at(read), wire: Some(at(wire)) }
    }

    #[test]
    fn a_moment_of_the_pbx_is_ours_less_the_offset() {
        let mut clock = PbxClock::default();
        assert_eq!(clock.ours(at(90), at(1000)), None);
        clock.note(stamp(1000, 100));
        assert_eq!(clock.ours(at(90), at(1000)), Some(at(990)));
        // Ahead of ours.
        clock.answered(at(5000), at(1010));
        assert_eq!(clock.ours(at(4000), at(1010)), Some(at(10)));
        assert_eq!(clock.ours(at(3989), at(1010)), None);
    }

    #[test]
    fn an_event_that_was_read_late_moves_nothing() {
        let mut clock = PbxClock::default();
        clock.note(stamp(1000, 100));
        clock.note(stamp(1050, 120));
        assert_eq!(clock.ours(at(120), at(1050)), Some(at(1020)));
        clock.note(stamp(1058, 160));
        assert_eq!(clock.ours(at(120), at(1058)), Some(at(1018)));
    }

    #[test]
    fn what_is_still_to_come_was_written_by_a_clock_that_was_set() {
        let mut clock = PbxClock::default();
        clock.answered(at(100), at(1000));
        assert_eq!(clock.ours(at(101), at(1000)), Some(at(1000)));
        assert_eq!(clock.ours(at(102), at(1000)), None);
    }
}
