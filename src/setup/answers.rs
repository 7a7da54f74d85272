//! The answers, each checked by the code that reads the configuration.

use super::texts::{self, SecretAt};
use super::{Answers, Topic};
use crate::config::{Address, Config, Document, Error, Loaded, Purpose, Sources};
use crate::doctor::TRUNKS_BY_NAME;
use crate::manager_conf::{Account, manager_conf};
use crate::version::{NEWEST, Version};

impl Topic {
    /// All, in the order in which they are asked: a later one may depend on an earlier one.
    pub const ALL: [Self; 8] = [
        Self::Address,
        Self::Name,
        Self::Asterisk,
        Self::Permit,
        Self::Username,
        Self::Trunks,
        Self::ServiceLevel,
        Self::ListenAddress,
    ];

    /// The flag that answers it.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Address => "--address",
            Self::Name => "--name",
            Self::Asterisk => "--asterisk",
            Self::Permit => "--permit",
            Self::Username => "--username",
            Self::Trunks => "--trunks",
            Self::ServiceLevel => "--service-level",
            Self::ListenAddress => "--web.listen-address",
        }
    }

    /// The question.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Address => "Where does the PBX's manager interface listen? host or host:port",
            Self::Name => "Name of the PBX, for the label `pbx`",
            Self::Asterisk => "Version of Asterisk, as `core show version` prints it",
            Self::Permit => "Which address does the exporter connect from? address/mask",
            Self::Username => "Name of the manager account that is added for the exporter",
            Self::Trunks => {
                "Which channels are trunks? Regular expressions over channel names, with blanks between them, or none"
            }
            Self::ServiceLevel => "Within which time should a caller be answered?",
            Self::ListenAddress => "Where are the metrics served? :port is every interface",
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            name: "pbx".to_owned(),
            address: "127.0.0.1:5038".to_owned(),
            endpoint: Address { host: "127.0.0.1".to_owned(), port: 5038 },
            username: "exporter".to_owned(),
            asterisk: None,
            permit: "127.0.0.1/255.255.255.255".to_owned(),
            trunks: vec![TRUNKS_BY_NAME.to_owned()],
            service_level: "20s".to_owned(),
            listen_address: ":15038".to_owned(),
        }
    }
}

impl Answers {
    /// What is taken where nothing else is answered; `None` if there must be an answer.
    pub fn default_of(&self, topic: Topic) -> Option<String> {
        Some(match topic {
            Topic::Address => self.address.clone(),
            Topic::Name => self.name.clone(),
            Topic::Asterisk => return self.asterisk.map(|version| version.to_string()),
            Topic::Permit => self.permit.clone(),
            Topic::Username => self.username.clone(),
            Topic::Trunks => self.trunks.join(" "),
            Topic::ServiceLevel => self.service_level.clone(),
            Topic::ListenAddress => self.listen_address.clone(),
        })
    }

    /// Takes an answer, and returns warnings about it.
    ///
    /// # Errors
    /// What is wrong with it; nothing has changed then.
    pub fn take(&mut self, topic: Topic, text: &str) -> Result<Vec<String>, String> {
        let mut changed = self.clone();
        changed.set(topic, text)?;
        let (config, warnings) = changed.check()?;
        if let Some(pbx) = config.pbxs.into_iter().next() {
            changed.endpoint = pbx.address;
        }
        *self = changed;
        Ok(warnings)
    }

    fn set(&mut self, topic: Topic, text: &str) -> Result<(), String> {
        let owned = text.to_owned();
        match topic {
            Topic::Address => self.address = owned,
            Topic::Name => self.name = owned,
            Topic::Asterisk => {
                self.asterisk = Some(text.parse().map_err(|error| format!("{error}"))?);
            }
            Topic::Permit => self.permit = network(text)?,
            Topic::Username => self.username = owned,
            Topic::Trunks if text == NONE => self.trunks.clear(),
            Topic::Trunks => self.trunks = text.split_whitespace().map(str::to_owned).collect(),
            Topic::ServiceLevel => self.service_level = owned,
            Topic::ListenAddress => self.listen_address = owned,
        }
        Ok(())
    }

