//! Counters, histograms and gauges, and the text a scrape gets.
//!
//! Knows the correlator's observations, and nothing of the manager interface, of sockets or of HTTP.
//! A PBX that may go again has families of its own, which go with it.  A page has the parts of a
//! family one after the other, behind one HELP and TYPE.
//!
//! - `catalogue`: the table of all metrics; `registrar`, `family`, `column`, `histogram`, `native`:
//!   what is registered and counts; `timeline`: since when
//! - `recorder`: observations to counters and histograms, by way of `queues`, `members`, `agents`
//!   and `calls`
//! - `naming`, `labels`, `texts`: what label values names get, and the label sets
//! - `budget`, `overflow`: how many series a PBX may have, and what had no room; `ahead`: series that
//!   begin before anybody calls
//! - `demand`, `erlang`: what queues had to do, and how many agents that needs
//! - `self_metrics`, `http`, `reloads`, `process`: metrics of the exporter itself
//! - `state`: gauges of what goes on, made at the scrape
//! - `recent`: what happened in the last hours; `board`: what the wallboard shows
//! - `history`, `past`: numbers of the past, from a log
//! - `exporter`, `monitors`, `snapshot`: a scrape's numbers; `exposition`, `text`, `protobuf`: what is
//!   written

use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;
use prometheus_client::metrics::counter::Counter;

mod agents;
mod ahead;
mod aliases;
mod board;
mod budget;
mod calls;
mod catalogue;
mod column;
mod dated;
mod demand;
mod endpoints;
mod erlang;
mod exporter;
mod exposition;
mod family;
mod given_up;
mod groups;
mod histogram;
mod history;
mod http;
mod labels;
mod members;
mod monitors;
mod naming;
mod native;
mod overflow;
mod pace;
mod part;
mod past;
#[cfg(target_os = "linux")]
mod process;
mod protobuf;
mod queues;
mod recent;
mod recorder;
mod registrar;
mod reloads;
mod self_metrics;
mod settings;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod texts;
mod timeline;
mod voice;

pub use aliases::QueueAliases;
pub use board::{AgentRow, Board, BoardCut, PbxRows, Quarters, QueueRow};
pub use catalogue::{Entry, Kind, Unit, catalogue};
pub use exporter::{Exporter, Families, Snapshot};
pub use exposition::{Exposition, Format};
pub use groups::Groups;
pub use history::{History, Target};
pub use http::{HttpRefusal, HttpRefusals};
pub use monitors::{Monitor, Monitors, Slot};
pub use overflow::Limit;
pub use pace::{Pace, Span};
pub use part::Part;
pub use past::Told;
pub use recent::{Counts as RecentCounts, QueueCounts};
pub use recorder::Recorder;
pub use reloads::ConfigReloads;
pub use self_metrics::SelfMetrics;
pub use settings::{
    AgentHistograms, AgentLabel, Buckets, Detail, LabelLimits, Settings, ZeroSeries,
};

use self::agents::AgentFamilies;
use self::ahead::Ahead;
use self::budget::Budget;
use self::calls::CallFamilies;
use self::catalogue::entry;
use self::column::{Counts, Level, Shared};
use self::demand::Demands;
use self::family::Family;
use self::given_up::GivenUps;
use self::labels::{AnomalyLabels, Fixed, GivenUpLabels, OverflowLabels, PbxLabels, RepairLabels};
use self::members::MemberFamilies;
use self::naming::{Costs, Naming, Room};
use self::overflow::Overflows;
use self::queues::QueueFamilies;
use self::recent::Recent;
use self::registrar::Registrar;
use self::self_metrics::SelfFamilies;
use self::state::PbxState;
use self::voice::VoiceFamilies;
use crate::build_info::{DATE, REVISION, VERSION};
use crate::clock::Moment;
use crate::pbx::PbxName;

/// All metrics of all PBXs, each registered once.
#[derive(Debug)]
pub struct Metrics {
    settings: Arc<Settings>,
    /// The settings of the start: buckets of a family are the same for all PBXs and for ever.
    laid_out: Arc<Settings>,
    registrar: Registrar,
    queues: QueueFamilies,
    members: MemberFamilies,
    agents: AgentFamilies,
    calls: CallFamilies,
    voice: VoiceFamilies,
    anomalies: Family<AnomalyLabels, Counts>,
    repairs: Family<RepairLabels, Counts>,
    overflows: Family<OverflowLabels, Shared<Counter>>,
    given_up: Family<GivenUpLabels, Shared<Counter>>,
    series: Family<PbxLabels, Shared<Level>>,
    series_limit: Family<PbxLabels, Shared<Level>>,
    exporter: SelfFamilies,
    http: HttpRefusals,
    reloads: ConfigReloads,
    process: bool,
    /// Whether recorders keep what happened lately.
    keeps_recent: bool,
}

impl Metrics {
    /// Registers everything but the `process_*` metrics.
    pub fn new(settings: Settings) -> Self {
        let mut registrar = Registrar::default();
        registrar.info(const { entry("asterisk_exporter_build_info") }, Fixed(&*BUILD));
        let settings = Arc::new(settings);
        Self::with(registrar, Arc::clone(&settings), settings)
    }

    /// The same families without any series, for a PBX that may go again: they are dropped with it.
    fn alike(&self) -> Self {
        let registrar = Registrar::on(Arc::clone(self.registrar.timeline()));
        let alike = Self::with(registrar, Arc::clone(&self.laid_out), Arc::clone(&self.settings));
        Self { keeps_recent: self.keeps_recent, ..alike }
    }

