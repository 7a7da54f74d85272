//! Scrapes: pages are written and compressed off the event thread, a bounded number of requests at
//! a time, and once for all who ask for the same page at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connections::Connections;
use super::page_memory::PageMemory;
use super::turns::Turns;
use crate::metrics::{Exposition, Part};

/// The numbers of one moment.
pub trait Numbers: Send + Sync {
    /// Writes a part of them in one format.
    fn write(&self, exposition: Exposition, part: &Part) -> Vec<u8>;
}

/// Takes the numbers of now.
pub type TakeNumbers = dyn Fn() -> Arc<dyn Numbers> + Send + Sync;

/// Answers scrapes.
pub struct Scraper {
    take: Arc<TakeNumbers>,
    permits: Arc<Semaphore>,
    writers: Writers,
    numbers: Turns<(), Arc<dyn Numbers>>,
    pages: Turns<Wanted, Bytes>,
    memory: Arc<PageMemory>,
}

/// One scrape, of the client's and of all.
type Permit = Arc<(OwnedSemaphorePermit, OwnedSemaphorePermit)>;

/// Which page a client asks for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Wanted {
    pub(super) exposition: Exposition,
    pub(super) part: Part,
    pub(super) gzip: bool,
}

/// Why there are no metrics to send.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    #[error("too many scrapes at once")]
    Busy,
    #[error("there is no thread to write pages on")]
    NoThread,
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
    pub fn new(limit: usize, take: impl Fn() -> Arc<dyn Numbers> + Send + Sync + 'static) -> Self {
        let permits =
            if limit == 0 { Semaphore::MAX_PERMITS } else { limit.min(Semaphore::MAX_PERMITS) };
        Self {
            take: Arc::new(take),
            permits: Arc::new(Semaphore::new(permits)),
            writers: Writers::new(WRITERS, "scrape"),
            numbers: Turns::default(),
            pages: Turns::default(),
            memory: Arc::default(),
        }
    }

    /// The page, if the limit allows one more scrape; further ones of the same client wait for `mine`.
    ///
    /// The permits are given back when the page is ready, not when it is sent: a client that reads
    /// slowly keeps nobody else from scraping.  A client that goes away does not give them back early,
    /// since the work goes on: copying the numbers as well as writing the page.
    ///
    /// Pages that are not read take memory.  Where it is too much, the connections end that have been
    /// sending for longest.
    pub(super) async fn page(
        &self,
        wanted: Wanted,
        mine: &Arc<Semaphore>,
        connections: &Connections,
    ) -> Result<Bytes, ScrapeError> {
        // Nobody closes a semaphore.
        let mine = Arc::clone(mine).acquire_owned().await.map_err(|_| ScrapeError::Busy)?;
        let permits = Arc::clone(&self.permits);
        let permit = permits.try_acquire_owned().map_err(|_| ScrapeError::Busy)?;
        let permit = Arc::new((mine, permit));

        self.pages
            .run(wanted.clone(), async {
                self.memory.make_room(connections).await;
                let numbers = self.numbers(Arc::clone(&permit)).await?;
                let work = move || {
                    let _permit = permit;
                    let page = numbers.write(wanted.exposition, &wanted.part);
                    if wanted.gzip { compress(&page) } else { Ok(page) }
                };
                let page = self.writers.run(work).await?.map_err(ScrapeError::Gzip)?;
                Ok(self.memory.hold(page))
            })
            .await
    }

    /// The numbers of now.  Different pages that are asked for at once have them from one copy: events
    /// wait while numbers are copied, so nobody may copy them forty times in a row.
    async fn numbers(&self, permit: Permit) -> Result<Arc<dyn Numbers>, ScrapeError> {
        let take = Arc::clone(&self.take);
        let work = move || {
            let _permit = permit;
            take()
        };
        self.numbers.run((), self.writers.run(work)).await
    }
}

/// The threads that pages are written on.
///
/// They are few and their own: the allocator keeps freed memory by thread, so that pages of tens of
/// megabytes, written on whichever of many threads is idle, would be kept many times.
pub(super) struct Writers(Option<Runtime>);

impl Writers {
    /// At most as many threads, called so.
    pub(super) fn new(threads: usize, name: &str) -> Self {
        let threads = Builder::new_current_thread()
            .max_blocking_threads(threads)
            .thread_name(name)
            .thread_keep_alive(Duration::from_secs(3600))
            .build();
        Self(threads.ok())
    }

    /// Does `work` on one of them.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ScrapeError> {
        let threads = self.0.as_ref().ok_or(ScrapeError::NoThread)?;
        threads.spawn_blocking(work).await.map_err(ScrapeError::Broken)
    }
}

/// A runtime must not be waited for where others run.
impl Drop for Writers {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// One writes a page while another compresses the one before it.
const WRITERS: usize = 2;

/// Level 1: a third of level 6's time, and metrics shrink about tenfold at either.
fn compress(page: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    encoder.write_all(page)?;
    encoder.finish()
}

#[cfg(test)]
impl<F: Fn(Exposition, &Part) -> Vec<u8> + Send + Sync> Numbers for F {
    fn write(&self, exposition: Exposition, part: &Part) -> Vec<u8> {
        self(exposition, part)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, mpsc};

    use tokio::sync::mpsc as signals;
    use tokio::task::JoinSet;

    use super::*;
    use crate::metrics::Format;
    use crate::pbx::PbxName;

