//! What is counted of all calls and of trunks.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::catalogue::entry;
use super::labels::{
    AgentName, CallHangupLabels, CallLabels, CallRingLabels, CallTalkLabels, CauseLabels,
    PbxLabels, TrunkAttemptLabels, TrunkHangupLabels, TrunkName,
};
use super::members::in_histograms;
use super::naming::Shown;
use super::settings::{AgentHistograms, Settings};
use super::shelf::{Histograms, Kept, Shelf};
use crate::correlator::{AgentId, CallResult, Cause, Direction, TrunkId, Word};
use crate::pbx::PbxName;

/// The calls of one PBX.
#[derive(Clone, Debug)]
pub(super) struct CallMetrics {
    pbx: PbxName,
    histograms: AgentHistograms,
    calls: Kept<(Route, CallResult), CallLabels, Counter>,
    ring: Histograms<(Direction, CallResult), CallRingLabels>,
    talk: Histograms<(Direction, AgentId), CallTalkLabels>,
    hangups: Kept<(Route, CauseLabels), CallHangupLabels, Counter>,
    attempts: Kept<(TrunkId, CallResult), TrunkAttemptLabels, Counter>,
    attempt_hangups: Kept<(TrunkId, CauseLabels), TrunkHangupLabels, Counter>,
    recordings: Kept<(), PbxLabels, Counter>,
}

type Route = (Direction, AgentId, TrunkId);

/// Who took part in a call, with the labels.
#[derive(Clone, Debug)]
pub(super) struct Parties {
    pub(super) direction: Direction,
    pub(super) agent: Shown<AgentId>,
    pub(super) trunk: Shown<TrunkId>,
}

impl Parties {
    fn route(&self) -> Route {
        (self.direction, self.agent.id, self.trunk.id)
    }

    fn nobody(direction: Direction) -> Self {
        Self {
            direction,
            agent: Shown { id: AgentId::NONE, name: AgentName::new(""), folded: false },
            trunk: Shown { id: TrunkId::NONE, name: TrunkName::new(""), folded: false },
        }
    }
}

impl CallMetrics {
    pub(super) fn new(shelf: &mut Shelf, settings: &Settings) -> Self {
        let talk = settings.agent_bounds(&settings.buckets.talk);
        let detail = settings.detail.without_exemplars();
        Self {
            pbx: PbxName::new(""),
            histograms: settings.agent_histograms,
            calls: shelf.kept(const { entry("asterisk_calls_total") }),
            ring: shelf.histograms(
                const { entry("asterisk_call_ring_seconds") },
                settings.ring_bounds(),
                detail,
            ),
            talk: shelf.histograms(const { entry("asterisk_call_talk_seconds") }, talk, detail),
            hangups: shelf.kept(const { entry("asterisk_call_hangups_total") }),
            attempts: shelf.kept(const { entry("asterisk_trunk_attempts_total") }),
            attempt_hangups: shelf.kept(const { entry("asterisk_trunk_attempt_hangups_total") }),
            recordings: shelf.kept(const { entry("asterisk_recordings_total") }),
        }
    }

    /// The same metrics for `pbx`, at zero where neither agent nor trunk need be known.
    pub(super) fn of_pbx(&self, pbx: &PbxName) -> Self {
        let mut metrics = Self { pbx: pbx.clone(), ..self.clone() };
        for &direction in Direction::ALL {
            for &result in CallResult::ALL {
                metrics.call(&Parties::nobody(direction), result);
            }
        }
        metrics.recordings();
        metrics
    }

    /// Every attempt counter of a known trunk stands at zero.
    pub(super) fn trunk_known(&mut self, trunk: &Shown<TrunkId>) {
        for &result in CallResult::ALL {
            self.attempt(trunk, result);
        }
    }

    pub(super) fn ended(&mut self, parties: &Parties, result: CallResult) {
        self.call(parties, result).inc();
    }

    pub(super) fn rang(&mut self, direction: Direction, result: CallResult, length: Duration) {
        let labels = || CallRingLabels { pbx: self.pbx.clone(), direction, result };
        self.ring.of((direction, result), labels).observe(length.as_secs_f64());
    }

    pub(super) fn talked(
        &mut self,
        direction: Direction,
        agent: &Shown<AgentId>,
        length: Duration,
    ) {
        let agent = in_histograms(agent, self.histograms);
        let labels = || CallTalkLabels { pbx: self.pbx.clone(), direction, agent: agent.name };
        self.talk.of((direction, agent.id), labels).observe(length.as_secs_f64());
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
        self.hangups.of((parties.route(), cause), labels).inc();
    }

    pub(super) fn attempted(&mut self, trunk: &Shown<TrunkId>, result: CallResult) {
        self.attempt(trunk, result).inc();
    }

    pub(super) fn attempt_hung_up(&mut self, trunk: &Shown<TrunkId>, cause: Cause) {
        let cause = CauseLabels::from(cause);
        let labels =
            || TrunkHangupLabels { pbx: self.pbx.clone(), trunk: trunk.name.clone(), cause };
        self.attempt_hangups.of((trunk.id, cause), labels).inc();
    }

    pub(super) fn recording_ended(&mut self) {
        self.recordings().inc();
    }

    fn call(&mut self, parties: &Parties, result: CallResult) -> &Counter {
        self.calls.of((parties.route(), result), || CallLabels {
            pbx: self.pbx.clone(),
            direction: parties.direction,
            agent: parties.agent.name.clone(),
            trunk: parties.trunk.name.clone(),
            result,
        })
    }

    fn attempt(&mut self, trunk: &Shown<TrunkId>, result: CallResult) -> &Counter {
        self.attempts.of((trunk.id, result), || TrunkAttemptLabels {
            pbx: self.pbx.clone(),
            trunk: trunk.name.clone(),
            result,
        })
    }

    fn recordings(&mut self) -> &Counter {
        self.recordings.of((), || PbxLabels { pbx: self.pbx.clone() })
    }
}
