//! Reading single fields.

use std::time::Duration;

/// The parameters of an entry; a row of a database has always five, the last ones empty.
pub(super) fn parameters(data: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let end = data.iter().rposition(|&byte| byte != b'|').map_or(0, |last| last + 1);
    data[..end].split(|&byte| byte == b'|')
}

/// A length in whole seconds.
pub(super) fn seconds(field: &[u8]) -> Option<Duration> {
    // A clock that was set back in mid-call makes them negative.
    let seconds = field.strip_prefix(b"-").map_or_else(|| number(field), |_| Some(0))?;
    Some(Duration::from_secs(seconds))
}

/// A place in a queue, from 1.
pub(super) fn position(field: &[u8]) -> Option<u32> {
    number(field).and_then(|number| u32::try_from(number).ok()).filter(|&position| position > 0)
}

/// A number without a sign.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() || !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(field).ok()?.parse().ok()
}
