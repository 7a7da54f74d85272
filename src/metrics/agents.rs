//! The time of agents.

use std::time::Duration;

use super::catalogue::entry;
use super::family::{Family, Handles, Seconds};
use super::labels::{AgentTimeLabels, ReasonName};
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::Settings;
use crate::correlator::{AgentId, AgentState, OTHER, ReasonId, Word};
use crate::pbx::PbxName;

/// The time of the agents of all PBXs.
#[derive(Debug)]
pub(super) struct AgentFamilies {
    /// The pause reasons that may come, if the configuration lists them.
    pauses: Vec<ReasonName>,
    time: Family<AgentTimeLabels, Seconds>,
}

/// The agents of one PBX.
#[derive(Debug)]
pub(super) struct AgentMetrics {
    pbx: PbxName,
    pauses: Vec<ReasonName>,
    time: Handles<(AgentId, AgentState, ReasonId), AgentTimeLabels, Seconds>,
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

    /// The metrics of `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName) -> AgentMetrics {
        let pauses = self.pauses.clone();
        AgentMetrics { pbx: pbx.clone(), pauses, time: self.time.handles() }
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
            self.time.start(AgentTimeLabels {
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
        self.time(agent, state, reason).inc_by(spent.as_secs_f64());
    }

    fn time(
        &mut self,
        agent: &Labelled<AgentId>,
        state: AgentState,
        reason: &Labelled<ReasonId>,
    ) -> &Seconds {
        self.time.ensure((agent.id, state, reason.id), || AgentTimeLabels {
            pbx: self.pbx.clone(),
            agent: agent.name.clone(),
            state,
            reason: reason.name.clone(),
        })
    }
}
