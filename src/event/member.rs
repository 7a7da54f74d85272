//! Events about members of queues, and about the hints that their status may come from.

use std::time::Duration;

use super::field::{each, need, number, setting};
use super::name::Name;
use super::{EventError, Kind};
use crate::ami::frame::Frame;
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
    /// The member's own wrap-up time (16.3 and later; zero before).  Its queue's is never
    /// sent.
    pub wrap_up: Duration,
    /// Whether it was added, and is not configured: lists have realtime members as configured
    /// ones.
    pub dynamic: bool,
    /// When its last call ended, by the PBX's clock in whole seconds; 1970 if there was none.
    pub last_call: Option<Moment>,
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
    pub(super) fn read(name: Name, frame: &Frame<'a>) -> Result<Self, EventError> {
        let mut queue = None;
        let mut interface = None;
        let mut member = None;
        let mut this = Self {
            change: MemberChange::Present,
            queue: b"",
            interface: b"",
            name: b"",
            state_interface: b"",
            status: 0,
            paused: false,
            reason: b"",
            wrap_up: Duration::ZERO,
            dynamic: false,
            last_call: None,
        };

        each(frame, |key, value| match key {
            b"queue" => queue = Some(value),
            b"interface" | b"location" => interface = Some(value),
            b"membername" | b"name" => member = Some(value),
            b"stateinterface" => this.state_interface = value,
            b"membership" => this.dynamic = value == b"dynamic",
            b"status" => this.status = number(value).unwrap_or(0),
            b"paused" => this.paused = value == b"1",
            b"pausedreason" => this.reason = value,
            // Before 13.8 only the event of the pause itself has the reason, under this key.
            b"reason" if this.reason.is_empty() => this.reason = value,
            b"lastcall" => this.last_call = number(value).map(Moment::from_secs),
            b"wrapuptime" => this.wrap_up = setting(value),
            _ => {}
        });

        this.queue = need(name, "Queue", queue)?;
        this.interface = need(name, "Interface", interface)?;
        this.name = member.filter(|name| !name.is_empty()).unwrap_or(this.interface);
        Ok(this)
    }
}

pub(super) fn parse<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    if name == Name::ExtensionStatus {
        // A status without a hint has nothing to learn from.
        let Some(watched) = frame.header("Hint") else { return Ok(None) };
        let extension = need(name, "Exten", frame.header("Exten"))?;
        return Ok(Some(Kind::Hint(Hint {
            extension,
            context: frame.header("Context").unwrap_or_default(),
            watched,
        })));
    }

    let mut member = Member::read(name, frame)?;
    match name {
        Name::QueueMemberAdded => member.change = MemberChange::Added,
        Name::QueueMemberRemoved => member.change = MemberChange::Removed,
        Name::QueueMemberPause => member.change = MemberChange::Pause,
        _ => {}
    }
    Ok(Some(Kind::Member(member)))
}
