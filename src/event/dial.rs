//! Events about two channels or more: dialling, bridges, Local pairs, transfers, Originate.

use super::channel::Channel;
use super::field::{each, need, number};
use super::name::Name;
use super::{EventError, Kind};
use crate::ami::frame::Frame;

/// A leg is being called.
#[derive(Clone, Debug, PartialEq)]
pub struct Dial<'a> {
    /// The channel that calls; `None` for an Originate.
    pub caller: Option<Channel<'a>>,
    /// The channel that is called.
    pub dest: Channel<'a>,
    /// What was dialled, without the technology: `201`, `9200@carrier`.
    pub dial_string: &'a [u8],
}

/// The calling of a leg ended.
#[derive(Clone, Debug, PartialEq)]
pub struct DialEnd<'a> {
    /// The channel that called; `None` for an Originate.
    pub caller: Option<Channel<'a>>,
    /// The channel that was called.
    pub dest: Channel<'a>,
    /// `ANSWER`, `BUSY`, …: an open set, and not the same between versions.
    pub status: &'a [u8],
    /// The phone forwarded the call: another leg replaces this one.
    pub forwarded: bool,
}

/// A channel entered a bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgeEnter<'a> {
    /// The bridge.
    pub bridge: &'a [u8],
    /// The channel.
    pub channel: Channel<'a>,
    /// Uniqueid of the channel whose place it takes.
    pub swap: Option<&'a [u8]>,
    /// A holding bridge, in which nobody talks: agents of a pool who wait for a call, parked
    /// callers.
    pub holding: bool,
}

/// A channel left a bridge.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgeLeave<'a> {
    /// The bridge.
    pub bridge: &'a [u8],
    /// The channel.
    pub channel: Channel<'a>,
}

/// The two halves of a Local channel: `;1` belongs to whoever dialled, `;2` runs the dialplan.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalBridge<'a> {
    /// Uniqueid of `;1`.
    pub one: &'a [u8],
    /// Uniqueid of `;2`.
    pub two: &'a [u8],
}

/// A blind transfer was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct BlindTransfer<'a> {
    /// Whether it went through.
    pub success: bool,
    /// Uniqueid of the channel that transferred.
    pub transferer: &'a [u8],
    /// The bridge that was transferred.
    pub bridge: &'a [u8],
}

/// An attended transfer was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct AttendedTransfer<'a> {
    /// Whether it went through and took the transferer out (a three-way call does not).
    pub success: bool,
    /// Uniqueid and bridge of the transferer's first leg.
    pub first: (&'a [u8], &'a [u8]),
    /// Uniqueid and bridge of the transferer's second leg.
    pub second: (&'a [u8], &'a [u8]),
    /// A place in a queue that was handed over: DestType App and DestApp Queue.
    pub into_queue: Option<IntoQueue<'a>>,
}

/// One of the transferer's lines waits in a queue, and the party on the other line gets its
/// place.
#[derive(Clone, Debug, PartialEq)]
pub struct IntoQueue<'a> {
    /// Uniqueid of the line that waits.
    pub from: &'a [u8],
    /// The channel that waits from now on.
    pub to: Channel<'a>,
}

/// An asynchronous Originate ended.
#[derive(Clone, Debug, PartialEq)]
pub struct OriginateResponse<'a> {
    /// What was dialled, with the technology: `SIP/9200@carrier`.
    pub channel: &'a [u8],
    /// `<unknown>` (16, 22) on failure: `None`.
    pub uid: Option<&'a [u8]>,
    /// 0 failed, 1 hung up, 3 no answer, 4 answered, 5 busy, 8 congestion.
    pub reason: Option<u8>,
}

pub(super) fn parse<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    match name {
        Name::DialBegin | Name::DialEnd => dial(name, frame),
        Name::BridgeEnter | Name::BridgeLeave => bridge(name, frame),
        Name::LocalBridge => local(name, frame),
        Name::BlindTransfer | Name::AttendedTransfer => Ok(Some(transfer(name, frame))),
        Name::OriginateResponse => Ok(Some(originate(frame))),
        _ => Ok(None),
    }
}

