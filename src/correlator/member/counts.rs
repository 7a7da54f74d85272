//! How many members are in which state, kept as they change: an agent's state and the gauges come
//! from here, whatever number of queues the agent is in.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::Member;
use super::phone::is_in_use;
use crate::correlator::key::MemberKey;
use crate::correlator::names::{AgentId, QueueId, ReasonId};
use crate::correlator::observation::{AgentState, Word};
use crate::correlator::table::Recount;

/// What a member is counted by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CountedAs {
    queue: QueueId,
    pub agent: AgentId,
    order: u64,
    state: AgentState,
    reason: ReasonId,
    in_use: bool,
    in_wrap_up: bool,
}

/// Numbers of members by state, in the order of [`AgentState`]'s words.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::correlator) struct States([u64; AgentState::ALL.len()]);

/// The members of one agent.
#[derive(Debug, Default)]
pub(super) struct OfAgent {
    states: States,
    /// Why members are paused, the oldest member first.
    reasons: BTreeMap<u64, ReasonId>,
}

/// The members of a PBX.
#[derive(Debug, Default)]
pub(super) struct Counts {
    queues: HashMap<QueueId, States>,
    /// Members whose device is in use, by agent, the oldest first.
    in_use: BTreeMap<(AgentId, u64), MemberKey>,
    in_wrap_up: BTreeSet<MemberKey>,
}

impl CountedAs {
    pub(super) fn of(member: &Member) -> Option<Self> {
        (!member.removed).then(|| Self {
            queue: member.queue,
            agent: member.agent,
            order: member.order,
            state: member.state(true),
            reason: member.reason,
            in_use: is_in_use(member.status),
            in_wrap_up: member.in_wrap_up.is_some(),
        })
    }
}

impl States {
    pub(in crate::correlator) const fn of(&self, state: AgentState) -> u64 {
        self.0[state as usize]
    }

    pub(in crate::correlator) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    const fn add(&mut self, state: AgentState) {
        self.0[state as usize] += 1;
    }

    const fn remove(&mut self, state: AgentState) {
        self.0[state as usize] -= 1;
    }
}

impl OfAgent {
    /// The first state any member is in; paused only if every member is; unavailable if there is no
    /// member left.
    pub(super) fn state(&self) -> (AgentState, ReasonId) {
        // Some members paused and others not: the person can be called.
        let paused = |state: &&AgentState| **state == AgentState::Paused;
        let states = AgentState::ALL.iter().filter(|state| !paused(state));
        let mut in_order = states.chain(AgentState::ALL.iter().filter(paused)).copied();
        match in_order.find(|&state| self.states.of(state) > 0) {
            None => (AgentState::Unavailable, ReasonId::NONE),
            Some(AgentState::Paused) => {
                let reason = self.reasons.first_key_value().map(|(_, &reason)| reason);
                (AgentState::Paused, reason.unwrap_or_default())
            }
            Some(state) => (state, ReasonId::NONE),
        }
    }

    pub(super) fn leave(&mut self, was: &CountedAs) {
        self.states.remove(was.state);
        if !was.reason.is_none() {
            self.reasons.remove(&was.order);
        }
    }

    pub(super) fn enter(&mut self, is: &CountedAs) {
        self.states.add(is.state);
        if !is.reason.is_none() {
            self.reasons.insert(is.order, is.reason);
        }
    }
}

impl Counts {
    pub(super) fn recount(&mut self, Recount { key, before, now }: Recount<MemberKey, CountedAs>) {
        if let Some(was) = before
            && let Some(states) = self.queues.get_mut(&was.queue)
        {
            states.remove(was.state);
        }
        if let Some(is) = now {
            self.queues.entry(is.queue).or_default().add(is.state);
        }

        // Most changes are of the state alone.
        let in_use = |counted: CountedAs| counted.in_use.then_some((counted.agent, counted.order));
        let (was, is) = (before.and_then(in_use), now.and_then(in_use));
        if was != is {
            if let Some(place) = was {
                self.in_use.remove(&place);
            }
            if let Some(place) = is {
                self.in_use.insert(place, key);
            }
        }
        let in_wrap_up = |counted: CountedAs| counted.in_wrap_up;
        match (before.is_some_and(in_wrap_up), now.is_some_and(in_wrap_up)) {
            (true, false) => {
                self.in_wrap_up.remove(&key);
            }
            (false, true) => {
                self.in_wrap_up.insert(key);
            }
            (false, false) | (true, true) => {}
        }
    }

    /// The members of a queue.
    pub(super) fn of_queue(&self, queue: QueueId) -> States {
        self.queues.get(&queue).copied().unwrap_or_default()
    }

    /// The agent's members whose device is in use.
    pub(super) fn in_use_of(&self, agent: AgentId) -> impl Iterator<Item = MemberKey> {
        self.in_use.range((agent, 0)..=(agent, u64::MAX)).map(|(_, &key)| key)
    }

    /// Members whose device is in use.
    pub(super) fn in_use(&self) -> impl Iterator<Item = MemberKey> {
        self.in_use.values().copied()
    }

    /// Members in wrap-up.
    pub(super) fn in_wrap_up(&self) -> impl Iterator<Item = MemberKey> {
        self.in_wrap_up.iter().copied()
    }
}
