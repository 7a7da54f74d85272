//! Why a capture cannot be played.

use std::io;
use std::path::PathBuf;

/// Why a capture could not be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system, or of the decompressor.
        #[source]
        source: io::Error,
    },
    /// The file is gzipped, and damaged.
    #[error("{}: damaged gzip data after {bytes} bytes", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How many bytes were read before.
        bytes: u64,
        /// The error of the system, or of the decompressor.
        #[source]
        source: io::Error,
    },
    /// The file holds nothing a manager interface would send.
    #[error("{}: not a capture of a manager interface: no event in {bytes} bytes", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        bytes: u64,
    },
    /// The file is of a PBX whose events have other names and lack the ids that everything is tied
    /// by.
    #[error(
        "{}: {} at byte {}: Asterisk 11 or older is not supported: its queue events lack what the exporter needs; \
         record a PBX with 12 or newer", path.display(), sign.what, sign.byte
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// What shows it, and where.
        sign: Sign,
    },
}

/// What stopped the playing before the end.
#[derive(Debug)]
pub enum Stop {
    /// The source failed.
    Io(io::Error),
    /// Only Asterisk 11 or older sends that.
    TooOld(Sign),
}

/// Something by which a version is recognised.
#[derive(Debug)]
pub struct Sign {
    /// `AMI 1.3`, `event Join`.
    pub what: String,
    /// Where it stands, in what was unpacked.
    pub byte: u64,
}
