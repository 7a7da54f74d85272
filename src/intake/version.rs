//! What the versions of Asterisk and of its manager interface tell.

/// A version of Asterisk, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads `22.10.0`, `16.28.0~dfsg-0+deb11u4`, `certified/18.9-cert3` or `GIT-18-abcdef`; `None` for a build
    /// without a release number.
    pub fn read(text: &str) -> Option<Self> {
        let word = text.split(['/', '-', ' ']).find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let mut numbers = word.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok().filter(|&major| major < 100)?;
        let minor = numbers.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        Some(Self { major, minor })
    }

    /// Major and minor number.
    pub const fn numbers(self) -> (u32, u32) {
        (self.major, self.minor)
    }

    /// Whether recordings show as MixMonitorStart (class call), so that class reporting, which brings an event
    /// per RTCP packet, is not needed.
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
}
