//! The files that a PBX's configuration names, read again for each connection and each login.

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
    /// How long reading may take.
    limit: Duration,
}

impl Files {
    /// As they were when the configuration was read.
    pub(super) fn of(pbx: &Pbx) -> Self {
        let Pbx { tls, secret, connect_timeout, .. } = pbx;
        Self { tls: tls.clone(), secret: secret.clone(), limit: *connect_timeout }
    }

    /// The certificates as they are now.
    pub(super) async fn tls(&mut self, pbx: &PbxName, warnings: &mut Warnings) -> Option<&Client> {
        let client = self.tls.clone()?;
        match self.read(move || client.reload()).await {
            Some(Ok(client)) => {
                self.tls = Some(client);
                warnings.file_readable(TLS);
            }
            Some(Err(error)) => warnings.file_unreadable(pbx, TLS, &error),
            None => {}
        }
        self.tls.as_ref()
    }

    /// The secret as it is now.
    pub(super) async fn secret(&mut self, pbx: &PbxName, warnings: &mut Warnings) -> &Secret {
        let secret = self.secret.clone();
        match self.read(move || secret.again()).await {
            Some(Ok(secret)) => {
                self.secret = secret;
                warnings.file_readable(SECRET);
            }
            Some(Err(error)) => warnings.file_unreadable(pbx, SECRET, &error),
            None => {}
        }
        &self.secret
    }

    /// Reads on a thread of its own; `None` if that takes too long: a disk of the network may hang,
    /// which is no reason not to connect.
    async fn read<T: Send + 'static>(
        &self,
        files: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let read = async {
            // When a thousand PBXs come back at once, events are still read in between.
            let _turn = TURN.acquire().await;
            spawn_blocking(files).await
        };
        timeout(self.limit, read).await.ok()?.ok()
    }
}

/// One reads at a time.
static TURN: Semaphore = Semaphore::const_new(1);

/// The keys of the configuration.
const TLS: &str = "tls";
const SECRET: &str = "secret_file";
