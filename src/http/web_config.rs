//! The web configuration file in use: read again when it or a file it names has changed.
//!
//! A file that is wrong while we run refuses what depends on it, as the toolkit has it: nobody gets in
//! by breaking it.  What it protected at the start stays protected until a restart, so that a file that
//! is cut off for a moment opens nothing.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use tokio_rustls::rustls::ServerConfig;
use tracing::{error, info, warn};

use super::passwords::{Passwords, Users};
use super::rate_limit::Bucket;
use super::tls::{self, Policy};
use super::turns::Turns;
use crate::clock::{Clock, Moment};
use crate::config::{self, Document, Mistake, RateLimit, WebFile};
use crate::error::with_causes;

/// The web configuration file, and what is known of it.
pub struct WebConfig {
    path: PathBuf,
    clock: Clock,
    /// What has to be protected as long as this process runs.
    protects: Protects,
    current: Mutex<Reading>,
    turns: Turns<(), ()>,
    told: Mutex<Told>,
    pub(super) passwords: Arc<Passwords>,
    pub(super) bucket: Bucket,
}

/// Why a web configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WebConfigError {
    /// It cannot be read, or is wrong in itself.
    #[error(transparent)]
    File(#[from] config::Error),
    /// Its parts do not fit together.
    #[error("{}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There are no random numbers.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
}

/// One reading of the file, for connections and requests from now on.
#[derive(Debug)]
pub(super) struct Access {
    /// How TLS is spoken; `None` for connections without it.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) http2: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) users: Users,
    pub(super) rate_limit: Option<RateLimit>,
    /// Which clients TLS lets in; `None` without it.
    pub(super) policy: Option<Arc<Policy>>,
}

impl Access {
    fn asks_for_certificates(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.asks())
    }

    fn names_count(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.names_count())
    }
}

/// What the file had at the start.
#[derive(Clone, Copy, Debug)]
struct Protects {
    tls: bool,
    clients: bool,
    names: bool,
    users: bool,
}

/// What was read, and of which versions of which files.
#[derive(Debug)]
struct Reading {
    /// `None` while the file is wrong.
    access: Option<Arc<Access>>,
    /// `None` if it must be read again in any case.
    of: Option<Vec<(PathBuf, Version)>>,
    warnings: Vec<String>,
}

/// What is different after a file was written or replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What the log was told last, and when.
#[derive(Debug, Default)]
struct Told {
    wrong: Option<Moment>,
}

impl WebConfig {
    /// Reads the file, and tells what in it does not stop the start.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn open(path: &Path, clock: Clock) -> Result<(Self, Vec<Mistake>), WebConfigError> {
        let (access, files, warnings) = read(path)?;
        let protects = Protects {
            tls: access.tls.is_some(),
            clients: access.asks_for_certificates(),
            names: access.names_count(),
            users: !access.users.is_empty(),
        };
        let passwords = Passwords::new().map_err(WebConfigError::Random)?;

