//! What the PBX reports of trunks and phones: outbound registrations, and who can be reached.
//!
//! Items of SIPshowregistry, SIPpeers, PJSIPShowRegistrationsOutbound and DeviceStateList, and the
//! events Registry, PeerStatus and ContactStatus, of class system.

use std::time::Duration;

use super::field::{need, number};
use super::headers::{Headers, Key};
use super::name::Name;
use super::{Event, EventError, Kind};

/// An outbound registration changed, or was renewed.
///
/// chan_sip has its user and the host after the `@`, PJSIP `client_uri` and `server_uri`; the name of
/// the registration is in no event.
#[derive(Clone, Debug, PartialEq)]
pub struct Registry<'a> {
    /// `SIP`, `PJSIP`, `IAX2`.
    pub technology: &'a [u8],
    /// Who registers.
    pub user: &'a [u8],
    /// Where.
    pub host: &'a [u8],
    /// How it went.
    pub state: Registered,
}

/// Whether an outbound registration is in force, as the PBX takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Registered {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// chan_sip has asked and has no answer: as an item of a list this may be the renewal of one that
    /// is in force, as an event it means that the time for the answer before is over.
    Asking,
}

/// A peer of chan_sip or IAX2, or an endpoint of PJSIP, changed.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerStatus<'a> {
    /// `SIP/201`.
    pub device: &'a [u8],
    /// What happened.
    pub change: PeerChange,
}

/// What happened to a peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PeerChange {
    /// It registered, so it has an address.
    Registered,
    /// Its registration has ended, so it has none.
    Unregistered,
    /// It answers `qualify` in time.
    Reachable,
    /// It does not, or late: no call is sent to it.
    Unreachable,
}

/// A contact of a PJSIP endpoint changed (13.5 and later).
#[derive(Clone, Debug, PartialEq)]
pub struct ContactStatus<'a> {
    /// The endpoint: `201`.
    pub endpoint: &'a [u8],
    /// Whether it answers.
    pub is_reachable: bool,
    /// How long its answer took.
    pub round_trip: Option<Duration>,
}

/// An outbound registration.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRegistration<'a> {
    /// `SIP` or `PJSIP`.
    pub technology: &'static str,
    /// Its section in pjsip.conf; empty for chan_sip.
    pub name: &'a [u8],
    /// The endpoint that the section names; empty if none.
    pub endpoint: &'a [u8],
    /// As in [`Registry`].
    pub user: &'a [u8],
    /// As in [`Registry`].
    pub host: &'a [u8],
    /// Whether it is in force.
    pub state: Registered,
}

/// A peer of chan_sip.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedPeer<'a> {
    /// Its section in sip.conf: `201`.
    pub name: &'a [u8],
    /// Its address, if it has one.
    pub address: Option<&'a [u8]>,
    /// Whether it registers here, so that its address changes.
    pub dynamic: bool,
    /// Whether it answers `qualify` in time; without `qualify` it counts as one that does.
    pub answers: bool,
    /// How long its last answer took.
    pub round_trip: Option<Duration>,
}

/// A device with a state.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedDevice<'a> {
    /// `PJSIP/201`.
    pub device: &'a [u8],
    /// Its state.
    pub state: DeviceState,
}

/// What the state of a device says of whether it can be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceState {
    /// It is free.
    Free,
    /// It is in a call, whatever has become of its registration meanwhile.
    InUse,
    /// It cannot be reached.
    Unavailable,
    /// There is no such device, or its state is not known.
    Unknown,
}

