//! The threads of our own pages.
//!
//! They are not those that read the PBXs: a thread of tokio's looks for what was received between two
//! tasks, so that clients who keep all threads busy would keep the events of the PBXs waiting.

use std::io;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime of its own, which ends when it is dropped, without waiting.
pub(super) struct HttpThreads {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl HttpThreads {
    /// Starts the threads.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING)
            .thread_name("http")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle })
    }

    /// Where tasks of the pages are spawned.
    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The same listener, whose connections are looked for by these threads.
    pub(super) fn adopt(&self, listener: TcpListener) -> io::Result<TcpListener> {
        let listener = listener.into_std()?;
        let _these = self.handle.enter();
        TcpListener::from_std(listener)
    }
}

/// A runtime must not be waited for where others run.
impl Drop for HttpThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One answers while another is kept busy.
const WORKERS: usize = 2;
/// Looking at files, and checking a password.
const BLOCKING: usize = 4;
