//! What a PBX sends, as a capture: a file that can be replayed.
//!
//! A capture is what `replay` reads: the manager interface's own text, gzipped.  Each session
//! begins with the greeting and the answer to the login, so that a reader recognises where one ends
//! and the next begins; the lists and the live events follow in the order in which they came.
//! Callers' numbers and names are replaced by pseudonyms on the way (`pseudonym`).
//!
//! The work is done on a thread of its own: the session that feeds it must not wait for a disk.

mod file;
mod pseudonym;
mod sessions;

use std::time::Duration;

pub use file::{CaptureFile, FileError};
pub use pseudonym::{Key, Pseudonymizer};
pub use sessions::Totals;
use sessions::{Sessions, UNLIMITED};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::ami::frame::{Decoder, Item};
use crate::clock::{Clock, Moment};
use crate::progress::Progress;

/// Writes a capture.
#[derive(Debug)]
pub struct CaptureWriter {
    decoder: Decoder,
    sessions: Sessions,
    progress: Progress,
}

impl CaptureWriter {
    /// A capture into `file`; without a `pseudonymizer` callers' numbers and names stay.
    pub fn new(file: CaptureFile, pseudonymizer: Option<Pseudonymizer>) -> Self {
        Self {
            decoder: Decoder::new(UNLIMITED),
            sessions: Sessions::new(file, pseudonymizer),
            progress: Progress::default(),
        }
    }

    /// Tells `progress` how many events were written.
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Writes batches of whole frames until their sender is gone, then ends the file.  Blocks: it
    /// needs a thread of its own, inside a tokio runtime.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn run(
        mut self,
        mut batches: mpsc::Receiver<Vec<u8>>,
        clock: &Clock,
    ) -> Result<Totals, FileError> {
        let runtime = Handle::current();
        let mut flushed = clock.now();

        loop {
            match runtime.block_on(async { timeout(FLUSH_INTERVAL, batches.recv()).await }) {
                Ok(Some(batch)) => self.write(&batch)?,
                Ok(None) => return self.finish(),
                Err(_) => {}
            }

            // Also without a batch: in a quiet night the last event would wait for the next call.
            self.flush_if_due(&mut flushed, clock.now())?;
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The file cannot be written.
    fn finish(self) -> Result<Totals, FileError> {
        self.sessions.finish()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let before = self.sessions.events();
        self.decoder.feed(bytes);
        while let Some(item) = self.decoder.next_item() {
            match item {
                Item::Banner(version) => self.sessions.banner(version)?,
                Item::Frame(frame) => self.sessions.frame(&frame)?,
                Item::Rejected(_) => {}
            }
        }
        self.progress.add(self.sessions.events() - before);
        Ok(())
    }

    fn flush_if_due(&mut self, flushed: &mut Moment, now: Moment) -> Result<(), FileError> {
        if now.since(*flushed) < FLUSH_INTERVAL {
            return Ok(());
        }
        *flushed = now;
        self.sessions.flush()
    }
}

/// How often what was written is flushed to the file: so much can be lost at worst.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
