//! What each header holds.  A table; a header that is not in it may hold numbers.

use crate::ami::frame::{Frame, Kind};
use crate::ami::id::ActionId;
use crate::event::Name;

/// What is done to the value of a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Treatment {
    /// It stays: ids, times, counts, queues, members, contexts.
    Keep,
    /// It stays if it looks like an id, a time or a channel's name: the event is not Asterisk's
    /// own.
    Id,
    /// Numbers in it are replaced.
    Text,
    /// Numbers in the name of a channel are replaced.
    Channel,
    /// It is a number, or the name of a SIP user in its place.
    Number,
    /// It is a person's name.
    Name,
    /// A user or an address that has to be found again: the same stays the same.
    Opaque,
    /// Arguments of the frame's application.
    Arguments,
    /// The name of a variable.
    VariableName,
    /// The value of the frame's variable.
    Value,
    /// `variable=value`.
    Variable,
    /// It may hold anything, and the exporter does not need it.
    Hide,
}

/// What is done to the header `key`, in lower case, of a frame.
pub(super) fn treatment(frame: &Frame<'_>, key: &[u8]) -> Treatment {
    let text = std::str::from_utf8(key).unwrap_or_default();
    if let Some(treatment) = of_registration(frame, text) {
        return treatment;
    }
    match text {
        "actionid" if ActionId::of(frame).is_some() => return Treatment::Keep,
        "actionid" => return Treatment::Id,
        _ if is_answer(frame) && ANSWERS.contains(&text) => return Treatment::Keep,
        _ if is_answer(frame) || is_foreign(frame) => return of_foreign_event(text),
        _ if text.starts_with("chanvariable") => return Treatment::Variable,
        // In a list `Name` is the member's, elsewhere it may be anybody's.
        "name" | "location" if frame.is_event("QueueMember") => return Treatment::Keep,
        // The dial string, without the number that ends a channel's name.
        "channel" if frame.is_event("OriginateResponse") => return Treatment::Text,
        _ => {}
    }

    // Most keys are listed whole; keys of blocks have too many prefixes for that.
    let exact = EXACT.iter().find(|(known, _)| *known == text);
    let ending = || ENDINGS.iter().find(|(ending, _)| text.ends_with(ending));
    exact.or_else(ending).map_or(Treatment::Text, |&(_, treatment)| treatment)
}

/// Users, addresses and other settings of registrations and peers; an event of a registration has nothing
/// else by which it is found.
fn of_registration(frame: &Frame<'_>, key: &str) -> Option<Treatment> {
    let opaque: &[&str] = match frame.name {
        b"Registry" => &["username", "domain"],
        b"RegistryEntry" => &["username", "host", "domain"],
        b"OutboundRegistrationDetail" => &["clienturi", "serveruri"],
        b"PeerEntry" => &["ipaddress"],
        _ => return None,
    };
    if opaque.contains(&key) {
        return Some(Treatment::Opaque);
    }
    (!OF_REGISTRATION.contains(&key)).then_some(Treatment::Hide)
}

/// What else of a registration or a peer the exporter needs, or may be read by anybody.
const OF_REGISTRATION: &[&str] = &[
    "actionid",
    "channeltype",
    "cause",
    "dynamic",
    "endpoint",
    "objectname",
    "privilege",
    "state",
    "status",
    "timestamp",
];

/// An event that is not Asterisk's own has keys of its own, too: `Message` or `Status` may hold a
/// caller.
fn of_foreign_event(key: &str) -> Treatment {
    let stays = IDS.contains(&key) || ID_ENDINGS.iter().any(|ending| key.ends_with(ending));
    if stays { Treatment::Id } else { Treatment::Hide }
}

/// An answer to what the exporter asked, or the end of a list it asked for.
fn is_answer(frame: &Frame<'_>) -> bool {
    frame.kind == Kind::Response || LIST_ENDS.iter().any(|name| frame.is_event(name))
}

fn is_foreign(frame: &Frame<'_>) -> bool {
    Name::find(frame.name).is_none() || FREE_FORM.iter().any(|name| frame.is_event(name))
}

/// Applications whose arguments are where a call goes.  Those of all others may hold names,
/// addresses and passwords.
pub(super) const APPLICATIONS: &[&[u8]] =
    &[b"Queue", b"AppQueue", b"Dial", b"AppDial", b"AppDial2", b"Goto"];

