//! What kind of call a busy agent is in.
//!
//! It is asked for at a scrape, of agents who are busy then: their phones have few channels.

use super::Correlator;
use super::agent_now::AgentNow;
use super::channel::Channel;
use super::key::ChannelKey;
use super::names::AgentId;
use super::observation::{AgentState, CallKind, Direction};
use super::stay::Stay;

impl Correlator {
    /// What every agent does, in order.
    pub(super) fn agents_now(&self) -> Vec<AgentNow> {
        let mut agents = self.members.agents_now();
        for now in &mut agents {
            if now.state == AgentState::Busy {
                now.busy = Some(self.call_kind(now.agent));
            }
        }
        agents
    }

    /// By the oldest channel that shows it: what an agent does besides is part of that call.
    fn call_kind(&self, agent: AgentId) -> CallKind {
        let names = self.members.phones_in_use(agent);
        let channels = names.flat_map(|name| self.channels.live_devices.channels(name));
        let is_live =
            |key: &&ChannelKey| self.channels.all.get(**key).is_some_and(Channel::is_live);
        let mut kinds = channels.filter(is_live).filter_map(|&key| self.kind_at(key));
        kinds.next().unwrap_or(CallKind::Unknown)
    }

    /// The kind of a channel's call: that of whom it is bridged with, since a transfer may have brought
    /// another caller, else its own.
    fn kind_at(&self, key: ChannelKey) -> Option<CallKind> {
        let bridge = self.channels.all.get(key)?.bridge.id();
        let inside = bridge.map_or(&[][..], |bridge| self.channels.inside(bridge));
        let others = inside.iter().copied().filter(|&other| other != key).take(OTHERS);
        others.chain([key]).find_map(|key| self.kind_of(key))
    }

    fn kind_of(&self, key: ChannelKey) -> Option<CallKind> {
        if self.was_served(key) {
            return Some(CallKind::Queue);
        }
        let call = self.calls.get(self.find_call(key)?)?;
        if self.was_served(call.first) {
            return Some(CallKind::Queue);
        }
        match self.direction(call) {
            Direction::Inbound => Some(CallKind::Inbound),
            Direction::Outbound => Some(CallKind::Outbound),
            Direction::Internal => Some(CallKind::Internal),
            Direction::Unknown => None,
        }
    }

    /// Whether a queue has connected the channel to an agent.
    fn was_served(&self, key: ChannelKey) -> bool {
        let Some(channel) = self.channels.all.get(key) else { return false };
        let stays = channel.as_caller.stays.iter().filter_map(|&stay| self.stays.get(stay));
        stays.into_iter().any(Stay::was_served)
    }
}

/// Those that are asked about in a bridge: two talk, and a third may listen.
const OTHERS: usize = 2;
