//! Where the sessions of a PBX write: its monitor, and its entry in the health page.

use std::sync::{Arc, Mutex, PoisonError};

use super::tap::Tap;
use crate::clock::Clock;
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
        // A panic elsewhere spoils at most one event of that PBX, never this one.
        let mut exporter = self.exporter.lock().unwrap_or_else(PoisonError::into_inner);
        exporter.pass(self.clock.now());
        work(&mut exporter.monitors[self.index])
    }

    /// Shows a new phase.
    pub(super) fn show(&self, phase: Phase) {
        self.health.set(self.index, phase);
    }

    /// Shows that the PBX is disconnected.
    pub(super) fn show_down(&self, error: String) {
        self.show(Phase::Down { error, since: self.clock.now() });
    }

    /// The connection is lost: what was synchronised is not any more.
    pub(super) fn desynchronise(&self) {
        let now = self.clock.now();
        self.with_monitor(|monitor| monitor.correlator.disconnected(now, &mut monitor.recorder));
    }

    /// A session that had begun, or was refused, is over.
    pub(super) fn disconnected(&self, reason: &'static str) {
        let now = self.clock.now();
        self.with_monitor(|monitor| monitor.self_metrics.disconnected(reason, now));
    }
}