/// Variables that Asterisk's own queues and dials set.
pub(super) const VARIABLES: &[&[u8]] = &[
    b"ABANDONED",
    b"ANSWEREDTIME",
    b"ANSWEREDTIME_MS",
    b"ATTENDEDTRANSFER",
    b"BLINDTRANSFER",
    b"BRIDGEPEER",
    b"DIALEDPEERNAME",
    b"DIALEDPEERNUMBER",
    b"DIALEDTIME",
    b"DIALEDTIME_MS",
    b"DIALSTATUS",
    b"HANGUPCAUSE",
    b"MEMBERINTERFACE",
    b"QEHOLDTIME",
    b"QEORIGINALPOS",
    b"QUEUEHOLDTIME",
    b"QUEUEPOSITION",
    b"QUEUESTATUS",
    b"RINGTIME",
    b"RINGTIME_MS",
    b"TRANSFERERNAME",
];

/// The variable with a queue's name, which stays as it is.
pub(super) const QUEUE_NAME: &[u8] = b"QUEUENAME";

/// The variable with what was measured of a channel's sound, which stays as it is.
pub(super) const VOICE: &[u8] = b"RTPAUDIOQOS";

/// Its fields.
pub(super) const MEASURED: &[&[u8]] = &[
    b"ssrc",
    b"themssrc",
    b"lp",
    b"rxjitter",
    b"rxcount",
    b"txjitter",
    b"txcount",
    b"rlp",
    b"rtt",
    b"rxmes",
    b"txmes",
];

/// Known events of free text.
const FREE_FORM: &[&str] = &["Cdr", "UserEvent"];

/// Ends of the exporter's own lists.
const LIST_ENDS: &[&str] = &[
    "CoreShowChannelsComplete",
    "DeviceStateListComplete",
    "ExtensionStateListComplete",
    "OutboundRegistrationDetailComplete",
    "PeerlistComplete",
    "QueueStatusComplete",
    "RegistrationsComplete",
];

/// Headers of Asterisk's own answers; `Message` is one of its fixed sentences there.
const ANSWERS: &[&str] =
    &["amiversion", "asteriskversion", "eventlist", "listitems", "message", "ping"];

/// Headers that stay in events that are not Asterisk's own.
const IDS: &[&str] = &["privilege", "timestamp"];

/// Endings of such headers, which may have a prefix.
const ID_ENDINGS: &[&str] = &["uniqueid", "linkedid", "channel"];

/// Headers by their whole key.
const EXACT: &[(&str, Treatment)] = &[
    ("abandoned", Treatment::Keep),
    ("address", Treatment::Hide),
    ("appdata", Treatment::Arguments),
    ("application", Treatment::Keep),
    ("applicationdata", Treatment::Arguments),
    ("bridgeid", Treatment::Keep),
    ("calls", Treatment::Keep),
    ("callstaken", Treatment::Keep),
    ("cause", Treatment::Keep),
    ("cause-txt", Treatment::Keep),
    ("completed", Treatment::Keep),
    ("contact", Treatment::Hide),
    ("data", Treatment::Arguments),
    ("digit", Treatment::Hide),
    ("domain", Treatment::Hide),
    ("duration", Treatment::Keep),
    ("eventtv", Treatment::Keep),
    ("from", Treatment::Hide),
    ("holdtime", Treatment::Keep),
    ("incall", Treatment::Keep),
    ("interface", Treatment::Keep),
    ("lastcall", Treatment::Keep),
    ("lastpause", Treatment::Keep),
    ("lastreload", Treatment::Keep),
    ("localaddress", Treatment::Hide),
    ("logintime", Treatment::Keep),
    ("membername", Treatment::Keep),
    ("membership", Treatment::Keep),
    ("message", Treatment::Hide),
    ("paused", Treatment::Keep),
    ("pausedreason", Treatment::Keep),
    ("penalty", Treatment::Keep),
    ("privilege", Treatment::Keep),
    ("queue", Treatment::Keep),
    ("reason", Treatment::Keep),
    ("remoteaddress", Treatment::Hide),
    ("restart", Treatment::Keep),
    ("result", Treatment::Keep),
    ("ringtime", Treatment::Keep),
    ("sessionid", Treatment::Hide),
    ("sessiontv", Treatment::Keep),
    ("source", Treatment::Hide),
    ("stateinterface", Treatment::Keep),
    ("status", Treatment::Keep),
    ("talktime", Treatment::Keep),
    ("timestamp", Treatment::Keep),
    ("to", Treatment::Hide),
    ("uptime", Treatment::Keep),
    ("uri", Treatment::Hide),
    ("useragent", Treatment::Hide),
    ("userfield", Treatment::Hide),
    ("username", Treatment::Hide),
    ("value", Treatment::Value),
    ("variable", Treatment::VariableName),
    ("viaaddress", Treatment::Hide),
    ("wait", Treatment::Keep),
    ("wrapuptime", Treatment::Keep),
];

