//! Which label value a name gets: as it is, hashed, folded into `other`, or none because it is not
//! exported.
//!
//! `None` means the last; only queues can be left out.  It is decided once for each name, at its
//! first use, so that a name never moves from one series to another.

use std::fmt::Write;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use md5::{Digest, Md5};

use super::budget::Budget;
use super::labels::{AgentName, Name, QueueName, ReasonName, TrunkName};
use super::overflow::{Limit, Overflows};
use super::settings::{AgentLabel, Settings};
use crate::correlator::{AgentId, Id, Names, OTHER, QueueId, ReasonId, TrunkId};
use crate::pbx::PbxName;

/// The label values of one PBX's names.
#[derive(Debug)]
pub(super) struct Naming {
    pbx: PbxName,
    settings: Arc<Settings>,
    room: Room,
    queues: Values<QueueId>,
    agents: Values<AgentId>,
    /// Devices that are no member's, with a limit of their own: they never use up the members' limit.
    devices: Values<AgentId>,
    trunks: Values<TrunkId>,
    reasons: Values<ReasonId>,
    /// Agents in queues that have series of their own, and how many more there may be.
    places: HashSet<Place>,
    more_places: usize,
}

/// What there is room for, and what has none.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) budget: Budget,
    pub(super) overflows: Overflows,
    pub(super) costs: Costs,
}

/// How many series a name has for sure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Costs {
    pub(super) queue: usize,
    pub(super) member: usize,
    pub(super) agent: usize,
    pub(super) trunk: usize,
}

impl Naming {
    pub(super) fn new(settings: Arc<Settings>, pbx: &PbxName, room: Room) -> Self {
        let (limits, costs) = (settings.limits, room.costs);
        Self {
            pbx: pbx.clone(),
            queues: Values::new(Limit::Queue, limits.queues, costs.queue, &room),
            agents: Values::new(Limit::Agent, limits.agents, costs.agent, &room),
            devices: Values::new(Limit::Device, limits.devices, NOTHING_FOR_SURE, &room),
            trunks: Values::new(Limit::Trunk, limits.trunks, costs.trunk, &room),
            reasons: Values::new(Limit::Reason, limits.reasons, NOTHING_FOR_SURE, &room),
            places: HashSet::new(),
            more_places: limits.members,
            settings,
            room,
        }
    }

    /// Names by other settings from now on; what was decided stays.
    pub(super) fn change(&mut self, settings: &Arc<Settings>) {
        self.settings = Arc::clone(settings);
    }

    /// The queue's label, `None` if the queue is not exported.
    pub(super) fn queue(&mut self, names: &Names, id: QueueId) -> Option<Labelled<QueueId>> {
        let (settings, pbx) = (&self.settings, &self.pbx);
        self.queues.of(id, || {
            let name = names.queues.name(id);
            match settings.queue_aliases.of(pbx, name) {
                _ if !settings.shows_queue(name) => Choice::Hidden,
                Some(label) if settings.queue_aliases.sharers(pbx, label) > 1 => {
                    Choice::Shared(QueueName::new(label))
                }
                Some(label) => Choice::Limited(QueueName::new(label)),
                None => Choice::Limited(QueueName::new(name)),
            }
        })
    }

    /// The agent's label: a person's or a device's.
    pub(super) fn agent(&mut self, names: &Names, id: AgentId) -> Option<Labelled<AgentId>> {
        let is_other = names.agents.is_other_device(id);
        if is_other && self.settings.agent_label != AgentLabel::None {
            self.room.overflows.raise_to(Limit::Device, names.agents.devices_beyond());
        }

        let settings = &self.settings;
        let values = if names.agents.is_device(id) { &mut self.devices } else { &mut self.agents };
        values.of(id, || match &settings.agent_label {
            AgentLabel::None => Choice::Nobody,
            AgentLabel::Name | AgentLabel::Hash { .. } if is_other => Choice::Other,
            AgentLabel::Name => Choice::Limited(AgentName::new(names.agents.name(id))),
            AgentLabel::Hash { salt } => {
                Choice::Limited(AgentName::new(&hashed(salt, names.agents.name(id))))
            }
        })
    }

