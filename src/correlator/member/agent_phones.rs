//! Which agent a channel counts for, by its device.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::correlator::names::AgentId;

/// Agents by the names of their phones, and the other way round.
#[derive(Debug, Default)]
pub(super) struct AgentPhones {
    /// By what `LiveDevices` counts channels by.
    agents: HashMap<Box<str>, AgentId>,
    /// The devices of each agent, in lower case.
    devices: HashMap<AgentId, Vec<Box<str>>>,
}

impl AgentPhones {
    /// A member's interfaces name this phone, or the extension it is reached by.
    pub(super) fn name(&mut self, name: &str, agent: AgentId) {
        if let Some(known) = self.agents.get_mut(name) {
            *known = agent;
        } else if self.agents.len() < KEPT {
            self.agents.insert(name.into(), agent);
        }
    }

    /// A device is an agent's from now on, and no longer another's.
    pub(super) fn give(&mut self, device: &str, agent: AgentId) {
        let device: Cow<'_, str> = match device.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => device.to_ascii_lowercase().into(),
            false => device.into(),
        };
        let before = self.agent(&device);
        let is_given = || self.devices(agent).iter().any(|known| **known == *device);
        if device.starts_with("local/") || before == Some(agent) && is_given() {
            return;
        }

        let device: Box<str> = device.into();

        if before.is_none() && self.agents.len() >= KEPT {
            return;
        }
        if let Some(before) = before
            && let Some(devices) = self.devices.get_mut(&before)
        {
            devices.retain(|other| *other != device);
            if devices.is_empty() {
                self.devices.remove(&before);
            }
        }
        self.agents.insert(device.clone(), agent);
        self.devices.entry(agent).or_default().push(device);
    }

    pub(super) fn agent(&self, name: &str) -> Option<AgentId> {
        self.agents.get(name).copied()
    }

    /// Devices that are known to be an agent's, as channels are called.
    pub(super) fn devices(&self, agent: AgentId) -> &[Box<str>] {
        self.devices.get(&agent).map_or(&[], Vec::as_slice)
    }
}

/// Names that are kept: many times the phones of a PBX, and as many as `owner` keeps of a kind.
const KEPT: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::Names;

    fn agents() -> [AgentId; 2] {
        let mut names = Names::default();
        ["Ann", "Ben"].map(|name| names.agents.intern(name.as_bytes()))
    }

    #[test]
    fn a_device_is_one_agent_s() {
        let [ann, ben] = agents();
        let mut phones = AgentPhones::default();
        phones.give("SIP/201", ann);
        phones.give("SIP/201", ben);
        assert_eq!(phones.agent("sip/201"), Some(ben));
        assert_eq!(phones.devices(ann), [] as [Box<str>; 0]);
        assert_eq!(phones.devices(ben), ["sip/201".into()]);
        assert_eq!(phones.devices.len(), 1);
    }

    #[test]
    fn a_local_channel_is_nobody_s_device() {
        let [ann, _] = agents();
        let mut phones = AgentPhones::default();
        phones.give("Local/201@x", ann);
        assert_eq!(phones.agent("local/201@x"), None);
    }

    #[test]
    fn however_many_interfaces_come_so_many_are_kept() {
        let [ann, ben] = agents();
        let mut phones = AgentPhones::default();
        for number in 0..KEPT {
            phones.give(&format!("SIP/{number}"), ann);
            phones.name(&format!("/{number}"), ann);
        }
        assert_eq!(phones.agents.len(), KEPT);
        let kept = phones.devices(ann).len();
        phones.give("SIP/one-more", ann);
        phones.name("/one-more", ann);
        assert_eq!((phones.agents.len(), phones.devices(ann).len()), (KEPT, kept));
        assert_eq!(phones.agent("sip/one-more"), None);

        // What is kept may still change hands.
        phones.give("SIP/0", ben);
        phones.name("/0", ben);
        assert_eq!((phones.agent("sip/0"), phones.agent("/0")), (Some(ben), Some(ben)));
    }
}