    fn with(mut registrar: Registrar, laid_out: Arc<Settings>, settings: Arc<Settings>) -> Self {
        // In the order of the text.
        let queues = QueueFamilies::new(&mut registrar, &laid_out);
        let members = MemberFamilies::new(&mut registrar, &laid_out);
        let agents = AgentFamilies::new(&mut registrar, &laid_out);
        let calls = CallFamilies::new(&mut registrar, &laid_out);
        let voice = VoiceFamilies::new(&mut registrar, &laid_out);
        let anomalies = registrar.family(const { entry("asterisk_exporter_anomalies_total") });
        let repairs = registrar.family(const { entry("asterisk_exporter_repaired_total") });
        let given_up = registrar.family(const { entry("asterisk_exporter_given_up_total") });
        let overflows = registrar.family(const { entry("asterisk_exporter_label_overflow_total") });
        let series = registrar.family(const { entry("asterisk_exporter_series") });
        let series_limit = registrar.family(const { entry("asterisk_exporter_series_limit") });
        let exporter = SelfFamilies::new(&mut registrar);

        Self {
            settings,
            laid_out,
            registrar,
            queues,
            members,
            agents,
            calls,
            voice,
            anomalies,
            repairs,
            overflows,
            given_up,
            series,
            series_limit,
            exporter,
            http: HttpRefusals::default(),
            reloads: ConfigReloads::default(),
            process: false,
            keeps_recent: false,
        }
    }

    /// Counts from `now` on: series have start times, of which a replay knows nothing.  To be called
    /// before what has series from its beginning is added.
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

    /// Adds what our HTTP side refuses, for who has one.
    #[must_use]
    pub fn with_http(mut self) -> Self {
        self.http = HttpRefusals::registered(&mut self.registrar);
        self
    }

    /// Adds the outcome of the last reload, for who has a configuration; the one of `now` is in force.
    #[must_use]
    pub fn with_reloads(mut self, now: Moment) -> Self {
        self.reloads = ConfigReloads::registered(&mut self.registrar, now);
        self
    }

    /// Keeps what happened lately, for who has a wallboard.  To be called before a PBX is added.
    #[must_use]
    pub fn with_recent(self) -> Self {
        Self { keeps_recent: true, ..self }
    }

    /// What counts for `pbx`; a name may have one recorder only.
    pub fn recorder(&self, pbx: &PbxName) -> Recorder {
        let room = self.room(pbx);
        let budget = &room.budget;
        let recorder = Recorder {
            pbx: pbx.clone(),
            settings: self.settings.clone(),
            queue_targets: HashMap::new(),
            targets: HashMap::new(),
            demands: Demands::default(),
            queues: self.queues.of_pbx(pbx, budget),
            members: self.members.of_pbx(pbx, budget),
            agents: self.agents.of_pbx(pbx, budget),
            calls: self.calls.of_pbx(pbx, budget),
            voice: self.voice.of_pbx(pbx, budget),
            anomalies: self.anomalies.handles(),
            repairs: self.repairs.handles(),
            given_up: self.given_up_of(pbx),
            overflows: room.overflows.clone(),
            budget: budget.clone(),
            ahead: Ahead::default(),
            recent: self.keeps_recent.then(|| Recent::new(Arc::clone(self.registrar.timeline()))),
            naming: Naming::new(self.settings.clone(), pbx, room),
        };
        recorder.at_zero()
    }

    fn given_up_of(&self, pbx: &PbxName) -> GivenUps {
        GivenUps::new(|kind| self.given_up.ensure(&GivenUpLabels { pbx: pbx.clone(), kind }))
    }

    /// The series that `pbx` may have; those that it has in any case are taken.
    fn room(&self, pbx: &PbxName) -> Room {
        let labels = || PbxLabels { pbx: pbx.clone() };
        let limit = self.settings.limits.series;
        self.series_limit.ensure(&labels()).set(limit as u64);

        let costs = Costs {
            // An agent who has no place in the queue is `other` in it, so that each queue's callers
            // add up.
            queue: self.queues.lines() + MemberFamilies::lines(),
            member: MemberFamilies::lines(),
            agent: self.agents.lines(),
            trunk: CallFamilies::trunk_lines(),
        };
        let overflows = Overflows::new(|limit| {
            self.overflows.ensure(&OverflowLabels { pbx: pbx.clone(), label: limit })
        });
        let exported = self.series.ensure(&labels());
        let budget = Budget::new(limit, self.least_series(), exported, overflows.clone());
        Room { budget, overflows, costs }
    }

    /// The series that a PBX has in any case: those of the exporter itself, and all that has no name
    /// or is `other`.
    pub fn least_series(&self) -> usize {
        let of_queues = self.queues.kept() + self.members.kept();
        let of_calls = self.agents.kept() + self.calls.kept() + self.voice.kept();
        OWN + of_queues + of_calls
    }

    /// Counts by other settings from now on.
    fn change(&mut self, settings: &Arc<Settings>) {
        self.settings = Arc::clone(settings);
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
            order: self.registrar.entries().collect(),
            states,
            process: self.process,
            created_lines: self.settings.created_lines,
        }
    }
}

/// At least as many lines as a PBX has without queues, agents, trunks and calls: events by name are
/// most of them.  A test counts.
const OWN: usize = 177;

/// The labels of the build.
static BUILD: LazyLock<[(&str, &str); 3]> =
    LazyLock::new(|| [("version", VERSION), ("revision", REVISION), ("build_date", &DATE)]);
