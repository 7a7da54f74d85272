//! The runtime of the commands that do I/O.

use std::time::Duration;

use super::Failure;

/// Runs to the end, and does not wait for a look-up of a name that hangs.
pub(super) fn on_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    // Four workers even on one core: a scrape may hold the lock while readers must go on.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(BLOCKING_WORK);
    done
}

/// How long blocking work (a look-up, a last scrape) may go on after everything has stopped.
const BLOCKING_WORK: Duration = Duration::from_secs(1);
