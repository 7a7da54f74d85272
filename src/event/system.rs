//! Events about the PBX itself.

use super::field::number;
use super::name::Name;
use super::{EventError, Kind};
use crate::ami::frame::Frame;

pub(super) fn parse<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    Ok(match name {
        Name::FullyBooted => {
            let uptime =
                frame.header("Uptime").and_then(number).filter(|&uptime| uptime <= UPTIME_MAX);
            Some(Kind::FullyBooted { uptime })
        }
        Name::DeviceStateChange => Some(Kind::DeviceState),
        Name::Shutdown => Some(Kind::Shutdown),
        // Debian builds Asterisk with the test framework; of its many events only this one is
        // needed.
        Name::TestEvent if frame.header("State") == Some(b"MIXMONITOR_END") => {
            frame.header("File").map(Kind::RecordingEnd)
        }
        _ => None,
    })
}

/// Decades: the clock of a box without a battery begins in 1970 and is set after Asterisk was
/// started.
const UPTIME_MAX: u64 = 1 << 31;
