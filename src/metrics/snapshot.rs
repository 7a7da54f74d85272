//! What a scrape copies, and what all writers write: families of series with their values.
//!
//! The numbers are copied under the lock that events are counted under.  Everything else happens
//! behind it, on the scrape's own time: gauges are named, `/proc` is read, text is written.
//!
//! Values are kept in columns, so a copy is a few long runs of numbers; the lists of labels, which
//! only grow, are shared.

use std::sync::Arc;

use super::catalogue::Entry;
use super::labels::{LabelSet, Labels};
use super::native::NativeBuckets;
use super::part::Chosen;
use super::texts::Texts;
use crate::clock::Moment;

/// One metric at one moment.
#[derive(Debug)]
pub(super) struct Samples {
    /// Its name, kind, unit and help.
    pub(super) entry: &'static Entry,
    /// The labels of each series.
    pub(super) labels: Texts,
    /// When each of them began at zero; empty for what does not count.
    pub(super) starts: Vec<Moment>,
    /// The value of each series, in the same order.
    pub(super) values: Values,
}

/// The values of a family's series.
#[derive(Debug)]
pub(super) enum Values {
    /// Counters and gauges of things.
    Whole(Vec<u64>),
    /// Counters and gauges of seconds.
    Real(Vec<f64>),
    Histograms(Histograms),
}

impl From<Vec<u64>> for Values {
    fn from(values: Vec<u64>) -> Self {
        Self::Whole(values)
    }
}

impl From<Vec<f64>> for Values {
    fn from(values: Vec<f64>) -> Self {
        Self::Real(values)
    }
}

/// The value of one series.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Whole(u64),
    Real(f64),
    Histogram(HistogramValue<'a>),
}

/// One series at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series<'a> {
    pub(super) labels: LabelSet<'a>,
    /// When it began at zero; `None` if it did not, or that is not known.
    pub(super) start: Option<Moment>,
    pub(super) value: Value<'a>,
}

impl Samples {
    /// Samples that never began at zero.
    pub(super) fn undated(entry: &'static Entry, labels: Texts, values: Values) -> Self {
        Self { entry, labels, starts: Vec::new(), values }
    }

    /// One of these.
    pub(super) fn one(entry: &'static Entry, labels: &impl Labels, values: Values) -> Self {
        let (mut text, mut texts) = (String::new(), Texts::default());
        labels.write_to(&mut text);
        texts.push(&text);
        Self::undated(entry, texts, values)
    }

    /// The value of a series.
    pub(super) fn value(&self, series: usize) -> Value<'_> {
        self.values.at(series)
    }

    /// Each series of a part.
    pub(super) fn series<'a>(&'a self, part: &'a Chosen) -> impl Iterator<Item = Series<'a>> {
        let all = self.labels.iter().map(LabelSet).enumerate();
        let wanted = all.filter(|(_, labels)| part.has(*labels));
        wanted.map(|(at, labels)| Series {
            labels,
            start: self.starts.get(at).and_then(|start| start.dated()),
            value: self.values.at(at),
        })
    }
}

impl Values {
    fn at(&self, series: usize) -> Value<'_> {
        match self {
            Self::Whole(values) => Value::Whole(values[series]),
            Self::Real(values) => Value::Real(values[series]),
            Self::Histograms(histograms) => Value::Histogram(histograms.at(series)),
        }
    }
}

/// The upper bounds of buckets, rising; the last is `+Inf`.
pub(super) type Bounds = Arc<[f64]>;

/// The histograms of one family.
#[derive(Clone, Debug)]
pub(super) struct Histograms {
    pub(super) bounds: Bounds,
    sums: Vec<f64>,
    /// What the buckets hold each, without what the buckets below hold, histogram after histogram.
    counts: Vec<u64>,
    /// One for each histogram, or none at all.
    pub(super) native: Vec<Arc<NativeBuckets>>,
    /// One place for each bucket, as in `counts`, or none at all.
    pub(super) exemplars: Vec<Option<Exemplar>>,
}

