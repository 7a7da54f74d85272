//! The numbers of a family's series, side by side.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::snapshot::Values;

/// The numbers of a family's series, in the order of their creation.
pub(super) trait Column: fmt::Debug + Send + 'static {
    /// What all series of a family have in common.
    type Layout: Clone + Send + Sync;

    /// For the registry.
    const TYPE: MetricType;

    /// No series yet.
    fn new(layout: &Self::Layout) -> Self;

    /// One more, at zero.
    fn push(&mut self, layout: &Self::Layout);

    /// How many lines of a scrape one is.
    fn lines(_layout: &Self::Layout) -> usize {
        1
    }

    /// A copy of all.
    fn values(&self) -> Values;

    /// Writes one with prometheus-client's own encoder.
    fn encode(&self, at: usize, encoder: MetricEncoder<'_>) -> fmt::Result;
}

/// Counters of things.
pub(super) type Counts = Vec<u64>;
/// Counters of seconds.
pub(super) type Sums = Vec<f64>;

impl Column for Counts {
    type Layout = ();
    const TYPE: MetricType = MetricType::Counter;

    fn new((): &()) -> Self {
        Self::new()
    }

    fn push(&mut self, (): &()) {
        self.push(0);
    }

    fn values(&self) -> Values {
        Values::Whole(self.clone())
    }

    fn encode(&self, at: usize, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, u64>(&self[at], None)
    }
}

impl Column for Sums {
    type Layout = ();
    const TYPE: MetricType = MetricType::Counter;

    fn new((): &()) -> Self {
        Self::new()
    }

    fn push(&mut self, (): &()) {
        self.push(0.0);
    }

    fn values(&self) -> Values {
        Values::Real(self.clone())
    }

    fn encode(&self, at: usize, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, u64>(&self[at], None)
    }
}

/// prometheus-client's own metrics, which others keep and change.
#[derive(Debug)]
pub(super) struct Shared<M>(Vec<M>);

impl<M> Shared<M> {
    pub(super) fn get(&self, at: usize) -> &M {
        &self.0[at]
    }
}

/// A metric of prometheus-client that shares its number with its copies.
pub(super) trait SharedMetric:
    EncodeMetric + TypedMetric + Clone + Default + fmt::Debug + Send + Sync + 'static
{
    /// What each of them says.
    fn values(all: &[Self]) -> Values;
}

impl<M: SharedMetric> Column for Shared<M> {
    type Layout = ();
    const TYPE: MetricType = M::TYPE;

    fn new((): &()) -> Self {
        Self(Vec::new())
    }

    fn push(&mut self, (): &()) {
        self.0.push(M::default());
    }

    fn values(&self) -> Values {
        M::values(&self.0)
    }

    fn encode(&self, at: usize, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0[at].encode(encoder)
    }
}

/// A counter of seconds.
pub(super) type Seconds = Counter<f64, AtomicU64>;
/// A gauge of things.
pub(super) type Level = Gauge<u64, AtomicU64>;
/// A gauge of seconds.
pub(super) type Span = Gauge<f64, AtomicU64>;

macro_rules! shared_metrics {
    ($($metric:ty => $values:ident),+) => { $(
        impl SharedMetric for $metric {
            fn values(all: &[Self]) -> Values {
                Values::$values(all.iter().map(Self::get).collect())
            }
        }
    )+ };
}

shared_metrics! { Counter => Whole, Seconds => Real, Level => Whole, Span => Real }
