//! How far behind the PBX's own time stamps we read.

use std::time::Duration;

use crate::clock::Moment;

/// The two clocks differ by an unknown offset: the smallest difference of the session stands for it.
#[derive(Debug, Default)]
pub(super) struct Lag {
    smallest: Option<i128>,
}

impl Lag {
    /// The lag of an event that was stamped `stamped` and read `read`.
    pub(super) fn of(&mut self, stamped: Moment, read: Moment) -> Duration {
        let difference = i128::from(read.as_micros()) - i128::from(stamped.as_micros());
        let smallest = self.smallest.map_or(difference, |known| known.min(difference));
        self.smallest = Some(smallest);
        Duration::from_micros(u64::try_from(difference - smallest).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_of_the_clocks_is_no_lag() {
        let mut lag = Lag::default();
        let at = Moment::from_secs;
        assert_eq!(lag.of(at(1000), at(400)), Duration::ZERO);
        assert_eq!(lag.of(at(1001), at(403)), Duration::from_secs(2));
        assert_eq!(lag.of(at(1010), at(409)), Duration::ZERO);
        assert_eq!(lag.of(at(1011), at(411)), Duration::from_secs(1));
    }
}
