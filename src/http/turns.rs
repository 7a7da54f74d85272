//! Work that is done once for all who ask for it at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

/// Work that is done once for all who ask for the same at once; nothing is kept of it.
pub(super) struct Turns<K: Eq + Hash, T>(Mutex<HashMap<K, Arc<Turn<T>>>>);

/// The runs for one thing, one after the other.
struct Turn<T> {
    /// How many requests wait; changed under the lock of all turns only.
    waiting: AtomicUsize,
    /// How many runs began.
    begun: AtomicU64,
    /// The latest run that ended, by its number, and what it gave.
    latest: AsyncMutex<Option<(u64, T)>>,
}

impl<K: Eq + Hash, T> Default for Turns<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Turns<K, T> {
    /// What `work` gives, or what another's gave that began after this was asked.
    pub(super) async fn run<E>(
        &self,
        key: K,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let place = self.place(key);

        // A run that has begun may have copied its numbers already, and lack what the client knows:
        // only one that begins from now on will do.
        let begun = place.turn.begun.load(Ordering::Acquire);
        let mut latest = place.turn.latest.lock().await;
        if let Some((run, made)) = &*latest
            && *run > begun
        {
            return Ok(made.clone());
        }

        let run = place.turn.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let made = work.await?;
        *latest = Some((run, made.clone()));
        Ok(made)
    }

    fn place(&self, key: K) -> Place<'_, K, T> {
        let mut turns = self.lock();
        let turn = Arc::clone(turns.entry(key.clone()).or_insert_with(|| {
            let (waiting, begun) = (AtomicUsize::new(0), AtomicU64::new(0));
            Arc::new(Turn { waiting, begun, latest: AsyncMutex::new(None) })
        }));
        turn.waiting.fetch_add(1, Ordering::Relaxed);
        Place { turns: self, key, turn }
    }
}

impl<K: Eq + Hash, T> Turns<K, T> {
    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Turn<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits.
struct Place<'a, K: Eq + Hash, T> {
    turns: &'a Turns<K, T>,
    key: K,
    turn: Arc<Turn<T>>,
}

/// The last request that waits removes what was made: a later one must not get old numbers.
impl<K: Eq + Hash, T> Drop for Place<'_, K, T> {
    fn drop(&mut self) {
        let mut turns = self.turns.lock();
        if self.turn.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            turns.remove(&self.key);
        }
    }
}
