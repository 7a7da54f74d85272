//! What each side says of one queue, or of one call in it.

use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use super::subject::{Apart, Subject};
use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

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
        self.merge(Self { sum: length.as_secs_f64(), of: 1 });
    }

    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.of = self.of.saturating_add(other.of);
    }
}

/// What queue_log says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    counts: [Count; Subject::ALL.len()],
    /// Lines that may have been written while the exporter could not see.
    hidden: [u32; Subject::ALL.len()],
    /// UNPAUSE lines that Asterisk adds by itself.
    auto_unpaused: u32,
    /// Lines that say once more what another said.
    again: [u32; Subject::ALL.len()],
    /// Those of them that end a talk, by the end that was said first and the one that was said
    /// then.
    ends_again: [[u32; ENDS.len()]; ENDS.len()],
    /// Inside the window, and at its edges.
    pub(super) hold: [Length; 2],
    pub(super) talk: [Length; 2],
    /// The longest of one line: a call explains no more than that.
    pub(super) longest_hold: f64,
    pub(super) longest_talk: f64,
    /// When the last talk ended.
    pub(super) talked_until: Option<Moment>,
    /// Who talked: the last line about an agent who answered or talked.
    pub(super) agent: Option<u64>,
    /// From the first line to the last.
    pub(super) span: Option<Span>,
}

impl Said {
    pub(super) const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    /// How many of its lines may have been written while the exporter could not see.
    pub(super) const fn hidden(&self, subject: Subject) -> u32 {
        self.hidden[subject as usize]
    }

    /// How many UNPAUSE lines nobody asked for.
    pub(super) const fn auto_unpaused(&self) -> u32 {
        self.auto_unpaused
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
        let numbers =
            self.again.iter_mut().zip(other.again).chain(self.hidden.iter_mut().zip(other.hidden));
        numbers.for_each(|(sum, number)| *sum = sum.saturating_add(number));
        self.auto_unpaused = self.auto_unpaused.saturating_add(other.auto_unpaused);
        for (sum, number) in
            self.ends_again.iter_mut().flatten().zip(other.ends_again.iter().flatten())
        {
            *sum = sum.saturating_add(*number);
        }
        self.longest_hold = self.longest_hold.max(other.longest_hold);
        self.longest_talk = self.longest_talk.max(other.longest_talk);
        for (sum, length) in
            self.hold.iter_mut().chain(&mut self.talk).zip(other.hold.iter().chain(&other.talk))
        {
            sum.merge(*length);
        }
        self.talked_until = self.talked_until.max(other.talked_until);
        self.agent = self.agent.or(other.agent);
        self.span = Span::both(self.span, other.span);
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

    /// One line, and whether the exporter could not see it written; false if it says nothing that
    /// is compared.
    pub(super) fn line(&mut self, line: &Line<'_>, place: Place, hidden: bool) -> bool {
        if place == Place::Outside {
            return subject(line.verb).is_some();
        }
        self.span = Span::both(self.span, Some(Span::at(line.at)));
        if line.verb == Verb::AutoUnpaused {
            self.auto_unpaused = self.auto_unpaused.saturating_add(1);
            return true;
        }
        let Some((subject, length)) = subject(line.verb) else { return false };
        self.counts[subject as usize].add(place);
        self.hidden[subject as usize] = self.hidden[subject as usize].saturating_add(hidden.into());

        let Some(length) = length else { return true };
        self.agent = Some(hash(line.agent));
        let part = usize::from(place == Place::Edge);
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

/// Names are only compared.
fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name);
    hasher.finish()
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
        Verb::AutoUnpaused | Verb::Other(_) => return None,
    })
}

/// What the exporter counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    counts: [Count; Subject::ALL.len()],
    apart: [Count; Apart::ALL.len()],
    /// Those of them that were lost in plain sight.
    lost_in_sight: [u32; Apart::ALL.len()],
    pub(super) hold: Length,
    pub(super) talk: Length,
    /// When the last agent's phone hung up.
    pub(super) agent_gone: Option<Moment>,
    /// When the caller was put into a parking lot, out of the last talk.
    pub(super) caller_parked: Option<Moment>,
    /// From the first of it to the last, where a recording tells.
    pub(super) span: Option<Span>,
}

impl Counted {
    pub(super) const fn count(&self, subject: Subject) -> Count {
        self.counts[subject as usize]
    }

    pub(super) const fn apart(&self, apart: Apart) -> Count {
        self.apart[apart as usize]
    }

    /// How many of what is lost were in sight all the time: nothing excuses them.
    pub(super) const fn lost_in_sight(&self, apart: Apart) -> u32 {
        self.lost_in_sight[apart as usize]
    }

    /// What is lost was in sight all the time.
    pub(super) const fn lose_in_sight(&mut self, apart: Apart, number: u32) {
        let lost = &mut self.lost_in_sight[apart as usize];
        *lost = lost.saturating_add(number);
    }

    /// The exporter could see all the time.
    pub(super) fn lose_all_in_sight(&mut self) {
        for apart in [Apart::WaitLost, Apart::EndLost, Apart::RingLost] {
            self.lost_in_sight[apart as usize] = self.apart(apart).all();
        }
    }

    /// Adds what was counted of the same call under another Uniqueid.
    pub(super) fn merge(&mut self, other: &Self) {
        let counts =
            self.counts.iter_mut().zip(other.counts).chain(self.apart.iter_mut().zip(other.apart));
        for (sum, count) in counts {
            sum.sure = sum.sure.saturating_add(count.sure);
            sum.edge = sum.edge.saturating_add(count.edge);
        }
        for apart in Apart::ALL {
            self.lose_in_sight(apart, other.lost_in_sight(apart));
        }
        self.hold.merge(other.hold);
        self.talk.merge(other.talk);
        self.agent_gone = self.agent_gone.max(other.agent_gone);
        self.caller_parked = self.caller_parked.or(other.caller_parked);
        self.span = Span::both(self.span, other.span);
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