/// One histogram.
#[derive(Clone, Copy, Debug)]
pub(super) struct HistogramValue<'a> {
    pub(super) sum: f64,
    pub(super) native: Option<&'a NativeBuckets>,
    bounds: &'a [f64],
    counts: &'a [u64],
    /// Empty if there are none.
    exemplars: &'a [Option<Exemplar>],
}

/// One classic bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket<'a> {
    pub(super) bound: f64,
    /// How many observations are not above the bound.
    pub(super) count: u64,
    pub(super) exemplar: Option<&'a Exemplar>,
}

/// A call as an example of what a bucket holds.
#[derive(Clone, Debug)]
pub(super) struct Exemplar {
    pub(super) linkedid: Arc<str>,
    pub(super) value: f64,
    /// When it was counted.
    pub(super) at: Option<Moment>,
}

impl Exemplar {
    /// Its only label.
    pub(super) const LABEL: &str = "linkedid";
}

impl Histograms {
    /// None yet.
    pub(super) fn new(bounds: Bounds) -> Self {
        let (sums, counts) = (Vec::new(), Vec::new());
        Self { bounds, sums, counts, native: Vec::new(), exemplars: Vec::new() }
    }

    /// One more, at zero.
    pub(super) fn push(&mut self) {
        self.sums.push(0.0);
        self.counts.resize(self.counts.len() + self.bounds.len(), 0);
    }

    /// Observes seconds in one; the place of the bucket among all.
    pub(super) fn observe(&mut self, at: usize, seconds: f64) -> usize {
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        let place = at * self.bounds.len() + bucket;
        self.sums[at] += seconds;
        self.counts[place] += 1;
        place
    }

    pub(super) fn at(&self, series: usize) -> HistogramValue<'_> {
        let buckets = series * self.bounds.len()..(series + 1) * self.bounds.len();
        HistogramValue {
            sum: self.sums[series],
            native: self.native.get(series).map(Arc::as_ref),
            bounds: &self.bounds,
            exemplars: self.exemplars.get(buckets.clone()).unwrap_or_default(),
            counts: &self.counts[buckets],
        }
    }
}

impl<'a> HistogramValue<'a> {
    /// How many observations there were.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The bounds, each with what is not below the one before it.
    pub(super) fn counts(&self) -> impl Iterator<Item = (f64, u64)> {
        self.bounds.iter().copied().zip(self.counts.iter().copied())
    }

    /// The classic buckets, each with what is below it.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Bucket<'a>> {
        let (exemplars, counts) = (self.exemplars, self.counts);
        let mut count = 0;
        self.bounds.iter().enumerate().map(move |(at, &bound)| {
            count += counts[at];
            let exemplar = exemplars.get(at).and_then(Option::as_ref);
            Bucket { bound, count, exemplar }
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metrics::catalogue;
    use crate::metrics::labels::Fixed;

    fn entry_of(name: &str) -> &'static Entry {
        catalogue().iter().find(|entry| entry.name == name).expect("a known name")
    }

    /// A family of one series.
    pub(crate) fn family(
        name: &str,
        labels: &'static [(&'static str, &'static str)],
        value: u64,
    ) -> Samples {
        Samples::one(entry_of(name), &Fixed(labels), Values::Whole(vec![value]))
    }

    /// Histograms without labels: of each the sum, the buckets and the native ones.
    pub(crate) fn histogram(
        bounds: &[f64],
        each: &[(f64, &[u64], Option<NativeBuckets>)],
    ) -> Samples {
        let bounds = bounds.iter().copied().chain([f64::INFINITY]).collect();
        let mut histograms = Histograms::new(bounds);
        let mut labels = Texts::default();
        for (sum, counts, native) in each {
            histograms.sums.push(*sum);
            histograms.counts.extend_from_slice(counts);
            histograms.native.extend(native.clone().map(Arc::new));
            labels.push("");
        }
        let entry = entry_of("asterisk_queue_hold_seconds");
        Samples::undated(entry, labels, Values::Histograms(histograms))
    }
}
