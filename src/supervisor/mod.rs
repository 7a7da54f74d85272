//! All PBXs at once, each in a task of its own that the others never feel.
//!
//! A session connects, logs in, takes a snapshot of channels and queues behind a barrier and then
//! follows the events; when it ends, the next one begins after a wait.  Nothing here changes a PBX,
//! and nothing should weigh on it either:
//!
//! - events are read by a task that waits for nobody (`ami::connection`), for unread ones lie in
//!   the PBX's memory;
//! - within a session QueueStatus is asked for no faster than every 30 s, and CoreShowChannels
//!   once;
//! - a new session needs its snapshot whatever the age of the last one, so the wait before it is
//!   what keeps two snapshots 30 s apart.  The first short session of a row is the exception: it is
//!   followed at once, because most are a restart of the PBX.  A session that was synchronised for
//!   60 s ends the row;
//! - a refused login is repeated after 30 s at first and every five minutes at last.
//!
//! It knows every module but `http` and `replay`.

mod backoff;
mod dialogue;
mod end;
mod follower;
mod hints;
mod keepalive;
mod lag;
mod link;
mod login;
mod lookout;
mod place;
mod schedule;
mod session;
mod tap;
mod trunks;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use place::Place;
pub use tap::Tap;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::error;

use crate::clock::Clock;
use crate::config::Pbx;
use crate::correlator::{Correlator, Timing};
use crate::error::with_causes;
use crate::event;
use crate::health::Health;
use crate::metrics::{Exporter, Metrics, Monitor, Settings};

/// Every reason for which a session ends.
pub const DISCONNECTS: &[&str] =
    &["closed", "timeout", "io", "auth", "protocol", "overflow", "shutdown"];
/// Every reason for which input is left out.
pub const REJECTIONS: &[&str] = &["line_too_long", "frame_too_long", "unknown_type", "incomplete"];

/// Follows all PBXs until `shutdown` says so, each with the monitor and the place in `health` of its
/// index.
pub async fn run(
    pbxs: Vec<Pbx>,
    exporter: Arc<Mutex<Exporter>>,
    health: Arc<Health>,
    clock: Clock,
    shutdown: watch::Receiver<bool>,
) {
    let posts = pbxs.into_iter().enumerate().map(|(index, pbx)| {
        let place = Place {
            name: pbx.name.clone(),
            index,
            exporter: Arc::clone(&exporter),
            health: Arc::clone(&health),
            clock: clock.clone(),
            tap: None,
        };
        Arc::new(Post { pbx, place })
    });
    let mut crew = Crew { tasks: JoinSet::new(), posts: HashMap::new(), shutdown };
    for post in posts {
        crew.man(post, Shift::First);
    }
    crew.watch().await;
}

/// Follows one PBX as [`run`] does until `shutdown` says so, and lets everything it sends run
/// through `tap`.
///
/// # Errors
/// The first session did not come to be.  Once one has, further ones are tried for ever.
pub async fn record(
    pbx: Pbx,
    tap: Tap,
    clock: Clock,
    shutdown: watch::Receiver<bool>,
) -> Result<(), NotBegun> {
    // a session needs a monitor; nobody reads this one
    let metrics = Metrics::new(Settings::default());
    let self_metrics = metrics.self_metrics(&pbx.name, event::KNOWN, clock.now());
    let correlator = Correlator::new(pbx.rules.clone(), Timing::Live);
    let monitor = Monitor { correlator, recorder: metrics.recorder(&pbx.name), self_metrics };
    let place = Place {
        name: pbx.name.clone(),
        index: 0,
        exporter: Arc::new(Mutex::new(Exporter::new(metrics, vec![monitor]))),
        health: Arc::new(Health::new([(pbx.name.clone(), pbx.address.to_string())])),
        clock,
        tap: Some(tap),
    };
    link::keep_if_it_begins(&pbx, &place, shutdown).await.map_err(|end| NotBegun(with_causes(&end)))
}

/// Why there was no first session.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotBegun(String);

/// One PBX and its place.
struct Post {
    pbx: Pbx,
    place: Place,
}

/// Whether a post's task is its first.
#[derive(Clone, Copy)]
enum Shift {
    First,
    Relief,
}

/// The tasks, and which post each of them has.
struct Crew {
    tasks: JoinSet<()>,
    posts: HashMap<Id, Arc<Post>>,
    shutdown: watch::Receiver<bool>,
}

impl Crew {
    fn man(&mut self, post: Arc<Post>, shift: Shift) {
        let (own, shutdown) = (Arc::clone(&post), self.shutdown.clone());
        let task = self.tasks.spawn(async move {
            match shift {
                Shift::First => link::keep(&own.pbx, &own.place, shutdown).await,
                Shift::Relief => link::keep_again(&own.pbx, &own.place, shutdown).await,
            }
        });
        self.posts.insert(task.id(), post);
    }

    /// Waits for all tasks; one that ends although nobody asked it to is replaced.
    async fn watch(mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
            let Some(post) = self.posts.remove(&id) else { continue };
            if is_over(&self.shutdown) {
                continue;
            }
            // the panic's text may hold what came from the wire
            error!(pbx = %post.place.name, panicked = ended.is_err(), "the task of a pbx ended, another takes over");
            self.man(post, Shift::Relief);
        }
    }
}

/// Waits until shutdown is asked for, or nobody is left to ask.
async fn over(shutdown: &mut watch::Receiver<bool>) {
    shutdown.wait_for(|&asked| asked).await.ok();
}

fn is_over(shutdown: &watch::Receiver<bool>) -> bool {
    *shutdown.borrow() || shutdown.has_changed().is_err()
}
