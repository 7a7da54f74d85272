//! Writes the schema.
//!
//! Draft 7, which the language server of editors knows best.  No key is required: any may be in a
//! variable of the environment instead.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use regex::Regex;
use serde_json::{Value as Json, json};

use super::super::reference::{self, OF_PBX};
use super::super::tests::repository;
use super::super::{Config, KEYS, link, settings, web};

/// The schema, as it is committed.
pub(super) fn schema(defaults: &Config) -> String {
    let meanings = meanings("docs/configuration.md", "## Reference");
    let defaults = default_values(defaults);
    let mut root = section();
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("Configuration of asterisk_exporter");
    root["type"] = json!("object");

    for (key, change) in KEYS {
        let mut value = kind(key);
        let meaning = &meanings[*key];
        value["description"] = json!(format!("{meaning}\n\nAfter a reload: {}", change.word()));
        if let Some(default) = defaults.get(*key).filter(|_| !NO_DEFAULT.contains(key)) {
            value["default"] = default.clone();
        }
        *place(&mut root, key) = value;
    }
    format!("{root:#}\n")
}

/// What a key may have.  Scalars are read as they are written, so a number may stand for a text.
fn kind(key: &str) -> Json {
    match key {
        "web.config_file" | "web.health_socket" | "pbx[].queue_log" => json!({"type": "string"}),
        "web.telemetry_path" => json!({"type": "string", "pattern": "^/"}),
        "pbx[].name"
        | "pbx[].address"
        | "pbx[].username"
        | "pbx[].secret"
        | "pbx[].secret_file"
        | "pbx[].secret_credential"
        | "agent_label_salt" => text(),

        "web.systemd_socket"
        | "web.enable_lifecycle"
        | "web.wallboard"
        | "pbx[].plain_login"
        | "metrics.native_histograms"
        | "metrics.exemplars"
        | "metrics.created_lines" => json!({"type": "boolean"}),
        "pbx[].shared_lastcall" => json!({"enum": ["yes", "no", true, false]}),

        "agent_label"
        | "agent_histograms"
        | "metrics.zero_series"
        | "pbx[].pjsip_registrations" => {
            json!({"enum": words(key)})
        }

        "web.listen_address"
        | "pbx[].trunks"
        | "pbx[].agents"
        | "pbx[].inbound_contexts"
        | "pbx[].outbound_contexts"
        | "pause_reasons"
        | "queues.allow"
        | "queues.deny" => texts(),

        "pbx[].wrapup.queues" | "service_level.queues" => map(&time()),
        "pbx[].aliases.agents"
        | "pbx[].aliases.queues"
        | "pbx[].aliases.trunks"
        | "pbx[].groups"
        | "pbx[].teams" => map(&text()),

        "pbx[].wrapup.default"
        | "pbx[].ping_interval"
        | "pbx[].ping_timeout"
        | "pbx[].queue_status_interval"
        | "pbx[].connect_timeout"
        | "pbx[].reconnect_min"
        | "pbx[].reconnect_max"
        | "service_level.default"
        | "short_abandon" => time(),
        "buckets.hold" | "buckets.ring" | "buckets.talk" => bounds(),
        "service_level.share" => json!({
            "type": ["string", "number"],
            "pattern": "^[0-9.]+ *%?$",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": 1,
        }),

        "web.wallboard_viewers" => count(&web::VIEWERS),
        "pbx[].max_line_bytes" => count(&link::LINE_BYTES),
        "pbx[].max_frame_bytes" => count(&link::FRAME_BYTES),
        "limits.queues"
        | "limits.agents"
        | "limits.devices"
        | "limits.trunks"
        | "limits.pause_reasons" => count(&settings::LIMITS),
        "limits.members" => count(&settings::MEMBERS),
        "limits.series" => count(&settings::SERIES),
        "limits.channels" | "limits.stays" | "limits.recordings" | "limits.tracked_members" => {
            count(&settings::TRACKED)
        }
        "pbx[].tls" => tls(),
        _ => panic!("{key} needs a type here"),
    }
}

