//! What each side says of one queue, or of one call in it.

use std::time::Duration;

use super::subject::{Apart, Subject};
use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::Verb;

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

    fn add(&mut self, place: Place) {
        let part = match place {
            Place::Outside => return,
            Place::Edge => &mut self.edge,
            Place::Inside => &mut self.sure,
        };
        *part = part.saturating_add(1);
    }

    fn take_back(&mut self, place: Place) {
        let part = match place {
            Place::Outside => return,
            Place::Edge => &mut self.edge,
            Place::Inside => &mut self.sure,
        };
        *part = part.saturating_sub(1);
    }
}

/// Seconds, and of how many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Length {
    pub(super) sum: f64,
    pub(super) of: u32,
}

impl Length {
    fn add(&mut self, length: Duration) {
        self.sum += length.as_secs_f64();
        self.of = self.of.saturating_add(1);
    }
}

/// What queue_log says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    counts: [Count; Subject::ALL.len()],
    /// Lines that say once more what another said.
    again: [u32; Subject::ALL.len()],
    /// Those of them that end a talk, by the end that was said first and the one that was said then.
    ends_again: [[u32; ENDS.len()]; ENDS.len()],
    /// Inside the window, and at its edges.
    pub(super) hold: [Length; 2],
    pub(super) talk: [Length; 2],
    /// The longest of one line: a call explains no more than that.
    pub(super) longest_hold: f64,
    pub(super) longest_talk: f64,
    /// When the last talk ended.
    pub(super) talked_until: Option<Moment>,
}

impl Said {
    pub(super) const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    /// How often it is said once more than it happened.
    pub(super) const fn said_again(&self, subject: Subject) -> u32 {
        self.again[subject as usize]
    }

    /// How often one end was said of a talk, and then the other.
    pub(super) fn said_both(&self, first: Subject, then: Subject) -> u32 {
        place(first).zip(place(then)).map_or(0, |(first, then)| self.ends_again[first][then])
    }

    /// Adds what is said of another queue.
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            sum.sure = sum.sure.saturating_add(count.sure);
            sum.edge = sum.edge.saturating_add(count.edge);
        }
        for (sum, number) in self.again.iter_mut().zip(other.again) {
            *sum = sum.saturating_add(number);
        }
        for (sum, number) in self.ends_again.iter_mut().flatten().zip(other.ends_again.iter().flatten()) {
            *sum = sum.saturating_add(*number);
        }
        self.longest_hold = self.longest_hold.max(other.longest_hold);
        self.longest_talk = self.longest_talk.max(other.longest_talk);
        for (sum, length) in self.hold.iter_mut().chain(&mut self.talk).zip(other.hold.iter().chain(&other.talk)) {
            (sum.sum, sum.of) = (sum.sum + length.sum, sum.of.saturating_add(length.of));
        }
        self.talked_until = self.talked_until.max(other.talked_until);
    }

    /// A line that ends a talk once more, which ended by `first` before.
    pub(super) fn end_again(&mut self, first: Subject, then: Subject) {
        self.again[then as usize] = self.again[then as usize].saturating_add(1);
        if let Some((first, then)) = place(first).zip(place(then)) {
            self.ends_again[first][then] = self.ends_again[first][then].saturating_add(1);
        }
    }

    /// Somebody was said to be rung in vain, and answered that ringing.
    pub(super) fn ring_again(&mut self, place: Place) {
        let rang = Subject::RangInVain as usize;
        self.counts[rang].take_back(place);
        self.again[rang] = self.again[rang].saturating_add(1);
    }

    /// One line; false if it says nothing that is compared.
    pub(super) fn line(&mut self, at: Moment, verb: Verb<'_>, place: Place) -> bool {
        let Some((subject, length)) = subject(verb) else { return false };
        self.counts[subject as usize].add(place);
        let part = usize::from(place == Place::Edge);
        match (length, subject) {
            (_, _) if place == Place::Outside => {}
            (Some(hold), Subject::Answered) => {
                self.hold[part].add(hold);
                self.longest_hold = self.longest_hold.max(hold.as_secs_f64());
            }
            (Some(talk), _) => {
                self.talk[part].add(talk);
                self.longest_talk = self.longest_talk.max(talk.as_secs_f64());
                self.talked_until = Some(at);
            }
            (None, _) => {}
        }
        true
    }
}

/// Its place among the ends of a talk.
fn place(end: Subject) -> Option<usize> {
    ENDS.iter().position(|&it| it == end)
}

/// What a verb says, and the seconds it tells.
pub(super) fn subject(verb: Verb<'_>) -> Option<(Subject, Option<Duration>)> {
    Some(match verb {
        Verb::Entered => (Subject::Entered, None),
        Verb::Connected { hold, .. } => (Subject::Answered, Some(hold)),
        Verb::Abandoned => (Subject::Abandoned, None),
        Verb::TimedOut => (Subject::Timeout, None),
        Verb::LeftEmpty => (Subject::LeaveEmpty, None),
        Verb::Withdrawn => (Subject::Withdrawn, None),
        Verb::PressedKey => (Subject::ExitKey, None),
        Verb::Incompatible => (Subject::Incompatible, None),
        Verb::CompletedByCaller { talk } => (Subject::ByCaller, Some(talk)),
        Verb::CompletedByAgent { talk } => (Subject::ByAgent, Some(talk)),
        Verb::Transferred { talk } => (Subject::Transferred, Some(talk)),
        Verb::RangInVain => (Subject::RangInVain, None),
        Verb::AgentDumped => (Subject::AgentDump, None),
        Verb::Paused => (Subject::Paused, None),
        Verb::Unpaused => (Subject::Unpaused, None),
        Verb::Other(_) => return None,
    })
}

/// What the exporter counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    counts: [Count; Subject::ALL.len()],
    apart: [Count; Apart::ALL.len()],
    pub(super) hold: Length,
    pub(super) talk: Length,
    /// When the last agent's phone hung up.
    pub(super) agent_gone: Option<Moment>,
}

impl Counted {
    pub(super) const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    pub(super) const fn apart(&self, apart: Apart) -> Count {
        self.apart[apart as usize]
    }

    pub(super) fn saw(&mut self, subject: Subject, place: Place) {
        self.counts[subject as usize].add(place);
    }

    pub(super) fn saw_apart(&mut self, apart: Apart, place: Place) {
        self.apart[apart as usize].add(place);
    }

    /// Adds what a counter stands at.
    pub(super) const fn add(&mut self, subject: Subject, number: u32) {
        let count = &mut self.counts[subject as usize];
        count.sure = count.sure.saturating_add(number);
    }

    /// Adds what a counter stands at that explains others.
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
}

/// Ends of a talk.
pub(super) const ENDS: [Subject; 3] = [Subject::ByCaller, Subject::ByAgent, Subject::Transferred];
