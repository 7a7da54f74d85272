//! The schema against configurations, by a validator that has nothing to do with ours.

use std::collections::BTreeSet;
use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value as Json;

use super::super::tests::{MINIMAL, load, repository, sources};
use super::generator::{schema, words};
use super::*;

struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        let schema = serde_json::from_str(SCHEMA).unwrap();
        compiler.add_resource("asterisk_exporter.schema.json", schema).unwrap();
        let index = compiler.compile("asterisk_exporter.schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// What is wrong with a YAML text, as an editor shows it.
    fn validate(&self, yaml: &str) -> Result<(), String> {
        let value: Json = serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
        self.schemas.validate(&value, self.index).map_err(|error| error.to_string())
    }
}

#[test]
fn the_committed_schema_is_what_describes_the_keys() {
    let generated = schema(&load(&sources(MINIMAL)));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(repository("asterisk_exporter.schema.json"), &generated).unwrap();
    }
    let committed = fs::read_to_string(repository("asterisk_exporter.schema.json")).unwrap();
    assert!(committed == generated, "UPDATE_EXPECTED=1 writes asterisk_exporter.schema.json");
}

#[test]
fn good_configurations_are_valid() {
    let validator = Validator::new();
    let example = fs::read_to_string(repository("asterisk_exporter.example.yml")).unwrap();
    assert!(example.starts_with("# yaml-language-server: $schema=asterisk_exporter.schema.json\n"));

    // All values that have a default, as `print-config` prints them.
    let printed = load(&sources(MINIMAL)).print().unwrap();
    let commented_out = "web:\npbx: [{address: a, username: x, secret: 007, agents:, tls: {ca_file: a.crt, \
        server_name: a, min_version: 1.3, cert_file: b.crt, key_file: b.key}, teams:}]\nlimits:\n";
    let texts = "service_level: {default: 1m30s, queues: {support: 15}, share: 0.8}\n\
        pbx: [{address: a, secret_file: b, shared_lastcall: yes, trunks: '^PJSIP/'}]\n\
        buckets: {hold: [500ms, 1, 2.5s]}\n";
    for yaml in [&example, MINIMAL, &printed, commented_out, texts] {
        assert_eq!(validator.validate(yaml), Ok(()), "{yaml}");
    }
}

#[test]
fn every_word_of_the_schema_is_one_of_the_configuration() {
    for key in
        ["agent_label", "agent_histograms", "metrics.zero_series", "pbx[].pjsip_registrations"]
    {
        assert!(!words(key).is_empty());
        for word in words(key) {
            let text = match key.split_once('.') {
                None => format!("{MINIMAL}agent_label_salt: long and random\n{key}: {word}\n"),
                Some(("metrics", key)) => format!("{MINIMAL}metrics: {{{key}: {word}}}\n"),
                Some((_, key)) => MINIMAL.replace("}]", &format!(", {key}: {word}}}]")),
            };
            load(&sources(&text));
        }
    }
}

/// Those with an unknown key, or a value of a wrong kind.  What an editor cannot see is which file is
/// there, and what two keys have to do with each other.
#[test]
fn bad_configurations_are_invalid_where_a_schema_can_see_it() {
    let validator = Validator::new();
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(repository("fixtures/config")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(fault) = name.strip_prefix("bad_") else { continue };
        if validator.validate(&fs::read_to_string(&path).unwrap()).is_err() {
            seen.insert(fault.to_owned());
        }
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), SEEN);
}

const SEEN: &[&str] = &[
    "agent_label",
    "boolean",
    "duplicate_key",
    "duration",
    "empty_buckets",
    "empty_pbx",
    "limit",
    "limit_of_channels",
    "limit_of_series",
    "not_a_list",
    "not_a_map",
    "shared_lastcall",
    "syntax",
    "telemetry_path",
    "tls_list",
    "tls_min_version",
    "tls_unknown_key",
    "tls_value",
    "unknown_key",
    "unknown_section",
    "wrapup",
    "wrapup_key",
    "wrapup_queue",
    "zero_series",
];
