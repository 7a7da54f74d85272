//! From when to when an audit compares: what was asked for, else what both sides have.

use std::time::Duration;

use super::exposition::Exposition;
use super::window::{Edge, Window};
use crate::calendar::utc;
use crate::clock::Moment;
use crate::correlator::LATEST_END;

/// The time that was asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bounds {
    /// From when; if left out, from the beginning of the exporter's side.
    pub since: Option<Moment>,
    /// Until when; if left out, until the end of the exporter's side.
    pub until: Option<Moment>,
}

/// Why there is no time to compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BoundsError {
    /// The end is not after the beginning.
    #[error("there is no time to compare: {} is not before {}", utc(*.since), utc(*.until))]
    Backwards {
        /// The beginning.
        since: Moment,
        /// The end.
        until: Moment,
    },
    /// Bounds were asked for, and nothing says when the events were.
    #[error("the capture has no time stamps: --since and --until need them")]
    NoTimestamps,
}

impl Bounds {
    /// Looks at the bounds alone, before anything is read.
    ///
    /// # Errors
    /// The end is not after the beginning.
    pub fn check(self) -> Result<(), BoundsError> {
        self.since.zip(self.until).map_or(Ok(()), |(since, until)| forward(since, until))
    }

    /// The window for a scrape made at `scraped`: its counters began when the exporter started, and
    /// are as they were at the scrape.
    ///
    /// # Errors
    /// The end is not after the beginning.
    pub fn of_scrape(
        self,
        exposition: &Exposition,
        scraped: Moment,
    ) -> Result<Window, BoundsError> {
        let since = self.since.map(|at| Edge::around(at, CLOCKS)).or_else(|| began(exposition));
        let until = Edge { at: self.until.unwrap_or(scraped), before: LATE, after: CLOCKS };
        if let Some(since) = since {
            forward(since.at, until.at)?;
        }
        Ok(Window { since, until: Some(until) })
    }

    /// The window for the events of a capture.
    pub fn of_events(self) -> Window {
        let edge = |at: Option<Moment>| at.map(|at| Edge::around(at, LATE));
        Window { since: edge(self.since), until: edge(self.until) }
    }

    /// The window for queue_log beside a capture, which goes from its first event to its last;
    /// `span` is these two.
    ///
    /// # Errors
    /// Bounds were asked for, and the capture has no time stamps.
    pub fn of_lines(self, span: Option<(Moment, Moment)>) -> Result<Window, BoundsError> {
        if span.is_none() && (self.since.is_some() || self.until.is_some()) {
            return Err(BoundsError::NoTimestamps);
        }

        // A bound that was asked for also cuts the events, some of which come late; the first and
        // the last event of a capture cut nothing.
        let asked = self.of_events();
        let edge = |at: Moment| Edge::around(at, SECOND);
        Ok(Window {
            since: asked.since.or(span.map(|(first, _)| edge(first))),
            until: asked.until.or(span.map(|(_, last)| edge(last))),
        })
    }
}

/// Whoever mixes up two ends would see two empty sides agree.
fn forward(since: Moment, until: Moment) -> Result<(), BoundsError> {
    if since < until { Ok(()) } else { Err(BoundsError::Backwards { since, until }) }
}

/// The exporter counts from when it is synchronised for the first time, which is within its first
/// unsynchronised time.  After a gap that time is not known any more.
fn began(exposition: &Exposition) -> Option<Edge> {
    let at = exposition.started?;
    let unsynchronised = if exposition.gaps() == 0 {
        Duration::try_from_secs_f64(exposition.unsynchronised).ok()?
    } else {
        CLOCKS
    };
    Some(Edge { at, before: CLOCKS, after: unsynchronised + CLOCKS })
}

/// What lies between an event and its line is far less, but they may fall into two seconds.
const SECOND: Duration = Duration::from_secs(1);
/// An exporter's start is known to the second, and its clock may not be the PBX's.
const CLOCKS: Duration = Duration::from_secs(2);
/// What ends a talk may come late (METRICS.md, Talk), and be read a second later.
const LATE: Duration = LATEST_END.saturating_add(SECOND);

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(since: u64, until: u64) -> Bounds {
        Bounds { since: Some(Moment::from_secs(since)), until: Some(Moment::from_secs(until)) }
    }

    #[test]
    fn time_goes_forward() {
        assert_eq!(bounds(1, 2).check(), Ok(()));
        assert_eq!(Bounds::default().check(), Ok(()));
        for (since, until) in [(1, 1), (2, 1)] {
            let error = bounds(since, until).check().unwrap_err();
            assert!(error.to_string().starts_with("there is no time to compare: "), "{error}");
        }
    }

    #[test]
    fn a_capture_is_compared_from_its_first_event_to_its_last() {
        let span = Some((Moment::from_secs(100), Moment::from_secs(200)));
        let edges = |window: Window| [window.since, window.until].map(|edge| edge.map(|it| it.at));
        assert_eq!(
            edges(Bounds::default().of_lines(span).unwrap()),
            [Some(Moment::from_secs(100)), Some(Moment::from_secs(200))]
        );

        let until = Bounds { until: Some(Moment::from_secs(150)), ..Bounds::default() };
        assert_eq!(
            edges(until.of_lines(span).unwrap()),
            [Some(Moment::from_secs(100)), Some(Moment::from_secs(150))]
        );

        assert_eq!(until.of_lines(None), Err(BoundsError::NoTimestamps));
        assert_eq!(Bounds::default().of_lines(None), Ok(Window::default()));
    }

    #[test]
    fn a_scrape_is_compared_from_the_start_of_the_exporter_to_the_scrape() {
        let started = Some(Moment::from_secs(100));
        let exposition =
            Exposition { started, unsynchronised: 3.0, up: true, ..Exposition::default() };

        let window = Bounds::default().of_scrape(&exposition, Moment::from_secs(200)).unwrap();
        let since = window.since.unwrap();
        assert_eq!(
            (since.at, since.before, since.after),
            (Moment::from_secs(100), CLOCKS, CLOCKS + Duration::from_secs(3))
        );
        assert_eq!(window.until.unwrap().at, Moment::from_secs(200));

        assert!(Bounds::default().of_scrape(&exposition, Moment::from_secs(99)).is_err());
    }
}
