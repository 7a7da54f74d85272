//! Registration, and metric handles kept by id.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

use super::catalogue::Entry;
use super::distribution::{Bounds, Distribution, Told};
use super::settings::Detail;

/// A counter of seconds.
pub(super) type Seconds = Counter<f64, AtomicU64>;
/// A gauge of things.
pub(super) type Level = Gauge<u64, AtomicU64>;
/// A gauge of seconds.
pub(super) type Span = Gauge<f64, AtomicU64>;

/// What the catalogue's metrics are registered on, each once.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    registry: Registry,
    told: Told,
}

impl Shelf {
    /// Registers `metric` under the name, unit and help of `entry`; the encoder appends unit and
    /// `_total` again.
    pub(super) fn put(&mut self, entry: &Entry, metric: impl Metric) {
        match entry.unit {
            Some(unit) => {
                self.registry.register_with_unit(entry.stem(), entry.help, unit.into(), metric);
            }
            None => self.registry.register(entry.stem(), entry.help, metric),
        }
    }

    /// Registers a family of counters or gauges.
    pub(super) fn family<L: Labels, M: Default>(&mut self, entry: &Entry) -> Family<L, M>
    where
        Family<L, M>: Metric,
    {
        let family = Family::default();
        self.put(entry, family.clone());
        family
    }

    /// Registers a family whose handles are kept by `K`.
    pub(super) fn kept<K, L: Labels, M: Default>(&mut self, entry: &Entry) -> Kept<K, L, M>
    where
        Family<L, M>: Metric,
    {
        Kept { family: self.family(entry), handles: HashMap::new() }
    }

    /// Registers histograms with these bounds.
    pub(super) fn histograms<K, L: Labels>(
        &mut self,
        entry: &Entry,
        bounds: Vec<f64>,
        detail: Detail,
    ) -> Histograms<K, L> {
        let family = Family::new_with_constructor(Bounds::new(bounds, detail, self.told.clone()));
        self.put(entry, family.clone());
        Kept { family, handles: HashMap::new() }
    }

    /// The registry with everything on it, and where its histograms tell their sparse buckets.
    pub(super) fn into_parts(self) -> (Registry, Told) {
        (self.registry, self.told)
    }
}

/// What a label set must be able to do.
pub(super) trait Labels:
    EncodeLabelSet + Clone + Debug + Eq + Hash + Send + Sync + 'static
{
}

impl<L: EncodeLabelSet + Clone + Debug + Eq + Hash + Send + Sync + 'static> Labels for L {}

/// A family with its handles kept by `K`, small and `Copy`: the hot path builds no labels and takes
/// no family lock.
#[derive(Debug)]
pub(super) struct Kept<K, L, M, C = fn() -> M> {
    family: Family<L, M, C>,
    handles: HashMap<K, M>,
}

/// Histograms kept by `K`.
pub(super) type Histograms<K, L> = Kept<K, L, Distribution, Bounds>;

/// A copy shares the family but not the handles: ids mean something else on another PBX.
impl<K, L, M, C: Clone> Clone for Kept<K, L, M, C> {
    fn clone(&self) -> Self {
        Self { family: self.family.clone(), handles: HashMap::new() }
    }
}

impl<K: Eq + Hash, L: Labels, M: Clone, C: MetricConstructor<M>> Kept<K, L, M, C> {
    /// The metric of `key`, made at its first use, which is also how it starts at zero.
    pub(super) fn of(&mut self, key: K, labels: impl FnOnce() -> L) -> &M {
        let family = &self.family;
        self.handles.entry(key).or_insert_with(|| family.get_or_create_owned(&labels()))
    }

    /// Lets a metric stand at zero that no key leads to yet.
    pub(super) fn start(&self, labels: &L) {
        drop(self.family.get_or_create_owned(labels));
    }
}
