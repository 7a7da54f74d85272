//! Events about two channels or more: dialling, bridges, Local pairs, transfers, Originate.

use super::channel::Channel;
use super::field::{need, number};
use super::headers::{Headers, Key};
use super::name::Name;
use super::{Event, EventError, Kind};

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
    /// Uniqueid of the other party, who goes on elsewhere; empty where there were several.
    pub transferee: &'a [u8],
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
    /// Uniqueids of the parties behind the two legs; empty where there are several or none.
    pub parties: [&'a [u8]; 2],
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

pub(super) fn parse<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<Option<Event<'a>>, EventError> {
    let kind = match name {
        Name::DialBegin | Name::DialEnd => dial(name, headers)?,
        Name::BridgeEnter | Name::BridgeLeave => bridge(name, headers)?,
        Name::LocalBridge => local(name, headers)?,
        Name::BlindTransfer | Name::AttendedTransfer => transfer(name, headers),
        Name::OriginateResponse => originate(headers),
        _ => return Ok(None),
    };
    Ok(headers.event(kind))
}

fn dial<'a>(name: Name, headers: &Headers<'a>) -> Result<Kind<'a>, EventError> {
    let caller = Channel::own(headers).present();
    let dest = Channel::dest(headers).need(name, "DestUniqueid")?;
    if name == Name::DialBegin {
        let dial_string = headers.get(Key::DialString);
        return Ok(Kind::DialBegin(Dial { caller, dest, dial_string }));
    }

    let status = headers.get(Key::DialStatus);
    let forwarded = !headers.get(Key::Forward).is_empty();
    Ok(Kind::DialEnd(DialEnd { caller, dest, status, forwarded }))
}

fn bridge<'a>(name: Name, headers: &Headers<'a>) -> Result<Kind<'a>, EventError> {
    let bridge = need(name, "BridgeUniqueid", headers.get(Key::BridgeUniqueid))?;
    let channel = Channel::own(headers).need(name, "Uniqueid")?;
    if name == Name::BridgeLeave {
        return Ok(Kind::BridgeLeave(BridgeLeave { bridge, channel }));
    }

    let swap = headers.find(Key::SwapUniqueid).filter(|swap| !swap.is_empty());
    let holding = headers.get(Key::BridgeTechnology) == b"holding_bridge";
    Ok(Kind::BridgeEnter(BridgeEnter { bridge, channel, swap, holding }))
}

fn local<'a>(name: Name, headers: &Headers<'a>) -> Result<Kind<'a>, EventError> {
    let header = |key| need(name, key, headers.search(key).unwrap_or_default());
    let one = header("LocalOneUniqueid")?;
    let two = header("LocalTwoUniqueid")?;
    Ok(Kind::LocalBridge(LocalBridge { one, two }))
}

fn transfer<'a>(name: Name, headers: &Headers<'a>) -> Kind<'a> {
    let header = |key: &str| headers.search(key).unwrap_or_default();
    let success = header("Result") == b"Success";
    if name == Name::BlindTransfer {
        return Kind::BlindTransfer(BlindTransfer {
            success,
            transferer: header("TransfererUniqueid"),
            bridge: header("BridgeUniqueid"),
            transferee: header("TransfereeUniqueid"),
        });
    }

    Kind::AttendedTransfer(AttendedTransfer {
        // A three-way call leaves the transferer in, and Result is Success all the same.
        success: success && !matches!(header("DestType"), b"Threeway" | b"Fail"),
        first: (header("OrigTransfererUniqueid"), header("OrigBridgeUniqueid")),
        second: (header("SecondTransfererUniqueid"), header("SecondBridgeUniqueid")),
        parties: [header("TransfereeUniqueid"), header("TransferTargetUniqueid")],
        into_queue: into_queue(headers),
    })
}

/// The event has a block for the party behind the line that is bridged, and none for the line that
/// waits: Transferee where the second line waits, TransferTarget where the first one does.
fn into_queue<'a>(headers: &Headers<'a>) -> Option<IntoQueue<'a>> {
    let into = ["DestType", "DestApp"].map(|key| headers.search(key).unwrap_or_default());
    if into != [b"App".as_slice(), b"Queue"] {
        return None;
    }

    let transferee = Channel::prefixed(headers, "Transferee").present();
    let target = Channel::prefixed(headers, "TransferTarget").present();
    let (to, from) = match (transferee, target) {
        (Some(to), _) => (to, "SecondTransfererUniqueid"),
        (None, Some(to)) => (to, "OrigTransfererUniqueid"),
        (None, None) => return None,
    };
    Some(IntoQueue { from: headers.search(from)?, to })
}

fn originate<'a>(headers: &Headers<'a>) -> Kind<'a> {
    let uid = headers.find(Key::Uniqueid).filter(|uid| !uid.is_empty() && *uid != b"<unknown>");
    Kind::OriginateResponse(OriginateResponse {
        channel: headers.get(Key::Channel),
        uid,
        reason: number(headers.get(Key::Reason)),
    })
}
