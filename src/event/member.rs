//! Events about members of queues, and about the hints that their status may come from.

use std::time::Duration;

use super::field::{need, number, setting};
use super::headers::{Headers, Key};
use super::name::Name;
use super::{Event, EventError, Kind};
use crate::clock::Moment;

/// A member as an event or a list describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'a> {
    /// What the event reports.
    pub change: MemberChange,
    /// The queue.
    pub queue: &'a [u8],
    /// Dial string, unique in the queue (`Location` in lists).
    pub interface: &'a [u8],
    /// Name; the interface where it has none (`Name` in lists).
    pub name: &'a [u8],
    /// Device whose state is the Status; empty if not sent.
    pub state_interface: &'a [u8],
    /// Device state: 1 not in use, 2 in use, 3 busy, 4 invalid, 5 unavailable, 6 ringing, 7
    /// ring+in use, 8 on hold.
    pub status: u8,
    /// Whether paused.
    pub paused: bool,
    /// The reason; empty if not sent.
    pub reason: &'a [u8],
    /// Its penalty in the queue, from 0; the higher, the later it is called.
    pub penalty: Option<u32>,
    /// The member's own wrap-up time (16.3 and later; zero before).  Its queue's is never
    /// sent.
    pub wrap_up: Duration,
    /// Whether it was added, and is not configured: lists have realtime members as configured
    /// ones.
    pub dynamic: bool,
    /// When its last call ended, by the PBX's clock in whole seconds; 1970 if there was none.
    pub last_call: Option<Moment>,
    /// When it was paused last, likewise (14 and later).  Another pause renews it.
    pub last_pause: Option<Moment>,
    /// When it took its place, likewise (16.23, 18.9, 19.1 and later); of a configured one when the
    /// queue was loaded.
    pub login: Option<Moment>,
}

/// The devices that the hint of an extension watches (also an item of ExtensionStateList).
#[derive(Clone, Debug, PartialEq)]
pub struct Hint<'a> {
    /// The extension: `201`.
    pub extension: &'a [u8],
    /// Its context.
    pub context: &'a [u8],
    /// Devices and presence: `PJSIP/201&Custom:DND201,CustomPresence:201`.
    pub watched: &'a [u8],
}

/// What an event reports of a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemberChange {
    /// It is there, as described.
    Present,
    /// It was added, as described.
    Added,
    /// It was paused or unpaused, maybe once more: it is there, as described.
    Pause,
    /// It was removed.
    Removed,
}

impl<'a> Member<'a> {
    /// Reads the headers, which events and lists name differently.
    pub(super) fn read(name: Name, headers: &Headers<'a>) -> Result<Self, EventError> {
        let either = |key, other| match headers.get(key) {
            b"" => headers.get(other),
            value => value,
        };
        let queue = need(name, "Queue", headers.get(Key::Queue))?;
        let interface = need(name, "Interface", either(Key::Interface, Key::Location))?;
        let member = either(Key::MemberName, Key::Name);

        Ok(Self {
            change: MemberChange::Present,
            queue,
            interface,
            name: if member.is_empty() { interface } else { member },
            state_interface: headers.get(Key::StateInterface),
            status: number(headers.get(Key::Status)).unwrap_or(0),
            paused: headers.get(Key::Paused) == b"1",
            // Before 13.8 only the event of the pause itself has the reason, under this key.
            reason: either(Key::PausedReason, Key::Reason),
            penalty: number(headers.get(Key::Penalty)),
            wrap_up: setting(headers.get(Key::WrapupTime)),
            dynamic: headers.get(Key::Membership) == b"dynamic",
            last_call: number(headers.get(Key::LastCall)).map(Moment::from_secs),
            last_pause: number(headers.get(Key::LastPause)).map(Moment::from_secs),
            login: number(headers.get(Key::LoginTime)).map(Moment::from_secs),
        })
    }
}

pub(super) fn parse<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<Option<Event<'a>>, EventError> {
    if name == Name::ExtensionStatus {
        // A status without a hint has nothing to learn from.
        let Some(watched) = headers.search("Hint") else { return Ok(None) };
        let extension = need(name, "Exten", headers.get(Key::Exten))?;
        let context = headers.get(Key::Context);
        return Ok(headers.event(Kind::Hint(Hint { extension, context, watched })));
    }

    let mut member = Member::read(name, headers)?;
    match name {
        Name::QueueMemberAdded => member.change = MemberChange::Added,
        Name::QueueMemberRemoved => member.change = MemberChange::Removed,
        Name::QueueMemberPause => member.change = MemberChange::Pause,
        _ => {}
    }
    Ok(headers.event(Kind::Member(member)))
}
