//! From frames to a PBX's desk: counted by name, read if of use, held back while lists are on their
//! way.
//!
//! A live session and a replay of what `record` wrote go through this alike.  It knows nothing of
//! sockets, files or waiting.

mod held;
mod list;
mod old_events;
mod opening;

pub use list::{KEPT, List, Stage, size};
pub use old_events::is_event_of_old;
pub use opening::{Opening, Overflow};
use tracing::{debug, trace};

use crate::ami::frame::{Frame, Rejection};
use crate::event::{Event, Name};
use crate::metrics::Own;
use crate::pbx::PbxName;

/// Counts an event by its name and tells which it is, `None` if it is of no use.
pub fn count(pbx: &PbxName, own: &mut Own, frame: &Frame<'_>) -> Option<Name> {
    let found = Name::find(frame.name);
    own.event(found.map(|(at, _)| at));
    let (_, name) = found?;
    trace!(%pbx, event = name.as_str(), "event");
    name.is_needed().then_some(name)
}

/// Reads an event that is of use; one that cannot be read is counted.
pub fn parse<'a>(pbx: &PbxName, own: &mut Own, name: Name, frame: &Frame<'a>) -> Option<Event<'a>> {
    match Event::parse(name, frame) {
        Ok(event) => event,
        Err(error) => {
            own.rejected(error.word());
            debug!(%pbx, %error, "event left out");
            None
        }
    }
}

/// Counts input that is no frame.
pub fn reject(pbx: &PbxName, own: &mut Own, rejection: Rejection) {
    own.rejected(rejection.word());
    debug!(%pbx, reason = rejection.word(), "input left out");
}

/// Whether an event of that name is an item of a list: it happens to nobody and is of no use
/// without its list.
const fn is_item(name: Name) -> bool {
    matches!(name, Name::QueueParams | Name::QueueMember | Name::QueueEntry | Name::CoreShowChannel)
}
