//! Channel names: who is at the end of a channel, and what of its name may be exported as a label.
//!
//! Each channel driver makes names in its own way (`docs/channels.md` has the source of each).
//! Some hold the number of whoever calls, an address, a UUID, a pointer or a Uniqueid: such a part
//! is personal, or never the same twice, and the label is the technology alone.

use std::borrow::Cow;

use super::names::readable;
use super::rules::Patterns;

/// Who is at the end of a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    /// One device: somebody's phone, or a line with a name of its own.
    Device,
    /// A line that many share, or whose name somebody else chose: a trunk or an agent only if the
    /// configuration says so.
    Line,
    /// Half a Local channel.
    Local,
    /// Nobody: media, announcements, recordings, messages, and what Asterisk makes for itself.
    Media,
}

/// A channel's device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Device<'n> {
    pub class: Class,
    /// The name without the part that counts calls, as the interface of a member has it.  It may
    /// hold a number: never a label.
    pub name: &'n str,
    label: Label<'n>,
}

/// The label of a device.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Label<'n> {
    /// The configuration of the PBX names it.
    Name(&'n str),
    /// A part of it, which is one of few.
    Part(Cow<'n, str>),
    /// The technology: the rest is somebody else's choice.
    Withheld(&'n str),
}

impl<'n> Device<'n> {
    /// Reads the name of a channel.
    pub(super) fn of(channel: &'n str) -> Self {
        let half = channel.strip_suffix(";1").or_else(|| channel.strip_suffix(";2"));
        let name = half.unwrap_or(channel);
        let stem = name.rsplit_once('-').map_or(name, |(stem, _)| stem);
        let Some((technology, _)) = name.split_once('/') else {
            return Self::without_technology(stem);
        };

        // Up to 11 a masquerade renamed what it left behind.
        let left_behind = name.ends_with("<ZOMBIE>") || name.ends_with("<MASQ>");
        let (naming, technology) = match naming(technology) {
            _ if left_behind => return Self::media(stem),
            Some((known, naming)) => (naming, known),
            None => {
                return Self::chosen(
                    stem,
                    Class::Line,
                    if is_technology(technology) { technology } else { "" },
                );
            }
        };

        match naming {
            Naming::Local => {
                Self { class: Class::Local, name: stem, label: Label::Withheld(technology) }
            }
            Naming::Media => Self::media(stem),
            Naming::Configured => Self::configured(stem, technology),
            Naming::Whole => Self::configured(name, technology),
            Naming::Chosen => Self::chosen(stem, Class::Device, technology),
            Naming::Modem => Self::chosen(stem, Class::Line, technology),
            Naming::FarEnd => {
                Self { class: Class::Line, name: stem, label: Label::Withheld(technology) }
            }
            Naming::Dahdi if rest(name).starts_with("pseudo") => Self::media(stem),
            Naming::Dahdi | Naming::Misdn => Self::wired(stem, technology),
            Naming::Capi => Self::interface(stem, technology),
        }
    }

    /// Its label.  A name that somebody else chose is one if the configuration's patterns spell it
    /// out: that bounds it.
    pub(super) fn label(&self, patterns: &Patterns) -> Cow<'n, str> {
        match &self.label {
            Label::Name(name) => Cow::Borrowed(name),
            Label::Part(part) => part.clone(),
            Label::Withheld(_) if self.is_spelled_out(patterns) => Cow::Borrowed(self.name),
            Label::Withheld("") => Cow::Borrowed(UNKNOWN),
            Label::Withheld(technology) => Cow::Owned(format!("{technology}/{UNKNOWN}")),
        }
    }

    fn is_spelled_out(&self, patterns: &Patterns) -> bool {
        let rest = rest(self.name);
        self.class != Class::Local && !rest.is_empty() && patterns.spell_out(rest)
    }

    /// A name that is no channel's, and that somebody else may have chosen.
    pub(super) fn chosen_by_others(name: &'n str, technology: &'n str) -> Self {
        Self::chosen(name, Class::Line, technology)
    }

    /// The name is one of the PBX's own configuration.
    fn configured(name: &'n str, technology: &'n str) -> Self {
        let rest = &name[technology.len()..];
        // The endpoint of everybody who is not known, in the versions that have PJSIP.
        let anonymous = rest == "/anonymous" || rest.starts_with("/anonymous@");
        let class = if anonymous { Class::Line } else { Class::Device };
        let label =
            if name.len() <= NAME_MAX { Label::Name(name) } else { Label::Withheld(technology) };
        Self { class, name, label }
    }

    /// The far end may have chosen the name: only a plain one is taken.
    fn chosen(name: &'n str, class: Class, technology: &'n str) -> Self {
        if technology.is_empty() || !is_plain(rest(name)) {
            return Self { class: Class::Line, name, label: Label::Withheld(technology) };
        }
        Self { class, name, label: Label::Name(name) }
    }

    /// A span of ISDN (`i1/…`), or the number of an analogue line or a timeslot.
    fn wired(name: &'n str, technology: &'n str) -> Self {
        let rest = rest(name);
        let span =
            rest.strip_prefix('i').and_then(|rest| rest.split_once('/')).map(|(span, _)| span);
        let (class, label) = match span {
            Some(span) if is_number(span) => {
                (Class::Line, Label::Part(format!("{technology}/i{span}").into()))
            }
            None if is_number(rest) => (Class::Device, Label::Name(name)),
            Some(_) | None => (Class::Line, Label::Withheld(technology)),
        };
        Self { class, name, label }
    }

    /// The interface before a number.
    fn interface(name: &'n str, technology: &'n str) -> Self {
        let interface = rest(name).split('/').next().filter(|interface| is_plain(interface));
        let label = interface.map_or(Label::Withheld(technology), |interface| {
            Label::Part(format!("{technology}/{interface}").into())
        });
        Self { class: Class::Line, name, label }
    }

    const fn media(name: &'n str) -> Self {
        Self { class: Class::Media, name, label: Label::Withheld("") }
    }

    /// `OutgoingSpoolFailed`, `Message`, tests: no driver makes such names.  An event may lack the
    /// name.
    const fn without_technology(name: &'n str) -> Self {
        let class = if name.is_empty() { Class::Line } else { Class::Media };
        Self { class, name, label: Label::Withheld("") }
    }
}

/// The device of a channel as a label shows it: `PJSIP/201`.  `None` where there is no device, and where
/// its name may hold a number, or may be somebody else's choice.
pub fn device_of_channel(channel: &str) -> Option<String> {
    let device = Device::of(channel);
    match (device.class, &device.label) {
        (Class::Local | Class::Media, _) | (_, Label::Withheld(_)) => None,
        (Class::Device | Class::Line, Label::Name(name)) => Some((*name).to_owned()),
        (Class::Device | Class::Line, Label::Part(part)) => Some(part.to_string()),
    }
}

/// Whether nobody is at the end of a channel.
pub(super) fn is_media(channel: &[u8]) -> bool {
    Device::of(&readable(channel)).class == Class::Media
}

/// How a driver makes names, after the technology and a slash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Naming {
    /// What the PBX's configuration calls the device, a dash, and a count.
    Configured,
    /// The same without dash and count.
    Whole,
    /// What the configuration calls the device, else what the far end calls itself, or its address.
    Chosen,
    /// What the configuration calls a mobile phone or a modem: a trunk.
    Modem,
    /// The far end, whoever it is.
    FarEnd,
    /// DAHDI: a span and a number, or the number of a channel.
    Dahdi,
    /// mISDN: the number of a channel.
    Misdn,
    /// CAPI: an interface and a number.
    Capi,
    Local,
    Media,
}

