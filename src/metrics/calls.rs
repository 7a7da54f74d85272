//! Counters and histograms of all calls and of trunks.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::catalogue::entry;
use super::family::{Family, Handles};
use super::histogram::{Histogram, Layout};
use super::labels::{
    CallHangupLabels, CallLabels, CallRingLabels, CallTalkLabels, CauseLabels, PbxLabels,
    TrunkAttemptLabels, TrunkHangupLabels,
};
use super::members::in_histograms;
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::{AgentHistograms, Settings};
use crate::correlator::{AgentId, CallResult, Cause, Direction, TrunkId, Word};
use crate::pbx::PbxName;

/// What is counted of the calls of all PBXs.
#[derive(Debug)]
pub(super) struct CallFamilies {
    histograms: AgentHistograms,
    calls: Family<CallLabels, Counter>,
    ring: Family<CallRingLabels, Histogram>,
    talk: Family<CallTalkLabels, Histogram>,
    hangups: Family<CallHangupLabels, Counter>,
    attempts: Family<TrunkAttemptLabels, Counter>,
    attempt_hangups: Family<TrunkHangupLabels, Counter>,
    recordings: Family<PbxLabels, Counter>,
}

/// The calls of one PBX.
#[derive(Debug)]
pub(super) struct CallMetrics {
    pbx: PbxName,
    histograms: AgentHistograms,
    calls: Handles<(Route, CallResult), CallLabels, Counter>,
    ring: Handles<(Direction, CallResult), CallRingLabels, Histogram>,
    talk: Handles<(Direction, AgentId), CallTalkLabels, Histogram>,
    hangups: Handles<(Route, CauseLabels), CallHangupLabels, Counter>,
    attempts: Handles<(TrunkId, CallResult), TrunkAttemptLabels, Counter>,
    attempt_hangups: Handles<(TrunkId, CauseLabels), TrunkHangupLabels, Counter>,
    recordings: Handles<(), PbxLabels, Counter>,
}

type Route = (Direction, AgentId, TrunkId);

/// The agent and the trunk of a call, with their labels.
#[derive(Clone, Debug)]
pub(super) struct Parties {
    pub(super) direction: Direction,
    pub(super) agent: Labelled<AgentId>,
    pub(super) trunk: Labelled<TrunkId>,
}

impl Parties {
    fn route(&self) -> Route {
        (self.direction, self.agent.id, self.trunk.id)
    }

    fn nobody(direction: Direction) -> Self {
        Self { direction, agent: Labelled::none(), trunk: Labelled::none() }
    }
}

impl CallFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        let detail = settings.detail.without_exemplars();
        let ring = Layout::new(settings.ring_bounds(), detail);
        let talk = Layout::new(settings.agent_bounds(&settings.buckets.talk), detail);
        Self {
            histograms: settings.agent_histograms,
            calls: registrar.family(const { entry("asterisk_calls_total") }),
            ring: registrar.histograms(const { entry("asterisk_call_ring_seconds") }, ring),
            talk: registrar.histograms(const { entry("asterisk_call_talk_seconds") }, talk),
            hangups: registrar.family(const { entry("asterisk_call_hangups_total") }),
            attempts: registrar.family(const { entry("asterisk_trunk_attempts_total") }),
            attempt_hangups: registrar
                .family(const { entry("asterisk_trunk_attempt_hangups_total") }),
            recordings: registrar.family(const { entry("asterisk_recordings_total") }),
        }
    }

    /// The metrics of `pbx`, at zero where neither agent nor trunk need be known.
    pub(super) fn of_pbx(&self, pbx: &PbxName) -> CallMetrics {
        let mut metrics = CallMetrics {
            pbx: pbx.clone(),
            histograms: self.histograms,
            calls: self.calls.handles(),
            ring: self.ring.handles(),
            talk: self.talk.handles(),
            hangups: self.hangups.handles(),
            attempts: self.attempts.handles(),
            attempt_hangups: self.attempt_hangups.handles(),
            recordings: self.recordings.handles(),
        };

        // Calls without an agent and a trunk are known from the start; others begin with theirs.
        for &direction in Direction::ALL {
            for &result in CallResult::ALL {
                metrics.call(&Parties::nobody(direction), result);
            }
        }
        metrics.recordings();
        metrics
    }
}

impl CallMetrics {
    /// Starts every attempt counter of a known trunk at zero.
    pub(super) fn trunk_known(&mut self, trunk: &Labelled<TrunkId>) {
        for &result in CallResult::ALL {
            self.attempt(trunk, result);
        }
    }

    pub(super) fn ended(&mut self, parties: &Parties, result: CallResult) {
        self.call(parties, result).inc();
    }

    pub(super) fn rang(&mut self, direction: Direction, result: CallResult, length: Duration) {
        let labels = || CallRingLabels { pbx: self.pbx.clone(), direction, result };
        self.ring.ensure((direction, result), labels).observe(length.as_secs_f64());
    }

    pub(super) fn talked(
        &mut self,
        direction: Direction,
        agent: &Labelled<AgentId>,
        length: Duration,
    ) {
        let agent = in_histograms(agent, self.histograms);
        let labels = || CallTalkLabels { pbx: self.pbx.clone(), direction, agent: agent.name };
        self.talk.ensure((direction, agent.id), labels).observe(length.as_secs_f64());
    }

    pub(super) fn hung_up(&mut self, parties: &Parties, cause: Cause) {
        let cause = CauseLabels::from(cause);
        let labels = || CallHangupLabels {
            pbx: self.pbx.clone(),
            direction: parties.direction,
            agent: parties.agent.name.clone(),
            trunk: parties.trunk.name.clone(),
            cause,
        };
        self.hangups.ensure((parties.route(), cause), labels).inc();
    }

    pub(super) fn attempted(&mut self, trunk: &Labelled<TrunkId>, result: CallResult) {
        self.attempt(trunk, result).inc();
    }

    pub(super) fn attempt_hung_up(&mut self, trunk: &Labelled<TrunkId>, cause: Cause) {
        let cause = CauseLabels::from(cause);
        let labels =
            || TrunkHangupLabels { pbx: self.pbx.clone(), trunk: trunk.name.clone(), cause };
        self.attempt_hangups.ensure((trunk.id, cause), labels).inc();
    }

    pub(super) fn recording_ended(&mut self) {
        self.recordings().inc();
    }

    fn call(&mut self, parties: &Parties, result: CallResult) -> &Counter {
        self.calls.ensure((parties.route(), result), || CallLabels {
            pbx: self.pbx.clone(),
            direction: parties.direction,
            agent: parties.agent.name.clone(),
            trunk: parties.trunk.name.clone(),
            result,
        })
    }

    fn attempt(&mut self, trunk: &Labelled<TrunkId>, result: CallResult) -> &Counter {
        self.attempts.ensure((trunk.id, result), || TrunkAttemptLabels {
            pbx: self.pbx.clone(),
            trunk: trunk.name.clone(),
            result,
        })
    }

    fn recordings(&mut self) -> &Counter {
        self.recordings.ensure((), || PbxLabels { pbx: self.pbx.clone() })
    }
}
