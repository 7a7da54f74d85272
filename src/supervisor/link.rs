//! Follows one PBX: session after session, with waits in between.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::backoff::{Attempt, Backoff, LISTS_APART};
use super::end::End;
use super::files::Files;
use super::over;
use super::session::{Progress, Session};
use super::target::Target;
use super::warnings::Warnings;
use crate::clock::Moment;
use crate::config::Pbx;
use crate::error::with_causes;

/// Runs until shutdown.
pub(super) async fn keep(pbx: &Pbx, target: &Target, shutdown: watch::Receiver<bool>) {
    let mut link = Link::new(pbx, target, shutdown);
    while let Some(ended) = link.session().await {
        if !link.pause(&ended).await {
            return;
        }
    }
}

/// The same, but the first session has to be synchronised.
///
/// # Errors
/// Why it did not.
pub(super) async fn keep_if_it_begins(
    pbx: &Pbx,
    target: &Target,
    shutdown: watch::Receiver<bool>,
) -> Result<(), End> {
    let mut link = Link::new(pbx, target, shutdown);
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

/// Replaces a task that panicked: whatever it knew is lost.
pub(super) async fn keep_again(pbx: &Pbx, target: &Target, mut shutdown: watch::Receiver<bool>) {
    target.desynchronise();
    target.disconnected("protocol");
    target.show_down("internal error".to_owned());
    tokio::select! {
        () = over(&mut shutdown) => return,
        // The same may happen again, and should not cost the PBX a list each time.
        () = sleep(LISTS_APART) => {}
    }
    keep(pbx, target, shutdown).await;
}

/// What is kept from session to session.
struct Link<'a> {
    pbx: &'a Pbx,
    target: &'a Target,
    shutdown: watch::Receiver<bool>,
    warnings: Warnings,
    files: Files,
    failures: Failures,
    backoff: Backoff,
}

/// How a session ended without a shutdown.
struct Ended {
    end: End,
    attempt: Attempt,
}

impl<'a> Link<'a> {
    fn new(pbx: &'a Pbx, target: &'a Target, shutdown: watch::Receiver<bool>) -> Self {
        let backoff = Backoff::new(pbx.reconnect_min, pbx.reconnect_max);
        Self {
            pbx,
            target,
            shutdown,
            warnings: Warnings::default(),
            files: Files::of(pbx),
            failures: Failures::default(),
            backoff,
        }
    }

    /// Runs a session to its end; `None` at shutdown.
    async fn session(&mut self) -> Option<Ended> {
        let Self { pbx, target, shutdown, warnings, files, .. } = self;
        let mut session =
            Session { pbx, target, warnings, files, shutdown, progress: Progress::default() };
        let end = session.run().await;
        let attempt = session.attempt(&end);
        if !matches!(end, End::Shutdown) {
            return Some(Ended { end, attempt });
        }
        if !matches!(session.progress, Progress::Connecting) {
            info!(pbx = %target.name, "logged off");
        }
        None
    }

    /// Waits as long as the next session should; false at shutdown.
    async fn pause(&mut self, ended: &Ended) -> bool {
        if ended.attempt.synchronised.is_some() {
            self.failures = Failures::default();
        }
        let wait = self.backoff.wait(ended.attempt, self.target.clock.now());
        self.failures.report(self.target, &ended.end, wait);
        tokio::select! {
            () = over(&mut self.shutdown) => false,
            () = sleep(wait) => true,
        }
    }
}

/// Logs a lasting failure once, and again from time to time.
#[derive(Debug, Default)]
struct Failures {
    last: String,
    times: u64,
    /// When it was logged last.
    logged: Moment,
}

impl Failures {
    fn report(&mut self, target: &Target, end: &End, wait: Duration) {
        let error = with_causes(end);
        let pbx = &target.name;
        let times = self.count(error);
        if self.is_worth_a_line(times, target.clock.now()) {
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
        let worth = times == 1 || now.since(self.logged) >= REMINDER;
        if worth {
            self.logged = now;
        }
        worth
    }
}

/// How often a lasting failure is logged again.
const REMINDER: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_failure_is_counted_and_another_begins_anew() {
        let mut failures = Failures::default();
        let mut count = |error: &str| failures.count(error.to_owned());
        assert_eq!(
            (count("refused"), count("refused"), count("silent"), count("refused")),
            (1, 2, 1, 1)
        );
    }

    #[test]
    fn a_lasting_failure_is_logged_again_after_ten_minutes() {
        let mut failures = Failures::default();
        let mut logged = |times, second| failures.is_worth_a_line(times, Moment::from_secs(second));
        assert_eq!(
            [logged(1, 1000), logged(2, 1599), logged(3, 1600), logged(4, 1601)],
            [true, false, true, false]
        );
    }
}