    /// The trunk's label.
    pub(super) fn trunk(&mut self, names: &Names, id: TrunkId) -> Option<Labelled<TrunkId>> {
        let is_other = names.trunks.is_other(id);
        if is_other {
            self.room.overflows.raise_to(Limit::Trunk, names.trunks.beyond());
        }
        self.trunks.of(id, || match is_other {
            true => Choice::Other,
            false => Choice::Limited(TrunkName::new(names.trunks.name(id))),
        })
    }

    /// The pause reason's label: a free text, so a list, or the first that come.
    pub(super) fn reason(&mut self, names: &Names, id: ReasonId) -> Option<Labelled<ReasonId>> {
        let listed = &self.settings.pause_reasons;
        let is_other = names.reasons.is_other(id);
        if is_other && listed.is_empty() {
            self.room.overflows.raise_to(Limit::Reason, names.reasons.beyond());
        }

        self.reasons.of(id, || {
            let name = names.reasons.name(id);
            match listed.is_empty() {
                _ if is_other => Choice::Other,
                true => Choice::Limited(ReasonName::new(name)),
                false if listed.iter().any(|reason| reason == name) => {
                    Choice::Listed(ReasonName::new(name))
                }
                false => Choice::Other,
            }
        })
    }

    /// An agent in a queue.
    ///
    /// The queue first: a member of a queue that is not exported does not count against the limit of
    /// agents.
    pub(super) fn member(
        &mut self,
        names: &Names,
        queue: QueueId,
        agent: AgentId,
    ) -> Option<Member> {
        let queue = self.queue(names, queue)?;
        let agent = self.agent(names, agent)?;
        let has_place = self.has_place((queue.id, agent.id));
        Some(Member { queue, agent: if has_place { agent } else { Labelled::other() } })
    }

    /// The same for a hangup cause, which may be that of a caller whom nobody served.
    pub(super) fn served(
        &mut self,
        names: &Names,
        queue: QueueId,
        agent: AgentId,
    ) -> Option<Member> {
        match agent.is_none() {
            true => Some(Member { queue: self.queue(names, queue)?, agent: Labelled::none() }),
            false => self.member(names, queue, agent),
        }
    }

    /// Whether an agent has series of its own in a queue.  `other` has in each.
    fn has_place(&mut self, place: Place) -> bool {
        if place.1 == Id::OTHER || self.places.contains(&place) {
            return true;
        }
        if self.more_places == 0 {
            self.room.overflows.note(Limit::Member, place);
            return false;
        }
        if !self.room.budget.admit_member(self.room.costs.member) {
            self.room.budget.refuse(place);
            return false;
        }
        self.more_places -= 1;
        self.places.insert(place)
    }

    /// How many entries are kept, for a test that they are bounded.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }
}

/// A name with its label.
#[derive(Clone, Debug)]
pub(super) struct Labelled<I> {
    /// Those that share a label have one id, so that nothing is kept for each.
    pub(super) id: I,
    pub(super) name: Name<I>,
    /// Whether others share the label: a limit was reached, or the configuration has it for several.
    pub(super) folded: bool,
}

impl<K> Labelled<Id<K>> {
    /// Nobody and nothing, whose label is empty.
    pub(super) fn none() -> Self {
        Self { id: Id::NONE, name: Name::new(""), folded: false }
    }

    /// All that there is no room for.
    pub(super) fn other() -> Self {
        Self { id: Id::OTHER, name: Name::new(OTHER), folded: true }
    }

    /// What it is called if there is no room for it.
    pub(super) fn or_other(&self) -> Self {
        if self.id.is_none() { Self::none() } else { Self::other() }
    }
}

/// An agent's place in a queue.
pub(super) type Place = (QueueId, AgentId);

/// A member with the labels of queue and agent.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) queue: Labelled<QueueId>,
    pub(super) agent: Labelled<AgentId>,
}

