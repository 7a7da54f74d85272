//! A version of Asterisk, and what differs between versions, by name.
//!
//! Everything that depends on a version asks one of the questions below, so each rule is kept in
//! one place.

use std::fmt;
use std::str::FromStr;

/// The oldest branch the exporter can follow.
pub const OLDEST: u16 = 12;

/// The newest branch that was checked; newer ones are followed as it is.
pub const NEWEST: u16 = 23;

/// A version of Asterisk, ordered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    major: u16,
    minor: u16,
    patch: u16,
}

/// A text that is no version of Asterisk.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} is not an Asterisk version such as 18.9")]
pub struct NotAVersion(String);

impl Version {
    /// The first fix of a release: `Version::new(18, 9)` is 18.9.0.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// The oldest release that greets with that AMI version, or an older one; `None` for what is no
    /// AMI version of 12 or newer.
    pub fn of_ami(ami: &str) -> Option<Self> {
        let mut numbers = ami.split('.').map(|text| text.trim().parse().ok());
        let mut next = || numbers.next().flatten();
        let major: u16 = next()?;
        let minor = next().unwrap_or(0);
        let patch = next().unwrap_or(0);

        match (major, minor, patch) {
            (2, 0..=7, _) => Some(Self::new(12, 0)),
            (2, _, _) => Some(Self::new(13, 5)),
            (5, 0, 3..) => Some(Self::new(16, 17)),
            (7, 0, 1..) => Some(Self::new(18, 3)),
            // One number a branch since 14.
            (3..=99, _, _) => Some(Self::new(major + 11, 0)),
            _ => None,
        }
    }

    /// Whether its queue events have what the exporter needs.
    pub const fn is_supported(self) -> bool {
        self.major >= OLDEST
    }

    /// Whether it is newer than every branch that was checked.
    pub const fn is_newer_than_checked(self) -> bool {
        self.major > NEWEST
    }

    /// Whether recordings have events of their own, `MixMonitorStart` and `MixMonitorStop` of class
    /// call.  Older versions need class reporting, which brings an event per RTCP packet.
    pub fn has_mixmonitor_events(self) -> bool {
        self.is_from(&[(16, 17), (18, 3)])
    }

    /// Whether an event filter can name an event instead of searching its whole text.
    pub fn filters_by_name(self) -> bool {
        self.is_from(&[(18, 26), (20, 11), (21, 6), (22, 1)])
    }

    /// Whether an event filter is an extended regular expression.  Before 13 it is a basic one, in
    /// which `(a|b)` is five plain characters.
    pub const fn has_extended_filters(self) -> bool {
        self.major >= 13
    }

    /// Whether `leavewhenempty` behind the head of the queue sends QueueCallerLeave alone, without
    /// the variable that says why.
    pub fn leaves_empty_silently(self) -> bool {
        !self.is_from(&[(13, 37), (16, 14), (17, 8)])
    }

    /// Whether a member whose hint is in use and rings has a status of its own (6).  Older versions
    /// report 4, invalid.
    pub fn reports_ringing_in_use(self) -> bool {
        self.is_from(&[(16, 17), (18, 3)])
    }

    /// Whether each manager session has an event queue of its own.  Before, all sessions read one
    /// queue.
    pub fn has_session_event_queues(self) -> bool {
        self.is_from(&[(20, 21), (22, 11), (23, 5)])
    }

    /// Whether this version has a change that came to these branches with these releases, and to
    /// every branch newer than the last of them.  A branch between them that is not named ended
    /// without it.
    fn is_from(self, releases: &[(u16, u16)]) -> bool {
        match releases.iter().find(|(branch, _)| *branch == self.major) {
            Some((_, release)) => self.minor >= *release,
            None => releases.iter().all(|(branch, _)| self.major > *branch),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `18`, `18.9`, `18.9.1`, what distributions append after a `-`, `~` or `+`, and a whole
    /// line of `core show version`: `Asterisk certified/18.9-cert3 built by mockbuild @ host on
    /// a x86_64 running Linux`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let not = || NotAVersion(text.to_owned());

        let mut words = text.split_whitespace();
        let first = words.next().ok_or_else(not)?;
        let word = if first.eq_ignore_ascii_case("Asterisk") {
            words.next().ok_or_else(not)?
        } else {
            first
        };

        // A build of a branch is `GIT-18-abcdef`: its release within the branch is not known, so
        // the first one is taken.  `GIT-master-abcdef` is no branch.
        let number = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word);
        let figures = number.split(['-', '~', '+']).next().unwrap_or_default();
        let figures: Vec<u16> =
            figures.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| not())?;

        if figures.first().is_some_and(|&major| major >= BRANCHES) {
            return Err(not());
        }
        match figures[..] {
            [major] => Ok(Self { major, minor: 0, patch: 0 }),
            [major, minor] => Ok(Self { major, minor, patch: 0 }),
            [major, minor, patch] => Ok(Self { major, minor, patch }),
            _ => Err(not()),
        }
    }
}

/// What is known of Asterisk from the greeting alone: `5.0.4` is Asterisk 16.
pub fn by_ami(ami: &str) -> String {
    let major = ami.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    match major {
        2 => format!("12 or 13 (AMI {ami})"),
        // One number a branch since 14.
        3..=99_u32 => format!("{} (AMI {ami})", major + 11),
        _ => format!("AMI {ami}"),
    }
}

