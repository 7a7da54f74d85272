//! The time of agents, and when they come and go.

use std::time::Duration;

use super::budget::Budget;
use super::catalogue::entry;
use super::column::{Counts, Sums};
use super::endpoints::OF_AGENT;
use super::family::{Family, Handles, One};
use super::labels::{AgentLabels, AgentTimeLabels, ReasonName};
use super::members::NOBODY_AND_OTHER;
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::Settings;
use crate::correlator::{AgentId, AgentState, CallKind, Id, LoginChange, OTHER, ReasonId, Word};
use crate::pbx::PbxName;

/// The time of the agents of all PBXs.
#[derive(Debug)]
pub(super) struct AgentFamilies {
    /// The pause reasons that may come, if the configuration lists them.
    pauses: Vec<ReasonName>,
    /// How many values the label `reason` may have.
    reasons: usize,
    time: Family<AgentTimeLabels, Sums>,
    logins: Family<AgentLabels, Counts>,
    logoffs: Family<AgentLabels, Counts>,
}

/// The agents of one PBX.
#[derive(Debug)]
pub(super) struct AgentMetrics {
    pbx: PbxName,
    budget: Budget,
    pauses: Vec<ReasonName>,
    time: Handles<(AgentId, AgentState, ReasonId), AgentTimeLabels, Sums>,
    logins: Handles<AgentId, AgentLabels, Counts>,
    logoffs: Handles<AgentId, AgentLabels, Counts>,
}

impl AgentFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        let other = settings.pause_reasons.first().map(|_| ReasonName::new(OTHER));
        let listed = settings.pause_reasons.iter().map(|reason| ReasonName::new(reason));
        let pauses: Vec<_> = listed.chain(other).collect();
        let reported = settings.limits.reasons + OTHER_REASONS;
        Self {
            reasons: NO_REASON + if pauses.is_empty() { reported } else { pauses.len() },
            pauses,
            time: registrar.family(const { entry("asterisk_agent_state_seconds_total") }),
            logins: registrar.family(const { entry("asterisk_agent_logins_total") }),
            logoffs: registrar.family(const { entry("asterisk_agent_logoffs_total") }),
        }
    }

    /// The lines of an agent: the time in each state and in pauses that are listed or `other`, the
    /// gauge of each state, logins and logoffs, and the gauges of what goes on.
    pub(super) fn lines(&self) -> usize {
        2 * AgentState::ALL.len()
            + self.pauses.len().max(1)
            + LoginChange::ALL.len()
            + NOW
            + OF_AGENT
    }

    /// The lines of the agents that there is no room for, and of those without a name: these are paused
    /// for any reasons, and in any kinds of calls, at once.
    pub(super) fn kept(&self) -> usize {
        NOBODY_AND_OTHER * (self.lines() + self.reasons + CallKind::ALL.len())
    }

    /// The metrics of `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName, budget: &Budget) -> AgentMetrics {
        AgentMetrics {
            pbx: pbx.clone(),
            budget: budget.clone(),
            pauses: self.pauses.clone(),
            time: self.time.handles(),
            logins: self.logins.handles(),
            logoffs: self.logoffs.handles(),
        }
    }
}

impl AgentMetrics {
    /// Starts a known agent at zero: logins, logoffs, and the time in every state and every listed pause.
    pub(super) fn known(&mut self, agent: &Labelled<AgentId>) {
        for &change in LoginChange::ALL {
            self.login(agent, change);
        }
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

    /// An agent came or went.
    pub(super) fn logged(&mut self, agent: &Labelled<AgentId>, change: LoginChange) {
        self.login(agent, change).inc();
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

    fn login(&mut self, agent: &Labelled<AgentId>, change: LoginChange) -> One<'_, Counts> {
        let count = match change {
            LoginChange::In => &mut self.logins,
            LoginChange::Off => &mut self.logoffs,
        };
        count.ensure(agent.id, || AgentLabels { pbx: self.pbx.clone(), agent: agent.name.clone() })
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

/// Gauges of an agent besides the states: the team, since when the state goes on, the login, the last
/// call, and since when a talk, why a pause or what kind of call goes on, one of the three.
const NOW: usize = 5;
/// The label of all reasons that there is no room for.
const OTHER_REASONS: usize = 1;
/// The empty label of a pause without a reason.
const NO_REASON: usize = 1;