fn dial<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    let mut caller = Channel::default();
    let mut dest = Channel::default();
    let mut dial_string = &b""[..];
    let mut status = &b""[..];
    let mut forwarded = false;
    each(frame, |key, value| match key {
        b"dialstring" => dial_string = value,
        b"dialstatus" => status = value,
        b"forward" => forwarded = !value.is_empty(),
        _ => match key.strip_prefix(b"dest") {
            Some(key) => dest.take(key, value),
            None => caller.take(key, value),
        },
    });

    let caller = caller.present();
    let dest = dest.need(name, "DestUniqueid")?;
    Ok(Some(match name {
        Name::DialBegin => Kind::DialBegin(Dial { caller, dest, dial_string }),
        _ => Kind::DialEnd(DialEnd { caller, dest, status, forwarded }),
    }))
}

fn bridge<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    let mut channel = Channel::default();
    let mut bridge = None;
    let mut swap = None;
    let mut holding = false;
    each(frame, |key, value| match key {
        b"bridgeuniqueid" => bridge = Some(value),
        b"bridgetechnology" => holding = value == b"holding_bridge",
        b"swapuniqueid" => swap = Some(value).filter(|swap| !swap.is_empty()),
        _ => channel.take(key, value),
    });

    let bridge = need(name, "BridgeUniqueid", bridge)?;
    let channel = channel.need(name, "Uniqueid")?;
    Ok(Some(match name {
        Name::BridgeEnter => Kind::BridgeEnter(BridgeEnter { bridge, channel, swap, holding }),
        _ => Kind::BridgeLeave(BridgeLeave { bridge, channel }),
    }))
}

fn local<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    let one = need(name, "LocalOneUniqueid", frame.header("LocalOneUniqueid"))?;
    let two = need(name, "LocalTwoUniqueid", frame.header("LocalTwoUniqueid"))?;
    Ok(Some(Kind::LocalBridge(LocalBridge { one, two })))
}

fn transfer<'a>(name: Name, frame: &Frame<'a>) -> Kind<'a> {
    let header = |key: &str| frame.header(key).unwrap_or_default();
    let success = header("Result") == b"Success";
    if name == Name::BlindTransfer {
        return Kind::BlindTransfer(BlindTransfer {
            success,
            transferer: header("TransfererUniqueid"),
            bridge: header("BridgeUniqueid"),
        });
    }

    Kind::AttendedTransfer(AttendedTransfer {
        // A three-way call leaves the transferer in, and Result is Success all the same.
        success: success && !matches!(header("DestType"), b"Threeway" | b"Fail"),
        first: (header("OrigTransfererUniqueid"), header("OrigBridgeUniqueid")),
        second: (header("SecondTransfererUniqueid"), header("SecondBridgeUniqueid")),
        into_queue: into_queue(frame),
    })
}

/// The event has a block for the party behind the line that is bridged, and none for the line that
/// waits: Transferee where the second line waits, TransferTarget where the first one does.
fn into_queue<'a>(frame: &Frame<'a>) -> Option<IntoQueue<'a>> {
    if frame.header("DestType") != Some(b"App") || frame.header("DestApp") != Some(b"Queue") {
        return None;
    }

    let mut transferee = Channel::default();
    let mut target = Channel::default();
    each(frame, |key, value| {
        if let Some(key) = key.strip_prefix(b"transferee") {
            transferee.take(key, value);
        } else if let Some(key) = key.strip_prefix(b"transfertarget") {
            target.take(key, value);
        }
    });

    let (to, from) = match (transferee.present(), target.present()) {
        (Some(to), _) => (to, "SecondTransfererUniqueid"),
        (None, Some(to)) => (to, "OrigTransfererUniqueid"),
        (None, None) => return None,
    };
    Some(IntoQueue { from: frame.header(from)?, to })
}

fn originate<'a>(frame: &Frame<'a>) -> Kind<'a> {
    let uid = frame.header("Uniqueid").filter(|uid| !uid.is_empty() && *uid != b"<unknown>");
    let reason = frame.header("Reason").and_then(number);
    Kind::OriginateResponse(OriginateResponse {
        channel: frame.header("Channel").unwrap_or_default(),
        uid,
        reason,
    })
}