/// Whether the greeting is of Asterisk 11 or older, whose events have other names.
pub fn is_too_old(ami: &str) -> bool {
    matches!(ami.split('.').next(), Some("0" | "1"))
}

/// What may precede the number.
const PREFIXES: &[&str] = &["certified/", "certified-", "GIT-"];

/// More is no branch, but the build number of something else.
const BRANCHES: u16 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_read_in_all_their_spellings() {
        for (text, read) in [
            ("12", "12.0.0"),
            ("18.9", "18.9.0"),
            ("18.9.1", "18.9.1"),
            ("18.9-cert4", "18.9.0"),
            ("16.28.0~dfsg-0+deb11u4", "16.28.0"),
            ("22.10.0+dfsg", "22.10.0"),
            ("certified/18.9-cert3", "18.9.0"),
            ("certified-18.9-cert3", "18.9.0"),
            ("GIT-18-abcdef", "18.0.0"),
            ("Asterisk 22.10.0", "22.10.0"),
        ] {
            assert_eq!(version(text).to_string(), read, "{text}");
        }
    }

    #[test]
    fn a_whole_line_of_core_show_version_is_read() {
        let built = "built by root @ pbx on a x86_64 running Linux on 2025-01-15 10:23:45 UTC";
        for (word, read) in [
            ("20.11.0", "20.11.0"),
            ("GIT-18-2a1b3c", "18.0.0"),
            ("certified/18.9-cert3", "18.9.0"),
        ] {
            assert_eq!(version(&format!("Asterisk {word} {built}\n")).to_string(), read);
        }
        assert_eq!(version("asterisk 22.10.0-rc1").to_string(), "22.10.0");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "Asterisk",
            "Asterisk built by",
            "Asterisk GIT-master-2a1b3c built by",
            "GIT-master-1234567",
            "eighteen",
            "18.",
            "1.2.3.4",
            "-1",
            "100",
            "99999999",
        ] {
            let error = text.parse::<Version>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{text} is not an Asterisk version such as 18.9")
            );
        }
    }

    #[test]
    fn versions_are_ordered() {
        let sorted = ["12.8.2", "13", "16.2", "16.17", "18.3", "18.3.1", "22.10"].map(version);
        assert!(sorted.is_sorted());
        assert!(!version("11.25").is_supported() && version("12").is_supported());
        assert!(!version("23.5").is_newer_than_checked() && version("24").is_newer_than_checked());
    }

    /// Each feature with versions that have it and versions that lack it.
    #[test]
    fn features_come_with_their_releases() {
        type Feature = fn(Version) -> bool;
        let features: &[(Feature, &[&str], &[&str])] = &[
            (
                Version::has_mixmonitor_events,
                &["16.17.0", "18.3.0", "19.0.0", "22.1"],
                &["12", "13.38.3", "16.16.2", "17.9.4", "18.2.9"],
            ),
            (
                Version::reports_ringing_in_use,
                &["16.17", "18.3", "22.0"],
                &["13.38", "16.16", "17.9", "18.2"],
            ),
            (
                Version::filters_by_name,
                &["18.26", "20.11", "21.6", "22.1", "23.0"],
                &["13", "18.25", "19.8", "20.10", "21.5", "22.0"],
            ),
            (Version::has_extended_filters, &["13", "22.0"], &["12.8.2"]),
            (
                Version::leaves_empty_silently,
                &["12.8", "13.36", "14.7", "15.7", "16.13", "17.7"],
                &["13.37", "16.14", "17.8", "18.0", "23.0"],
            ),
            (
                Version::has_session_event_queues,
                &["20.21", "22.11", "23.5", "24.0"],
                &["13.38", "18.26", "20.20", "21.12", "22.10", "23.4"],
            ),
        ];
        for (number, (has, with, without)) in features.iter().enumerate() {
            assert!(with.iter().all(|text| has(version(text))), "feature {number}");
            assert!(!without.iter().any(|text| has(version(text))), "feature {number}");
        }
    }

    #[test]
    fn the_greeting_gives_the_branch() {
        assert_eq!(by_ami("5.0.4"), "16 (AMI 5.0.4)");
        assert_eq!(by_ami("11.0.0"), "22 (AMI 11.0.0)");
        assert_eq!(by_ami("2.10.6"), "12 or 13 (AMI 2.10.6)");
        assert!(is_too_old("1.3") && !is_too_old("11.0.0"));
    }

    #[test]
    fn the_greeting_stands_for_the_oldest_release_that_has_it() {
        let oldest = Version::of_ami;
        let release = |major, minor| Some(Version::new(major, minor));
        assert_eq!(["2.5.0", "2.7.0"].map(oldest), [release(12, 0); 2]);
        assert_eq!(["2.8.0", "2.10.6"].map(oldest), [release(13, 5); 2]);
        assert_eq!(
            ["5.0.2", "5.0.3", "5.0.5"].map(oldest),
            [release(16, 0), release(16, 17), release(16, 17)]
        );
        assert_eq!(
            ["7.0.0", "7.0.1", "7.0.3"].map(oldest),
            [release(18, 0), release(18, 3), release(18, 3)]
        );
        assert_eq!(
            ["9.0.0", "11", "12.0.0"].map(oldest),
            [release(20, 0), release(22, 0), release(23, 0)]
        );
        assert_eq!(["1.3", "", "x", "2000.1"].map(oldest), [None; 4]);
    }
}
