//! Reading single headers.

use crate::ami::frame::Frame;
use crate::clock::Moment;

use super::EventError;
use super::name::Name;

/// A header's key in lower case, for matching: keys vary in case between events and versions.
#[derive(Debug)]
pub(super) struct Key {
    bytes: [u8; KEY_MAX],
    len: usize,
}

impl Key {
    /// Keys over 40 bytes are none of ours and come out empty.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut bytes = [0; KEY_MAX];
        let len = if key.len() <= KEY_MAX { key.len() } else { 0 };
        bytes[..len].copy_from_slice(&key[..len]);
        bytes[..len].make_ascii_lowercase();
        Self { bytes, len }
    }

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
pub(super) fn need<'a>(name: Name, header: &'static str, value: Option<&'a [u8]>) -> Result<&'a [u8], EventError> {
    value.filter(|value| !value.is_empty()).ok_or(EventError::Missing { event: name.as_str(), header })
}

/// A whole number, `None` for anything else.
pub(super) fn number<N: std::str::FromStr>(value: &[u8]) -> Option<N> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// The `Timestamp` header: epoch seconds with six decimals.  It is the second header or near it.
pub fn timestamp(frame: &Frame<'_>) -> Option<Moment> {
    let text = frame.header("Timestamp")?;
    let text = std::str::from_utf8(text).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u64 = seconds.parse().ok()?;
    let mut micros = 0;
    for place in 0..6 {
        let digit = fraction.as_bytes().get(place).copied().unwrap_or(b'0');
        micros = micros * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(Moment::from_micros(seconds.checked_mul(1_000_000)?.checked_add(micros)?))
}

const KEY_MAX: usize = 40;
