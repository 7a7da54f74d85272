//! Which trunks are registered, and which trunks and agents' phones can be reached.
//!
//! Four lists show it, one for each channel driver and subject; events say what changes after them.
//! What no list has shown in this session is not known: an event alone shows one change, and not what
//! else there is.  So nothing is exported before the end of a list, and all is forgotten with the
//! session.
//!
//! A list is newer than the events before it, and events behind it may be older.  Each change has its
//! event, in order, so whatever an older one says is put right by those behind it.

mod labels;
mod registrations;

use std::time::Duration;

use hashbrown::HashMap;

use super::Correlator;
use super::caseless::folded;
use super::device::{Class, Device};
use super::names::{Names, TrunkId, readable};
use super::observation::EndpointOf;
use super::rules::Rules;
use crate::event::{
    ContactStatus, DeviceState, Listed, ListedDevice, ListedPeer, PeerChange, PeerStatus, Registry,
};
use labels::Addresses;
use registrations::Registrations;

/// A list of trunks or phones, in the order in which they are asked for: a registration of chan_sip
/// is recognised by its peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndpointList {
    /// Peers of chan_sip (SIPpeers).
    Peers,
    /// Devices of all technologies (DeviceStateList).
    Devices,
    /// Outbound registrations of chan_sip (SIPshowregistry).
    PeerRegistrations,
    /// Outbound registrations of PJSIP (PJSIPShowRegistrationsOutbound).
    EndpointRegistrations,
}

impl EndpointList {
    /// All of them, in that order.
    pub const ALL: [Self; 4] =
        [Self::Peers, Self::Devices, Self::PeerRegistrations, Self::EndpointRegistrations];
}

/// Whether a trunk or an agent's phone can be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reachable {
    /// Whose it is.
    pub of: EndpointOf,
    /// Whether the PBX would send a call there.
    pub is_reachable: bool,
    /// How long its last answer took that is known; only of one that can be reached.
    pub round_trip: Option<Duration>,
}

/// What the lists of this session have, and what has changed since.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// By device in lower case: `pjsip/201`.
    all: HashMap<Box<[u8]>, Endpoint>,
    /// Peers of chan_sip by their addresses.
    addresses: Addresses,
    registrations: Registrations,
    lists: [Progress; EndpointList::ALL.len()],
}

/// How far one of the lists is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// How often it has begun.
    begun: u32,
    /// Whether it has ended once, so that what it does not have is not there.
    has_ended: bool,
}

#[derive(Debug)]
struct Endpoint {
    /// As the list spells it.
    device: Box<str>,
    /// The list that has it, and when it had it last.
    list: EndpointList,
    begun: u32,
    /// `None` if the PBX itself does not know.
    reach: Option<Reach>,
    round_trip: Option<Duration>,
    trunk: Trunk,
}

/// Why an endpoint can be reached, or cannot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Reach {
    /// It has registered, or has an address of its own.
    addressed: bool,
    /// It answers `qualify`, if it is asked.
    answers: bool,
}

/// Whether an endpoint is a trunk, as far as its calls need not show it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trunk {
    /// The configuration says so.
    Configured(TrunkId),
    /// It has an outbound registration.
    Registered(TrunkId),
    No,
}

impl Reach {
    const YES: Self = Self { addressed: true, answers: true };

    const fn is_reachable(self) -> bool {
        self.addressed && self.answers
    }
}

impl Correlator {
    /// A list of trunks or phones was granted: its items follow.
    pub fn begin_endpoint_list(&mut self, list: EndpointList) {
        let progress = &mut self.endpoints.lists[list as usize];
        progress.begun = progress.begun.wrapping_add(1);
    }

    /// An item of it.
    pub fn list_endpoint(&mut self, list: EndpointList, item: &Listed<'_>) {
        match item {
            Listed::Peer(peer) => self.list_peer(list, peer),
            Listed::Device(device) => self.list_device(list, device),
            Listed::Registration(registration) => self.list_registration(list, registration),
            Listed::Queue(_) | Listed::Member(_) | Listed::Entry(_) | Listed::Channel(_) => {}
        }
    }

