//! An agent: a person, with one state over all members, the time spent in it, and since when.

use std::collections::BTreeMap;

use super::Members;
use super::counts::OfAgent;
use super::since::{Lost, Since};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::agent_now::AgentNow;
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
    pub since: Since,
    /// What the loss of the link interrupted, until lists show what has become of it.
    pub lost: Option<Lost>,
    /// Members that were added, and are not configured.
    pub dynamic: u32,
    /// When the first of these was taken, if that is known.
    pub login: Option<Moment>,
    /// A login was seen, or a list shows one, whose end no event has reported.
    pub awaits_logoff: bool,
    /// When the last call of a queue ended.
    pub last_call: Option<Moment>,
}

impl Agent {
    pub(super) fn new(state: AgentState, now: Moment) -> Self {
        Self {
            members: BTreeMap::new(),
            counts: OfAgent::default(),
            state,
            reason: ReasonId::NONE,
            reported: now,
            since: Since::default(),
            lost: None,
            dynamic: 0,
            login: None,
            awaits_logoff: false,
            last_call: None,
        }
    }

    /// A member that was added came or went.
    pub(super) const fn count_dynamic(&mut self, came: bool) {
        self.dynamic = if came { self.dynamic + 1 } else { self.dynamic.saturating_sub(1) };
        self.awaits_logoff |= came;
        if self.dynamic == 0 {
            self.login = None;
        }
    }

    /// What the agent does now.
    pub(super) fn now(&self, agent: AgentId) -> AgentNow {
        let Self { state, reason, since, login, last_call, .. } = *self;
        let (talk_since, since) = (since.talk, since.state);
        AgentNow { agent, state, reason, busy: None, since, talk_since, login, last_call }
    }

    /// Works out the state anew; reports the time spent in the old one if it changed.  Whether another
    /// state began unseen.
    fn refresh(
        &mut self,
        id: AgentId,
        seen: Seen,
        now: Moment,
        names: &Names,
        out: &mut dyn Observe,
    ) -> bool {
        let (state, reason) = match seen {
            Seen::Event | Seen::List => self.counts.state(),
            Seen::Nothing => (AgentState::Unknown, ReasonId::NONE),
        };
        if (state, reason) == (self.state, self.reason) {
            return false;
        }

        self.report(id, now, names, out);
        if seen == Seen::Nothing {
            self.lost = Some(Lost { at: now, state: self.state, since: self.since });
        }
        let began = if seen == Seen::List { None } else { now.dated() };
        self.since = self.since.next(self.state, state, began);
        self.state = state;
        self.reason = reason;
        seen == Seen::List
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

/// What shows an agent's state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    /// An event, at the moment of a change.
    Event,
    /// A list or a first description, some time after.
    List,
    /// There is no session.
    Nothing,
}

impl Correlator {
    fn seen(&self) -> Seen {
        match self.synchronised {
            false => Seen::Nothing,
            true if self.members.unseen => Seen::List,
            true => Seen::Event,
        }
    }

    /// Works out an agent's state anew; reports the time spent in the old one if it changed.
    pub(in crate::correlator) fn refresh_agent(
        &mut self,
        id: AgentId,
        now: Moment,
        out: &mut dyn Observe,
    ) {
        self.members.settle();
        let seen = self.seen();
        if let Some(agent) = self.members.agents.get_mut(&id)
            && agent.refresh(id, seen, now, &self.names, out)
        {
            self.members.untold.push(id);
        }
    }

    /// Works out the states of all agents anew: the link came up or was lost.
    pub(in crate::correlator) fn refresh_all_agents(&mut self, now: Moment, out: &mut dyn Observe) {
        self.members.settle();
        let seen = self.seen();
        let Members { agents, untold, .. } = &mut self.members;
        for (&id, agent) in agents {
            if agent.refresh(id, seen, now, &self.names, out) {
                untold.push(id);
            }
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
