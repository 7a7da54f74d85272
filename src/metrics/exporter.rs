//! Everything that a scrape reads, and the scrape.
//!
//! The exporter lives behind one short lock, under which a batch of events is applied as well: a
//! scrape is a consistent cut.  Under it numbers are copied; text is written behind it.

use std::sync::Arc;

use super::board::{BoardCut, PbxCut, Quarters};
use super::catalogue::Entry;
use super::exposition::{Exposition, Format};
use super::http::HttpRefusals;
use super::monitors::{Monitor, Monitors, Slot};
use super::part::Part;
use super::reloads::ConfigReloads;
use super::settings::Settings;
use super::snapshot::Samples;
use super::state::{PbxState, gauges};
use super::text::Style;
use super::{Metrics, protobuf, text};
use crate::clock::Moment;

/// The metrics and every PBX they are about.
pub struct Exporter {
    metrics: Metrics,
    /// The PBXs.
    pub monitors: Monitors,
}

impl Exporter {
    /// An exporter of these PBXs, whose recorders come from the same metrics.
    pub fn new(metrics: Metrics, monitors: Vec<Monitor>) -> Self {
        Self { metrics, monitors: Monitors::of(monitors) }
    }

    /// Adds a PBX, whose recorder comes from the metrics given to `monitor`, and gives its number:
    /// the first one is 0.
    pub fn add(&mut self, monitor: impl FnOnce(&Metrics) -> Monitor) -> usize {
        let metrics = self.metrics.alike();
        self.monitors.add(monitor(&metrics), Some(metrics))
    }

    /// Takes out a PBX that was added, with all its series.  To be dropped behind the lock: there may
    /// be hundreds of thousands of them.
    #[must_use]
    pub fn remove(&mut self, number: usize) -> Option<Slot> {
        self.monitors.take(number)
    }

    /// Counts by these settings from now on: service levels, short abandons and `_created` lines.
    /// Nothing else in them may differ from those before, but for aliases of PBXs that are added.
    pub fn change(&mut self, settings: Settings) {
        let settings = Arc::new(settings);
        self.metrics.change(&settings);
        for monitor in self.monitors.iter_mut() {
            monitor.recorder.change(&settings);
        }
    }

    /// What shows the outcome of reloads.
    pub fn reloads(&self) -> ConfigReloads {
        self.metrics.reloads.clone()
    }

    /// What counts the refusals of our HTTP side.
    pub fn http_refusals(&self) -> HttpRefusals {
        self.metrics.http.clone()
    }

    /// Whatever is counted next happens at `now`.
    pub fn pass(&self, now: Moment) {
        self.metrics.registrar.timeline().pass(now);
    }

    /// Copies all numbers as they are at `now`; to be called under the lock, and written behind it.
    pub fn snapshot(&mut self, now: Moment) -> Snapshot {
        self.pass(now);
        let states = self.monitors.iter_mut().map(|monitor| {
            let Monitor { correlator, recorder, self_metrics } = monitor;
            // Time that runs on, as an agent's pause, is counted up to now.
            correlator.flush(now, recorder);
            self_metrics.flush(now);
            recorder.demands.pass(now, correlator.session());
            PbxState::new(correlator.state(now), correlator.names(), recorder)
        });
        let states = states.collect();
        let mut snapshot = self.metrics.snapshot(states);
        for metrics in self.monitors.metrics() {
            snapshot.counted.extend(metrics.registrar.collect());
        }

        // What this scrape shows for the first time began before it.
        self.metrics.registrar.timeline().scraped(now);
        snapshot
    }

    /// Copies what the wallboard shows at `now`, with the quarters of the day that ended if they are
    /// `wanted`; to be called under the lock, and named behind it.
    ///
    /// It is no scrape: nothing that is exported changes.
    pub fn board(&mut self, now: Moment, wanted: Quarters) -> BoardCut {
        let pbxs = self.monitors.iter_mut().map(|monitor| {
            let Monitor { correlator, recorder, .. } = monitor;
            let state = PbxState::new(correlator.state(now), correlator.names(), recorder);
            PbxCut::new(now, wanted, state, recorder)
        });
        BoardCut { at: now, pbxs: pbxs.collect() }
    }

    /// What `/metrics` answers at `now`, as text.
    pub fn scrape(&mut self, now: Moment, format: Format) -> String {
        self.snapshot(now).text(&Part::All, format)
    }
}

/// The numbers of one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) counted: Vec<Samples>,
    /// The order of the families.
    pub(super) order: Vec<&'static Entry>,
    pub(super) states: Vec<PbxState>,
    /// Whether `process_*` belongs to it.
    pub(super) process: bool,
    /// Whether OpenMetrics has `_created` lines.
    pub(super) created_lines: bool,
}

impl Snapshot {
    /// The numbers as they are written; to be called behind the lock.
    pub fn named(self) -> Families {
        let mut all = self.counted;
        // Each PBX has its own part of a family.
        all.sort_by_cached_key(|part| {
            self.order.iter().position(|entry| std::ptr::eq(*entry, part.entry))
        });
        all.extend(gauges(&self.states));
        #[cfg(target_os = "linux")]
        if self.process {
            all.extend(super::process::gauges());
        }
        Families { all, created_lines: self.created_lines }
    }

    /// The page as text.
    pub fn text(self, part: &Part, format: Format) -> String {
        self.named().text(part, format)
    }
}

/// The numbers of one moment with their names, of which any page can be written.
#[derive(Debug)]
pub struct Families {
    pub(super) all: Vec<Samples>,
    created_lines: bool,
}

impl Families {
    /// The page.
    pub fn write(&self, exposition: Exposition, part: &Part) -> Vec<u8> {
        match exposition {
            Exposition::Text(format) => self.text(part, format).into_bytes(),
            Exposition::Protobuf => protobuf::write(&self.all, &part.into()),
        }
    }

    /// The same as text.
    pub fn text(&self, part: &Part, format: Format) -> String {
        let style = Style { format, created_lines: self.created_lines };
        text::write(&self.all, &part.into(), style)
    }
}
