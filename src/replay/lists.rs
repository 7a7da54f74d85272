//! The lists of a recording that `record` made: answers to our own questions, told by their
//! ActionIDs.
//!
//! Such a recording has the answer to the login at the beginning of each session, and behind it
//! what the exporter saw: so it is played as the exporter did it.  A recording of anything else has
//! none of our ActionIDs, and nothing here happens.

use crate::ami::frame::Frame;
use crate::ami::id::{ActionId, BARRIER};
use crate::clock::Moment;
use crate::correlator::{Correlator, Observe, Snapshot};
use crate::event::Listed;
use crate::intake::{List, Opening, Stage};
use crate::metrics::Own;

/// How far the lists of the session are.
#[derive(Debug, Default)]
pub(super) enum Lists {
    /// None is on its way.
    #[default]
    Idle,
    /// The session has begun: everything waits for its snapshot.
    Opening { opening: Box<Opening>, answers: u8 },
    /// Queues are being listed again.
    Listing { list: List, snapshot: Snapshot },
    /// They are listed, and the barrier is awaited.
    Listed { snapshot: Snapshot, answers: u8 },
}

impl Lists {
    /// Takes a response.
    pub(super) fn response(
        &mut self,
        now: Moment,
        frame: &Frame<'_>,
        correlator: &mut Correlator,
        own: &mut Own,
        seen: &mut impl Observe,
    ) {
        let Some(id) = ActionId::of(frame) else { return };
        match id.word() {
            "Login" if frame.is_accepted() => {
                // whatever was synchronised before it was hidden in between
                correlator.disconnected(now, seen);
                correlator.begin_session();
                *self = Self::Opening { opening: Box::default(), answers: 0 };
            }
            "CoreShowChannels" => self.channels(id, frame),
            "QueueStatus" => self.queues(correlator, now, id, frame),
            BARRIER => {
                if let Self::Opening { opening, .. } = self {
                    opening.response(frame);
                }
                self.barrier(now, correlator, own, seen);
            }
            _ => {}
        }
    }

    /// Takes an item of a list that is on its way in mid-session; tells whether it is one.
    pub(super) fn item(&mut self, id: &[u8], item: &Listed<'_>) -> bool {
        let Self::Listing { list, snapshot } = self else { return false };
        let owns = list.owns(id);
        if owns {
            snapshot.add(item);
        }
        owns
    }

    /// Takes an event that may end such a list.
    pub(super) fn event(&mut self, frame: &Frame<'_>) {
        let Self::Listing { list, snapshot } = self else { return };
        list.event(frame);
        if *list.stage() == Stage::Complete {
            *self = Self::Listed { snapshot: std::mem::take(snapshot), answers: 0 };
        }
    }

    fn channels(&mut self, id: ActionId, frame: &Frame<'_>) {
        if let Self::Opening { opening, .. } = self {
            opening.expect_channels(id);
            opening.response(frame);
        }
    }

    fn queues(
        &mut self,
        correlator: &mut Correlator,
        now: Moment,
        id: ActionId,
        frame: &Frame<'_>,
    ) {
        if let Self::Opening { opening, .. } = self {
            opening.expect_queues(id);
            opening.response(frame);
        } else if frame.is_accepted() {
            correlator.begin_listing(now);
            *self = Self::Listing { list: List::of_queues(id), snapshot: Snapshot::default() };
        }
    }

    /// An answer to one of a barrier's two Pings: behind the second, everything queued before the
    /// list is in.
    fn barrier(
        &mut self,
        now: Moment,
        correlator: &mut Correlator,
        own: &mut Own,
        seen: &mut impl Observe,
    ) {
        let (Self::Opening { answers, .. } | Self::Listed { answers, .. }) = self else { return };
        *answers += 1;
        if *answers < 2 {
            return;
        }
        match std::mem::take(self) {
            Self::Opening { mut opening, .. } => {
                // half a list ended the session there, and what came before it was of no use
                if is_whole(&mut opening) {
                    opening.apply(now, correlator, own, seen);
                }
            }
            Self::Listed { snapshot, .. } => correlator.reconcile(now, &snapshot, seen),
            Self::Idle | Self::Listing { .. } => {}
        }
    }
}

/// Whether both lists came to their end or were refused.
fn is_whole(opening: &mut Opening) -> bool {
    match opening.channels() {
        Some(Stage::Complete) => {}
        Some(Stage::Refused(_)) => opening.without_channels(),
        Some(Stage::Open) | None => return false,
    }
    match opening.queues() {
        Some(Stage::Complete) => {}
        Some(Stage::Refused(_)) => opening.without_queues(),
        Some(Stage::Open) | None => return false,
    }
    true
}
