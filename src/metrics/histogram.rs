//! Histograms as the configuration wants them: classic, with native buckets besides, or with
//! exemplars.
//!
//! prometheus-client's own histogram can be read by its encoder only, so this one counts for itself.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::native::NativeBuckets;
use super::settings::Detail;
use super::snapshot::{Bounds, Exemplar, Histograms};
use crate::correlator::Caller;

/// One histogram; its copies are the same.
#[derive(Clone, Debug)]
pub(super) struct Histogram(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    bounds: Bounds,
    sum: f64,
    /// What each bucket holds, without what the buckets below it hold.
    counts: Box<[u64]>,
    extra: Extra,
}

#[derive(Debug)]
enum Extra {
    None,
    Native(NativeBuckets),
    /// The latest of each bucket.
    Exemplars(Box<[Option<Exemplar>]>),
}

/// What the histograms of a family have in common.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    bounds: Bounds,
    detail: Detail,
}

impl Layout {
    /// Buckets up to each of `bounds`, which rise, and one above them.
    pub(super) fn new(bounds: Vec<f64>, detail: Detail) -> Self {
        Self { bounds: bounds.into_iter().chain([f64::INFINITY]).collect(), detail }
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds.clone()
    }

    fn extra(&self) -> Extra {
        match self.detail {
            // Who wants sums and no buckets wants no native ones either.
            Detail::Native if self.bounds.len() > 1 => Extra::Native(NativeBuckets::default()),
            Detail::Native | Detail::Classic => Extra::None,
            Detail::Exemplars => Extra::Exemplars(self.bounds.iter().map(|_| None).collect()),
        }
    }
}

impl Histogram {
    pub(super) fn new(layout: &Layout) -> Self {
        let counts = layout.bounds.iter().map(|_| 0).collect();
        let bounds = layout.bounds();
        Self(Arc::new(Mutex::new(Inner { bounds, sum: 0.0, counts, extra: layout.extra() })))
    }

    pub(super) fn observe(&self, seconds: f64) {
        self.observe_of(seconds, None);
    }

    /// The same of a call that may be shown as an example.
    pub(super) fn observe_of(&self, seconds: f64, of: Option<Caller<'_>>) {
        let mut inner = self.lock();
        let bucket = inner.bounds.partition_point(|bound| *bound < seconds);
        inner.sum += seconds;
        inner.counts[bucket] += 1;

        match &mut inner.extra {
            Extra::None => {}
            Extra::Native(native) => native.observe(seconds),
            // A call without a Linkedid leaves the example before it: it is still one.
            Extra::Exemplars(exemplars) => {
                if let Some(linkedid) = of.and_then(linkedid) {
                    exemplars[bucket] = Some(Exemplar { linkedid, value: seconds });
                }
            }
        }
    }

    /// Appends the numbers to those of the family.
    pub(super) fn copy_to(&self, histograms: &mut Histograms) {
        let inner = self.lock();
        histograms.push(inner.sum, &inner.counts);
        match &inner.extra {
            Extra::None => {}
            Extra::Native(native) => histograms.native.push(native.clone()),
            Extra::Exemplars(exemplars) => histograms.exemplars.extend_from_slice(exemplars),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

/// For the registry's own encoder, whose exemplars nobody else can make.
impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let inner = self.lock();
        let count = inner.counts.iter().sum();
        let buckets: Vec<_> =
            inner.bounds.iter().copied().zip(inner.counts.iter().copied()).collect();
        encoder.encode_histogram::<NoLabelSet>(inner.sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// What finds a call again.  `None` if there is no Linkedid (before Asterisk 13.5), or OpenMetrics
/// has no room for it.
fn linkedid(caller: Caller<'_>) -> Option<Arc<str>> {
    let linkedid = str::from_utf8(caller.linkedid).ok()?;
    let length = Exemplar::LABEL.len() + linkedid.chars().count();
    (!linkedid.is_empty() && length <= LONGEST_EXEMPLAR).then(|| linkedid.into())
}

/// In characters, names and values of the labels together (OpenMetrics 1.0).
const LONGEST_EXEMPLAR: usize = 128;
