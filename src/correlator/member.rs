//! Members of queues and the agents behind them: who is there, in which state, and for how long.
//!
//! A member is an agent's place in one queue.  This file has the table of members; who takes and
//! leaves a place, what events and lists say, phones, wrap-up and the agents' states have files of
//! their own.

mod activity;
mod agent;
mod agent_phones;
mod counts;
mod events;
mod former;
mod in_wrap_up;
mod login;
mod phone;
mod places;
mod presence;
mod since;
mod told;
mod unseen;
mod wrapup;

use std::collections::BTreeMap;
use std::ops::Index;
use std::time::Duration;

use activity::Activity;
use agent::Agent;
use agent_phones::AgentPhones;
pub(super) use counts::States;
use counts::{CountedAs, Counts};
pub(super) use events::Described;
use former::Former;
use hashbrown::{HashMap, HashSet};
use in_wrap_up::InWrapUp;
use phone::{INVALID, InCall, NOT_IN_USE, Phone, RINGING, UNAVAILABLE, is_in_use};
use told::Told;

use super::agent_now::AgentNow;
use super::caseless::folded;
use super::key::{MemberKey, Shortlist};
use super::names::{AgentId, Names, QueueId, ReasonId, readable};
use super::observation::{AgentState, Penalty};
use super::owner::Owners;
use super::rules::Rules;
use super::table::Table;

/// An agent's place in one queue.
#[derive(Debug)]
pub(super) struct Member {
    queue: QueueId,
    /// The smaller, the older it is.
    order: u64,
    interface: Box<[u8]>,
    agent: AgentId,
    /// An event or a list has described it, not only a call named it.
    confirmed: bool,
    /// Removed; kept for calls that still speak of it.
    removed: bool,
    status: u8,
    paused: bool,
    reason: ReasonId,
    /// As it was said last.
    penalty: Penalty,
    /// The member's own time for wrap-up, which overrides its queue's.
    wrap_up_time: Duration,
    /// It was added, and is not configured.
    dynamic: bool,
    told: Told,
    in_wrap_up: Option<InWrapUp>,
    state_interface: Box<[u8]>,
    phone: Phone,
    /// Whether the phone is in a call, as far as its device says it is in use.
    in_call: InCall,
    /// The last session in which the device was free, so no call of it is older.
    free_in: Option<u32>,
    activity: Activity,
}

/// A queue and an interface, which is unique there in any case (`member_cmp_fn` of app_queue.c).
pub(super) type Place = (QueueId, Box<[u8]>);

/// The place of an interface in a queue.
pub(super) fn place(queue: QueueId, interface: &[u8]) -> Place {
    (queue, folded(interface, |interface| interface.into()))
}

/// All members and agents of a PBX.
#[derive(Debug, Default)]
pub(super) struct Members {
    all: Table<MemberKey, Member, CountedAs>,
    counts: Counts,
    /// Members by interface and queue.
    places: HashMap<Box<[u8]>, BTreeMap<QueueId, MemberKey>>,
    /// How many members there ever were.
    ever: u64,
    /// How many sessions there were.
    session: u32,
    agents: BTreeMap<AgentId, Agent>,
    /// Whose device it is.
    owners: Owners,
    phones: AgentPhones,
    /// A device was called like the extension of a member, as FreePBX does it.
    numbered: bool,
    /// Agents whose state may have changed since it was worked out.
    stale: Vec<AgentId>,
    /// A list is applied: when states began that differ was not seen.
    unseen: bool,
    /// Agents of whom fields may tell since when they are in their state.
    untold: Vec<AgentId>,
    former: Former,
    /// Members in their places, and some that are there no more.
    by_age: Shortlist<MemberKey>,
}

/// A member that a call, a stay or a place holds is there: `sweep_members` drops no other.
impl Index<MemberKey> for Members {
    type Output = Member;

    fn index(&self, key: MemberKey) -> &Member {
        &self.all[key]
    }
}

impl Members {
    pub(super) fn new(rules: &Rules, names: &mut Names) -> Self {
        Self { owners: Owners::new(rules, names), ..Self::default() }
    }

    pub(super) fn get(&self, key: MemberKey) -> Option<&Member> {
        self.all.get(key)
    }

    /// The member in a queue that has an interface.
    pub(super) fn find(&self, queue: QueueId, interface: &[u8]) -> Option<MemberKey> {
        folded(interface, |interface| self.find_folded(queue, interface))
    }

