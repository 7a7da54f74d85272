//! Whose device it is: one person is one agent, in queues and outside of them.
//!
//! A member of FreePBX is `Local/201@from-queue/n` with the state interface `hint:201@ext-local`,
//! and no header says that its phone is `PJSIP/201`.  These show it, best first; the first that says
//! anything decides, and what it says of two people counts for none of them:
//!
//! 1. the configuration (`aliases.agents`);
//! 2. a member's Interface or StateInterface is the device;
//! 3. the hint of a member's extension watches the device (ExtensionStatus, which
//!    ExtensionStateList lists);
//! 4. the device is called as the member's extension is, and no hint says otherwise;
//! 5. the member's Local channel dials that device and no other, and no other member's does.

mod behind;
mod claims;
mod hints;

use hashbrown::HashMap;

use behind::Behind;
use claims::{Claims, Owner};
use hints::Hints;

use super::caseless::folded;
use super::names::{AgentId, Names};
use super::rules::Rules;

/// Text as it is kept: devices without case.
type Bytes = Box<[u8]>;

/// Whose devices there are, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// By configuration.
    given: HashMap<Bytes, AgentId>,
    /// By Interface and StateInterface.
    named: Claims,
    /// By `201@ext-local`, the extension whose hint is a member's state.
    hinted: Claims,
    /// By the extension alone, of a hint or of a Local channel.
    numbered: Claims,
    hints: Hints,
    behind: Behind,
    /// Devices that may be another's since [`Self::take_changed`], and what such are called by
    /// behind their technology (`/201`).
    changed: Vec<Bytes>,
}

impl Owners {
    /// What the configuration says.
    pub(super) fn new(rules: &Rules, names: &mut Names) -> Self {
        let aliases = rules.agent_aliases.iter();
        let given = aliases
            .map(|(device, agent)| (key(device.as_bytes()), names.agents.intern(agent.as_bytes())));
        Self { given: given.collect(), ..Self::default() }
    }

    /// The agent the configuration gives a member's interface to.
    pub(super) fn given(&self, interface: &[u8]) -> Option<AgentId> {
        if self.given.is_empty() {
            return None;
        }
        folded(plain(interface), |interface| self.given.get(interface).copied())
    }

    /// An agent has a member with that interface, or one whose state is that of the device or hint.
    pub(super) fn claim(&mut self, interface: &[u8], agent: AgentId) {
        self.each_claim(interface, |claims, key| claims.claim(key, agent));
        self.note_claims(interface);
    }

    /// That member was removed.
    pub(super) fn release(&mut self, interface: &[u8], agent: AgentId) {
        self.each_claim(interface, |claims, key| claims.release(key, agent));
        self.note_claims(interface);
    }

    fn each_claim(&mut self, interface: &[u8], each: impl Fn(&mut Claims, &[u8])) {
        if let Some(hint) = interface.strip_prefix(b"hint:") {
            each(&mut self.hinted, hint);
            each(&mut self.numbered, &key(extension(hint)));
            return;
        }

        // `Agent:1001` and `Queue:…` are no devices of channels.
        let device = key(plain(interface));
        if device.contains(&b'/') {
            each(&mut self.named, &device);
        }
        if let Some(local) = device.strip_prefix(b"local/") {
            each(&mut self.numbered, extension(local));
        }
    }

    /// A claim came or went: takes note of each device whose owner may be another for it.
    fn note_claims(&mut self, interface: &[u8]) {
        if let Some(hint) = interface.strip_prefix(b"hint:") {
            self.changed.extend(self.hints.watched_by(hint));
            self.note_number(&key(extension(hint)));
            return;
        }

        let device = key(plain(interface));
        if let Some(local) = device.strip_prefix(b"local/") {
            self.changed.extend(self.behind.phone_of(&device));
            self.note_number(extension(local));
        }
        if device.contains(&b'/') {
            self.changed.push(device);
        }
    }

    fn note_number(&mut self, number: &[u8]) {
        self.changed.push([b"/", number].concat().into());
        for hint in self.hints.of_number(number) {
            self.changed.extend(self.hints.watched_by(hint));
        }
    }

