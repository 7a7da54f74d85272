//! What the certificate of a PBX says, for messages and for pinning.
//!
//! All of it was written by the other side: texts are escaped and cut.

use std::fmt;
use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// A certificate as far as messages need it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Seen {
    /// Whether it is older than version 3, and so cannot have names.
    pub(super) is_old: bool,
    /// The names it is for, and those that are too many to print as a number.
    pub(super) names: Vec<String>,
    /// Who signed it.
    pub(super) issuer: String,
}

impl Seen {
    /// Reads a certificate in DER; `None` if it is none.
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let body = certificate.tbs_certificate();
        Some(Self {
            is_old: body.version() != Version::V3,
            names: names(&certificate),
            issuer: printable(&body.issuer().to_string()),
        })
    }
}

/// The public key of a certificate of any version.
pub(super) fn public_key(
    certificate: &CertificateDer<'_>,
) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let key = certificate.tbs_certificate().subject_public_key_info().to_der().ok()?;
    Some(key.into())
}

fn names(certificate: &Certificate) -> Vec<String> {
    let extension = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(all)))) = extension else { return Vec::new() };
    let mut names: Vec<String> = all.iter().filter_map(name).collect();

    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names
}

/// Only these two kinds can be the name of a PBX.
fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(printable(name.as_str())),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(|ip| ip.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Text of the other side that may go into a log: letters of every language, and no sign that could
/// hide or turn what follows.
fn printable(text: &str) -> String {
    let mut cut = String::new();
    for letter in text.chars().take(LONGEST) {
        if letter.is_alphanumeric() || letter.is_ascii_graphic() || letter == ' ' {
            cut.push(letter);
        } else {
            cut.extend(letter.escape_unicode());
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}

/// Names in a row, as they stand in a sentence.
pub(super) struct List<'a>(pub(super) &'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// A certificate has one or two names; one with a hundred is that of a hoster.
const NAMES: usize = 8;

/// The longest DNS name has 253 characters, and few have a fourth of it.
const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_other_side_is_cut_and_harmless() {
        assert_eq!(printable("CN=Größe, O=\u{202e}x\n"), "CN=Größe, O=\\u{202e}x\\u{a}");
        assert_eq!(printable(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(printable(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        assert_eq!(address(&[10, 0, 0, 5]).unwrap().to_string(), "10.0.0.5");
        let mut v6 = [0; 16];
        v6[15] = 1;
        assert_eq!(address(&v6).unwrap().to_string(), "::1");
        assert_eq!(address(&[1, 2, 3]), None);
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        for bytes in [&b""[..], b"\x30\x82", &[0xff; 64]] {
            assert_eq!(Seen::read(&bytes.into()), None);
            assert!(public_key(&bytes.into()).is_none());
        }
    }
}
