//! What a member's interfaces say of the phone.

use crate::correlator::names::readable;

/// A member's phone, as far as Interface and StateInterface name it.
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
    /// The state is that of a Local channel.  It is in use only while such a channel is up (12 to 23,
    /// `local_devicestate` of core_local.c).
    local: bool,
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
        let state = if state_interface.is_empty() { interface } else { state_interface };
        this.local = state.get(..LOCAL.len()).is_some_and(|tech| tech.eq_ignore_ascii_case(LOCAL));
        this
    }

    /// What its channels are counted by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().chain(&self.extension).map(|name| &**name)
    }

    pub(super) fn devices(&self) -> &[Box<str>] {
        &self.devices
    }

    pub(super) fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    pub(super) const fn is_hint(&self) -> bool {
        self.hint
    }

    /// Whether there is nothing that could be in use without a call.
    pub(super) const fn is_in_use_by_calls_only(&self) -> bool {
        self.pool || self.local
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
            // app_queue, too, takes the device of `PJSIP/trunk/5551234` for `PJSIP/trunk`.
            let second = text.match_indices('/').nth(1).map_or(text.len(), |(at, _)| at);
            for device in [&*text, &text[..second]] {
                if !self.devices.iter().any(|known| **known == *device) {
                    self.devices.push(device.into());
                }
            }
        }
    }
}

const LOCAL: &[u8] = b"local/";

/// In use, busy, ringing and in use, on hold.
pub(super) const fn is_in_use(status: u8) -> bool {
    matches!(status, 2 | 3 | RINGING_IN_USE | 8)
}

/// Device states (`enum ast_device_state`): the phone is free.
pub(super) const NOT_IN_USE: u8 = 1;
/// No such device, or one whose state is not known.
pub(super) const INVALID: u8 = 4;
/// The phone cannot be reached.
pub(super) const UNAVAILABLE: u8 = 5;
/// It rings.
pub(super) const RINGING: u8 = 6;
/// It rings beside a call.
pub(super) const RINGING_IN_USE: u8 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(interfaces: [&str; 2]) -> Phone {
        Phone::of(interfaces[0].as_bytes(), interfaces[1].as_bytes())
    }

    #[test]
    fn interfaces_name_devices_or_extensions() {
        let named = phone(["PJSIP/201", "PJSIP/201"]);
        assert_eq!((named.devices, named.extension), (vec!["pjsip/201".into()], None));
        let named = phone(["Local/201@from-queue/n", "hint:201@ext-local"]);
        assert_eq!(
            (named.devices.len(), named.extension.as_deref(), named.hint),
            (0, Some("/201"), true)
        );
        let named = phone(["SIP/trunk/2025550100", ""]);
        assert_eq!(named.devices, ["sip/trunk/2025550100".into(), "sip/trunk".into()]);
        let named = phone(["Local/1001@agent-pool/n", "Agent:1001"]);
        assert!(named.pool);
        let named = phone(["Local/7@x/n", "Custom:DND7"]);
        assert_eq!((named.devices.len(), named.extension.as_deref()), (0, Some("/7")));
    }

    #[test]
    fn a_local_channel_is_in_use_by_calls_only() {
        let only = |interfaces| phone(interfaces).is_in_use_by_calls_only();
        assert!(only(["Local/201@agents/n", ""]));
        assert!(only(["local/201@agents/n", "LOCAL/201@agents"]));
        assert!(only(["Local/201@agents", "Agent:201"]));
        assert!(!only(["Local/201@agents/n", "hint:201@ext-local"]));
        assert!(!only(["Local/201@agents/n", "Custom:DND201"]));
        assert!(!only(["Local/201@agents/n", "PJSIP/201"]));
        assert!(!only(["PJSIP/201", ""]));
    }
}
