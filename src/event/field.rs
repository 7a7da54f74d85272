//! Reading single headers.

use std::str::FromStr;
use std::time::Duration;

use super::EventError;
use super::name::Name;
use crate::clock::Moment;

/// A header the event cannot do without.
pub(super) fn need<'a>(
    name: Name,
    header: &'static str,
    value: &'a [u8],
) -> Result<&'a [u8], EventError> {
    if value.is_empty() {
        return Err(EventError::Missing { event: name.as_str(), header });
    }
    Ok(value)
}

/// A whole number, `None` for anything else.
#[inline]
pub(super) fn number<N: TryFrom<u64> + FromStr>(value: &[u8]) -> Option<N> {
    match digits(value) {
        Some(number) => N::try_from(number).ok(),
        None => std::str::from_utf8(value).ok()?.trim().parse().ok(),
    }
}

/// A number of digits only, so few that it cannot overflow.
#[inline]
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > DIGITS {
        return None;
    }
    text.iter().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(number * 10 + u64::from(digit))
    })
}

/// The number that eight digits are, all of them at once: neighbours are joined to pairs, pairs to
/// fours, fours to the number.
#[inline]
const fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let bytes = u64::from_le_bytes(text);
    let digits = bytes.wrapping_sub(0x3030_3030_3030_3030);
    // A byte below or above the digits sets its upper half in one of the two.
    if (digits | digits.wrapping_add(0x0606_0606_0606_0606)) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = (digits.wrapping_mul(2561) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(6_553_601) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(42_949_672_960_001) >> 32)
}

/// A length in whole seconds, `None` for one that cannot be.
pub(super) fn seconds(value: &[u8]) -> Option<Duration> {
    number(value).map(Duration::from_secs).filter(|&length| is_possible(length))
}

/// A configured length in whole seconds: a longer one than possible has the same effect
/// as the longest.
pub(super) fn setting(value: &[u8]) -> Duration {
    number(value).map_or(Duration::ZERO, Duration::from_secs).min(LONGEST)
}

/// Whether anything on a PBX can have lasted that long.
pub(super) fn is_possible(length: Duration) -> bool {
    length <= LONGEST
}

/// A time stamp: epoch seconds with six decimals.
#[inline]
pub(super) fn moment(text: &[u8]) -> Option<Moment> {
    // As Asterisk writes it until 2286.
    if let [a, b, c, d, e, f, g, h, rest @ ..] = text
        && let [i, j, b'.', k, l, m, n, o, p] = rest
        && let Some(high) = eight_digits([*a, *b, *c, *d, *e, *f, *g, *h])
        && let Some(low) = eight_digits([*i, *j, *k, *l, *m, *n, *o, *p])
    {
        return Some(Moment::from_micros(high * 100_000_000 + low));
    }
    any_moment(text)
}

/// The same with any number of digits.
fn any_moment(text: &[u8]) -> Option<Moment> {
    let point = text.iter().position(|&byte| byte == b'.');
    let (seconds, fraction) = point.map_or((text, &b""[..]), |at| (&text[..at], &text[at + 1..]));
    let seconds: u64 = match digits(seconds) {
        Some(seconds) => seconds,
        None => std::str::from_utf8(seconds).ok()?.parse().ok()?,
    };

    // Digit by digit: a fraction of fewer digits still means tenths, hundredths and so on.
    let mut micros = 0;
    for place in 0..6 {
        let digit = fraction.get(place).map_or(0, |byte| byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        micros = micros * 10 + u64::from(digit);
    }
    Some(Moment::from_micros(seconds.checked_mul(1_000_000)?.checked_add(micros)?))
}

/// Nothing on a PBX lasts two days; agents of app_agent_pool stay on the line for a shift.  One
/// impossible number in a header, or a clock that was set, would make a sum of seconds wrong for
/// good.
pub const LONGEST: Duration = Duration::from_secs(48 * 3600);
/// So many digits fit into a number.
const DIGITS: usize = 19;