/// Headers of blocks, which have a prefix such as `Dest` or `OrigTransferer`; the first that fits
/// decides.
const ENDINGS: &[(&str, Treatment)] = &[
    ("accountcode", Treatment::Hide),
    ("peeraccount", Treatment::Hide),
    ("uniqueid", Treatment::Keep),
    ("linkedid", Treatment::Keep),
    ("channelstate", Treatment::Keep),
    ("channelstatedesc", Treatment::Keep),
    ("chanvariable", Treatment::Variable),
    ("channel", Treatment::Channel),
    ("context", Treatment::Keep),
    ("priority", Treatment::Keep),
    ("calleridname", Treatment::Name),
    ("connectedlinename", Treatment::Name),
    ("calleridnum", Treatment::Number),
    ("connectedlinenum", Treatment::Number),
    ("callerid", Treatment::Number),
    ("callerani", Treatment::Number),
    ("dnid", Treatment::Number),
    ("rdnis", Treatment::Number),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};

    fn of(first: &str, key: &str) -> Treatment {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(format!("{first}\r\n\r\n").as_bytes());
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
        treatment(&frame, key.to_ascii_lowercase().as_bytes())
    }

    #[test]
    fn blocks_are_recognised_by_how_their_keys_end() {
        for prefix in ["", "Dest", "OrigTransferer", "LocalTwo", "TransferTarget", "Parkee"] {
            let of = |key: &str| of("Event: DialEnd", &format!("{prefix}{key}"));
            assert_eq!(of("Channel"), Treatment::Channel);
            assert_eq!(of("CallerIDNum"), Treatment::Number);
            assert_eq!(of("ConnectedLineName"), Treatment::Name);
            assert_eq!(of("UniqueId"), Treatment::Keep);
            assert_eq!(of("Exten"), Treatment::Text);
            assert_eq!(of("ChanVariable"), Treatment::Variable);
        }
        assert_eq!(of("Event: OriginateResponse", "ChanVariable(SIP/x-1)"), Treatment::Variable);
    }

    #[test]
    fn unknown_events_are_hidden_but_for_their_ids() {
        for first in ["Event: Surprise", "Event: UserEvent", "Event: Cdr", "Response: Success"] {
            for key in [
                "Whatever",
                "Reason",
                "Result",
                "Status",
                "Queue",
                "Completed",
                "MemberName",
                "Interface",
            ] {
                assert_eq!(of(first, key), Treatment::Hide, "{first} {key}");
            }
            for key in ["ActionID", "Timestamp", "Privilege", "DestUniqueid", "Linkedid", "Channel"]
            {
                assert_eq!(of(first, key), Treatment::Id, "{first} {key}");
            }
            let expected =
                if first.starts_with("Response") { Treatment::Keep } else { Treatment::Hide };
            assert_eq!(of(first, "Message"), expected);
        }
        assert_eq!(of("Event: QueueStatusComplete", "ListItems"), Treatment::Keep);
        for key in ["AccountCode", "DestAccountCode", "PeerAccount", "OrigTransfererAccountCode"] {
            assert_eq!(of("Event: Newchannel", key), Treatment::Hide);
        }
        assert_eq!(of("Event: Hangup", "Whatever"), Treatment::Text);
        assert_eq!(of("Event: SuccessfulAuth", "Username"), Treatment::Hide);
    }

    #[test]
    fn a_name_is_a_members_only_in_a_list() {
        assert_eq!(of("Event: QueueMember", "Name"), Treatment::Keep);
        assert_eq!(of("Event: ContactStatus", "Name"), Treatment::Text);
    }
}
