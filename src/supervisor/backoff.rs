//! How long to wait before the next attempt.
//!
//! Exponential, with the length drawn at random between the shortest and the current longest wait,
//! so that many exporters do not come back at once; it never gives up.

use std::time::Duration;

use crate::clock::Moment;

/// What the wait depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempt {
    /// The PBX refused the login: repeating it soon fills its log and may trip fail2ban.
    pub refused: bool,
    /// When its lists were asked for, if they were.
    pub listed: Option<Moment>,
    /// When the session was synchronised, if it was.
    pub synchronised: Option<Moment>,
}

/// The waits of one PBX.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    shortest: Duration,
    longest: Duration,
    /// Attempts since the last session that lasted.
    failures: u32,
    /// How many of them had asked for lists.
    listings: u32,
}

impl Backoff {
    /// Waits between `shortest` and `longest`.
    pub(super) fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest: longest.max(shortest), failures: 0, listings: 0 }
    }

    /// The same with other bounds; what was counted goes on.
    pub(super) fn within(self, shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest: longest.max(shortest), ..self }
    }

    /// How long to wait after `attempt` for one by another configuration: only lists stay apart.
    pub(super) fn wait_to_change(&mut self, attempt: Attempt, now: Moment) -> Duration {
        self.note_lasting(attempt, now);
        self.failures = 0;
        attempt.listed.map_or(Duration::ZERO, |listed| self.until_next_list(listed, now))
    }

    /// How long to wait after `attempt`, which ended `now`.
    pub(super) fn wait(&mut self, attempt: Attempt, now: Moment) -> Duration {
        self.note_lasting(attempt, now);
        self.failures = self.failures.saturating_add(1);
        let (shortest, longest) = if attempt.refused {
            (REFUSED_SHORTEST, REFUSED_LONGEST)
        } else {
            (self.shortest, self.longest)
        };
        let wait = draw(shortest, longest, self.failures);

        // A session that got as far as its lists has cost the PBX something.
        match attempt.listed {
            Some(listed) => wait.max(self.until_next_list(listed, now)),
            None => wait,
        }
    }

    fn note_lasting(&mut self, attempt: Attempt, now: Moment) {
        if attempt.synchronised.is_some_and(|moment| now.since(moment) >= LASTING) {
            self.failures = 0;
            self.listings = 0;
        }
    }

    /// The first of a row of short sessions may be followed at once: most are a restart.  From the
    /// second on, the lists stay apart as in a session.
    fn until_next_list(&mut self, listed: Moment, now: Moment) -> Duration {
        self.listings = self.listings.saturating_add(1);
        if self.listings == 1 {
            return Duration::ZERO;
        }
        LISTS_APART.saturating_sub(now.since(listed))
    }
}

/// Somewhere between `shortest` and `shortest` doubled `failures` times, `longest` at most.
fn draw(shortest: Duration, longest: Duration, failures: u32) -> Duration {
    let doubled = shortest.saturating_mul(2_u32.saturating_pow(failures));
    let span = doubled.min(longest).saturating_sub(shortest);
    shortest + span.mul_f64(fastrand::f64())
}

/// Lists are a burst of work for a PBX with thousands of channels: no two of them closer than this.
pub(super) const LISTS_APART: Duration = Duration::from_secs(30);

/// A session that was synchronised for so long ends a row of failures.
pub(super) const LASTING: Duration = Duration::from_secs(60);

const REFUSED_SHORTEST: Duration = Duration::from_secs(30);
const REFUSED_LONGEST: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = Duration::from_secs(20);

    fn unreachable() -> Attempt {
        Attempt::default()
    }

    fn short_session(at: u64) -> Attempt {
        let moment = Some(Moment::from_secs(at));
        Attempt { listed: moment, synchronised: moment, ..Attempt::default() }
    }

    #[test]
    fn waits_grow_within_their_bounds_and_never_end() {
        let mut backoff = Backoff::new(MIN, MAX);
        for failure in 1..200_u32 {
            let wait = backoff.wait(unreachable(), Moment::from_secs(0));
            let most = MAX.min(MIN * 2_u32.saturating_pow(failure.min(10)));
            assert!(MIN <= wait && wait <= most, "{failure}: {wait:?}");
        }
    }

    #[test]
    fn a_refused_login_is_tried_again_slowly() {
        let mut backoff = Backoff::new(MIN, MAX);
        for _ in 0..20 {
            let wait =
                backoff.wait(Attempt { refused: true, ..Attempt::default() }, Moment::from_secs(0));
            assert!((REFUSED_SHORTEST..=REFUSED_LONGEST).contains(&wait), "{wait:?}");
        }
    }

    #[test]
    fn a_session_that_lasted_begins_a_new_row() {
        let mut backoff = Backoff::new(MIN, MAX);
        for _ in 0..10 {
            backoff.wait(unreachable(), Moment::from_secs(0));
        }
        assert!(backoff.wait(short_session(100), Moment::from_secs(160)) <= MIN * 2);
    }

    #[test]
    fn another_configuration_is_tried_at_once_but_lists_stay_apart() {
        let mut backoff = Backoff::new(MIN, MAX);
        let seconds = |backoff: &mut Backoff, attempt, now| {
            backoff.wait_to_change(attempt, Moment::from_secs(now)).as_secs()
        };
        backoff.wait(unreachable(), Moment::from_secs(0));
        assert_eq!(seconds(&mut backoff, unreachable(), 50), 0);
        assert_eq!(seconds(&mut backoff, short_session(100), 105), 0);
        assert_eq!(seconds(&mut backoff, short_session(107), 110), 27);
        assert_eq!(seconds(&mut backoff, short_session(200), 260), 0, "one that lasted");
        assert!(backoff.wait(unreachable(), Moment::from_secs(261)) <= MIN * 2);
    }

    #[test]
    fn only_the_first_short_session_is_followed_at_once() {
        let mut backoff = Backoff::new(MIN, MAX);
        assert!(backoff.wait(short_session(100), Moment::from_secs(105)) <= MIN * 2);
        assert!(
            backoff.wait(short_session(107), Moment::from_secs(110)) >= Duration::from_secs(27)
        );
        assert!(
            backoff.wait(short_session(140), Moment::from_secs(145)) >= Duration::from_secs(25)
        );
    }
}
