//! The trunk of an outbound registration: the same label as its calls have.
//!
//! A registration of PJSIP may name its endpoint; else its section is called as the endpoint is, as
//! on FreePBX, or by res_pjsip_config_wizard.  One of chan_sip has a host only, which may be a peer's
//! name or address.  The configuration (`aliases.trunks`) knows better.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::{Endpoints, KEPT, Trunk, called};
use crate::correlator::device::Device;
use crate::correlator::names::{Names, TrunkId, readable};
use crate::correlator::rules::Rules;
use crate::event::ListedRegistration;

/// Peers by address, each list's own.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    begun: u32,
    /// Those of the last list that has ended; `None` if several peers have it.
    all: HashMap<Box<[u8]>, Option<Box<str>>>,
    /// Those of the list that is on its way.
    next: HashMap<Box<[u8]>, Option<Box<str>>>,
}

impl Addresses {
    /// A peer of the list that has begun so often.
    pub(super) fn add(&mut self, begun: u32, address: &[u8], device: &str) {
        if begun != self.begun {
            self.begun = begun;
            self.next.clear();
        }
        if let Some(peer) = self.next.get_mut(address) {
            *peer = None;
        } else if self.next.len() < KEPT {
            self.next.insert(address.into(), Some(device.into()));
        }
    }

    /// The list has ended.
    pub(super) fn settle(&mut self) {
        self.all = std::mem::take(&mut self.next);
    }

    fn of(&self, address: &[u8]) -> Option<&str> {
        self.all.get(address)?.as_deref()
    }
}

impl Endpoints {
    /// The trunk of a registration; the endpoint behind it is one from now on.
    pub(super) fn trunk_of(
        &mut self,
        registration: &ListedRegistration<'_>,
        rules: &Rules,
        names: &mut Names,
    ) -> TrunkId {
        let host = host(registration.host);
        if let Some(alias) = alias(registration, host, rules) {
            let trunk = names.trunks.intern_text(alias);
            self.mark(alias, trunk);
            return trunk;
        }

        let device = match registration.technology {
            "SIP" => self.peer_of(host).map(Cow::Borrowed),
            _ => self.endpoint_of(registration),
        };
        let label = match &device {
            Some(device) => Device::of(&called(device)).label(&rules.trunks).into_owned(),
            // Somebody else may have chosen the name: only a plain one is a label.
            None => {
                let name = if registration.name.is_empty() { host } else { registration.name };
                let name = format!("{}/{}", registration.technology, readable(name));
                Device::chosen_by_others(&name, registration.technology)
                    .label(&rules.trunks)
                    .into_owned()
            }
        };

        let trunk = names.trunks.intern_text(&label);
        if let Some(device) = device.map(Cow::into_owned) {
            self.mark(&device, trunk);
        }
        trunk
    }

    /// The endpoint that the section names, or that is called like the section.
    fn endpoint_of(&self, registration: &ListedRegistration<'_>) -> Option<Cow<'_, str>> {
        let device = |name: &[u8]| format!("{}/{}", registration.technology, readable(name));
        if !registration.endpoint.is_empty() {
            return Some(Cow::Owned(device(registration.endpoint)));
        }
        let names = [registration.name, without_count(registration.name)];
        let known = names.into_iter().find_map(|name| self.find(device(name).as_bytes()));
        known.map(|known| Cow::Borrowed(&*known.device))
    }

    /// The peer of chan_sip that is called like the host, or has it as its address.
    fn peer_of(&self, host: &[u8]) -> Option<&str> {
        let named = self.find(&[b"SIP/", host].concat()).map(|known| &*known.device);
        named.or_else(|| self.addresses.of(host))
    }

    fn mark(&mut self, device: &str, trunk: TrunkId) {
        if let Some(known) = self.find_mut(device.as_bytes())
            && !matches!(known.trunk, Trunk::Configured(_))
        {
            known.trunk = Trunk::Registered(trunk);
        }
    }
}

/// What the configuration calls the trunk: by the registration's name, its user and host, or its host.
fn alias<'r>(
    registration: &ListedRegistration<'_>,
    host: &[u8],
    rules: &'r Rules,
) -> Option<&'r str> {
    if rules.trunk_aliases.is_empty() {
        return None;
    }
    let whole = [user(registration.user), b"@", host].concat();
    let keys = [registration.name, &whole, host];
    keys.into_iter().find_map(|key| {
        let mut aliases = rules.trunk_aliases.iter();
        let found = aliases.find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(key));
        found.map(|(_, trunk)| trunk.as_str())
    })
}

/// The host of `sip:user@host:5060;transport=tcp`, or of one without all that.
fn host(text: &[u8]) -> &[u8] {
    let text = without_scheme(text);
    let text = text.rsplit(|&byte| byte == b'@').next().unwrap_or_default();
    let text = text.split(|&byte| matches!(byte, b';' | b'?' | b'>')).next().unwrap_or_default();
    if let Some(address) = text.strip_prefix(b"[") {
        return address.split(|&byte| byte == b']').next().unwrap_or_default();
    }
    // An address of IPv6 without brackets has more than one colon.
    let mut parts = text.split(|&byte| byte == b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some(_), None) => host,
        _ => text,
    }
}

fn user(text: &[u8]) -> &[u8] {
    without_scheme(text).split(|&byte| byte == b'@').next().unwrap_or_default()
}

fn without_scheme(text: &[u8]) -> &[u8] {
    let scheme = |scheme: &[u8]| {
        let start = text.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    };
    scheme(b"sip:").or_else(|| scheme(b"sips:")).unwrap_or(text)
}

/// res_pjsip_config_wizard calls the registrations of `carrier` `carrier-reg-0` and so on.
fn without_count(name: &[u8]) -> &[u8] {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let stem = &name[..name.len() - digits];
    if digits == 0 { name } else { stem.strip_suffix(b"-reg-").unwrap_or(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_registration_is_what_a_user_would_call_it() {
        for (text, expected) in [
            ("sip.example.com", "sip.example.com"),
            ("sip:sip.example.com", "sip.example.com"),
            ("SIPS:12025550100@sip.example.com:5061;transport=tls", "sip.example.com"),
            ("sip:[2001:db8::1]:5060", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("192.0.2.1:5070", "192.0.2.1"),
            ("", ""),
        ] {
            assert_eq!(host(text.as_bytes()), expected.as_bytes(), "{text}");
        }
        assert_eq!(user(b"sip:branch@192.0.2.1"), b"branch");
        assert_eq!(user(b"branch"), b"branch");
    }

    #[test]
    fn the_wizard_counts_registrations_behind_the_name() {
        for (name, expected) in [
            ("carrier-reg-0", "carrier"),
            ("carrier-reg-12", "carrier"),
            ("carrier-reg", "carrier-reg"),
            ("carrier-reg-", "carrier-reg-"),
            ("carrier0", "carrier0"),
            ("12", "12"),
        ] {
            assert_eq!(without_count(name.as_bytes()), expected.as_bytes(), "{name}");
        }
    }
}
