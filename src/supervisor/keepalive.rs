//! Pings: whether the far end still answers.
//!
//! On the PBX one thread answers actions and sends events, so a Ping without an answer means that
//! the link is dead or that events pile up in the PBX's memory.  Either way the session is better
//! ended than kept.

use std::time::Duration;

use crate::ami::id::ActionId;
use crate::clock::Moment;

/// The Pings of one session, at most one on its way.
#[derive(Debug)]
pub(super) struct Keepalive {
    interval: Duration,
    limit: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Quiet { next: Moment },
    Asked { id: ActionId, sent: Moment },
}

impl Keepalive {
    /// The first Ping is due `interval` after `now`.
    pub(super) fn new(interval: Duration, limit: Duration, now: Moment) -> Self {
        Self { interval, limit, state: State::Quiet { next: now.after(interval) } }
    }

    /// Goes by other times from `now` on.
    pub(super) fn change(&mut self, interval: Duration, limit: Duration, now: Moment) {
        self.interval = interval;
        self.limit = limit;
        if let State::Quiet { next } = &mut self.state {
            *next = now.after(interval).min(*next);
        }
    }

    /// Whether a Ping should be sent.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        matches!(self.state, State::Quiet { next } if next <= now)
    }

    /// A Ping was sent.
    pub(super) fn sent(&mut self, id: ActionId, now: Moment) {
        self.state = State::Asked { id, sent: now };
    }

    /// When the Ping was sent that this is the answer to; an unsolicited Pong changes nothing.
    pub(super) fn answered(&mut self, id: &ActionId) -> Option<Moment> {
        match &self.state {
            State::Asked { id: asked, sent } if asked == id => {
                let sent = *sent;
                self.state = State::Quiet { next: sent.after(self.interval) };
                Some(sent)
            }
            State::Asked { .. } | State::Quiet { .. } => None,
        }
    }

    /// Whether the answer should have been read by `now`.
    pub(super) fn is_overdue(&self, now: Moment) -> bool {
        matches!(self.state, State::Asked { sent, .. } if sent.after(self.limit) <= now)
    }

    /// When to look again.
    pub(super) fn next(&self) -> Moment {
        match self.state {
            State::Quiet { next } => next,
            State::Asked { sent, .. } => sent.after(self.limit),
        }
    }

    /// How long an answer may take.
    pub(super) const fn limit(&self) -> Duration {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    #[test]
    fn a_ping_is_due_every_interval_and_its_answer_within_the_limit() {
        let mut pings = Keepalive::new(Duration::from_secs(15), Duration::from_secs(10), at(0));
        assert!(!pings.is_due(at(14)) && pings.is_due(at(15)));
        pings.sent(ActionId::new(7, "Ping"), at(15));
        assert!(!pings.is_due(at(40)));
        assert!(!pings.is_overdue(at(24)) && pings.is_overdue(at(25)));
        assert_eq!(pings.answered(&ActionId::new(7, "Ping")), Some(at(15)));
        assert!(!pings.is_overdue(at(99)));
        assert_eq!(pings.next(), at(30));
    }

    #[test]
    fn a_pong_for_nothing_changes_nothing() {
        let mut pings = Keepalive::new(Duration::from_secs(15), Duration::from_secs(10), at(0));
        assert_eq!(pings.answered(&ActionId::new(7, "Ping")), None);
        pings.sent(ActionId::new(8, "Ping"), at(15));
        assert_eq!(pings.answered(&ActionId::new(7, "Ping")), None);
        assert!(pings.is_overdue(at(25)));
    }
}
