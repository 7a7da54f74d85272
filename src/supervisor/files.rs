//! The files that a PBX's configuration names, read again for each connection and each login.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::warnings::Warnings;
use crate::config::{Pbx, Secret};
use crate::pbx::PbxName;
use crate::tls::Client;

/// What the files of a PBX held when they could be read last: more likely right than nothing.
#[derive(Debug)]
pub(super) struct Files {
    tls: Option<Client>,
    secret: Secret,
    tls_reading: Reading,
    secret_reading: Reading,
    log_reading: Reading,
}

impl Files {
    /// As they were when the configuration was read.
    pub(super) fn of(pbx: &Pbx) -> Self {
        let Pbx { tls, secret, connect_timeout, .. } = pbx;
        let reading = || Reading::new(*connect_timeout);
        Self {
            tls: tls.clone(),
            secret: secret.clone(),
            tls_reading: reading(),
            secret_reading: reading(),
            log_reading: reading(),
        }
    }

    /// The certificates as they are now.
    pub(super) async fn tls(&mut self, pbx: &PbxName, warnings: &mut Warnings) -> Option<&Client> {
        let client = self.tls.clone()?;
        let files = client.settings().files().join(", ");
        match self.tls_reading.read(move || client.reload()).await {
            Read::Done(Ok(client)) => {
                self.tls = Some(client);
                warnings.file_readable(TLS);
            }
            Read::Done(Err(error)) => warnings.file_unreadable(pbx, TLS, &error),
            Read::Hangs => warnings.file_hangs(pbx, TLS, &files),
            Read::NotNow => {}
        }
        self.tls.as_ref()
    }

    /// What reads the PBX's log.
    pub(super) const fn log_reading(&self) -> &Reading {
        &self.log_reading
    }

    /// The secret as it is now.
    pub(super) async fn secret(&mut self, pbx: &PbxName, warnings: &mut Warnings) -> &Secret {
        // Most secrets are in the configuration: nothing is read.
        let Some(file) = self.secret.file().map(|file| file.display().to_string()) else {
            return &self.secret;
        };
        let secret = self.secret.clone();
        match self.secret_reading.read(move || secret.again()).await {
            Read::Done(Ok(secret)) => {
                self.secret = secret;
                warnings.file_readable(SECRET);
            }
            Read::Done(Err(error)) => warnings.file_unreadable(pbx, SECRET, &error),
            Read::Hangs => warnings.file_hangs(pbx, SECRET, &file),
            Read::NotNow => {}
        }
        &self.secret
    }
}

/// Reads files on a thread of its own: a disk of the network may hang, which is no reason not to
/// connect.
///
/// A thread that hangs cannot be ended, so no second one joins it.
#[derive(Debug)]
pub(super) struct Reading {
    /// Taken for as long as a thread reads, whether or not anybody still waits for it.
    own: Arc<Semaphore>,
    /// How long it may take.
    limit: Duration,
}

/// What came of reading.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Read<T> {
    Done(T),
    /// It takes too long, now or since an earlier attempt.
    Hangs,
    /// Too many others read.
    NotNow,
}

impl Reading {
    fn new(limit: Duration) -> Self {
        Self { own: Arc::new(Semaphore::new(1)), limit }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        files: impl FnOnce() -> T + Send + 'static,
    ) -> Read<T> {
        let Ok(own) = Arc::clone(&self.own).try_acquire_owned() else { return Read::Hangs };
        let Ok(thread) = THREADS.try_acquire() else { return Read::NotNow };
        // When a thousand PBXs come back at once, events are still read in between.
        let Ok(turn) = timeout(self.limit, TURN.acquire()).await else { return Read::NotNow };

        let mut reading = spawn_blocking(move || {
            let _until_read = (own, thread);
            files()
        });
        let soon = SOON.min(self.limit);
        let read = match timeout(soon, &mut reading).await {
            Ok(read) => read,
            // The files of others may be on other disks.
            Err(_) => {
                drop(turn);
                match timeout(self.limit.saturating_sub(soon), reading).await {
                    Ok(read) => read,
                    Err(_) => return Read::Hangs,
                }
            }
        };
        // What panics is read another time.
        read.map_or(Read::NotNow, Read::Done)
    }
}

/// One reads at a time, unless it takes long.
static TURN: Semaphore = Semaphore::const_new(1);

/// Longer than reading takes.
const SOON: Duration = Duration::from_millis(200);

/// Threads that may hang: tokio has 512, which looking up names needs as well.
static THREADS: Semaphore = Semaphore::const_new(128);

/// The keys of the configuration.
const TLS: &str = "tls";
const SECRET: &str = "secret_file";

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_that_hangs_keeps_one_thread_and_others_are_read() {
        let (hanging, other) = (Reading::new(Duration::from_secs(5)), Reading::new(SOON));
        let begun = Arc::new(AtomicUsize::new(0));
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let hang = || {
            let (begun, wait) = (Arc::clone(&begun), Arc::clone(&wait));
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                wait.lock().unwrap().recv().ok();
            }
        };

        for _ in 0..3 {
            // Blocking work keeps a paused clock from moving by itself.  After each step of the clock the
            // reading comes first, or its next timer would begin behind the last step.
            let (read, ()) = tokio::join!(biased; hanging.read(hang()), pass(&begun));
            assert_eq!(read, Read::Hangs);
            assert_eq!(other.read(|| 7).await, Read::Done(7));
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);

        drop(go_on);
        while hanging.own.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hanging.read(|| 8).await, Read::Done(8));
    }

    async fn pass(begun: &AtomicUsize) {
        while begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(SOON).await;
        tokio::time::advance(Duration::from_secs(5)).await;
    }
}
