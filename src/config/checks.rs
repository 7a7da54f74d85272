//! Texts to checked values.  An error is the end of a message, after the place and the key.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::time::Duration;

use regex::Regex;

/// Where an AMI listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Whether it is this machine's for sure.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// `host`, `host:port`, `[v6]:port` or a bare IPv6 address; `usual` is the port if none is given.
pub(super) fn address(text: &str, usual: u16) -> Result<Address, String> {
    let (host, port) = split_port(text);
    if host.is_empty()
        || host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c))
    {
        return Err(format!("{text} is not a host or host:port"));
    }

    // An address to listen on may have port 0, one to connect to may not.
    let port = port.map_or(Ok(usual), self::port)?;
    if port == 0 {
        return Err("0 is not a port to connect to".to_owned());
    }
    Ok(Address { host: host.to_owned(), port })
}

/// `:port` is every interface, IPv4 and IPv6; a host name may stand for several addresses.
pub(super) fn listen_address(text: &str) -> Result<Vec<SocketAddr>, String> {
    let (host, port) = split_port(text);
    let Some(port) = port else { return Err(format!("{text} has no port")) };
    let port = self::port(port)?;
    if host.is_empty() {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into()]);
    }

    let resolved = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("{host} is not an address here: {error}"))?;

    // A resolver may list an address several times, but it can be bound only once.
    let mut addresses: Vec<SocketAddr> = resolved.collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// The path of the metrics; `/` is the landing page and `/-/` belongs to the health checks.
pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "?#%".contains(c);
    if !text.starts_with('/') || text.contains(odd) {
        return Err(format!("{text} is not a path such as /metrics"));
    }
    if text == "/" || text.starts_with("/-/") {
        return Err(format!("{text} is taken"));
    }
    Ok(text.to_owned())
}

/// Seconds as a number, or text such as `20s`, `1m30s`, `500ms`.
///
/// # Errors
/// It is none, or longer than a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let not = || format!("{text} is not a duration such as 20s, 1m or 500ms");
    let mut seconds = 0.0;
    let mut rest = text.trim();

    // A number without a unit is seconds, as in Asterisk's own files.
    if rest.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 0.0) {
        seconds = number(rest).ok_or_else(not)?;
        rest = "";
    } else if rest.is_empty() {
        return Err(not());
    }

    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(not)?;
        let (count, tail) = rest.split_at(unit);
        let (factor, tail) = unit_of(tail).ok_or_else(not)?;
        seconds += number(count).ok_or_else(not)? * factor;
        rest = tail;
    }

    if seconds > LONGEST.as_secs_f64() {
        return Err(format!("{text} is longer than a day"));
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| not())
}

/// A duration of at least `least`.
pub(super) fn duration_from(least: Duration) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| {
        let duration = duration(text)?;
        if duration < least {
            return Err(format!("{text} is shorter than {least:?}"));
        }
        Ok(duration)
    }
}

/// A duration longer than nothing.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration.is_zero() {
        return Err("must be longer than 0".to_owned());
    }
    Ok(duration)
}

/// Why a duration is not likely to be meant, if it is outside what makes sense: above all,
/// milliseconds without their unit.
pub(super) fn doubt(
    text: &str,
    duration: Duration,
    sensible: &RangeInclusive<Duration>,
) -> Option<String> {
    let (is, compared, bound) = match duration {
        _ if duration > *sensible.end() => ("more", "at most", sensible.end()),
        _ if duration < *sensible.start() => ("less", "at least", sensible.start()),
        _ => return None,
    };

    let text = text.trim();
    let value = words(duration);
    let value = if text == value { String::new() } else { format!("{value}, ") };
    let bare = text.ends_with(|c: char| c.is_ascii_digit());
    let hint = if bare { ": a number without a unit is seconds" } else { "" };
    Some(format!(
        "{text} is {value}{is} than makes sense here ({compared} {}){hint}",
        words(*bound)
    ))
}

/// A duration as in the configuration: `4h10m`, `1m30s`, `20ms`.
fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let millis = duration.subsec_millis();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(millis), "ms"),
    ];

    let parts =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
    let words: String = parts.collect();
    if words.is_empty() { "0s".to_owned() } else { words }
}

/// A duration as [`duration`] reads it, without loss.
pub(super) fn exact(duration: Duration) -> String {
    match duration.subsec_nanos() % 1_000_000 {
        0 => words(duration),
        _ => format!("{}s", duration.as_secs_f64()),
    }
}

/// A whole number in `range`.
pub(super) fn count(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> {
    move |text| {
        let number: usize = text.parse().map_err(|_| format!("{text} is not a whole number"))?;
        if !range.contains(&number) {
            return Err(format!("{text} is not between {} and {}", range.start(), range.end()));
        }
        Ok(number)
    }
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(format!("{text} is not true or false")),
    }
}

/// One of `choices`, as the known text.
pub(super) fn choice(
    choices: &'static [&'static str],
) -> impl Fn(&str) -> Result<&'static str, String> {
    move |text| {
        let known = choices.iter().find(|&&choice| choice == text).copied();
        known.ok_or_else(|| format!("{text} is not one of {}", choices.join(", ")))
    }
}

/// As Asterisk's own files have it, or `true` and `false`.
pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("{text} is not yes or no")),
    }
}

