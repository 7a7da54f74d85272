//! Whether a member's phone is in a call at all.
//!
//! Status 2, 3, 7 and 8 say that a device is in use.  A hint or a custom device state says so as
//! well for do-not-disturb, with no channel up.  So channels are counted by the device they belong
//! to, and a member is in a call only while one of its phone is up, or where nobody can know.

use super::Correlator;
use super::deadline::{LINGER, Task};
use super::key::MemberKey;
use super::member::Member;
use super::names::{AgentId, readable};
use super::observation::Observe;
use crate::clock::Moment;
use crate::version::Version;

/// What a member's interfaces say of the phone.
#[derive(Debug, Default)]
pub(super) struct Phone {
    /// Devices they name, as channels are called.
    devices: Vec<Box<str>>,
    /// The extension behind a Local channel, a hint or a custom device state: `/201`.
    extension: Option<Box<str>>,
    /// The state comes from a hint.
    hint: bool,
    /// An agent of app_agent_pool: in use is in a call, or in the pool's own wrap-up.
    pool: bool,
}

/// Whether a device in use is in a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum InCall {
    /// A channel is up, or nobody can know.
    Yes,
    /// The last channel has just hung up: Status follows it.
    Lately,
    No,
}

impl Phone {
    pub(super) fn of(interface: &[u8], state_interface: &[u8]) -> Self {
        let mut this = Self::default();
        this.learn(interface);
        this.learn(state_interface);
        this
    }

    /// What its channels are counted by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().chain(&self.extension).map(|name| &**name)
    }

    /// Takes in what an interface or a state interface says.
    fn learn(&mut self, interface: &[u8]) {
        let text = readable(interface).to_ascii_lowercase();
        let extension = |text: &str| {
            let end = text.find(['@', '/']).unwrap_or(text.len());
            (end > 0).then(|| format!("/{}", &text[..end]).into())
        };
        if let Some(hint) = text.strip_prefix("hint:") {
            self.hint = true;
            self.extension = extension(hint);
        } else if let Some(local) = text.strip_prefix("local/") {
            self.extension = self.extension.take().or_else(|| extension(local));
        } else if text.starts_with("agent:") {
            self.pool = true;
        } else if text.contains('/') {
            // app_queue, too, takes the device of `PJSIP/trunk/5551234` for `PJSIP/trunk`
            let second = text.match_indices('/').nth(1).map_or(text.len(), |(at, _)| at);
            for device in [&*text, &text[..second]] {
                if !self.devices.iter().any(|known| **known == *device) {
                    self.devices.push(device.into());
                }
            }
        }
    }

    pub(super) const fn is_hint(&self) -> bool {
        self.hint
    }
}

impl Correlator {
    /// Looks anew at the members whose phones came up or hung up, and at the agents whose state may
    /// be another.
    pub(super) fn follow_phones(&mut self, now: Moment, out: &mut dyn Observe) {
        if self.sight.take_first_call() {
            self.look_at_all_phones(now);
        }
        for key in self.channels.live_devices.take_changed() {
            self.learn_phone(&key);
            if key.is_empty() {
                self.look_at_unknown_phones(now);
            } else if let Some(&agent) = self.members.owners.get(&key) {
                self.look_at_phones(agent, now);
            }
        }

        let mut stale = std::mem::take(&mut self.members.stale);
        stale.sort_unstable();
        stale.dedup();
        for agent in stale {
            self.refresh_agent(agent, now, out);
        }
    }

    /// A hint or a Local channel's dial may have told since whose phone a device is.
    fn learn_phone(&mut self, device: &str) {
        if device.is_empty() || device.starts_with('/') {
            return;
        }
        if let Some(agent) = self.members.devices.of(device.as_bytes(), false) {
            self.members.own(device, agent);
        }
    }

    pub(super) fn look_at_all_phones(&mut self, now: Moment) {
        let agents: Vec<_> = self.members.agents.keys().copied().collect();
        for agent in agents {
            self.look_at_phones(agent, now);
        }
    }

    /// Members of whose phones only an extension is known, while no PBX has shown that devices are
    /// called like it.
    fn look_at_unknown_phones(&mut self, now: Moment) {
        if !self.members.numbered {
            self.look_at_all_phones(now);
        }
    }

