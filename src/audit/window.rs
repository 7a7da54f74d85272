//! The time that is compared, and its edges.

use std::time::Duration;

use crate::clock::Moment;

/// From when to when both sides are compared.
///
/// What lies within an edge is compared only if the other side has it too: queue_log has whole
/// seconds, and the exporter may report an end up to five seconds after it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Window {
    /// The beginning; none: everything before the end.
    pub since: Option<Edge>,
    /// The end; none: everything after the beginning.
    pub until: Option<Edge>,
}

/// A beginning or an end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edge {
    /// Where it is.
    pub at: Moment,
    /// How long before it the edge begins.
    pub before: Duration,
    /// How long after it the edge ends.
    pub after: Duration,
}

/// Where something lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// It does not count.
    Outside,
    /// It counts if the other side has it too.
    Edge,
    /// It counts.
    Inside,
}

impl Window {
    /// Where something lies that happened between two moments, the second one excluded.
    pub fn place(&self, from: Moment, to: Moment) -> Place {
        let begun = self.since.map_or(Place::Inside, |edge| edge.place(from, to));
        let ended = self.until.map_or(Place::Outside, |edge| edge.place(from, to));
        match (begun, ended) {
            (Place::Outside, _) | (_, Place::Inside) => Place::Outside,
            (Place::Inside, Place::Outside) => Place::Inside,
            (Place::Edge, _) | (_, Place::Edge) => Place::Edge,
        }
    }

    /// Where a line of queue_log lies: some time in its second.
    pub fn place_of_line(&self, second: Moment) -> Place {
        self.place(second, second.after(Duration::from_secs(1)))
    }
}

impl Edge {
    /// An edge as wide on both sides.
    pub const fn around(at: Moment, width: Duration) -> Self {
        Self { at, before: width, after: width }
    }

    /// Inside is behind the edge, outside before it.
    fn place(self, from: Moment, to: Moment) -> Place {
        let begins = self.at.before(self.before);
        let ends = self.at.after(self.after);

        if to <= begins {
            Place::Outside
        } else if from >= ends {
            Place::Inside
        } else {
            Place::Edge
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_that_an_edge_cuts_is_neither_in_nor_out() {
        let half = Duration::from_millis(500);
        let edge = |micros| Some(Edge::around(Moment::from_micros(micros), half));
        let window = Window { since: edge(10_400_000), until: edge(20_000_000) };
        let places = [8, 9, 10, 11, 18, 19, 20, 21]
            .map(|second| window.place_of_line(Moment::from_secs(second)));
        use Place::{Edge as E, Inside as I, Outside as O};
        assert_eq!(places, [O, E, E, I, I, E, E, O]);
    }

    #[test]
    fn without_bounds_everything_is_inside() {
        assert_eq!(Window::default().place_of_line(Moment::from_secs(0)), Place::Inside);
        let since = Some(Edge::around(Moment::from_secs(5), Duration::ZERO));
        let window = Window { since, until: None };
        assert_eq!(
            [4, 5].map(|at| window.place_of_line(Moment::from_secs(at))),
            [Place::Outside, Place::Inside]
        );
    }
}
