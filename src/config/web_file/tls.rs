//! The section `tls_server_config`.

use std::path::PathBuf;

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{CipherSuite, NamedGroup};

use super::super::section::{PASTED, Section, is_pasted};
use super::super::{checks, credentials};
use crate::tls::{certificates_in, private_key_in, read_pem};

/// The section `tls_server_config` of a file that asks for TLS.
#[derive(Debug)]
pub struct TlsFile {
    /// The server's certificate, and those between it and its CA.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// Which CAs vouch for clients.
    pub client_cas: Vec<CertificateDer<'static>>,
    /// Names of which a client's certificate must have one; `None` if any will do.
    pub client_sans: Option<Vec<String>>,
    /// The versions that are spoken.
    pub versions: TlsVersions,
    /// The cipher suites of TLS 1.2, best first; `None` for the usual ones.
    pub cipher_suites: Option<Vec<CipherSuite>>,
    /// Whether the order of [`cipher_suites`](Self::cipher_suites) is stronger than the client's.
    pub prefer_own_order: bool,
    /// The curves, best first; `None` for the usual ones.
    pub curves: Option<Vec<NamedGroup>>,
}

/// What is asked of clients, as Go's `crypto/tls` has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ClientAuth {
    /// Nothing.
    #[default]
    None,
    /// A certificate, if there is one, which need not be of a known CA.
    Request,
    /// A certificate, which need not be of a known CA.
    RequireAny,
    /// If there is a certificate, it must be of a known CA.
    VerifyIfGiven,
    /// A certificate of a known CA.
    RequireAndVerify,
}

/// The versions of TLS, at least one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TlsVersions {
    /// 1.2.
    pub tls12: bool,
    /// 1.3.
    pub tls13: bool,
}

/// Reads the section, and names the files that it depends on in `files`.
pub(super) fn read(section: Section<'_>, files: &mut Vec<PathBuf>) -> Option<TlsFile> {
    // Every key is read before the first mistake ends it, so that one run shows all mistakes.
    let certificate = certificates(&section, "cert_file", "cert", files);
    let key = private_key(&section, files);
    let client_ca = certificates(&section, "client_ca_file", "client_ca", files);
    let client_auth = section.read("client_auth_type", client_auth).flatten();
    let client_sans = client_sans(&section);
    let versions = versions(&section);
    let cipher_suites = cipher_suites(&section, versions);
    let curves = curves(&section);
    let prefer = section.read("prefer_server_cipher_suites", checks::yes_or_no);

    let asked_for = certificate.is_some() || key.is_some() || client_ca.is_some();
    if !asked_for && client_auth.is_none() {
        if !section.is_empty() {
            section.doubt("no TLS without cert_file and key_file");
        }
        section.finish();
        return None;
    }

    let client_auth = client_auth.unwrap_or_default();
    check_clients(&section, client_auth, client_ca.is_some());
    for (given, key, what) in [
        (certificate.is_some(), "cert_file", "the server's certificate"),
        (key.is_some(), "key_file", "the key of the server's certificate"),
    ] {
        if !given {
            section.missing(key, format!("missing: {what}"));
        }
    }
    section.finish();

    Some(TlsFile {
        chain: certificate??,
        key: key??,
        client_auth,
        client_cas: client_ca.unwrap_or_else(|| Some(Vec::new()))?,
        client_sans,
        versions: versions?,
        cipher_suites,
        prefer_own_order: prefer.unwrap_or(true),
        curves,
    })
}

/// What one key of two gives: `None` without either, `Some(None)` if it is wrong.
type Given<T> = Option<Option<T>>;

fn certificates(
    section: &Section<'_>,
    file: &'static str,
    inline: &'static str,
    files: &mut Vec<PathBuf>,
) -> Given<Vec<CertificateDer<'static>>> {
    given(section, file, inline, files).map(|pem| pem?.parse(section, certificates_in))
}

