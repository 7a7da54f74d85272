//! From login to the snapshot: takes in everything and applies it at once when the snapshot is
//! whole.
//!
//! On the PBX a list is made in one go and newer than every event queued before it, but events sent
//! right behind it may be older.  So everything from the login on waits for the lists, and the
//! lists wait for the barrier: events queued when a Ping is handled are written behind its answer,
//! so behind the second answer all of them are in.
//!
//! Only FullyBooted and Shutdown go to the correlator at once: what a restart ended must be known
//! before.

use super::held::Held;
use super::list::{KEPT, List, Stage, size};
use crate::ami::frame::Frame;
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::correlator::{Correlator, Observe, Snapshot};
use crate::event::{Event, Kind};
use crate::metrics::Own;
use crate::pbx::PbxName;

/// What has come so far.
#[derive(Debug, Default)]
pub struct Opening {
    snapshot: Snapshot,
    listed: usize,
    held: Held,
    channels: Option<List>,
    queues: Option<List>,
}

/// More came before the end of the snapshot than is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("more than {} MiB came before the snapshot was complete", KEPT >> 20)]
pub struct Overflow;

impl Opening {
    /// The list of channels was asked for.
    pub fn expect_channels(&mut self, id: ActionId) {
        self.channels = Some(List::of_channels(id));
    }

    /// The list of queues was asked for.
    pub fn expect_queues(&mut self, id: ActionId) {
        self.queues = Some(List::of_queues(id));
    }

    /// Takes a response.
    pub fn response(&mut self, frame: &Frame<'_>) {
        if let Some(told) = crate::event::timestamp(frame) {
            self.snapshot.dated(told);
        }
        self.lists().for_each(|list| list.response(frame));
    }

    /// Takes an event, counts it, and keeps what is of use; gives back what the correlator must
    /// know at once.
    ///
    /// # Errors
    /// There is no room for more.
    pub fn event<'a>(
        &mut self,
        pbx: &PbxName,
        own: &mut Own,
        read: Moment,
        frame: &Frame<'a>,
    ) -> Result<Option<Event<'a>>, Overflow> {
        let Some(name) = super::count(pbx, own, frame) else {
            self.lists().for_each(|list| list.event(frame));
            return Ok(None);
        };
        if super::is_item(name) && !self.owns(frame) {
            return Ok(None);
        }
        let Some(event) = super::parse(pbx, own, name, frame) else { return Ok(None) };
        match &event.kind {
            Kind::Listed { item, .. } => {
                self.snapshot.add(item);
                self.listed += size(frame);
            }
            Kind::FullyBooted { .. } | Kind::Shutdown => return Ok(Some(event)),
            _ => self.held.push(read, frame),
        }
        if self.listed + self.held.size() > KEPT { Err(Overflow) } else { Ok(None) }
    }

    /// Applies the snapshot, then what came while it was taken.
    pub fn apply(
        &mut self,
        now: Moment,
        correlator: &mut Correlator,
        own: &mut Own,
        seen: &mut impl Observe,
    ) {
        self.held.each(|_, event| self.snapshot.foresee(event));
        correlator.resync(now, &self.snapshot, seen);
        self.held.each(|read, event| correlator.handle(read, event, seen));
        own.synchronised(now);
    }

    /// The PBX does not list channels: nothing follows from one that is not in the snapshot.
    pub const fn without_channels(&mut self) {
        self.snapshot.without_channels();
    }

    /// The PBX does not list queues.
    pub const fn without_queues(&mut self) {
        self.snapshot.without_queues();
    }

    /// How the list of channels came out.
    pub fn channels(&self) -> Option<&Stage> {
        self.channels.as_ref().map(List::stage)
    }

    /// How the list of queues came out.
    pub fn queues(&self) -> Option<&Stage> {
        self.queues.as_ref().map(List::stage)
    }

    fn owns(&mut self, frame: &Frame<'_>) -> bool {
        frame.header("ActionID").is_some_and(|id| self.lists().any(|list| list.owns(id)))
    }

    fn lists(&mut self) -> impl Iterator<Item = &mut List> {
        self.channels.iter_mut().chain(&mut self.queues)
    }
}
