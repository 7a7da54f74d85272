//! Patterns that are proposed, and what the names of devices show.

use std::collections::BTreeSet;

use crate::correlator::Patterns;

/// A pattern for trunks: by the rule that phones are numbers if it holds here, else by name.
pub(super) fn proposal(candidates: &[&str], phones: &BTreeSet<&str>) -> String {
    let holds = !phones.iter().any(|device| is_named(device));
    let is_covered =
        |device: &&str| BY_NUMBER.iter().any(|technology| device.starts_with(technology));
    if holds && candidates.iter().all(is_covered) {
        return format!("'{TRUNKS_BY_NAME}'");
    }
    by_name(candidates)
}

fn by_name(devices: &[&str]) -> String {
    let names: Vec<String> = devices.iter().map(|device| regex::escape(device)).collect();
    quoted(&format!("^({})-", names.join("|")))
}

/// These patterns, and one for more devices.
pub(super) fn with_more(patterns: &Patterns, devices: &[&str]) -> String {
    let texts = patterns.texts().iter().map(|text| quoted(text));
    texts.chain([by_name(devices)]).collect::<Vec<_>>().join(", ")
}

/// As a text of YAML, which a `'` ends unless it is doubled.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the device has a name, as most trunks have, and not a number, as most phones have.
pub(super) fn is_named(device: &str) -> bool {
    name_of(device).starts_with(|first: char| !first.is_ascii_digit())
}

/// The endpoint that takes calls of whom no other does.
pub(super) fn is_guest(device: &str) -> bool {
    let name = name_of(device);
    name == "anonymous" || name.starts_with("anonymous@")
}

fn name_of(device: &str) -> &str {
    device.split_once('/').map_or("", |(_, name)| name)
}

/// Right where every phone's name is a number, as on FreePBX.
pub const TRUNKS_BY_NAME: &str = "^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]";
const BY_NUMBER: [&str; 4] = ["PJSIP/", "SIP/", "IAX2/", "DAHDI/"];
