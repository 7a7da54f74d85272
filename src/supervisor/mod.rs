//! All PBXs at once, each in a task of its own, independent of the others.
//!
//! A session connects, logs in, takes a snapshot of channels and queues behind a barrier and then
//! follows the events; when it ends, the next one begins after a wait.  Nothing here changes a PBX,
//! and nothing should weigh on it either:
//!
//! - events are read by a task that waits for nothing else (`ami::connection`), since unread ones
//!   are kept in the PBX's memory;
//! - within a session QueueStatus is asked for no faster than every 30 s, and CoreShowChannels
//!   once;
//! - a new session needs its snapshot whatever the age of the last one, so the wait before it is
//!   what keeps two snapshots 30 s apart.  The first short session of a row is the exception: it is
//!   followed at once, because most are a restart of the PBX.  A session that was synchronised for
//!   60 s ends the row;
//! - a refused login is repeated after 30 s at first and every five minutes at last;
//! - the task of a PBX that panics, which is a bug, is replaced by another one after a minute, and
//!   later if that panics as well.
//!
//! It knows every module but `http` and `replay`.

mod aside;
mod backoff;
mod control;
mod dialogue;
mod end;
mod endpoint_lists;
mod files;
mod fleet;
mod follower;
mod keepalive;
mod lag;
mod link;
mod login;
mod missing;
mod past;
mod report;
mod schedule;
mod session;
mod tap;
mod target;
mod trunk_notice;
mod warnings;
mod wire;

use std::sync::{Arc, Mutex};

use control::Control;
pub use fleet::{Changes, Orders};
use fleet::{Fleet, Shared};
pub use tap::Tap;
use target::Target;
use tokio::sync::watch;

use crate::clock::{Clock, Moment};
use crate::config::Pbx;
use crate::correlator::{Correlator, MissingSet, Timing};
use crate::error::with_causes;
use crate::event;
use crate::health::Health;
use crate::metrics::{Exporter, Metrics, Monitor, Settings};

/// Every reason for which a session ends.
pub const DISCONNECTS: &[&str] = &[
    "closed", "timeout", "io", "tls", "auth", "protocol", "overflow", "internal", "reload",
    "shutdown",
];
/// Every reason for which input is left out.
pub const REJECTIONS: &[&str] = &["line_too_long", "frame_too_long", "unknown_type", "incomplete"];

/// Follows all PBXs until `shutdown` is true, each with the monitor and the entry in `health` of
/// its index, and those that `orders` add or change.
pub async fn run(
    pbxs: Vec<Pbx>,
    (exporter, health): (Arc<Mutex<Exporter>>, Arc<Health>),
    clock: Clock,
    orders: Orders,
    shutdown: watch::Receiver<bool>,
) {
    let mut fleet = Fleet::new(Shared { exporter, health, clock });
    for (index, pbx) in pbxs.into_iter().enumerate() {
        fleet.follow(index, pbx);
    }
    fleet.run(orders, shutdown).await;
}

/// The monitor of a PBX that is not synchronised from `now` on.
pub fn monitor(metrics: &Metrics, pbx: &Pbx, now: Moment) -> Monitor {
    // Known events and reasons begin at zero, so that `rate()` sees the first of each.
    let self_metrics = metrics.self_metrics(&pbx.name, event::KNOWN, now);
    let mut recorder = metrics.recorder(&pbx.name);
    if pbx.queue_log.is_some() {
        recorder.expect_repairs();
    }
    Monitor {
        correlator: Correlator::new(pbx.rules.clone(), Timing::Live),
        recorder,
        self_metrics: self_metrics.with_reasons(DISCONNECTS, REJECTIONS),
    }
}

/// One PBX that is followed as [`run`] does, for commands that look at what it sends.
pub struct Alone {
    target: Target,
    pbx: Pbx,
}

impl Alone {
    /// It is not followed yet.
    pub fn new(pbx: Pbx, settings: Settings, clock: Clock) -> Self {
        // A session needs a monitor; nobody scrapes this one.
        let metrics = Metrics::new(settings);
        let monitor = monitor(&metrics, &pbx, clock.now());
        let target = Target {
            name: pbx.name.clone(),
            index: 0,
            exporter: Arc::new(Mutex::new(Exporter::new(metrics, vec![monitor]))),
            health: Arc::new(Health::new([(pbx.name.clone(), pbx.address.to_string())])),
            clock,
            tap: None,
        };
        Self { target, pbx }
    }

    /// Follows it until `shutdown` is true, and lets everything that it sends run through `tap`, which
    /// ends with it.
    ///
    /// # Errors
    /// The first session was not synchronised.  Once one was, further ones are tried for ever.
    pub async fn follow(&self, tap: Tap, shutdown: watch::Receiver<bool>) -> Result<(), NotBegun> {
        let target = Target { tap: Some(tap), ..self.target.clone() };
        link::keep_if_it_begins(&target, Control::of(self.pbx.clone(), shutdown))
            .await
            .map_err(|end| NotBegun { reason: end.reason(), error: with_causes(&end) })
    }

    /// Whether it is synchronised.
    pub fn is_up(&self) -> bool {
        self.target.health.all().first().is_some_and(|pbx| pbx.phase.is_up())
    }

    /// How many series it would have.
    pub fn series(&self) -> usize {
        self.target.with_monitor(|monitor| monitor.recorder.series())
    }

    /// What never comes in the present session, as far as that is proven.
    pub fn missing(&self) -> MissingSet {
        let now = self.target.clock.now();
        self.target.with_monitor(|monitor| monitor.correlator.missing(now))
    }
}

/// Why there was no first session.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotBegun {
    /// One of [`DISCONNECTS`].
    pub reason: &'static str,
    error: String,
}

/// Waits until shutdown is asked for, or can be asked for no more.
async fn over(shutdown: &mut watch::Receiver<bool>) {
    shutdown.wait_for(|&asked| asked).await.ok();
}
