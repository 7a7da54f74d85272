//! Gauges of trunks and phones: what of them share a label is one series.

use std::collections::BTreeMap;
use std::time::Duration;

use super::labels::{AgentName, TrunkName};
use super::naming::{Labelled, Naming};
use crate::correlator::{EndpointOf, Names, Reachable, TrunkId};

/// Which trunks of a PBX are registered, and which trunks and agents' phones can be reached.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    pub(super) registered: BTreeMap<TrunkName, bool>,
    /// By agent and trunk, one of which is empty.
    pub(super) reachable: BTreeMap<(AgentName, TrunkName), Reach>,
}

/// Whether any of those that share the labels can be reached.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    pub(super) is_reachable: bool,
    /// The longest of those that are known.
    pub(super) round_trip: Option<Duration>,
}

/// Series of a trunk: whether it is registered, whether it can be reached, and how fast it answers.
pub(super) const OF_TRUNK: usize = 3;
/// Series of an agent: whether a phone can be reached, and how fast it answers.
pub(super) const OF_AGENT: usize = 2;

impl Endpoints {
    pub(super) fn new(
        registered: Vec<(TrunkId, bool)>,
        reachable: Vec<Reachable>,
        names: &Names,
        naming: &mut Naming,
    ) -> Self {
        let mut all = Self::default();
        for (trunk, is_registered) in registered {
            // With several registrations a trunk is registered if all of them are.
            if let Some(trunk) = naming.trunk(names, trunk) {
                *all.registered.entry(trunk.name).or_insert(true) &= is_registered;
            }
        }

        for Reachable { of, is_reachable, round_trip } in reachable {
            let labels = match of {
                EndpointOf::Trunk(trunk) => {
                    naming.trunk(names, trunk).map(|trunk| (Labelled::none().name, trunk.name))
                }
                // All agents have one label if they are not to be told apart.
                EndpointOf::Agent(agent) => naming
                    .agent(names, agent)
                    .filter(|agent| !agent.id.is_none())
                    .map(|agent| (agent.name, Labelled::none().name)),
            };
            let Some(labels) = labels else { continue };
            let reach = all.reachable.entry(labels).or_default();
            reach.is_reachable |= is_reachable;
            reach.round_trip = reach.round_trip.max(round_trip);
        }
        all
    }
}