/// The words that a key may have; a test loads a configuration with each.
pub(super) fn words(key: &str) -> &'static [&'static str] {
    match key {
        "agent_label" => &["member_name", "interface", "hash", "none"],
        "agent_histograms" => &["full", "sums", "off"],
        "metrics.zero_series" => &["few", "usual", "all"],
        "pbx[].pjsip_registrations" => &["encrypted", "always", "never"],
        _ => &[],
    }
}

fn text() -> Json {
    json!({"type": ["string", "number"], "minLength": 1})
}

/// A list, or the one text of it; nothing behind the key is an empty list.
fn texts() -> Json {
    json!({"type": ["array", "string", "number", "null"], "items": text()})
}

/// Seconds, or a text with units.
fn time() -> Json {
    json!({
        "type": ["string", "number"],
        "pattern": "^([0-9.]+|([0-9.]+(ms|s|m|h))+)$",
        "minimum": 0,
    })
}

fn bounds() -> Json {
    let mut bounds = time();
    bounds["type"] = json!(["array", "string", "number"]);
    bounds["items"] = time();
    bounds["minItems"] = json!(1);
    bounds["maxItems"] = json!(settings::MOST_EDGES);
    bounds
}

fn count(range: &RangeInclusive<usize>) -> Json {
    json!({"type": "integer", "minimum": range.start(), "maximum": range.end()})
}

fn map(values: &Json) -> Json {
    json!({"type": ["object", "null"], "additionalProperties": values})
}

fn section() -> Json {
    json!({"type": ["object", "null"], "additionalProperties": false, "properties": {}})
}

fn tls() -> Json {
    let mut keys = section();
    keys["type"] = json!(["boolean", "object", "null"]);
    for (key, meaning) in meanings("docs/tls.md", "## The exporter") {
        let mut value = match key.as_str() {
            "fingerprint" => texts(),
            "min_version" => json!({"enum": ["1.2", "1.3", 1.2, 1.3]}),
            _ => text(),
        };
        value["description"] = json!(meaning);
        keys["properties"][key] = value;
    }
    keys
}

/// Where the schema of a key is, in its section and the sections around that.
fn place<'a>(root: &'a mut Json, key: &str) -> &'a mut Json {
    let (sections, name) = key.rsplit_once('.').map_or((None, key), |(all, key)| (Some(all), key));
    let mut around = root;
    for section_name in sections.into_iter().flat_map(|all| all.split('.')) {
        let (section_name, is_list) =
            section_name.strip_suffix("[]").map_or((section_name, false), |name| (name, true));
        around = &mut around["properties"][section_name];
        if around.is_null() {
            *around = if is_list {
                let mut entry = section();
                entry["type"] = json!("object");
                json!({"type": "array", "minItems": 1, "items": entry})
            } else {
                section()
            };
        }
        if is_list {
            around = &mut around["items"];
        }
    }
    &mut around["properties"][name]
}

fn default_values(config: &Config) -> BTreeMap<String, Json> {
    let pbx = config.pbxs.first().map(reference::of_pbx).unwrap_or_default();
    let pbx = pbx.into_iter().map(|(key, value)| (format!("{OF_PBX}{key}"), value));
    let all = reference::settings(config).into_iter().map(|(key, value)| (key.to_owned(), value));
    all.chain(pbx)
        .map(|(key, value)| (key, serde_json::to_value(value).expect("a value")))
        .collect()
}

/// What a table says of each key: several may stand in one row.
fn meanings(file: &str, heading: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(repository(file)).expect(file);
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let rows = lines.take_while(|line| !line.starts_with("## ")).filter_map(|line| {
        let (keys, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (_, meaning) = rest.split_once(" | ")?;
        Some((keys, prose(meaning.trim_end_matches(" |"))))
    });
    let keys = rows.flat_map(|(keys, meaning)| {
        keys.split("`, `").map(|key| (key.to_owned(), meaning.clone())).collect::<Vec<_>>()
    });
    keys.collect()
}

/// Markdown without links, which lead nowhere from an editor.
fn prose(markdown: &str) -> String {
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern");
    link.replace_all(markdown, "$1").replace("\\|", "|")
}

/// Keys of a PBX whose values are of the one that the defaults are read with, and one that depends
/// on the machine.
const NO_DEFAULT: &[&str] =
    &["web.health_socket", "pbx[].name", "pbx[].address", "pbx[].username", "pbx[].secret"];
