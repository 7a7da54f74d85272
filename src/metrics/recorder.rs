//! The only place that turns observations into counters and histograms.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::agents::AgentMetrics;
use super::ahead::Ahead;
use super::budget::Budget;
use super::calls::{CallMetrics, Parties};
use super::column::Counts;
use super::demand::Demands;
use super::family::{Handles, One};
use super::given_up::GivenUps;
use super::labels::{AnomalyLabels, GroupName, RepairLabels, TeamName};
use super::members::MemberMetrics;
use super::naming::{Labelled, Naming};
use super::overflow::{Limit, Overflows};
use super::queues::{QueueMetrics, Wait};
use super::recent::Recent;
use super::settings::{Settings, ZeroSeries};
use super::voice::VoiceMetrics;
use crate::clock::Moment;
use crate::correlator::{
    AgentId, AgentState, Anomaly, Caller, Direction, EndpointOf, GivenUp, Names, Observation,
    Observe, QueueId, ReasonId, Repair, TrunkId, Word,
};
use crate::pbx::PbxName;

/// Counts what the correlator of one PBX observed.
#[derive(Debug)]
pub struct Recorder {
    pub(super) pbx: PbxName,
    pub(super) settings: Arc<Settings>,
    pub(super) naming: Naming,
    /// The queues' own `servicelevel`.
    pub(super) queue_targets: HashMap<QueueId, Option<Duration>>,
    /// The targets in force, as far as they were asked for: names are compared once.
    pub(super) targets: HashMap<QueueId, Option<Duration>>,
    pub(super) demands: Demands,
    pub(super) queues: QueueMetrics,
    pub(super) members: MemberMetrics,
    pub(super) agents: AgentMetrics,
    pub(super) calls: CallMetrics,
    pub(super) voice: VoiceMetrics,
    pub(super) anomalies: Anomalies,
    pub(super) repairs: Repairs,
    pub(super) given_up: GivenUps,
    pub(super) overflows: Overflows,
    pub(super) budget: Budget,
    pub(super) ahead: Ahead,
    /// What the wallboard shows of the last hours, if there is one.
    pub(super) recent: Option<Recent>,
}

/// Counters of what should not happen.
pub(super) type Anomalies = Handles<Anomaly, AnomalyLabels, Counts>;
/// Counters of what the log of a PBX told of gaps.
pub(super) type Repairs = Handles<Repair, RepairLabels, Counts>;

impl Observe for Recorder {
    fn observe(&mut self, names: &Names, fact: Observation, of: Option<Caller<'_>>) {
        // A queue that is not exported is counted nowhere.
        let _ = self.record(names, fact, of);
    }
}

impl Recorder {
    /// Starts anomalies of every kind at zero.
    pub(super) fn at_zero(mut self) -> Self {
        for &kind in Anomaly::ALL {
            self.anomaly(kind);
        }
        self
    }

    /// Counts by other settings from now on.
    pub(super) fn change(&mut self, settings: &Arc<Settings>) {
        self.settings = Arc::clone(settings);
        self.naming.change(settings);
        self.targets.clear();
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.budget.taken()
    }

    /// The limits that names or series were beyond for the first time since this was asked.
    pub fn take_overflows(&self) -> Vec<Limit> {
        self.overflows.take_new()
    }

    /// Of what more was given up, and how much since this told of it before: at most once a minute for
    /// each kind.
    pub fn take_given_up(&mut self, now: Moment) -> Vec<(GivenUp, u64)> {
        self.given_up.take_new(now)
    }

    /// The service level target in force for a queue.
    pub(super) fn target(&mut self, names: &Names, queue: QueueId) -> Option<Duration> {
        let Self { pbx, settings, queue_targets, targets, .. } = self;
        *targets.entry(queue).or_insert_with(|| {
            let own = queue_targets.get(&queue).copied().flatten();
            let name = names.queues.name(queue);
            settings.target(name, settings.queue_aliases.of(pbx, name), own)
        })
    }

    /// The group of a queue that is counted as `shown`.
    pub(super) fn group(
        &self,
        names: &Names,
        queue: QueueId,
        shown: &Labelled<QueueId>,
    ) -> GroupName {
        let Self { pbx, settings, .. } = self;
        let name = names.queues.name(queue);
        let alias = settings.queue_aliases.of(pbx, name);

        // A label is in one group, whichever of its queues is asked for.
        match shown.id == QueueId::OTHER {
            true => GroupName::new(""),
            false => settings.groups.of_queue(pbx, alias.unwrap_or(name)),
        }
    }

