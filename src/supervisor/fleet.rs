//! The tasks of all PBXs, and what changes about them while they run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;
use tracing::{error, info};

use super::control::Control;
use super::target::Target;
use super::{link, monitor, over};
use crate::clock::{Clock, Moment};
use crate::config::Pbx;
use crate::health::Health;
use crate::metrics::Exporter;
use crate::pbx::PbxName;

/// Changes the PBXs that [`run`](super::run) follows, one at a time.
#[derive(Clone, Debug)]
pub struct Changes(mpsc::Sender<Order>);

/// What takes the orders of [`Changes`].
#[derive(Debug)]
pub struct Orders(mpsc::Receiver<Order>);

#[derive(Debug)]
struct Order {
    change: Change,
    done: oneshot::Sender<()>,
}

#[derive(Debug)]
enum Change {
    Add(Pbx),
    Alter(Pbx),
    Remove(PbxName),
}

impl Changes {
    /// Both ends.
    pub fn channel() -> (Self, Orders) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), Orders(receiver))
    }

    /// Follows one more PBX, whose name no other one has.
    pub async fn add(&self, pbx: Pbx) {
        self.order(Change::Add(pbx)).await;
    }

    /// Follows the PBX of that name as this configuration says.  The connection goes on unless it is
    /// configured otherwise, and what goes on keeps what it was taken for.
    pub async fn alter(&self, pbx: Pbx) {
        self.order(Change::Alter(pbx)).await;
    }

    /// Logs off from a PBX, and drops all its series.
    pub async fn remove(&self, name: PbxName) {
        self.order(Change::Remove(name)).await;
    }

    /// Comes back when it is done, or everything ends.
    async fn order(&self, change: Change) {
        let (done, is_done) = oneshot::channel();
        if self.0.send(Order { change, done }).await.is_ok() {
            is_done.await.ok();
        }
    }
}

/// What all PBXs share.
pub(super) struct Shared {
    pub(super) exporter: Arc<Mutex<Exporter>>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
}

/// The tasks, and which PBX each of them follows.
pub(super) struct Fleet {
    shared: Shared,
    running: JoinSet<()>,
    followed: HashMap<Id, Followed>,
}

/// One PBX that a task follows.
struct Followed {
    target: Target,
    pbx: watch::Sender<Arc<Pbx>>,
    stop: watch::Sender<bool>,
    /// Who waits for its end, if it is to be removed.
    removal: Option<oneshot::Sender<()>>,
    start: Start,
    begun: Moment,
}

/// Whether a task is the first of its PBX.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Start {
    First,
    /// The task before ended without being asked to: this one waits so long first.
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

impl Fleet {
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared, running: JoinSet::new(), followed: HashMap::new() }
    }

    /// Follows the PBX that has a monitor and an entry of health by that number.
    pub(super) fn follow(&mut self, number: usize, pbx: Pbx) {
        let Shared { exporter, health, clock } = &self.shared;
        let target = Target {
            name: pbx.name.clone(),
            index: number,
            exporter: Arc::clone(exporter),
            health: Arc::clone(health),
            clock: clock.clone(),
            tap: None,
        };
        let (pbx, stop) = (watch::channel(Arc::new(pbx)).0, watch::channel(false).0);
        let (start, begun) = (Start::First, clock.now());
        self.spawn(Followed { target, pbx, stop, removal: None, start, begun });
    }

    /// Goes on until `shutdown`, and then until all tasks have ended.
    pub(super) async fn run(mut self, mut orders: Orders, mut shutdown: watch::Receiver<bool>) {
        let mut stopping = false;
        while !stopping || !self.running.is_empty() {
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.ended(&ended),
                Some(order) = orders.0.recv(), if !stopping => self.carry_out(order),
                () = over(&mut shutdown), if !stopping => {
                    stopping = true;
                    self.followed.values().for_each(Followed::stop);
                }
            }
        }
    }

    fn carry_out(&mut self, Order { change, done }: Order) {
        match change {
            Change::Add(pbx) => self.add(pbx),
            Change::Alter(pbx) => self.alter(pbx),
            Change::Remove(name) => {
                if let Some(followed) = self.find_mut(&name) {
                    followed.removal = Some(done);
                    followed.stop();
                }
                return;
            }
        }
        done.send(()).ok();
    }

    fn add(&mut self, pbx: Pbx) {
        let now = self.shared.clock.now();
        let number = {
            let mut exporter = self.shared.lock();
            exporter.pass(now);
            exporter.add(|metrics| monitor(metrics, &pbx, now))
        };
        self.shared.health.add(number, pbx.name.clone(), pbx.address.to_string());
        self.follow(number, pbx);
    }

    fn alter(&mut self, pbx: Pbx) {
        let Some(followed) = self.find_mut(&pbx.name) else { return };
        let (rules, address) = (pbx.rules.clone(), pbx.address.to_string());
        let number = followed.target.index;
        followed.target.with_monitor(|monitor| monitor.correlator.change_rules(rules));
        followed.pbx.send_replace(Arc::new(pbx));
        self.shared.health.set_address(number, address);
    }

    fn find_mut(&mut self, name: &PbxName) -> Option<&mut Followed> {
        self.followed.values_mut().find(|followed| followed.target.name == *name)
    }

    fn spawn(&mut self, followed: Followed) {
        let (target, start) = (followed.target.clone(), followed.start);
        let control = Control::new(followed.pbx.subscribe(), followed.stop.subscribe());
        let mut stop = control.clone();
        let task = self.running.spawn(async move {
            let following = async {
                match start {
                    Start::First => link::keep(&target, control).await,
                    Start::After(pause) => link::keep_after(pause, &target, control).await,
                }
            };
            let late = async {
                stop.stopped().await;
                sleep(LONGEST_END).await;
            };
            tokio::select! {
                () = following => {}
                () = target.give_signs_of_life() => {}
                () = late => {}
            }
        });
        self.followed.insert(task.id(), followed);
    }

    /// A task that ended without being asked to is replaced.
    fn ended(&mut self, ended: &Result<(Id, ()), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let Some(mut followed) = self.followed.remove(&id) else { return };
        let pbx = followed.target.name.clone();

        if let Some(done) = followed.removal.take() {
            let number = followed.target.index;
            let monitor = self.shared.lock().remove(number);
            // Whatever else goes on does not wait for a large PBX to be dropped.
            spawn_blocking(move || drop(monitor));
            self.shared.health.remove(number);
            info!(%pbx, "removed");
            done.send(()).ok();
        } else if !*followed.stop.borrow() {
            // The text of a panic is not logged: it may hold what came from the wire.
            let now = self.shared.clock.now();
            let start = followed.start.next(now.since(followed.begun));
            error!(%pbx, panicked = ended.is_err(), next = ?start, "the task of a pbx ended, another takes over");
            self.spawn(Followed { start, begun: now, ..followed });
        }
    }
}

impl Followed {
    fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl Shared {
    /// A panic elsewhere spoils at most one event of a PBX.
    fn lock(&self) -> std::sync::MutexGuard<'_, Exporter> {
        self.exporter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Panics so far from each other are no row.
const PANICS_APART: Duration = Duration::from_secs(3600);

/// How long a task may take to end: a PBX that reads nothing keeps it from logging off.
const LONGEST_END: Duration = Duration::from_secs(5);

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
