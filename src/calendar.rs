//! Moments as text: UTC, by the Gregorian calendar.

use std::fmt::{self, Display, Formatter};

use crate::clock::Moment;

/// A moment in UTC, as RFC 3339 writes it.
pub fn utc(moment: Moment) -> String {
    let seconds = moment.as_micros() / 1_000_000;
    let (year, month, day) = date(seconds / DAY);
    let hour = seconds % DAY / 3600;
    let minute = seconds % 3600 / 60;
    let second = seconds % 60;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Why a text is no moment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is neither seconds since 1970 nor a time such as 2026-11-24T10:00:00Z or 2026-11-24 10:00"
)]
pub struct NotATime(String);

/// Reads RFC 3339, seconds since the epoch, or `YYYY-MM-DD HH:MM[:SS]`, which is UTC.
///
/// # Errors
/// The text is none of these, or no such day or hour exists.
pub fn moment(text: &str) -> Result<Moment, NotATime> {
    epoch(text).or_else(|| written(text)).ok_or_else(|| NotATime(text.to_owned()))
}

fn epoch(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let micros = format!("{:0<6}", digits(fraction)?.get(..6.min(fraction.len()))?);
    Some(Moment::from_micros(number(whole)?.checked_mul(1_000_000)?.checked_add(number(&micros)?)?))
}

fn written(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let (time, offset) = zone(time)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));

    let [year, month, day] = parts(date, '-')?.try_into().ok()?;
    let (hour, minute, second) = match parts(time, ':')?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };

    // A leap second counts as the second after it.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }

    let micros = format!("{:0<6}", digits(fraction)?.get(..6.min(fraction.len()))?);
    let seconds = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
    let seconds = seconds.checked_add_signed(-offset)?;
    Some(Moment::from_micros(seconds.checked_mul(1_000_000)? + number(&micros)?))
}

/// A time of day without its zone, and that in seconds east of Greenwich.
fn zone(time: &str) -> Option<(&str, i64)> {
    let (time, offset) = zoned(time)?;
    Some((time, offset.map_or(0, |offset| offset.0)))
}

/// A time without the zone behind it, if there is one: `Z`, `+02`, `+0200` or `+02:00`.  A date has
/// its own dashes.
pub fn zoned(time: &str) -> Option<(&str, Option<Offset>)> {
    if let Some(utc) = time.strip_suffix(['Z', 'z']) {
        return Some((utc, Some(Offset(0))));
    }
    let hours = time.find(':')?;
    let Some(sign) = time[hours..].find(['+', '-']).map(|at| hours + at) else {
        return Some((time, None));
    };
    Some((time[..sign].trim_end(), Some(Offset::read(&time[sign..])?)))
}

/// A zone: seconds east of Greenwich.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offset(pub i64);

impl Offset {
    fn read(text: &str) -> Option<Self> {
        let (east, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };

        let (hours, minutes) = match rest.split_once(':') {
            Some(both) => both,
            None if rest.len() == 4 => rest.split_at_checked(2)?,
            None => (rest, "00"),
        };

        // Two digits each, so that +2:00 and +020 are typing errors and no times.
        let two = |text: &str| number(text).filter(|_| text.len() == 2);
        let hours = two(hours)?;
        let minutes = two(minutes)?;

        let seconds = i64::try_from(hours * 3600 + minutes * 60).ok()?;
        (hours <= 23 && minutes <= 59).then_some(Self(east * seconds))
    }
}

impl Display for Offset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs() / 60;
        write!(f, "UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Why a text is no zone.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no zone such as +02:00, -0330 or UTC")]
pub struct NotAnOffset(String);

/// Reads a zone: `+02:00`, `+0200`, `+02`, `Z` or `UTC`.
///
/// # Errors
/// The text is none of these.
pub fn offset(text: &str) -> Result<Offset, NotAnOffset> {
    if ["Z", "z", "UTC", "utc"].contains(&text) {
        return Ok(Offset(0));
    }
    Offset::read(text).ok_or_else(|| NotAnOffset(text.to_owned()))
}

fn parts(text: &str, by: char) -> Option<Vec<u64>> {
    text.split(by).map(number).collect()
}

fn number(text: &str) -> Option<u64> {
    digits(text)?.parse().ok()
}

/// The text, if it is digits only: `parse` would take a sign.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01.
///
/// Counted in years that begin in March, so that the leap day is the last of its year (Howard
/// Hinnant's `civil_from_days`, for days after the epoch only).
const fn date(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, in eras of 400 years, which all have the same length.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    // From March on, months have 153 days in five.
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + (month <= 2) as u64, month, day)
}

/// Days from 1970-01-01 to a day that exists: the other way round (`days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }

    let march_year = if month <= 2 { year - 1 } else { year };
    let era = march_year / 400;
    let year_of_era = march_year % 400;
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;

    // A day that does not exist, such as 30 February, comes back as another one.
    (date(days) == (year, month, day)).then_some(days)
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc_and_read_again() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_606_403_878, "2020-11-26T15:17:58Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(Moment::from_secs(seconds)), expected);
            assert_eq!(moment(expected), Ok(Moment::from_secs(seconds)));
            assert_eq!(moment(&seconds.to_string()), Ok(Moment::from_secs(seconds)));
        }
    }

    #[test]
    fn a_time_may_be_written_in_several_ways() {
        let expected = Moment::from_secs(1_606_403_880);
        for text in [
            "2020-11-26 15:18",
            "2020-11-26T15:18:00",
            "2020-11-26t15:18:00z",
            "2020-11-26T16:18:00+01:00",
            "2020-11-26 12:48:00-02:30",
        ] {
            assert_eq!(moment(text), Ok(expected), "{text}");
        }
        assert_eq!(moment("1606403880.25"), Ok(Moment::from_micros(1_606_403_880_250_000)));
        assert_eq!(
            moment("2020-11-26T15:18:00.123456789Z"),
            Ok(Moment::from_micros(1_606_403_880_123_456))
        );
    }

    #[test]
    fn a_zone_is_hours_and_maybe_minutes() {
        for (text, seconds, written) in [
            ("+02:00", 7200, "UTC+02:00"),
            ("+0200", 7200, "UTC+02:00"),
            ("+02", 7200, "UTC+02:00"),
            ("-02:30", -9000, "UTC-02:30"),
            ("UTC", 0, "UTC+00:00"),
        ] {
            assert_eq!(offset(text), Ok(Offset(seconds)), "{text}");
            assert_eq!(Offset(seconds).to_string(), written);
        }
        for text in ["", "02:00", "+2", "+2:00", "+02:60", "+24:00", "+020", "+ä", "Europe/Vienna"]
        {
            assert!(offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "-1",
            "+5",
            "1.",
            "1.x",
            "2020-11-26",
            "2020-11-26T",
            "2021-02-29 10:00",
            "2020-13-01 10:00",
            "2020-11-31 10:00",
            "2020-11-26 24:00",
            "2020-11-26 10:60",
            "2020-11-26 10",
            "2020-11-26 10:00:00:00",
            "2020-11-26T10:00+25:00",
            "1969-12-31 10:00",
            "99999999999999999999",
            "18446744073709551615",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
