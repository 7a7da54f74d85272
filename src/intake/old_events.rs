//! The events of Asterisk 11 and older, which cannot be counted.

use crate::ami::frame::{Frame, Kind};

/// Whether only Asterisk 11 and older send such an event.
pub fn is_event_of_old(frame: &Frame<'_>) -> bool {
    frame.kind == Kind::Event
        && EVENTS_OF_OLD
            .iter()
            .any(|(name, header)| frame.name == name.as_bytes() && frame.header(header).is_some())
}

/// Events that went with 12, each with a header it always has: the name alone might be a module's
/// own.
const EVENTS_OF_OLD: &[(&str, &str)] = &[
    ("Join", "Queue"),
    ("Leave", "Queue"),
    ("Dial", "SubEvent"),
    ("Bridge", "Bridgestate"),
    ("Unlink", "Uniqueid1"),
    ("QueueMemberPaused", "Location"),
];
