//! TLS to a PBX: by what it is recognised, and what is wrong when it is not.
//!
//! The files are read when the configuration is, and again for each connection, so a renewed
//! certificate needs no restart.  A PBX is always recognised by something: a CA of this system, one
//! of a file, or the fingerprint of its certificate.  There is no way to accept any certificate.
//!
//! Certificates and keys of our own pages are read here, too.
//!
//! It knows nothing of sockets: `ami::connection` performs the handshake.

mod client;
mod fault;
mod files;
mod fingerprint;
mod seen;
mod verify;

use std::path::PathBuf;

pub use client::{Client, for_pages};
pub use fault::Fault;
pub use files::{FileError, Key, certificates_in, private_key_in, read_pem};
pub use fingerprint::Fingerprint;
pub use tokio_rustls::rustls::pki_types::ServerName;

/// How one PBX is recognised, and how we show who we are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The name its certificate must have; also what is asked for (SNI).
    pub server_name: ServerName<'static>,
    /// By what its certificate is recognised.
    pub trust: Trust,
    /// Our own certificate, if the PBX asks for one.
    pub identity: Option<Identity>,
    /// The oldest protocol that is spoken.
    pub min_version: MinVersion,
}

impl Settings {
    /// The files that they name, as they are written in the configuration.
    pub fn files(&self) -> Vec<&str> {
        let ca = match &self.trust {
            Trust::Ca(file) => Some(file.named.as_str()),
            Trust::System => Some("the CAs of this system"),
            Trust::Pinned(_) => None,
        };
        let own = self.identity.iter().flat_map(|own| [&own.certificate, &own.key]);
        ca.into_iter().chain(own.map(|file| file.named.as_str())).collect()
    }
}

/// By what the certificate of a PBX is recognised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trust {
    /// It is signed by a CA of this system, for the right name and time.
    System,
    /// The same with the CAs of a file.
    Ca(File),
    /// It is one of these, whatever its names, its time and its version are.
    Pinned(Vec<Fingerprint>),
}

/// Our own certificate, with its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The certificate, and those between it and its CA.
    pub certificate: File,
    /// Its private key.
    pub key: File,
}

/// A file of the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// As it is written there.
    pub named: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The oldest protocol that is spoken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MinVersion {
    /// TLS 1.2, as Asterisk on old systems has it.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}
