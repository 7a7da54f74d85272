//! The events of Asterisk 11 and older, which cannot be counted.

use crate::ami::frame::{Frame, Kind};

/// Whether only Asterisk 11 and older send such an event.
pub fn is_event_of_old(frame: &Frame<'_>) -> bool {
    if frame.kind != Kind::Event {
        return false;
    }
    // Events that went with 12, each with a header it always has: the name alone might be a
    // module's own.
    let header = match frame.name {
        b"Join" | b"Leave" => "Queue",
        b"Dial" => "SubEvent",
        b"Bridge" => "Bridgestate",
        b"Unlink" => "Uniqueid1",
        b"QueueMemberPaused" => "Location",
        _ => return false,
    };
    frame.header(header).is_some()
}
