//! An agent: a person, with one state over all members, and the time spent in it.

use slotmap::SlotMap;

use super::Member;
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::key::MemberKey;
use crate::correlator::names::{AgentId, Names, ReasonId};
use crate::correlator::observation::{AgentState, Observation, Observe};

/// A person.
#[derive(Debug)]
pub(super) struct Agent {
    pub members: Vec<MemberKey>,
    pub state: AgentState,
    reason: ReasonId,
    /// Up to where state time is reported.
    reported: Moment,
}

impl Agent {
    pub(super) const fn new(state: AgentState, now: Moment) -> Self {
        Self { members: Vec::new(), state, reason: ReasonId::NONE, reported: now }
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
        let Some(agent) = self.members.agents.get_mut(&id) else { return };
        let (state, reason) = state_of(&agent.members, &self.members.all, self.synchronised);
        if (state, reason) != (agent.state, agent.reason) {
            agent.report(id, now, &self.names, out);
            agent.state = state;
            agent.reason = reason;
        }
    }

    /// Works out the states of all agents anew: the link came up or was lost.
    pub(in crate::correlator) fn refresh_all_agents(&mut self, now: Moment, out: &mut dyn Observe) {
        for agent in self.members.agent_ids() {
            self.refresh_agent(agent, now, out);
        }
    }

    /// Reports all state and wrap-up time up to now.
    pub(in crate::correlator) fn report_times(&mut self, now: Moment, out: &mut dyn Observe) {
        for id in self.members.agent_ids() {
            if let Some(agent) = self.members.agents.get_mut(&id) {
                agent.report(id, now, &self.names, out);
            }
        }
        for member in self.members.all.values_mut() {
            member.report_wrap_up(now, &self.names, out);
        }
    }
}

/// The first state any member is in; paused only if every member that is not unavailable is, and
/// unavailable, too, if there is no member left.
fn state_of(
    keys: &[MemberKey],
    all: &SlotMap<MemberKey, Member>,
    synchronised: bool,
) -> (AgentState, ReasonId) {
    if !synchronised {
        return (AgentState::Unknown, ReasonId::NONE);
    }

    let members = || keys.iter().filter_map(|&key| all.get(key)).filter(|member| !member.removed);
    let first = members().map(|member| member.state(true)).min_by_key(|&state| match state {
        // Some members paused and others not: the person can be called.
        AgentState::Paused => AgentState::Unknown,
        other => other,
    });
    let Some(first) = first else { return (AgentState::Unavailable, ReasonId::NONE) };

    let reason = match first {
        AgentState::Paused => members()
            .map(|member| member.reason)
            .find(|reason| !reason.is_none())
            .unwrap_or_default(),
        _ => ReasonId::NONE,
    };
    (first, reason)
}
