//! Hold within a talk: how often and how long the agent put the caller on hold.
//!
//! Only the agent's phone counts: a caller may put the agent on hold as well.

use std::time::Duration;

use super::time::{Span, Stamp, Timing};

/// What was seen of hold in one talk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holds {
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
    pub(super) const NONE: Self = Self { times: 0, spent: None, current: None };

    pub(super) const fn is_on(&self) -> bool {
        self.current.is_some()
    }

    /// The agent pressed hold; whether that is news.
    pub(super) fn begin(&mut self, now: Occasion) -> bool {
        // A phone may send the same again, but not across a gap: it took the call back in between.
        let is_known = self.current.is_some_and(|hold| hold.session == now.session);
        if is_known {
            return false;
        }

        let is_news = self.current.is_none();
        self.times += 1;
        self.current = Some(Hold { since: now.at, session: now.session });
        is_news
    }

    /// The agent took the call back, or is with the caller again; whether that is news.  Asterisk
    /// sends an Unhold before each transfer, also where nobody was on hold.
    pub(super) fn end(&mut self, now: Occasion, timing: Timing) -> bool {
        let Some(hold) = self.current.take() else { return false };
        if let Some(length) = hold.length(now, timing) {
            self.spent = Some(self.spent.unwrap_or(Span::ZERO).plus(length));
        }
        true
    }

    /// What there was of it when the talk ended.
    pub(super) fn close(mut self, now: Occasion, timing: Timing) -> Held {
        let on_hold = self.current.is_some_and(|hold| hold.session == now.session);
        self.end(now, timing);
        let spent = self.spent.map_or(Duration::ZERO, Duration::from);
        Held { times: self.times, spent, on_hold }
    }
}

impl Hold {
    /// How long it took; `None` if that was not seen.
    fn length(&self, end: Occasion, timing: Timing) -> Option<Duration> {
        let was_seen = self.session == end.session;
        was_seen.then(|| timing.between(self.since, end.at)).flatten()
    }
}