        let reading = Reading {
            access: Some(Arc::new(access)),
            of: versions(path, files, clock.now()),
            warnings: warnings.iter().map(Mistake::to_string).collect(),
        };
        let this = Self {
            path: path.to_owned(),
            clock,
            protects,
            current: Mutex::new(reading),
            turns: Turns::default(),
            told: Mutex::default(),
            passwords: Arc::new(passwords),
            bucket: Bucket::default(),
        };
        Ok((this, warnings))
    }

    /// Whether TLS is spoken as long as this process runs.
    pub const fn has_tls(&self) -> bool {
        self.protects.tls
    }

    /// What holds now; `None` while the file is wrong.
    ///
    /// Files are looked at on a thread for blocking work: they may be on a disk that hangs.
    pub(super) async fn access(self: &Arc<Self>) -> Option<Arc<Access>> {
        let this = Arc::clone(self);
        let look = async move { tokio::task::spawn_blocking(move || this.look()).await };
        self.turns.run((), look).await.ok()?;
        self.current().access.clone()
    }

    /// Reads the file again if it is not the one that was read.
    fn look(&self) {
        let of = self.current().of.clone();
        if of.is_some_and(|of| of.iter().all(|(path, version)| Version::of(path) == Some(*version)))
        {
            return;
        }

        let now = self.clock.now();
        let reading = match read(&self.path).and_then(|found| self.still_protects(found)) {
            Ok((access, files, warnings)) => Reading {
                access: Some(Arc::new(access)),
                of: versions(&self.path, files, now),
                warnings: warnings.iter().map(Mistake::to_string).collect(),
            },
            Err(err) => {
                self.tell_wrong(&err, now);
                let warnings = std::mem::take(&mut self.current().warnings);
                Reading { access: None, of: None, warnings }
            }
        };
        self.take_over(reading);
    }

    fn still_protects(&self, found: Found) -> Result<Found, WebConfigError> {
        let (access, ..) = &found;
        let lost = match self.protects {
            Protects { tls: true, .. } if access.tls.is_none() => "tls_server_config",
            Protects { clients: true, .. } if !access.asks_for_certificates() => "client_auth_type",
            Protects { names: true, .. } if !access.names_count() => "client_allowed_sans",
            Protects { users: true, .. } if access.users.is_empty() => "basic_auth_users",
            _ => return Ok(found),
        };
        let source = format!("{lost} is gone: to go on without it needs a restart").into();
        Err(WebConfigError::Tls { path: self.path.clone(), source })
    }

    fn take_over(&self, reading: Reading) {
        let mut current = self.current();
        if reading.access.is_some() {
            for warning in reading.warnings.iter().filter(|it| !current.warnings.contains(it)) {
                warn!("{warning}");
            }
            if self.told().wrong.take().is_some() {
                info!(path = %self.path.display(), "web configuration is right again");
            }
        }
        *current = reading;
    }

    /// Whoever connects makes us look, so a lasting mistake is told once a minute.
    fn tell_wrong(&self, err: &WebConfigError, now: Moment) {
        if self.told().is_due(now) {
            error!(error = %with_causes(err), "web configuration refuses everybody until it is right");
        }
    }

    fn current(&self) -> MutexGuard<'_, Reading> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// Whether the log is told of a mistake that is there `now`.
    fn is_due(&mut self, now: Moment) -> bool {
        let due = self.wrong.is_none_or(|last| now.since(last) >= PAUSE);
        if due {
            self.wrong = Some(now);
        }
        due
    }
}

type Found = (Access, Vec<PathBuf>, Vec<Mistake>);

fn read(path: &Path) -> Result<Found, WebConfigError> {
    let (file, warnings) = WebFile::load(Document::File(path.to_owned()))?;
    let tls = file.tls.as_ref().map(|tls| tls::server_config(tls, file.http2));
    let tls = tls
        .transpose()
        .map_err(|source| WebConfigError::Tls { path: path.to_owned(), source: source.into() })?;

    // The file has checked their characters.
    let header = |(name, value): &(&'static str, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value).ok()?))
    };
    let headers = file.headers.iter().filter_map(header).collect();

    let policy = file.tls.as_ref().map(|tls| Arc::new(Policy::of(tls)));
    let WebFile { http2, users, rate_limit, files, .. } = file;
    Ok((Access { tls, http2, headers, users, rate_limit, policy }, files, warnings))
}

/// The versions of the files that were read just now, unless one is so new that a change after the
/// reading might not show.
fn versions(path: &Path, files: Vec<PathBuf>, now: Moment) -> Option<Vec<(PathBuf, Version)>> {
    let all = [path.to_owned()].into_iter().chain(files);
    let all = all.map(|path| {
        let version = Version::of(&path)?;
        version.is_old(now).then_some((path, version))
    });
    all.collect()
}

impl Version {
    fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok()?;
        Some(Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        })
    }

    /// File systems have times of some milliseconds; a network's may have seconds.
    fn is_old(&self, now: Moment) -> bool {
        let changed = u64::try_from(self.changed.0).unwrap_or_default();
        now.since(Moment::from_secs(changed)) > SETTLED
    }
}

/// Between two lines about the same lasting mistake.
const PAUSE: Duration = Duration::from_secs(60);
const SETTLED: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_mistake_is_told_once_a_minute() {
        let mut told = Told::default();
        let told_at: Vec<_> = (0..=130).filter(|&at| told.is_due(Moment::from_secs(at))).collect();
        assert_eq!(told_at, [0, 60, 120]);

        // One that comes after the file was right is another one.
        told.wrong.take();
        assert!(told.is_due(Moment::from_secs(131)));
    }
}
