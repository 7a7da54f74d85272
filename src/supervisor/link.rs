//! Follows one PBX: session after session, with waits in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until};
use tracing::{debug, info, warn};

use super::backoff::{Attempt, Backoff};
use super::control::{Asked, Control};
use super::end::End;
use super::endpoint_lists::EndpointLists;
use super::files::Files;
use super::missing::MissingNotices;
use super::report::Report;
use super::session::{Progress, Session};
use super::target::Target;
use super::warnings::Warnings;
use crate::clock::Moment;
use crate::config::Pbx;
use crate::error::with_causes;

/// Runs until shutdown.
pub(super) async fn keep(target: &Target, control: Control) {
    let mut link = Link::new(target, control);
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
pub(super) async fn keep_if_it_begins(target: &Target, control: Control) -> Result<(), End> {
    let mut link = Link::new(target, control);
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
pub(super) async fn keep_after(pause: Duration, target: &Target, mut control: Control) {
    // What broke the task may have left a state that breaks this as well: nothing may fail before
    // the pause, or one broken PBX would keep a processor busy.
    let counted = succeeds(|| target.disconnected("internal"));
    let lost = succeeds(|| target.desynchronise(None));
    target.show_down("internal error".to_owned());

    tokio::select! {
        () = control.stopped() => return,
        () = sleep(pause) => {}
    }
    if !counted {
        target.disconnected("internal");
    }
    if !lost {
        target.desynchronise(None);
    }
    keep(target, control).await;
}

/// Whether `work` ends without a panic.
fn succeeds(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_ok()
}

/// What is kept from session to session.
struct Link<'a> {
    /// The configuration of the last session.
    pbx: Arc<Pbx>,
    target: &'a Target,
    control: Control,
    warnings: Warnings,
    files: Files,
    missing_notices: MissingNotices,
    endpoint_lists: EndpointLists,
    report: Report,
    backoff: Backoff,
}

/// How a session ended without a shutdown.
struct Ended {
    end: End,
    attempt: Attempt,
}

impl<'a> Link<'a> {
    fn new(target: &'a Target, control: Control) -> Self {
        let pbx = control.pbx();
        let backoff = Backoff::new(pbx.reconnect_min, pbx.reconnect_max);
        Self {
            target,
            control,
            warnings: Warnings::default(),
            files: Files::of(&pbx),
            missing_notices: MissingNotices::default(),
            endpoint_lists: EndpointLists::default(),
            report: Report::default(),
            backoff,
            pbx,
        }
    }

    /// Runs a session to its end, by the configuration of now; `None` at shutdown.
    async fn session(&mut self) -> Option<Ended> {
        self.change(self.control.pbx());
        let Self { pbx, target, control, warnings, files, report, .. } = self;
        let mut session = Session {
            pbx,
            target,
            warnings,
            missing_notices: &mut self.missing_notices,
            endpoint_lists: &mut self.endpoint_lists,
            files,
            control,
            is_quiet: report.is_flapping(),
            progress: Progress::default(),
            heard: Moment::EPOCH,
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

    fn change(&mut self, pbx: Arc<Pbx>) {
        if Arc::ptr_eq(&self.pbx, &pbx) {
            return;
        }
        // Its files were read with the configuration.
        self.files = Files::of(&pbx);
        self.backoff = self.backoff.within(pbx.reconnect_min, pbx.reconnect_max);
        self.pbx = pbx;
    }

    /// Waits as long as the next session should; false at shutdown.
    async fn pause(&mut self, ended: &Ended) -> bool {
        let Ended { end, attempt } = ended;
        let now = self.target.clock.now();
        let wait = match end {
            // Somebody has asked for it: that is no failure.
            End::Changed => self.backoff.wait_to_change(*attempt, now),
            _ => self.backoff.wait(*attempt, now),
        };
        self.report(ended, wait, now);

        let clock = &self.target.clock;
        let mut timer = pin!(sleep_until(clock.instant(now.after(wait))));
        loop {
            tokio::select! {
                () = &mut timer => return true,
                asked = self.control.asked() => match asked {
                    Asked::Stop => return false,
                    // What failed by the old configuration may not fail by the new one.
                    Asked::Change if self.pbx.logs_in_otherwise(&self.control.pbx()) => {
                        let wait = self.backoff.wait_to_change(*attempt, now);
                        let due = clock.instant(now.after(wait));
                        let due = timer.deadline().min(due);
                        timer.as_mut().reset(due);
                    }
                    Asked::Change => {}
                },
            }
        }
    }

    /// Logs the end, unless the log has it already.
    fn report(&mut self, Ended { end, attempt }: &Ended, wait: Duration, now: Moment) {
        let (pbx, error) = (&self.target.name, with_causes(end));
        if matches!(end, End::Changed) {
            info!(%pbx, ?wait, "{error}");
            return;
        }
        let (is_worth_a_line, times) = self.report.failed(&error, *attempt, now);
        if is_worth_a_line {
            warn!(%pbx, error, reason = end.reason(), times, ?wait, "disconnected");
        } else {
            debug!(%pbx, error, times, ?wait, "still disconnected");
        }
    }
}
