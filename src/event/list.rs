//! Items of the lists the exporter asks for.  They look like events; their ActionID sets them
//! apart.

use std::time::Duration;

use super::field::{each, need, number, seconds, setting};
use super::member::Member;
use super::name::Name;
use super::{EventError, Kind};
use crate::ami::frame::Frame;

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

pub(super) fn parse<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    let item = match name {
        Name::QueueParams => Listed::Queue(ListedQueue {
            queue: need(name, "Queue", frame.header("Queue"))?,
            service_level: frame.header("ServiceLevel").map_or(Duration::ZERO, setting),
            hold: frame.header("Holdtime").and_then(number).unwrap_or(0),
        }),
        Name::QueueMember => Listed::Member(Member::read(name, frame)?),
        Name::QueueEntry => Listed::Entry(ListedEntry {
            queue: need(name, "Queue", frame.header("Queue"))?,
            uid: need(name, "Uniqueid", frame.header("Uniqueid"))?,
            channel: frame.header("Channel").unwrap_or_default(),
            wait: frame.header("Wait").and_then(seconds),
        }),
        Name::CoreShowChannel => Listed::Channel(channel(name, frame)?),
        _ => return Ok(None),
    };

    Ok(Some(Kind::Listed { action_id: frame.header("ActionID").unwrap_or_default(), item }))
}

fn channel<'a>(name: Name, frame: &Frame<'a>) -> Result<ListedChannel<'a>, EventError> {
    let mut channel = ListedChannel::default();
    each(frame, |key, value| match key {
        b"uniqueid" => channel.uid = value,
        b"linkedid" => channel.linkedid = value,
        b"channel" => channel.name = value,
        b"channelstate" => channel.state = number(value),
        b"context" => channel.context = value,
        b"application" => channel.application = value,
        b"applicationdata" => channel.data = value,
        b"bridgeid" => channel.bridge = value,
        _ => {}
    });

    need(name, "Uniqueid", Some(channel.uid))?;
    Ok(channel)
}
