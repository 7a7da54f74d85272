//! Actions to bytes: the closed set the exporter may send, none of which changes the PBX.

use md5::{Digest, Md5};

use super::id::ActionId;

/// An action that the exporter may send.  There is no way to build any other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action<'a> {
    /// Asks for the MD5 challenge.
    Challenge,
    /// Logs in with the answer to the challenge.
    LoginMd5 {
        /// The account.
        username: &'a str,
        /// The answer to the challenge ([`challenge_key`]).
        key: &'a str,
        /// The classes of events to send.
        events: &'a str,
    },
    /// Logs in with the secret in clear.
    LoginPlain {
        /// The account.
        username: &'a str,
        /// Its secret.
        secret: &'a str,
        /// The classes of events to send.
        events: &'a str,
    },
    /// Logs off.
    Logoff,
    /// Selects the classes of events that are sent.
    Events {
        /// The classes: `call,agent`.
        mask: &'a str,
    },
    /// Keeps the connection alive, and marks a place in the stream.
    Ping,
    /// Lists queues, members and waiting callers.
    QueueStatus,
    /// Lists channels.
    CoreShowChannels,
    /// Asks for the Asterisk version.
    CoreSettings,
    /// Lists hints: which devices an extension's state comes from.
    ExtensionStateList,
    /// Lists the outbound registrations of PJSIP; the answer has their passwords, too.
    PjsipShowRegistrationsOutbound,
    /// Lists the outbound registrations of chan_sip.
    SipShowRegistry,
    /// Lists the peers of chan_sip.
    SipPeers,
    /// Lists devices and their states.
    DeviceStateList,
}

impl Action<'_> {
    /// The bytes to send, answered by frames that carry `id` as ActionID.
    ///
    /// Line breaks in a value would add headers: they are left out.
    pub fn encode(&self, id: &ActionId) -> Vec<u8> {
        let mut text = format!("Action: {}\r\nActionID: {}\r\n", self.name(), id.as_str());
        for (key, value) in self.headers().into_iter().flatten() {
            text.push_str(key);
            text.push_str(": ");
            text.extend(value.chars().filter(|&c| c != '\r' && c != '\n'));
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// The name of the action.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Challenge => "Challenge",
            Self::LoginMd5 { .. } | Self::LoginPlain { .. } => "Login",
            Self::Logoff => "Logoff",
            Self::Events { .. } => "Events",
            Self::Ping => "Ping",
            Self::QueueStatus => "QueueStatus",
            Self::CoreShowChannels => "CoreShowChannels",
            Self::CoreSettings => "CoreSettings",
            Self::ExtensionStateList => "ExtensionStateList",
            Self::PjsipShowRegistrationsOutbound => "PJSIPShowRegistrationsOutbound",
            Self::SipShowRegistry => "SIPshowregistry",
            Self::SipPeers => "SIPpeers",
            Self::DeviceStateList => "DeviceStateList",
        }
    }

    const fn headers(&self) -> [Option<(&'static str, &str)>; 4] {
        match *self {
            Self::Challenge => [Some(("AuthType", "MD5")), None, None, None],
            Self::LoginMd5 { username, key, events } => [
                Some(("AuthType", "MD5")),
                Some(("Username", username)),
                Some(("Key", key)),
                Some(("Events", events)),
            ],
            Self::LoginPlain { username, secret, events } => [
                Some(("Username", username)),
                Some(("Secret", secret)),
                Some(("Events", events)),
                None,
            ],
            Self::Events { mask } => [Some(("EventMask", mask)), None, None, None],
            Self::Logoff
            | Self::Ping
            | Self::QueueStatus
            | Self::CoreShowChannels
            | Self::CoreSettings
            | Self::ExtensionStateList
            | Self::PjsipShowRegistrationsOutbound
            | Self::SipShowRegistry
            | Self::SipPeers
            | Self::DeviceStateList => [None; 4],
        }
    }
}

/// The answer to a challenge: lower-case hex of MD5 over challenge and secret.
pub fn challenge_key(challenge: &[u8], secret: &str) -> String {
    let mut hash = Md5::new();
    hash.update(challenge);
    hash.update(secret.as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ActionId {
        ActionId::new(number, "x")
    }

    #[test]
    fn an_action_is_lines_and_a_blank_line() {
        assert_eq!(Action::Ping.encode(&id(7)), b"Action: Ping\r\nActionID: ae-7-x\r\n\r\n");
        let login =
            Action::LoginMd5 { username: "exporter", key: "k", events: "call" }.encode(&id(2));
        let text = "Action: Login\r\nActionID: ae-2-x\r\nAuthType: MD5\r\nUsername: exporter\r\nKey: k\r\nEvents: call\r\n\r\n";
        assert_eq!(String::from_utf8(login).unwrap(), text);
    }

    #[test]
    fn a_value_cannot_add_an_action() {
        let login =
            Action::LoginPlain { username: "x\r\n\r\nAction: Command", secret: "s", events: "off" }
                .encode(&id(1));
        let text = String::from_utf8(login).unwrap();
        assert_eq!(text.matches("\r\n\r\n").count(), 1);
        assert!(text.contains("Username: xAction: Command\r\n"));
    }

    #[test]
    fn the_challenge_is_answered_as_asterisk_does() {
        assert_eq!(challenge_key(b"", ""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(challenge_key(b"a", "bc"), "900150983cd24fb0d6963f7d28e17f72");
    }
}
