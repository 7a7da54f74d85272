//! Reading single headers.

use std::time::Duration;

use super::EventError;
use super::name::Name;
use crate::ami::frame::Frame;
use crate::clock::Moment;

/// A header's key in lower case, for matching: keys vary in case between events and versions.
#[derive(Debug)]
pub(super) struct Key {
    bytes: [u8; KEY_MAX],
    len: usize,
}

impl Key {
    /// The key in lower case; one over 40 bytes belongs to no needed header, and becomes empty.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut bytes = [0; KEY_MAX];
        let len = if key.len() <= KEY_MAX { key.len() } else { 0 };
        bytes[..len].copy_from_slice(&key[..len]);
        bytes[..len].make_ascii_lowercase();
        Self { bytes, len }
    }

    /// The key, in lower case.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Calls `take` with each header, its key in lower case.
pub(super) fn each<'a>(frame: &Frame<'a>, mut take: impl FnMut(&[u8], &'a [u8])) {
    for (key, value) in frame.headers() {
        take(Key::new(key).as_bytes(), value);
    }
}

/// A header the event cannot do without.
pub(super) fn need<'a>(
    name: Name,
    header: &'static str,
    value: Option<&'a [u8]>,
) -> Result<&'a [u8], EventError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(EventError::Missing { event: name.as_str(), header })
}

/// A whole number, `None` for anything else.
pub(super) fn number<N: std::str::FromStr>(value: &[u8]) -> Option<N> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
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

/// The `Timestamp` header: epoch seconds with six decimals.  It is the second header or near it.
pub fn timestamp(frame: &Frame<'_>) -> Option<Moment> {
    let text = frame.header("Timestamp")?;
    let text = std::str::from_utf8(text).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u64 = seconds.parse().ok()?;

    // Digit by digit: a fraction of fewer digits still means tenths, hundredths and so on.
    let mut micros = 0;
    for place in 0..6 {
        let digit = fraction.as_bytes().get(place).copied().unwrap_or(b'0');
        micros = micros * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(Moment::from_micros(seconds.checked_mul(1_000_000)?.checked_add(micros)?))
}

/// Nothing on a PBX lasts two days; agents of app_agent_pool stay on the line for a shift.  One
/// impossible number in a header, or a clock that was set, would make a sum of seconds wrong for
/// good.
pub const LONGEST: Duration = Duration::from_secs(48 * 3600);
/// Longer than the key of any header that is read.
const KEY_MAX: usize = 40;
