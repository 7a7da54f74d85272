//! What both sides are added up in: counts, lengths and spans of time.

use std::time::Duration;

use super::subject::Subject;
use super::window::Place;
use crate::clock::Moment;

/// A number, and what may be added to it: what lies at an edge of the window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Count {
    pub(super) sure: u32,
    pub(super) edge: u32,
}

impl Count {
    pub(super) const fn all(self) -> u32 {
        self.sure.saturating_add(self.edge)
    }

    pub(super) fn add(&mut self, place: Place) {
        if let Some(part) = self.part(place) {
            *part = part.saturating_add(1);
        }
    }

    pub(super) fn take_back(&mut self, place: Place) {
        if let Some(part) = self.part(place) {
            *part = part.saturating_sub(1);
        }
    }

    pub(super) const fn merge(&mut self, other: Self) {
        self.sure = self.sure.saturating_add(other.sure);
        self.edge = self.edge.saturating_add(other.edge);
    }

    const fn part(&mut self, place: Place) -> Option<&mut u32> {
        match place {
            Place::Outside => None,
            Place::Edge => Some(&mut self.edge),
            Place::Inside => Some(&mut self.sure),
        }
    }
}

/// Seconds, and of how many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Length {
    pub(super) sum: f64,
    pub(super) of: u32,
}

impl Length {
    pub(super) fn add(&mut self, length: Duration) {
        self.merge(Self { sum: length.as_secs_f64(), of: 1 });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.of = self.of.saturating_add(other.of);
    }
}

/// Places of callers in a queue, added up, and of how many callers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Places {
    pub(super) sum: u64,
    pub(super) of: u32,
}

impl Places {
    pub(super) const fn add(&mut self, position: u32) {
        self.merge(Self { sum: position as u64, of: 1 });
    }

    pub(super) const fn merge(&mut self, other: Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.of = self.of.saturating_add(other.of);
    }
}

/// From a first moment to a last one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) first: Moment,
    pub(super) last: Moment,
}

impl Span {
    pub(super) const fn at(moment: Moment) -> Self {
        Self { first: moment, last: moment }
    }

    pub(super) fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let Some((one, other)) = one.zip(other) else { return one.or(other) };
        Some(Self { first: one.first.min(other.first), last: one.last.max(other.last) })
    }
}

/// Ends of a talk.
pub(super) const ENDS: [Subject; 3] = [Subject::ByCaller, Subject::ByAgent, Subject::Transferred];
