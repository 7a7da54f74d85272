//! How commands come to their configuration, and where its warnings go.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::Failure;
use crate::cli::WebArgs;
use crate::config::{Config, Document, Loaded, Mistake, Overrides, Purpose, Sources};
use crate::error::with_causes;

/// Reads file, environment and flags.
pub(super) fn load(
    config: Option<PathBuf>,
    overrides: Overrides,
    purpose: Purpose,
) -> Result<Loaded, Failure> {
    let document = config.map_or(Document::None, Document::File);
    load_from(document, overrides, std::env::vars_os().collect(), purpose)
}

/// Reads sources that the caller names.
pub(super) fn load_from(
    document: Document,
    overrides: Overrides,
    environment: Vec<(OsString, OsString)>,
    purpose: Purpose,
) -> Result<Loaded, Failure> {
    let sources = Sources { document, environment, overrides };
    Config::load(&sources, purpose).map_err(|error| with_causes(&error).into())
}

/// The configuration a capture is played with.  None is needed, and secrets are not looked at.
pub(super) fn for_replay(path: Option<&Path>) -> Result<Config, Failure> {
    // A file that was named and is not there is a typing error: the defaults would hide it.
    if let Some(path) = path.filter(|path| !path.exists()) {
        return Err(format!("{}: no such file", path.display()).into());
    }

    // Without a file the environment is that of some other exporter on this machine.
    let document = path.map_or(Document::None, |path| Document::File(path.into()));
    let environment = if path.is_some() { std::env::vars_os().collect() } else { Vec::new() };
    load_from(document, Overrides::default(), environment, Purpose::Replay).map(printed)
}

/// The flags that override the configuration.
pub(super) fn overrides(web: &WebArgs) -> Overrides {
    Overrides {
        listen_addresses: web.listen_address.clone(),
        telemetry_path: web.telemetry_path.clone(),
        web_config_file: web.config_file.clone(),
        systemd_socket: web.systemd_socket,
        health_socket: web.health_socket.clone(),
        enable_lifecycle: web.enable_lifecycle,
    }
}

/// Where the configuration of `run` comes from, each time that it is read.
pub(super) struct Origin {
    pub(super) config: Option<PathBuf>,
    pub(super) overrides: Overrides,
}

impl Origin {
    /// Reads file, environment and flags as they are now.  Blocks.
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        load(self.config.clone(), self.overrides.clone(), Purpose::Run)
    }
}

/// Logs the warnings, for commands that log.
pub(super) fn logged(Loaded { config, warnings }: Loaded) -> Config {
    for warning in warnings {
        warn!("{warning}");
    }
    config
}

/// Prints the warnings, for commands that do not log.
pub(super) fn printed(Loaded { config, warnings }: Loaded) -> Config {
    print_warnings(warnings);
    config
}

/// Prints warnings, each with its place.
pub(super) fn print_warnings(warnings: Vec<Mistake>) {
    for Mistake { place, key, message } in warnings {
        let key = if key.is_empty() { key } else { format!("{key}: ") };
        eprintln!("{place}: {key}warning: {message}");
    }
}
