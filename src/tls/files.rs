//! Certificates and keys in files: PEM, as Asterisk and openssl use it.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::File;

/// The key of the configuration that names a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// The CAs of this system, which no key names.
    System,
    /// `ca_file`.
    Ca,
    /// `cert_file`.
    Certificate,
    /// `key_file`.
    PrivateKey,
}

/// What is wrong with a file.  Its content is never in the text.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct FileError {
    /// The key that names it.
    pub key: Key,
    /// The file as it is named, and what is wrong.
    text: String,
}

impl FileError {
    pub(super) fn new(key: Key, file: &File, problem: impl fmt::Display) -> Self {
        Self { key, text: format!("{}: {problem}", file.named) }
    }

    pub(super) fn of_system(problem: impl fmt::Display) -> Self {
        Self { key: Key::System, text: problem.to_string() }
    }
}

/// The certificates of a file, at least one.
///
/// # Errors
/// It cannot be read, or has none.
pub(super) fn certificates(
    key: Key,
    file: &File,
) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let bytes = read_pem(&file.path).map_err(|error| FileError::new(key, file, error))?;
    certificates_in(&bytes).map_err(|problem| FileError::new(key, file, problem))
}

/// The first private key of a file.
///
/// # Errors
/// It cannot be read, or has none that is readable without a password.
pub(super) fn private_key(file: &File) -> Result<PrivateKeyDer<'static>, FileError> {
    let wrong = |problem: &dyn fmt::Display| FileError::new(Key::PrivateKey, file, problem);
    let bytes = read_pem(&file.path).map_err(|error| wrong(&error))?;
    private_key_in(&bytes).map_err(|problem| wrong(&problem))
}

/// The certificates in PEM, at least one.
///
/// # Errors
/// What is wrong, without any of the text.
pub fn certificates_in(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| damaged(&error))?;
    if certificates.is_empty() {
        let der = if is_der(pem) { DER } else { "" };
        return Err(format!("no certificate in it{der}"));
    }
    Ok(certificates)
}

/// The first private key in PEM.
///
/// # Errors
/// What is wrong, without any of the text.
pub fn private_key_in(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    // The traditional form of an encrypted key looks like a key in clear but for its headers.
    let has = |word: &str| pem.windows(word.len()).any(|window| window == word.as_bytes());
    if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") {
        let problem = "the key is encrypted, and nobody is there to give its password: \
                       write it in clear with openssl pkey -in … -out …";
        return Err(problem.to_owned());
    }

    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        PemError::NoItemsFound => {
            let der = if is_der(pem) { DER } else { "" };
            format!("no private key in it{der}")
        }
        error => damaged(&error).to_owned(),
    })
}

/// Reads no more than shows that a file is too large: `/dev/zero` has no end.  Blocks.
///
/// # Errors
/// It cannot be read, or is larger than any such file.
pub fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;

    if bytes.len() as u64 > LARGEST {
        let message = format!("larger than {} MiB, which no such file is", LARGEST >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The library's texts show lines of the file, which may be those of a key.
fn damaged(error: &PemError) -> &'static str {
    match error {
        PemError::MissingSectionEnd { .. } => "a block begins and does not end",
        PemError::Base64Decode(_) => "a block is not Base64",
        _ => "it is not in PEM form",
    }
}

/// A sequence with a length of two bytes, as certificates and keys begin in DER.
fn is_der(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x30, 0x82])
}

const DER: &str = ": it is in DER form, and PEM is needed (openssl … -inform der)";

/// A bundle of all public CAs has some 250 KiB.
const LARGEST: u64 = 4 << 20;
