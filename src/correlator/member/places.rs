//! Who has which place: members are made by whatever names them, and kept after their removal for as
//! long as a call speaks of them.

use std::time::Duration;

use super::activity::Activity;
use super::agent::Agent;
use super::phone::{InCall, Phone};
use super::told::Told;
use super::{Member, Members, place};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::key::MemberKey;
use crate::correlator::names::{AgentId, QueueId, ReasonId, readable};
use crate::correlator::observation::{AgentState, Observation, Observe, Penalty};
use crate::correlator::rules::Identity;
use crate::correlator::stay::Stay;

impl Correlator {
    /// The member a call speaks of, made now if nothing has named it yet.  It may have been removed
    /// while the call went on.
    pub(in crate::correlator) fn ensure_member(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        name: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let place = place(queue, interface);
        if self.members.find_at(&place).is_none()
            && let Some(key) = self.members.former.find(&place)
        {
            return key;
        }
        self.ensure_present_member(queue, interface, name, now, out)
    }

    /// The member behind an interface in a queue, made now if nothing has named it yet.
    fn ensure_present_member(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        name: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let key = self.ensure_place(queue, interface, name, now, out);
        self.refresh_agent(self.members[key].agent, now, out);
        key
    }

    /// The same without a look at the agent's state, which a description is about to decide: until then
    /// a new member looks available.
    pub(super) fn ensure_place(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        name: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let place = place(queue, interface);
        let agent = self.identify(interface, name);
        if let Some(key) = self.members.find_at(&place) {
            if self.members[key].agent == agent {
                return key;
            }
            // Renamed, or another person took the place.
            self.remove_member(queue, interface, now, out);
        }

        self.members.ever += 1;
        let order = self.members.ever;
        let key = self.members.all.insert(Member {
            queue,
            order,
            interface: interface.into(),
            agent,
            confirmed: false,
            removed: false,
            status: 0,
            paused: false,
            reason: ReasonId::NONE,
            penalty: Penalty::Unknown,
            wrap_up_time: Duration::ZERO,
            dynamic: false,
            told: Told::default(),
            in_wrap_up: None,
            state_interface: Box::default(),
            phone: Phone::default(),
            in_call: InCall::No,
            free_in: None,
            activity: Activity::default(),
        });
        self.members.take_place(place, key);
        self.members.claim_device(interface, agent);
        self.members.learn_phone_of(key);
        self.emit(Observation::MemberKnown { queue, agent }, out);

        // The state is worked out from the members of the agent, so a new agent begins in any state,
        // and spends no time in it.
        let synchronised = self.synchronised;
        let state = if synchronised { AgentState::Available } else { AgentState::Unknown };
        let person = self.members.agents.entry(agent).or_insert_with(|| Agent::new(state, now));
        person.members.insert((queue, order), key);
        if self.members.unseen {
            self.members.untold.push(agent);
        }
        key
    }

    pub(in crate::correlator) fn remove_member(
        &mut self,
        queue: QueueId,
        interface: &[u8],
        now: Moment,
        out: &mut dyn Observe,
    ) {
        let place = place(queue, interface);
        let Some(key) = self.members.leave_place(&place) else { return };

        let member = &mut self.members.all[key];
        member.removed = true;
        let agent = member.agent;
        let order = member.order;
        let Members { all, owners, .. } = &mut self.members;
        let member = &all[key];
        for device in [&member.interface, &member.state_interface] {
            owners.release(readable(device).as_bytes(), agent);
        }

        self.members.set_dynamic(key, false);
        self.members.end_wrap_up(key, now, &self.names, out);
        self.refresh_agent(agent, now, out);
        if let Some(agent) = self.members.agents.get_mut(&agent) {
            agent.members.remove(&(queue, order));
        }

        // Calls of the member may still go on: they find it here.
        if self.is_in_calls(key) {
            self.members.former.add(place, key);
        } else {
            self.members.all.remove(key);
        }
    }

    /// Drops removed members no stay and no ring attempt speaks of.
    ///
    /// It looks at a few, so that all have their turn as channels are forgotten, however many there
    /// are.
    pub(in crate::correlator) fn sweep_members(&mut self) {
        self.sweep_some_members(LOOKS);
    }

    /// The same, looking at all: whatever they had is gone.
    pub(in crate::correlator) fn sweep_all_members(&mut self) {
        self.sweep_some_members(self.members.former.len());
    }

    fn sweep_some_members(&mut self, looks: usize) {
        for _ in 0..looks {
            let Some(key) = self.members.former.next() else { return };
            if !self.is_in_calls(key)
                && let Some(member) = self.members.all.remove(key)
            {
                self.members.former.drop(&member.place(), key);
            }
        }
    }

    /// Whether a stay or a ring attempt speaks of a member.
    fn is_in_calls(&mut self, key: MemberKey) -> bool {
        let stays = &self.stays;
        let belongs = |stay| stays.get(stay).and_then(Stay::member) == Some(key);
        let member = self.members.all.get_mut_unmarked(key);
        self.rings.has_any(key) || member.is_some_and(|member| member.activity.has_talk(belongs))
    }

    /// Whose member it is.  One without a name of its own is called as its interface is, in whatever
    /// case.
    pub(super) fn identify(&mut self, interface: &[u8], name: &[u8]) -> AgentId {
        if let Some(agent) = self.members.owners.given(interface) {
            return agent;
        }
        match self.rules.identity {
            Identity::MemberName if !name.is_empty() && !name.eq_ignore_ascii_case(interface) => {
                self.names.agents.intern(name)
            }
            Identity::MemberName | Identity::Interface => {
                let known = self.members.owners.spelled(interface, &self.names);
                known.unwrap_or_else(|| self.names.agents.intern(interface))
            }
        }
    }
}

/// Removed members looked at as a channel is forgotten: a call has two channels, and a member at
/// most.
const LOOKS: usize = 2;
