//! The zone of a log that has local times only, as an export of a database has.
//!
//! A Uniqueid holds when its channel was created, and a caller enters a queue soon after.  So the
//! two times of an ENTERQUEUE differ by the zone and by how old the call is: the zone is never more
//! than that difference, and mostly the quarter of an hour below it.

use super::entry::{Entry, created};
use crate::calendar::Offset;

/// The zones of a log's local times, by the lines from which on they hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Zones {
    from: Vec<(u64, Offset)>,
    /// Calls that show an hour more, since the last one that did not: where it began, and how
    /// many.
    more: Option<(u64, u32)>,
}

impl Zones {
    /// One zone for all of it.
    pub(super) fn fixed(offset: Offset) -> Self {
        Self { from: vec![(0, offset)], more: None }
    }

    /// Learns from a line.
    pub(super) fn learn(&mut self, number: u64, entry: &Entry<'_>) {
        if entry.verb != b"ENTERQUEUE" || !entry.when.local {
            return;
        }

        let Some(offset) =
            created(entry.call).and_then(|created| difference(entry.when.seconds, created))
        else {
            return;
        };

        // The first call gives a zone to begin with; later ones correct it.
        let Some(&(_, Offset(now))) = self.from.last() else {
            self.from.push((0, Offset(offset)));
            return;
        };

        match offset - now {
            0 => self.more = None,
            HOUR => self.an_hour_more(number, offset),
            // An old call: one that came back from an agent, or was in a menu for long.
            more if more > 0 => {}
            _ => {
                // Summer time is over, or all calls before were old.
                let first = self.from.len() == 1 && offset - now != -HOUR;
                let number = if first { 0 } else { number };
                self.from.retain(|&(from, _)| from < number);
                self.from.push((number, Offset(offset)));
                self.more = None;
            }
        }
    }

    /// Summer time has begun, if all calls from now on show it; one alone is an hour old.
    fn an_hour_more(&mut self, number: u64, offset: i64) {
        let (from, calls) = self.more.unwrap_or((number, 0));
        self.more = Some((from, calls + 1));
        if calls + 1 == ENOUGH {
            self.from.push((from, Offset(offset)));
            self.more = None;
        }
    }

    /// The zone of a line.
    pub(super) fn at(&self, number: u64) -> Option<Offset> {
        let later = self.from.partition_point(|&(from, _)| from <= number);
        self.from.get(later.checked_sub(1)?).map(|&(_, offset)| offset)
    }

    /// All of them, in their order.
    pub(super) fn all(&self) -> Vec<Offset> {
        self.from.iter().map(|&(_, offset)| offset).collect()
    }
}

/// The difference between a line's time and the start of its call, in whole quarters of an hour.
fn difference(local: u64, created: u64) -> Option<i64> {
    let seconds = i64::try_from(local).ok()?.checked_sub(i64::try_from(created).ok()?)?;
    // The two may have been taken around a full second.
    let zone = (seconds + 1).div_euclid(QUARTER) * QUARTER;
    (-12 * HOUR..=14 * HOUR).contains(&zone).then_some(zone)
}

const HOUR: i64 = 3600;
/// Zones differ by no less.
const QUARTER: i64 = 900;
/// Calls one after the other that are no accident.
const ENOUGH: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Zones of calls that entered at an hour of local time and began so many seconds before, in a
    /// zone.
    fn zones(calls: &[(u64, u64, i64)]) -> Zones {
        let mut zones = Zones::default();
        for (number, &(hour, age, zone)) in (1..).zip(calls) {
            let local = 1_790_000_000 + hour * 3600;
            let created = local.saturating_add_signed(-zone) - age;
            let text = format!("2026-01-01 00:00:00|{created}.1|q|NONE|ENTERQUEUE");
            let mut entry = Entry::of_bars(text.as_bytes()).expect("an entry");
            entry.when.seconds = local;
            zones.learn(number, &entry);
        }
        zones
    }

    fn at(zones: &Zones, lines: &[u64]) -> Vec<i64> {
        lines.iter().map(|&line| zones.at(line).map_or(-1, |offset| offset.0)).collect()
    }

    #[test]
    fn the_age_of_a_call_does_not_matter() {
        assert_eq!(
            at(
                &zones(&[(0, 0, 3600), (1, 800, 3600), (2, 4000, 3600), (3, 90_000, 3600)]),
                &[1, 9]
            ),
            [3600; 2]
        );
        // Also if the first one is old.
        assert_eq!(at(&zones(&[(0, 2000, 7200), (1, 5, 7200)]), &[1, 2]), [7200; 2]);
        assert_eq!(at(&zones(&[(0, 3, -9000), (1, 3, -9000)]), &[1]), [-9000]);
        assert_eq!(at(&zones(&[(0, 40, 20_700)]), &[1]), [20_700]);
    }

    #[test]
    fn summer_time_begins_and_ends() {
        let summer = [(0, 5, 3600), (1, 5, 7200), (2, 5, 7200), (3, 9, 7200), (4, 5, 7200)];
        assert_eq!(at(&zones(&summer), &[1, 2, 3, 9]), [3600, 7200, 7200, 7200]);
        let winter = [(0, 5, 7200), (1, 5, 7200), (1, 5, 3600), (2, 5, 3600)];
        assert_eq!(at(&zones(&winter), &[1, 2, 3, 4]), [7200, 7200, 3600, 3600]);
        // One call that is an hour old is no summer.
        assert_eq!(at(&zones(&[(0, 5, 3600), (1, 3700, 3600), (2, 5, 3600)]), &[2]), [3600]);
    }

    #[test]
    fn what_has_no_local_time_shows_no_zone() {
        let mut zones = Zones::default();
        for line in [
            "2026-09-21 14:13:30|NONE|q|NONE|ENTERQUEUE",
            "1790000010|1790000010.1|q|NONE|ENTERQUEUE",
        ] {
            zones.learn(1, &Entry::of_bars(line.as_bytes()).expect("an entry"));
        }
        assert_eq!(zones.at(1), None);
        assert_eq!(Zones::fixed(Offset(7200)).at(1), Some(Offset(7200)));
    }
}
