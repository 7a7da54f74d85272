//! Families of counters, gauges and histograms, and their series by id.
//!
//! prometheus-client's own `Family` can be read by its encoder only, and has an allocation for each
//! number.  This one is registered on its registry, keeps the numbers of all series in one
//! [`Column`], and so is copied as [`Samples`] in a few long runs.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

use super::budget::Budget;
use super::catalogue::Entry;
use super::column::{Column, Counts, Shared, SharedMetric, Sums};
use super::labels::{LabelSet, Labels};
use super::snapshot::Samples;
use super::texts::Texts;
use super::timeline::Timeline;
use crate::clock::Moment;

/// Every series of one metric, with labels `L` and numbers in `C`; its copies are the same family.
pub(super) struct Family<L, C: Column> {
    series: Arc<Mutex<Series<C>>>,
    layout: C::Layout,
    timeline: Arc<Timeline>,
    labels: PhantomData<fn(L)>,
}

/// The series in the order of their creation, which is that of the text.
#[derive(Debug)]
struct Series<C> {
    places: Places,
    starts: Vec<Moment>,
    column: C,
}

impl<L: Labels, C: Column> Family<L, C> {
    pub(super) fn new(layout: C::Layout, timeline: Arc<Timeline>) -> Self {
        let (places, starts) = (Places::default(), Vec::new());
        let series = Series { places, starts, column: C::new(&layout) };
        Self { series: Arc::new(Mutex::new(series)), layout, timeline, labels: PhantomData }
    }

    /// The place of the series with these labels, which is zero if it is new.
    fn ensure_place(&self, labels: &L) -> u32 {
        let mut series = self.lock();
        let (at, new) = series.places.ensure(labels);
        if new {
            series.column.push(&self.layout);
            series.starts.push(self.timeline.start());
        }
        at
    }

    /// How many lines of a scrape one series is.
    pub(super) fn lines(&self) -> usize {
        C::lines(&self.layout)
    }

    /// The family for one PBX, whose ids are the keys.
    pub(super) fn handles<K>(&self) -> Handles<K, L, C> {
        Handles { family: self.clone(), by_key: HashMap::default() }
    }
}

impl<L: Labels, M: SharedMetric> Family<L, Shared<M>> {
    /// The metric with these labels, for whoever keeps it.
    pub(super) fn ensure(&self, labels: &L) -> M {
        let at = self.ensure_place(labels);
        self.lock().column.get(at as usize).clone()
    }
}

impl<L, C: Column> Family<L, C> {
    fn lock(&self) -> MutexGuard<'_, Series<C>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L, C: Column> Clone for Family<L, C> {
    fn clone(&self) -> Self {
        Self {
            series: self.series.clone(),
            layout: self.layout.clone(),
            timeline: self.timeline.clone(),
            labels: PhantomData,
        }
    }
}

impl<L, C: Column> fmt::Debug for Family<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("series", &self.series).finish()
    }
}

/// For the registry's own encoder.
impl<L, C: Column> EncodeMetric for Family<L, C> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let series = self.lock();
        for (at, labels) in series.places.labels.iter().enumerate() {
            series.column.encode(at, encoder.encode_family(&LabelSet(labels))?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        C::TYPE
    }

    fn is_empty(&self) -> bool {
        self.lock().places.labels.is_empty()
    }
}

/// A family with its series found by `K`, which is small and `Copy`: the hot path builds no labels.
///
/// Each PBX has its own, as ids mean something else on another PBX.
#[derive(Debug)]
pub(super) struct Handles<K, L, C: Column> {
    family: Family<L, C>,
    by_key: HashMap<K, u32, DefaultHashBuilder>,
}

