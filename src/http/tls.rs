//! TLS as a web configuration file asks for it.

use std::net::IpAddr;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme, version,
};
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use crate::config::{ClientAuth, TlsFile};

/// What does not fit together in the section `tls_server_config`.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("tls_server_config: certificate and key do not go together, or are of no known kind")]
    Certificate(#[source] Error),
    #[error("tls_server_config: a certificate of client_ca cannot vouch for others")]
    ClientCa(#[source] Error),
    #[error("tls_server_config: the versions and cipher suites leave nothing to speak")]
    Nothing(#[source] Error),
}

/// Which clients a file lets in by their certificates.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Policy {
    auth: ClientAuth,
    cas: Vec<CertificateDer<'static>>,
    sans: Option<Vec<String>>,
}

impl Policy {
    pub(super) fn of(file: &TlsFile) -> Self {
        let TlsFile { client_auth, client_cas, client_sans, .. } = file;
        Self { auth: *client_auth, cas: client_cas.clone(), sans: client_sans.clone() }
    }

    /// Whether clients are asked for a certificate.
    pub(super) fn asks(&self) -> bool {
        self.auth != ClientAuth::None
    }

    /// Whether the names in it count.
    pub(super) const fn names_count(&self) -> bool {
        self.sans.is_some()
    }
}

/// The configuration of TLS for connections from now on.
pub(super) fn server_config(file: &TlsFile, http2: bool) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(provider(file));
    let mut versions = Vec::new();
    versions.extend(file.versions.tls13.then_some(&version::TLS13));
    versions.extend(file.versions.tls12.then_some(&version::TLS12));

    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(TlsError::Nothing)?;
    let builder = match file.client_auth {
        ClientAuth::None => builder.with_no_client_auth(),
        _ => builder.with_client_cert_verifier(Arc::new(Clients::new(file, &provider)?)),
    };
    let mut config = builder
        .with_single_cert(file.chain.clone(), file.key.clone_key())
        .map_err(TlsError::Certificate)?;

    if file.client_auth != ClientAuth::None {
        // A resumed session would not look at the client's certificate, which may have expired since.
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    config.ignore_client_order = file.cipher_suites.is_some() && file.prefer_own_order;
    config.alpn_protocols = if http2 { vec![H2.into(), HTTP1.into()] } else { vec![HTTP1.into()] };
    Ok(Arc::new(config))
}

const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The cryptography with the suites and curves that the file names, in its order.
fn provider(file: &TlsFile) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if let Some(wanted) = &file.cipher_suites {
        // The file cannot choose among those of TLS 1.3, in Go as well.
        let tls13 = provider.cipher_suites.iter().filter(|suite| suite.tls13().is_some());
        let find = |name| provider.cipher_suites.iter().find(|suite| suite.suite() == name);
        let chosen = wanted.iter().filter_map(|&name| find(name));
        provider.cipher_suites = tls13.chain(chosen).copied().collect();
    }
    if let Some(wanted) = &file.curves {
        let find = |name| provider.kx_groups.iter().find(|group| group.name() == name);
        provider.kx_groups = wanted.iter().filter_map(|&name| find(name)).copied().collect();
    }
    provider
}

/// Which clients' certificates are taken.
#[derive(Debug)]
struct Clients {
    auth: ClientAuth,
    /// Checks that a known CA vouches for a certificate; `None` without any CA.
    known: Option<Arc<dyn ClientCertVerifier>>,
    /// Certificates that are taken as they are.
    trusted: Vec<CertificateDer<'static>>,
    sans: Option<Vec<String>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Clients {
    fn new(file: &TlsFile, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for ca in &file.client_cas {
            // webpki takes any root for a CA.  One that says it is none is only taken as it is.
            if is_ca(ca) {
                roots.add(ca.clone()).map_err(TlsError::ClientCa)?;
            }
        }

        // It refuses to be built without a root.
        let roots = (!roots.is_empty()).then(|| Arc::new(roots));
        let known = roots.and_then(|roots| {
            WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider)).build().ok()
        });
        Ok(Self {
            auth: file.client_auth,
            known,
            trusted: file.client_cas.clone(),
            sans: file.client_sans.clone(),
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn check_issuer(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let checked = match &self.known {
            Some(known) => known.verify_client_cert(certificate, intermediates, now).map(drop),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let Err(error) = checked else { return Ok(()) };

        // What `openssl req -x509` makes vouches for itself and says that it is a CA, which webpki takes
        // for no client.  Go takes it if it is itself among the CAs.
        if self.trusted.iter().any(|trusted| trusted == certificate) {
            return check_validity(certificate, now);
        }
        Err(error)
    }

    /// Go compares the texts as they are, and knows no wildcard here.
    fn check_names(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.sans else { return Ok(()) };
        let names = names(certificate)?;
        if names.iter().any(|name| allowed.contains(name)) {
            return Ok(());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        // Without a certificate there is no allowed name either.
        matches!(self.auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify)
            || self.sans.is_some()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.known.as_ref().map_or(&[], |known| known.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.auth {
            ClientAuth::None | ClientAuth::Request | ClientAuth::RequireAny => {}
            ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => {
                self.check_issuer(end_entity, intermediates, now)?;
            }
        }
        self.check_names(end_entity)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn parse(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

/// Whether it may vouch for others, as Go sees it: version 3 has to say so.
fn is_ca(certificate: &CertificateDer<'_>) -> bool {
    // The store of roots says what is wrong with one that cannot be read.
    let Ok(parsed) = parse(certificate) else { return true };
    let body = parsed.tbs_certificate();
    body.version() != Version::V3
        || matches!(body.get_extension::<BasicConstraints>(), Ok(Some((_, it))) if it.ca)
}

fn check_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let parsed = parse(certificate)?;
    let validity = parsed.tbs_certificate().validity();
    let now = now.as_secs();

    if validity.not_before.to_unix_duration().as_secs() > now {
        return Err(CertificateError::NotValidYet.into());
    }
    if validity.not_after.to_unix_duration().as_secs() < now {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// The subject alternative names as Go prints them.
fn names(certificate: &CertificateDer<'_>) -> Result<Vec<String>, Error> {
    let bad = |_| Error::from(CertificateError::BadEncoding);
    let parsed = parse(certificate)?;
    let found = parsed.tbs_certificate().get_extension::<SubjectAltName>().map_err(bad)?;
    let Some((_, SubjectAltName(names))) = found else { return Ok(Vec::new()) };

    Ok(names.iter().filter_map(text).collect())
}

fn text(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(text)
        | GeneralName::Rfc822Name(text)
        | GeneralName::UniformResourceIdentifier(text) => Some(text.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(|it| it.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}