    /// It has ended: what it did not have is there no longer.
    pub fn end_endpoint_list(&mut self, list: EndpointList) {
        let endpoints = &mut self.endpoints;
        endpoints.lists[list as usize].has_ended = true;
        let begun = endpoints.begun(list);
        endpoints.all.retain(|_, known| known.list != list || known.begun == begun);
        endpoints.registrations.end(list, begun);
        if list == EndpointList::Peers {
            endpoints.addresses.settle();
        }
    }

    /// The session is over, or the PBX was restarted: whatever was known may be otherwise by now.
    pub(super) fn forget_endpoints(&mut self) {
        self.endpoints = Endpoints::default();
    }

    /// The trunks' patterns are others.
    pub(super) fn review_endpoints(&mut self) {
        let Self { endpoints, rules, names, .. } = self;
        for known in endpoints.all.values_mut() {
            known.trunk = match configured_trunk(&known.device, rules, names) {
                Some(trunk) => Trunk::Configured(trunk),
                None if matches!(known.trunk, Trunk::Configured(_)) => Trunk::No,
                None => known.trunk,
            };
        }
    }

    fn list_peer(&mut self, list: EndpointList, peer: &ListedPeer<'_>) {
        let device = format!("SIP/{}", readable(peer.name));
        if let Some(address) = peer.address.filter(|_| !peer.dynamic) {
            let begun = self.endpoints.begun(list);
            self.endpoints.addresses.add(begun, address, &device);
        }
        let reach = Reach { addressed: peer.address.is_some(), answers: peer.answers };
        if let Some(known) = self.ensure_endpoint(list, &device) {
            known.reach = Some(reach);
            known.round_trip = peer.round_trip;
        }
    }

    fn list_device(&mut self, list: EndpointList, listed: &ListedDevice<'_>) {
        // chan_sip's own list knows more of its peers.
        let is_peer =
            listed.device.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
        if is_peer && self.endpoints.lists[EndpointList::Peers as usize].has_ended {
            return;
        }
        let device = readable(listed.device);
        let Some(known) = self.ensure_endpoint(list, &device) else { return };
        known.reach = match (listed.state, known.reach) {
            (DeviceState::Free, _) | (DeviceState::InUse, None) => Some(Reach::YES),
            // In a call it has this state even if it cannot be reached any more.
            (DeviceState::InUse, before) => before,
            (DeviceState::Unavailable, Some(before)) if !before.is_reachable() => Some(before),
            (DeviceState::Unavailable, _) => Some(Reach { addressed: false, answers: true }),
            (DeviceState::Unknown, _) => None,
        };
    }

    /// An endpoint as a list has it; none if it is no device, or there are too many.
    fn ensure_endpoint(&mut self, list: EndpointList, device: &str) -> Option<&mut Endpoint> {
        let Self { endpoints, rules, names, .. } = self;
        let begun = endpoints.begun(list);
        let key = device.to_ascii_lowercase().into_bytes();
        if !endpoints.all.contains_key(&*key) {
            let trunk = configured_trunk(device, rules, names);
            let is_one = trunk.is_some() || Device::of(&called(device)).class == Class::Device;
            if !is_one || endpoints.all.len() >= KEPT {
                return None;
            }
            let trunk = trunk.map_or(Trunk::No, Trunk::Configured);
            let device = device.into();
            let new = Endpoint { device, list, begun, reach: None, round_trip: None, trunk };
            endpoints.all.insert(key.as_slice().into(), new);
        }
        let known = endpoints.all.get_mut(&*key)?;
        (known.list, known.begun) = (list, begun);
        Some(known)
    }

    pub(super) fn on_registry(&mut self, event: &Registry<'_>) {
        self.endpoints.registrations.change(event);
    }

