//! The program at a signal.

use std::io;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tracing::warn;

/// What signals ask for.
pub(super) struct Asked {
    /// Turns true at SIGTERM or SIGINT.
    pub(super) stop: watch::Receiver<bool>,
    /// SIGHUP: the configuration is to be read again.  One that comes while another waits is the same.
    pub(super) hangups: mpsc::Receiver<()>,
}

/// Listens for all signals; the second one that means the end ends the process at once.
pub(super) fn signals() -> io::Result<Asked> {
    let (sender, hangups) = mpsc::channel(1);
    Ok(Asked { stop: listen(Some(sender))?, hangups })
}

/// Turns true at SIGTERM or SIGINT; the second one ends the process at once.  SIGHUP ends nothing: it
/// asks for a reload, which most commands have no use for.
pub(super) fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    listen(None)
}

fn listen(hangups: Option<mpsc::Sender<()>>) -> io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut signals = Signals::listen(hangups)?;

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
    /// Who reads the configuration again.
    hangups: Option<mpsc::Sender<()>>,
}

impl Signals {
    fn listen(hangups: Option<mpsc::Sender<()>>) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            hangups,
        })
    }

    /// Waits for the next one that means the end.
    async fn asked_to_stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => match &self.hangups {
                    // The reload that waits will read what is there then.
                    Some(hangups) => drop(hangups.try_send(())),
                    None => warn!("SIGHUP ignored: there is nothing to read again"),
                },
            }
        }
    }
}
