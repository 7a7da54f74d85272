//! The entries of `pbx`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::checks::{self, Address, choice};
use super::link::Link;
use super::secret::Secret;
use super::section::Section;
use super::{Pbx, Purpose, Registrations, credentials, tls};
use crate::correlator::{Identity, NameLimits, Patterns, Rules, TrackedLimits, WrapUp};
use crate::pbx::PbxName;

/// Reads every entry; one that has a mistake is left out.
pub(super) fn read_all(root: &Section<'_>, purpose: Purpose, identity: Identity) -> Vec<Pbx> {
    let sections = match root.children("pbx") {
        Some(sections) if !sections.is_empty() => sections,
        Some(_) | None if purpose == Purpose::Replay => return vec![replay_pbx(identity)],
        Some(_) => {
            root.mistake("pbx", "is empty: at least one is needed");
            return Vec::new();
        }
        None => {
            if !root.has("pbx") {
                root.missing("pbx", "at least one is needed");
            }
            return Vec::new();
        }
    };

    let mut taken = Vec::new();
    sections
        .into_iter()
        .filter_map(|section| read(section, purpose, identity, &mut taken))
        .collect()
}

fn read(
    section: Section<'_>,
    purpose: Purpose,
    identity: Identity,
    taken: &mut Vec<String>,
) -> Option<Pbx> {
    // Every key is read before the first mistake ends it, so that one run shows all mistakes.
    let encryption = section.switch("tls");
    let address = address(&section, purpose, encryption.is_some());
    // `None` inside is no TLS, `None` outside a mistake in it.
    let tls = match encryption {
        Some(keys) => tls::read(keys, address.as_ref(), purpose),
        None => Some(None),
    };
    let name = name(&section, address.as_ref(), taken);
    let username = username(&section, purpose);
    let secret = credentials::read(&section, purpose);
    let link = Link::read(&section);
    let aliases = Aliases::read(section.child("aliases"));
    let Aliases { agents: agent_aliases, queues: queue_aliases, trunks: trunk_aliases } = aliases;
    let rules = Rules { agent_aliases, trunk_aliases, ..rules(&section, identity) };
    let groups = groups(&section, &queue_aliases);
    let teams = names(&section, "teams");
    let queue_log = section.path("queue_log").map(|file| file.path);
    let registrations = section.read("pjsip_registrations", registrations).unwrap_or_default();
    let plain_login = section.read("plain_login", checks::boolean).unwrap_or(false);
    section.finish();
    let dead_link = queue_log.as_ref().map(|_| link.ping_interval + link.ping_timeout);

    Some(Pbx {
        name: PbxName::new(&name?),
        address: address?,
        tls: tls?,
        username: username?,
        secret: secret?,
        plain_login,
        rules: Rules { dead_link, ..rules },
        queue_aliases,
        groups,
        teams,
        queue_log,
        registrations,
        ping_interval: link.ping_interval,
        ping_timeout: link.ping_timeout,
        queue_status_interval: link.queue_status_interval,
        connect_timeout: link.connect_timeout,
        reconnect_min: link.reconnect_min,
        reconnect_max: link.reconnect_max,
        max_line: link.max_line,
        max_frame: link.max_frame,
    })
}

/// What a replay without any `pbx` goes by.
fn replay_pbx(identity: Identity) -> Pbx {
    let link = Link::default();
    Pbx {
        name: PbxName::new("replay"),
        address: Address { host: "localhost".to_owned(), port: 5038 },
        tls: None,
        username: String::new(),
        secret: Secret::default(),
        plain_login: false,
        rules: Rules { identity, ..Rules::default() },
        queue_aliases: BTreeMap::new(),
        groups: BTreeMap::new(),
        teams: BTreeMap::new(),
        queue_log: None,
        registrations: Registrations::default(),
        ping_interval: link.ping_interval,
        ping_timeout: link.ping_timeout,
        queue_status_interval: link.queue_status_interval,
        connect_timeout: link.connect_timeout,
        reconnect_min: link.reconnect_min,
        reconnect_max: link.reconnect_max,
        max_line: link.max_line,
        max_frame: link.max_frame,
    }
}

fn address(section: &Section<'_>, purpose: Purpose, encrypted: bool) -> Option<Address> {
    if !section.has("address") && purpose == Purpose::Replay {
        return Some(Address { host: "replay".to_owned(), port: 5038 });
    }
    if !section.has("address") {
        section.missing("address", "missing: the PBX's host or host:port");
    }
    let usual = if encrypted { checks::AMI_TLS_PORT } else { checks::AMI_PORT };
    section.read("address", |text| checks::address(text, usual))
}

