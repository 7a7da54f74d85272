//! Waiting for answers between login and snapshot, while everything else that comes is taken in.

use super::end::End;
use super::place::Place;
use super::wire::{Reply, Wire};
use crate::ami::frame::{Item, Kind, Rejection};
use crate::ami::id::ActionId;
use crate::intake::{self, Opening};
use crate::metrics::Desk;

/// Takes in what comes until the answer to `id`; what is behind it stays with the wire.
///
/// # Errors
/// The session is over.
pub(super) async fn reply(
    opening: &mut Opening,
    wire: &mut Wire,
    place: &Place,
    id: &ActionId,
) -> Result<Reply, End> {
    loop {
        if let Some(reply) = place.at_desk(|desk| drain(opening, wire, place, desk, id))? {
            return Ok(reply);
        }
        let chunk = wire.receive_soon("answer").await?;
        wire.accept(chunk);
    }
}

fn drain(
    opening: &mut Opening,
    wire: &mut Wire,
    place: &Place,
    desk: &mut Desk,
    id: &ActionId,
) -> Result<Option<Reply>, End> {
    let (pbx, read) = (&place.name, wire.read());
    while let Some(item) = wire.next_item() {
        match item {
            Item::Frame(frame) if frame.kind == Kind::Event => {
                if let Some(event) = opening.event(pbx, &mut desk.own, read, &frame)? {
                    desk.correlator.handle(read, &event, &mut desk.recorder);
                }
            }
            Item::Frame(frame) if id.marks(&frame) => return Ok(Some(Reply::of(&frame))),
            Item::Frame(frame) => opening.response(&frame),
            Item::Rejected(rejection) => intake::reject(pbx, &mut desk.own, rejection),
            Item::Banner(_) => intake::reject(pbx, &mut desk.own, Rejection::UnknownType),
        }
    }
    Ok(None)
}
