//! Follows one PBX: session after session, with waits in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::backoff::{Attempt, Backoff};
use super::end::End;
use super::files::Files;
use super::missing::MissingNotices;
use super::over;
use super::report::Report;
use super::session::{Progress, Session};
use super::target::Target;
use super::warnings::Warnings;
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
pub(super) async fn keep_after(
    pause: Duration,
    pbx: &Pbx,
    target: &Target,
    mut shutdown: watch::Receiver<bool>,
) {
    // What broke the task may have left a state that breaks this as well: nothing may fail before
    // the pause, or one broken PBX would keep a processor busy.
    let counted = succeeds(|| target.disconnected("internal"));
    let lost = succeeds(|| target.desynchronise());
    target.show_down("internal error".to_owned());

    tokio::select! {
        () = over(&mut shutdown) => return,
        () = sleep(pause) => {}
    }
    if !counted {
        target.disconnected("internal");
    }
    if !lost {
        target.desynchronise();
    }
    keep(pbx, target, shutdown).await;
}

/// Whether `work` ends without a panic.
fn succeeds(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_ok()
}

/// What is kept from session to session.
struct Link<'a> {
    pbx: &'a Pbx,
    target: &'a Target,
    shutdown: watch::Receiver<bool>,
    warnings: Warnings,
    files: Files,
    missing_notices: MissingNotices,
    report: Report,
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
            missing_notices: MissingNotices::default(),
            report: Report::default(),
            backoff,
        }
    }

    /// Runs a session to its end; `None` at shutdown.
    async fn session(&mut self) -> Option<Ended> {
        let Self { pbx, target, shutdown, warnings, files, missing_notices, report, .. } = self;
        let mut session = Session {
            pbx,
            target,
            warnings,
            missing_notices,
            files,
            shutdown,
            is_quiet: report.is_flapping(),
            progress: Progress::default(),
        };
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
        let Ended { end, attempt } = ended;
        let now = self.target.clock.now();
        let wait = self.backoff.wait(*attempt, now);

        let (pbx, error) = (&self.target.name, with_causes(end));
        let (is_worth_a_line, times) = self.report.failed(&error, *attempt, now);
        if is_worth_a_line {
            warn!(%pbx, error, reason = end.reason(), times, ?wait, "disconnected");
        } else {
            debug!(%pbx, error, times, ?wait, "still disconnected");
        }
        tokio::select! {
            () = over(&mut self.shutdown) => false,
            () = sleep(wait) => true,
        }
    }
}
