//! Where a session writes what it sees: its PBX's monitor and its place in the health page.

use std::sync::{Arc, Mutex, PoisonError};

use super::tap::Tap;
use crate::clock::Clock;
use crate::health::{Health, Phase};
use crate::metrics::{Exporter, Monitor};
use crate::pbx::PbxName;

/// The place of one PBX.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) name: PbxName,
    pub(super) index: usize,
    pub(super) exporter: Arc<Mutex<Exporter>>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
    /// Who else wants what the PBX sends.
    pub(super) tap: Option<Tap>,
}

impl Place {
    /// Works on the monitor, under the exporter's lock: keep it short.
    pub(super) fn with_monitor<T>(&self, work: impl FnOnce(&mut Monitor) -> T) -> T {
        // a panic elsewhere spoils at most one event of that PBX, never this one
        let mut exporter = self.exporter.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut exporter.monitors[self.index])
    }

    /// Shows a new phase.
    pub(super) fn show(&self, phase: Phase) {
        self.health.set(self.index, phase);
    }

    /// Shows that the link is down.
    pub(super) fn show_down(&self, error: String) {
        self.show(Phase::Down { error, since: self.clock.now() });
    }

    /// The link is gone: what was synchronised is hidden now.
    pub(super) fn hide(&self) {
        let now = self.clock.now();
        self.with_monitor(|monitor| monitor.correlator.disconnected(now, &mut monitor.recorder));
    }

    /// A session that had begun, or was refused, is over.
    pub(super) fn disconnected(&self, reason: &'static str) {
        let now = self.clock.now();
        self.with_monitor(|monitor| monitor.self_metrics.disconnected(reason, now));
    }
}
