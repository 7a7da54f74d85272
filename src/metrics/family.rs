//! Families of counters, gauges and histograms, and their handles by id.
//!
//! prometheus-client's own `Family` can be read by its encoder only.  This one has the same use,
//! consists of prometheus-client's metrics, is registered on its registry, and can be copied as
//! [`Samples`].

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::budget::Budget;
use super::catalogue::Entry;
use super::histogram::{Histogram, Layout};
use super::labels::LabelSet;
use super::snapshot::{Histograms, Samples, Values};
use super::timeline::Timeline;
use crate::clock::Moment;

/// A counter of seconds.
pub(super) type Seconds = Counter<f64, AtomicU64>;
/// A gauge of things.
pub(super) type Level = Gauge<u64, AtomicU64>;
/// A gauge of seconds.
pub(super) type Span = Gauge<f64, AtomicU64>;

/// Every series of one metric, with labels `L` and metrics `M`; its copies are the same family.
pub(super) struct Family<L, M: Metric> {
    series: Arc<Mutex<Series<M>>>,
    layout: M::Layout,
    timeline: Arc<Timeline>,
    labels: PhantomData<fn(L)>,
}

/// The series in the order of their creation, which is that of the text.
#[derive(Debug)]
struct Series<M> {
    index: HashMap<LabelSet, usize>,
    /// Shared with the scrapes that still write them.
    labels: Arc<Vec<LabelSet>>,
    starts: Arc<Vec<Moment>>,
    metrics: Vec<M>,
}

impl<L: Into<LabelSet>, M: Metric> Family<L, M> {
    pub(super) fn new(layout: M::Layout, timeline: Arc<Timeline>) -> Self {
        let series = Series {
            index: HashMap::new(),
            labels: Arc::default(),
            starts: Arc::default(),
            metrics: Vec::new(),
        };
        Self { series: Arc::new(Mutex::new(series)), layout, timeline, labels: PhantomData }
    }

    /// The metric with these labels, zero if it is new.
    pub(super) fn ensure(&self, labels: L) -> M {
        let labels = labels.into();
        let mut series = self.lock();
        if let Some(&at) = series.index.get(&labels) {
            return series.metrics[at].clone();
        }

        let metric = M::new(&self.layout);
        let at = series.metrics.len();
        series.metrics.push(metric.clone());
        Arc::make_mut(&mut series.labels).push(labels.clone());
        Arc::make_mut(&mut series.starts).push(self.timeline.start());
        series.index.insert(labels, at);
        metric
    }

    /// How many lines of a scrape one series is.
    pub(super) fn lines(&self) -> usize {
        M::lines(&self.layout)
    }

    /// The family for one PBX, whose ids are the keys.
    pub(super) fn handles<K>(&self) -> Handles<K, L, M> {
        Handles { family: self.clone(), by_key: HashMap::new() }
    }
}

impl<L, M: Metric> Family<L, M> {
    fn lock(&self) -> MutexGuard<'_, Series<M>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L, M: Metric> Clone for Family<L, M> {
    fn clone(&self) -> Self {
        Self {
            series: self.series.clone(),
            layout: self.layout.clone(),
            timeline: self.timeline.clone(),
            labels: PhantomData,
        }
    }
}

impl<L, M: Metric> fmt::Debug for Family<L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("series", &self.series).finish()
    }
}

/// For the registry's own encoder.
impl<L, M: Metric> EncodeMetric for Family<L, M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let series = self.lock();
        for (labels, metric) in series.labels.iter().zip(&series.metrics) {
            metric.encode(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }

    fn is_empty(&self) -> bool {
        self.lock().metrics.is_empty()
    }
}

/// A family with its metrics kept by `K`, which is small and `Copy`: the hot path builds no labels
/// and takes no lock of the family.
///
/// Each PBX has its own, as ids mean something else on another PBX.
#[derive(Debug)]
pub(super) struct Handles<K, L, M: Metric> {
    family: Family<L, M>,
    by_key: HashMap<K, M>,
}