    pub(super) fn find_at(&self, (queue, interface): &Place) -> Option<MemberKey> {
        self.find_folded(*queue, interface)
    }

    fn find_folded(&self, queue: QueueId, interface: &[u8]) -> Option<MemberKey> {
        self.places.get(interface)?.get(&queue).copied()
    }

    /// The member is there from now on.
    fn take_place(&mut self, (queue, interface): Place, key: MemberKey) {
        self.by_age.add(key, |key| is_present(&self.all, key));
        self.places.entry(interface).or_default().insert(queue, key);
    }

    fn leave_place(&mut self, (queue, interface): &Place) -> Option<MemberKey> {
        let queues = self.places.get_mut(interface)?;
        let key = queues.remove(queue);
        if queues.is_empty() {
            self.places.remove(interface);
        }
        key
    }

    /// The members with that interface, by queue.
    fn with_interface(&self, interface: &[u8]) -> impl Iterator<Item = (QueueId, MemberKey)> {
        let queues = folded(interface, |interface| self.places.get(interface));
        queues.into_iter().flatten().map(|(&queue, &key)| (queue, key))
    }

    /// The agent's member in a queue.
    pub(super) fn find_of_agent(&self, queue: QueueId, agent: AgentId) -> Option<MemberKey> {
        let mut members = self.agents.get(&agent)?.members.range((queue, 0)..);
        members.next().filter(|((of, _), _)| *of == queue).map(|(_, &key)| key)
    }

    /// Places that are not among `listed`, in order.
    pub(super) fn places_without(&self, listed: &HashSet<Place>) -> Vec<Place> {
        let mut places = Vec::new();
        for (interface, queues) in &self.places {
            let all = queues.keys().map(|&queue| (queue, interface.clone()));
            places.extend(all.filter(|place| !listed.contains(place)));
        }
        places.sort_unstable();
        places
    }

    /// How many are in their places.
    pub(super) fn count(&self) -> usize {
        self.all.len() - self.former.len()
    }

    /// The place that was taken first.
    pub(super) fn oldest(&mut self) -> Option<Place> {
        let Self { all, by_age, .. } = self;
        let oldest = by_age.oldest(|key| is_present(all, key))?;
        all.get(oldest).map(Member::place)
    }

    /// Whose device it is.
    pub(super) const fn owners(&self) -> &Owners {
        &self.owners
    }

    /// The PBX says what an extension's hint watches.
    pub(super) fn hint(&mut self, extension: &[u8], context: &[u8], watched: &[u8]) {
        self.owners.hint(extension, context, watched);
    }

    /// The member's Local channel dials a phone.
    pub(super) fn note_dialled(&mut self, key: MemberKey, device: &str) {
        self.owners.dialled(&self.all[key].interface, device.as_bytes());
    }

    /// The calls of a member that is indexed by right.
    pub(super) fn activity_mut(&mut self, key: MemberKey) -> &mut Activity {
        &mut self.all[key].activity
    }

    /// The agent has left a talk, or has come back to it.
    pub(super) fn part(&mut self, key: MemberKey, gone: bool) {
        let member = &mut self.all[key];
        member.activity.part(gone);
        self.stale.push(member.agent);
    }

    /// The agent put a caller on hold, or is with the caller again.
    pub(super) fn hold(&mut self, key: MemberKey, on_hold: bool) {
        let member = &mut self.all[key];
        member.activity.hold(on_hold);
        self.stale.push(member.agent);
    }

    /// A session begins: what was free before may have been in a call since.
    pub(super) fn begin_session(&mut self) {
        self.session = self.session.wrapping_add(1);
    }

    /// Whether a device may be another's since this was taken.
    pub(super) const fn is_any_owner_changed(&self) -> bool {
        self.owners.is_any_changed()
    }

    /// Devices that may be another's since this was asked last, and numbers of devices.
    pub(super) fn take_changed_owners(&mut self) -> Vec<Box<[u8]>> {
        self.owners.take_changed()
    }

    /// Counts what has changed.
    pub(super) fn settle(&mut self) {
        let Self { all, counts, agents, .. } = self;
        all.settle(
            |member, _| CountedAs::of(member),
            |recount| {
                if let Some(was) = recount.before
                    && let Some(agent) = agents.get_mut(&was.agent)
                {
                    agent.counts.leave(&was);
                }
                if let Some(is) = recount.now
                    && let Some(agent) = agents.get_mut(&is.agent)
                {
                    agent.counts.enter(&is);
                }
                counts.recount(recount);
            },
        );
    }

