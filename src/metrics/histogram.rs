//! Histograms as the configuration wants them: classic, maybe with native buckets besides, maybe
//! with exemplars.
//!
//! prometheus-client's own histogram can be read by its encoder only, so this one counts for itself.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::native::NativeBuckets;
use super::settings::Detail;
use super::snapshot::{Bounds, Exemplar, Histograms};
use super::timeline::Timeline;
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
    native: Option<NativeBuckets>,
    exemplars: Option<Exemplars>,
}

/// The calls that are shown as examples.
#[derive(Debug)]
struct Exemplars {
    /// The latest of each bucket.
    latest: Box<[Option<Exemplar>]>,
    timeline: Arc<Timeline>,
}

/// What the histograms of a family have in common.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    bounds: Bounds,
    detail: Detail,
    timeline: Arc<Timeline>,
}

impl Layout {
    /// Buckets up to each of `bounds`, which rise, and one above them.
    pub(super) fn new(bounds: Vec<f64>, detail: Detail) -> Self {
        let bounds = bounds.into_iter().chain([f64::INFINITY]).collect();
        Self { bounds, detail, timeline: Arc::default() }
    }

    /// The same, with exemplars of the times of `timeline`.
    pub(super) fn on(self, timeline: Arc<Timeline>) -> Self {
        Self { timeline, ..self }
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds.clone()
    }

    /// Who wants sums and no buckets wants no native ones either.
    fn native(&self) -> Option<NativeBuckets> {
        (self.detail.native && self.bounds.len() > 1).then(NativeBuckets::default)
    }

    fn exemplars(&self) -> Option<Exemplars> {
        self.detail.exemplars.then(|| Exemplars {
            latest: self.bounds.iter().map(|_| None).collect(),
            timeline: self.timeline.clone(),
        })
    }
}

impl Histogram {
    pub(super) fn new(layout: &Layout) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            bounds: layout.bounds(),
            sum: 0.0,
            counts: layout.bounds.iter().map(|_| 0).collect(),
            native: layout.native(),
            exemplars: layout.exemplars(),
        })))
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

        if let Some(native) = &mut inner.native {
            native.observe(seconds);
        }
        // A call without a Linkedid leaves the example before it: it is still one.
        if let Some(exemplars) = &mut inner.exemplars
            && let Some(linkedid) = of.and_then(linkedid)
        {
            let at = exemplars.timeline.now();
            exemplars.latest[bucket] = Some(Exemplar { linkedid, value: seconds, at });
        }
    }

    /// Appends the numbers to those of the family.
    pub(super) fn copy_to(&self, histograms: &mut Histograms) {
        let inner = self.lock();
        histograms.push(inner.sum, &inner.counts);
        histograms.native.extend(inner.native.clone());
        if let Some(exemplars) = &inner.exemplars {
            histograms.exemplars.extend_from_slice(&exemplars.latest);
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