impl<K: Eq + Hash, L: Into<LabelSet>, M: Metric> Handles<K, L, M> {
    /// The metric of `key`, made at its first use, which is also how it starts at zero.
    pub(super) fn ensure(&mut self, key: K, labels: impl FnOnce() -> L) -> &M {
        self.by_key.entry(key).or_insert_with(|| self.family.ensure(labels()))
    }

    /// The same if the budget has room for it; else what `other` gives, whose room is kept.
    pub(super) fn ensure_within(
        &mut self,
        budget: &Budget,
        key: K,
        labels: impl FnOnce() -> L,
        other: impl FnOnce() -> (K, L),
    ) -> &M {
        if self.has(&key) || budget.take(self.family.lines()) {
            return self.ensure(key, labels);
        }
        // One address for each family: keys of two may be alike.
        budget.refuse((Arc::as_ptr(&self.family.series) as usize, key));
        let (key, labels) = other();
        self.ensure(key, || labels)
    }

    /// Starts a metric at zero before anything happens to it, if `room` has so many lines for it.
    pub(super) fn begin(
        &mut self,
        room: impl FnOnce(usize) -> bool,
        key: K,
        labels: impl FnOnce() -> L,
    ) {
        if !self.has(&key) && room(self.family.lines()) {
            self.ensure(key, labels);
        }
    }

    /// Whether there is a metric of `key`.
    pub(super) fn has(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// How many keys lead to a metric.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.by_key.len()
    }

    /// Starts a metric at zero that no key leads to yet.
    pub(super) fn start(&self, labels: L) {
        drop(self.family.ensure(labels));
    }
}

/// What a scrape copies.
pub(super) trait Collect: fmt::Debug + Send + Sync {
    /// The numbers now, under the name of `entry`.
    fn collect(&self, entry: &'static Entry) -> Samples;
}

impl<L, M: Metric> Collect for Family<L, M> {
    fn collect(&self, entry: &'static Entry) -> Samples {
        let series = self.lock();
        let values = M::values(&series.metrics, &self.layout);
        let labels = series.labels.clone();
        let starts = if entry.kind.counts() { series.starts.clone() } else { Arc::default() };
        Samples { entry, labels, starts, values }
    }
}

/// A metric whose numbers can be copied.
pub(super) trait Metric:
    EncodeMetric + TypedMetric + Clone + fmt::Debug + Send + Sync + 'static
{
    /// What all series of a family have in common.
    type Layout: Clone + Send + Sync;

    /// A metric at zero.
    fn new(layout: &Self::Layout) -> Self;

    /// How many lines of a scrape it is.
    fn lines(_layout: &Self::Layout) -> usize {
        1
    }

    /// What all of them say.
    fn values(metrics: &[Self], layout: &Self::Layout) -> Values;
}

impl Metric for Counter {
    type Layout = ();

    fn new((): &()) -> Self {
        Self::default()
    }

    fn values(metrics: &[Self], (): &()) -> Values {
        Values::Whole(metrics.iter().map(Self::get).collect())
    }
}

impl Metric for Seconds {
    type Layout = ();

    fn new((): &()) -> Self {
        Self::default()
    }

    fn values(metrics: &[Self], (): &()) -> Values {
        Values::Real(metrics.iter().map(Self::get).collect())
    }
}

impl Metric for Level {
    type Layout = ();

    fn new((): &()) -> Self {
        Self::default()
    }

    fn values(metrics: &[Self], (): &()) -> Values {
        Values::Whole(metrics.iter().map(Self::get).collect())
    }
}

impl Metric for Span {
    type Layout = ();

    fn new((): &()) -> Self {
        Self::default()
    }

    fn values(metrics: &[Self], (): &()) -> Values {
        Values::Real(metrics.iter().map(Self::get).collect())
    }
}

impl Metric for Histogram {
    type Layout = Layout;

    fn new(layout: &Layout) -> Self {
        Self::new(layout)
    }

    /// The buckets, sum and count.
    fn lines(layout: &Layout) -> usize {
        layout.bounds().len() + 2
    }

    fn values(metrics: &[Self], layout: &Layout) -> Values {
        let mut histograms = Histograms::new(layout.bounds(), metrics.len());
        for histogram in metrics {
            histogram.copy_to(&mut histograms);
        }
        Values::Histograms(histograms)
    }
}
