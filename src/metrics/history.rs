//! Metrics of the past: what a log tells is counted as live, and written with the times it had.
//!
//! A [`Recorder`] counts, so names, labels and buckets are those of a live exporter.  Between two
//! samples only what changed is kept; a day is written at once, and then forgotten.

use std::io::{self, Write};

use super::Metrics;
use super::catalogue::{Entry, catalogue};
use super::dated::Point;
use super::labels::{Field, LabelSet, Labels as _, PbxLabels, escape};
use super::pace::{Pace, Span};
use super::past::{Past, Seen, Times, Told, Until};
use super::recorder::Recorder;
use super::settings::{Detail, Settings, ZeroSeries};
use crate::correlator::{Names, Observation, Observe, QueueId};
use crate::pbx::PbxName;

/// What the series of a past exporter have besides their own labels.
#[derive(Clone, Debug)]
pub struct Target {
    /// The label `pbx`.
    pub pbx: PbxName,
    /// The label `job`.
    pub job: String,
    /// The label `instance`.
    pub instance: String,
}

/// A past exporter of one PBX.
#[derive(Debug)]
pub struct History {
    metrics: Metrics,
    recorder: Recorder,
    pace: Pace,
    counted: Vec<Counted>,
    /// What is the same all the time.
    up: Past,
    targets: Past,
    /// By the label; the first is of what has no queue.
    queues: Vec<Queue>,
}

/// A family that the recorder counts.
#[derive(Debug)]
struct Counted {
    told: Told,
    /// Its place in the registrar.
    place: usize,
    past: Past,
}

/// The queues with one label.
#[derive(Debug)]
struct Queue {
    label: String,
    has_target: bool,
    /// When something changed, as far as it decides about samples that are not written.
    changes: Vec<u64>,
}

impl History {
    /// Nothing yet.
    pub fn new(settings: Settings, told: &'static [Told], target: &Target, pace: Pace) -> Self {
        // Histograms begin with their first value, which a zero stands before: most stay empty.
        let metrics = Metrics::new(Settings {
            zero_series: ZeroSeries::Few,
            detail: Detail::default(),
            created_lines: false,
            ..settings
        });

        let common = target.common();
        let past = |name| Past::new(entry_of(name), &common);
        let counted = told.iter().filter_map(|told| {
            let place = metrics.registrar.place(told.name)?;
            Some(Counted { told: *told, place, past: past(told.name) })
        });
        let counted = counted.collect();

        let mut up = past("asterisk_up");
        let mut labels = String::new();
        PbxLabels { pbx: target.pbx.clone() }.write_to(&mut labels);
        up.add(LabelSet(&labels), 0, (pace.begin(), Point::Whole(1)));

        let none = Queue { label: String::new(), has_target: false, changes: Vec::new() };
        Self {
            recorder: metrics.recorder(&target.pbx),
            targets: past("asterisk_queue_service_level_target_seconds"),
            queues: vec![none],
            metrics,
            pace,
            counted,
            up,
        }
    }

    /// A queue is in the log: its counters begin at zero.  Whether its target is configured; a
    /// queue that is not exported needs none.
    pub fn know_queue(&mut self, names: &Names, queue: QueueId) -> bool {
        let Some(label) = self.recorder.naming.queue(names, queue) else { return true };
        let target = self.recorder.target(names, queue);
        let mut text = String::new();
        PbxLabels { pbx: self.recorder.pbx.clone() }.write_to(&mut text);
        label.name.add("queue", &mut text);

        let is_new = !self.queues.iter().any(|other| other.label == text);
        if let (Some(target), true) = (target, is_new) {
            let value = (self.pace.begin(), Point::Real(target.as_secs_f64()));
            self.targets.add(LabelSet(&text), self.queues.len(), value);
        }
        if is_new {
            let has_target = target.is_some();
            self.queues.push(Queue { label: text, has_target, changes: Vec::new() });
        }
        self.observe(names, Observation::QueueKnown { queue, service_level: None });
        target.is_some()
    }

    /// Counts what the log tells.
    pub fn observe(&mut self, names: &Names, fact: Observation) {
        self.recorder.observe(names, fact, None);
    }

    /// Keeps what changed, as of the second `at`.
    pub fn sample(&mut self, at: u64) {
        let Self { metrics, counted, queues, pace, .. } = self;
        let seen = Seen { at, birth: pace.birth(at) };
        for Counted { told, place, past } in counted {
            let samples = metrics.registrar.collect_at(*place);
            let mut changed = Vec::new();
            let queue_of = |labels: LabelSet<'_>| queue_of(queues, told, labels);
            past.sample(&samples, seen, queue_of, |queue| changed.push(queue));
            for queue in changed {
                queues[queue].change(at);
            }
        }
    }

    /// Writes the samples of `span` as OpenMetrics, and forgets them.  Returns how many there were.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&mut self, out: &mut impl Write, span: Span) -> io::Result<u64> {
        let Self { counted, up, targets, queues, pace, .. } = self;
        let times: Vec<Times> = queues.iter().map(|queue| queue.times(*pace, span)).collect();
        let states = Until { end: span.end, zero: None };
        let until = Until { zero: zero(span), ..states.clone() };
        let mut pasts = vec![(up, &states), (targets, &states)];
        pasts.extend(counted.iter_mut().map(|counted| (&mut counted.past, &until)));

        let mut count = 0;
        // As on a page: families without a unit first.
        for with_unit in [false, true] {
            for (past, until) in pasts.iter_mut().filter(|(past, _)| past.has_unit() == with_unit) {
                count += past.write(out, &times, until)?;
            }
        }
        out.write_all(b"# EOF\n")?;

        let needed = span.end.saturating_sub(pace.lead());
        for queue in queues {
            queue.changes.retain(|change| *change >= needed);
        }
        Ok(count)
    }
}

impl Target {
    /// The labels that Prometheus adds, with a comma before each.
    fn common(&self) -> String {
        let mut common = String::new();
        for (name, value) in [("job", &self.job), ("instance", &self.instance)] {
            common.push_str(&format!(",{name}=\""));
            escape(&mut common, value);
            common.push('"');
        }
        common
    }
}

impl Queue {
    fn change(&mut self, at: u64) {
        if self.changes.last() != Some(&at) {
            self.changes.push(at);
        }
    }

    fn times(&self, pace: Pace, span: Span) -> Times {
        let times = pace.times(&self.changes, span).into_iter();
        times.map(|at| (at, itoa::Buffer::new().format(at).to_owned())).collect()
    }
}

/// Just after the last sample: the exporter that goes on may be scraped within the second.
fn zero(span: Span) -> Option<String> {
    let last = span.last.filter(|last| span.restarts && *last < span.end)?;
    Some(format!("{last}.001"))
}

/// The queue of a series, if it is told.
fn queue_of(queues: &[Queue], told: &Told, labels: LabelSet<'_>) -> Option<usize> {
    let of = |queue: &Queue| labels.is_of(&queue.label);
    let at = queues.iter().skip(1).position(of)? + 1;
    (told.has(labels) && (queues[at].has_target || !told.needs_target)).then_some(at)
}

fn entry_of(name: &str) -> &'static Entry {
    let entry = catalogue().iter().find(|entry| entry.name == name);
    entry.expect("what is told is in the catalogue, as a test checks")
}
