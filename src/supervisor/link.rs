//! Keeps the link to one PBX: session after session, with waits in between.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::backoff::{Attempt, Backoff, LISTS_APART};
use super::end::End;
use super::hints::Hints;
use super::over;
use super::place::Place;
use super::session::{Progress, Session};
use crate::clock::Moment;
use crate::config::Pbx;
use crate::error::with_causes;

/// Runs until shutdown.
pub(super) async fn keep(pbx: &Pbx, place: &Place, shutdown: watch::Receiver<bool>) {
    let mut link = Link::new(pbx, place, shutdown);
    while let Some(ended) = link.session().await {
        if !link.pause(&ended).await {
            return;
        }
    }
}

/// The same, but the first session has to come to be.
///
/// # Errors
/// Why it did not.
pub(super) async fn keep_if_it_begins(
    pbx: &Pbx,
    place: &Place,
    shutdown: watch::Receiver<bool>,
) -> Result<(), End> {
    let mut link = Link::new(pbx, place, shutdown);
    let mut begun = false;
    while let Some(ended) = link.session().await {
        begun |= ended.attempt.synchronised.is_some();
        if !begun {
            return Err(ended.end);
        }
        if !link.pause(&ended).await {
            break;
        }
    }
    Ok(())
}

/// Takes the place of a task that broke: whatever it had is gone.
pub(super) async fn keep_again(pbx: &Pbx, place: &Place, mut shutdown: watch::Receiver<bool>) {
    place.hide();
    place.disconnected("protocol");
    place.show_down("internal error".to_owned());
    tokio::select! {
        () = over(&mut shutdown) => return,
        // what broke it may do so again: the PBX should not pay for it with lists
        () = sleep(LISTS_APART) => {}
    }
    keep(pbx, place, shutdown).await;
}

/// What goes on from session to session.
struct Link<'a> {
    pbx: &'a Pbx,
    place: &'a Place,
    shutdown: watch::Receiver<bool>,
    hints: Hints,
    troubles: Troubles,
    backoff: Backoff,
}

/// How a session ended that nobody asked to.
struct Ended {
    end: End,
    attempt: Attempt,
}

impl<'a> Link<'a> {
    fn new(pbx: &'a Pbx, place: &'a Place, shutdown: watch::Receiver<bool>) -> Self {
        let backoff = Backoff::new(pbx.reconnect_min, pbx.reconnect_max);
        Self {
            pbx,
            place,
            shutdown,
            hints: Hints::default(),
            troubles: Troubles::default(),
            backoff,
        }
    }

    /// Runs a session to its end; `None` at shutdown.
    async fn session(&mut self) -> Option<Ended> {
        let Self { pbx, place, shutdown, hints, .. } = self;
        let mut session = Session { pbx, place, hints, shutdown, progress: Progress::default() };
        let end = session.run().await;
        let attempt = session.attempt(&end);
        if !matches!(end, End::Shutdown) {
            return Some(Ended { end, attempt });
        }
        if !matches!(session.progress, Progress::Outside) {
            info!(pbx = %place.name, "logged off");
        }
        None
    }

    /// Waits as long as the next session should; false at shutdown.
    async fn pause(&mut self, ended: &Ended) -> bool {
        if ended.attempt.synchronised.is_some() {
            self.troubles = Troubles::default();
        }
        let wait = self.backoff.wait(ended.attempt, self.place.clock.now());
        self.troubles.report(self.place, &ended.end, wait);
        tokio::select! {
            () = over(&mut self.shutdown) => false,
            () = sleep(wait) => true,
        }
    }
}

/// The same trouble again and again is worth one line, and one more from time to time.
#[derive(Debug, Default)]
struct Troubles {
    last: String,
    times: u64,
    /// When a line was last worth it.
    told: Moment,
}

impl Troubles {
    fn report(&mut self, place: &Place, end: &End, wait: Duration) {
        let error = with_causes(end);
        let (pbx, times) = (&place.name, self.count(error));
        if self.is_worth_a_line(times, place.clock.now()) {
            warn!(%pbx, error = self.last, reason = end.reason(), times, ?wait, "disconnected");
        } else {
            debug!(%pbx, error = self.last, times, ?wait, "still disconnected");
        }
    }

    /// How often this error came in a row.
    fn count(&mut self, error: String) -> u64 {
        if error != self.last {
            self.last = error;
            self.times = 0;
        }
        self.times += 1;
        self.times
    }

    fn is_worth_a_line(&mut self, times: u64, now: Moment) -> bool {
        let worth = times == 1 || now.since(self.told) >= REMINDER;
        if worth {
            self.told = now;
        }
        worth
    }
}

/// How often a lasting outage is told again.
const REMINDER: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_counted_and_another_begins_anew() {
        let mut troubles = Troubles::default();
        let mut count = |error: &str| troubles.count(error.to_owned());
        assert_eq!(
            (count("refused"), count("refused"), count("silent"), count("refused")),
            (1, 2, 1, 1)
        );
    }

    #[test]
    fn a_lasting_trouble_is_told_again_after_ten_minutes() {
        let mut troubles = Troubles::default();
        let mut told = |times, second| troubles.is_worth_a_line(times, Moment::from_secs(second));
        assert_eq!(
            [told(1, 1000), told(2, 1599), told(3, 1600), told(4, 1601)],
            [true, false, true, false]
        );
    }
}
