//! What a PBX sends, into a file that can be played again.
//!
//! A recording is what `replay` plays: the manager interface's own text, gzipped.  Each session
//! begins with the greeting and the answer to the login, so that a reader sees the seam; the lists
//! and the live events follow as they came.  What callers could be known by is replaced on the way
//! (`disguise`).
//!
//! The work is done on a thread of its own: the session that feeds it must not wait for a disk.

mod disguise;
mod file;

use std::time::Duration;

pub use disguise::{Disguise, Key};
pub use file::{FileError, Output};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::ami::frame::{BANNER, Decoder, Frame, Item, Kind, Limits};
use crate::ami::id::ActionId;
use crate::clock::{Clock, Moment};

/// Writes a recording.
#[derive(Debug)]
pub struct Recorder {
    decoder: Decoder,
    scribe: Scribe,
}

/// What a recording holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Sessions, the first one included.
    pub sessions: u64,
    /// Events, items of lists included.
    pub events: u64,
    /// Bytes before packing.
    pub bytes: u64,
    /// Bytes of the file.
    pub packed: u64,
}

/// Writes frame by frame.
#[derive(Debug)]
struct Scribe {
    output: Output,
    disguise: Option<Disguise>,
    stage: Stage,
    tally: Tally,
    line: Vec<u8>,
}

/// How far the session is.
#[derive(Debug)]
enum Stage {
    /// Not logged in; the greeting, if it came.
    Outside { greeting: Vec<u8> },
    /// Logged in, and the queues are not listed yet.  Who is a member must be known before the
    /// first number is replaced, so everything is kept.
    Opening { held: Vec<u8> },
    /// Everything is written as it comes.
    Following,
}

impl Recorder {
    /// A recording into `output`; without a `disguise` callers' numbers and names stay.
    pub fn new(output: Output, disguise: Option<Disguise>) -> Self {
        let stage = Stage::Outside { greeting: Vec::new() };
        let scribe = Scribe { output, disguise, stage, tally: Tally::default(), line: Vec::new() };
        Self { decoder: Decoder::new(BOUNDLESS), scribe }
    }

    /// Takes whole frames until nobody sends any more, then ends the file.  Blocks: it wants a
    /// thread of its own, inside a tokio runtime.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn run(
        mut self,
        mut batches: mpsc::Receiver<Vec<u8>>,
        clock: &Clock,
    ) -> Result<Tally, FileError> {
        let runtime = Handle::current();
        let mut flushed = clock.now();
        loop {
            match runtime.block_on(async { timeout(FLUSH, batches.recv()).await }) {
                Ok(Some(batch)) => self.take(&batch)?,
                Ok(None) => return self.finish(),
                Err(_) => {}
            }
            self.flush_if_due(&mut flushed, clock.now())?;
        }
    }

    /// Takes text of the manager interface.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.decoder.feed(bytes);
        while let Some(item) = self.decoder.next_item() {
            match item {
                Item::Banner(version) => self.scribe.greeted(version)?,
                Item::Frame(frame) => self.scribe.frame(&frame)?,
                Item::Rejected(_) => {}
            }
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<Tally, FileError> {
        self.scribe.let_go()?;
        let Scribe { output, tally, .. } = self.scribe;
        Ok(Tally { packed: output.finish()?, ..tally })
    }

    fn flush_if_due(&mut self, flushed: &mut Moment, now: Moment) -> Result<(), FileError> {
        if now.since(*flushed) < FLUSH {
            return Ok(());
        }
        *flushed = now;
        self.scribe.output.flush()
    }
}

impl Scribe {
    fn greeted(&mut self, version: &[u8]) -> Result<(), FileError> {
        self.let_go()?;
        self.stage = Stage::Outside { greeting: [BANNER, version, b"\r\n"].concat() };
        Ok(())
    }

    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), FileError> {
        match &mut self.stage {
            Stage::Outside { greeting } => {
                if !is_login(frame) {
                    return Ok(());
                }
                let greeting = std::mem::take(greeting);
                self.tally.sessions += 1;
                self.put(&greeting)?;
                self.stage = if self.disguise.is_some() {
                    Stage::Opening { held: Vec::new() }
                } else {
                    Stage::Following
                };
                self.write(frame)
            }
            Stage::Opening { held } => {
                frame.write_to(held);
                let enough = held.len() > HELD || ends_opening(frame);
                if let Some(disguise) = &mut self.disguise {
                    disguise.learn(frame);
                }
                if enough { self.let_go() } else { Ok(()) }
            }
            Stage::Following => {
                if let Some(disguise) = &mut self.disguise {
                    disguise.learn(frame);
                }
                self.write(frame)
            }
        }
    }

    /// Writes what was kept until the members were known.
    fn let_go(&mut self) -> Result<(), FileError> {
        let Stage::Opening { held } = std::mem::replace(&mut self.stage, Stage::Following) else {
            return Ok(());
        };
        let mut decoder = Decoder::new(BOUNDLESS);
        decoder.feed(&held);
        while let Some(item) = decoder.next_item() {
            if let Item::Frame(frame) = item {
                self.write(&frame)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, frame: &Frame<'_>) -> Result<(), FileError> {
        self.tally.events += u64::from(frame.kind == Kind::Event);
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        match &self.disguise {
            Some(disguise) => disguise.rewrite(frame, &mut line),
            None => frame.write_to(&mut line),
        }
        let done = self.put(&line);
        self.line = line;
        done
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.tally.bytes += bytes.len() as u64;
        self.output.write(bytes)
    }
}

/// Whether this answers our login: nothing before it is recorded.
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
const BOUNDLESS: Limits = Limits { line: usize::MAX, frame: usize::MAX };

/// How often what was written is brought to safety: so much can be lost at worst.
const FLUSH: Duration = Duration::from_secs(1);

/// The most that is kept until the members are known; a session keeps no more, either.
const HELD: usize = 64 << 20;
