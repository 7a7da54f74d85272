//! When the exporter was not synchronised: only then may an end be lost, or a beginning be missed.

use std::time::Duration;

use super::window::Place;
use crate::clock::Moment;

/// The times in which the exporter was not synchronised.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsynchronised {
    spans: Vec<(Moment, Moment)>,
    /// It is not synchronised now.
    since: Option<Moment>,
    /// The times are not known: a scrape has only their sum, and a capture may have no time stamps.
    undated: bool,
}

impl Unsynchronised {
    /// What a scrape has of it.
    pub(super) fn of_scrape(gaps: u64) -> Self {
        Self { undated: gaps > 0, ..Self::default() }
    }

    /// The exporter is not synchronised from a moment on.
    pub(super) fn begins(&mut self, at: Moment) {
        // The first is the time before the capture, and hides nothing of it.
        self.undated |= at.dated().is_none() && !self.spans.is_empty();
        self.since = self.since.or(Some(at));
    }

    /// It is synchronised from a moment on.
    pub(super) fn ends(&mut self, at: Moment) {
        if let Some(since) = self.since.take() {
            self.spans.push((since, at));
        }
    }

    /// Whether a line of queue_log may have been written while the exporter was not synchronised:
    /// some time in its second.
    pub(super) fn hides_line(&self, second: Moment) -> bool {
        self.hides(second.before(LAG), second.after(LAG + Duration::from_secs(1)))
    }

    /// Whether what began at a moment and was lost at another may have ended while the exporter was
    /// not synchronised.
    pub(super) fn explains(&self, begun: Moment, lost: Moment, place: Place) -> bool {
        // An edge has no verdict anyway.
        place == Place::Edge || self.hides(begun, lost)
    }

    /// Whether such a time ended after a moment, and began before another.
    fn hides(&self, from: Moment, to: Moment) -> bool {
        let later = self.spans.partition_point(|&(_, ended)| ended <= from);
        let within = self.spans.get(later).is_some_and(|&(began, _)| began <= to);
        self.undated || within || self.since.is_some_and(|since| since <= to)
    }
}

/// Between an event and its line, and between a list and what it was taken of.
const LAG: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment::from_secs(second)
    }

    #[test]
    fn lines_are_hidden_within_such_a_time_and_at_its_edges_only() {
        let mut times = Unsynchronised::default();
        times.begins(at(0));
        times.ends(at(100));
        times.begins(at(200));
        times.begins(at(205));
        times.ends(at(230));

        let hidden =
            [50, 101, 102, 196, 197, 210, 231, 232].map(|second| times.hides_line(at(second)));
        assert_eq!(hidden, [true, true, false, false, true, true, true, false]);

        // What was open then may be lost, also later; what was over or had not begun may not.
        let explained = [(150, 300), (229, 900), (120, 190), (100, 190), (230, 900)]
            .map(|(begun, lost)| times.explains(at(begun), at(lost), Place::Inside));
        assert_eq!(explained, [true, true, false, false, false]);

        times.begins(at(500));
        assert!(times.hides_line(at(900)) && !times.hides_line(at(400)));
    }

    #[test]
    fn without_times_a_gap_may_be_anywhere() {
        assert!(
            !Unsynchronised::of_scrape(0).hides_line(at(7))
                && Unsynchronised::of_scrape(1).hides_line(at(7))
        );

        let mut times = Unsynchronised::default();
        times.begins(at(0));
        times.ends(at(0));
        assert!(!times.hides_line(at(7)));

        times.begins(at(0));
        times.ends(at(0));
        assert!(times.hides_line(at(7)));
    }
}