/// What follows the technology.
fn rest(name: &str) -> &str {
    name.split_once('/').map_or("", |(_, rest)| rest)
}

fn naming(technology: &str) -> Option<(&'static str, Naming)> {
    TECHNOLOGIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(technology)).copied()
}

/// A word that is no address, number, UUID or pointer.
fn is_plain(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    is_word(text, WORD_MAX) && digits < NUMBER_LEAST && !text.starts_with("0x") && !is_uuid(text)
}

fn is_technology(text: &str) -> bool {
    text.len() <= TECHNOLOGY_MAX && is_plain(text)
}

fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.chars().all(|sign| sign.is_alphanumeric() || "-_+*# ".contains(sign))
}

/// Groups of hex digits: 8, 4, 4, 4 and 12.
fn is_uuid(text: &str) -> bool {
    let hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hex)
}

/// The number of a span, a line or a timeslot: no PBX has more than some thousands.
fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Asterisk's drivers from 12 on, and those of others that are in use.  Names compare without case.
const TECHNOLOGIES: [(&str, Naming); 44] = [
    ("PJSIP", Naming::Configured),
    ("SIP", Naming::Chosen),
    ("IAX2", Naming::Chosen),
    ("Local", Naming::Local),
    ("DAHDI", Naming::Dahdi),
    ("SCCP", Naming::Configured),
    ("Skinny", Naming::Configured),
    ("MGCP", Naming::Configured),
    ("USTM", Naming::Configured),
    ("OOH323", Naming::Chosen),
    ("H323", Naming::Chosen),
    ("Motif", Naming::FarEnd),
    ("Jingle", Naming::FarEnd),
    ("Gtalk", Naming::FarEnd),
    ("Mobile", Naming::Modem),
    ("Dongle", Naming::Modem),
    ("Quectel", Naming::Modem),
    ("mISDN", Naming::Misdn),
    ("CAPI", Naming::Capi),
    ("Console", Naming::Whole),
    ("ALSA", Naming::Whole),
    ("Phone", Naming::Whole),
    ("vpb", Naming::Whole),
    ("AudioSocket", Naming::Media),
    ("WebSocket", Naming::Media),
    ("UnicastRTP", Naming::Media),
    ("MulticastRTP", Naming::Media),
    ("NBS", Naming::Media),
    ("Snoop", Naming::Media),
    ("Announcer", Naming::Media),
    ("Recorder", Naming::Media),
    ("CBAnn", Naming::Media),
    ("CBRec", Naming::Media),
    ("ConfBridgeRecorder", Naming::Media),
    ("Bridge", Naming::Media),
    ("Message", Naming::Media),
    ("Surrogate", Naming::Media),
    ("AsyncGoto", Naming::Media),
    ("Parked", Naming::Media),
    ("Calendar", Naming::Media),
    ("mISDN-CC", Naming::Media),
    ("CLIExec", Naming::Media),
    ("CLIEval", Naming::Media),
    ("Kill", Naming::Media),
];

