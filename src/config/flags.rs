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
}

/// The layer of the flags that were given.
pub(super) fn layer(overrides: &Overrides) -> Layer {
    let mut web = Dict::new();
    let mut places = HashMap::new();

    if !overrides.listen_addresses.is_empty() {
        let flag = Place::Flag("--web.listen-address");

        // An array, unlike a map of indexes, replaces the whole list below.
        web.insert("listen_address".to_owned(), Value::from(overrides.listen_addresses.clone()));
        for index in 0..overrides.listen_addresses.len() {
            places.insert(format!("web.listen_address[{index}]"), flag.clone());
        }
        places.insert("web.listen_address".to_owned(), flag);
    }

    if let Some(path) = &overrides.telemetry_path {
        web.insert("telemetry_path".to_owned(), Value::from(path.clone()));
        places.insert("web.telemetry_path".to_owned(), Place::Flag("--web.telemetry-path"));
    }

    if let Some(path) = &overrides.web_config_file {
        let path = path.to_string_lossy().into_owned();
        web.insert("config_file".to_owned(), Value::from(path));
        places.insert("web.config_file".to_owned(), Place::Flag("--web.config.file"));
    }

    // Without a flag there is no `web` either: an empty one would turn `web: 5` of the file into a
    // map, and hide that mistake.
    let mut values = Dict::new();
    if !web.is_empty() {
        values.insert("web".to_owned(), Value::from(web));
    }
    Layer { values, places }
}
