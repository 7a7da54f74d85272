//! Why a line of the log cannot be read.

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum Malformed {
    /// Longer than anything Asterisk writes.
    #[error("longer than {} bytes", LINE_MAX)]
    TooLong,
    /// Fewer than the five fields that every line has, or fewer than the header has columns.
    #[error("too few fields")]
    TooFewFields,
    /// It does not begin with seconds since the epoch or a date and a time, or its column of time
    /// has neither.
    #[error("no time")]
    NoTime,
    /// A CONNECT, COMPLETE or TRANSFER whose seconds are missing.
    #[error("no number of seconds")]
    NoSeconds,
}

/// The longest line that is read.  Asterisk writes it from a buffer of 8 KiB.
pub(super) const LINE_MAX: usize = 16 * 1024;
