//! Which header holds what.  A table; whatever is not in it may hold numbers.

use crate::ami::frame::{Frame, Kind};
use crate::event::Name;

/// What is done to the value of a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Treatment {
    /// It stays: ids, times, counts, queues, members, contexts.
    Keep,
    /// Numbers in it are replaced.
    Text,
    /// The same, in the name of a channel.
    Channel,
    /// It is a number, or what a caller's device has for one.
    Number,
    /// It is a person's name.
    Name,
    /// Arguments of the frame's application.
    Arguments,
    /// The value of the frame's variable.
    Value,
    /// `variable=value`.
    Variable,
    /// It may hold anything, and nobody here needs it.
    Hide,
}

/// What is done to the header `key`, in lower case, of a frame.
pub(super) fn treatment(frame: &Frame<'_>, key: &[u8]) -> Treatment {
    let default = default(frame);
    let text = std::str::from_utf8(key).unwrap_or_default();
    if text.starts_with("chanvariable") {
        return Treatment::Variable;
    }
    match text {
        // only there the member's name
        "name" | "location" if frame.is_event("QueueMember") => return Treatment::Keep,
        // what was dialled, without the number that ends a channel's name
        "channel" if frame.is_event("OriginateResponse") => return Treatment::Text,
        _ => {}
    }
    let exact = EXACT.iter().find(|(known, _)| *known == text);
    let ending = || ENDINGS.iter().find(|(ending, _)| text.ends_with(ending));
    exact.or_else(ending).map_or(default, |&(_, treatment)| treatment)
}

/// Of events the exporter does not know, and of answers, only what is known to be harmless stays.
fn default(frame: &Frame<'_>) -> Treatment {
    let strange = match frame.kind {
        Kind::Event => Name::find(frame.name).is_none() || STRANGE.iter().any(|name| frame.is_event(name)),
        Kind::Response => true,
    };
    if strange { Treatment::Hide } else { Treatment::Text }
}

/// Applications whose arguments say where a call goes.  Those of all others may hold names, addresses and passwords.
pub(super) const APPLICATIONS: &[&[u8]] = &[b"Queue", b"AppQueue", b"Dial", b"AppDial", b"AppDial2", b"Goto"];

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
    b"MEMBERNAME",
    b"MIXMONITOR_FILENAME",
    b"QEHOLDTIME",
    b"QEORIGINALPOS",
    b"QUEUEHOLDTIME",
    b"QUEUENAME",
    b"QUEUEPOSITION",
    b"QUEUESTATUS",
    b"RINGTIME",
    b"RINGTIME_MS",
    b"TRANSFERERNAME",
];

/// Variables that name a queue or a member, and stay as they are.
pub(super) const NAMES: &[&[u8]] = &[b"MEMBERINTERFACE", b"MEMBERNAME", b"QUEUENAME"];

/// Known events made of free text.
const STRANGE: &[&str] = &["Cdr", "UserEvent"];

/// Headers by their whole key.
const EXACT: &[(&str, Treatment)] = &[
    ("abandoned", Treatment::Keep),
    ("actionid", Treatment::Keep),
    ("address", Treatment::Hide),
    ("amiversion", Treatment::Keep),
    ("appdata", Treatment::Arguments),
    ("application", Treatment::Keep),
    ("applicationdata", Treatment::Arguments),
    ("asteriskversion", Treatment::Keep),
    ("bridgeid", Treatment::Keep),
    ("calls", Treatment::Keep),
    ("callstaken", Treatment::Keep),
    ("cause", Treatment::Keep),
    ("cause-txt", Treatment::Keep),
    ("completed", Treatment::Keep),
    ("contact", Treatment::Hide),
    ("digit", Treatment::Hide),
    ("domain", Treatment::Hide),
    ("duration", Treatment::Keep),
    ("eventlist", Treatment::Keep),
    ("eventtv", Treatment::Keep),
    ("from", Treatment::Hide),
    ("holdtime", Treatment::Keep),
    ("incall", Treatment::Keep),
    ("interface", Treatment::Keep),
    ("lastcall", Treatment::Keep),
    ("lastpause", Treatment::Keep),
    ("lastreload", Treatment::Keep),
    ("listitems", Treatment::Keep),
    ("localaddress", Treatment::Hide),
    ("logintime", Treatment::Keep),
    ("membername", Treatment::Keep),
    ("membership", Treatment::Keep),
    ("message", Treatment::Keep),
    ("paused", Treatment::Keep),
    ("pausedreason", Treatment::Keep),
    ("penalty", Treatment::Keep),
    ("ping", Treatment::Keep),
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
    ("viaaddress", Treatment::Hide),
    ("wait", Treatment::Keep),
    ("wrapuptime", Treatment::Keep),
];

/// Headers of blocks, which have a prefix such as `Dest` or `OrigTransferer`; the first that fits decides.
const ENDINGS: &[(&str, Treatment)] = &[
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
    fn blocks_are_told_by_how_their_keys_end() {
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
    fn what_nobody_knows_is_hidden_but_for_its_ids() {
        for first in ["Event: Surprise", "Event: UserEvent", "Event: Cdr", "Response: Success"] {
            assert_eq!(of(first, "Whatever"), Treatment::Hide);
            assert_eq!(of(first, "DestUniqueid"), Treatment::Keep);
            assert_eq!(of(first, "Channel"), Treatment::Channel);
        }
        assert_eq!(of("Event: Hangup", "Whatever"), Treatment::Text);
        assert_eq!(of("Event: Registry", "Username"), Treatment::Hide);
    }

    #[test]
    fn a_name_is_a_members_only_in_a_list() {
        assert_eq!(of("Event: QueueMember", "Name"), Treatment::Keep);
        assert_eq!(of("Event: ContactStatus", "Name"), Treatment::Text);
    }
}
