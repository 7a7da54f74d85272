//! Histograms as the configuration wants them: classic, maybe with native buckets besides, maybe
//! with exemplars.
//!
//! prometheus-client's own histogram can be read by its encoder only, so these count for themselves.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::column::Column;
use super::family::One;
use super::native::NativeBuckets;
use super::settings::Detail;
use super::snapshot::{Bounds, Exemplar, Histograms, Values};
use super::timeline::Timeline;
use crate::correlator::Caller;

/// The histograms of a family, and what they have in common.
#[derive(Debug)]
pub(super) struct Distributions {
    layout: Layout,
    all: Histograms,
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

    /// Who wants sums and no buckets wants no native ones either.
    fn has_native(&self) -> bool {
        self.detail.native && self.bounds.len() > 1
    }
}

impl Column for Distributions {
    type Layout = Layout;
    const TYPE: MetricType = MetricType::Histogram;

    fn new(layout: &Layout) -> Self {
        Self { layout: layout.clone(), all: Histograms::new(layout.bounds.clone()) }
    }

    fn push(&mut self, layout: &Layout) {
        self.all.push();
        if layout.has_native() {
            self.all.native.push(Arc::default());
        }
        if layout.detail.exemplars {
            self.all.exemplars.extend(layout.bounds.iter().map(|_| None));
        }
    }

    /// The buckets, sum and count.
    fn lines(layout: &Layout) -> usize {
        layout.bounds.len() + 2
    }

    fn values(&self) -> Values {
        Values::Histograms(self.all.clone())
    }

    /// Exemplars are left out: nobody else can make one.
    fn encode(&self, at: usize, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let one = self.all.at(at);
        let buckets: Vec<_> = one.counts().collect();
        encoder.encode_histogram::<NoLabelSet>(one.sum, one.count(), &buckets, None)
    }
}

impl One<'_, Distributions> {
    pub(super) fn observe(self, seconds: f64) {
        self.observe_of(seconds, None);
    }

    /// The same of a call that may be shown as an example.
    pub(super) fn observe_of(mut self, seconds: f64, of: Option<Caller<'_>>) {
        let at = self.at();
        let Distributions { layout, all } = &mut *self;
        let bucket = all.observe(at, seconds);

        if let Some(native) = all.native.get_mut(at) {
            NativeBuckets::observe(Arc::make_mut(native), seconds);
        }
        // A call without a Linkedid leaves the example before it: it is still one.
        if let Some(exemplar) = all.exemplars.get_mut(bucket)
            && let Some(linkedid) = of.and_then(linkedid)
        {
            let at = layout.timeline.now();
            *exemplar = Some(Exemplar { linkedid, value: seconds, at });
        }
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