    fn look_at_phones(&mut self, agent: AgentId, now: Moment) {
        let Some(members) = self.members.agents.get(&agent).map(|agent| agent.members.clone())
        else {
            return;
        };
        for key in members {
            self.look_at_phone(key, now);
        }
    }

    /// Whether the member's phone is in a call now.
    pub(super) fn look_at_phone(&mut self, key: MemberKey, now: Moment) {
        let Some(member) = self.members.all.get(key) else { return };
        if let Some(extension) = &member.phone.extension
            && self.channels.live_devices.is_up(extension)
        {
            self.members.numbered = true;
        }

        let in_use = is_in_use(self.members.all[key].status);
        let up = in_use && self.is_in_call(key);
        let member = &mut self.members.all[key];
        let before = member.in_call;
        member.in_call = match before {
            _ if up => InCall::Yes,
            // hung up, and Status is still the call's: it follows within a second
            InCall::Yes if in_use => {
                self.deadlines.add(now.after(LINGER), Task::Linger(key));
                InCall::Lately
            }
            InCall::Lately if in_use => InCall::Lately,
            InCall::Yes | InCall::Lately | InCall::No => InCall::No,
        };
        if before != member.in_call {
            self.members.stale.push(member.agent);
        }
    }

    /// Status has had its time to follow the Hangup.
    pub(super) fn linger_due(&mut self, key: MemberKey) {
        if let Some(member) = self.members.all.get_mut(key)
            && member.in_call == InCall::Lately
        {
            member.in_call = InCall::No;
            self.members.stale.push(member.agent);
        }
    }

    /// Whether a channel of the member's phone is up, or may be for all that is known.
    fn is_in_call(&self, key: MemberKey) -> bool {
        let member = &self.members.all[key];
        let phone = &member.phone;
        // an account that sees no calls, or calls that began before anybody looked
        if phone.pool || !self.sight.calls || !(self.sight.listed || member.was_free) {
            return true;
        }

        let own = self.members.devices_of(member.agent);
        let mut devices = phone.devices.iter().chain(own);
        if devices.clone().any(|device| self.channels.live_devices.is_up(device)) {
            return true;
        }
        let is_known = self.members.numbered || devices.next().is_some();
        match &phone.extension {
            Some(extension) => {
                self.channels.live_devices.is_up(extension)
                    || !is_known && self.channels.live_devices.any_phone()
            }
            None => !is_known,
        }
    }

    /// The status a member has: before 16.17 and 18.3 a hint that is in use and ringing is told as
    /// 4, invalid.
    pub(super) fn true_status(&self, member: &Member, told: u8) -> u8 {
        let was_in_use = is_in_use(member.status) || member.status == RINGING;
        let is_reported = self.version.is_some_and(Version::reports_ringing_in_use);
        if told == INVALID && was_in_use && member.phone.is_hint() && !is_reported {
            RINGING_IN_USE
        } else {
            told
        }
    }
}

/// In use, busy, ringing and in use, on hold.
pub(super) const fn is_in_use(status: u8) -> bool {
    matches!(status, 2 | 3 | RINGING_IN_USE | 8)
}

const INVALID: u8 = 4;
const RINGING: u8 = 6;
const RINGING_IN_USE: u8 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(interfaces: [&str; 2]) -> Phone {
        Phone::of(interfaces[0].as_bytes(), interfaces[1].as_bytes())
    }

    #[test]
    fn interfaces_name_devices_or_extensions() {
        let told = phone(["PJSIP/201", "PJSIP/201"]);
        assert_eq!((told.devices, told.extension), (vec!["pjsip/201".into()], None));
        let told = phone(["Local/201@from-queue/n", "hint:201@ext-local"]);
        assert_eq!(
            (told.devices.len(), told.extension.as_deref(), told.hint),
            (0, Some("/201"), true)
        );
        let told = phone(["SIP/trunk/2025550100", ""]);
        assert_eq!(told.devices, ["sip/trunk/2025550100".into(), "sip/trunk".into()]);
        let told = phone(["Local/1001@agent-pool/n", "Agent:1001"]);
        assert!(told.pool);
        let told = phone(["Local/7@x/n", "Custom:DND7"]);
        assert_eq!((told.devices.len(), told.extension.as_deref()), (0, Some("/7")));
    }
}
