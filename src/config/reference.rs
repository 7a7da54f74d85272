//! Every key of the configuration: the value that is in force, and what a reload does with another
//! one.
//!
//! `print-config` prints these values, a reload compares them, and docs/configuration.md has the
//! table: a test holds them against each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_saphyr::FlowSeq;

use super::checks::exact;
use super::secret::{Origin, Secret};
use super::{Config, Pbx, Web};
use crate::correlator::{Identity, Patterns, TrackedLimits};
use crate::metrics::{AgentHistograms, AgentLabel, Settings, ZeroSeries};
use crate::tls::{self, MinVersion, Trust};

/// What a reload does with another value of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// It is in force at once, and the connection goes on.
    AtOnce,
    /// It is in force at the next connection; at once if there is none.
    NextConnection,
    /// The PBX is connected again.
    Reconnect,
    /// The PBX is another one: that of the old value is removed, that of the new one added.
    OtherPbx,
    /// The old value stays in force until a restart, since counters would not be true otherwise, or
    /// something is opened once only.
    Restart,
}

impl Change {
    /// The word in docs/configuration.md.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::NextConnection => "next connection",
            Self::Reconnect => "reconnects",
            Self::OtherPbx => "another PBX",
            Self::Restart => "restart",
        }
    }

    /// That of a key.
    pub(super) fn of(key: &str) -> Option<Self> {
        KEYS.iter().find(|(name, _)| *name == key).map(|(_, change)| *change)
    }
}

/// All keys, in the order of the documentation.
pub const KEYS: &[(&str, Change)] = &[
    ("web.listen_address", Change::Restart),
    ("web.telemetry_path", Change::Restart),
    ("web.config_file", Change::Restart),
    ("web.systemd_socket", Change::Restart),
    ("web.health_socket", Change::Restart),
    ("web.enable_lifecycle", Change::Restart),
    ("web.wallboard", Change::Restart),
    ("web.wallboard_viewers", Change::Restart),
    ("pbx[].name", Change::OtherPbx),
    ("pbx[].address", Change::Reconnect),
    ("pbx[].tls", Change::Reconnect),
    ("pbx[].username", Change::Reconnect),
    ("pbx[].secret", Change::NextConnection),
    ("pbx[].secret_file", Change::NextConnection),
    ("pbx[].secret_credential", Change::NextConnection),
    ("pbx[].plain_login", Change::NextConnection),
    ("pbx[].trunks", Change::AtOnce),
    ("pbx[].agents", Change::AtOnce),
    ("pbx[].wrapup.default", Change::AtOnce),
    ("pbx[].wrapup.queues", Change::AtOnce),
    ("pbx[].shared_lastcall", Change::AtOnce),
    ("pbx[].inbound_contexts", Change::AtOnce),
    ("pbx[].outbound_contexts", Change::AtOnce),
    ("pbx[].aliases.agents", Change::Restart),
    ("pbx[].aliases.queues", Change::Restart),
    ("pbx[].aliases.trunks", Change::Restart),
    ("pbx[].groups", Change::AtOnce),
    ("pbx[].teams", Change::AtOnce),
    ("pbx[].queue_log", Change::NextConnection),
    ("pbx[].pjsip_registrations", Change::NextConnection),
    ("pbx[].ping_interval", Change::AtOnce),
    ("pbx[].ping_timeout", Change::AtOnce),
    ("pbx[].queue_status_interval", Change::AtOnce),
    ("pbx[].connect_timeout", Change::NextConnection),
    ("pbx[].reconnect_min", Change::NextConnection),
    ("pbx[].reconnect_max", Change::NextConnection),
    ("pbx[].max_line_bytes", Change::NextConnection),
    ("pbx[].max_frame_bytes", Change::NextConnection),
    ("service_level.default", Change::AtOnce),
    ("service_level.queues", Change::AtOnce),
    ("service_level.share", Change::AtOnce),
    ("short_abandon", Change::AtOnce),
    ("buckets.hold", Change::Restart),
    ("buckets.ring", Change::Restart),
    ("buckets.talk", Change::Restart),
    ("agent_label", Change::Restart),
    ("agent_label_salt", Change::Restart),
    ("agent_histograms", Change::Restart),
    ("metrics.native_histograms", Change::Restart),
    ("metrics.exemplars", Change::Restart),
    ("metrics.created_lines", Change::AtOnce),
    ("metrics.zero_series", Change::Restart),
    ("limits.queues", Change::Restart),
    ("limits.agents", Change::Restart),
    ("limits.devices", Change::Restart),
    ("limits.trunks", Change::Restart),
    ("limits.pause_reasons", Change::Restart),
    ("limits.members", Change::Restart),
    ("limits.series", Change::Restart),
    ("limits.channels", Change::AtOnce),
    ("limits.stays", Change::AtOnce),
    ("limits.recordings", Change::AtOnce),
    ("limits.tracked_members", Change::AtOnce),
    ("pause_reasons", Change::Restart),
    ("queues.allow", Change::Restart),
    ("queues.deny", Change::Restart),
];

