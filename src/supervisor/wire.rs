//! A connection that speaks frames: actions out by number, items in by chunk.

use std::time::Duration;

use crate::ami::action::Action;
use crate::ami::connection::{Chunk, Connection};
use crate::ami::frame::{Decoder, Frame, Item, Kind, Limits};
use crate::clock::{Clock, Moment};

use super::end::{End, quoted};

/// The connection of one session.
pub(super) struct Wire {
    connection: Connection,
    decoder: Decoder,
    clock: Clock,
    /// How long anything may take.
    limit: Duration,
    last_id: u64,
    read: Moment,
}

impl Wire {
    /// Nothing was read or sent yet.
    pub(super) fn new(connection: Connection, limits: Limits, limit: Duration, clock: Clock) -> Self {
        let read = clock.now();
        Self { connection, decoder: Decoder::new(limits), clock, limit, last_id: 0, read }
    }

    /// Sends an action; what answers it carries the id.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn send(&mut self, action: &Action<'_>) -> Result<ActionId, End> {
        self.last_id += 1;
        let id = ActionId::new(self.last_id);
        self.connection.send(&action.encode(&id.0), self.limit).await?;
        Ok(id)
    }

    /// The next bytes, not looked at yet.  May be cancelled without losing any.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn receive(&mut self) -> Result<Chunk, End> {
        self.connection.receive().await?.ok_or(End::Closed)
    }

    /// The same, but `what` has to come in time.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn receive_soon(&mut self, what: &'static str) -> Result<Chunk, End> {
        let limit = self.limit;
        tokio::time::timeout(limit, self.receive()).await.map_err(|_| End::Timeout { what, limit })?
    }

    /// Puts bytes before the decoder; [`Self::next_item`] cuts them.
    pub(super) fn accept(&mut self, chunk: Chunk) {
        self.read = chunk.read;
        self.decoder.feed(&chunk.bytes);
        self.connection.recycle(chunk);
    }

    /// The next whole item of what was accepted.
    pub(super) fn next_item(&mut self) -> Option<Item<'_>> {
        self.decoder.next_item()
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

/// The ActionID of something we sent: the prefix tells our lists from those of others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ActionId(String);

impl ActionId {
    /// The `number`th action of a session.
    pub(super) fn new(number: u64) -> Self {
        Self(format!("ae-{number}"))
    }

    /// Whether `text` is this id.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        self.0.as_bytes() == text
    }

    /// Whether the frame carries this id.
    pub(super) fn marks(&self, frame: &Frame<'_>) -> bool {
        frame.header("ActionID").is_some_and(|id| self.is(id))
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
        let headers = frame.headers().take(HEADERS).map(|(key, value)| (text(key), text(value))).collect();
        Self { accepted: is_accepted(frame), headers }
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
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }
}

/// Whether a response says that its action was carried out.
pub(super) fn is_accepted(frame: &Frame<'_>) -> bool {
    frame.kind == Kind::Response && !frame.name.eq_ignore_ascii_case(b"Error")
}

/// An answer we wait for has about ten headers.
const HEADERS: usize = 64;
