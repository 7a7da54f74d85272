//! Our own health, as far as one PBX is concerned: is it seen, since when not, and what was read.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::catalogue::entry;
use super::labels::{EventLabels, PbxLabels, WhyLabels};
use super::shelf::{Kept, Level, Seconds, Shelf, Span};
use crate::clock::Moment;
use crate::correlator::OTHER;
use crate::pbx::PbxName;

/// The exporter's own metrics for all PBXs.
#[derive(Debug)]
pub(super) struct OwnMetrics {
    up: Family<PbxLabels, Level>,
    connects: Family<PbxLabels, Counter>,
    disconnects: Reasons,
    blind: Family<PbxLabels, Seconds>,
    events: Family<EventLabels, Counter>,
    rejected: Reasons,
    lag: Family<PbxLabels, Span>,
}

type Reasons = Kept<&'static str, WhyLabels, Counter>;

impl OwnMetrics {
    pub(super) fn new(shelf: &mut Shelf) -> Self {
        Self {
            up: shelf.family(const { entry("asterisk_up") }),
            connects: shelf.family(const { entry("asterisk_exporter_connects_total") }),
            disconnects: shelf.kept(const { entry("asterisk_exporter_disconnects_total") }),
            blind: shelf.family(const { entry("asterisk_exporter_unsynchronized_seconds_total") }),
            events: shelf.family(const { entry("asterisk_exporter_events_total") }),
            rejected: shelf.kept(const { entry("asterisk_exporter_frames_rejected_total") }),
            lag: shelf.family(const { entry("asterisk_exporter_event_lag_seconds") }),
        }
    }

    /// The metrics of `pbx`, which is not seen from `now` on.
    pub(super) fn of_pbx(&self, pbx: &PbxName, events: &[&'static str], now: Moment) -> Own {
        let labels = PbxLabels { pbx: pbx.clone() };
        let event =
            |event| self.events.get_or_create_owned(&EventLabels { pbx: pbx.clone(), event });
        Own {
            pbx: pbx.clone(),
            up: self.up.get_or_create_owned(&labels),
            connects: self.connects.get_or_create_owned(&labels),
            disconnects: self.disconnects.clone(),
            blind: self.blind.get_or_create_owned(&labels),
            blind_since: Some(now),
            events: events.iter().map(|&name| event(name)).collect(),
            other_events: event(OTHER),
            rejected: self.rejected.clone(),
            lag: self.lag.get_or_create_owned(&labels),
        }
    }
}

/// Our health for one PBX.
#[derive(Debug)]
pub struct Own {
    pbx: PbxName,
    up: Level,
    connects: Counter,
    disconnects: Reasons,
    blind: Seconds,
    /// Up to when blindness is counted; `None` while synchronised.
    blind_since: Option<Moment>,
    events: Box<[Counter]>,
    other_events: Counter,
    rejected: Reasons,
    lag: Span,
}

impl Own {
    /// Lets the reasons that may come stand at zero.
    #[must_use]
    pub fn with_reasons(
        mut self,
        disconnects: &[&'static str],
        rejections: &[&'static str],
    ) -> Self {
        for &reason in disconnects {
            self.disconnects.of(reason, || WhyLabels { pbx: self.pbx.clone(), reason });
        }
        for &reason in rejections {
            self.rejected.of(reason, || WhyLabels { pbx: self.pbx.clone(), reason });
        }
        self
    }

    /// A session begins.
    pub fn connected(&self) {
        self.connects.inc();
    }

    /// The session is synchronised: from `now` on everything is seen.
    pub fn synchronised(&mut self, now: Moment) {
        self.flush(now);
        self.blind_since = None;
        self.up.set(1);
    }

    /// A session ended: from `now` on nothing is seen.
    pub fn disconnected(&mut self, reason: &'static str, now: Moment) {
        self.disconnects.of(reason, || WhyLabels { pbx: self.pbx.clone(), reason }).inc();
        self.blind_since.get_or_insert(now);
        self.up.set(0);
    }

    /// An event was read; `index` is its place among the known ones.
    pub fn event(&self, index: Option<usize>) {
        index.and_then(|at| self.events.get(at)).unwrap_or(&self.other_events).inc();
    }

    /// Input was skipped.
    pub fn rejected(&mut self, reason: &'static str) {
        self.rejected.of(reason, || WhyLabels { pbx: self.pbx.clone(), reason }).inc();
    }

    /// How far the last event was behind.
    pub fn lag(&self, lag: Duration) {
        self.lag.set(lag.as_secs_f64());
    }

    /// Counts the blind time up to `now`.
    pub(super) fn flush(&mut self, now: Moment) {
        let Some(since) = self.blind_since else { return };
        self.blind.inc_by(now.since(since).as_secs_f64());
        // A clock that steps back must not have the same second counted twice.
        self.blind_since = Some(since.max(now));
    }
}
