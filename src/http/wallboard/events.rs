//! The stream of one viewer.
//!
//! It takes the latest cut whenever the connection has room for more, so a viewer that reads slowly
//! misses cuts, and nothing is kept for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame as HttpFrame};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::super::connections::Watching;
use super::super::idle_timeout::{OpenRequest, OpenStream};
use super::frame::{Frame, Latest};

/// What one viewer has seen.
pub(in super::super) struct Viewer {
    latest: watch::Receiver<Latest>,
    /// Given back with the stream.
    _place: (OwnedSemaphorePermit, Watching),
    /// The number of the latest frame.
    frame: u64,
    /// The quarter of the background.
    quarter: Option<u64>,
    until: Instant,
}

/// The body of the answer.
pub(in super::super) struct Events {
    next: Option<Pin<Box<Next>>>,
    open: OpenStream,
}

/// The next event, or the end.
type Next = dyn Future<Output = Option<(Bytes, Viewer)>> + Send + Sync;

impl Viewer {
    pub(super) fn new(
        latest: watch::Receiver<Latest>,
        place: (OwnedSemaphorePermit, Watching),
    ) -> Self {
        let until = sleep(LONGEST).deadline();
        Self { latest, _place: place, frame: 0, quarter: None, until }
    }

    /// The next cut that it has not seen.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let latest = self.latest.borrow_and_update().clone();
            match latest {
                Latest::Over => return None,
                Latest::Frame(frame) if frame.number != self.frame => {
                    let event = self.see(&frame);
                    return Some((event, self));
                }
                Latest::Frame(_) | Latest::None => {}
            }
            timeout_at(self.until, self.latest.changed()).await.ok()?.ok()?;
        }
    }

    /// The events of a cut: what has changed for who has seen the one before, else all of it.  All
    /// viewers share them, but for the first one and those after a quarter.
    fn see(&mut self, frame: &Frame) -> Bytes {
        let begins = self.frame == 0;
        let follows = self.frame + 1 == frame.number && !begins;
        self.frame = frame.number;
        if self.quarter.replace(frame.background.quarter) == Some(frame.background.quarter) {
            let change = frame.change.as_ref().filter(|_| follows);
            return change.unwrap_or(&frame.board).clone();
        }
        let begin = if begins { BEGIN } else { b"" };
        [begin, &frame.background.event[..], &frame.board[..]].concat().into()
    }
}

impl Events {
    pub(in super::super) fn new(viewer: Viewer, open: OpenRequest) -> Self {
        Self { next: Some(Box::pin(viewer.next())), open: open.stream() }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Infallible>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let event = ready!(next.as_mut().poll(cx));

        self.open.beat();
        self.next = None;
        Poll::Ready(event.map(|(event, viewer)| {
            self.next = Some(Box::pin(viewer.next()));
            Ok(HttpFrame::data(event))
        }))
    }
}

/// How soon a browser asks again after the end of a stream, in milliseconds.
const BEGIN: &[u8] = b"retry: 500\n\n";
/// A stream ends after that, so that a password that was taken away does not go on.
const LONGEST: Duration = Duration::from_secs(15 * 60);
