//! Certificates for a PBX with TLS, made for each test.

use std::sync::Arc;

use asterisk_exporter::tls::{
    File, Fingerprint, Identity, MinVersion, ServerName, Settings, Trust,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SignatureAlgorithm,
};
use support::{fixture, scratch};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion, WantsVerifier,
};

/// Both protocols, the newer first.
pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// A private CA.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both in PEM.
pub(crate) struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for these names.
    pub(crate) fn sign(&self, names: &[&str]) -> Pair {
        self.sign_with(names, |_| {})
    }

    /// The same, with something different.
    pub(crate) fn sign_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        self.sign_key(&params, &KeyPair::generate().unwrap())
    }

    /// A certificate of another kind.
    pub(crate) fn sign_kind(&self, kind: &'static SignatureAlgorithm) -> Pair {
        self.sign_key(&CertificateParams::default(), &KeyPair::generate_for(kind).unwrap())
    }

    fn sign_key(&self, params: &CertificateParams, key: &KeyPair) -> Pair {
        let certificate = params.signed_by(key, &self.0).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Its own certificate.
    pub(crate) fn itself(&self) -> Pair {
        Pair { certificate: self.0.pem(), key: self.0.key().serialize_pem() }
    }

    /// Its certificate in a file of that name.
    pub(crate) fn file(&self, name: &str) -> File {
        file(name, &self.0.pem())
    }

    /// What trusts it.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }
}

impl Pair {
    /// What Asterisk's `ast_tls_cert` makes: X.509 version 1, which has no names.
    pub(crate) fn version_1() -> Self {
        let both = std::fs::read_to_string(fixture("tls/v1.pem")).unwrap();
        Self { certificate: both.clone(), key: both }
    }

    /// The certificate without its key: the key is another of the same kind.
    pub(crate) fn with_another_key(self) -> Self {
        Self { key: std::fs::read_to_string(fixture("tls/rsa.key")).unwrap(), ..self }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der())
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }

    /// A server that shows it.
    pub(crate) fn server(&self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        builder(versions).with_no_client_auth().with_cert_resolver(self.shown())
    }

    /// A server that shows it, and takes only clients whose certificate `authority` has signed.
    pub(crate) fn server_for_clients_of(&self, authority: &Authority) -> ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(authority.roots(), provider);
        builder(BOTH)
            .with_client_cert_verifier(clients.build().unwrap())
            .with_cert_resolver(self.shown())
    }

    /// Its certificate and its key in files of that name.
    pub(crate) fn identity(&self, name: &str) -> Identity {
        Identity {
            certificate: file(&format!("{name}.crt"), &self.certificate),
            key: file(&format!("{name}.key"), &self.key),
        }
    }

    /// Nothing here asks whether the two belong together.
    fn shown(&self) -> Arc<dyn ResolvesServerCert> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let key = ring::sign::any_supported_type(&key).unwrap();
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![self.der()], key)))
    }
}

/// Settings for a PBX that is called `localhost`.
pub(crate) fn settings(trust: Trust) -> Settings {
    Settings {
        server_name: ServerName::try_from("localhost").unwrap(),
        trust,
        identity: None,
        min_version: MinVersion::default(),
    }
}

/// A file of this test run.
pub(crate) fn file(name: &str, content: &str) -> File {
    let path = scratch().join(format!("tls-{}-{name}", std::process::id()));
    std::fs::write(&path, content).unwrap();
    File { named: name.to_owned(), path }
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
}
