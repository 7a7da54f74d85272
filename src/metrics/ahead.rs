//! Series of calls that begin when an agent or a trunk is known, and not when somebody calls: each
//! agent with each trunk.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::calls::{CallMetrics, Parties};
use super::naming::Labelled;
use crate::correlator::{AgentId, Direction, TrunkId};

/// Who may call over what.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    agents: BTreeMap<AgentId, Labelled<AgentId>>,
    trunks: BTreeMap<TrunkId, Labelled<TrunkId>>,
}

impl Ahead {
    /// An agent is known.
    pub(super) fn add_agent(
        &mut self,
        agent: &Labelled<AgentId>,
        calls: &mut CallMetrics,
        budget: &Budget,
    ) {
        if self.agents.insert(agent.id, agent.clone()).is_some() {
            return;
        }
        begin(calls, budget, Direction::Internal, agent, &Labelled::none());
        for trunk in self.trunks.values() {
            begin_both(calls, budget, agent, trunk);
        }
    }

    /// A trunk is known.
    pub(super) fn add_trunk(
        &mut self,
        trunk: &Labelled<TrunkId>,
        calls: &mut CallMetrics,
        budget: &Budget,
    ) {
        if self.trunks.insert(trunk.id, trunk.clone()).is_some() {
            return;
        }
        for agent in self.agents.values() {
            begin_both(calls, budget, agent, trunk);
        }
    }
}

fn begin_both(
    calls: &mut CallMetrics,
    budget: &Budget,
    agent: &Labelled<AgentId>,
    trunk: &Labelled<TrunkId>,
) {
    for direction in [Direction::Inbound, Direction::Outbound] {
        begin(calls, budget, direction, agent, trunk);
    }
}

fn begin(
    calls: &mut CallMetrics,
    budget: &Budget,
    direction: Direction,
    agent: &Labelled<AgentId>,
    trunk: &Labelled<TrunkId>,
) {
    let parties = Parties { direction, agent: agent.clone(), trunk: trunk.clone() };
    calls.began(&parties, |lines| budget.take_ahead(lines));
}
