//! Histograms as the configuration wants them: plain, with native buckets beside the classic ones,
//! or with exemplars.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::MetricConstructor;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::settings::Detail;
use super::sparse::Sparse;
use crate::correlator::Caller;

/// One histogram.
#[derive(Clone, Debug)]
pub(super) enum Distribution {
    Classic(Histogram),
    /// The sparse buckets are told beside the text, which has no words for them.
    Native {
        classic: Histogram,
        sparse: Option<Arc<Mutex<Sparse>>>,
        told: Told,
    },
    Exemplary(HistogramWithExemplars<CallLabels>),
}

/// The sparse buckets of the histograms in a text, in its order: where the one that is being
/// written puts them.
///
/// `None` stands for a histogram that has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<Vec<Option<Sparse>>>>);

impl Told {
    /// What was told since the last time.
    pub(super) fn take(&self) -> Vec<Option<Sparse>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, sparse: Option<Sparse>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sparse);
    }
}

/// What finds a call again: an exemplar's only label.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct CallLabels {
    linkedid: String,
}

impl CallLabels {
    /// `None` if there is no Linkedid (before Asterisk 13.5), or OpenMetrics has no room for it.
    fn of(caller: Caller<'_>) -> Option<Self> {
        let linkedid = str::from_utf8(caller.linkedid).ok()?;
        let fits =
            !linkedid.is_empty() && "linkedid".len() + linkedid.chars().count() <= LONGEST_EXEMPLAR;
        fits.then(|| Self { linkedid: linkedid.to_owned() })
    }
}

impl Distribution {
    pub(super) fn observe(&self, seconds: f64) {
        self.observe_of(seconds, None);
    }

    /// The same of a call that may be shown as an example.
    pub(super) fn observe_of(&self, seconds: f64, of: Option<Caller<'_>>) {
        match self {
            Self::Classic(histogram) => histogram.observe(seconds),
            Self::Native { classic, sparse, told: _ } => {
                classic.observe(seconds);
                if let Some(sparse) = sparse {
                    sparse.lock().unwrap_or_else(PoisonError::into_inner).observe(seconds);
                }
            }
            // Without a time of its own an exemplar gets that of the scrape which shows it first.
            Self::Exemplary(histogram) => {
                histogram.observe(seconds, of.and_then(CallLabels::of), None);
            }
        }
    }
}

impl TypedMetric for Distribution {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Distribution {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Classic(histogram) => histogram.encode(encoder),
            Self::Native { classic, sparse, told } => {
                let sparse = sparse
                    .as_ref()
                    .map(|sparse| sparse.lock().unwrap_or_else(PoisonError::into_inner).clone());
                told.put(sparse);
                classic.encode(encoder)
            }
            Self::Exemplary(histogram) => histogram.encode(encoder),
        }
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// Makes histograms with these bounds, and `+Inf`.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    edges: Arc<[f64]>,
    detail: Detail,
    told: Told,
}

impl Bounds {
    pub(super) fn new(edges: Vec<f64>, detail: Detail, told: Told) -> Self {
        Self { edges: edges.into(), detail, told }
    }
}

impl MetricConstructor<Distribution> for Bounds {
    fn new_metric(&self) -> Distribution {
        let edges = self.edges.iter().copied();
        match self.detail {
            Detail::Classic => Distribution::Classic(Histogram::new(edges)),
            // Who wants sums and no buckets wants no sparse ones either.
            Detail::Native => Distribution::Native {
                classic: Histogram::new(edges),
                sparse: (!self.edges.is_empty()).then(Arc::default),
                told: self.told.clone(),
            },
            Detail::Exemplars => Distribution::Exemplary(HistogramWithExemplars::new(edges)),
        }
    }
}

/// In characters, names and values of the labels together (OpenMetrics 1.0).
const LONGEST_EXEMPLAR: usize = 128;
