//! Sessions of a capture, frame by frame.

use super::file::{CaptureFile, FileError};
use super::pseudonym::Pseudonymizer;
use crate::ami::frame::{BANNER, Decoder, Frame, Item, Kind, Limits};
use crate::ami::id::ActionId;

/// Writes frames into a file, and knows where in a session they are.
#[derive(Debug)]
pub(super) struct Sessions {
    file: CaptureFile,
    pseudonymizer: Option<Pseudonymizer>,
    phase: Phase,
    totals: Totals,
    /// Memory for the next frame.
    text: Vec<u8>,
}

/// How much a capture holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Sessions, the first one included.
    pub sessions: u64,
    /// Events, items of lists included.
    pub events: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// Bytes of the file.
    pub packed: u64,
}

/// How far the session is.
#[derive(Debug)]
enum Phase {
    /// Not logged in; the greeting, if it came.
    LoggedOut { greeting: Vec<u8> },
    /// Logged in, and the queues are not listed yet.  Members must be known before the first number
    /// is replaced, so everything is held.
    Opening { held: Vec<u8> },
    /// Everything is written as it comes.
    Live,
}

impl Sessions {
    /// No session yet.
    pub(super) fn new(file: CaptureFile, pseudonymizer: Option<Pseudonymizer>) -> Self {
        let phase = Phase::LoggedOut { greeting: Vec::new() };
        Self { file, pseudonymizer, phase, totals: Totals::default(), text: Vec::new() }
    }

    /// A greeting: the session before it has ended.
    pub(super) fn banner(&mut self, version: &[u8]) -> Result<(), FileError> {
        self.write_held()?;
        self.phase = Phase::LoggedOut { greeting: [BANNER, version, b"\r\n"].concat() };
        Ok(())
    }

    /// The next frame of the session.
    pub(super) fn frame(&mut self, frame: &Frame<'_>) -> Result<(), FileError> {
        match &mut self.phase {
            // The challenge and refused logins are no part of a capture.
            Phase::LoggedOut { greeting } => {
                if !is_login(frame) {
                    return Ok(());
                }
                let greeting = std::mem::take(greeting);
                self.begin(&greeting)?;
                self.write(frame)
            }

            Phase::Opening { held } => {
                frame.write_to(held);
                let enough = held.len() > HELD_MAX || ends_opening(frame);
                self.learn(frame);
                if enough { self.write_held() } else { Ok(()) }
            }

            Phase::Live => {
                self.learn(frame);
                self.write(frame)
            }
        }
    }

    /// How many events were written.
    pub(super) const fn events(&self) -> u64 {
        self.totals.events
    }

    /// Brings everything written so far to the file.
    pub(super) fn flush(&mut self) -> Result<(), FileError> {
        self.file.flush()
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<Totals, FileError> {
        self.write_held()?;
        Ok(Totals { packed: self.file.finish()?, ..self.totals })
    }

    fn begin(&mut self, greeting: &[u8]) -> Result<(), FileError> {
        self.totals.sessions += 1;
        self.put(greeting)?;

        self.phase = if self.pseudonymizer.is_some() {
            Phase::Opening { held: Vec::new() }
        } else {
            Phase::Live
        };
        Ok(())
    }

    fn learn(&mut self, frame: &Frame<'_>) {
        if let Some(pseudonymizer) = &mut self.pseudonymizer {
            pseudonymizer.learn(frame);
        }
    }

    /// Writes what was held until the members were known.
    fn write_held(&mut self) -> Result<(), FileError> {
        let Phase::Opening { held } = std::mem::replace(&mut self.phase, Phase::Live) else {
            return Ok(());
        };

        let mut decoder = Decoder::new(UNLIMITED);
        decoder.feed(&held);
        while let Some(item) = decoder.next_item() {
            if let Item::Frame(frame) = item {
                self.write(&frame)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, frame: &Frame<'_>) -> Result<(), FileError> {
        self.totals.events += u64::from(frame.kind == Kind::Event);

        let mut text = std::mem::take(&mut self.text);
        text.clear();
        match &self.pseudonymizer {
            Some(pseudonymizer) => pseudonymizer.rewrite(frame, &mut text),
            None => frame.write_to(&mut text),
        }

        let written = self.put(&text);
        self.text = text;
        written
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.totals.bytes += bytes.len() as u64;
        self.file.write(bytes)
    }
}

/// Whether this answers our login: nothing before it is written.
fn is_login(frame: &Frame<'_>) -> bool {
    frame.is_accepted() && ActionId::of(frame).is_some_and(|id| id.word() == "Login")
}

/// Whether the list of queues has ended, or is refused.
fn ends_opening(frame: &Frame<'_>) -> bool {
    let ended = frame.is_event("QueueStatusComplete")
        || frame.kind == Kind::Response && !frame.is_accepted();
    ended && ActionId::of(frame).is_some_and(|id| id.word() == "QueueStatus")
}

/// What comes in was within the limits of the session already.
pub(super) const UNLIMITED: Limits = Limits { line: usize::MAX, frame: usize::MAX };

/// The most that is held until the members are known; a session holds no more, either.
const HELD_MAX: usize = 64 << 20;
