//! Where a session writes what it sees: its PBX's place on the board and in the health page.

use std::sync::{Arc, Mutex, PoisonError};

use super::tap::Tap;
use crate::clock::Clock;
use crate::health::{Health, Phase};
use crate::metrics::{Board, Desk};
use crate::pbx::PbxName;

/// The place of one PBX.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) name: PbxName,
    pub(super) index: usize,
    pub(super) board: Arc<Mutex<Board>>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
    /// Who else wants what the PBX sends.
    pub(super) tap: Option<Tap>,
}

impl Place {
    /// Works at the desk, under the board's lock: keep it short.
    pub(super) fn at_desk<T>(&self, work: impl FnOnce(&mut Desk) -> T) -> T {
        // a panic elsewhere spoils at most one event of that PBX, never this one
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut board.desks[self.index])
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
        self.at_desk(|desk| desk.correlator.disconnected(now, &mut desk.recorder));
    }

    /// A session that had begun, or was refused, is over.
    pub(super) fn disconnected(&self, reason: &'static str) {
        let now = self.clock.now();
        self.at_desk(|desk| desk.own.disconnected(reason, now));
    }
}
