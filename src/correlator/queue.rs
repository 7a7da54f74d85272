//! Which queues there are.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use super::Correlator;
use super::names::{QueueId, readable};
use super::observation::{Observation, Observe};

/// Known queues and their own service level.
#[derive(Debug, Default)]
pub(super) struct Queues(BTreeMap<QueueId, Option<Duration>>);

impl Queues {
    pub(super) fn ids(&self) -> impl Iterator<Item = QueueId> {
        self.0.keys().copied()
    }

    pub(super) fn contains(&self, queue: QueueId) -> bool {
        self.0.contains_key(&queue)
    }

    /// Makes the queue known.  Whether it was not.
    fn ensure(&mut self, queue: QueueId) -> bool {
        match self.0.entry(queue) {
            Entry::Vacant(place) => {
                place.insert(None);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Takes a queue's service level.  Whether it was another.
    pub(super) fn set_level(&mut self, queue: QueueId, level: Option<Duration>) -> bool {
        self.0.insert(queue, level) != Some(level)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(QueueId) -> bool) {
        self.0.retain(|&queue, _| keep(queue));
    }
}

impl Correlator {
    /// The id of a queue that was ever named.
    pub(super) fn find_queue(&self, name: &[u8]) -> Option<QueueId> {
        self.names.queues.find(&readable(name))
    }

    /// The id of a queue, known from now on; the first spelling of its name is kept.
    pub(super) fn ensure_queue(&mut self, name: &[u8], out: &mut dyn Observe) -> QueueId {
        let queue = self.names.queues.intern(name);
        if self.queues.ensure(queue) {
            self.emit(Observation::QueueKnown { queue, service_level: None }, out);
        }
        queue
    }
}