/// In a label, instead of a name that may not be exported.
const UNKNOWN: &str = "unknown";
/// The longest name a channel has (`AST_CHANNEL_NAME`).
const NAME_MAX: usize = 80;
/// The longest name that somebody else may choose.
const WORD_MAX: usize = 40;
/// The longest name of a technology that is not known.
const TECHNOLOGY_MAX: usize = 16;
/// From so many digits on it may be a phone number; extensions are shorter.
const NUMBER_LEAST: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    /// Example, class and label of each row of docs/channels.md.
    fn documented() -> Vec<(&'static str, &'static str, &'static str)> {
        let rows = include_str!("../../docs/channels.md").lines().filter_map(|line| {
            let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
            let [_, _, example, _, _, class, label] = cells[..] else { return None };
            let code =
                |cell: &'static str| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
            Some((code(example)?, code(class)?, code(label).unwrap_or("")))
        });
        rows.collect()
    }

    fn class_and_label(channel: &str, patterns: &Patterns) -> (&'static str, String) {
        let device = Device::of(channel);
        let class = match device.class {
            Class::Device => "device",
            Class::Line => "line",
            Class::Local => return ("local", String::new()),
            Class::Media => return ("media", String::new()),
        };
        (class, device.label(patterns).into_owned())
    }

    #[test]
    fn every_row_of_the_documentation_is_what_the_code_makes_of_it() {
        let rows = documented();
        assert_eq!(rows.len(), 65);
        for (example, class, label) in rows {
            assert_eq!(
                class_and_label(example, &Patterns::default()),
                (class, label.to_owned()),
                "{example}"
            );
        }
    }

    #[test]
    fn the_table_of_technologies_names_each_once() {
        for (at, (technology, _)) in TECHNOLOGIES.iter().enumerate() {
            let first =
                TECHNOLOGIES.iter().position(|(other, _)| other.eq_ignore_ascii_case(technology));
            assert_eq!(first, Some(at), "{technology}");
        }
        assert!(naming("pjsip").is_some(), "without case");
    }

    #[test]
    fn a_device_is_the_name_up_to_the_last_dash() {
        let name = |channel| Device::of(channel).name;
        assert_eq!(name("SIP/channel2-00000037"), "SIP/channel2");
        assert_eq!(name("PJSIP/front-desk-0000000a"), "PJSIP/front-desk");
        assert_eq!(name("Local/103@from-queue-00000000;2"), "Local/103@from-queue");
        // A member's interface may be a number behind a span.
        assert_eq!(name("DAHDI/i1/2025550188-1"), "DAHDI/i1/2025550188");
    }

    #[test]
    fn an_event_without_a_name_is_somebody_and_nobody_s_device() {
        assert_eq!(class_and_label("", &Patterns::default()), ("line", "unknown".to_owned()));
    }

    #[test]
    fn a_name_that_the_configuration_spells_out_is_a_label() {
        let label = |pattern: &str, channel: &str| {
            class_and_label(channel, &Patterns::new([pattern]).unwrap()).1
        };
        assert_eq!(
            label(r"^SIP/carrier\.example\.com-", "SIP/carrier.example.com-1"),
            "SIP/carrier.example.com"
        );
        assert_eq!(label(r"^(SIP|IAX2)/(12025550100|b)-", "SIP/12025550100-1"), "SIP/12025550100");
        assert_eq!(label(r"^SIP/.*\.com-", "SIP/carrier.example.com-1"), "SIP/unknown");
        assert_eq!(label(r"^IAX2/", "IAX2/203.0.113.9:4569-1"), "IAX2/unknown");
        // A span has one label, however it is matched.
        assert_eq!(label(r"^DAHDI/i1/2025550100-", "DAHDI/i1/2025550100-1"), "DAHDI/i1");
    }

    #[test]
    fn what_is_no_plain_word_is_withheld() {
        let label = |channel: &str| class_and_label(channel, &Patterns::default()).1;
        for rest in [
            "0a1b2c3d-0000-4000-8000-00000000000f",
            "abcdefab-abcd-abcd-abcd-abcdefabcdef",
            "0x7fb3c4001fb0",
            "0xabc",
            "1790000300.1",
            "+12025550100",
            "202-555-0100",
            "2001:db8::9",
            "somebody@example.com",
            "a/b",
            "",
            "a-name-of-more-than-forty-letters-is-none-",
        ] {
            assert_eq!(label(&format!("SIP/{rest}-00000001")), "SIP/unknown", "{rest}");
            assert_eq!(label(&format!("Other/{rest}-00000001")), "Other/unknown", "{rest}");
        }
        for rest in ["201", "front desk", "Büro_2", "*76", "123456"] {
            assert_eq!(label(&format!("SIP/{rest}-00000001")), format!("SIP/{rest}"));
        }
        assert_eq!(label("12025550100/201-1"), "unknown", "a technology may be anything, too");
        assert_eq!(label("DAHDI/12025550100-1"), "DAHDI/unknown");
        assert_eq!(label("DAHDI/i12025550100/1-1"), "DAHDI/unknown");
    }
}