    /// Has the files read as the exporter and Asterisk will read them.  All answers but the last were
    /// right before, so what is wrong is in the last.
    fn check(&self) -> Result<(Config, Vec<String>), String> {
        let (account, version) = (self.account("***"), self.asterisk.unwrap_or(UNKNOWN));
        manager_conf(version, &account).map_err(|error| error.to_string())?;

        let text = texts::configuration(self, SecretAt::Text("***"));
        let document = Document::Text { name: "setup".to_owned(), text };
        let sources = Sources { document, ..Sources::default() };
        match Config::load(&sources, Purpose::Run) {
            Ok(Loaded { config, warnings }) => {
                Ok((config, warnings.into_iter().map(|found| found.message).collect()))
            }
            Err(Error::Mistakes(mistakes)) => {
                let messages: Vec<_> = mistakes.into_iter().map(|found| found.message).collect();
                Err(messages.join("; "))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) fn account<'a>(&'a self, secret: &'a str) -> Account<'a> {
        Account { username: &self.username, secret, permit: &self.permit, tls: false }
    }

    /// Where the manager interface listens.
    pub const fn endpoint(&self) -> &Address {
        &self.endpoint
    }

    /// The account's name.
    pub fn username(&self) -> &str {
        &self.username
    }
}

/// The address of a host or a network, as Asterisk reads it: `10.0.0.9`, `10.0.0.9/255.255.255.255`,
/// `10.0.0.0/24`.  Without a mask it is one host.
fn network(text: &str) -> Result<String, String> {
    let not = || format!("{text} is not an address/mask such as 10.0.0.9/255.255.255.255");
    let (address, mask) = text.split_once('/').map_or((text, None), |(it, mask)| (it, Some(mask)));
    let address: std::net::IpAddr = address.parse().map_err(|_| not())?;

    let bits = if address.is_ipv4() { 32 } else { 128 };
    let is_mask = |mask: &str| {
        mask.parse::<u8>().is_ok_and(|mask| mask <= bits)
            || mask.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_ipv4() == address.is_ipv4())
    };
    match mask {
        None => Ok(format!("{address}/{bits}")),
        Some(mask) if is_mask(mask) => Ok(text.to_owned()),
        Some(_) => Err(not()),
    }
}

/// The answer of who has no trunks.
const NONE: &str = "none";
/// For the checks that do not depend on it.
const UNKNOWN: Version = Version::new(NEWEST, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_has_the_message_of_the_configuration_and_changes_nothing() {
        for (topic, text, message) in [
            (Topic::Address, "pbx:70000", "70000 is not a port"),
            (Topic::Address, "a b", "a b is not a host or host:port"),
            (Topic::Name, "", "is empty"),
            (Topic::Name, "a\nb", "holds a control character"),
            (Topic::Asterisk, "new", "new is not an Asterisk version such as 18.9"),
            (
                Topic::Asterisk,
                "11.25",
                "Asterisk 11.25.0 is not supported: its queue events lack what the exporter needs; update it to 12 or newer",
            ),
            (
                Topic::Permit,
                "pbx.lan",
                "pbx.lan is not an address/mask such as 10.0.0.9/255.255.255.255",
            ),
            (
                Topic::Permit,
                "10.0.0.9/33",
                "10.0.0.9/33 is not an address/mask such as 10.0.0.9/255.255.255.255",
            ),
            (
                Topic::Username,
                "a]b",
                "username is empty or holds a character that manager.conf cannot hold",
            ),
            (Topic::Trunks, "(SIP", "(SIP is not a regular expression: unclosed group"),
            (Topic::ServiceLevel, "20x", "20x is not a duration such as 20s, 1m or 500ms"),
            (Topic::ListenAddress, "127.0.0.1", "127.0.0.1 has no port"),
        ] {
            let mut answers = Answers::default();
            assert_eq!(answers.take(topic, text), Err(message.to_owned()), "{topic:?}");
            let untouched = Answers::default();
            assert_eq!(answers.default_of(topic), untouched.default_of(topic), "{topic:?}");
        }
    }

    #[test]
    fn every_topic_takes_an_answer() {
        let mut answers = Answers::default();
        for (topic, text, kept) in [
            (Topic::Address, "pbx.lan", "pbx.lan"),
            (Topic::Name, "o'hara: #1", "o'hara: #1"),
            (Topic::Asterisk, "Asterisk 20.11.1 built by x on y", "20.11.1"),
            (Topic::Permit, "10.0.0.9", "10.0.0.9/32"),
            (Topic::Permit, "10.0.0.9/255.255.255.0", "10.0.0.9/255.255.255.0"),
            (Topic::Username, "metrics", "metrics"),
            (Topic::Trunks, r"^SIP/a\.b  ^IAX2/", r"^SIP/a\.b ^IAX2/"),
            (Topic::Trunks, "none", ""),
            (Topic::ServiceLevel, "30", "30"),
            (Topic::ListenAddress, "127.0.0.1:9", "127.0.0.1:9"),
        ] {
            assert_eq!(answers.take(topic, text), Ok(Vec::new()), "{topic:?}");
            assert_eq!(answers.default_of(topic), Some(kept.to_owned()), "{topic:?}");
        }
    }

    #[test]
    fn an_answer_that_is_not_likely_to_be_meant_is_warned_of() {
        let warnings = Answers::default().take(Topic::ServiceLevel, "20000").expect("an answer");
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].ends_with("a number without a unit is seconds"), "{warnings:?}");
    }
}