/// What the keys of a PBX begin with.
pub(super) const OF_PBX: &str = "pbx[].";

/// The value of a key, as it would be written in a file; secrets are printed as `***`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Secret(Secret),
    Count(usize),
    Seconds(f64),
    Number(f64),
    Switch(bool),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// A key without what is before `pbx[].`, and its value.
pub(super) type Setting = (&'static str, Value);

/// The settings that are of no PBX; what has neither a value nor a default is left out.
pub(super) fn settings(config: &Config) -> Vec<Setting> {
    let mut all = of_web(&config.web);
    all.extend(of_metrics(&config.metrics, config.identity()));
    all.extend(of_tracked(&config.tracked()));
    all
}

fn of_web(web: &Web) -> Vec<Setting> {
    let Web { listen_address, telemetry_path, .. } = web;
    let mut all = vec![
        ("web.listen_address", texts(listen_address)),
        ("web.telemetry_path", text(telemetry_path)),
    ];
    all.extend(web.config_file.as_deref().map(|file| ("web.config_file", path(file))));

    let socket = web.health_socket.as_ref().map_or(text(""), |socket| path(&socket.path));
    all.extend([
        ("web.systemd_socket", Value::Switch(web.systemd_socket)),
        ("web.health_socket", socket),
        ("web.enable_lifecycle", Value::Switch(web.enable_lifecycle)),
        ("web.wallboard", Value::Switch(web.wallboard)),
        ("web.wallboard_viewers", Value::Count(web.wallboard_viewers)),
    ]);
    all
}

fn of_metrics(metrics: &Settings, identity: Identity) -> Vec<Setting> {
    let mut all = Vec::new();
    all.extend(metrics.service_level.map(|level| ("service_level.default", time(level))));

    // In a hash map they have no order.
    let targets: BTreeMap<_, _> = metrics.queue_service_levels.iter().collect();
    let targets = targets.into_iter().map(|(queue, target)| (queue.clone(), time(*target)));
    let buckets = &metrics.buckets;
    all.extend([
        ("service_level.queues", Value::Map(targets.collect())),
        ("service_level.share", Value::Number(metrics.service_level_share)),
        ("short_abandon", time(metrics.short_abandon)),
        ("buckets.hold", seconds(&buckets.hold)),
        ("buckets.ring", seconds(&buckets.ring)),
        ("buckets.talk", seconds(&buckets.talk)),
    ]);
    all.extend(agent_label(&metrics.agent_label, identity));

    let histograms = match metrics.agent_histograms {
        AgentHistograms::Full => "full",
        AgentHistograms::Sums => "sums",
        AgentHistograms::Off => "off",
    };
    let zero_series = match metrics.zero_series {
        ZeroSeries::Few => "few",
        ZeroSeries::Usual => "usual",
        ZeroSeries::All => "all",
    };
    let limits = &metrics.limits;
    all.extend([
        ("agent_histograms", text(histograms)),
        ("metrics.native_histograms", Value::Switch(metrics.detail.native)),
        ("metrics.exemplars", Value::Switch(metrics.detail.exemplars)),
        ("metrics.created_lines", Value::Switch(metrics.created_lines)),
        ("metrics.zero_series", text(zero_series)),
        ("limits.queues", Value::Count(limits.queues)),
        ("limits.agents", Value::Count(limits.agents)),
        ("limits.devices", Value::Count(limits.devices)),
        ("limits.trunks", Value::Count(limits.trunks)),
        ("limits.pause_reasons", Value::Count(limits.reasons)),
        ("limits.members", Value::Count(limits.members)),
        ("limits.series", Value::Count(limits.series)),
        ("pause_reasons", texts(&metrics.pause_reasons)),
        ("queues.allow", patterns(&metrics.queue_allow)),
        ("queues.deny", patterns(&metrics.queue_deny)),
    ]);
    all
}

fn of_tracked(limits: &TrackedLimits) -> [Setting; 4] {
    [
        ("limits.channels", Value::Count(limits.channels)),
        ("limits.stays", Value::Count(limits.stays)),
        ("limits.recordings", Value::Count(limits.recordings)),
        ("limits.tracked_members", Value::Count(limits.members)),
    ]
}

fn agent_label(label: &AgentLabel, identity: Identity) -> Vec<Setting> {
    let word = match (label, identity) {
        (AgentLabel::Name, Identity::MemberName) => "member_name",
        (AgentLabel::Name, Identity::Interface) => "interface",
        (AgentLabel::None, _) => "none",
        (AgentLabel::Hash { salt }, _) => {
            let salt = Value::Secret(Secret::new(salt));
            return vec![("agent_label", text("hash")), ("agent_label_salt", salt)];
        }
    };
    vec![("agent_label", text(word))]
}

/// The settings of one PBX.
pub(super) fn of_pbx(pbx: &Pbx) -> Vec<Setting> {
    let rules = &pbx.rules;
    let wrap_up = &rules.wrap_up;
    let mut all = vec![
        ("name", text(pbx.name.as_str())),
        ("address", text(&pbx.address.to_string())),
        ("tls", encryption(pbx.tls.as_ref().map(tls::Client::settings))),
        ("username", text(&pbx.username)),
        secret(&pbx.secret),
        ("plain_login", Value::Switch(pbx.plain_login)),
        ("trunks", patterns(&rules.trunks)),
        ("agents", patterns(&rules.agents)),
        ("wrapup.default", time(wrap_up.default())),
        ("wrapup.queues", map(wrap_up.queues(), |wrap_up| time(*wrap_up))),
        ("shared_lastcall", Value::Switch(wrap_up.is_shared())),
        ("inbound_contexts", patterns(&rules.inbound_contexts)),
        ("outbound_contexts", patterns(&rules.outbound_contexts)),
        ("aliases.agents", map(&rules.agent_aliases, |agent| text(agent))),
        ("aliases.queues", map(&pbx.queue_aliases, |queue| text(queue))),
        ("aliases.trunks", map(&rules.trunk_aliases, |trunk| text(trunk))),
        ("groups", map(&pbx.groups, |group| text(group))),
        ("teams", map(&pbx.teams, |team| text(team))),
        ("pjsip_registrations", text(pbx.registrations.word())),
        ("ping_interval", time(pbx.ping_interval)),
        ("ping_timeout", time(pbx.ping_timeout)),
        ("queue_status_interval", time(pbx.queue_status_interval)),
        ("connect_timeout", time(pbx.connect_timeout)),
        ("reconnect_min", time(pbx.reconnect_min)),
        ("reconnect_max", time(pbx.reconnect_max)),
        ("max_line_bytes", Value::Count(pbx.max_line)),
        ("max_frame_bytes", Value::Count(pbx.max_frame)),
    ];
    all.extend(pbx.queue_log.as_deref().map(|log| ("queue_log", path(log))));
    all
}

fn secret(secret: &Secret) -> Setting {
    match secret.origin() {
        Origin::Text => ("secret", Value::Secret(secret.clone())),
        Origin::File(file) => ("secret_file", path(file)),
        Origin::Credential { name, .. } => ("secret_credential", text(name)),
    }
}

fn encryption(settings: Option<&tls::Settings>) -> Value {
    let Some(settings) = settings else { return Value::Switch(false) };
    let mut keys = vec![("server_name".to_owned(), text(&settings.server_name.to_str()))];
    match &settings.trust {
        Trust::System => {}
        Trust::Ca(file) => keys.push(("ca_file".to_owned(), path(&file.path))),
        Trust::Pinned(pins) => keys.push(("fingerprint".to_owned(), texts(pins))),
    }

    let version = match settings.min_version {
        MinVersion::Tls12 => "1.2",
        MinVersion::Tls13 => "1.3",
    };
    keys.push(("min_version".to_owned(), text(version)));
    if let Some(identity) = &settings.identity {
        keys.push(("cert_file".to_owned(), path(&identity.certificate.path)));
        keys.push(("key_file".to_owned(), path(&identity.key.path)));
    }
    Value::Map(keys)
}

/// The configuration as a file would have it, with secrets as `***`.
///
/// # Errors
/// It cannot be written as YAML.
pub(super) fn print(config: &Config) -> Result<String, serde_saphyr::SerializeError> {
    let mut root = Value::Map(Vec::new());
    let (web, others): (Vec<_>, Vec<_>) =
        settings(config).into_iter().partition(|(key, _)| key.starts_with("web."));
    let pbxs = config.pbxs.iter().map(|pbx| {
        let mut map = Value::Map(Vec::new());
        for (key, value) in of_pbx(pbx) {
            map.insert(key, value);
        }
        map
    });

    // In the order of the documentation.
    for (key, value) in web {
        root.insert(key, value);
    }
    root.insert("pbx", Value::List(pbxs.collect()));
    for (key, value) in others {
        root.insert(key, value);
    }
    let options = serde_saphyr::ser_options! { compact_list_indent: false };
    serde_saphyr::to_string_with_options(&root, options)
}

impl Value {
    /// Puts a value at a key with points in it.
    fn insert(&mut self, key: &str, value: Self) {
        let Self::Map(entries) = self else { return };
        let Some((first, rest)) = key.split_once('.') else {
            entries.push((key.to_owned(), value));
            return;
        };
        let at = entries.iter().position(|(name, _)| name == first);
        let at = at.unwrap_or_else(|| {
            entries.push((first.to_owned(), Self::Map(Vec::new())));
            entries.len() - 1
        });
        entries[at].1.insert(rest, value);
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Secret(secret) => serializer.serialize_str(&secret.to_string()),
            Self::Count(count) => serializer.serialize_u64(*count as u64),
            Self::Seconds(seconds) if seconds.fract() == 0.0 => {
                serializer.serialize_u64(*seconds as u64)
            }
            Self::Seconds(seconds) => serializer.serialize_f64(*seconds),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Switch(on) => serializer.serialize_bool(*on),
            Self::List(items) if is_of_numbers(items) => FlowSeq(items).serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

/// Bounds of buckets stand in one line.
fn is_of_numbers(items: &[Value]) -> bool {
    items.iter().all(|item| matches!(item, Value::Seconds(_)))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn path(path: &Path) -> Value {
    Value::Text(path.display().to_string())
}

fn time(time: Duration) -> Value {
    Value::Text(exact(time))
}

fn seconds(bounds: &[f64]) -> Value {
    Value::List(bounds.iter().map(|bound| Value::Seconds(*bound)).collect())
}

fn texts(items: &[impl ToString]) -> Value {
    Value::List(items.iter().map(|item| Value::Text(item.to_string())).collect())
}

fn patterns(patterns: &Patterns) -> Value {
    texts(patterns.texts())
}

fn map<T>(entries: &BTreeMap<String, T>, value: impl Fn(&T) -> Value) -> Value {
    Value::Map(entries.iter().map(|(key, entry)| (key.clone(), value(entry))).collect())
}
