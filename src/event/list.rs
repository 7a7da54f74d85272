//! Items of the lists the exporter asks for.  They look like events; their ActionID sets them
//! apart.

use std::time::Duration;

use super::endpoint::{self, ListedDevice, ListedPeer, ListedRegistration};
use super::field::{need, number, seconds, setting};
use super::headers::{Headers, Key};
use super::member::Member;
use super::name::Name;
use super::{Event, EventError, Kind};

/// One item of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed<'a> {
    /// QueueParams.
    Queue(ListedQueue<'a>),
    /// QueueMember.
    Member(Member<'a>),
    /// QueueEntry.
    Entry(ListedEntry<'a>),
    /// CoreShowChannel.
    Channel(ListedChannel<'a>),
    /// RegistryEntry, OutboundRegistrationDetail.
    Registration(ListedRegistration<'a>),
    /// PeerEntry.
    Peer(ListedPeer<'a>),
    /// DeviceStateChange with an ActionID.
    Device(ListedDevice<'a>),
}

/// A queue.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedQueue<'a> {
    /// Its name.
    pub queue: &'a [u8],
    /// Its `servicelevel`; zero, Asterisk's default, means none.
    pub service_level: Duration,
    /// `Holdtime`, whole seconds: an average that only answered callers change.
    pub hold: u64,
}

/// A waiting caller.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedEntry<'a> {
    /// The queue.
    pub queue: &'a [u8],
    /// The caller's Uniqueid.
    pub uid: &'a [u8],
    /// The caller's channel.
    pub channel: &'a [u8],
    /// How long the caller has waited, in whole seconds.
    pub wait: Option<Duration>,
}

/// A channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedChannel<'a> {
    /// Uniqueid.
    pub uid: &'a [u8],
    /// Linkedid; empty on 13.4 and older.
    pub linkedid: &'a [u8],
    /// Name.
    pub name: &'a [u8],
    /// State, as in events.
    pub state: Option<u8>,
    /// Context.
    pub context: &'a [u8],
    /// `Queue`, `AppQueue`, `AppDial`, …
    pub application: &'a [u8],
    /// Its arguments.
    pub data: &'a [u8],
    /// The bridge it is in; empty if none.
    pub bridge: &'a [u8],
}

pub(super) fn parse<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<Option<Event<'a>>, EventError> {
    let item = match name {
        Name::QueueParams => Listed::Queue(ListedQueue {
            queue: need(name, "Queue", headers.get(Key::Queue))?,
            service_level: headers.search("ServiceLevel").map_or(Duration::ZERO, setting),
            hold: number(headers.get(Key::HoldTime)).unwrap_or(0),
        }),
        Name::QueueMember => Listed::Member(Member::read(name, headers)?),
        Name::QueueEntry => Listed::Entry(ListedEntry {
            queue: need(name, "Queue", headers.get(Key::Queue))?,
            uid: need(name, "Uniqueid", headers.get(Key::Uniqueid))?,
            channel: headers.get(Key::Channel),
            wait: headers.search("Wait").and_then(seconds),
        }),
        Name::CoreShowChannel => Listed::Channel(channel(name, headers)?),
        Name::RegistryEntry | Name::OutboundRegistrationDetail => {
            Listed::Registration(endpoint::listed_registration(name, headers)?)
        }
        Name::PeerEntry => Listed::Peer(endpoint::listed_peer(name, headers)?),
        Name::DeviceStateChange => Listed::Device(endpoint::listed_device(name, headers)?),
        _ => return Ok(None),
    };

    Ok(headers.event(Kind::Listed { action_id: headers.get(Key::ActionId), item }))
}

fn channel<'a>(name: Name, headers: &Headers<'a>) -> Result<ListedChannel<'a>, EventError> {
    Ok(ListedChannel {
        uid: need(name, "Uniqueid", headers.get(Key::Uniqueid))?,
        linkedid: headers.get(Key::Linkedid),
        name: headers.get(Key::Channel),
        state: number(headers.get(Key::ChannelState)),
        context: headers.get(Key::Context),
        application: headers.get(Key::Application),
        data: headers.get(Key::ApplicationData),
        bridge: headers.get(Key::BridgeId),
    })
}
