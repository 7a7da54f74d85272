//! Events about the PBX itself.

use super::field::number;
use super::headers::Headers;
use super::name::Name;
use super::{Event, Kind};
use crate::ami::frame::Frame;

/// Whether it is one of the many events of the test framework, with which Debian builds Asterisk,
/// that are not needed.
pub(super) fn is_unwanted(name: Name, frame: &Frame<'_>) -> bool {
    name == Name::TestEvent && frame.header("State") != Some(b"MIXMONITOR_END")
}

pub(super) fn parse<'a>(name: Name, headers: &Headers<'a>) -> Option<Event<'a>> {
    match name {
        Name::FullyBooted => {
            let uptime =
                headers.search("Uptime").and_then(number).filter(|&uptime| uptime <= UPTIME_MAX);
            headers.event(Kind::FullyBooted { uptime })
        }
        Name::DeviceStateChange => headers.event(Kind::DeviceState),
        Name::Shutdown => headers.event(Kind::Shutdown),
        Name::TestEvent => headers.event(Kind::RecordingEnd(headers.search("File")?)),
        _ => None,
    }
}

/// Decades: the clock of a box without a battery begins in 1970 and is set after Asterisk was
/// started.
const UPTIME_MAX: u64 = 1 << 31;
