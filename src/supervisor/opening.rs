//! From login to the snapshot: takes in everything and applies it at once when the snapshot is whole.
//!
//! On the PBX a list is made in one go and newer than every event queued before it, but events sent right behind it
//! may be older.  So everything from the login on waits for the lists, and the lists wait for the barrier: events
//! queued when a Ping is handled are written behind its answer, so behind the second answer all of them are in.
//!
//! Only FullyBooted and Shutdown go to the correlator at once: what a restart ended must be known before.

use crate::ami::frame::{Frame, Item, Kind as FrameKind, Rejection};
use crate::clock::Moment;
use crate::correlator::{PbxName, Snapshot};
use crate::event::Kind;
use crate::metrics::Desk;

use super::end::End;
use super::held::Held;
use super::intake;
use super::list::{KEPT, List, Stage, size};
use super::place::Place;
use super::wire::{ActionId, Reply, Wire};

/// What has come so far.
#[derive(Default)]
pub(super) struct Opening {
    snapshot: Snapshot,
    listed: usize,
    held: Held,
    channels: Option<List>,
    queues: Option<List>,
}

impl Opening {
    /// The lists that were asked for.
    pub(super) fn expect(&mut self, channels: ActionId, queues: ActionId) {
        self.channels = Some(List::of_channels(channels));
        self.queues = Some(List::of_queues(queues));
    }

    /// Takes in what comes until the answer to `id`; what is behind it stays with the wire.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn reply(&mut self, wire: &mut Wire, place: &Place, id: &ActionId) -> Result<Reply, End> {
        loop {
            if let Some(reply) = place.at_desk(|desk| self.drain(wire, &place.name, desk, id))? {
                return Ok(reply);
            }
            let chunk = wire.receive_soon("answer").await?;
            wire.accept(chunk);
        }
    }

    /// Applies the snapshot, then what came while it was taken.
    pub(super) fn apply(&mut self, now: Moment, desk: &mut Desk) {
        self.held.each(|_, event| self.snapshot.foresee(event));
        desk.correlator.resync(now, &self.snapshot, &mut desk.recorder);
        self.held.each(|read, event| intake::handle(desk, read, event));
        desk.own.synchronised(now);
    }

    /// The PBX does not list channels: nothing follows from one that is not in the snapshot.
    pub(super) const fn without_channels(&mut self) {
        self.snapshot.without_channels();
    }

    /// The PBX does not list queues.
    pub(super) const fn without_queues(&mut self) {
        self.snapshot.without_queues();
    }

    /// How the list of channels came out.
    pub(super) fn channels(&self) -> Option<&Stage> {
        self.channels.as_ref().map(List::stage)
    }

    /// How the list of queues came out.
    pub(super) fn queues(&self) -> Option<&Stage> {
        self.queues.as_ref().map(List::stage)
    }

    fn drain(&mut self, wire: &mut Wire, pbx: &PbxName, desk: &mut Desk, id: &ActionId) -> Result<Option<Reply>, End> {
        let read = wire.read();
        while let Some(item) = wire.next_item() {
            match item {
                Item::Frame(frame) if frame.kind == FrameKind::Event => self.event(pbx, desk, read, &frame)?,
                Item::Frame(frame) if id.marks(&frame) => return Ok(Some(Reply::of(&frame))),
                Item::Frame(frame) => self.lists().for_each(|list| list.response(&frame)),
                Item::Rejected(rejection) => intake::reject(pbx, desk, rejection),
                Item::Banner(_) => intake::reject(pbx, desk, Rejection::UnknownType),
            }
        }
        Ok(None)
    }

    fn event(&mut self, pbx: &PbxName, desk: &mut Desk, read: Moment, frame: &Frame<'_>) -> Result<(), End> {
        let Some(name) = intake::count(pbx, desk, frame) else {
            self.lists().for_each(|list| list.event(frame));
            return Ok(());
        };
        if intake::is_item(name) && !self.owns(frame) {
            return Ok(());
        }
        let Some(event) = intake::parse(pbx, desk, name, frame) else { return Ok(()) };
        match &event.kind {
            Kind::Listed { item, .. } => {
                self.snapshot.add(item);
                self.listed += size(frame);
            }
            Kind::FullyBooted { .. } | Kind::Shutdown => intake::handle(desk, read, &event),
            _ => self.held.push(read, frame),
        }
        if self.listed + self.held.size() > KEPT { Err(End::Overflow(KEPT)) } else { Ok(()) }
    }

    fn owns(&mut self, frame: &Frame<'_>) -> bool {
        frame.header("ActionID").is_some_and(|id| self.lists().any(|list| list.owns(id)))
    }

    fn lists(&mut self) -> impl Iterator<Item = &mut List> {
        self.channels.iter_mut().chain(&mut self.queues)
    }
}