    /// The agents that the last interval of a queue needed for its target.
    pub(super) fn agents_needed(&mut self, shown: QueueId, target: Duration) -> Option<u32> {
        self.demands.needed(shown, target, self.settings.service_level_share)
    }

    /// The team of an agent.
    pub(super) fn team(&self, names: &Names, agent: AgentId) -> TeamName {
        self.settings.groups.of_agent(&self.pbx, names.agents.name(agent))
    }

    fn record(&mut self, names: &Names, fact: Observation, of: Option<Caller<'_>>) -> Option<()> {
        use Observation as O;
        let naming = &mut self.naming;
        let budget = &self.budget;
        match fact {
            O::QueueKnown { queue, service_level } => {
                self.queue_targets.insert(queue, service_level);
                self.targets.remove(&queue);
                let labelled = naming.queue(names, queue)?;
                self.queues.known(&labelled);
                self.demands.known(labelled.id);
                if self.settings.zero_series >= ZeroSeries::Usual {
                    self.members.unserved(&labelled, |lines| budget.take_early(lines));
                }
                if self.settings.zero_series >= ZeroSeries::All {
                    self.queues.join(&labelled, |lines| budget.take_ahead(lines));
                }
            }
            O::MemberKnown { queue, agent } => {
                // A member of a queue that is not exported is an agent all the same.
                let person = naming.agent(names, agent)?;
                self.agents.known(&person);
                let member = naming.member(names, queue, agent)?;
                self.members.known(&member);
                if self.settings.zero_series >= ZeroSeries::All {
                    self.members.rings(&member, |lines| budget.take_ahead(lines));
                    self.ahead.add_agent(&person, &mut self.calls, budget);
                }
            }
            O::TrunkKnown { trunk } => {
                let trunk = naming.trunk(names, trunk)?;
                self.calls.trunk_known(&trunk);
                if self.settings.zero_series >= ZeroSeries::All {
                    self.ahead.add_trunk(&trunk, &mut self.calls, budget);
                }
            }
            O::RingBegan { .. } | O::CallBegan { .. }
                if self.settings.zero_series < ZeroSeries::Usual => {}
            O::RingBegan { queue, agent } => {
                let member = naming.member(names, queue, agent)?;
                self.members.rings(&member, |lines| budget.take_early(lines));
            }
            O::CallBegan { direction, agent, trunk } => {
                let parties = naming.parties(names, direction, agent, trunk)?;
                self.calls.began(&parties, |lines| budget.take_early(lines));
            }
            O::Entered { queue } => {
                let labelled = naming.queue(names, queue)?;
                self.demands.offered(labelled.id);
                self.queues.entered(&labelled);
                if let Some(recent) = &mut self.recent {
                    recent.entered(&labelled);
                }
            }
            O::Adopted { queue, phase } => self.queues.adopted(&naming.queue(names, queue)?, phase),
            O::Exited { queue, outcome, hold } => {
                let labelled = naming.queue(names, queue)?;
                let target = self.target(names, queue);
                let short_abandon = self.settings.short_abandon;
                let wait = Wait { outcome, hold, target, short_abandon };
                if let Some(recent) = &mut self.recent {
                    recent.exited(&labelled, &wait);
                }
                self.queues.exited(&labelled, wait, of);
            }
            O::AnsweredBy { queue, penalty } => {
                self.queues.answered_by(&naming.queue(names, queue)?, penalty);
            }
            O::Positioned { queue, at, position } => {
                self.queues.positioned(&naming.queue(names, queue)?, at, position);
            }
            O::Refused { queue, reason } => {
                self.queues.refused(&naming.queue(names, queue)?, reason);
            }
            O::RecordedCall { queue, agent: _ } => {
                self.queues.recorded(&naming.queue(names, queue)?);
            }
            O::RingEnded { queue, agent, result, length } => {
                self.members.rang(&naming.member(names, queue, agent)?, result, length);
            }
            O::Completed { queue, agent, ended_by, talk } => {
                let member = naming.member(names, queue, agent)?;
                if let Some(talk) = talk {
                    self.demands.handled(member.queue.id, talk);
                }
                self.members.completed(&member, ended_by, talk, of);
            }
            O::Held { queue, agent, times, spent, hung_up } => {
                let member = naming.member(names, queue, agent)?;
                self.members.held(&member, times, spent, hung_up);
            }
            O::Transferred { queue, agent, kind, by } => {
                self.members.transferred(&naming.member(names, queue, agent)?, kind, by);
            }
            O::TransferArrived { queue, to } => {
                self.queues.arrived(&naming.queue(names, queue)?, to);
            }
            O::Flowed { queue, to, by } => {
                let queue = naming.queue(names, queue)?;
                self.queues.flowed(&queue, &naming.queue(names, to)?, by);
            }
            O::AgentDumped { queue, agent } => {
                self.members.dumped(&naming.member(names, queue, agent)?);
            }
            O::MemberPaused { queue, agent, change } => {
                self.members.paused(&naming.member(names, queue, agent)?, change);
            }
            O::WrappedUp { queue, agent, spent } => {
                let member = naming.member(names, queue, agent)?;
                self.demands.wrapped_up(member.queue.id, spent);
                self.members.wrapped_up(&member, spent);
            }
            O::QueueHangup { queue, agent, leg, cause } => {
                self.members.hung_up(&naming.served(names, queue, agent)?, leg, cause);
            }
            O::CallerParked { .. } => {}
            O::AgentTime { agent, state, reason, spent } => {
                let reason = if state == AgentState::Paused { reason } else { ReasonId::NONE };
                let reason = naming.reason(names, reason)?;
                self.agents.spent(&naming.agent(names, agent)?, state, &reason, spent);
            }
            O::AgentLogin { agent, change } => {
                self.agents.logged(&naming.agent(names, agent)?, change);
            }
            O::CallEnded { direction, agent, trunk, result } => {
                self.calls.ended(&naming.parties(names, direction, agent, trunk)?, result);
            }
            O::CallRang { direction, result, length } => self.calls.rang(direction, result, length),
            O::CallTalked { direction, agent, length } => {
                self.calls.talked(direction, &naming.agent(names, agent)?, length);
            }
            O::CallHangup { direction, agent, trunk, cause } => {
                self.calls.hung_up(&naming.parties(names, direction, agent, trunk)?, cause);
            }
            O::TrunkAttempt { trunk, result } => {
                self.calls.attempted(&naming.trunk(names, trunk)?, result);
            }
            O::TrunkHangup { trunk, cause } => {
                self.calls.attempt_hung_up(&naming.trunk(names, trunk)?, cause);
            }
            O::RecordingEnded => self.calls.recording_ended(),
            O::VoiceMeasured { of: EndpointOf::Trunk(trunk), measure } => {
                self.voice.of_trunk(&naming.trunk(names, trunk)?, measure);
            }
            O::VoiceMeasured { of: EndpointOf::Agent(agent), measure } => {
                self.voice.of_agent(&naming.agent(names, agent)?, measure);
            }
            O::Anomaly(kind) => {
                self.anomaly(kind).inc();
            }
            O::GivenUp(kind) => self.given_up.add(kind),
            O::Repaired(kind) => {
                self.repair(kind).inc();
            }
        }
        Some(())
    }

    /// Starts repairs of every kind at zero: a log tells of gaps.
    pub fn expect_repairs(&mut self) {
        for &kind in Repair::ALL {
            self.repair(kind);
        }
    }

    fn repair(&mut self, kind: Repair) -> One<'_, Counts> {
        self.repairs.ensure(kind, || RepairLabels { pbx: self.pbx.clone(), kind })
    }

    fn anomaly(&mut self, kind: Anomaly) -> One<'_, Counts> {
        self.anomalies.ensure(kind, || AnomalyLabels { pbx: self.pbx.clone(), kind })
    }
}

impl Naming {
    fn parties(
        &mut self,
        names: &Names,
        direction: Direction,
        agent: AgentId,
        trunk: TrunkId,
    ) -> Option<Parties> {
        Some(Parties {
            direction,
            agent: self.agent(names, agent)?,
            trunk: self.trunk(names, trunk)?,
        })
    }
}
