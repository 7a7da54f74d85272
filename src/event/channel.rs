//! Events about one channel, and the block of headers that describes one.

use super::field::{need, number};
use super::headers::{Headers, Key, QUEUE_STATUS, last, shortened};
use super::name::Name;
use super::voice::Voice;
use super::{Event, EventError, Kind};
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

/// What was measured of a channel, told at its end; chan_sip tells it up to three times.
#[derive(Clone, Debug, PartialEq)]
pub struct VoiceReport<'a> {
    /// The channel.
    pub channel: Channel<'a>,
    /// The measurement.
    pub voice: Voice,
}

impl<'a> Channel<'a> {
    /// The block of the event's own channel.
    pub(super) fn own(headers: &Headers<'a>) -> Self {
        Self {
            uid: headers.get(Key::Uniqueid),
            linkedid: headers.get(Key::Linkedid),
            name: headers.get(Key::Channel),
            state: number(headers.get(Key::ChannelState)),
            context: headers.get(Key::Context),
            queue_status: headers.get(Key::ChanVariable).strip_prefix(QUEUE_STATUS),
        }
    }

    /// The block of the channel that is called.
    pub(super) fn dest(headers: &Headers<'a>) -> Self {
        Self {
            uid: headers.get(Key::DestUniqueid),
            linkedid: headers.get(Key::DestLinkedid),
            name: headers.get(Key::DestChannel),
            state: number(headers.get(Key::DestChannelState)),
            context: headers.get(Key::DestContext),
            queue_status: headers.get(Key::DestChanVariable).strip_prefix(QUEUE_STATUS),
        }
    }

    /// The block whose headers begin with `prefix`; of rare events.
    pub(super) fn prefixed(headers: &Headers<'a>, prefix: &str) -> Self {
        let mut this = Self::default();
        for (key, value) in headers.all() {
            let value = shortened(value);
            let Some((before, key)) = key.split_at_checked(prefix.len()) else { continue };
            if !before.eq_ignore_ascii_case(prefix.as_bytes()) {
                continue;
            }
            match key.to_ascii_lowercase().as_slice() {
                b"uniqueid" => this.uid = value,
                b"linkedid" => this.linkedid = value,
                b"channel" => this.name = value,
                b"channelstate" => this.state = number(value),
                b"context" => this.context = value,
                b"chanvariable" => {
                    this.queue_status = value.strip_prefix(QUEUE_STATUS).or(this.queue_status);
                }
                _ => {}
            }
        }
        this
    }

    /// The block, or `None` if it is absent.
    pub(super) fn present(self) -> Option<Self> {
        (!self.uid.is_empty() && self.uid != b"<unknown>").then_some(self)
    }

    /// The block of an event that cannot do without it.
    pub(super) fn need(self, name: Name, header: &'static str) -> Result<Self, EventError> {
        need(name, header, self.uid).map(|_| self)
    }
}

/// Whether it sets one of the hundreds of variables that are not needed: most events of a PBX do.
pub(super) fn is_unwanted(name: Name, frame: &Frame<'_>) -> bool {
    name == Name::VarSet
        // Only the value stands behind it.
        && !matches!(last(frame, Key::Variable), Some(b"QUEUESTATUS" | b"QUEUEPOSITION" | VOICE))
}

pub(super) fn parse<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<Option<Event<'a>>, EventError> {
    let channel = Channel::own(headers).need(name, "Uniqueid")?;
    Ok(headers.event(match name {
        Name::Newchannel => Kind::NewChannel(channel),
        Name::Hangup => {
            let cause = number(headers.get(Key::Cause)).unwrap_or(0);
            Kind::Hangup(Hangup { channel, cause })
        }
        Name::HangupRequest => Kind::HangupRequest(channel),
        Name::Newexten => Kind::NewExten(NewExten {
            channel,
            // Exten is the channel's, Extension that of the step; some events have only the first.
            extension: headers.find(Key::Extension).unwrap_or(headers.get(Key::Exten)),
            application: headers.get(Key::Application),
            data: headers.get(Key::AppData),
        }),
        Name::VarSet => match (headers.get(Key::Variable), headers.get(Key::Value)) {
            (VOICE, value) => {
                let Some(voice) = Voice::parse(value) else { return Ok(None) };
                Kind::Voice(VoiceReport { channel, voice })
            }
            (variable, value) => Kind::VarSet(VarSet { channel, variable, value }),
        },
        Name::Hold => Kind::Hold(channel),
        Name::Unhold => Kind::Unhold(channel),
        Name::MixMonitorStart => Kind::RecordingStart(channel),
        Name::MixMonitorStop => Kind::RecordingStop(channel),
        _ => return Ok(None),
    }))
}

/// The variable with what was measured of a channel's sound.
const VOICE: &[u8] = b"RTPAUDIOQOS";
