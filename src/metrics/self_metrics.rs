//! The exporter's own metrics of one PBX: whether its session is synchronised, since when not, and
//! what was read.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::catalogue::entry;
use super::column::{Counts, Level, Seconds, Shared, Span};
use super::family::{Family, Handles};
use super::labels::{EventLabels, PbxLabels, ReasonLabels};
use super::registrar::Registrar;
use crate::clock::Moment;
use crate::correlator::OTHER;
use crate::pbx::PbxName;

/// The exporter's own metrics of all PBXs.
#[derive(Debug)]
pub(super) struct SelfFamilies {
    up: Family<PbxLabels, Shared<Level>>,
    connects: Family<PbxLabels, Shared<Counter>>,
    disconnects: Family<ReasonLabels, Counts>,
    unsynchronised: Family<PbxLabels, Shared<Seconds>>,
    events: Family<EventLabels, Shared<Counter>>,
    rejected: Family<ReasonLabels, Counts>,
    lag: Family<PbxLabels, Shared<Span>>,
}

/// The exporter's own metrics of one PBX.
#[derive(Debug)]
pub struct SelfMetrics {
    pbx: PbxName,
    up: Level,
    connects: Counter,
    disconnects: Reasons,
    unsynchronised: Seconds,
    /// Up to when that time is counted; `None` while synchronised.
    unsynchronised_since: Option<Moment>,
    events: Box<[Counter]>,
    other_events: Counter,
    rejected: Reasons,
    lag: Span,
}

type Reasons = Handles<&'static str, ReasonLabels, Counts>;

impl SelfFamilies {
    pub(super) fn new(registrar: &mut Registrar) -> Self {
        Self {
            up: registrar.family(const { entry("asterisk_up") }),
            connects: registrar.family(const { entry("asterisk_exporter_connects_total") }),
            disconnects: registrar.family(const { entry("asterisk_exporter_disconnects_total") }),
            unsynchronised: registrar
                .family(const { entry("asterisk_exporter_unsynchronized_seconds_total") }),
            events: registrar.family(const { entry("asterisk_exporter_events_total") }),
            rejected: registrar.family(const { entry("asterisk_exporter_frames_rejected_total") }),
            lag: registrar.family(const { entry("asterisk_exporter_event_lag_seconds") }),
        }
    }

    /// The metrics of `pbx`, which is not synchronised from `now` on.
    pub(super) fn of_pbx(
        &self,
        pbx: &PbxName,
        events: &[&'static str],
        now: Moment,
    ) -> SelfMetrics {
        let labels = || PbxLabels { pbx: pbx.clone() };
        let event = |event| self.events.ensure(&EventLabels { pbx: pbx.clone(), event });
        SelfMetrics {
            pbx: pbx.clone(),
            up: self.up.ensure(&labels()),
            connects: self.connects.ensure(&labels()),
            disconnects: self.disconnects.handles(),
            unsynchronised: self.unsynchronised.ensure(&labels()),
            unsynchronised_since: Some(now),
            events: events.iter().map(|&name| event(name)).collect(),
            other_events: event(OTHER),
            rejected: self.rejected.handles(),
            lag: self.lag.ensure(&labels()),
        }
    }
}

impl SelfMetrics {
    /// Starts the reasons that may come at zero.
    #[must_use]
    pub fn with_reasons(
        mut self,
        disconnects: &[&'static str],
        rejections: &[&'static str],
    ) -> Self {
        for &reason in disconnects {
            self.disconnects.ensure(reason, || ReasonLabels { pbx: self.pbx.clone(), reason });
        }
        for &reason in rejections {
            self.rejected.ensure(reason, || ReasonLabels { pbx: self.pbx.clone(), reason });
        }
        self
    }

    /// A session begins.
    pub fn connected(&self) {
        self.connects.inc();
    }

    /// The session is synchronised: from `now` on every event is counted.
    pub fn synchronised(&mut self, now: Moment) {
        self.flush(now);
        self.unsynchronised_since = None;
        self.up.set(1);
    }

    /// A session ended: from `now` on nothing is counted.
    pub fn disconnected(&mut self, reason: &'static str, now: Moment) {
        self.disconnects.ensure(reason, || ReasonLabels { pbx: self.pbx.clone(), reason }).inc();
        self.unsynchronised_since.get_or_insert(now);
        self.up.set(0);
    }

    /// An event was read; `index` is its place among the known ones.
    pub fn event(&self, index: Option<usize>) {
        index.and_then(|at| self.events.get(at)).unwrap_or(&self.other_events).inc();
    }

    /// Input was skipped.
    pub fn rejected(&mut self, reason: &'static str) {
        self.rejected.ensure(reason, || ReasonLabels { pbx: self.pbx.clone(), reason }).inc();
    }

    /// How far the last event was behind.
    pub fn lag(&self, lag: Duration) {
        self.lag.set(lag.as_secs_f64());
    }

    /// Counts the time without a synchronised session up to `now`.
    pub(super) fn flush(&mut self, now: Moment) {
        let Some(since) = self.unsynchronised_since else { return };
        self.unsynchronised.inc_by(now.since(since).as_secs_f64());
        // A clock that steps back must not have the same second counted twice.
        self.unsynchronised_since = Some(since.max(now));
    }
}
