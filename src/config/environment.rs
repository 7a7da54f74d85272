//! The environment as a layer: `ASTERISK_EXPORTER_PBX__0__SECRET` is `pbx[0].secret`.

use std::ffi::OsString;

use figment::value::{Dict, Value};

use super::layer::{Layer, join};
use super::mistake::{Mistake, Place, Report};

/// What the variables begin with.
pub const PREFIX: &str = "ASTERISK_EXPORTER_";

/// The layer of all variables that begin with [`PREFIX`].  A number is an index; all else is
/// lower-cased, so a queue with capitals can only be named in a whole map:
/// `ASTERISK_EXPORTER_SERVICE_LEVEL__QUEUES={Sales: 20s}`.
pub(super) fn layer(variables: &[(OsString, OsString)], report: &Report) -> Layer {
    let mut ours: Vec<_> =
        variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value))).collect();
    // A whole value before its parts, whatever order the system lists them in.
    ours.sort_unstable();

    let mut layer = Layer::default();
    for (name, value) in ours {
        let Some(key) = name.strip_prefix(PREFIX).filter(|key| !is_service_link(key)) else {
            continue;
        };
        let place = Place::Variable(name.to_owned());

        let Some(value) = value.to_str() else {
            report.mistake(Mistake { place, key: String::new(), message: "not UTF-8".to_owned() });
            continue;
        };

        let segments: Vec<String> = key.split("__").map(str::to_ascii_lowercase).collect();
        layer.places.insert(path(&segments), place);
        insert(&mut layer.values, &segments, value);
    }
    layer
}

/// Kubernetes gives every pod variables about each service: one called `asterisk-exporter` sets
/// `ASTERISK_EXPORTER_SERVICE_HOST` and `ASTERISK_EXPORTER_PORT_15038_TCP_ADDR`, which are no
/// mistakes of the user.
fn is_service_link(key: &str) -> bool {
    ["SERVICE_HOST", "SERVICE_PORT", "PORT"].contains(&key)
        || key.starts_with("SERVICE_PORT_")
        || key.starts_with("PORT_")
}

fn path(segments: &[String]) -> String {
    segments.iter().fold(String::new(), |path, segment| match segment.parse::<usize>() {
        Ok(index) if path != NAMED_FREELY => format!("{path}[{index}]"),
        _ => join(&path, segment),
    })
}

fn insert(values: &mut Dict, segments: &[String], value: &str) {
    let Some((first, rest)) = segments.split_first() else { return };
    if rest.is_empty() {
        values.insert(first.clone(), Value::from(value));
        return;
    }
    let mut inner = values.remove(first).and_then(Value::into_dict).unwrap_or_default();
    insert(&mut inner, rest, value);
    values.insert(first.clone(), Value::from(inner));
}

/// The one map whose keys the user chooses: queues are often called by their number.
const NAMED_FREELY: &str = "service_level.queues";
