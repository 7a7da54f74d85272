//! When the exporter could not see the PBX: only then may an end be lost, or a beginning be missed.

use std::time::Duration;

use super::window::Place;
use crate::clock::Moment;

/// The times in which the exporter was not synchronised.
#[derive(Clone, Debug, Default)]
pub(super) struct Blindness {
    spans: Vec<(Moment, Moment)>,
    /// It cannot see now.
    since: Option<Moment>,
    /// Nobody knows when it was: a scrape tells only that it was, and a recording may have no time
    /// stamps.
    undated: bool,
}

impl Blindness {
    /// What a scrape tells.
    pub(super) fn of_scrape(gaps: u64) -> Self {
        Self { undated: gaps > 0, ..Self::default() }
    }

    pub(super) fn begins(&mut self, at: Moment) {
        // the first is the time before the recording, and hides nothing of it
        self.undated |= at == Moment::default() && !self.spans.is_empty();
        self.since = self.since.or(Some(at));
    }

    pub(super) fn ends(&mut self, at: Moment) {
        if let Some(since) = self.since.take() {
            self.spans.push((since, at));
        }
    }

    /// Whether a line of queue_log may have been written out of sight: some time in its second.
    pub(super) fn hides_line(&self, second: Moment) -> bool {
        self.hides(second.before(SEAM), second.after(SEAM + Duration::from_secs(1)))
    }

    /// Whether what began at a moment and was lost at another may have ended out of sight.
    pub(super) fn excuses(&self, begun: Moment, lost: Moment, place: Place) -> bool {
        // an edge has no verdict anyway
        place == Place::Edge || self.hides(begun, lost)
    }

    /// Whether a blind time ended after a moment, and began before another.
    fn hides(&self, from: Moment, to: Moment) -> bool {
        let later = self.spans.partition_point(|&(_, ended)| ended <= from);
        let within = self.spans.get(later).is_some_and(|&(began, _)| began <= to);
        self.undated || within || self.since.is_some_and(|since| since <= to)
    }
}

/// Between an event and its line, and between a list and what it was taken of.
const SEAM: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment::from_secs(second)
    }

    #[test]
    fn lines_are_hidden_within_a_blind_time_and_at_its_seams_only() {
        let mut blind = Blindness::default();
        blind.begins(at(0));
        blind.ends(at(100));
        blind.begins(at(200));
        blind.begins(at(205));
        blind.ends(at(230));
        let hidden =
            [50, 101, 102, 196, 197, 210, 231, 232].map(|second| blind.hides_line(at(second)));
        assert_eq!(hidden, [true, true, false, false, true, true, true, false]);
        // what was open then may be lost, also later; what was over or had not begun may not
        let excused = [(150, 300), (229, 900), (120, 190), (100, 190), (230, 900)]
            .map(|(begun, lost)| blind.excuses(at(begun), at(lost), Place::Inside));
        assert_eq!(excused, [true, true, false, false, false]);
        blind.begins(at(500));
        assert!(blind.hides_line(at(900)) && !blind.hides_line(at(400)));
    }

    #[test]
    fn where_no_time_is_told_a_gap_may_be_anywhere() {
        assert!(
            !Blindness::of_scrape(0).hides_line(at(7)) && Blindness::of_scrape(1).hides_line(at(7))
        );
        let mut blind = Blindness::default();
        blind.begins(at(0));
        blind.ends(at(0));
        assert!(!blind.hides_line(at(7)));
        blind.begins(at(0));
        blind.ends(at(0));
        assert!(blind.hides_line(at(7)));
    }
}
