//! What the versions of Asterisk and of its manager interface tell.

use crate::ami::frame::{Frame, Kind};

/// A version of Asterisk, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads `22.10.0`, `16.28.0~dfsg-0+deb11u4`, `certified/18.9-cert3` or `GIT-18-abcdef`; `None`
    /// for a build without a release number.
    pub fn read(text: &str) -> Option<Self> {
        let word = text
            .split(['/', '-', ' '])
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let mut numbers = word.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok().filter(|&major| major < 100)?;
        let minor = numbers.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        Some(Self { major, minor })
    }

    /// The oldest release that greets with that AMI version, or an older one; `None` for what is no
    /// AMI version of 12 or newer.
    pub fn of_ami(ami: &str) -> Option<Self> {
        let mut numbers = ami.split('.').map(|text| text.trim().parse().ok());
        let mut next = || numbers.next().flatten();
        let (major, minor, patch): (u32, _, _) =
            (next()?, next().unwrap_or(0), next().unwrap_or(0));
        let (major, minor) = match (major, minor, patch) {
            (2, 0..=7, _) => (12, 0),
            (2, _, _) => (13, 5),
            (5, 0, 3..) => (16, 17),
            (7, 0, 1..) => (18, 3),
            // one number a release since 14
            (3..=99, _, _) => (major + 11, 0),
            _ => return None,
        };
        Some(Self { major, minor })
    }

    /// Major and minor number.
    pub const fn numbers(self) -> (u32, u32) {
        (self.major, self.minor)
    }

    /// Whether recordings show as MixMonitorStart (class call), so that class reporting, which
    /// brings an event per RTCP packet, is not needed.
    pub fn has_mixmonitor_events(self) -> bool {
        match self.major {
            16 => self.minor >= 17,
            18 => self.minor >= 3,
            major => major > 18,
        }
    }
}

/// What is known of Asterisk from the banner alone: `5.0.4` is Asterisk 16.
pub fn by_ami(ami: &str) -> String {
    let major = ami.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    match major {
        2 => format!("12 or 13 (AMI {ami})"),
        // one number a release since 14
        3..=99_u32 => format!("{} (AMI {ami})", major + 11),
        _ => format!("AMI {ami}"),
    }
}

/// Whether the banner is of Asterisk 11 or older, whose events have other names.
pub fn is_too_old(ami: &str) -> bool {
    matches!(ami.split('.').next(), Some("0" | "1"))
}

/// Whether only Asterisk 11 and older send such an event.
pub fn is_event_of_old(frame: &Frame<'_>) -> bool {
    frame.kind == Kind::Event
        && EVENTS_OF_OLD
            .iter()
            .any(|(name, header)| frame.name == name.as_bytes() && frame.header(header).is_some())
}

/// Events that went with 12, each with a header it always has: the name alone might be a module's
/// own.
const EVENTS_OF_OLD: &[(&str, &str)] = &[
    ("Join", "Queue"),
    ("Leave", "Queue"),
    ("Dial", "SubEvent"),
    ("Bridge", "Bridgestate"),
    ("Unlink", "Uniqueid1"),
    ("QueueMemberPaused", "Location"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_all_their_spellings() {
        let read = |text| Version::read(text).map(|version| (version.major, version.minor));
        assert_eq!(read("16.28.0~dfsg-0+deb11u4"), Some((16, 28)));
        assert_eq!(read("certified/18.9-cert3"), Some((18, 9)));
        assert_eq!(read("certified-18.9-cert3"), Some((18, 9)));
        assert_eq!(read("Asterisk 22.10.0"), Some((22, 10)));
        assert_eq!(read("GIT-18-abcdef"), Some((18, 0)));
        assert_eq!(read("GIT-master-1234567"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn recordings_show_since_16_17_and_18_3() {
        let shows = |text| Version::read(text).unwrap().has_mixmonitor_events();
        assert!(shows("16.17.0") && shows("18.3.0") && shows("19.0.0") && shows("22.1"));
        assert!(!shows("16.16.2") && !shows("17.9.4") && !shows("18.2.9") && !shows("13.38.3"));
    }

    #[test]
    fn the_banner_tells_the_release() {
        assert_eq!(by_ami("5.0.4"), "16 (AMI 5.0.4)");
        assert_eq!(by_ami("11.0.0"), "22 (AMI 11.0.0)");
        assert_eq!(by_ami("2.10.6"), "12 or 13 (AMI 2.10.6)");
        assert!(is_too_old("1.3") && !is_too_old("11.0.0"));
    }

    #[test]
    fn the_greeting_stands_for_the_oldest_release_that_has_it() {
        let oldest = |ami| Version::of_ami(ami).map(Version::numbers);
        assert_eq!(["2.5.0", "2.7.0"].map(oldest), [Some((12, 0)); 2]);
        assert_eq!(["2.8.0", "2.10.6"].map(oldest), [Some((13, 5)); 2]);
        assert_eq!(
            ["5.0.2", "5.0.3", "5.0.5"].map(oldest),
            [Some((16, 0)), Some((16, 17)), Some((16, 17))]
        );
        assert_eq!(
            ["7.0.0", "7.0.1", "7.0.3"].map(oldest),
            [Some((18, 0)), Some((18, 3)), Some((18, 3))]
        );
        assert_eq!(
            ["9.0.0", "11", "12.0.0"].map(oldest),
            [Some((20, 0)), Some((22, 0)), Some((23, 0))]
        );
        assert_eq!(["1.3", "", "x", "2000.1"].map(oldest), [None; 4]);
    }
}