fn private_key(section: &Section<'_>, files: &mut Vec<PathBuf>) -> Given<PrivateKeyDer<'static>> {
    let given = given(section, "key_file", "key", files)?;
    let Some(pem) = given else { return Some(None) };
    match &pem.path {
        Some(path) => credentials::warn_of_readers(section, pem.key, path),
        None => credentials::warn_of_readers_of_file(section, pem.key),
    }
    Some(pem.parse(section, private_key_in))
}

/// PEM text, which may hold a key, so that nothing prints it.
struct Pem {
    key: &'static str,
    path: Option<PathBuf>,
    text: Vec<u8>,
}

/// The text of the file that the key `file` names, or else that of the key `inline`.
fn given(
    section: &Section<'_>,
    file: &'static str,
    inline: &'static str,
    files: &mut Vec<PathBuf>,
) -> Given<Pem> {
    let text = |key| section.read(key, |text| Ok(text.to_owned())).filter(|text| !text.is_empty());
    let (path, text) = (text(file), text(inline));

    let Some(path) = path else {
        return text.map(|text| Some(Pem { key: inline, path: None, text: text.into_bytes() }));
    };
    if is_pasted(&path) {
        section.mistake(file, PASTED);
        return Some(None);
    }
    if text.is_some() {
        section.warning(inline, format!("ignored, since {file} is given"));
    }

    let path = section.beside_file(file, &path);
    files.push(path.clone());
    match read_pem(&path) {
        Ok(text) => Some(Some(Pem { key: file, path: Some(path), text })),
        Err(error) => {
            section.mistake(file, format!("{}: not readable: {error}", path.display()));
            Some(None)
        }
    }
}

impl Pem {
    fn parse<T>(
        &self,
        section: &Section<'_>,
        parse: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Option<T> {
        let wrong = |problem| match &self.path {
            Some(path) => section.mistake(self.key, format!("{}: {problem}", path.display())),
            None => section.mistake(self.key, problem),
        };
        parse(&self.text).map_err(wrong).ok()
    }
}

/// A blank one is none.
fn client_auth(text: &str) -> Result<Option<ClientAuth>, String> {
    let words = CLIENT_AUTHS.iter().filter(|(word, _)| *word != OLD_WORD).map(|&(word, _)| word);
    if text.is_empty() {
        return Ok(None);
    }
    match CLIENT_AUTHS.iter().find(|(word, _)| *word == text) {
        Some((_, auth)) => Ok(Some(*auth)),
        None => Err(format!("{text} is none of {}", words.collect::<Vec<_>>().join(", "))),
    }
}

fn client_sans(section: &Section<'_>) -> Option<Vec<String>> {
    let sans = section.list("client_allowed_sans", |text| Ok(text.to_owned()))?;
    if sans.is_empty() {
        section.mistake("client_allowed_sans", "is empty: leave it out to allow every name");
    }
    Some(sans)
}

/// What would let clients in that somebody meant to keep out.
fn check_clients(section: &Section<'_>, auth: ClientAuth, has_ca: bool) {
    if auth == ClientAuth::None && has_ca {
        let ca = if section.has("client_ca_file") { "client_ca_file" } else { "client_ca" };
        section.mistake(ca, "needs a client_auth_type that asks for certificates");
    }
    if auth == ClientAuth::None && section.has("client_allowed_sans") {
        let message = "needs a client_auth_type that asks for certificates";
        section.mistake("client_allowed_sans", message);
    }

    // Go would trust every CA of the system.
    if matches!(auth, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify) && !has_ca {
        let message = "no certificate of a client is valid without client_ca_file";
        section.warning("client_auth_type", message);
    }

    // Whoever makes a certificate of their own gets in, with any name in it.
    let relies_on_them = has_ca || section.has("client_allowed_sans");
    if matches!(auth, ClientAuth::Request | ClientAuth::RequireAny) && relies_on_them {
        let message = "any certificate is taken, whoever issued it: RequireAndVerifyClientCert \
                       takes those of the CA only";
        section.warning("client_auth_type", message);
    }
}

fn versions(section: &Section<'_>) -> Option<TlsVersions> {
    let min = section.read("min_version", version).unwrap_or(12);
    let max = section.read("max_version", version).unwrap_or(13);
    if min < 12 && section.has("min_version") {
        section.warning("min_version", "TLS 1.2 is the oldest version that is spoken here");
    }

    let versions = TlsVersions { tls12: min <= 12 && max >= 12, tls13: max >= 13 };
    if max < 12 {
        section.mistake("max_version", "TLS 1.2 is the oldest version that is spoken here");
        return None;
    }
    if min > max {
        section.mistake("max_version", "older than min_version");
        return None;
    }
    Some(versions)
}

fn version(text: &str) -> Result<u8, String> {
    let found = VERSIONS.iter().find(|(word, _)| *word == text);
    found
        .map(|&(_, version)| version)
        .ok_or_else(|| format!("{text} is none of {}", words(VERSIONS)))
}

fn cipher_suites(section: &Section<'_>, versions: Option<TlsVersions>) -> Option<Vec<CipherSuite>> {
    let key = "cipher_suites";
    let named = section.list(key, |text| {
        let found = SUITES.iter().find(|(name, _)| *name == text);
        found.copied().ok_or_else(|| format!("{text} is not a cipher suite"))
    })?;
    for (name, _) in named.iter().filter(|(_, suite)| suite.is_none()) {
        section.warning(key, format!("{name} is not spoken here, and ignored"));
    }

    // Those of TLS 1.3 cannot be chosen, in Go as well.
    let suites: Vec<_> = named.iter().filter_map(|(_, suite)| *suite).filter(is_tls12).collect();
    if suites.is_empty() && !named.is_empty() && versions.is_some_and(|it| it.tls12) {
        if versions.is_some_and(|it| !it.tls13) {
            section.mistake(key, "none of them is spoken here with TLS 1.2");
        } else {
            section.warning(key, "none of them is spoken here with TLS 1.2: only TLS 1.3 is left");
        }
    }
    (!named.is_empty()).then_some(suites)
}

fn is_tls12(suite: &CipherSuite) -> bool {
    !TLS13_SUITES.contains(suite)
}

fn curves(section: &Section<'_>) -> Option<Vec<NamedGroup>> {
    let key = "curve_preferences";
    let named = section.list(key, |text| {
        let found = CURVES.iter().find(|(name, _)| *name == text);
        found.copied().ok_or_else(|| format!("{text} is none of {}", words(CURVES)))
    })?;
    for (name, _) in named.iter().filter(|(_, curve)| curve.is_none()) {
        section.warning(key, format!("{name} is not spoken here, and ignored"));
    }

    let curves: Vec<_> = named.iter().filter_map(|(_, curve)| *curve).collect();
    if curves.is_empty() && !named.is_empty() {
        section.mistake(key, "none of them is spoken here");
    }
    (!curves.is_empty()).then_some(curves)
}

fn words<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

const OLD_WORD: &str = "RequireClientCert";
/// Go's words, and an older one that the toolkit still takes.
const CLIENT_AUTHS: &[(&str, ClientAuth)] = &[
    ("NoClientCert", ClientAuth::None),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
    (OLD_WORD, ClientAuth::RequireAny),
];

/// Minor numbers: TLS 1.2 is 12.
const VERSIONS: &[(&str, u8)] = &[("TLS13", 13), ("TLS12", 12), ("TLS11", 11), ("TLS10", 10)];

/// Those that Go has by name and does not call insecure, in any of its releases from 1.20 on; `None` if
/// rustls has left it out.
const SUITES: &[(&str, Option<CipherSuite>)] = &[
    ("TLS_AES_128_GCM_SHA256", Some(CipherSuite::TLS13_AES_128_GCM_SHA256)),
    ("TLS_AES_256_GCM_SHA384", Some(CipherSuite::TLS13_AES_256_GCM_SHA384)),
    ("TLS_CHACHA20_POLY1305_SHA256", Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256)),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", None),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", None),
];

const TLS13_SUITES: &[CipherSuite] = &[
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// `None` if the provider of rustls' cryptography, ring, does not have it.
const CURVES: &[(&str, Option<NamedGroup>)] = &[
    ("CurveP256", Some(NamedGroup::secp256r1)),
    ("CurveP384", Some(NamedGroup::secp384r1)),
    ("CurveP521", None),
    ("X25519", Some(NamedGroup::X25519)),
];
