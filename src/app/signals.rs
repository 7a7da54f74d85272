//! The program at a signal.

use std::io;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::warn;

/// Turns true at SIGTERM or SIGINT; the second one ends the process at once.  SIGHUP ends nothing:
/// it asks daemons to read their configuration again, which this one cannot yet.
pub(super) fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut signals = Signals::listen()?;

    // A thread, no task: it still waits, for the second signal, while all tasks end.
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let Ok(waiting) = runtime::Builder::new_current_thread().build() else { return };

        waiting.block_on(signals.asked_to_stop());
        // The receivers are gone if everything has ended by itself.
        let _ = sender.send(true);

        waiting.block_on(signals.asked_to_stop());
        std::process::exit(1);
    })?;

    Ok(receiver)
}

/// The signals that are not left to the system.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one that means the end.
    async fn asked_to_stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    warn!("SIGHUP ignored: a changed configuration needs a restart; SIGTERM stops the program");
                }
            }
        }
    }
}
