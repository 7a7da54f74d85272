//! What the task of a PBX is asked for from outside: another configuration, or its end.

use std::sync::Arc;

use tokio::sync::watch;

use super::end::End;
use super::over;
use crate::config::Pbx;

/// What a task is asked for; its copies are asked for the same.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pbx: watch::Receiver<Arc<Pbx>>,
    stop: watch::Receiver<bool>,
}

/// Something that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// The end.
    Stop,
    /// To go by another configuration.
    Change,
}

impl Control {
    pub(super) const fn new(pbx: watch::Receiver<Arc<Pbx>>, stop: watch::Receiver<bool>) -> Self {
        Self { pbx, stop }
    }

    /// For a configuration that never changes.
    pub(super) fn of(pbx: Pbx, stop: watch::Receiver<bool>) -> Self {
        Self { pbx: watch::channel(Arc::new(pbx)).1, stop }
    }

    /// The configuration to go by.
    pub(super) fn pbx(&self) -> Arc<Pbx> {
        Arc::clone(&self.pbx.borrow())
    }

    /// Waits for what is asked for next.  May be cancelled without missing anything.
    pub(super) async fn asked(&mut self) -> Asked {
        tokio::select! {
            biased;
            () = over(&mut self.stop) => Asked::Stop,
            Ok(()) = self.pbx.changed() => Asked::Change,
        }
    }

    /// Waits until a session that was begun with `pbx` and is not logged in yet has to end.
    pub(super) async fn gives_up(&mut self, pbx: &Pbx) -> End {
        while self.asked().await == Asked::Change {
            if pbx.logs_in_otherwise(&self.pbx()) {
                return End::Changed;
            }
        }
        End::Shutdown
    }

    /// Waits for the end.
    pub(super) async fn stopped(&mut self) {
        over(&mut self.stop).await;
    }
}
