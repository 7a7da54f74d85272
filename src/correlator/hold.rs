//! Hold within a talk: how often and how long the agent put the caller on hold.
//!
//! Only the agent's phone counts: a caller may put the agent on hold as well.

use std::time::Duration;

use super::time::{Span, Stamp, Timing};

/// What was seen of hold in one talk: nothing, in most.
#[derive(Debug)]
pub(super) struct Holds(Option<Box<Seen>>);

/// Hold that was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// How often it was seen to begin.
    times: u32,
    /// Of those that ended, as far as both ends were seen.
    spent: Option<Span>,
    /// The one that goes on.
    current: Option<Hold>,
}

/// A hold that goes on.
#[derive(Clone, Copy, Debug)]
struct Hold {
    since: Stamp,
    /// In which session that was: what happened between two of them is not known.
    session: u32,
}

/// When something happens, and in which session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    pub at: Stamp,
    pub session: u32,
}

/// All hold of a talk that ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Held {
    pub times: u32,
    pub spent: Duration,
    /// The talk ended while the caller was known to be on hold.
    pub on_hold: bool,
}

impl Holds {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn is_on(&self) -> bool {
        self.0.as_ref().is_some_and(|seen| seen.current.is_some())
    }

    /// The agent pressed hold; whether that is news.
    pub(super) fn begin(&mut self, now: Occasion) -> bool {
        let seen = self.0.get_or_insert_default();
        // A phone may send the same again, but not across a gap: it took the call back in between.
        let is_known = seen.current.is_some_and(|hold| hold.session == now.session);
        if is_known {
            return false;
        }

        let is_news = seen.current.is_none();
        seen.times += 1;
        seen.current = Some(Hold { since: now.at, session: now.session });
        is_news
    }

    /// The agent took the call back, or is with the caller again; whether that is news.  Asterisk
    /// sends an Unhold before each transfer, also where nobody was on hold.
    pub(super) fn end(&mut self, now: Occasion, timing: Timing) -> bool {
        self.0.as_mut().is_some_and(|seen| seen.end(now, timing))
    }

    /// What there was of it when the talk ended.
    pub(super) fn close(&self, now: Occasion, timing: Timing) -> Held {
        let mut seen = self.0.as_deref().copied().unwrap_or_default();
        let on_hold = seen.current.is_some_and(|hold| hold.session == now.session);
        seen.end(now, timing);
        let spent = seen.spent.map_or(Duration::ZERO, Duration::from);
        Held { times: seen.times, spent, on_hold }
    }
}

impl Seen {
    fn end(&mut self, now: Occasion, timing: Timing) -> bool {
        let Some(hold) = self.current.take() else { return false };
        if let Some(length) = hold.length(now, timing) {
            self.spent = Some(self.spent.unwrap_or(Span::ZERO).plus(length));
        }
        true
    }
}

impl Hold {
    /// How long it took; `None` if that was not seen.
    fn length(&self, end: Occasion, timing: Timing) -> Option<Duration> {
        let was_seen = self.session == end.session;
        was_seen.then(|| timing.between(self.since, end.at)).flatten()
    }
}
