//! Whether the certificate of a PBX is the right one.

use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerMisbehaved, SignatureScheme,
};

use super::fault::Refused;
use super::fingerprint::Fingerprint;
use super::seen::{Seen, public_key};

/// Accepts what a CA has signed, for the right name and time.
#[derive(Debug)]
pub(super) struct Signed(pub(super) Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Signed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0
            .verify_server_cert(certificate, intermediates, name, ocsp, now)
            .map_err(|error| explained(error, certificate, name))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Adds what a message needs; an error of time has all of it, and keeps its own alert.
fn explained(error: Error, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Error {
    let Error::InvalidCertificate(cause) = error else { return error };
    if matches!(
        cause,
        CertificateError::ExpiredContext { .. } | CertificateError::NotValidYetContext { .. }
    ) {
        return Error::InvalidCertificate(cause);
    }

    let seen = Seen::read(certificate);
    let fingerprint = Fingerprint::of(certificate);
    refused(Refused::of(cause, seen, fingerprint, name.to_str().into_owned()))
}

/// Accepts these certificates only, by the fingerprint.  What a certificate says is of no account
/// then: that the PBX has its key is what the signature of the handshake proves.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fingerprint = Fingerprint::of(certificate);
        if self.fingerprints.contains(&fingerprint) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(refused(Refused::OtherFingerprint { fingerprint }))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate).ok_or(CertificateError::BadEncoding)?;
        let key = webpki::RawPublicKeyEntity::try_from(&key)
            .map_err(|_| CertificateError::BadEncoding)?;

        // In TLS 1.2 a scheme says nothing of the curve: those of all curves are tried, and one that
        // is not of the key is passed over.
        let mapping = self.algorithms.mapping.iter();
        let offered = mapping.filter(|(scheme, _)| *scheme == signature.scheme);
        let Some((_, algorithms)) = offered.into_iter().next() else {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        };
        let verified = algorithms.iter().any(|&algorithm| {
            key.verify_signature(algorithm, message, signature.signature()).is_ok()
        });
        if verified {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate).ok_or(CertificateError::BadEncoding)?;
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn refused(why: Refused) -> Error {
    CertificateError::Other(OtherError(Arc::new(why))).into()
}