    /// Whether all that has changed is counted.
    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        self.all.is_settled()
    }

    /// How many members of a queue are in which state.
    pub(super) fn states(&self, queue: QueueId) -> States {
        self.counts.of_queue(queue)
    }

    /// What the phones of an agent's members are called whose device is in use.
    pub(super) fn phones_in_use(&self, agent: AgentId) -> impl Iterator<Item = &str> {
        // All members of an agent have one phone, or nearly so.
        let members =
            self.counts.in_use_of(agent).take(MEMBERS).filter_map(|key| self.all.get(key));
        let own = self.phones.devices(agent).iter().map(|device| &**device);
        own.chain(members.flat_map(|member| member.phone.names()))
    }

    /// What every agent does, in order.
    pub(super) fn agents_now(&self) -> Vec<AgentNow> {
        self.agents.iter().map(|(&id, agent)| agent.now(id)).collect()
    }

    /// Every member.
    #[cfg(test)]
    pub(super) fn present(&self) -> impl Iterator<Item = &Member> {
        self.all.values().filter(|member| !member.removed)
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &Member> {
        self.all.values()
    }

    /// A member's StateInterface: whose device it is may be another's from now on.
    fn take_state_interface(&mut self, key: MemberKey, state_interface: &[u8]) {
        let member = &mut self.all[key];
        if state_interface.is_empty() || *member.state_interface == *state_interface {
            return;
        }

        let before = std::mem::replace(&mut member.state_interface, state_interface.into());
        let agent = member.agent;
        self.owners.release(readable(&before).as_bytes(), agent);
        self.claim_device(state_interface, agent);
        self.learn_phone_of(key);
    }

    /// Devices are what channels are called by: `Agent:1001` and `hint:…` are none.
    fn claim_device(&mut self, interface: &[u8], agent: AgentId) {
        let interface = readable(interface);
        self.owners.claim(interface.as_bytes(), agent);
        let device = interface.strip_suffix("/n").unwrap_or(&interface);
        if device.contains('/') {
            self.phones.give(device, agent);
        }
    }

    /// What the interfaces say of the phone behind the member.
    fn learn_phone_of(&mut self, key: MemberKey) {
        let member = &mut self.all[key];
        member.phone = Phone::of(&member.interface, &member.state_interface);
        for name in member.phone.names() {
            self.phones.name(name, member.agent);
        }
    }
}

/// Members that are asked for the phone.
const MEMBERS: usize = 4;

fn is_present(all: &Table<MemberKey, Member, CountedAs>, key: MemberKey) -> bool {
    all.get(key).is_some_and(|member| !member.removed)
}

impl Member {
    pub(super) const fn queue(&self) -> QueueId {
        self.queue
    }

    pub(super) const fn penalty(&self) -> Penalty {
        self.penalty
    }

    #[cfg(test)]
    pub(super) const fn interface(&self) -> &[u8] {
        &self.interface
    }

    pub(super) const fn agent(&self) -> AgentId {
        self.agent
    }

    pub(super) const fn status(&self) -> u8 {
        self.status
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) const fn is_removed(&self) -> bool {
        self.removed
    }

    pub(super) fn place(&self) -> Place {
        place(self.queue, &self.interface)
    }

    pub(super) const fn activity(&self) -> &Activity {
        &self.activity
    }

    /// The first that matches, in the order of METRICS.md: with PJSIP Status says 3 while ringing
    /// and talking, so what is known of the call comes first.
    pub(super) fn state(&self, synchronised: bool) -> AgentState {
        let activity = &self.activity;
        // The agent has left the call, the caller not yet, and the device is free: a pool agent who
        // pressed `*`.
        let talking =
            if self.status == NOT_IN_USE { activity.talks_on() } else { activity.is_talking() };

        match self.status {
            _ if !synchronised => AgentState::Unknown,
            _ if talking && activity.is_on_hold() => AgentState::OnHold,
            _ if talking => AgentState::Talking,
            _ if activity.is_ringing() => AgentState::Ringing,
            RINGING => AgentState::Ringing,
            status if is_in_use(status) && self.in_call != InCall::No => AgentState::Busy,
            _ if self.in_wrap_up.is_some() => AgentState::WrapUp,
            status if is_in_use(status) => AgentState::Dnd,
            INVALID | UNAVAILABLE => AgentState::Unavailable,
            _ if self.paused => AgentState::Paused,
            _ => AgentState::Available,
        }
    }
}
