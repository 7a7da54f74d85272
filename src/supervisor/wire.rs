//! A connection that speaks frames: actions out by number, items in by chunk.

use std::time::Duration;

use super::end::End;
use super::tap::Tap;
use crate::ami::action::Action;
use crate::ami::connection::{Chunk, Connection};
use crate::ami::frame::{Decoder, Frame, Item, Limits, quoted};
use crate::ami::id::ActionId;
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

    /// Sends an action; what answers it carries the id.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn send(&mut self, action: &Action<'_>) -> Result<ActionId, End> {
        self.send_as(action.name(), action).await
    }

    /// The same, under another word than the action's name.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn send_as(
        &mut self,
        word: &str,
        action: &Action<'_>,
    ) -> Result<ActionId, End> {
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

/// An answer to an action, kept while its frame is gone.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    accepted: bool,
    headers: Vec<(String, String)>,
}

impl Reply {
    /// The answer that stands in `frame`.
    pub(super) fn of(frame: &Frame<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers =
            frame.headers().take(HEADERS).map(|(key, value)| (text(key), text(value))).collect();
        Self { accepted: frame.is_accepted(), headers }
    }

    /// A header of an answer that is not an error.
    pub(super) fn granted(&self, key: &str) -> Option<&str> {
        if self.accepted { self.header(key) } else { None }
    }

    /// Whether the action was carried out.
    pub(super) const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// What the PBX says about it.
    pub(super) fn message(&self) -> String {
        quoted(self.header("Message").unwrap_or("no reason given").as_bytes())
    }

    fn header(&self, key: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }
}

/// An answer we wait for has about ten headers.
const HEADERS: usize = 64;
