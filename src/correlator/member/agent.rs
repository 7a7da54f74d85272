//! An agent: a person, with one state over all members, and the time spent in it.

use std::collections::BTreeMap;

use super::Members;
use super::counts::OfAgent;
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::key::MemberKey;
use crate::correlator::names::{AgentId, Names, QueueId, ReasonId};
use crate::correlator::observation::{AgentState, Observation, Observe};

/// A person.
#[derive(Debug)]
pub(super) struct Agent {
    /// By queue, the oldest first.
    pub members: BTreeMap<(QueueId, u64), MemberKey>,
    pub counts: OfAgent,
    pub state: AgentState,
    reason: ReasonId,
    /// Up to where state time is reported.
    reported: Moment,
}

impl Agent {
    pub(super) fn new(state: AgentState, now: Moment) -> Self {
        Self {
            members: BTreeMap::new(),
            counts: OfAgent::default(),
            state,
            reason: ReasonId::NONE,
            reported: now,
        }
    }

    /// Works out the state anew; reports the time spent in the old one if it changed.
    fn refresh(
        &mut self,
        id: AgentId,
        synchronised: bool,
        now: Moment,
        names: &Names,
        out: &mut dyn Observe,
    ) {
        let (state, reason) = match synchronised {
            true => self.counts.state(),
            false => (AgentState::Unknown, ReasonId::NONE),
        };
        if (state, reason) != (self.state, self.reason) {
            self.report(id, now, names, out);
            self.state = state;
            self.reason = reason;
        }
    }

    /// Reports the time spent in the state.
    fn report(&mut self, agent: AgentId, now: Moment, names: &Names, out: &mut dyn Observe) {
        // The first event of the agent may have come in a part of a capture that has no time.
        let reported = self.reported.dated().unwrap_or(now);
        let spent = now.since(reported);
        self.reported = reported.max(now);

        let state = self.state;
        let reason = self.reason;
        out.observe(names, Observation::AgentTime { agent, state, reason, spent }, None);
    }
}

impl Correlator {
    /// Works out an agent's state anew; reports the time spent in the old one if it changed.
    pub(in crate::correlator) fn refresh_agent(
        &mut self,
        id: AgentId,
        now: Moment,
        out: &mut dyn Observe,
    ) {
        self.members.settle();
        if let Some(agent) = self.members.agents.get_mut(&id) {
            agent.refresh(id, self.synchronised, now, &self.names, out);
        }
    }

    /// Works out the states of all agents anew: the link came up or was lost.
    pub(in crate::correlator) fn refresh_all_agents(&mut self, now: Moment, out: &mut dyn Observe) {
        self.members.settle();
        for (&id, agent) in &mut self.members.agents {
            agent.refresh(id, self.synchronised, now, &self.names, out);
        }
    }

    /// Reports all state and wrap-up time up to now.
    pub(in crate::correlator) fn report_times(&mut self, now: Moment, out: &mut dyn Observe) {
        for (&id, agent) in &mut self.members.agents {
            agent.report(id, now, &self.names, out);
        }

        self.members.settle();
        let Members { all, counts, .. } = &mut self.members;
        for key in counts.in_wrap_up() {
            if let Some(member) = all.get_mut_unmarked(key) {
                member.report_wrap_up(now, &self.names, out);
            }
        }
    }
}
