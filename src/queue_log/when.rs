//! When an entry was written: seconds since the epoch in a file, a date and a time in
//! a database.

use super::field::number;
use crate::calendar;

/// A time as it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct When {
    /// Seconds since the epoch; of a local time as if it were UTC.
    pub(super) seconds: u64,
    /// It is the local time of the PBX, without its zone.
    pub(super) local: bool,
}

impl When {
    /// Reads `1795444650`, `1795444650.25` or `2026-11-24 10:00:00.25`, the last also with its
    /// zone behind it.
    ///
    /// Asterisk writes seconds into a file, and `%F %T.%6q` into a database (`ast_queue_log`),
    /// which may show it with a zone, or without the fraction.
    pub(super) fn read(field: &[u8]) -> Option<Self> {
        let field = field.trim_ascii();
        if let Some(seconds) = epoch(field) {
            return Some(Self { seconds, local: false });
        }

        let (time, zone) = calendar::zoned(std::str::from_utf8(field).ok()?)?;
        let written = calendar::moment(time).ok()?.as_micros() / 1_000_000;
        let seconds = written.checked_add_signed(-zone.map_or(0, |zone| zone.0))?;
        Some(Self { seconds, local: zone.is_none() })
    }
}

/// Seconds since the epoch; a fraction is allowed, and more than a second it is not exact to.
fn epoch(field: &[u8]) -> Option<u64> {
    let (whole, fraction) = match memchr::memchr(b'.', field) {
        Some(dot) => (&field[..dot], &field[dot + 1..]),
        None => (field, &[][..]),
    };
    number(whole).filter(|_| whole.len() < DIGITS && fraction.iter().all(u8::is_ascii_digit))
}

/// More digits are no seconds of this century: `20261124100000` is a date without signs.
const DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_an_epoch_a_local_time_or_one_with_its_zone() {
        for (text, seconds, local) in [
            ("1790000010", 1_790_000_010, false),
            ("1790000010.123456", 1_790_000_010, false),
            ("2026-09-21 14:13:30.001230", 1_790_000_010, true),
            ("2026-09-21 14:13:30", 1_790_000_010, true),
            (" 2026-09-21T14:13:30 ", 1_790_000_010, true),
            ("2026-09-21 14:13:30.5+00", 1_790_000_010, false),
            ("2026-09-21T14:13:30Z", 1_790_000_010, false),
            ("2026-09-21 16:13:30+0200", 1_790_000_010, false),
            ("2026-09-21 11:43:30.001230-02:30", 1_790_000_010, false),
        ] {
            assert_eq!(When::read(text.as_bytes()), Some(When { seconds, local }), "{text}");
        }
        for text in
            ["", "20260921x", "20260921141330", "2026-09-21", "2026-09-21 14:13:30+2", "now", "1.x"]
        {
            assert_eq!(When::read(text.as_bytes()), None, "{text}");
        }
    }
}
