//! The web configuration file, in the format of Prometheus' exporter-toolkit: TLS, users, headers and
//! the limit of requests.
//!
//! It is read as the configuration is, so that every mistake has its line.  Certificates and keys are
//! read with it; whether they fit together is decided by who uses them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use bcrypt::HashParts;

use super::layers::{Document, Layers, Sources};
use super::mistake::{Error, Mistake, Report};
use super::section::Section;
use super::{Purpose, Secret, checks, credentials};

mod tls;

pub use tls::{ClientAuth, TlsFile, TlsVersions};

/// A web configuration file.
#[derive(Debug)]
pub struct WebFile {
    /// TLS, if the file asks for it.
    pub tls: Option<TlsFile>,
    /// Whether HTTP/2 may be spoken.
    pub http2: bool,
    /// Headers of every answer, by name.
    pub headers: Vec<(&'static str, String)>,
    /// bcrypt hashes by the name of the user; without any, nobody is asked for a password.
    pub users: BTreeMap<String, Secret>,
    /// How many requests are answered.
    pub rate_limit: Option<RateLimit>,
    /// The files it names, whose change is a change of the configuration.
    pub files: Vec<PathBuf>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// How long one request takes to be allowed again.
    pub interval: Duration,
    /// How many are allowed at once.
    pub burst: u32,
}

impl WebFile {
    /// Reads and checks a document, and tells what in it does not stop the start.
    ///
    /// # Errors
    /// It cannot be read, or every mistake in it.
    pub fn load(document: Document) -> Result<(Self, Vec<Mistake>), Error> {
        let report = Report::default();
        let sources = Sources { document, ..Sources::default() };
        let layers = Layers::merge(&sources, Purpose::Run, &report)?;
        let root = Section::root(&layers, &report);

        let mut files = Vec::new();
        let tls = tls::read(root.child("tls_server_config"), &mut files);
        let (http2, headers) = http_server(root.child("http_server_config"));
        let users = users(&root);
        let rate_limit = rate_limit(root.child("rate_limit"));
        root.finish();

        let warnings = report.finish()?;
        Ok((Self { tls, http2, headers, users, rate_limit, files }, warnings))
    }
}

fn http_server(section: Section<'_>) -> (bool, Vec<(&'static str, String)>) {
    let http2 = section.read("http2", checks::yes_or_no).unwrap_or(true);
    let headers = section.child("headers");

    let mut given = Vec::new();
    for &(name, allowed) in HEADERS {
        // A blank one is not sent.
        let value = headers.read(name, |text| header(text, allowed));
        given.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
    }

    headers.finish();
    section.finish();
    (http2, given)
}

fn header(text: &str, allowed: &[&str]) -> Result<String, String> {
    if !allowed.is_empty() && !allowed.contains(&text) {
        return Err(format!("{text:?} is not {}", allowed.join(" or ")));
    }
    if !text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return Err("holds a character that no header may have".to_owned());
    }
    Ok(text.to_owned())
}

fn users(root: &Section<'_>) -> BTreeMap<String, Secret> {
    let users = root.map("basic_auth_users", hash).unwrap_or_default();
    if !users.is_empty() {
        credentials::warn_of_readers_of_file(root, "basic_auth_users");
    }

    for (name, (_, cost)) in &users {
        let key = format!("basic_auth_users.{name}");
        if *cost > SLOWEST {
            let why = format!("a cost of {cost} keeps every login waiting: {SLOWEST} is the most");
            root.mistake(&key, why);
        } else if *cost > SLOW {
            let doubt =
                format!("a cost of {cost} keeps a core busy for seconds at each new password");
            root.warning(&key, doubt);
        }
        if name.contains(':') {
            root.warning(&key, "nobody can log in with a name that has a colon");
        }
    }
    users.into_iter().map(|(name, (hash, _))| (name, hash)).collect()
}

/// The hash and its cost.  The text is no part of a message: it may be a password.
fn hash(text: &str) -> Result<(Secret, u32), String> {
    let parts = HashParts::from_str(text).map_err(|_| NOT_A_HASH.to_owned())?;
    let cost = parts.get_cost();
    if !COSTS.contains(&cost) {
        return Err(format!("a bcrypt hash has a cost from 4 to 31, not {cost}"));
    }
    Ok((Secret::new(text), cost))
}

fn rate_limit(section: Section<'_>) -> Option<RateLimit> {
    let interval = section.read("interval", |text| {
        // The toolkit takes a number without a unit as nanoseconds, in spite of its documentation.
        let Ok(nanoseconds) = text.parse::<u32>() else { return checks::duration(text) };
        if nanoseconds > 0 {
            section.warning("interval", format!("{text} are nanoseconds: did you mean {text}s?"));
        }
        Ok(Duration::from_nanos(nanoseconds.into()))
    });
    let burst = section.read("burst", checks::count(0..=u32::MAX as usize)).unwrap_or_default();

    let limit = interval
        .filter(|interval| !interval.is_zero())
        .map(|interval| RateLimit { interval, burst: burst as u32 });
    if limit.is_some() && burst == 0 {
        section.warning("burst", "0 refuses every request");
    }
    section.finish();
    limit
}

/// The headers that the toolkit lets be set, and their values where only some are allowed.
const HEADERS: &[(&str, &[&str])] = &[
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

const COSTS: std::ops::RangeInclusive<u32> = 4..=31;
/// A cost of 14 takes a second.
const SLOW: u32 = 14;
/// Eight seconds, and one login is checked after the other.
const SLOWEST: u32 = 17;
const NOT_A_HASH: &str =
    "is not a bcrypt hash, which `htpasswd -nBC 10 \"\" | tr -d ':\\n'` makes of a password";
