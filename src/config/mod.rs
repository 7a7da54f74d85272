//! The configuration: file, environment and flags to one typed, checked [`Config`].
//!
//! A later source overrides an earlier one, key by key, even inside an entry of a list.  Reading
//! goes on past a mistake, so that one run shows all of them.  It knows nothing of sockets,
//! runtimes or the command line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::correlator::{Identity, Rules, TrackedLimits};
use crate::metrics::Settings;
use crate::pbx::PbxName;
use crate::tls::Client;

mod checks;
mod credentials;
mod environment;
mod flags;
mod layer;
mod layers;
mod link;
mod mistake;
mod pbx;
mod reference;
mod reload;
mod schema;
mod secret;
mod section;
mod settings;
mod tls;
mod web;
mod web_file;
mod yaml;

#[cfg(test)]
mod tests;

pub use checks::{Address, duration};
pub use environment::PREFIX;
pub use flags::Overrides;
use layers::Layers;
pub use layers::{Document, Sources};
use mistake::Report;
pub use mistake::{Error, Mistake, Place};
pub use reference::{Change, KEYS};
pub use reload::Reloaded;
pub use schema::SCHEMA;
pub use secret::{Secret, UnreadableSecret};
use section::Section;
pub use web::{HealthPath, health_socket};
pub use web_file::{ClientAuth, RateLimit, TlsFile, TlsVersions, WebFile};

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our HTTP side.
    pub web: Web,
    /// The PBXs, at least one, with distinct names.
    pub pbxs: Vec<Pbx>,
    /// The settings of the metrics.
    pub metrics: Settings,
}

/// Our HTTP side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Web {
    /// Where to listen, at least one.  `[::]` stands for every interface, IPv4 included.
    pub listen_address: Vec<SocketAddr>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// The web configuration file: TLS, users, headers and the limit of requests.
    pub config_file: Option<PathBuf>,
    /// Whether systemd opens the sockets, and not we.
    pub systemd_socket: bool,
    /// The Unix socket for health checks; `None` for none.
    pub health_socket: Option<HealthPath>,
    /// Whether a request may ask for a reload.
    pub enable_lifecycle: bool,
    /// Whether there is a wallboard.
    pub wallboard: bool,
    /// How many may follow it at once.
    pub wallboard_viewers: usize,
}

/// One Asterisk server.
#[derive(Clone, Debug)]
pub struct Pbx {
    /// The value of the label `pbx`.
    pub name: PbxName,
    /// Where its manager interface listens.
    pub address: Address,
    /// How the connection is encrypted; `None` for one in clear.
    pub tls: Option<Client>,
    /// The manager account.
    pub username: String,
    /// Its password.
    pub secret: Secret,
    /// Whether the password may go in clear if the PBX refuses MD5.
    pub plain_login: bool,
    /// How its names are read.
    pub rules: Rules,
    /// Other names for its queues.
    pub queue_aliases: BTreeMap<String, String>,
    /// Groups of its queues, by their names or aliases.
    pub groups: BTreeMap<String, String>,
    /// Teams of its agents.
    pub teams: BTreeMap<String, String>,
    /// Its queue_log, which tells what a gap hid.
    pub queue_log: Option<PathBuf>,
    /// When registrations of PJSIP are listed.
    pub registrations: Registrations,
    /// How often a Ping is sent.
    pub ping_interval: Duration,
    /// How long an answer may take.
    pub ping_timeout: Duration,
    /// How often QueueStatus is asked for, since realtime members change without an event.
    pub queue_status_interval: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// The first pause before connecting again.
    pub reconnect_min: Duration,
    /// The longest pause before connecting again.
    pub reconnect_max: Duration,
    /// The longest line taken, in bytes.
    pub max_line: usize,
    /// The longest message taken, in bytes.
    pub max_frame: usize,
}

/// When PJSIPShowRegistrationsOutbound is asked for: Asterisk answers it with the passwords of the
/// registrations as well, in clear.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Registrations {
    /// Over TLS, or if the PBX is on this machine.
    #[default]
    Encrypted,
    /// Over any connection.
    Always,
    /// Not at all.
    Never,
}

impl Registrations {
    /// The value in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl Pbx {
    /// Whether registrations of PJSIP may be listed.
    pub fn lists_registrations(&self) -> bool {
        match self.registrations {
            Registrations::Encrypted => self.tls.is_some() || self.address.is_loopback(),
            Registrations::Always => true,
            Registrations::Never => false,
        }
    }
}

/// The use of a configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// To connect: each PBX needs an address, an account and its secret.
    Run,
    /// To play a capture: none of these is needed or looked at, not even the file must exist, and
    /// without any `pbx` there is one called `replay`.
    Replay,
}

/// A configuration, and warnings about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What does not stop the start, but may not be meant.
    pub warnings: Vec<Mistake>,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// A file that cannot be read, or every mistake found, in the file's order.
    pub fn load(sources: &Sources, purpose: Purpose) -> Result<Loaded, Error> {
        let report = Report::default();
        let layers = Layers::merge(sources, purpose, &report)?;
        let root = Section::root(&layers, &report);

        // Every section is read, also after a mistake, and then come the keys that none asked for.
        let web = web::read(root.child("web"));
        let settings::Read { settings: mut metrics, identity, tracked } = settings::read(&root);
        let mut pbxs = pbx::read_all(&root, purpose, identity);
        for pbx in &mut pbxs {
            pbx.rules.names = metrics.names_kept();
            pbx.rules.tracked = tracked;
            metrics.queue_aliases.add(&pbx.name, pbx.queue_aliases.clone());
            metrics.groups.add(&pbx.name, &pbx.groups, &pbx.teams);
        }
        root.finish();

        let warnings = report.finish()?;
        Ok(Loaded { config: Self { web, pbxs, metrics }, warnings })
    }

    /// The configuration as a file would have it, with every default, and with secrets as `***`.
    ///
    /// # Errors
    /// It cannot be written as YAML.
    pub fn print(&self) -> Result<String, serde_saphyr::SerializeError> {
        reference::print(self)
    }

    /// How much is followed at once, of each PBX.
    fn tracked(&self) -> TrackedLimits {
        self.pbxs.first().map_or_else(TrackedLimits::default, |pbx| pbx.rules.tracked)
    }

    /// What an agent is, on all PBXs.
    fn identity(&self) -> Identity {
        self.pbxs.first().map_or_else(Identity::default, |pbx| pbx.rules.identity)
    }
}
