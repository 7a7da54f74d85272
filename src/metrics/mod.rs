//! Counters, histograms and gauges, and the text a scrape gets.
//!
//! Knows the correlator's observations, and nothing of the manager interface, of sockets or of HTTP.
//! A name is registered once, with `pbx` as a label: a registry for each PBX would print HELP and
//! TYPE twice.
//!
//! - `catalogue`: the table of all metrics; `registrar`, `family`, `histogram`, `native`: what is
//!   registered and counts; `timeline`: since when
//! - `recorder`: observations to counters and histograms, by way of `queues`, `members`, `agents`
//!   and `calls`
//! - `naming`, `labels`: what label values names get, and the label sets
//! - `self_metrics`, `process`: metrics of the exporter itself
//! - `state`: gauges of what goes on, made at the scrape
//! - `exporter`, `snapshot`: a scrape's numbers; `exposition`, `text`, `protobuf`: what is written

use std::collections::HashMap;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;

mod agents;
mod aliases;
mod calls;
mod catalogue;
mod exporter;
mod exposition;
mod family;
mod histogram;
mod labels;
mod members;
mod naming;
mod native;
#[cfg(target_os = "linux")]
mod process;
mod protobuf;
mod queues;
mod recorder;
mod registrar;
mod self_metrics;
mod settings;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod timeline;

pub use aliases::QueueAliases;
pub use catalogue::{Entry, Kind, Unit, catalogue};
pub use exporter::{Exporter, Monitor, Snapshot};
pub use exposition::{Exposition, Format};
pub use recorder::Recorder;
pub use self_metrics::SelfMetrics;
pub use settings::{AgentHistograms, AgentLabel, Buckets, Detail, LabelLimits, Settings};

use self::agents::AgentFamilies;
use self::calls::CallFamilies;
use self::catalogue::entry;
use self::family::Family;
use self::labels::{AnomalyLabels, LabelSet, OverflowLabels};
use self::members::MemberFamilies;
use self::naming::Naming;
use self::queues::QueueFamilies;
use self::registrar::Registrar;
use self::self_metrics::SelfFamilies;
use self::state::PbxState;
use crate::clock::Moment;
use crate::pbx::PbxName;

/// All metrics of all PBXs, each registered once.
#[derive(Debug)]
pub struct Metrics {
    settings: Arc<Settings>,
    registrar: Registrar,
    queues: QueueFamilies,
    members: MemberFamilies,
    agents: AgentFamilies,
    calls: CallFamilies,
    anomalies: Family<AnomalyLabels, Counter>,
    overflows: Family<OverflowLabels, Counter>,
    exporter: SelfFamilies,
    process: bool,
}

impl Metrics {
    /// Registers everything but the `process_*` metrics.
    pub fn new(settings: Settings) -> Self {
        let mut registrar = Registrar::default();
        let build = [("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION)];
        registrar.info(const { entry("asterisk_exporter_build_info") }, LabelSet::fixed(&build));

        // In the order of the text.
        let queues = QueueFamilies::new(&mut registrar, &settings);
        let members = MemberFamilies::new(&mut registrar, &settings);
        let agents = AgentFamilies::new(&mut registrar, &settings);
        let calls = CallFamilies::new(&mut registrar, &settings);
        let anomalies = registrar.family(const { entry("asterisk_exporter_anomalies_total") });
        let overflows = registrar.family(const { entry("asterisk_exporter_label_overflow_total") });
        let exporter = SelfFamilies::new(&mut registrar);

        let settings = Arc::new(settings);
        Self {
            settings,
            registrar,
            queues,
            members,
            agents,
            calls,
            anomalies,
            overflows,
            exporter,
            process: false,
        }
    }

    /// Counts from `now` on: series have start times, of which a replay knows nothing.
    #[must_use]
    pub fn starting(self, now: Moment) -> Self {
        self.registrar.timeline().begin(now);
        self
    }

    /// Adds the `process_*` metrics, where there is a `/proc` to read them from.
    #[must_use]
    pub fn with_process_metrics(self) -> Self {
        Self { process: true, ..self }
    }

    /// What counts for `pbx`; a name may have one recorder only.
    pub fn recorder(&self, pbx: &PbxName) -> Recorder {
        let recorder = Recorder {
            pbx: pbx.clone(),
            settings: self.settings.clone(),
            naming: Naming::new(self.settings.clone(), pbx, &self.overflows),
            queue_targets: HashMap::new(),
            queues: self.queues.of_pbx(pbx),
            members: self.members.of_pbx(pbx),
            agents: self.agents.of_pbx(pbx),
            calls: self.calls.of_pbx(pbx),
            anomalies: self.anomalies.handles(),
        };
        recorder.at_zero()
    }

    /// The exporter's own metrics of `pbx`, not synchronised from `now` on; `events` are the names that are
    /// counted as such.
    pub fn self_metrics(&self, pbx: &PbxName, events: &[&'static str], now: Moment) -> SelfMetrics {
        self.exporter.of_pbx(pbx, events, now)
    }

    /// A copy of all numbers; gauges of what goes on are made of `states`.
    fn snapshot(&self, states: Vec<PbxState>) -> Snapshot {
        Snapshot {
            counted: self.registrar.collect(),
            states,
            process: self.process,
            created_lines: self.settings.created_lines,
        }
    }
}

/// Set in the build of a release.
const REVISION: &str = match option_env!("ASTERISK_EXPORTER_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
