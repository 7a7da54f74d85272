//! How far behind the PBX's own time stamps we read.

use std::time::Duration;

use crate::clock::Moment;

/// The two clocks differ by an unknown offset.  Nothing is read before it is stamped, so the
/// smallest difference so far stands for it; and nothing is stamped before it was asked for, so an
/// answer to a Ping limits how small it may be.
///
/// Without that one stamp in the future, or a clock that was set back, would be believed for the
/// rest of the session.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// In microseconds, ours less the PBX's.
    offset: Option<i128>,
    last: Last,
}

/// The last item of a chunk that shows how late it was read.
#[derive(Debug, Default)]
enum Last {
    #[default]
    Nothing,
    /// An event, stamped by the PBX.
    Stamped(Moment),
    /// A Ping came back in time: nothing lies before it.
    Pong,
}

impl Lag {
    /// An event was read that the PBX had stamped.
    pub(super) const fn note(&mut self, stamped: Moment) {
        self.last = Last::Stamped(stamped);
    }

    /// The lag of the chunk read at `read`, if anything in it shows one.
    pub(super) fn take(&mut self, read: Moment) -> Option<Duration> {
        match std::mem::take(&mut self.last) {
            Last::Nothing => None,
            Last::Stamped(stamped) => Some(self.of(stamped, read)),
            Last::Pong => Some(Duration::ZERO),
        }
    }

    /// The lag of an event that was stamped `stamped` and read `read`.
    fn of(&mut self, stamped: Moment, read: Moment) -> Duration {
        let difference = between(stamped, read);
        let offset = self.offset.map_or(difference, |known| known.min(difference));
        self.offset = Some(offset);
        Duration::from_micros(u64::try_from(difference - offset).unwrap_or(u64::MAX))
    }

    /// A Ping that was sent at `sent` was answered, at `stamped` by the PBX's clock.
    pub(super) fn answered(&mut self, stamped: Option<Moment>, sent: Moment) {
        self.last = Last::Pong;
        let Some(stamped) = stamped else { return };
        let least = between(stamped, sent);
        self.offset = self.offset.map(|known| known.max(least));
    }
}

fn between(theirs: Moment, ours: Moment) -> i128 {
    i128::from(ours.as_micros()) - i128::from(theirs.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    #[test]
    fn the_offset_of_the_clocks_is_no_lag() {
        let mut lag = Lag::default();
        assert_eq!(lag.of(at(1000), at(400)), Duration::ZERO);
        assert_eq!(lag.of(at(1001), at(403)), Duration::from_secs(2));
        assert_eq!(lag.of(at(1010), at(409)), Duration::ZERO);
        assert_eq!(lag.of(at(1011), at(411)), Duration::from_secs(1));
    }

    #[test]
    fn a_stamp_in_the_future_is_believed_until_the_next_ping() {
        let mut lag = Lag::default();
        assert_eq!(lag.of(at(1000), at(400)), Duration::ZERO);
        assert_eq!(lag.of(at(9000), at(401)), Duration::ZERO);
        assert_eq!(lag.of(at(1002), at(402)), Duration::from_secs(7999));
        lag.answered(Some(at(1015)), at(415));
        assert_eq!(lag.of(at(1016), at(419)), Duration::from_secs(3));
    }

    #[test]
    fn a_clock_that_was_set_back_is_no_lag_after_the_next_ping() {
        let mut lag = Lag::default();
        assert_eq!(lag.of(at(5000), at(400)), Duration::ZERO);
        assert_eq!(lag.of(at(1402), at(402)), Duration::from_secs(3600));
        lag.answered(Some(at(1415)), at(415));
        assert_eq!(lag.of(at(1420), at(422)), Duration::from_secs(2));
    }

    #[test]
    fn a_late_answer_hides_no_lag() {
        let mut lag = Lag::default();
        assert_eq!(lag.of(at(1000), at(400)), Duration::ZERO);
        // Sent at 410, answered 7 s later behind a heap of events.
        lag.answered(Some(at(1017)), at(410));
        assert_eq!(lag.of(at(1010), at(418)), Duration::from_secs(8));
    }
}
