//! The PBXs of an exporter, which may come and go.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use super::Metrics;
use super::recorder::Recorder;
use super::self_metrics::SelfMetrics;
use crate::correlator::Correlator;

/// One PBX: its state, and what counts it.
pub struct Monitor {
    /// The state of its calls, queues and agents.
    pub correlator: Correlator,
    /// Counts what the correlator observes.
    pub recorder: Recorder,
    /// The exporter's own metrics of this PBX.
    pub self_metrics: SelfMetrics,
}

/// The monitors of all PBXs by number; the number of one that went is never given again.
#[derive(Default)]
pub struct Monitors {
    all: BTreeMap<usize, Slot>,
    next: usize,
}

/// A monitor, and its series if they are none of the exporter's own.
pub struct Slot {
    monitor: Monitor,
    metrics: Option<Metrics>,
}

impl Monitors {
    /// Monitors that count into the exporter's own series, numbered from 0.
    pub(super) fn of(monitors: Vec<Monitor>) -> Self {
        let mut all = Self::default();
        for monitor in monitors {
            all.add(monitor, None);
        }
        all
    }

    /// Adds a monitor, with the metrics that it counts into, and gives its number.
    pub(super) fn add(&mut self, monitor: Monitor, metrics: Option<Metrics>) -> usize {
        let number = self.next;
        self.next += 1;
        self.put(number, Slot { monitor, metrics });
        number
    }

    /// Puts a monitor where it was taken from.
    pub fn put(&mut self, number: usize, slot: Slot) {
        self.all.insert(number, slot);
    }

    /// Takes a monitor out, with its series.
    pub fn take(&mut self, number: usize) -> Option<Slot> {
        self.all.remove(&number)
    }

    /// All of them, in the order in which they came.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Monitor> {
        self.all.values_mut().map(|slot| &mut slot.monitor)
    }

    /// The metrics that are none of the exporter's own.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &Metrics> {
        self.all.values().filter_map(|slot| slot.metrics.as_ref())
    }
}

/// Only with the number of a monitor that is there.
impl Index<usize> for Monitors {
    type Output = Monitor;

    fn index(&self, number: usize) -> &Monitor {
        &self.all[&number].monitor
    }
}

impl IndexMut<usize> for Monitors {
    fn index_mut(&mut self, number: usize) -> &mut Monitor {
        let slot = self.all.get_mut(&number);
        &mut slot.expect("the task of a PBX ends before its monitor is removed").monitor
    }
}
