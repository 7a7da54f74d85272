//! Events about one channel, and the block of headers that describes one.

use super::field::{each, need, number};
use super::name::Name;
use super::{EventError, Kind};
use crate::ami::frame::Frame;

/// The block of headers that describes a channel (`Channel`, `Uniqueid`, …, also prefixed `Dest`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Channel<'a> {
    /// Uniqueid; empty if the block is absent.
    pub uid: &'a [u8],
    /// Uniqueid of the call's oldest channel; empty where the event does not have it.
    pub linkedid: &'a [u8],
    /// `SIP/201-00000038`.
    pub name: &'a [u8],
    /// 4 ring, 5 ringing, 6 up.
    pub state: Option<u8>,
    /// Dialplan context.
    pub context: &'a [u8],
    /// `ChanVariable: QUEUESTATUS=…`, if the account has it (manager.conf channelvars).
    pub queue_status: Option<&'a [u8]>,
}

/// A channel ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Hangup<'a> {
    /// The channel.
    pub channel: Channel<'a>,
    /// Q.850 cause; 0 if the header is absent.
    pub cause: u16,
}

/// A step of the dialplan.
#[derive(Clone, Debug, PartialEq)]
pub struct NewExten<'a> {
    /// The channel.
    pub channel: Channel<'a>,
    /// Extension: `h` once the channel is hung up.
    pub extension: &'a [u8],
    /// The application.
    pub application: &'a [u8],
    /// Its arguments, not escaped.
    pub data: &'a [u8],
}

/// A channel variable that the correlator needs was set.
#[derive(Clone, Debug, PartialEq)]
pub struct VarSet<'a> {
    /// The channel.
    pub channel: Channel<'a>,
    /// `QUEUESTATUS` or `QUEUEPOSITION`.
    pub variable: &'a [u8],
    /// Its new value.
    pub value: &'a [u8],
}

impl<'a> Channel<'a> {
    /// Takes a header if it belongs to the block; `key` is in lower case and without the block's
    /// prefix.
    pub(super) fn take(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"uniqueid" => self.uid = value,
            b"linkedid" => self.linkedid = value,
            b"channel" => self.name = value,
            b"channelstate" => self.state = number(value),
            b"context" => self.context = value,
            // `channelvars=QUEUESTATUS` of manager.conf, also for accounts without the class
            // dialplan.
            b"chanvariable" => {
                if let Some(status) = value.strip_prefix(b"QUEUESTATUS=") {
                    self.queue_status = Some(status);
                }
            }
            _ => {}
        }
    }

    /// The block, or `None` if it is absent.
    pub(super) fn present(self) -> Option<Self> {
        (!self.uid.is_empty() && self.uid != b"<unknown>").then_some(self)
    }

    /// The block of an event that cannot do without it.
    pub(super) fn need(self, name: Name, header: &'static str) -> Result<Self, EventError> {
        need(name, header, Some(self.uid)).map(|_| self)
    }
}

pub(super) fn parse<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    // Most events of a PBX are VarSet, and two variables in hundreds are needed: they are dropped
    // before their other headers are read.
    if name == Name::VarSet && !is_wanted(frame.header("Variable").unwrap_or_default()) {
        return Ok(None);
    }

    let mut channel = Channel::default();
    let mut cause = 0;
    let mut extension = None;
    let mut application = &b""[..];
    let mut data = &b""[..];
    let mut variable = &b""[..];
    let mut set = &b""[..];
    each(frame, |key, value| match key {
        b"cause" => cause = number(value).unwrap_or(0),
        b"extension" => extension = Some(value),
        // Newexten has both: Exten is the channel's, Extension that of the step.
        b"exten" if extension.is_none() => extension = Some(value),
        b"application" => application = value,
        b"appdata" => data = value,
        b"variable" => variable = value,
        b"value" => set = value,
        _ => channel.take(key, value),
    });

    let channel = channel.need(name, "Uniqueid")?;
    Ok(Some(match name {
        Name::Newchannel => Kind::NewChannel(channel),
        Name::Hangup => Kind::Hangup(Hangup { channel, cause }),
        Name::HangupRequest => Kind::HangupRequest(channel),
        Name::Newexten => Kind::NewExten(NewExten {
            channel,
            extension: extension.unwrap_or_default(),
            application,
            data,
        }),
        Name::VarSet => Kind::VarSet(VarSet { channel, variable, value: set }),
        Name::Hold => Kind::Hold(channel),
        Name::Unhold => Kind::Unhold(channel),
        Name::MixMonitorStart => Kind::RecordingStart(channel),
        Name::MixMonitorStop => Kind::RecordingStop(channel),
        _ => return Ok(None),
    }))
}

fn is_wanted(variable: &[u8]) -> bool {
    matches!(variable, b"QUEUESTATUS" | b"QUEUEPOSITION")
}