impl Member {
    pub(super) fn place(&self) -> Place {
        (self.queue.id, self.agent.id)
    }
}

/// What is decided about a name before its place is counted.
enum Choice<I> {
    /// It gets this label if there is room.
    Limited(Name<I>),
    /// It gets this label, which is one of few.
    Listed(Name<I>),
    /// It gets this label with others, if there is room.
    Shared(Name<I>),
    /// It gets the empty label, with all others.
    Nobody,
    /// It is one of those beyond a limit.
    Other,
    /// It is not exported.
    Hidden,
}

/// The labels of one kind of names, by id.
#[derive(Debug)]
struct Values<I> {
    limit: Limit,
    decided: Vec<Option<Decision<I>>>,
    /// Who was the first of those that share a label.
    shared: HashMap<Name<I>, I>,
    more: usize,
    /// Series of a name.
    cost: usize,
    room: Room,
}

#[derive(Clone, Debug)]
enum Decision<I> {
    Shown(Labelled<I>),
    Other,
    Hidden,
}

impl<K> Decision<Id<K>> {
    fn labelled(&self) -> Option<Labelled<Id<K>>> {
        match self {
            Self::Shown(labelled) => Some(labelled.clone()),
            Self::Other => Some(Labelled::other()),
            Self::Hidden => None,
        }
    }
}

impl<K: Clone + Eq + Hash> Values<Id<K>> {
    fn new(limit: Limit, most: usize, cost: usize, room: &Room) -> Self {
        let (decided, shared) = (Vec::new(), HashMap::new());
        Self { limit, decided, shared, more: most, cost, room: room.clone() }
    }

    fn of(&mut self, id: Id<K>, choose: impl FnOnce() -> Choice<Id<K>>) -> Option<Labelled<Id<K>>> {
        let at = id.index();
        if let Some(Some(decision)) = self.decided.get(at) {
            return decision.labelled();
        }

        if at >= self.decided.len() {
            self.decided.resize(at + 1, None);
        }
        let decision = match id.is_none() {
            true => Decision::Shown(Labelled::none()),
            false => self.decide(id, choose()),
        };
        self.decided[at].insert(decision).labelled()
    }

    fn decide(&mut self, id: Id<K>, choice: Choice<Id<K>>) -> Decision<Id<K>> {
        let alone = |name| Decision::Shown(Labelled { id, name, folded: false });
        match choice {
            Choice::Hidden => Decision::Hidden,
            Choice::Other => Decision::Other,
            Choice::Nobody => Decision::Shown(Labelled::none()),
            Choice::Listed(name) => alone(name),
            Choice::Shared(name) => self.share(id, name),
            Choice::Limited(name) => match self.admit() {
                true => alone(name),
                false => Decision::Other,
            },
        }
    }

    fn share(&mut self, id: Id<K>, name: Name<Id<K>>) -> Decision<Id<K>> {
        if !self.shared.contains_key(&name) {
            if !self.room.budget.admit(self.cost) {
                self.room.overflows.add(Limit::Series);
                return Decision::Other;
            }
            self.shared.insert(name.clone(), id);
        }
        Decision::Shown(Labelled { id: self.shared[&name], name, folded: true })
    }

    fn admit(&mut self) -> bool {
        if self.more == 0 {
            self.room.overflows.add(self.limit);
            return false;
        }
        if !self.room.budget.admit(self.cost) {
            self.room.overflows.add(Limit::Series);
            return false;
        }
        self.more -= 1;
        true
    }
}

/// Devices and reasons have only series that are taken as they come.
const NOTHING_FOR_SURE: usize = 0;

/// Twelve hex digits are enough to distinguish some millions of agents.
fn hashed(salt: &str, name: &str) -> String {
    let digest = Md5::new().chain_update(salt).chain_update(name).finalize();
    digest.iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_first_twelve_digits_of_md5_over_salt_and_name() {
        assert_eq!(hashed("", ""), "d41d8cd98f00");
        assert_eq!(hashed("a", "bc"), "900150983cd2");
    }
}
