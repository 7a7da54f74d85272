//! The entries of `pbx`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checks::{self, Address};
use super::mistake::Place;
use super::secret::Secret;
use super::section::Section;
use super::{Pbx, Purpose};
use crate::correlator::{Identity, Patterns, Rules, WrapUp};
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
    let address = address(&section, purpose);
    let name = name(&section, address.as_ref(), taken);
    let username = username(&section, purpose);
    let secret = secret(&section, purpose);
    let link = Link::read(&section);
    let aliases = Aliases::read(section.child("aliases"));
    let rules = Rules { agent_aliases: aliases.agents, ..rules(&section, identity) };
    let plain_login = section.read("plain_login", checks::boolean).unwrap_or(false);
    section.finish();
    Some(Pbx {
        name: PbxName::new(&name?),
        address: address?,
        username: username?,
        secret: secret?,
        plain_login,
        rules,
        queue_aliases: aliases.queues,
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
        username: String::new(),
        secret: Secret::default(),
        plain_login: false,
        rules: Rules { identity, ..Rules::default() },
        queue_aliases: BTreeMap::new(),
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

fn address(section: &Section<'_>, purpose: Purpose) -> Option<Address> {
    if !section.has("address") && purpose == Purpose::Replay {
        return Some(Address { host: "replay".to_owned(), port: 5038 });
    }
    if !section.has("address") {
        section.missing("address", "missing: the PBX's host or host:port");
    }
    section.read("address", checks::address)
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

/// `secret` or the text of `secret_file`.  If both are given, in different sources, the stronger
/// source decides.
fn secret(section: &Section<'_>, purpose: Purpose) -> Option<Secret> {
    let (direct, file) = (section.has("secret"), section.has("secret_file"));
    if purpose == Purpose::Replay {
        return Some(Secret::default());
    }
    let (direct_place, file_place) = (section.place("secret"), section.place("secret_file"));
    match (direct, file) {
        (true, true) if direct_place.same_kind(&file_place) => {
            section.mistake("secret_file", "stands beside secret: only one of them can be");
            None
        }
        (true, true) if direct_place.rank() > file_place.rank() => direct_secret(section),
        (true, false) => direct_secret(section),
        (_, true) => section.read("secret_file", |path| secret_from(section, path)),
        (false, false) => {
            section.missing("secret", "missing: set it, or secret_file");
            None
        }
    }
}

fn direct_secret(section: &Section<'_>) -> Option<Secret> {
    warn_of_readers_of_file(section, "secret");
    section.read("secret", |text| checks::plain(text).map(Secret::new))
}

/// A path in the configuration file is relative to it, one in a variable to the working directory.
fn secret_from(section: &Section<'_>, path: &str) -> Result<Secret, String> {
    let from_file = !matches!(section.place("secret_file"), Place::Variable(_));
    let folder = section.layers().file.as_deref().filter(|_| from_file).and_then(Path::parent);
    let full = folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path));
    let text = read_file(&full).map_err(|error| format!("{path}: {error}"))?;
    warn_of_readers(section, "secret_file", &full);
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    checks::plain(secret).map(Secret::new).map_err(|message| format!("{path} {message}"))
}

fn read_file(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_SECRET_FILE).read_to_string(&mut text)?;
    Ok(text)
}

/// Warns if everybody may read the configuration file, and the secret at `key` stands in it.
pub(super) fn warn_of_readers_of_file(section: &Section<'_>, key: &str) {
    let in_file = section.place(key).rank() == 0;
    if let Some(path) = section.layers().file.as_deref().filter(|_| in_file) {
        warn_of_readers(section, key, path);
    }
}

/// Warns of a file with a secret that everybody may read, and tells the mode that keeps its owner
/// and its group.
fn warn_of_readers(section: &Section<'_>, key: &str, path: &Path) {
    let Ok(about) = fs::metadata(path) else { return };
    let mode = about.permissions().mode() & 0o777;
    if about.is_file() && mode & READ_BY_OTHERS != 0 {
        let (path, better) = (path.display(), mode & OWNER_AND_GROUP);
        section.warning(
            key,
            format!("everybody may read {path}, its mode is {mode:04o}: chmod {better:04o} {path}"),
        );
    }
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
    }
}

/// What queues.conf says of wrap-up, since Asterisk does not tell.
fn wrap_up(section: &Section<'_>) -> WrapUp {
    let shared = section.read("shared_lastcall", checks::yes_or_no).unwrap_or(false);
    let times = section.child("wrapup");
    let default = times.time("default", checks::duration, &WRAP_UPS).unwrap_or_default();
    let queues = times.times("queues", checks::duration, &WRAP_UPS);

    let mut seen: Vec<&str> = Vec::new();
    for (name, _) in &queues {
        if let Some(other) = seen.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            times.mistake(
                "queues",
                format!("{name} and {other} are one queue: Asterisk compares names without case"),
            );
        }
        seen.push(name);
    }
    times.finish();
    WrapUp::new(default, queues, shared)
}