/// The name, or the host of the address; two PBXs with one name would count into the same series.
fn name(
    section: &Section<'_>,
    address: Option<&Address>,
    taken: &mut Vec<String>,
) -> Option<String> {
    let (key, name) = if section.has("name") {
        ("name", section.read("name", checks::plain)?)
    } else {
        ("address", address?.host.clone())
    };

    if taken.contains(&name) {
        section.mistake(key, format!("{name} is already the name of another pbx"));
        return None;
    }
    taken.push(name.clone());
    Some(name)
}

fn username(section: &Section<'_>, purpose: Purpose) -> Option<String> {
    if section.has("username") {
        return section.read("username", checks::plain);
    }
    if purpose == Purpose::Replay {
        return Some(String::new());
    }
    section.missing("username", "missing: the manager account to log in with");
    None
}

fn rules(section: &Section<'_>, identity: Identity) -> Rules {
    Rules {
        trunks: patterns(section, "trunks"),
        agents: patterns(section, "agents"),
        inbound_contexts: patterns(section, "inbound_contexts"),
        outbound_contexts: patterns(section, "outbound_contexts"),
        identity,
        wrap_up: wrap_up(section),
        agent_aliases: BTreeMap::new(),
        trunk_aliases: BTreeMap::new(),
        names: NameLimits::default(),
        tracked: TrackedLimits::default(),
        dead_link: None,
    }
}

/// The wrap-up times of queues.conf, which are in no event and no list.
fn wrap_up(section: &Section<'_>) -> WrapUp {
    let shared = section.read("shared_lastcall", checks::yes_or_no).unwrap_or(false);
    let times = section.child("wrapup");
    let default = times.time("default", checks::duration, &WRAP_UPS).unwrap_or_default();
    let queues = times.times("queues", checks::duration, &WRAP_UPS);

    for (name, other) in same_names(queues.iter().map(|(name, _)| name)) {
        times.mistake(
            "queues",
            format!("{name} and {other} are one queue: Asterisk compares names without case"),
        );
    }
    times.finish();
    WrapUp::new(default, queues, shared)
}

/// When registrations of PJSIP are listed.
fn registrations(text: &str) -> Result<Registrations, String> {
    choice(&["encrypted", "always", "never"])(text).map(|choice| match choice {
        "always" => Registrations::Always,
        "never" => Registrations::Never,
        _ => Registrations::Encrypted,
    })
}

/// Names for devices, queues and outbound registrations.
struct Aliases {
    agents: BTreeMap<String, String>,
    queues: BTreeMap<String, String>,
    trunks: BTreeMap<String, String>,
}

impl Aliases {
    fn read(section: Section<'_>) -> Self {
        let map = |key| names(&section, key);
        let aliases = Self { agents: map("agents"), queues: map("queues"), trunks: map("trunks") };

        let Self { agents, queues, trunks } = &aliases;
        for (key, names) in [("agents", agents), ("queues", queues), ("trunks", trunks)] {
            for (name, other) in same_names(names.keys()) {
                section.mistake(
                    key,
                    format!("{name} and {other} are one: Asterisk compares them without case"),
                );
            }
        }

        section.finish();
        aliases
    }
}

/// The groups of queues, by their names, or by their aliases where they have one: what has one label is
/// in one group.
fn groups(section: &Section<'_>, aliases: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let groups = names(section, "groups");
    for (name, other) in same_names(groups.keys()) {
        section.mistake(
            "groups",
            format!("{name} and {other} are one: Asterisk compares them without case"),
        );
    }

    for (queue, alias) in aliases {
        let named = groups.keys().find(|name| name.eq_ignore_ascii_case(queue));
        let is_alias = |name: &&String| aliases.values().any(|all| all.eq_ignore_ascii_case(name));
        if let Some(name) = named.filter(|name| !is_alias(name)) {
            section.mistake(
                &format!("groups.{name}"),
                format!("{name} has an alias: give the group of {alias}"),
            );
        }
    }
    groups
}

/// The names at `key`, by other names.
fn names(section: &Section<'_>, key: &'static str) -> BTreeMap<String, String> {
    section.map(key, checks::plain).unwrap_or_default().into_iter().collect()
}

/// Names that Asterisk takes for one, each with an earlier one.
fn same_names<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<(&'a str, &'a str)> {
    let mut same = Vec::new();
    let mut earlier: Vec<&str> = Vec::new();

    // Names are few, and the message has both as they are written: no map of folded names.
    for name in names {
        if let Some(other) = earlier.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            same.push((name.as_str(), *other));
        }
        earlier.push(name);
    }
    same
}

/// The patterns at `key`.  Each compiles alone, so together they can only be too big.
pub(super) fn patterns(section: &Section<'_>, key: &'static str) -> Patterns {
    let texts = section.list(key, checks::pattern).unwrap_or_default();
    Patterns::new(texts).unwrap_or_else(|_| {
        section.mistake(key, "too big together: fewer or shorter regular expressions are needed");
        Patterns::default()
    })
}

/// Longer ones than an hour are milliseconds without their unit.
const WRAP_UPS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
