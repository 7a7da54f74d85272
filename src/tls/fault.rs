//! What went wrong with TLS, in words that say what to do.

use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

use super::fingerprint::Fingerprint;
use super::seen::{List, Seen};
use crate::calendar::utc;
use crate::clock::Moment;

/// Why there is no encrypted connection, or no more.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// What an error of a handshake means.
    pub fn of_handshake(error: &io::Error) -> Self {
        if let Some(fault) = Self::of(error) {
            return fault;
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self(format!("the pbx closed the connection in the handshake: {IS_IT_TLS}"));
        }
        Self(error.to_string())
    }

    /// The same of any error of a connection; `None` if TLS has nothing to do with it.
    pub fn of(error: &io::Error) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        Some(Self(words(error)))
    }
}

/// Why a certificate was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Refused {
    #[error("its certificate is not the pinned one: its fingerprint is {fingerprint}")]
    OtherFingerprint { fingerprint: Fingerprint },
    #[error(
        "its certificate is of X.509 version 1, as ast_tls_cert makes it, which no CA can vouch for: make one of version 3 \
         (docs/tls.md), or pin this one with tls.fingerprint: {fingerprint}"
    )]
    Old { fingerprint: Fingerprint },
    #[error(
        "its certificate is for no name, since a common name does not count: make one with the subjectAltName {name} \
         (docs/tls.md), or pin this one with tls.fingerprint: {fingerprint}"
    )]
    Nameless { name: String, fingerprint: Fingerprint },
    #[error(
        "its certificate is not for {name}, only for {}: set tls.server_name to one of these if that is this pbx",
        List(names)
    )]
    OtherName { name: String, names: Vec<String> },
    #[error(
        "its certificate is signed by an unknown CA, {issuer}: set tls.ca_file to the certificate of that CA, or pin this \
         one with tls.fingerprint: {fingerprint}"
    )]
    UnknownCa { issuer: String, fingerprint: Fingerprint },
    #[error(
        "its certificate is that of a CA, which no pbx may show: make one for it (docs/tls.md), or pin this one with \
         tls.fingerprint: {fingerprint}"
    )]
    OfCa { fingerprint: Fingerprint },
    #[error("its certificate cannot be used for this ({why}); its fingerprint is {fingerprint}")]
    Unusable { why: String, fingerprint: Fingerprint },
}

impl Refused {
    /// By the error of the check, and what the certificate says, if it can be read.
    pub(super) fn of(
        cause: CertificateError,
        seen: Option<Seen>,
        fingerprint: Fingerprint,
        name: String,
    ) -> Self {
        match (cause, seen) {
            (_, Some(Seen { is_old: true, .. })) => Self::Old { fingerprint },
            (CertificateError::NotValidForNameContext { .. }, Some(Seen { names, .. })) => {
                if names.is_empty() {
                    Self::Nameless { name, fingerprint }
                } else {
                    Self::OtherName { name, names }
                }
            }
            (CertificateError::UnknownIssuer, Some(Seen { issuer, .. })) => {
                Self::UnknownCa { issuer, fingerprint }
            }
            (CertificateError::Other(error), _)
                if matches!(error.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) =>
            {
                Self::OfCa { fingerprint }
            }
            (CertificateError::Other(error), _) => {
                Self::Unusable { why: error.to_string(), fingerprint }
            }
            (cause, _) => Self::Unusable { why: cause.to_string(), fingerprint },
        }
    }
}

fn words(error: &Error) -> String {
    match error {
        // The greeting of a plain manager interface is no record of TLS.
        Error::InvalidMessage(_) => format!("the pbx answered without TLS: {IS_IT_TLS}"),
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(why) => {
            format!("the pbx offers no TLS that is new enough: {why:?}")
        }
        other => other.to_string(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    let date = |seconds: u64| utc(Moment::from_secs(seconds));
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "its certificate expired on {}: renew it, or correct the clock of this machine",
            date(not_after.as_secs())
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "its certificate is not valid before {}: is the clock of this machine right?",
            date(not_before.as_secs())
        ),
        CertificateError::BadSignature => {
            "the handshake is not signed by the key of its certificate, or that is an RSA key of less than 2048 bits"
                .to_owned()
        }
        CertificateError::Other(error) => error.to_string(),
        other => format!("its certificate cannot be used: {other}"),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::ProtocolVersion => "the pbx speaks no TLS as new as tls.min_version".to_owned(),
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            "the pbx has no cipher that the exporter has: look at tlscipher in manager.conf"
                .to_owned()
        }
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => format!(
            "our certificate is not accepted (alert {alert:?}): look at tls.cert_file, and at what is in front of the pbx, \
             since Asterisk asks for none"
        ),
        other => format!("the pbx ended TLS with the alert {other:?}"),
    }
}

const IS_IT_TLS: &str = "is this the port of tlsbindaddr?";

#[cfg(test)]
mod tests {
    /// The table says what to do about each message, so it must quote what is there.
    #[test]
    fn the_documentation_quotes_the_messages() {
        let docs = include_str!("../../docs/tls.md");
        let (_, table) = docs.split_once("| message | what to do |\n").unwrap();
        let sources = [include_str!("fault.rs"), include_str!("../supervisor/end.rs")].concat();
        let mut rows = 0;
        for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
            let message = row.split('`').nth(1).unwrap();
            for part in message.split('…') {
                assert!(sources.contains(part.trim()), "{message}");
            }
            rows += 1;
        }
        assert!(rows > 10, "only {rows} rows");
    }
}
