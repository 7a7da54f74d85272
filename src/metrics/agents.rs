//! The time of agents.

use std::time::Duration;

use super::budget::Budget;
use super::catalogue::entry;
use super::column::Sums;
use super::family::{Family, Handles, One};
use super::labels::{AgentTimeLabels, ReasonName};
use super::members::NOBODY_AND_OTHER;
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::Settings;
use crate::correlator::{AgentId, AgentState, Id, OTHER, ReasonId, Word};
use crate::pbx::PbxName;

/// The time of the agents of all PBXs.
#[derive(Debug)]
pub(super) struct AgentFamilies {
    /// The pause reasons that may come, if the configuration lists them.
    pauses: Vec<ReasonName>,
    time: Family<AgentTimeLabels, Sums>,
}

/// The agents of one PBX.
#[derive(Debug)]
pub(super) struct AgentMetrics {
    pbx: PbxName,
    budget: Budget,
    pauses: Vec<ReasonName>,
    time: Handles<(AgentId, AgentState, ReasonId), AgentTimeLabels, Sums>,
}

impl AgentFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        let other = settings.pause_reasons.first().map(|_| ReasonName::new(OTHER));
        let listed = settings.pause_reasons.iter().map(|reason| ReasonName::new(reason));
        Self {
            pauses: listed.chain(other).collect(),
            time: registrar.family(const { entry("asterisk_agent_state_seconds_total") }),
        }
    }

    /// The lines of an agent: the time in each state and in pauses that are listed or `other`, and
    /// the gauge of each state.
    pub(super) fn lines(&self) -> usize {
        2 * AgentState::ALL.len() + self.pauses.len().max(1)
    }

    /// The lines of the agents that there is no room for, and of those without a name.
    pub(super) fn kept(&self) -> usize {
        NOBODY_AND_OTHER * self.lines()
    }

    /// The metrics of `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName, budget: &Budget) -> AgentMetrics {
        AgentMetrics {
            pbx: pbx.clone(),
            budget: budget.clone(),
            pauses: self.pauses.clone(),
            time: self.time.handles(),
        }
    }
}

impl AgentMetrics {
    /// Starts a known agent's time at zero in every state and every listed pause.
    pub(super) fn known(&mut self, agent: &Labelled<AgentId>) {
        let none = Labelled::none();
        for &state in AgentState::ALL {
            self.time(agent, state, &none);
        }

        // Reasons that are not listed are unknown until they come: those start late.
        for reason in &self.pauses {
            self.time.start(&AgentTimeLabels {
                pbx: self.pbx.clone(),
                agent: agent.name.clone(),
                state: AgentState::Paused,
                reason: reason.clone(),
            });
        }
    }

    pub(super) fn spent(
        &mut self,
        agent: &Labelled<AgentId>,
        state: AgentState,
        reason: &Labelled<ReasonId>,
        spent: Duration,
    ) {
        // Without a reason it is one of those that a known agent starts with.
        let time = match reason.id.is_none() {
            true => self.time(agent, state, reason),
            false => self.paused(agent, reason),
        };
        time.inc_by(spent.as_secs_f64());
    }

    /// Time in a pause with a reason; `other` if there is no room for it, so that the agent's times
    /// add up.
    fn paused(&mut self, agent: &Labelled<AgentId>, reason: &Labelled<ReasonId>) -> One<'_, Sums> {
        let state = AgentState::Paused;
        let labels = |reason: ReasonName| AgentTimeLabels {
            pbx: self.pbx.clone(),
            agent: agent.name.clone(),
            state,
            reason,
        };
        if reason.id == Id::OTHER || self.pauses.contains(&reason.name) {
            let labels = || labels(reason.name.clone());
            return self.time.ensure((agent.id, state, reason.id), labels);
        }
        self.time.ensure_within(
            &self.budget,
            (agent.id, state, reason.id),
            || labels(reason.name.clone()),
            || ((agent.id, state, Id::OTHER), labels(ReasonName::new(OTHER))),
        )
    }

    fn time(
        &mut self,
        agent: &Labelled<AgentId>,
        state: AgentState,
        reason: &Labelled<ReasonId>,
    ) -> One<'_, Sums> {
        self.time.ensure((agent.id, state, reason.id), || AgentTimeLabels {
            pbx: self.pbx.clone(),
            agent: agent.name.clone(),
            state,
            reason: reason.name.clone(),
        })
    }
}
