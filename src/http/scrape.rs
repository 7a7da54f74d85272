//! Scrapes: pages are written and compressed off the event thread, a bounded number of requests at
//! a time, and once for all who ask for the same page at once.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::task::spawn_blocking;

use crate::metrics::Exposition;
use crate::pbx::PbxName;

/// Writes the metrics of one PBX, or of all, in one format.
pub type WritePage = dyn Fn(Exposition, Option<&PbxName>) -> Vec<u8> + Send + Sync;

/// Answers scrapes.
pub struct Scraper {
    write: Arc<WritePage>,
    permits: Arc<Semaphore>,
    /// The pages that requests wait for.
    turns: Mutex<HashMap<Wanted, Arc<Turn>>>,
}

/// Which page a client asks for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Wanted {
    pub(super) exposition: Exposition,
    /// `None` for all.
    pub(super) pbx: Option<PbxName>,
    pub(super) gzip: bool,
}

/// The runs for one page, one after the other.
#[derive(Default)]
struct Turn {
    /// How many requests wait; changed under the lock of all turns only.
    waiting: AtomicUsize,
    /// How many runs began.
    begun: AtomicU64,
    /// The latest run that ended, by its number, and its page.
    latest: AsyncMutex<Option<(u64, Bytes)>>,
}

/// Why there are no metrics to send.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    #[error("too many scrapes at once")]
    Busy,
    #[error("the scrape broke off")]
    Broken(#[source] tokio::task::JoinError),
    #[error("the scrape could not be compressed")]
    Gzip(#[source] io::Error),
}

impl Scraper {
    /// The 40 of other exporters.
    pub const DEFAULT_LIMIT: usize = 40;

    /// At most `limit` scrapes at once; 0 is no limit, as with other exporters'
    /// `--web.max-requests`.
    pub fn new(
        limit: usize,
        write: impl Fn(Exposition, Option<&PbxName>) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let permits =
            if limit == 0 { Semaphore::MAX_PERMITS } else { limit.min(Semaphore::MAX_PERMITS) };
        Self {
            write: Arc::new(write),
            permits: Arc::new(Semaphore::new(permits)),
            turns: Mutex::default(),
        }
    }

    /// The page, if the limit allows one more scrape.
    ///
    /// The permit is given back when the page is ready, not when it is sent: a client that reads
    /// slowly keeps nobody else from scraping.  A client that goes away does not give it back early,
    /// since the work goes on.
    pub(super) async fn page(&self, wanted: Wanted) -> Result<Bytes, ScrapeError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.try_acquire_owned().map_err(|_| ScrapeError::Busy)?;
        let place = self.place(wanted);

        // A run that has begun may have copied its numbers already, and lack what the client knows:
        // only one that begins from now on will do.
        let begun = place.turn.begun.load(Ordering::Acquire);
        let mut latest = place.turn.latest.lock().await;
        if let Some((run, page)) = &*latest
            && *run > begun
        {
            return Ok(page.clone());
        }

        let run = place.turn.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let write = Arc::clone(&self.write);
        let wanted = place.wanted.clone();
        let work = move || {
            let _permit = permit;
            let page = write(wanted.exposition, wanted.pbx.as_ref());
            if wanted.gzip { compress(&page) } else { Ok(page) }
        };
        let page = spawn_blocking(work).await.map_err(ScrapeError::Broken)?;
        let page = Bytes::from(page.map_err(ScrapeError::Gzip)?);
        *latest = Some((run, page.clone()));
        Ok(page)
    }

    fn place(&self, wanted: Wanted) -> Place<'_> {
        let turn = {
            let mut turns = self.turns();
            let turn = turns.entry(wanted.clone()).or_default();
            turn.waiting.fetch_add(1, Ordering::Relaxed);
            Arc::clone(turn)
        };
        Place { scraper: self, wanted, turn }
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<Wanted, Arc<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for its page.
struct Place<'a> {
    scraper: &'a Scraper,
    wanted: Wanted,
    turn: Arc<Turn>,
}

/// The last request that waits removes the page: a later one must not get old numbers.
impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut turns = self.scraper.turns();
        if self.turn.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            turns.remove(&self.wanted);
        }
    }
}

/// Level 1: a third of level 6's time, and metrics shrink about tenfold at either.
fn compress(page: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    encoder.write_all(page)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::mpsc as signals;
    use tokio::task::JoinSet;

    use super::*;
    use crate::metrics::Format;

    fn text() -> Wanted {
        Wanted { exposition: Exposition::Text(Format::Text), pbx: None, gzip: false }
    }

    #[tokio::test]
    async fn who_asks_during_a_run_shares_the_next_one() {
        let (entered, mut entries) = signals::unbounded_channel();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let runs = AtomicU64::new(0);
        let scraper = Arc::new(Scraper::new(Scraper::DEFAULT_LIMIT, move |_, _| {
            entered.send(()).unwrap();
            // A gate that is gone is open.
            let _ = gate.lock().unwrap().recv();
            vec![runs.fetch_add(1, Ordering::Relaxed) as u8]
        }));
        let ask = || {
            let scraper = Arc::clone(&scraper);
            async move { scraper.page(text()).await.unwrap() }
        };

        let mut first = JoinSet::new();
        first.spawn(ask());
        entries.recv().await.unwrap();
        let mut others = JoinSet::new();
        for _ in 0..5 {
            others.spawn(ask());
        }
        // All of them wait behind the first.
        tokio::task::yield_now().await;
        drop(open);

        assert_eq!(first.join_all().await, [&[0_u8][..]]);
        assert_eq!(others.join_all().await, [&[1_u8][..]; 5]);
        assert!(scraper.turns().is_empty(), "no page is kept");
        assert_eq!(scraper.page(text()).await.unwrap(), [2_u8][..], "an old page is not used");
    }

    #[tokio::test]
    async fn different_pages_do_not_wait_for_each_other() {
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let scraper = Arc::new(Scraper::new(Scraper::DEFAULT_LIMIT, move |_, pbx| match pbx {
            Some(pbx) => pbx.as_str().into(),
            None => gate.lock().unwrap().recv().map_or(Vec::new(), |()| b"all".to_vec()),
        }));
        let mut all = JoinSet::new();
        let slow = Arc::clone(&scraper);
        all.spawn(async move { slow.page(text()).await.unwrap() });
        tokio::task::yield_now().await;
        let one = Wanted { pbx: Some(PbxName::new("hq")), ..text() };
        assert_eq!(scraper.page(one).await.unwrap(), b"hq"[..]);
        open.send(()).unwrap();
        assert_eq!(all.join_all().await, [&b"all"[..]]);
    }
}
