//! The side of queue_log.

use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use super::subject::{Position, Subject};
use super::tally::{Count, ENDS, Length, Places, Span};
use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

/// The lines of one queue, or of one call in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Logged {
    counts: [Count; Subject::ALL.len()],
    /// Lines that may have been written while the exporter was not synchronised.
    hidden: [u32; Subject::ALL.len()],
    /// UNPAUSE lines that Asterisk adds by itself.
    auto_unpaused: u32,
    /// Lines that repeat what another line says.
    duplicates: [u32; Subject::ALL.len()],
    /// Those of them that end a talk, by the end in the first line and the end in the second.
    double_ends: [[u32; ENDS.len()]; ENDS.len()],
    /// Inside the window, and at its edges.
    pub(super) hold: [Length; 2],
    pub(super) talk: [Length; 2],
    positions: [[Places; 2]; Position::ALL.len()],
    /// The longest of one line: a call explains no more than that.
    pub(super) longest_hold: f64,
    pub(super) longest_talk: f64,
    /// When the last talk ended.
    pub(super) talked_until: Option<Moment>,
    /// The agent of the last line of an answer or a talk, as a hash: names are only compared.
    pub(super) agent: Option<u64>,
    /// From the first line to the last.
    pub(super) span: Option<Span>,
}

impl Logged {
    pub(super) const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    /// How many of its lines may have been written while the exporter was not synchronised.
    pub(super) const fn hidden(&self, subject: Subject) -> u32 {
        self.hidden[subject as usize]
    }

    /// Places of callers: in lines inside the window, and at its edges.
    pub(super) const fn positions(&self, at: Position) -> [Places; 2] {
        self.positions[at as usize]
    }

    /// How many UNPAUSE lines Asterisk added by itself.
    pub(super) const fn auto_unpaused(&self) -> u32 {
        self.auto_unpaused
    }

    /// How many of its lines repeat another.
    pub(super) const fn duplicates(&self, subject: Subject) -> u32 {
        self.duplicates[subject as usize]
    }

    /// How many talks have a line with one end, and then a line with the other.
    pub(super) fn double_ends(&self, first: Subject, then: Subject) -> u32 {
        place(first).zip(place(then)).map_or(0, |(first, then)| self.double_ends[first][then])
    }

    /// Adds the lines of another queue or call.
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            sum.merge(count);
        }
        add_each(&mut self.hidden, &other.hidden);
        self.auto_unpaused = self.auto_unpaused.saturating_add(other.auto_unpaused);
        add_each(&mut self.duplicates, &other.duplicates);
        for (sum, numbers) in self.double_ends.iter_mut().zip(&other.double_ends) {
            add_each(sum, numbers);
        }

        for (sum, length) in self.hold.iter_mut().zip(other.hold) {
            sum.merge(length);
        }
        for (sum, length) in self.talk.iter_mut().zip(other.talk) {
            sum.merge(length);
        }
        let positions = self.positions.as_flattened_mut().iter_mut();
        for (sum, places) in positions.zip(other.positions.as_flattened()) {
            sum.merge(*places);
        }
        self.longest_hold = self.longest_hold.max(other.longest_hold);
        self.longest_talk = self.longest_talk.max(other.longest_talk);

        self.talked_until = self.talked_until.max(other.talked_until);
        self.agent = self.agent.or(other.agent);
        self.span = Span::both(self.span, other.span);
    }

    /// Takes a line that ends a talk by `then`, after one that ended it by `first`.
    pub(super) fn add_duplicate_end(&mut self, first: Subject, then: Subject) {
        self.duplicates[then as usize] = self.duplicates[then as usize].saturating_add(1);
        if let Some((first, then)) = place(first).zip(place(then)) {
            self.double_ends[first][then] = self.double_ends[first][then].saturating_add(1);
        }
    }

    /// Takes back a RINGNOANSWER of an agent who answered that ring attempt after all.
    pub(super) fn add_duplicate_ring(&mut self, place: Place) {
        let rang = Subject::RingNoAnswer as usize;
        self.counts[rang].take_back(place);
        self.duplicates[rang] = self.duplicates[rang].saturating_add(1);
    }

    /// Takes one line; `hidden`: it may have been written while the exporter was not synchronised.
    /// Returns whether it is of a kind that is compared.
    pub(super) fn line(&mut self, line: &Line<'_>, place: Place, hidden: bool) -> bool {
        if place == Place::Outside {
            return subject(line.verb).is_some();
        }

        self.span = Span::both(self.span, Some(Span::at(line.at)));

        // Asterisk sends no event for it, so it is compared with nothing.
        if line.verb == Verb::AutoUnpaused {
            self.auto_unpaused = self.auto_unpaused.saturating_add(1);
            return true;
        }

        let Some((subject, length)) = subject(line.verb) else { return false };
        self.counts[subject as usize].add(place);
        self.hidden[subject as usize] = self.hidden[subject as usize].saturating_add(hidden.into());

        let part = usize::from(place == Place::Edge);
        if let Some((at, position)) = position(line.verb) {
            self.positions[at as usize][part].add(position);
        }
        let Some(length) = length else { return true };
        self.agent = Some(hash(line.agent));
        if subject == Subject::Answered {
            self.hold[part].add(length);
            self.longest_hold = self.longest_hold.max(length.as_secs_f64());
        } else {
            self.talk[part].add(length);
            self.longest_talk = self.longest_talk.max(length.as_secs_f64());
            self.talked_until = Some(line.at);
        }
        true
    }
}

fn add_each(sums: &mut [u32], numbers: &[u32]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum = sum.saturating_add(*number);
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name);
    hasher.finish()
}

/// Its place among the ends of a talk.
fn place(end: Subject) -> Option<usize> {
    ENDS.iter().position(|&it| it == end)
}

/// The place in the queue that a line has.
fn position(verb: Verb<'_>) -> Option<(Position, u32)> {
    match verb {
        Verb::Entered { position } => position.map(|position| (Position::Entry, position)),
        Verb::Abandoned { position } => position.map(|position| (Position::Abandon, position)),
        _ => None,
    }
}

/// What a verb stands for, and the seconds in its line.
pub(super) fn subject(verb: Verb<'_>) -> Option<(Subject, Option<Duration>)> {
    Some(match verb {
        Verb::Entered { .. } => (Subject::Entered, None),
        Verb::Connected { hold, .. } => (Subject::Answered, Some(hold)),
        Verb::Abandoned { .. } => (Subject::Abandoned, None),
        Verb::TimedOut => (Subject::Timeout, None),
        Verb::LeftEmpty => (Subject::LeaveEmpty, None),
        Verb::Withdrawn => (Subject::Withdrawn, None),
        Verb::PressedKey => (Subject::ExitKey, None),
        Verb::Incompatible => (Subject::Incompatible, None),
        Verb::CompletedByCaller { talk } => (Subject::ByCaller, Some(talk)),
        Verb::CompletedByAgent { talk } => (Subject::ByAgent, Some(talk)),
        Verb::Transferred { talk } => (Subject::Transferred, talk),
        Verb::RingNoAnswer => (Subject::RingNoAnswer, None),
        Verb::AgentDumped => (Subject::AgentDump, None),
        Verb::Paused => (Subject::Paused, None),
        Verb::Unpaused => (Subject::Unpaused, None),
        Verb::AutoUnpaused | Verb::Other(_) => return None,
    })
}
