//! The values of one source, each with its place.

use std::collections::HashMap;

use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};

use super::mistake::Place;

/// One source's values, lists as maps of their indexes, each with its place.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) values: Dict,
    pub(super) places: HashMap<String, Place>,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named("layer")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// The path of `key` inside `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