pub(super) fn parse<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<Option<Event<'a>>, EventError> {
    let get = |key| headers.search(key).unwrap_or_default();
    let kind = match name {
        Name::Registry => Kind::Registry(Registry {
            technology: need(name, "ChannelType", get("ChannelType"))?,
            user: get("Username"),
            host: need(name, "Domain", get("Domain"))?,
            state: registered(headers.get(Key::Status)),
        }),
        Name::PeerStatus => {
            let device = need(name, "Peer", get("Peer"))?;
            // A refused registration says nothing of who is registered.
            let Some(change) = peer_change(get("PeerStatus")) else { return Ok(None) };
            Kind::PeerStatus(PeerStatus { device, change })
        }
        Name::ContactStatus => Kind::ContactStatus(ContactStatus {
            endpoint: need(name, "EndpointName", get("EndpointName"))?,
            is_reachable: get("ContactStatus") == b"Reachable",
            round_trip: number(get("RoundtripUsec"))
                .filter(|&micros| micros > 0)
                .map(Duration::from_micros),
        }),
        _ => return Ok(None),
    };
    Ok(headers.event(kind))
}

/// RegistryEntry or OutboundRegistrationDetail.
pub(super) fn listed_registration<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<ListedRegistration<'a>, EventError> {
    let get = |key| headers.search(key).unwrap_or_default();
    if name == Name::RegistryEntry {
        return Ok(ListedRegistration {
            technology: "SIP",
            name: b"",
            endpoint: b"",
            user: get("Username"),
            host: need(name, "Host", get("Host"))?,
            state: registered(get("State")),
        });
    }
    Ok(ListedRegistration {
        technology: "PJSIP",
        name: need(name, "ObjectName", get("ObjectName"))?,
        endpoint: get("Endpoint"),
        user: get("ClientUri"),
        host: get("ServerUri"),
        state: registered(headers.get(Key::Status)),
    })
}

/// PeerEntry.
pub(super) fn listed_peer<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<ListedPeer<'a>, EventError> {
    let get = |key| headers.search(key).unwrap_or_default();
    let (answers, round_trip) = qualified(headers.get(Key::Status));
    Ok(ListedPeer {
        name: need(name, "ObjectName", get("ObjectName"))?,
        address: Some(get("IPaddress")).filter(|&address| address != b"-none-"),
        dynamic: get("Dynamic") == b"yes",
        answers,
        round_trip,
    })
}

/// DeviceStateChange with an ActionID.
pub(super) fn listed_device<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<ListedDevice<'a>, EventError> {
    let get = |key| headers.search(key).unwrap_or_default();
    let device = need(name, "Device", get("Device"))?;
    Ok(ListedDevice { device, state: device_state(get("State")) })
}

/// chan_sip has `Registered`, `Unregistered`, `Request Sent`, `Auth. Sent`, `Rejected`, `Failed` and
/// `No Authentication`; PJSIP the first two and `Rejected`.
fn registered(text: &[u8]) -> Registered {
    match text {
        b"Registered" => Registered::Yes,
        b"Request Sent" | b"Auth. Sent" => Registered::Asking,
        _ => Registered::No,
    }
}

fn peer_change(text: &[u8]) -> Option<PeerChange> {
    match text {
        b"Registered" => Some(PeerChange::Registered),
        b"Unregistered" => Some(PeerChange::Unregistered),
        b"Reachable" => Some(PeerChange::Reachable),
        b"Unreachable" | b"Lagged" => Some(PeerChange::Unreachable),
        _ => None,
    }
}

/// `OK (12 ms)`, `LAGGED (3012 ms)`, `UNREACHABLE`, `UNKNOWN` before the first answer, `Unmonitored`
/// without `qualify`.  chan_sip sends no call to one that is late.
fn qualified(text: &[u8]) -> (bool, Option<Duration>) {
    let answers = !text.starts_with(b"UNREACHABLE") && !text.starts_with(b"LAGGED");
    let digits = text
        .split(|&byte| byte == b'(')
        .nth(1)
        .and_then(|rest| rest.split(|&byte| byte == b' ').next());
    (answers, digits.and_then(number).map(Duration::from_millis))
}

fn device_state(text: &[u8]) -> DeviceState {
    match text {
        b"NOT_INUSE" => DeviceState::Free,
        b"INUSE" | b"BUSY" | b"RINGING" | b"RINGINUSE" | b"ONHOLD" => DeviceState::InUse,
        b"UNAVAILABLE" => DeviceState::Unavailable,
        _ => DeviceState::Unknown,
    }
}
