//! The flags of the command line as a layer.

use std::collections::HashMap;
use std::path::PathBuf;

use figment::value::{Dict, Value};

use super::layer::Layer;
use super::mistake::Place;

/// The flags that override the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--web.listen-address`, as often as given.
    pub listen_addresses: Vec<String>,
    /// `--web.telemetry-path`.
    pub telemetry_path: Option<String>,
    /// `--web.config.file`.
    pub web_config_file: Option<PathBuf>,
    /// `--web.systemd-socket`.
    pub systemd_socket: bool,
    /// `--web.health-socket`.
    pub health_socket: Option<PathBuf>,
    /// `--web.enable-lifecycle`.
    pub enable_lifecycle: bool,
}

/// The layer of the flags that were given.
pub(super) fn layer(overrides: &Overrides) -> Layer {
    let mut web = Dict::new();
    let mut places = HashMap::new();
    let on = |switch: bool| switch.then(|| "true".to_owned());

    if !overrides.listen_addresses.is_empty() {
        let flag = Place::Flag("--web.listen-address");

        // An array, unlike a map of indexes, replaces the whole list below.
        web.insert("listen_address".to_owned(), Value::from(overrides.listen_addresses.clone()));
        for index in 0..overrides.listen_addresses.len() {
            places.insert(format!("web.listen_address[{index}]"), flag.clone());
        }
        places.insert("web.listen_address".to_owned(), flag);
    }

    let path = |path: &Option<PathBuf>| path.as_ref().map(|it| it.to_string_lossy().into_owned());
    for (key, flag, value) in [
        ("telemetry_path", "--web.telemetry-path", overrides.telemetry_path.clone()),
        ("config_file", "--web.config.file", path(&overrides.web_config_file)),
        ("health_socket", "--web.health-socket", path(&overrides.health_socket)),
        ("systemd_socket", "--web.systemd-socket", on(overrides.systemd_socket)),
        ("enable_lifecycle", "--web.enable-lifecycle", on(overrides.enable_lifecycle)),
    ] {
        let Some(value) = value else { continue };
        web.insert(key.to_owned(), Value::from(value));
        places.insert(format!("web.{key}"), Place::Flag(flag));
    }

    // Without a flag there is no `web` either: an empty one would turn `web: 5` of the file into a
    // map, and hide that mistake.
    let mut values = Dict::new();
    if !web.is_empty() {
        values.insert("web".to_owned(), Value::from(web));
    }
    Layer { values, places }
}
