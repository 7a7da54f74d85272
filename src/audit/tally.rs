//! What each side says of one queue, or of one call in it.

use std::time::Duration;

use super::subject::{Apart, Subject};
use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::Verb;

/// A number, and what may be added to it: what lies at an edge of the window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    pub sure: u32,
    pub edge: u32,
}

impl Count {
    pub const fn all(self) -> u32 {
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
}

/// Seconds, and of how many calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Length {
    pub sum: f64,
    pub of: u32,
}

impl Length {
    fn add(&mut self, length: Duration) {
        self.sum += length.as_secs_f64();
        self.of = self.of.saturating_add(1);
    }
}

/// What queue_log says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said {
    counts: [Count; Subject::ALL.len()],
    /// Inside the window, and at its edges.
    pub hold: [Length; 2],
    pub talk: [Length; 2],
    /// When the last talk ended.
    pub talked_until: Option<Moment>,
}

impl Said {
    pub const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    /// One line; false if it says nothing that is compared.
    pub fn line(&mut self, at: Moment, verb: Verb<'_>, place: Place) -> bool {
        let Some((subject, length)) = subject(verb) else { return false };
        self.counts[subject as usize].add(place);
        let part = usize::from(place == Place::Edge);
        match (length, subject) {
            (_, _) if place == Place::Outside => {}
            (Some(hold), Subject::Answered) => self.hold[part].add(hold),
            (Some(talk), _) => {
                self.talk[part].add(talk);
                self.talked_until = Some(at);
            }
            (None, _) => {}
        }
        true
    }
}

fn subject(verb: Verb<'_>) -> Option<(Subject, Option<Duration>)> {
    Some(match verb {
        Verb::Entered => (Subject::Entered, None),
        Verb::Connected { hold } => (Subject::Answered, Some(hold)),
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
pub struct Counted {
    counts: [Count; Subject::ALL.len()],
    apart: [Count; Apart::ALL.len()],
    pub hold: Length,
    pub talk: Length,
    /// When the last agent's phone hung up.
    pub agent_gone: Option<Moment>,
}

impl Counted {
    pub const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    pub const fn apart(&self, apart: Apart) -> Count {
        self.apart[apart as usize]
    }

    pub fn saw(&mut self, subject: Subject, place: Place) {
        self.counts[subject as usize].add(place);
    }

    pub fn saw_apart(&mut self, apart: Apart, place: Place) {
        self.apart[apart as usize].add(place);
    }

    /// Adds what a counter stands at.
    pub const fn add(&mut self, subject: Subject, number: u32) {
        let count = &mut self.counts[subject as usize];
        count.sure = count.sure.saturating_add(number);
    }

    /// Adds what a counter stands at that explains others.
    pub const fn add_apart(&mut self, apart: Apart, number: u32) {
        let count = &mut self.apart[apart as usize];
        count.sure = count.sure.saturating_add(number);
    }

    pub fn held(&mut self, hold: Duration) {
        self.hold.add(hold);
    }

    pub fn talked(&mut self, talk: Duration) {
        self.talk.add(talk);
    }
}
