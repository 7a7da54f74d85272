//! A connection that speaks frames: actions out by number, items in by chunk.

use std::time::Duration;

use super::end::End;
use super::tap::Tap;
use crate::ami::action::Action;
use crate::ami::connection::{Chunk, Connection};
use crate::ami::frame::{Decoder, Item, Limits};
use crate::ami::id::{ActionId, BARRIER};
use crate::clock::{Clock, Moment};

/// The connection of one session.
pub(super) struct Wire {
    connection: Connection,
    decoder: Decoder,
    clock: Clock,
    /// How long anything may take.
    limit: Duration,
    last_id: u64,
    read: Moment,
    tap: Option<Tap>,
}

impl Wire {
    /// Nothing was read or sent yet.
    pub(super) fn new(
        connection: Connection,
        limits: Limits,
        limit: Duration,
        clock: Clock,
    ) -> Self {
        let read = clock.now();
        Self {
            connection,
            decoder: Decoder::new(limits),
            clock,
            limit,
            last_id: 0,
            read,
            tap: None,
        }
    }

    /// Lets everything that comes from now on run through `tap` as well.
    pub(super) fn tapped(self, tap: Option<Tap>) -> Self {
        Self { tap, ..self }
    }

    /// How long anything may take from now on.
    pub(super) const fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Sends an action; what answers it carries the id.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn send(&mut self, action: &Action<'_>) -> Result<ActionId, End> {
        self.send_as(action.name(), action).await
    }

    /// Sends one of the two Pings of a barrier: once the second is answered, every event that was
    /// queued when the first was handled has been read.
    ///
    /// The second has to be sent after the answer to the first was read.  A PBX with a queue of
    /// events for each session (20.21, 22.11 and 23.5 on) sends events only while it waits for
    /// input, so none between two actions that it has read at once.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn send_barrier(&mut self) -> Result<ActionId, End> {
        self.send_as(BARRIER, &Action::Ping).await
    }

    /// The same as [`Self::send`], under another word than the action's name.
    async fn send_as(&mut self, word: &str, action: &Action<'_>) -> Result<ActionId, End> {
        self.last_id += 1;
        let id = ActionId::new(self.last_id, word);
        self.connection.send(&action.encode(&id), self.limit).await?;
        Ok(id)
    }

    /// The next bytes, not looked at yet.  May be cancelled without losing any.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn receive(&mut self) -> Result<Chunk, End> {
        self.hand_on().await;
        self.connection.receive().await?.ok_or(End::Closed)
    }

    /// The same, but `what` has to come in time.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn receive_soon(&mut self, what: &'static str) -> Result<Chunk, End> {
        let limit = self.limit;
        tokio::time::timeout(limit, self.receive())
            .await
            .map_err(|_| End::Timeout { what, limit })?
    }

    /// Hands on what ran through the tap.
    pub(super) async fn hand_on(&mut self) {
        if let Some(tap) = &mut self.tap {
            tap.hand_on().await;
        }
    }

    /// Puts bytes before the decoder; [`Self::next_item`] cuts them.
    pub(super) fn accept(&mut self, chunk: Chunk) {
        self.read = chunk.read;
        self.decoder.feed(&chunk.bytes);
        self.connection.recycle(chunk);
    }

    /// The next whole item of what was accepted.
    pub(super) fn next_item(&mut self) -> Option<Item<'_>> {
        let item = self.decoder.next_item()?;
        if let Some(tap) = &mut self.tap {
            tap.take(&item);
        }
        Some(item)
    }

    /// When the bytes accepted last were read.
    pub(super) const fn read(&self) -> Moment {
        self.read
    }

    /// This moment.
    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Our clock.
    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }
}
