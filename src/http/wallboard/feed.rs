//! The cut of each second, for all viewers.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::error;

use super::super::connections::Watching;
use super::super::scrape::{ScrapeError, Writers};
use super::events::Viewer;
use super::frame::{Background, Frame, Latest};
use super::json;
use crate::health::Health;
use crate::metrics::{Board, BoardCut, Quarters};

/// Takes the numbers of now.
type TakeBoard = dyn Fn(Quarters) -> BoardCut + Send + Sync;

/// What the wallboard shows, and who looks at it.
pub struct Wallboard {
    take: Arc<TakeBoard>,
    health: Arc<Health>,
    latest: watch::Sender<Latest>,
    arrived: Notify,
    limit: usize,
    places: Arc<Semaphore>,
    /// Its own thread: it never waits for a scrape, and no scrape for it.
    writer: Writers,
}

impl Wallboard {
    /// A wallboard of what `take` gives, with at most `limit` viewers.
    pub fn new(
        limit: usize,
        health: Arc<Health>,
        take: impl Fn(Quarters) -> BoardCut + Send + Sync + 'static,
    ) -> Self {
        Self {
            take: Arc::new(take),
            health,
            latest: watch::Sender::new(Latest::None),
            arrived: Notify::new(),
            limit,
            places: Arc::new(Semaphore::new(limit)),
            writer: Writers::new(1, "wallboard"),
        }
    }

    /// How many viewers there may be.
    pub(in super::super) const fn limit(&self) -> usize {
        self.limit
    }

    /// One more viewer, whose connection gives its place up by `watch`; `None` if there are too many.
    pub(in super::super) fn viewer(&self, watch: impl FnOnce() -> Watching) -> Option<Viewer> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let viewer = Viewer::new(self.latest.subscribe(), (place, watch()));
        self.arrived.notify_one();
        Some(viewer)
    }

    /// Makes a cut each second while somebody looks, until `stop` turns true or its sender is gone.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.feed() => {}
        }
        // Streams have no other end: without it they would be cut off.
        self.latest.send_replace(Latest::Over);
    }

    async fn feed(&self) {
        let mut number = 0;
        loop {
            self.arrived.notified().await;

            let mut before = None;
            let mut seconds = interval(PERIOD);
            seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while self.latest.receiver_count() > 0 {
                seconds.tick().await;
                number += 1;
                match self.frame(number, before.take()).await {
                    Ok((frame, board)) => {
                        before = Some((Arc::clone(&frame.background), board));
                        self.latest.send_replace(Latest::Frame(Arc::new(frame)));
                    }
                    Err(error) => error!(%error, "no events for the wallboard"),
                }
            }

            // The next viewer must not begin with an old one.
            self.latest.send_replace(Latest::None);
        }
    }

    /// A new cut, with the background of the one before it if that is still the same.
    async fn frame(
        &self,
        number: u64,
        before: Option<(Arc<Background>, Board)>,
    ) -> Result<(Frame, Board), ScrapeError> {
        let (take, health) = (Arc::clone(&self.take), Arc::clone(&self.health));
        let work = move || {
            let now = take(Quarters::None).named();
            let same = before.filter(|(background, _)| background.quarter == now.quarter);
            let health = health.all();
            if let Some((background, before)) = same {
                let change = json::change(&before, &now, &health).map(Bytes::from);
                let board = json::board(&now, &health).into();
                return (Frame { number, background, board, change }, now);
            }

            // Now with the quarters that ended: both are of one cut.
            let now = take(Quarters::Ended).named();
            let (quarter, event) = (now.quarter, json::background(&now).into());
            let background = Arc::new(Background { quarter, event });
            let board = json::board(&now, &health).into();
            (Frame { number, background, board, change: None }, now)
        };
        self.writer.run(work).await
    }
}

/// From one cut to the next.
const PERIOD: Duration = Duration::from_secs(1);
