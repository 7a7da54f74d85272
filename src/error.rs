//! Errors as text.

use std::error::Error;

/// An error with its causes, on one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("connection broke")]
    struct Broke(#[source] io::Error);

    #[test]
    fn the_text_ends_with_the_first_cause() {
        let reset = io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer");
        assert_eq!(with_causes(&reset), "reset by peer");
        assert_eq!(with_causes(&Broke(reset)), "connection broke: reset by peer");
    }
}
