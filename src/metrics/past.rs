//! The samples of one family over a day, of which only the changes are kept.

use std::io::{self, Write};

use super::catalogue::Entry;
use super::dated::{Dated, Point};
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
    /// The labels of the target, with a comma before each.
    common: String,
    /// The label `le` of each bucket.
    bounds: Vec<String>,
    /// In the order of the recorder; `None` for what the log does not tell.
    series: Vec<Option<One>>,
}

/// One series.
#[derive(Debug)]
struct One {
    labels: String,
    /// Whose times it has.
    queue: usize,
    /// The value up to which all is written.
    written: Option<Point>,
    /// What came after.
    changes: Vec<(u64, Point)>,
}

/// A change that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The second from which on it is seen.
    pub(super) at: u64,
    /// A series that is new was zero from here on.
    pub(super) birth: u64,
}

/// Where the samples end that are written.
#[derive(Clone, Debug)]
pub(super) struct Until {
    /// Up to here, exclusive.
    pub(super) end: u64,
    /// When counters begin at zero again.
    pub(super) zero: Option<String>,
}

/// The seconds of the samples of a queue, with their digits.
pub(super) type Times = Vec<(u64, String)>;

impl Told {
    /// Whether a series with these labels is told.
    pub(super) fn has(&self, labels: LabelSet<'_>) -> bool {
        let Some((label, values)) = self.only else { return true };
        labels.iter().any(|(name, value)| name == label && values.contains(&value.as_ref()))
    }
}

impl Past {
    pub(super) fn new(entry: &'static Entry, common: &str) -> Self {
        let (bounds, series) = (Vec::new(), Vec::new());
        Self { entry, common: common.to_owned(), bounds, series }
    }

    pub(super) const fn has_unit(&self) -> bool {
        self.entry.unit.is_some()
    }

    /// Keeps what changed.  `queue_of` has the queue of a series, and none if the series is not
    /// told; `changed` is given the queue of each series that did.
    pub(super) fn sample(
        &mut self,
        samples: &Samples,
        seen: Seen,
        queue_of: impl Fn(LabelSet<'_>) -> Option<usize>,
        mut changed: impl FnMut(usize),
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
                let zero = || (seen.birth, Point::zero(value));
                let one = queue_of(labels).map(|queue| self.one(labels, queue, zero()));
                self.series.push(one);
            }
            if let Some(one) = &mut self.series[place]
                && one.is_other(value)
            {
                one.changes.push((seen.at, Point::of(value)));
                changed(one.queue);
            }
        }
    }

    /// Adds a series that does not change from a second on.
    pub(super) fn add(&mut self, labels: LabelSet<'_>, queue: usize, value: (u64, Point)) {
        let one = self.one(labels, queue, value);
        self.series.push(Some(one));
    }

    fn one(&self, LabelSet(labels): LabelSet<'_>, queue: usize, first: (u64, Point)) -> One {
        let labels = format!("{labels}{}", self.common);
        One { labels, queue, written: None, changes: vec![first] }
    }

    /// Writes the samples at the times of each queue; returns how many there were.
    pub(super) fn write(
        &mut self,
        out: &mut impl Write,
        times: &[Times],
        until: &Until,
    ) -> io::Result<u64> {
        let Self { entry, bounds, series, .. } = self;
        let mut text = String::new();
        head(&mut text, entry, Format::OpenMetrics);
        let mut text = text.into_bytes();

        let mut count = 0;
        for one in series.iter_mut().flatten() {
            let lines = Dated::new(one.names(entry.name, bounds));
            count += one.write(lines, &times[one.queue], until, &mut text);
            if text.len() > CHUNK {
                out.write_all(&text)?;
                text.clear();
            }
        }
        // A family without samples is left out.
        if count > 0 {
            out.write_all(&text)?;
        }
        Ok(count)
    }
}

impl One {
    /// Whether a value is another than the latest one.
    fn is_other(&self, value: Value<'_>) -> bool {
        let before = self.changes.last().map(|(_, point)| point).or(self.written.as_ref());
        before.is_none_or(|point| !point.is(value))
    }

    /// Appends the samples at these times, and forgets them.
    fn write(&mut self, mut lines: Dated, times: &Times, until: &Until, text: &mut Vec<u8>) -> u64 {
        let past = self.changes.partition_point(|(at, _)| *at < until.end);
        let mut changes = self.changes.drain(..past).peekable();
        let mut count = 0;

        for (at, digits) in times {
            let mut is_changed = false;
            while let Some((_, point)) = changes.next_if(|(change, _)| change <= at) {
                self.written = Some(point);
                is_changed = true;
            }
            let Some(point) = &self.written else { continue };
            if is_changed {
                lines.set(point);
            }
            count += lines.write(text, point, digits.as_bytes());
        }
        if let Some((_, point)) = changes.last() {
            self.written = Some(point);
        }

        if let (Some(zero), Some(point)) = (&until.zero, &self.written) {
            let point = point.zeroed();
            lines.set(&point);
            count += lines.write(text, &point, zero.as_bytes());
        }
        count
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
}

/// So much text is written at once.
const CHUNK: usize = 1 << 18;
