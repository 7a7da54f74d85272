//! The memory of pages that were made and are not sent yet.
//!
//! All who ask for a page at once share one, so there are few, whatever the number of clients.  Only who
//! asks again and again and does not read could fill the memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::connections::Connections;

/// Counts the bytes of pages.
#[derive(Debug, Default)]
pub(super) struct PageMemory {
    held: AtomicUsize,
    largest: AtomicUsize,
    freed: Notify,
}

/// A page in memory.
struct Page {
    bytes: Vec<u8>,
    size: usize,
    memory: Arc<PageMemory>,
}

impl PageMemory {
    /// The page, which counts until the last part of it is sent or dropped.
    pub(super) fn hold(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        let size = bytes.capacity();
        self.held.fetch_add(size, Ordering::AcqRel);
        self.largest.fetch_max(size, Ordering::AcqRel);
        Bytes::from_owner(Page { bytes, size, memory: Arc::clone(self) })
    }

    /// Ends connections that do not read, until there is room for one more page.
    pub(super) async fn make_room(&self, connections: &Connections) {
        while self.is_full() {
            let freed = self.freed.notified();
            if !connections.displace_slowest() {
                return;
            }
            // The connection's task drops the page as soon as it runs.
            let _ = timeout(PATIENCE, freed).await;
        }
    }

    /// Three pages are allowed in any case: honest clients may be reading two of them.
    fn is_full(&self) -> bool {
        let largest = self.largest.load(Ordering::Acquire);
        self.held.load(Ordering::Acquire) + largest > MOST.max(largest.saturating_mul(3))
    }
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.size, Ordering::AcqRel);
        self.memory.freed.notify_waiters();
    }
}

/// More than a hundred pages of a usual PBX.
const MOST: usize = 64 << 20;
/// Another connection is ended after that, whether this one has freed its page or shares it.
const PATIENCE: Duration = Duration::from_millis(100);
