//! How far a long piece of work has come: who does it counts, once for each buffer, and who shows
//! it listens.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// Is told how much more is done; by default nobody listens.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Listener>>);

type Listener = dyn Fn(u64) + Send + Sync;

impl Progress {
    /// Tells `listener`, which is called between two pieces of the work and must be quick.
    pub fn new(listener: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// So much more is done.
    pub fn add(&self, more: u64) {
        if let Some(listener) = &self.0 {
            listener(more);
        }
    }

    /// The same source, whose bytes are the work.
    pub const fn of<R>(self, source: R) -> Counted<R> {
        Counted { source, progress: self }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// A source whose bytes are counted.
#[derive(Debug)]
pub struct Counted<R> {
    source: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.progress.add(length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_byte_is_counted_once_whatever_the_buffers() {
        let done = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&done);
        let progress = Progress::new(move |more| {
            counter.fetch_add(more, Ordering::Relaxed);
        });
        let mut source = progress.of(&b"0123456789"[..]);
        source.read_exact(&mut [0; 3]).unwrap();
        assert_eq!(done.load(Ordering::Relaxed), 3);
        io::copy(&mut source, &mut io::sink()).unwrap();
        assert_eq!(done.load(Ordering::Relaxed), 10);
    }
}
