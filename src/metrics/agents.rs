//! The time of agents.

use std::time::Duration;

use super::catalogue::entry;
use super::labels::{AgentTimeLabels, ReasonName};
use super::naming::Shown;
use super::settings::Settings;
use super::shelf::{Kept, Seconds, Shelf};
use crate::correlator::{AgentId, AgentState, OTHER, ReasonId, Word};
use crate::pbx::PbxName;

/// The agents of one PBX.
#[derive(Clone, Debug)]
pub(super) struct AgentMetrics {
    pbx: PbxName,
    /// The pause reasons that may come, if the configuration lists them.
    pauses: Vec<ReasonName>,
    time: Kept<(AgentId, AgentState, ReasonId), AgentTimeLabels, Seconds>,
}

impl AgentMetrics {
    pub(super) fn new(shelf: &mut Shelf, settings: &Settings) -> Self {
        let other = settings.pause_reasons.first().map(|_| ReasonName::new(OTHER));
        let pauses = settings
            .pause_reasons
            .iter()
            .map(|reason| ReasonName::new(reason))
            .chain(other)
            .collect();
        let time = shelf.kept(const { entry("asterisk_agent_state_seconds_total") });
        Self { pbx: PbxName::new(""), pauses, time }
    }

    /// The same metrics for `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName) -> Self {
        Self { pbx: pbx.clone(), ..self.clone() }
    }

    /// A known agent's time stands at zero in every state and every listed pause.
    pub(super) fn known(&mut self, agent: &Shown<AgentId>) {
        let none = Shown { id: ReasonId::NONE, name: ReasonName::new(""), folded: false };
        for &state in AgentState::ALL {
            self.time(agent, state, &none);
        }
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
        agent: &Shown<AgentId>,
        state: AgentState,
        reason: &Shown<ReasonId>,
        spent: Duration,
    ) {
        self.time(agent, state, reason).inc_by(spent.as_secs_f64());
    }

    fn time(
        &mut self,
        agent: &Shown<AgentId>,
        state: AgentState,
        reason: &Shown<ReasonId>,
    ) -> &Seconds {
        self.time.of((agent.id, state, reason.id), || AgentTimeLabels {
            pbx: self.pbx.clone(),
            agent: agent.name.clone(),
            state,
            reason: reason.name.clone(),
        })
    }
}
