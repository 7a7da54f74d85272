//! Logins: an agent's first place in a queue that is taken, and the last that is left.
//!
//! Only places that are added and removed count (Membership dynamic).  A configured one is taken by
//! whoever starts the PBX.  What a list shows was reported by no event, and is none.

use std::time::Duration;

use super::Members;
use super::agent::Agent;
use super::told::Told;
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::key::MemberKey;
use crate::correlator::names::{AgentId, QueueId};
use crate::correlator::observation::{LoginChange, Observation, Observe};
use crate::event::{self, MemberChange};

impl Correlator {
    /// A place was taken: a login if the agent had no other.
    pub(super) fn note_added(
        &mut self,
        queue: QueueId,
        added: &event::Member<'_>,
        is_new: bool,
        now: Moment,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.members.find(queue, added.interface) else { return };
        let Members { all, agents, .. } = &mut self.members;
        let member = &all[key];
        let id = member.agent;
        let Some(agent) = agents.get_mut(&id) else { return };

        // Whatever a new agent does began here.
        if is_new && agent.members.len() == 1 && agent.since.state.is_none() {
            agent.since.state = now.dated();
        }

        // Beside this place: a list may have shown it before its event came.
        if member.dynamic && agent.dynamic == 1 {
            agent.login = now.dated();
            agent.awaits_logoff = true;
            self.emit(Observation::AgentLogin { agent: id, change: LoginChange::In }, out);
        }
    }

    /// A place was left: a logoff if the agent has no other.
    pub(super) fn on_removed(
        &mut self,
        queue: QueueId,
        removed: &event::Member<'_>,
        now: Moment,
        out: &mut dyn Observe,
    ) {
        let known = self.members.find(queue, removed.interface);
        if let Some(key) = known {
            self.members.set_dynamic(key, removed.dynamic);
        }
        let agent = match known {
            Some(key) => self.members[key].agent,
            // A list may have shown that the place is gone before its event came.
            None => self.identify(removed.interface, removed.name),
        };
        self.remove_member(queue, removed.interface, now, out);

        let is_last = |agent: &&mut Agent| agent.dynamic == 0 && agent.awaits_logoff;
        let last = self.members.agents.get_mut(&agent).filter(is_last);
        if let Some(last) = last.filter(|_| removed.dynamic) {
            last.awaits_logoff = false;
            self.emit(Observation::AgentLogin { agent, change: LoginChange::Off }, out);
        }
    }

    /// Takes what an event or a list tells of a member's past.
    pub(super) fn take_told(&mut self, key: MemberKey, described: &event::Member<'_>, now: Moment) {
        // Asterisk keeps all three in memory: none is older than it is, unless its clock was set.
        let booted = self.boot.started().map(|booted| booted.before(BOOT_SLACK));
        let clock = &self.pbx_clock;
        let to_ours = |theirs| {
            let ours = clock.ours(theirs, now)?;
            (booted.is_none_or(|booted| ours >= booted)).then_some(ours)
        };

        let Some(member) = self.members.all.get_mut_unmarked(key) else { return };
        let Told { last_call, last_pause, login } = &mut member.told;
        let called = last_call.tell(described.last_call, to_ours);
        last_pause.tell(described.last_pause, to_ours);
        let logged_in = login.tell(described.login, to_ours);
        let logged_in = logged_in.filter(|_| member.dynamic);

        let Some(agent) = self.members.agents.get_mut(&member.agent) else { return };
        agent.last_call = agent.last_call.max(called);
        // An event that reports the login itself knows the moment better.
        if let Some(logged_in) = logged_in
            && described.change != MemberChange::Added
        {
            agent.login = Some(agent.login.map_or(logged_in, |known| known.min(logged_in)));
        }
    }

    /// A call of a queue ended for the agent.
    pub(super) fn note_call_end(&mut self, agent: AgentId, ended: Moment) {
        if let Some(agent) = self.members.agents.get_mut(&agent) {
            agent.last_call = agent.last_call.max(ended.dated());
        }
    }
}

impl Members {
    /// Whether a place was added, and is not configured.
    pub(super) fn set_dynamic(&mut self, key: MemberKey, dynamic: bool) {
        let Self { all, agents, .. } = self;
        let Some(member) = all.get_mut_unmarked(key) else { return };
        if std::mem::replace(&mut member.dynamic, dynamic) == dynamic {
            return;
        }
        if let Some(agent) = agents.get_mut(&member.agent) {
            agent.count_dynamic(dynamic);
        }
    }
}

/// How much earlier than its boot a moment of the PBX may seem: Uptime is whole seconds.
const BOOT_SLACK: Duration = Duration::from_secs(3);
