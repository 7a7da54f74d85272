//! To which group a queue belongs, and to which team an agent.

use std::collections::{BTreeMap, HashMap};

use super::labels::{GroupName, Name, TeamName};
use crate::pbx::PbxName;

/// Groups of queues and teams of agents, by PBX.
#[derive(Clone, Debug, Default)]
pub struct Groups(HashMap<PbxName, OfPbx>);

#[derive(Clone, Debug, Default)]
struct OfPbx {
    /// By names of queues, or their aliases, in lower case.
    groups: HashMap<String, GroupName>,
    teams: HashMap<String, TeamName>,
}

impl Groups {
    /// Adds what a PBX has.
    pub fn add(
        &mut self,
        pbx: &PbxName,
        groups: &BTreeMap<String, String>,
        teams: &BTreeMap<String, String>,
    ) {
        if groups.is_empty() && teams.is_empty() {
            return;
        }
        let groups =
            groups.iter().map(|(queue, group)| (queue.to_ascii_lowercase(), Name::new(group)));
        let teams = teams.iter().map(|(agent, team)| (agent.clone(), Name::new(team)));
        let of_pbx = OfPbx { groups: groups.collect(), teams: teams.collect() };
        self.0.insert(pbx.clone(), of_pbx);
    }

    /// The group of a queue by its alias, or by its name if it has none; empty if it is in none.
    pub(super) fn of_queue(&self, pbx: &PbxName, queue: &str) -> GroupName {
        let found = self.0.get(pbx);
        let found = found.and_then(|of_pbx| of_pbx.groups.get(&queue.to_ascii_lowercase()));
        found.cloned().unwrap_or_else(|| Name::new(""))
    }

    /// The team of an agent; empty if the agent is in none.
    pub(super) fn of_agent(&self, pbx: &PbxName, agent: &str) -> TeamName {
        let found = self.0.get(pbx).and_then(|of_pbx| of_pbx.teams.get(agent));
        found.cloned().unwrap_or_else(|| Name::new(""))
    }
}