    /// Whether a device may be another's since this was taken.
    pub(super) const fn is_any_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Devices that may be another's since this was asked last; `/201` stands for all that are
    /// called so behind their technology.
    pub(super) fn take_changed(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.changed)
    }

    /// The agent known by an interface that differs at most in case.
    pub(super) fn spelled(&self, interface: &[u8], names: &Names) -> Option<AgentId> {
        let owner = folded(plain(interface), |device| self.named.owner(device));
        let is_it =
            |agent: &AgentId| names.agents.name(*agent).as_bytes().eq_ignore_ascii_case(interface);
        owner.one().filter(is_it)
    }

    /// The PBX says what an extension's hint watches.
    pub(super) fn hint(&mut self, extension: &[u8], context: &[u8], watched: &[u8]) {
        let changed = self.hints.learn(extension, context, watched);
        if !changed.is_empty() {
            self.changed.extend(changed);
            self.changed.push([b"/", &*key(extension)].concat().into());
        }
    }

    /// Whether a member is reached by an extension, so that only the PBX's hints show its phone for
    /// certain.
    pub(super) fn want_hints(&self) -> bool {
        !self.numbered.is_empty()
    }

    /// A member's Local channel dials a phone.
    pub(super) fn dialled(&mut self, interface: &[u8], device: &[u8]) {
        let (interface, device) = (key(interface), key(device));
        // A phone that is called as an extension is that extension's: follow-me and ring groups
        // dial those of colleagues.
        if interface.starts_with(b"local/") && !peer(&device).iter().all(u8::is_ascii_digit) {
            self.changed.extend(self.behind.phone_of(&interface));
            self.behind.dialled(&interface, &device);
            self.changed.push(device);
        }
    }

    /// Whose device it is.  `trunk` is what the configuration calls a trunk: only its own name
    /// makes it an agent's.
    pub(super) fn of(&self, device: &[u8], trunk: bool) -> Option<AgentId> {
        folded(plain(device), |device| {
            if let Some(&agent) = self.given.get(device) {
                return Some(agent);
            }

            // A configured trunk may be called as an extension is, or be dialled by a Local channel.
            let mut owner = self.named.owner(device);
            if trunk {
                return owner.one();
            }

            for further in [Self::by_hint, Self::by_number, Self::by_dial] {
                if owner != Owner::Nobody {
                    break;
                }
                owner = further(self, device);
            }
            owner.one()
        })
    }

    fn by_hint(&self, device: &[u8]) -> Owner {
        self.hints.owner(device, |hint| match self.hinted.owner(hint) {
            Owner::Nobody => folded(extension(hint), |number| self.numbered.owner(number)),
            owner => owner,
        })
    }

    fn by_dial(&self, device: &[u8]) -> Owner {
        self.behind.interface_of(device).map_or(Owner::Nobody, |local| self.named.owner(local))
    }

    /// A hint of that extension that watched this device would have shown it already.
    fn by_number(&self, device: &[u8]) -> Owner {
        let number = peer(device);
        if self.hints.know(number) { Owner::Nobody } else { self.numbered.owner(number) }
    }
}

/// How a device is kept.
pub(super) fn device_key(device: &[u8]) -> Bytes {
    key(device)
}

/// What is behind the technology of a kept device, with the slash: `/201`.
pub(super) fn number_key(device: &[u8]) -> Bytes {
    [b"/", peer(device)].concat().into()
}

fn key(name: &[u8]) -> Bytes {
    folded(plain(name), |name| name.into())
}

/// `/n` and its like are options of a Local channel, not part of its name.
fn plain(interface: &[u8]) -> &[u8] {
    let local = interface.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"Local/"));
    match interface.iter().rposition(|&byte| byte == b'/') {
        Some(slash) if local && slash > 5 && !interface[slash..].contains(&b'@') => {
            &interface[..slash]
        }
        Some(_) | None => interface,
    }
}

/// `201` of `PJSIP/201`.
fn peer(device: &[u8]) -> &[u8] {
    let slash = device.iter().position(|&byte| byte == b'/');
    slash.map_or(b"", |slash| &device[slash + 1..])
}

/// `201` of `201@ext-local`.
fn extension(place: &[u8]) -> &[u8] {
    place.split(|&byte| byte == b'@').next().unwrap_or_default()
}

/// Names that are kept of each kind: many times what a PBX has.
const KEPT: usize = 65_536;

#[cfg(test)]
mod tests;
