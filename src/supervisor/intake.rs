//! What every frame goes through, before and behind the snapshot: counted by name, read if it is of use.

use tracing::{debug, trace};

use crate::ami::frame::{Frame, Rejection};
use crate::clock::Moment;
use crate::correlator::PbxName;
use crate::event::{Event, Name};
use crate::metrics::Desk;

/// Counts an event by its name and tells which it is, `None` if it is of no use.
pub(super) fn count(pbx: &PbxName, desk: &mut Desk, frame: &Frame<'_>) -> Option<Name> {
    let found = Name::find(frame.name);
    desk.own.event(found.map(|(at, _)| at));
    let (_, name) = found?;
    trace!(%pbx, event = name.as_str(), "event");
    name.is_needed().then_some(name)
}

/// Reads an event that is of use; one that cannot be read is counted.
pub(super) fn parse<'a>(pbx: &PbxName, desk: &mut Desk, name: Name, frame: &Frame<'a>) -> Option<Event<'a>> {
    match Event::parse(name, frame) {
        Ok(event) => event,
        Err(error) => {
            desk.own.rejected(error.word());
            debug!(%pbx, %error, "event left out");
            None
        }
    }
}

/// Counts input that is no frame.
pub(super) fn reject(pbx: &PbxName, desk: &mut Desk, rejection: Rejection) {
    desk.own.rejected(rejection.word());
    debug!(%pbx, reason = rejection.word(), "input left out");
}

/// Shows an event to the correlator.
pub(super) fn handle(desk: &mut Desk, read: Moment, event: &Event<'_>) {
    desk.correlator.handle(read, event, &mut desk.recorder);
}

/// Whether an event of that name is an item of a list: it happens to nobody and is of no use without its list.
pub(super) const fn is_item(name: Name) -> bool {
    matches!(name, Name::QueueParams | Name::QueueMember | Name::QueueEntry | Name::CoreShowChannel)
}
