//! The side of the exporter.

use std::time::Duration;

use super::subject::{Apart, Position, Subject};
use super::tally::{Count, Length, Places, Span};
use super::window::Place;
use crate::clock::Moment;

/// What the exporter counted of one queue, or of one call in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    counts: [Count; Subject::ALL.len()],
    apart: [Count; Apart::ALL.len()],
    /// Those of them that were lost while the exporter was synchronised.
    lost_synchronised: [u32; Apart::ALL.len()],
    pub(super) hold: Length,
    pub(super) talk: Length,
    pub(super) positions: [Places; Position::ALL.len()],
    /// The scrape has positions: one of an older exporter has none.
    pub(super) has_positions: bool,
    /// When the last agent's phone hung up.
    pub(super) agent_gone: Option<Moment>,
    /// When the caller was put into a parking lot, out of the last talk.
    pub(super) caller_parked: Option<Moment>,
    /// From the first observation to the last; a scrape has none.
    pub(super) span: Option<Span>,
}

impl Counted {
    pub(super) const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    pub(super) const fn apart(&self, apart: Apart) -> Count {
        self.apart[apart as usize]
    }

    /// How many of them were lost while the exporter was synchronised: nothing explains these.
    pub(super) const fn lost_synchronised(&self, apart: Apart) -> u32 {
        self.lost_synchronised[apart as usize]
    }

    /// So many were lost although the exporter was synchronised.
    pub(super) const fn add_lost_synchronised(&mut self, apart: Apart, number: u32) {
        let lost = &mut self.lost_synchronised[apart as usize];
        *lost = lost.saturating_add(number);
    }

    /// The exporter was synchronised all the time.
    pub(super) fn set_all_lost_synchronised(&mut self) {
        for apart in [Apart::WaitLost, Apart::EndLost, Apart::RingLost] {
            self.lost_synchronised[apart as usize] = self.apart(apart).all();
        }
    }

    /// Adds what was counted of the same call under another Uniqueid.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            sum.merge(count);
        }
        for (sum, count) in self.apart.iter_mut().zip(other.apart) {
            sum.merge(count);
        }
        for apart in Apart::ALL {
            self.add_lost_synchronised(apart, other.lost_synchronised(apart));
        }

        self.hold.merge(other.hold);
        self.talk.merge(other.talk);
        for (sum, places) in self.positions.iter_mut().zip(other.positions) {
            sum.merge(places);
        }

        self.agent_gone = self.agent_gone.max(other.agent_gone);
        self.caller_parked = self.caller_parked.or(other.caller_parked);
        self.span = Span::both(self.span, other.span);
    }

    pub(super) fn count_one(&mut self, subject: Subject, place: Place) {
        self.counts[subject as usize].add(place);
    }

    pub(super) fn count_apart(&mut self, apart: Apart, place: Place) {
        self.apart[apart as usize].add(place);
    }

    /// Adds the value of a counter.
    pub(super) const fn add(&mut self, subject: Subject, number: u32) {
        let count = &mut self.counts[subject as usize];
        count.sure = count.sure.saturating_add(number);
    }

    /// Adds the value of a counter that explains others.
    pub(super) const fn add_apart(&mut self, apart: Apart, number: u32) {
        let count = &mut self.apart[apart as usize];
        count.sure = count.sure.saturating_add(number);
    }

    pub(super) fn held(&mut self, hold: Duration) {
        self.hold.add(hold);
    }

    pub(super) fn talked(&mut self, talk: Duration) {
        self.talk.add(talk);
    }

    pub(super) const fn stood(&mut self, at: Position, position: u32) {
        self.positions[at as usize].add(position);
    }
}
