//! Where the sessions of a PBX write: its monitor, and its entry in the health page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::time::{MissedTickBehavior, interval};

use super::aside::aside;
use super::tap::Tap;
use crate::clock::{Clock, Moment};
use crate::health::{Health, Phase};
use crate::metrics::{Exporter, Monitor};
use crate::pbx::PbxName;

/// Where the sessions of one PBX write.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) name: PbxName,
    pub(super) index: usize,
    pub(super) exporter: Arc<Mutex<Exporter>>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
    /// What else takes what the PBX sends.
    pub(super) tap: Option<Tap>,
}

impl Target {
    /// Works on the monitor, under the exporter's lock: keep it short.
    pub(super) fn with_monitor<T>(&self, work: impl FnOnce(&mut Monitor) -> T) -> T {
        let mut exporter = self.lock();
        exporter.pass(self.clock.now());
        work(&mut exporter.monitors[self.index])
    }

    /// The same for work that grows with the PBX; the sockets are read meanwhile.
    pub(super) fn with_monitor_for_long<T>(&self, work: impl FnOnce(&mut Monitor) -> T) -> T {
        aside(|| self.with_monitor(work))
    }

    /// A panic elsewhere spoils at most one event of that PBX, never this one.
    fn lock(&self) -> MutexGuard<'_, Exporter> {
        match self.exporter.try_lock() {
            Ok(exporter) => exporter,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // A scrape copies its numbers, or a list of another PBX is applied.
            Err(TryLockError::WouldBlock) => {
                aside(|| self.exporter.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// Gives signs of life for ever.  Whoever waits for this in one task with something else shows
    /// by it that the other one does not keep the task from moving.
    pub(super) async fn give_signs_of_life(&self) {
        let mut signs = interval(self.health.signs_every());
        signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            signs.tick().await;
            self.health.sign_of_life(self.index, self.clock.now());
        }
    }

    /// Shows a new phase.
    pub(super) fn show(&self, phase: Phase) {
        self.health.set(self.index, phase);
    }

    /// Shows that the PBX is disconnected.
    pub(super) fn show_down(&self, error: String) {
        self.show(Phase::Down { error, since: self.clock.now() });
    }

    /// The connection is lost: what was synchronised is not any more.  If a log will tell of the gap,
    /// that was heard last.
    pub(super) fn desynchronise(&self, heard: Option<Moment>) {
        let now = self.clock.now();
        self.with_monitor_for_long(|monitor| {
            if let Some(heard) = heard {
                monitor.correlator.heard(heard);
            }
            monitor.correlator.disconnected(now, &mut monitor.recorder);
        });
    }

    /// A session that had begun, or was refused, is over.
    pub(super) fn disconnected(&self, reason: &'static str) {
        let now = self.clock.now();
        self.with_monitor(|monitor| monitor.self_metrics.disconnected(reason, now));
    }
}
