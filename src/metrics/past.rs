//! The samples of one family over a day, of which only the changes are kept.

use std::io::{self, Write};

use super::catalogue::Entry;
use super::exposition::Format;
use super::labels::LabelSet;
use super::snapshot::{Samples, Value, Values};
use super::text::{bound, head};

/// A metric, as far as a log tells it.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// The label that decides, and its values that are told; without it, all are.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// It is told only of queues whose target the configuration has.
    pub needs_target: bool,
}

/// A family.
#[derive(Debug)]
pub(super) struct Past {
    entry: &'static Entry,
    told: Told,
    /// The labels of the target, with a comma before each.
    common: String,
    /// The label `le` of each bucket.
    bounds: Vec<String>,
    /// In the order of the recorder; `None` for what the log does not tell.
    series: Vec<Option<One>>,
}

/// The time that is written: seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Up to here, exclusive.
    pub end: u64,
    /// A series that does not change has a sample this often.
    pub beat: u64,
    /// It is the last: all series have a sample at this second.
    pub last: Option<u64>,
}

/// One series.
#[derive(Debug)]
struct One {
    labels: String,
    /// What was written last, and when.
    written: Option<(u64, Point)>,
    /// What came after.
    changes: Vec<(u64, Point)>,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
enum Point {
    Whole(u64),
    Real(f64),
    /// The sum, and the buckets, each with what is below it.
    Histogram(f64, Box<[u64]>),
}

impl Told {
    /// Whether a series with these labels is told.
    fn has(&self, labels: LabelSet<'_>) -> bool {
        let Some((label, values)) = self.only else { return true };
        labels.iter().any(|(name, value)| name == label && values.contains(&value.as_ref()))
    }
}

impl Past {
    pub(super) fn new(entry: &'static Entry, told: Told, common: &str) -> Self {
        let (bounds, series) = (Vec::new(), Vec::new());
        Self { entry, told, common: common.to_owned(), bounds, series }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.entry.name
    }

    pub(super) const fn has_unit(&self) -> bool {
        self.entry.unit.is_some()
    }

    /// Keeps what changed; what is new was zero at `before`.
    pub(super) fn sample(
        &mut self,
        samples: &Samples,
        at: u64,
        before: u64,
        is_untargeted: impl Fn(LabelSet<'_>) -> bool,
    ) {
        if let Values::Histograms(histograms) = &samples.values
            && self.bounds.is_empty()
        {
            self.bounds = histograms.bounds.iter().copied().map(bound).collect();
        }

        for place in 0..samples.labels.len() {
            let value = samples.value(place);
            if place == self.series.len() {
                let labels = LabelSet(samples.labels.get(place));
                let is_told =
                    self.told.has(labels) && !(self.told.needs_target && is_untargeted(labels));
                let labels = || format!("{}{}", labels.0, self.common);
                self.series.push(is_told.then(|| One::new(labels(), before, zero(value))));
            }
            if let Some(one) = &mut self.series[place] {
                one.take(at, value);
            }
        }
    }

    /// Writes the samples of a span; returns how many there were.
    pub(super) fn write(&mut self, out: &mut impl Write, span: Span) -> io::Result<u64> {
        let Self { entry, bounds, series, .. } = self;
        let mut text = String::new();
        head(&mut text, entry, Format::OpenMetrics);

        let mut count = 0;
        for one in series.iter_mut().flatten() {
            let names = one.names(entry.name, bounds);
            one.drain(span, |at, point| {
                point.write(&mut text, &names, at);
                count += names.len() as u64;
            });
            if text.len() > CHUNK {
                out.write_all(text.as_bytes())?;
                text.clear();
            }
        }
        // A family without samples is left out.
        if count > 0 {
            out.write_all(text.as_bytes())?;
        }
        Ok(count)
    }
}

impl One {
    fn new(labels: String, before: u64, zero: Point) -> Self {
        Self { labels, written: None, changes: vec![(before, zero)] }
    }

    /// The value at a second, which is kept if it is another than before.
    fn take(&mut self, at: u64, value: Value<'_>) {
        let before = self.changes.last().or(self.written.as_ref());
        if before.is_none_or(|(_, point)| !point.is(value)) {
            self.changes.push((at, Point::of(value)));
        }
    }

    /// What stands before each number.
    fn names(&self, name: &str, bounds: &[String]) -> Vec<String> {
        let labels = &self.labels;
        if bounds.is_empty() {
            return vec![format!("{name}{{{labels}}} ")];
        }
        let whole = ["sum", "count"].map(|part| format!("{name}_{part}{{{labels}}} "));
        let buckets = bounds.iter().map(|bound| format!("{name}_bucket{{{bound},{labels}}} "));
        whole.into_iter().chain(buckets).collect()
    }

    /// Gives away the samples before the end of a span: the changes, and between them one for each
    /// beat.
    fn drain(&mut self, span: Span, mut take: impl FnMut(u64, &Point)) {
        let past = self.changes.partition_point(|(at, _)| *at < span.end);
        for (at, point) in self.changes.drain(..past) {
            beats(&mut self.written, span.beat, at, &mut take);
            take(at, &point);
            self.written = Some((at, point));
        }

        let end = span.last.unwrap_or(span.end).min(span.end);
        beats(&mut self.written, span.beat, end, &mut take);
        if let (Some(last), Some((at, point))) = (span.last, &mut self.written)
            && *at < last
            && last < span.end
        {
            *at = last;
            take(last, point);
        }
    }
}

/// The samples after the last one and before `end`.
fn beats(
    written: &mut Option<(u64, Point)>,
    beat: u64,
    end: u64,
    take: &mut impl FnMut(u64, &Point),
) {
    let Some((at, point)) = written else { return };
    while *at + beat < end {
        *at += beat;
        take(*at, point);
    }
}

impl Point {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Whole(value) => Self::Whole(value),
            Value::Real(value) => Self::Real(value),
            Value::Histogram(histogram) => Self::Histogram(
                histogram.sum,
                histogram.buckets().map(|bucket| bucket.count).collect(),
            ),
        }
    }

    fn is(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Whole(one), Value::Whole(other)) => *one == other,
            (Self::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
            // The last bucket has all.
            (Self::Histogram(_, buckets), Value::Histogram(histogram)) => {
                buckets.last() == Some(&histogram.count())
            }
            _ => false,
        }
    }

    fn write(&self, text: &mut String, names: &[String], at: u64) {
        let mut line = |name: &str, number: &str| {
            for part in [name, number, " ", itoa::Buffer::new().format(at), "\n"] {
                text.push_str(part);
            }
        };
        match self {
            Self::Whole(value) => line(&names[0], itoa::Buffer::new().format(*value)),
            Self::Real(value) => line(&names[0], dtoa::Buffer::new().format(*value)),
            Self::Histogram(sum, buckets) => {
                line(&names[0], dtoa::Buffer::new().format(*sum));
                let count = buckets.last().copied().unwrap_or_default();
                line(&names[1], itoa::Buffer::new().format(count));
                for (name, bucket) in names[2..].iter().zip(buckets) {
                    line(name, itoa::Buffer::new().format(*bucket));
                }
            }
        }
    }
}

fn zero(value: Value<'_>) -> Point {
    match value {
        Value::Whole(_) => Point::Whole(0),
        Value::Real(_) => Point::Real(0.0),
        Value::Histogram(histogram) => {
            Point::Histogram(0.0, histogram.buckets().map(|_| 0).collect())
        }
    }
}

/// So much text is written at once.
const CHUNK: usize = 1 << 16;
