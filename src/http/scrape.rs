//! One scrape: the page is written and compressed off the event thread, a bounded number at a time.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::metrics::Exposition;

/// Writes all metrics in one format.
pub type Scrape = dyn Fn(Exposition) -> Vec<u8> + Send + Sync;

/// How many scrapes may run at once; the clones of one limit share it.
#[derive(Clone, Debug)]
pub struct ScrapeLimit(Arc<Semaphore>);

impl ScrapeLimit {
    /// At most `scrapes` at once; 0 is no limit, as with other exporters' `--web.max-requests`.
    pub fn new(scrapes: usize) -> Self {
        let permits =
            if scrapes == 0 { Semaphore::MAX_PERMITS } else { scrapes.min(Semaphore::MAX_PERMITS) };
        Self(Arc::new(Semaphore::new(permits)))
    }
}

impl Default for ScrapeLimit {
    /// The 40 of other exporters.
    fn default() -> Self {
        Self::new(40)
    }
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

/// Runs one scrape, if the limit allows one more.
///
/// The permit is given back when the page is ready, not when it is sent: a client that reads slowly
/// keeps nobody else from scraping.  A client that goes away does not give it back early, since the
/// work goes on.
pub(super) async fn run(
    scrape: Arc<Scrape>,
    limit: &ScrapeLimit,
    exposition: Exposition,
    gzip: bool,
) -> Result<Vec<u8>, ScrapeError> {
    let permit = Arc::clone(&limit.0).try_acquire_owned().map_err(|_| ScrapeError::Busy)?;
    let work = move || {
        let _permit = permit;
        let page = scrape(exposition);
        if gzip { compress(&page) } else { Ok(page) }
    };
    spawn_blocking(work).await.map_err(ScrapeError::Broken)?.map_err(ScrapeError::Gzip)
}

/// Level 1: a third of level 6's time, and metrics shrink about tenfold at either.
fn compress(page: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    encoder.write_all(page)?;
    encoder.finish()
}