/// A text that can be a label or a line of the manager's protocol, where a line break would begin
/// another header.
pub(super) fn plain(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.contains(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    if text.len() > LONGEST_TEXT {
        return Err(format!("is longer than {LONGEST_TEXT} bytes"));
    }
    Ok(text.to_owned())
}

/// A share of something, as `80%` or 0.8; neither nothing nor all of it.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let (digits, whole) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
    let share = number(digits.trim()).map(|number| number / whole);
    share
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| format!("{text} is not a share such as 80% or 0.8"))
}

/// A regular expression.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    match Regex::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err(format!("{text} is too big a regular expression"))
        }
        Err(error) => {
            // The message shows the pattern on several lines; its last one has the reason.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Err(format!("{text} is not a regular expression: {reason}"))
        }
    }
}

fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => ("", None),
        };
    }

    // More than one colon without brackets is an IPv6 address without a port.
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text} is not a port"))
}

/// Digits and at most a point: `f64` itself would also read `inf` and `1e9`.
fn number(text: &str) -> Option<f64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    digits.then(|| text.parse().ok()).flatten()
}

fn unit_of(text: &str) -> Option<(f64, &str)> {
    UNITS.iter().find_map(|&(unit, factor)| Some((factor, text.strip_prefix(unit)?)))
}

/// The manager interface in clear.
pub(super) const AMI_PORT: u16 = 5038;

/// The manager interface with TLS: where Asterisk listens if tlsbindaddr has no port.
pub(super) const AMI_TLS_PORT: u16 = 5039;

/// Nothing here is sensibly longer, and sums of such times stay far from overflowing.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Asterisk reads action lines of at most 1024 bytes; this leaves room for the header.
const LONGEST_TEXT: usize = 512;

/// `ms` before `m`: the first that fits is taken.
const UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_numbers_with_units() {
        for (text, millis) in [
            ("20", 20_000),
            ("0", 0),
            ("0.5", 500),
            ("20s", 20_000),
            ("1m", 60_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("2h", 7_200_000),
            ("1.5s", 1500),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "s",
            "20x",
            "-1",
            "-1s",
            "inf",
            "nan",
            "1e3",
            "1.2.3s",
            "s20",
            "20 s",
            "25h",
            "99999999999s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }

        assert_eq!(
            duration("20x"),
            Err("20x is not a duration such as 20s, 1m or 500ms".to_owned())
        );
        assert_eq!(duration("25h"), Err("25h is longer than a day".to_owned()));
    }

    #[test]
    fn a_duration_that_makes_no_sense_is_questioned() {
        let sensible = Duration::from_secs(1)..=Duration::from_secs(300);
        let doubt = |text: &str| doubt(text, duration(text).unwrap(), &sensible);
        let unit = ": a number without a unit is seconds";
        for (text, why) in [
            (
                "15000",
                Some(format!("15000 is 4h10m, more than makes sense here (at most 5m){unit}")),
            ),
            ("1h1s", Some("1h1s is more than makes sense here (at most 5m)".to_owned())),
            ("0.02", Some(format!("0.02 is 20ms, less than makes sense here (at least 1s){unit}"))),
            ("0", Some(format!("0 is 0s, less than makes sense here (at least 1s){unit}"))),
            ("1", None),
            ("5m", None),
        ] {
            assert_eq!(doubt(text), why, "{text}");
        }
    }

    #[test]
    fn a_share_is_between_nothing_and_all() {
        for (text, value) in [("80%", 0.8), ("0.8", 0.8), ("99.5 %", 0.995), ("1%", 0.01)] {
            assert_eq!(share(text), Ok(value), "{text}");
        }
        for text in ["", "%", "0", "0%", "1", "100%", "80", "-1%", "1e-1", "nan"] {
            let mistake = format!("{text} is not a share such as 80% or 0.8");
            assert_eq!(share(text), Err(mistake), "{text}");
        }
    }

    #[test]
    fn addresses_have_a_port_or_the_managers() {
        for (text, host, port) in [
            ("pbx", "pbx", 5038),
            ("pbx:5039", "pbx", 5039),
            ("127.0.0.1:5138", "127.0.0.1", 5138),
            ("::1", "::1", 5038),
            ("[::1]", "::1", 5038),
            ("[::1]:77", "::1", 77),
        ] {
            assert_eq!(
                address(text, AMI_PORT),
                Ok(Address { host: host.to_owned(), port }),
                "{text}"
            );
        }
        for text in
            ["", ":5038", "a b", "http://pbx", "[::1]x", "pbx:0", "pbx:", "pbx:70000", "[]:1"]
        {
            assert!(address(text, AMI_PORT).is_err(), "{text}");
        }
        assert_eq!(address("pbx:70000", AMI_PORT), Err("70000 is not a port".to_owned()));
    }

    #[test]
    fn a_port_alone_listens_everywhere() {
        assert_eq!(listen_address(":15038"), Ok(vec!["[::]:15038".parse().unwrap()]));
        assert_eq!(listen_address("127.0.0.1:0"), Ok(vec!["127.0.0.1:0".parse().unwrap()]));
        assert_eq!(listen_address("[::1]:9"), Ok(vec!["[::1]:9".parse().unwrap()]));
        assert_eq!(listen_address("127.0.0.1"), Err("127.0.0.1 has no port".to_owned()));
    }

    #[test]
    fn a_broken_pattern_says_why_in_one_line() {
        assert_eq!(
            pattern("(SIP"),
            Err("(SIP is not a regular expression: unclosed group".to_owned())
        );
    }
}
