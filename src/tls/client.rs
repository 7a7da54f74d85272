//! The files of a PBX's TLS, read and checked.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustls_native_certs::load_native_certs;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, Error, InconsistentKeys, RootCertStore, SupportedProtocolVersion,
};

use super::files::{FileError, Key, certificates, private_key};
use super::fingerprint::Fingerprint;
use super::seen::Seen;
use super::verify::{Pinned, Signed};
use super::{File, MinVersion, Settings, Trust};

/// Settings whose files were read, ready for a handshake.
#[derive(Clone)]
pub struct Client {
    settings: Settings,
    config: Arc<ClientConfig>,
}

impl Client {
    /// Reads the files that `settings` name.  Blocks.
    ///
    /// # Errors
    /// A file that cannot be read, or used for this.
    pub fn load(settings: Settings) -> Result<Self, FileError> {
        // Named, since a process may have several: which one is the default is nobody's decision.
        let provider = Arc::new(ring::default_provider());
        let verifier = verifier(&settings.trust, &provider)?;

        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions(settings.min_version))
            .map_err(FileError::of_system)?;
        // Dangerous is what the library calls any verifier of one's own; both of ours refuse.
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);

        let mut config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = certificates(Key::Certificate, &identity.certificate)?;
                let key = private_key(&identity.key)?;
                if chain.first().and_then(Seen::read).is_some_and(|seen| seen.is_old) {
                    return Err(FileError::new(Key::Certificate, &identity.certificate, OLD));
                }
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| of_pair(&error, &identity.certificate, &identity.key))?
            }
        };
        // A resumed session would not look at the certificate, and sessions here last for weeks.
        config.resumption = Resumption::disabled();
        Ok(Self { settings, config: Arc::new(config) })
    }

    /// The same with the files as they are now.  Blocks.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn reload(&self) -> Result<Self, FileError> {
        Self::load(self.settings.clone())
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What performs the handshake, and the name to ask for.
    pub(crate) fn connector(&self) -> (TlsConnector, ServerName<'static>) {
        (TlsConnector::from(Arc::clone(&self.config)), self.settings.server_name.clone())
    }
}

/// What connects to a page over https, which a CA of this system must have signed.  Blocks.
///
/// # Errors
/// This system has none.
pub fn for_pages() -> Result<TlsConnector, FileError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions(MinVersion::Tls12))
        .map_err(FileError::of_system)?
        .with_root_certificates(system_roots()?)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

/// The rest holds our private key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

fn verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, FileError> {
    let signed = |roots, wrong: &dyn Fn(String) -> FileError| {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Arc::new(Signed(verifier)) as Arc<dyn ServerCertVerifier>)
    };

    match trust {
        Trust::System => signed(system_roots()?, &FileError::of_system),
        Trust::Ca(file) => signed(roots_of(file)?, &|why| FileError::new(Key::Ca, file, why)),
        Trust::Pinned(fingerprints) => Ok(Arc::new(Pinned {
            fingerprints: fingerprints.clone(),
            algorithms: provider.signature_verification_algorithms,
        })),
    }
}

/// Of the many of a system some may be unreadable, which is no reason to do without the others.
fn system_roots() -> Result<Arc<RootCertStore>, FileError> {
    let roots = shared(load_native_certs().certs);
    if roots.is_empty() {
        return Err(FileError::of_system(
            "this system has no certificate of a CA: install ca-certificates, or set ca_file or fingerprint",
        ));
    }
    Ok(roots)
}

/// The same CAs are kept once: those of a system take some 100 KiB, and there may be a thousand PBXs.
fn shared(certificates: Vec<CertificateDer<'static>>) -> Arc<RootCertStore> {
    let now = Fingerprint::of_all(certificates.iter().map(AsRef::as_ref));
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let same = last.as_ref().filter(|(fingerprint, _)| *fingerprint == now);
    if let Some(roots) = same.and_then(|(_, roots)| roots.upgrade()) {
        return roots;
    }

    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let roots = Arc::new(roots);
    *last = Some((now, Arc::downgrade(&roots)));
    roots
}

/// The CAs of this system as they were read last, as long as somebody uses them.
static LAST: Mutex<Option<(Fingerprint, Weak<RootCertStore>)>> = Mutex::new(None);

fn roots_of(file: &File) -> Result<Arc<RootCertStore>, FileError> {
    let mut roots = RootCertStore::empty();
    for (at, certificate) in certificates(Key::Ca, file)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| {
            FileError::new(Key::Ca, file, format!("certificate {} is unusable: {error}", at + 1))
        })?;
    }
    Ok(Arc::new(roots))
}

fn of_pair(error: &Error, certificate: &File, key: &File) -> FileError {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => FileError::new(
            Key::PrivateKey,
            key,
            format_args!("the key does not belong to the certificate in {}", certificate.named),
        ),
        Error::InvalidCertificate(error) => FileError::new(
            Key::Certificate,
            certificate,
            format_args!("the certificate is unusable: {error}"),
        ),
        // The text of the library says no more, and a key is nothing to quote from.
        _ => FileError::new(Key::PrivateKey, key, "the key is of a kind that cannot be used"),
    }
}

fn versions(min: MinVersion) -> &'static [&'static SupportedProtocolVersion] {
    match min {
        MinVersion::Tls12 => &FROM_TLS12,
        MinVersion::Tls13 => &FROM_TLS13,
    }
}

const OLD: &str = "the certificate is of X.509 version 1, which cannot be used: make one of version 3 (docs/tls.md)";

static FROM_TLS12: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static FROM_TLS13: [&SupportedProtocolVersion; 1] = [&TLS13];

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn the_same_cas_are_kept_once_and_only_as_long_as_they_are_used() {
        let [one, other] = [
            &include_bytes!("../../fixtures/tls/client.crt")[..],
            include_bytes!("../../fixtures/tls/v1-ca.crt"),
        ]
        .map(|pem| CertificateDer::from_pem_slice(pem).unwrap());
        let both = vec![one.clone(), other];

        let first = shared(both.clone());
        assert_eq!(first.len(), 2);
        assert!(Arc::ptr_eq(&first, &shared(both.clone())));
        assert_eq!(shared(vec![one]).len(), 1);
        drop(first);
        assert_eq!(shared(both).len(), 2);
    }
}
