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
mod dialogue;
mod end;
mod files;
mod follower;
mod keepalive;
mod lag;
mod link;
mod login;
mod missing;
mod report;
mod schedule;
mod session;
mod tap;
mod target;
mod trunk_notice;
mod warnings;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use tap::Tap;
use target::Target;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::error;

use crate::clock::{Clock, Moment};
use crate::config::Pbx;
use crate::correlator::{Correlator, Timing};
use crate::error::with_causes;
use crate::event;
use crate::health::Health;
use crate::metrics::{Exporter, Metrics, Monitor, Settings};

/// Every reason for which a session ends.
pub const DISCONNECTS: &[&str] =
    &["closed", "timeout", "io", "tls", "auth", "protocol", "overflow", "internal", "shutdown"];
/// Every reason for which input is left out.
pub const REJECTIONS: &[&str] = &["line_too_long", "frame_too_long", "unknown_type", "incomplete"];

/// Follows all PBXs until `shutdown` is true, each with the monitor and the entry in `health` of
/// its index.
pub async fn run(
    pbxs: Vec<Pbx>,
    exporter: Arc<Mutex<Exporter>>,
    health: Arc<Health>,
    clock: Clock,
    shutdown: watch::Receiver<bool>,
) {
    let mut tasks = Tasks { running: JoinSet::new(), followed: HashMap::new(), shutdown };
    for (index, pbx) in pbxs.into_iter().enumerate() {
        let target = Target {
            name: pbx.name.clone(),
            index,
            exporter: Arc::clone(&exporter),
            health: Arc::clone(&health),
            clock: clock.clone(),
            tap: None,
        };
        tasks.spawn(Arc::new(Followed { pbx, target }), Start::First);
    }
    tasks.run().await;
}

/// Follows one PBX as [`run`] does until `shutdown` is true, and lets everything it sends run
/// through `tap`.
///
/// # Errors
/// The first session was not synchronised.  Once one was, further ones are tried for ever.
pub async fn record(
    pbx: Pbx,
    tap: Tap,
    clock: Clock,
    shutdown: watch::Receiver<bool>,
) -> Result<(), NotBegun> {
    // A session needs a monitor; nobody reads this one.
    let metrics = Metrics::new(Settings::default());
    let self_metrics = metrics.self_metrics(&pbx.name, event::KNOWN, clock.now());
    let correlator = Correlator::new(pbx.rules.clone(), Timing::Live);
    let monitor = Monitor { correlator, recorder: metrics.recorder(&pbx.name), self_metrics };
    let target = Target {
        name: pbx.name.clone(),
        index: 0,
        exporter: Arc::new(Mutex::new(Exporter::new(metrics, vec![monitor]))),
        health: Arc::new(Health::new([(pbx.name.clone(), pbx.address.to_string())])),
        clock,
        tap: Some(tap),
    };
    link::keep_if_it_begins(&pbx, &target, shutdown)
        .await
        .map_err(|end| NotBegun(with_causes(&end)))
}

/// Why there was no first session.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotBegun(String);

/// One PBX, and where its sessions write.
struct Followed {
    pbx: Pbx,
    target: Target,
}

/// Whether a task is the first of its PBX.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Start {
    First,
    /// The task before ended without a shutdown: this one waits so long first.
    After(Duration),
}

impl Start {
    /// The start of the task after one that went on for `lived`.
    fn next(self, lived: Duration) -> Self {
        match self {
            // The same may happen again, and should not cost the PBX a list each time.
            Self::After(pause) if lived < pause + PANICS_APART => {
                Self::After((pause * 2).min(LONGEST_PAUSE))
            }
            Self::After(_) | Self::First => Self::After(SHORTEST_PAUSE),
        }
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Panics so far from each other are no row.
const PANICS_APART: Duration = Duration::from_secs(3600);

/// A task that runs.
struct Task {
    followed: Arc<Followed>,
    start: Start,
    begun: Moment,
}

/// The tasks, and which PBX each of them follows.
struct Tasks {
    running: JoinSet<()>,
    followed: HashMap<Id, Task>,
    shutdown: watch::Receiver<bool>,
}

impl Tasks {
    fn spawn(&mut self, followed: Arc<Followed>, start: Start) {
        let shutdown = self.shutdown.clone();
        let its = Arc::clone(&followed);
        let task = self.running.spawn(async move {
            let followed = async {
                match start {
                    Start::First => link::keep(&its.pbx, &its.target, shutdown).await,
                    Start::After(pause) => {
                        link::keep_after(pause, &its.pbx, &its.target, shutdown).await;
                    }
                }
            };
            tokio::select! {
                () = followed => {}
                () = its.target.give_signs_of_life() => {}
            }
        });
        let begun = followed.target.clock.now();
        self.followed.insert(task.id(), Task { followed, start, begun });
    }

    /// Waits for all tasks; one that ends without a shutdown is replaced.
    async fn run(mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
            let Some(Task { followed, start, begun }) = self.followed.remove(&id) else { continue };
            if is_over(&self.shutdown) {
                continue;
            }

            let Target { name: pbx, clock, .. } = &followed.target;
            let next = start.next(clock.now().since(begun));
            // The text of a panic is not logged: it may hold what came from the wire.
            error!(%pbx, panicked = ended.is_err(), ?next, "the task of a pbx ended, another takes over");
            self.spawn(followed, next);
        }
    }
}

/// Waits until shutdown is asked for, or can be asked for no more.
async fn over(shutdown: &mut watch::Receiver<bool>) {
    shutdown.wait_for(|&asked| asked).await.ok();
}

fn is_over(shutdown: &watch::Receiver<bool>) -> bool {
    *shutdown.borrow() || shutdown.has_changed().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_that_panic_in_a_row_begin_later_and_later() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let first = Start::First.next(minutes(1000));
        let second = first.next(minutes(60));
        let third = second.next(minutes(2));
        assert_eq!(
            [first, second, third],
            [Start::After(minutes(1)), Start::After(minutes(2)), Start::After(minutes(4))]
        );
        assert_eq!(Start::After(minutes(10)).next(minutes(10)), Start::After(minutes(10)));
        assert_eq!(third.next(minutes(64)), Start::After(minutes(1)));
    }
}
