//! Standard output.

use std::io::{self, Write as _};

use super::Failure;

/// Writes a text.  A reader that has seen enough (`| head`) is no failure.
pub(super) fn write_out(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
