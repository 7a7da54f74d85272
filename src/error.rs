//! Errors as text, and text of others that is fit for a terminal.

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

/// The text with everything escaped that would move a terminal's cursor or reverse its direction.
pub fn printable(text: &str) -> String {
    let is_unfit = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };

    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unfit(c) { printable.extend(c.escape_default()) } else { printable.push(c) }
    }
    printable
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
