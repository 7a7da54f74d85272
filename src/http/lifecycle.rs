//! Requests for a reload of the configuration.  Who reads it is somewhere else.

use tokio::sync::{mpsc, oneshot};

/// Asks for reloads.
#[derive(Clone, Debug)]
pub struct Lifecycle(mpsc::Sender<ReloadRequest>);

/// Where the outcome of a reload goes: a text for the answer, or why nothing has changed.
pub type ReloadRequest = oneshot::Sender<Result<String, String>>;

impl Lifecycle {
    /// Both ends.  A request that finds no room waits: connections are limited, so these are.
    pub fn channel() -> (Self, mpsc::Receiver<ReloadRequest>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Comes back when the reload is done.  Reloads that are asked for at once come one after the
    /// other.
    pub(super) async fn reload(&self) -> Result<String, String> {
        let stopping = || "the exporter is stopping".to_owned();
        let (asked, outcome) = oneshot::channel();
        self.0.send(asked).await.map_err(|_| stopping())?;
        outcome.await.map_err(|_| stopping())?
    }
}
