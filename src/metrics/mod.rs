//! Counters, histograms and gauges, and the text a scrape gets.
//!
//! Knows what the correlator sees, and nothing of the manager interface, of sockets or of HTTP.  A
//! name is registered once, with `pbx` as a label: a registry for each PBX would print HELP and
//! TYPE twice.
//!
//! - `catalogue`: the table of all metrics
//! - `recorder`: observations to counters and histograms, by way of `queues`, `members`, `agents`
//!   and `calls`
//! - `state`: gauges of what goes on, filled at the scrape
//! - `own`, `process`: our own health
//! - `naming`, `labels`: what label values names get, and the label sets
//! - `distribution`, `sparse`: histograms
//! - `board`, `text`, `protobuf`: the scrape

use std::collections::HashMap;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

mod agents;
mod aliases;
mod board;
mod calls;
mod catalogue;
mod distribution;
mod labels;
mod members;
mod naming;
mod own;
#[cfg(target_os = "linux")]
mod process;
mod protobuf;
mod queues;
mod recorder;
mod settings;
mod shelf;
mod sparse;
mod state;
#[cfg(test)]
mod tests;
mod text;

pub use aliases::QueueAliases;
pub use board::{Board, Desk, Exposition, Format};
pub use catalogue::{Entry, Kind, Unit, catalogue};
pub use own::Own;
pub use recorder::Recorder;
pub use settings::{AgentHistograms, AgentLabel, Buckets, Detail, LabelLimits, Settings};

use self::agents::AgentMetrics;
use self::calls::CallMetrics;
use self::catalogue::entry;
use self::distribution::Told;
use self::members::MemberMetrics;
use self::naming::{Naming, Overflows};
use self::own::OwnMetrics;
use self::queues::QueueMetrics;
use self::recorder::Anomalies;
use self::shelf::Shelf;
use self::state::StateMetrics;
use crate::clock::Moment;
use crate::pbx::PbxName;

/// All metrics of all PBXs, each registered once.
#[derive(Debug)]
pub struct Metrics {
    settings: Arc<Settings>,
    registry: Registry,
    told: Told,
    queues: QueueMetrics,
    members: MemberMetrics,
    agents: AgentMetrics,
    calls: CallMetrics,
    anomalies: Anomalies,
    overflows: Overflows,
    own: OwnMetrics,
    state: StateMetrics,
    /// How long the last scrape was: the next is about as long.
    written: usize,
}

impl Metrics {
    /// Registers everything but the `process_*` metrics.
    pub fn new(settings: Settings) -> Self {
        let mut shelf = Shelf::default();
        let build = vec![("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION)];
        shelf.put(const { entry("asterisk_exporter_build_info") }, Info::new(build));
        let queues = QueueMetrics::new(&mut shelf, &settings);
        let members = MemberMetrics::new(&mut shelf, &settings);
        let agents = AgentMetrics::new(&mut shelf, &settings);
        let calls = CallMetrics::new(&mut shelf, &settings);
        let anomalies = shelf.kept(const { entry("asterisk_exporter_anomalies_total") });
        let overflows = shelf.kept(const { entry("asterisk_exporter_label_overflow_total") });
        let own = OwnMetrics::new(&mut shelf);
        let state = StateMetrics::new(&mut shelf);
        let (registry, told) = shelf.into_parts();
        let settings = Arc::new(settings);
        Self {
            settings,
            registry,
            told,
            queues,
            members,
            agents,
            calls,
            anomalies,
            overflows,
            own,
            state,
            written: 0,
        }
    }

    /// Adds the `process_*` metrics, where there is a `/proc` to read them from.
    #[must_use]
    pub fn with_process_metrics(self) -> Self {
        #[cfg(target_os = "linux")]
        let mut metrics = self;
        #[cfg(target_os = "linux")]
        metrics.registry.register_collector(Box::new(process::ProcessCollector));
        #[cfg(not(target_os = "linux"))]
        let metrics = self;
        metrics
    }

    /// What counts for `pbx`; a name may have one recorder only.
    pub fn recorder(&self, pbx: &PbxName) -> Recorder {
        let recorder = Recorder {
            pbx: pbx.clone(),
            settings: self.settings.clone(),
            naming: Naming::new(self.settings.clone(), pbx, self.overflows.clone()),
            own_levels: HashMap::new(),
            queues: self.queues.of_pbx(pbx),
            members: self.members.of_pbx(pbx),
            agents: self.agents.of_pbx(pbx),
            calls: self.calls.of_pbx(pbx),
            anomalies: self.anomalies.clone(),
        };
        recorder.at_zero()
    }

    /// Our health for `pbx`, not synchronised from `now` on; `events` are the names that are
    /// counted as such.
    pub fn own(&self, pbx: &PbxName, events: &[&'static str], now: Moment) -> Own {
        self.own.of_pbx(pbx, events, now)
    }

    fn write(&mut self, format: Format) -> String {
        let text = self.open_metrics();
        self.told.take();
        format.write(text)
    }

    fn write_protobuf(&mut self) -> Vec<u8> {
        let text = self.open_metrics();
        protobuf::delimited(&text, self.told.take())
    }

    fn open_metrics(&mut self) -> String {
        let mut text = String::with_capacity(self.written + self.written / 8);
        encode(&mut text, &self.registry).expect("writing to a String does not fail");
        self.written = text.len();
        text
    }
}

/// Set by whoever builds a release.
const REVISION: &str = match option_env!("ASTERISK_EXPORTER_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