/// Names for devices and queues.
struct Aliases {
    agents: BTreeMap<String, String>,
    queues: BTreeMap<String, String>,
}

impl Aliases {
    fn read(section: Section<'_>) -> Self {
        let map = |key| -> BTreeMap<_, _> {
            section.map(key, checks::plain).unwrap_or_default().into_iter().collect()
        };
        let aliases = Self { agents: map("agents"), queues: map("queues") };
        for (key, names) in [("agents", &aliases.agents), ("queues", &aliases.queues)] {
            let mut seen: Vec<&str> = Vec::new();
            for name in names.keys() {
                if let Some(other) = seen.iter().find(|other| other.eq_ignore_ascii_case(name)) {
                    section.mistake(
                        key,
                        format!("{name} and {other} are one: Asterisk compares them without case"),
                    );
                }
                seen.push(name);
            }
        }
        section.finish();
        aliases
    }
}

/// The patterns at `key`.  Each compiles alone, so together they can only be too big.
pub(super) fn patterns(section: &Section<'_>, key: &'static str) -> Patterns {
    let texts = section.list(key, checks::pattern).unwrap_or_default();
    Patterns::new(texts).unwrap_or_else(|_| {
        section.mistake(key, "too big together: fewer or shorter regular expressions are needed");
        Patterns::default()
    })
}

/// How the connection is kept.
struct Link {
    ping_interval: Duration,
    ping_timeout: Duration,
    queue_status_interval: Duration,
    connect_timeout: Duration,
    reconnect_min: Duration,
    reconnect_max: Duration,
    max_line: usize,
    max_frame: usize,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            // Together below 30 s: that long a dead link goes unnoticed at worst.
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(15),
            queue_status_interval: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            max_line: 65_536,
            max_frame: 1_048_576,
        }
    }
}

impl Link {
    fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let time = |key, sensible: RangeInclusive<Duration>, default| {
            section
                .time(key, checks::duration_from(*sensible.start()), &sensible)
                .unwrap_or(default)
        };
        // the upper ends are questioned, not refused: a dead link that goes unnoticed for so long
        // is hardly meant
        let link = Self {
            ping_interval: time("ping_interval", second..=5 * minute, default.ping_interval),
            ping_timeout: time("ping_timeout", second..=5 * minute, default.ping_timeout),
            queue_status_interval: time(
                "queue_status_interval",
                30 * second..=60 * minute,
                default.queue_status_interval,
            ),
            connect_timeout: time(
                "connect_timeout",
                second / 10..=5 * minute,
                default.connect_timeout,
            ),
            reconnect_min: time("reconnect_min", second / 10..=10 * minute, default.reconnect_min),
            reconnect_max: time("reconnect_max", second / 10..=60 * minute, default.reconnect_max),
            max_line: section
                .read("max_line_bytes", checks::count(LINE_BYTES))
                .unwrap_or(default.max_line),
            max_frame: section
                .read("max_frame_bytes", checks::count(FRAME_BYTES))
                .unwrap_or(default.max_frame),
        };
        link.check_order(section);
        link
    }

    fn check_order(&self, section: &Section<'_>) {
        if self.reconnect_min > self.reconnect_max {
            let key = if section.has("reconnect_max") { "reconnect_max" } else { "reconnect_min" };
            let message = format!(
                "reconnect_min {:?} is longer than reconnect_max {:?}",
                self.reconnect_min, self.reconnect_max
            );
            section.mistake(key, message);
        }
        if self.max_line > self.max_frame {
            let key =
                if section.has("max_frame_bytes") { "max_frame_bytes" } else { "max_line_bytes" };
            let message = format!(
                "max_line_bytes {} is more than max_frame_bytes {}",
                self.max_line, self.max_frame
            );
            section.mistake(key, message);
        }
    }
}

/// Many times the longest secret, and little enough for a wrong path such as `/dev/zero`.
const LONGEST_SECRET_FILE: u64 = 65_536;

/// Longer ones than an hour are milliseconds without their unit.
const WRAP_UPS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);

/// The bits of a file's mode that concern a secret.
const READ_BY_OTHERS: u32 = 0o004;
const OWNER_AND_GROUP: u32 = 0o640;

/// Asterisk's own headers stay below 1 KiB; a megabyte is a wrong figure.
const LINE_BYTES: std::ops::RangeInclusive<usize> = 1024..=1_048_576;

/// From a large event to what no list reply reaches.
const FRAME_BYTES: std::ops::RangeInclusive<usize> = 4096..=67_108_864;