    pub(super) fn on_peer_status(&mut self, event: &PeerStatus<'_>) {
        let Some(known) = self.endpoints.find_mut(event.device) else { return };
        let before = known.reach.unwrap_or(Reach::YES);
        let reach = match event.change {
            // One that registers may still not answer: chan_sip says when it does again.
            PeerChange::Registered => Reach { addressed: true, ..before },
            PeerChange::Unregistered => Reach { addressed: false, ..before },
            PeerChange::Reachable => Reach::YES,
            PeerChange::Unreachable => Reach { answers: false, ..before },
        };
        known.reach = Some(reach);
        if !reach.is_reachable() {
            known.round_trip = None;
        }
    }

    pub(super) fn on_contact_status(&mut self, event: &ContactStatus<'_>) {
        let device = [b"PJSIP/", event.endpoint].concat();
        let Some(known) = self.endpoints.find_mut(&device) else { return };
        // Another contact of the endpoint may be reachable: PeerStatus has all of them.
        if event.is_reachable {
            known.reach = Some(Reach::YES);
            known.round_trip = event.round_trip;
        }
    }

    /// Which trunks are registered, as far as lists have shown it.
    pub(super) fn registered_trunks(&self) -> Vec<(TrunkId, bool)> {
        let has_ended = |list| self.endpoints.lists[list as usize].has_ended;
        self.endpoints.registrations.states(has_ended)
    }

    /// Which trunks and agents' phones can be reached, as far as lists have shown it.
    pub(super) fn reachable(&self) -> Vec<Reachable> {
        let known = self.endpoints.all.values();
        known.filter_map(|known| self.reachable_as(known)).collect()
    }

    fn reachable_as(&self, known: &Endpoint) -> Option<Reachable> {
        let reach = known.reach?;
        if !self.endpoints.lists[known.list as usize].has_ended {
            return None;
        }
        let is_reachable = reach.is_reachable();
        let round_trip = known.round_trip.filter(|_| is_reachable);
        Some(Reachable { of: self.owner_of_endpoint(known)?, is_reachable, round_trip })
    }

    /// A trunk's if the configuration says so, else an agent's, else a trunk's if its calls or a
    /// registration show it; nobody's otherwise.
    fn owner_of_endpoint(&self, known: &Endpoint) -> Option<EndpointOf> {
        if let Trunk::Configured(trunk) = known.trunk {
            return Some(EndpointOf::Trunk(trunk));
        }
        if let Some(agent) = self.members.owners().of(known.device.as_bytes(), false) {
            return Some(EndpointOf::Agent(agent));
        }
        if let Trunk::Registered(trunk) = known.trunk {
            return Some(EndpointOf::Trunk(trunk));
        }
        let learned = self.outside.is_trunk(&known.device);
        let trunk = learned.then(|| self.names.trunks.find(&known.device)).flatten();
        trunk.map(EndpointOf::Trunk)
    }
}

impl Endpoints {
    fn begun(&self, list: EndpointList) -> u32 {
        self.lists[list as usize].begun
    }

    fn find(&self, device: &[u8]) -> Option<&Endpoint> {
        folded(device, |device| self.all.get(device))
    }

    fn find_mut(&mut self, device: &[u8]) -> Option<&mut Endpoint> {
        folded(device, |device| self.all.get_mut(device))
    }
}

/// The name of a channel of that device, by which patterns and labels go.
fn called(device: &str) -> String {
    format!("{device}-00000000")
}

/// The trunk that the configuration's patterns make of a device.
fn configured_trunk(device: &str, rules: &Rules, names: &mut Names) -> Option<TrunkId> {
    let name = called(device);
    let device = Device::of(&name);
    let may_be = matches!(device.class, Class::Device | Class::Line) && rules.trunks.matches(&name);
    may_be.then(|| names.trunks.intern_text(&device.label(&rules.trunks)))
}

/// Endpoints, registrations and addresses that are kept: many times what a PBX has.
const KEPT: usize = 65_536;
