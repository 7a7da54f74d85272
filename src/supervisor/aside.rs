//! Work that keeps its thread, beside a runtime that goes on.
//!
//! The worker that found something to read is the one that waits for the next socket, and no other
//! takes its place while it works on a task.  So whatever keeps a worker keeps all readers, however
//! many workers there are, unless the worker is given up first.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Does work that may take milliseconds; other tasks of this worker go on meanwhile.
///
/// It costs the waking of a thread, which short work is not worth.
pub(super) fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(work),
        // A runtime of one thread, as tests have, has no other worker.
        _ => work(),
    }
}