impl<K: Eq + Hash, L: Labels, C: Column> Handles<K, L, C> {
    /// The series of `key`, made at its first use, which is also how it starts at zero.
    pub(super) fn ensure(&mut self, key: K, labels: impl FnOnce() -> L) -> One<'_, C> {
        let at = self.find(&key).unwrap_or_else(|| self.add(key, labels));
        self.at(at)
    }

    /// The same if the budget has room for it; else what `other` gives, whose room is kept.
    pub(super) fn ensure_within(
        &mut self,
        budget: &Budget,
        key: K,
        labels: impl FnOnce() -> L,
        other: impl FnOnce() -> (K, L),
    ) -> One<'_, C> {
        let at = self.find(&key).unwrap_or_else(|| self.add_within(budget, key, labels, other));
        self.at(at)
    }

    fn find(&self, key: &K) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    fn at(&self, at: u32) -> One<'_, C> {
        One { series: self.family.lock(), at: at as usize }
    }

    // Apart from what each event needs, of which there should be little.
    #[cold]
    #[inline(never)]
    fn add(&mut self, key: K, labels: impl FnOnce() -> L) -> u32 {
        let at = self.family.ensure_place(&labels());
        self.by_key.insert(key, at);
        at
    }

    #[cold]
    #[inline(never)]
    fn add_within(
        &mut self,
        budget: &Budget,
        key: K,
        labels: impl FnOnce() -> L,
        other: impl FnOnce() -> (K, L),
    ) -> u32 {
        if budget.take(self.family.lines()) {
            return self.add(key, labels);
        }
        // One address for each family: keys of two may be alike.
        budget.refuse((Arc::as_ptr(&self.family.series) as usize, key));
        let (key, labels) = other();
        self.find(&key).unwrap_or_else(|| self.add(key, || labels))
    }

    /// Starts a series at zero before anything happens to it, if `room` has so many lines for it;
    /// whether there is one now.
    pub(super) fn begin(
        &mut self,
        room: impl FnOnce(usize) -> bool,
        key: K,
        labels: impl FnOnce() -> L,
    ) -> bool {
        if self.has(&key) {
            return true;
        }
        let has_room = room(self.family.lines());
        if has_room {
            self.add(key, labels);
        }
        has_room
    }

    /// Whether there is a series of `key`.
    pub(super) fn has(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// How many keys lead to a series.
    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.by_key.len()
    }

    /// Starts a series at zero that no key leads to yet.
    pub(super) fn start(&self, labels: &L) {
        self.family.ensure_place(labels);
    }
}

/// One series, which nobody else changes meanwhile.
pub(super) struct One<'a, C> {
    series: MutexGuard<'a, Series<C>>,
    at: usize,
}

impl<C> One<'_, C> {
    /// Its place in the column.
    pub(super) const fn at(&self) -> usize {
        self.at
    }
}

impl<C> Deref for One<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.series.column
    }
}

impl<C> DerefMut for One<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.series.column
    }
}

impl One<'_, Counts> {
    pub(super) fn inc(self) {
        self.inc_by(1);
    }

    pub(super) fn inc_by(mut self, more: u64) {
        let at = self.at();
        self[at] += more;
    }
}

impl One<'_, Sums> {
    pub(super) fn inc_by(mut self, seconds: f64) {
        let at = self.at();
        self[at] += seconds;
    }
}

/// Labels and their places: in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Places {
    labels: Texts,
    /// Places by label text.
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// The labels that are looked for.
    wanted: String,
}

impl Places {
    /// The place of these labels, and whether it is new.
    pub(super) fn ensure(&mut self, labels: &impl Labels) -> (u32, bool) {
        self.wanted.clear();
        labels.write_to(&mut self.wanted);

        let Self { labels, index, hasher, wanted } = self;
        let hash = hasher.hash_one(wanted.as_str());
        if let Some(&at) = index.find(hash, |&at| labels.get(at as usize) == wanted) {
            return (at, false);
        }
        let at = u32::try_from(labels.len()).expect("the series of a PBX are limited");
        labels.push(wanted);
        index.insert_unique(hash, at, |&at| hasher.hash_one(labels.get(at as usize)));
        (at, true)
    }

    /// The labels, as they are.
    pub(super) fn into_labels(self) -> Texts {
        self.labels
    }
}

/// What a scrape copies.
pub(super) trait Collect: fmt::Debug + Send + Sync {
    /// The numbers now, under the name of `entry`.
    fn collect(&self, entry: &'static Entry) -> Samples;
}

impl<L, C: Column> Collect for Family<L, C> {
    fn collect(&self, entry: &'static Entry) -> Samples {
        let series = self.lock();
        let labels = series.places.labels.clone();
        let starts = if entry.kind.counts() { series.starts.clone() } else { Vec::new() };
        Samples { entry, labels, starts, values: series.column.values() }
    }
}
