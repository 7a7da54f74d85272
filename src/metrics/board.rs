//! Everything that a scrape reads, and the scrape.
//!
//! The board lives behind one short lock, under which a batch of events is applied as well: a
//! scrape is a consistent cut.

use super::own::Own;
use super::recorder::Recorder;
use super::{Metrics, text};
use crate::clock::Moment;
use crate::correlator::Correlator;

/// One PBX: its state, and what counts it.
pub struct Desk {
    /// What goes on there.
    pub correlator: Correlator,
    /// Counts what the correlator sees.
    pub recorder: Recorder,
    /// Our health as far as this PBX is concerned.
    pub own: Own,
}

/// The metrics and every PBX they are about.
pub struct Board {
    metrics: Metrics,
    /// The PBXs.
    pub desks: Vec<Desk>,
}

impl Board {
    /// A board of these PBXs, whose recorders come from the same metrics.
    pub fn new(metrics: Metrics, desks: Vec<Desk>) -> Self {
        Self { metrics, desks }
    }

    /// What `/metrics` answers at `now`.
    pub fn expose(&mut self, now: Moment, exposition: Exposition) -> Vec<u8> {
        match exposition {
            Exposition::Text(format) => self.scrape(now, format).into_bytes(),
            Exposition::Protobuf => {
                self.take_stock(now);
                self.metrics.write_protobuf()
            }
        }
    }

    /// The same as text.
    pub fn scrape(&mut self, now: Moment, format: Format) -> String {
        self.take_stock(now);
        self.metrics.write(format)
    }

    /// Brings everything up to `now`.
    fn take_stock(&mut self, now: Moment) {
        self.metrics.state.clear();
        for Desk { correlator, recorder, own } in &mut self.desks {
            correlator.flush(now, recorder);
            own.flush(now);
            let state = correlator.state(now);
            self.metrics.state.fill(&state, correlator.names(), recorder);
        }
    }
}

/// How a scrape is answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Exposition {
    /// A text.
    Text(Format),
    /// `MetricFamily` messages, each after its length: the only format with native histograms.
    Protobuf,
}

impl Exposition {
    /// The `Content-Type` of a reply; Prometheus 3 refuses one it does not know.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text(Format::OpenMetrics) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            Self::Text(Format::Text) => "text/plain; version=0.0.4; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// How a text is written.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The classic text format 0.0.4.
    #[default]
    Text,
}

impl Format {
    pub(super) fn write(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Text => text::classic(&open_metrics),
        }
    }
}