    fn text() -> Wanted {
        Wanted { exposition: Exposition::Text(Format::Text), part: Part::All, gzip: false }
    }

    fn of(name: &str) -> Wanted {
        Wanted { part: Part::Pbx(PbxName::new(name)), ..text() }
    }

    /// A scraper whose pages are the number of the copy that they are of; a signal when a copy begins,
    /// and the gate that it waits for.
    fn numbered(limit: usize) -> (Arc<Scraper>, signals::UnboundedReceiver<()>, mpsc::Sender<()>) {
        let (entered, entries) = signals::unbounded_channel();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let runs = AtomicU64::new(0);
        let scraper = Scraper::new(limit, move || {
            entered.send(()).unwrap();
            // A gate that is gone is open.
            let _ = gate.lock().unwrap().recv();
            let run = runs.fetch_add(1, Ordering::Relaxed) as u8;
            Arc::new(move |_: Exposition, _: &Part| vec![run])
        });
        (Arc::new(scraper), entries, open)
    }

    /// What a client of its own gets.
    async fn page(scraper: &Scraper, wanted: Wanted) -> Bytes {
        let mine = Arc::new(Semaphore::new(1));
        scraper.page(wanted, &mine, &Connections::default()).await.unwrap()
    }

    fn ask(scraper: &Arc<Scraper>, wanted: Wanted) -> impl Future<Output = Bytes> + use<> {
        let scraper = Arc::clone(scraper);
        async move { page(&scraper, wanted).await }
    }

    #[tokio::test]
    async fn who_asks_during_a_run_shares_the_next_one() {
        let (scraper, mut entries, open) = numbered(Scraper::DEFAULT_LIMIT);
        let mut first = JoinSet::new();
        first.spawn(ask(&scraper, text()));
        entries.recv().await.unwrap();
        let mut others = JoinSet::new();
        for _ in 0..5 {
            others.spawn(ask(&scraper, text()));
        }
        // All of them wait behind the first.
        tokio::task::yield_now().await;
        drop(open);

        assert_eq!(first.join_all().await, [&[0_u8][..]]);
        assert_eq!(others.join_all().await, [&[1_u8][..]; 5]);
        assert!(scraper.pages.is_empty(), "no page is kept");
        assert_eq!(page(&scraper, text()).await, [2_u8][..], "an old page is not used");
    }

    #[tokio::test]
    async fn different_pages_that_are_asked_for_at_once_are_of_one_copy() {
        let (scraper, mut entries, open) = numbered(Scraper::DEFAULT_LIMIT);
        let mut first = JoinSet::new();
        first.spawn(ask(&scraper, of("hq")));
        entries.recv().await.unwrap();
        let mut others = JoinSet::new();
        for pbx in ["north", "south", "west"] {
            others.spawn(ask(&scraper, of(pbx)));
        }
        // All of them wait for the numbers.
        tokio::task::yield_now().await;
        drop(open);

        assert_eq!(first.join_all().await, [&[0_u8][..]]);
        assert_eq!(others.join_all().await, [&[1_u8][..]; 3]);
        assert!(scraper.numbers.is_empty(), "no numbers are kept");
        assert_eq!(page(&scraper, of("hq")).await, [2_u8][..], "old numbers are not used");
    }

    #[tokio::test]
    async fn a_client_that_goes_away_leaves_its_permit_to_the_copy_that_goes_on() {
        let (scraper, mut entries, open) = numbered(1);
        let mut clients = JoinSet::new();
        clients.spawn(ask(&scraper, text()));
        entries.recv().await.unwrap();
        clients.shutdown().await;

        assert_eq!(scraper.permits.available_permits(), 0);
        drop(open);
        let _back = scraper.permits.acquire().await.unwrap();
    }

    #[tokio::test]
    async fn a_client_with_many_scrapes_waits_for_its_own() {
        let (scraper, mut entries, open) = numbered(Scraper::DEFAULT_LIMIT);
        let mine = Arc::new(Semaphore::new(2));
        let mut all = JoinSet::new();
        for name in ["a", "b", "c", "d", "e"] {
            let (scraper, mine) = (Arc::clone(&scraper), Arc::clone(&mine));
            let ask = async move {
                scraper.page(of(name), &mine, &Connections::default()).await.map(|_| ())
            };
            all.spawn(ask);
        }
        entries.recv().await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(scraper.permits.available_permits(), Scraper::DEFAULT_LIMIT - 2);

        drop(open);
        assert!(all.join_all().await.iter().all(Result::is_ok));
        assert_eq!(scraper.permits.available_permits(), Scraper::DEFAULT_LIMIT);
    }

    #[tokio::test]
    async fn different_pages_do_not_wait_for_each_other() {
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let scraper = Arc::new(Scraper::new(Scraper::DEFAULT_LIMIT, move || {
            let gate = Arc::clone(&gate);
            Arc::new(move |_: Exposition, part: &Part| match part {
                Part::Pbx(pbx) => pbx.as_str().into(),
                _ => gate.lock().unwrap().recv().map_or(Vec::new(), |()| b"all".to_vec()),
            })
        }));
        let mut all = JoinSet::new();
        let slow = Arc::clone(&scraper);
        all.spawn(async move { page(&slow, text()).await });
        tokio::task::yield_now().await;
        assert_eq!(page(&scraper, of("hq")).await, b"hq"[..]);
        open.send(()).unwrap();
        assert_eq!(all.join_all().await, [&b"all"[..]]);
    }
}
