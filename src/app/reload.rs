//! Reads the configuration again while everything runs, at SIGHUP or a request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::configuration::{Origin, logged};
use super::notify;
use crate::clock::Clock;
use crate::config::{Config, Loaded, Pbx, Reloaded};
use crate::http::ReloadRequest;
use crate::metrics::{ConfigReloads, Exporter};
use crate::pbx::PbxName;
use crate::supervisor::Changes;

/// What a reload reads and changes.
pub(super) struct Reload {
    /// Where the configuration is read, if it can be read again.
    pub(super) origin: Option<Origin>,
    /// The configuration that is in force.
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) exporter: Arc<Mutex<Exporter>>,
    pub(super) reloads: ConfigReloads,
    pub(super) changes: Changes,
}

impl Reload {
    /// Reloads until `stop`, one time after the other.
    pub(super) async fn when_asked(
        mut self,
        mut hangups: mpsc::Receiver<()>,
        mut requests: mpsc::Receiver<ReloadRequest>,
        mut stop: watch::Receiver<bool>,
    ) {
        let origin = self.origin.take().map(Arc::new);
        let answer = async {
            loop {
                let asked = tokio::select! {
                    Some(()) = hangups.recv() => None,
                    Some(request) = requests.recv() => Some(request),
                    else => return,
                };
                let outcome = match &origin {
                    Some(origin) => self.reload(origin).await,
                    None => {
                        warn!("SIGHUP ignored: the configuration was made for this process alone");
                        continue;
                    }
                };
                // A client may have gone meanwhile.
                if let Some(request) = asked {
                    request.send(outcome).ok();
                }
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = answer => {}
        }
    }

    /// Reads the configuration and puts it in force, or leaves everything as it is.  Gives a text for
    /// whoever has asked, or the reason.
    async fn reload(&mut self, origin: &Arc<Origin>) -> Result<String, String> {
        notify::reloading();
        let outcome = match read(origin).await {
            Ok(loaded) => Ok(self.put_in_force(logged(loaded)).await),
            Err(why) => {
                for reason in why.lines() {
                    error!(reason, "configuration not reloaded: the one before stays in force");
                }
                self.reloads.failed();
                Err(why)
            }
        };
        notify::reloaded();
        outcome
    }

    async fn put_in_force(&mut self, new: Config) -> String {
        let Reloaded { config, restart_needed } = self.config.reloaded(new);
        let before = std::mem::replace(&mut self.config, config);
        let Differences { added, altered, removed } = Differences::between(&before, &self.config);
        let counts = [added.len(), altered.len(), removed.len()];

        // The manager account of one that was only renamed may not allow two logins.
        for name in removed {
            self.changes.remove(name).await;
        }
        // New ones count by the new settings, too.
        let settings = self.config.metrics.clone();
        self.exporter.lock().unwrap_or_else(PoisonError::into_inner).change(settings);
        for pbx in altered {
            self.changes.alter(pbx).await;
        }
        for pbx in added {
            self.changes.add(pbx).await;
        }

        self.reloads.succeeded(self.clock.now());
        let [added, altered, removed] = counts;
        info!(added, altered, removed, "configuration reloaded");
        let mut text = String::from("configuration reloaded\n");
        for key in restart_needed {
            warn!(key, "restart needed: the value before stays in force");
            text.push_str(&format!("restart needed: {key}\n"));
        }
        text
    }
}

/// Reads on a thread of its own: looking up a name may block.
async fn read(origin: &Arc<Origin>) -> Result<Loaded, String> {
    let origin = Arc::clone(origin);
    let read = spawn_blocking(move || origin.load().map_err(|error| error.to_string()));
    match timeout(LIMIT, read).await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(_)) => Err("the configuration could not be read".to_owned()),
        Err(_) => Err(format!("the configuration was not read within {LIMIT:?}")),
    }
}

/// The PBXs that differ, by name.
struct Differences {
    added: Vec<Pbx>,
    altered: Vec<Pbx>,
    removed: Vec<PbxName>,
}

impl Differences {
    fn between(old: &Config, new: &Config) -> Self {
        let (mut added, mut altered) = (Vec::new(), Vec::new());
        let mut gone: HashSet<&PbxName> = old.pbxs.iter().map(|pbx| &pbx.name).collect();
        for pbx in &new.pbxs {
            gone.remove(&pbx.name);
            match old.pbxs.iter().find(|other| other.name == pbx.name) {
                None => added.push(pbx.clone()),
                Some(before) if before.differs(pbx) => altered.push(pbx.clone()),
                Some(_) => {}
            }
        }

        let removed = old.pbxs.iter().map(|pbx| &pbx.name).filter(|name| gone.contains(name));
        Self { added, altered, removed: removed.cloned().collect() }
    }
}

/// A disk of the network may hang.
const LIMIT: Duration = Duration::from_secs(60);
