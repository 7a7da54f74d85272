//! Text of a damaged log, fit for a terminal.

/// The text with everything escaped that would move a terminal's cursor or reverse its direction.
pub(super) fn printable(text: &str) -> String {
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
