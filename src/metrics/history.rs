//! Metrics of the past: what a log tells is counted as live, and written with the times it had.
//!
//! A [`Recorder`] counts, so names, labels and buckets are those of a live exporter.  Between two
//! samples only what changed is kept; a day is written at once, and then forgotten.

use std::io::{self, Write};

use super::Metrics;
use super::catalogue::{Entry, catalogue};
use super::labels::{Field, escape};
use super::past::{Past, Span, Told};
use super::recorder::Recorder;
use super::settings::{AgentLabel, Detail, Settings, ZeroSeries};
use crate::correlator::{Names, Observation, Observe, QueueId};
use crate::pbx::PbxName;

/// What the series of a past exporter have besides their own labels.
#[derive(Clone, Debug)]
pub struct Target {
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
    pasts: Vec<Past>,
    /// The label of each queue without a target, as it ends a label set.
    untargeted: Vec<String>,
}

impl History {
    /// Nothing yet.  Without `by_agent` all agents of a queue are one series, as with
    /// `agent_label: none`.
    pub fn new(
        settings: Settings,
        pbx: &PbxName,
        told: &'static [Told],
        target: &Target,
        by_agent: bool,
    ) -> Self {
        let agent_label = if by_agent { settings.agent_label.clone() } else { AgentLabel::None };
        // Histograms begin with their first value, which a zero stands before: most stay empty.
        let metrics = Metrics::new(Settings {
            agent_label,
            zero_series: ZeroSeries::Few,
            detail: Detail::default(),
            created_lines: false,
            ..settings
        });

        let mut common = String::new();
        for (name, value) in [("job", &target.job), ("instance", &target.instance)] {
            common.push_str(&format!(",{name}=\""));
            escape(&mut common, value);
            common.push('"');
        }
        let recorder = metrics.recorder(pbx);
        let pasts = told.iter().map(|told| Past::new(entry_of(told), *told, &common)).collect();
        Self { metrics, recorder, pasts, untargeted: Vec::new() }
    }

    /// A queue is in the log: its counters begin at zero.  Whether its target is configured; a
    /// queue that is not exported needs none.
    pub fn know_queue(&mut self, names: &Names, queue: QueueId) -> bool {
        self.observe(names, Observation::QueueKnown { queue, service_level: None });
        let Some(label) = self.recorder.naming.queue(names, queue) else { return true };
        let has_target = self.recorder.target(names, queue).is_some();
        if !has_target {
            let mut text = String::new();
            label.name.add("queue", &mut text);
            self.untargeted.push(text);
        }
        has_target
    }

    /// Counts what the log tells.
    pub fn observe(&mut self, names: &Names, fact: Observation) {
        self.recorder.observe(names, fact, None);
    }

    /// Keeps what changed as of the second `at`; what is new was zero at `before`.
    pub fn sample(&mut self, at: u64, before: u64) {
        let Self { metrics, pasts, untargeted, .. } = self;
        for past in pasts {
            let Some(samples) = metrics.registrar.collect_one(past.name()) else { continue };
            past.sample(&samples, at, before, |labels| {
                untargeted.iter().any(|queue| labels.0.ends_with(queue.as_str()))
            });
        }
    }

    /// Writes the samples of `span` as OpenMetrics, and forgets them.  Returns how many there were.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&mut self, out: &mut impl Write, span: Span) -> io::Result<u64> {
        let mut count = 0;
        // As on a page: families without a unit first.
        for with_unit in [false, true] {
            let pasts = self.pasts.iter_mut().filter(|past| past.has_unit() == with_unit);
            for past in pasts {
                count += past.write(out, span)?;
            }
        }
        out.write_all(b"# EOF\n")?;
        Ok(count)
    }
}

fn entry_of(told: &Told) -> &'static Entry {
    let entry = catalogue().iter().find(|entry| entry.name == told.name);
    entry.expect("what is told is in the catalogue, as a test checks")
}
