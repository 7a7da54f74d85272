//! Callers' numbers and names to pseudonyms, frame by frame.
//!
//! Headers are recognised by their keys (`headers`), numbers inside them by their form (`text`),
//! and a keyed hash makes the pseudonyms (`key`).  Names and devices of members stay, or a capture
//! could not be compared with queue_log: those numbers and names are learned from the members' own
//! headers.

mod headers;
mod key;
mod text;

use std::collections::HashSet;

use headers::{APPLICATIONS, MEASURED, QUEUE_NAME, Treatment, VARIABLES, VOICE, treatment};
pub use key::Key;
use text::{NUMBER_LEAST, replace_all_digits, replace_numbers};

use crate::ami::frame::{Frame, Kind, put};
use crate::correlator::Rules;
use crate::event::Name;

/// Replaces callers' numbers and names.
#[derive(Debug)]
pub struct Pseudonymizer {
    key: Key,
    rules: Rules,
    /// Names of members, and of their devices.
    members: HashSet<Box<[u8]>>,
}

impl Pseudonymizer {
    /// Pseudonyms by `key`; devices that `rules` recognise by their number keep it.
    pub fn new(key: Key, rules: Rules) -> Self {
        Self { key, rules, members: HashSet::new() }
    }

    /// Learns the member that a frame describes.
    pub fn learn(&mut self, frame: &Frame<'_>) {
        if !describes_member(frame) {
            return;
        }

        // Only items of the list use the short keys.
        let listed = frame.is_event("QueueMember");
        for (key, value) in frame.headers() {
            let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
            if is("Interface") || is("StateInterface") || (listed && is("Location")) {
                self.learn_device(value);
            } else if is("MemberName") || (listed && is("Name")) {
                self.keep(value);
            }
        }
    }

    /// Writes the frame out with pseudonyms.
    pub fn rewrite(&self, frame: &Frame<'_>, out: &mut Vec<u8>) {
        put(out, frame.kind.key().as_bytes(), frame.name);
        for (key, value) in frame.headers() {
            let treatment = treatment(frame, &key.to_ascii_lowercase());
            // `ChanVariable(<channel>)`, or a key of a foreign event, may hold a number itself.
            let free = matches!(treatment, Treatment::Variable | Treatment::Hide);
            let key = if free { self.text(key) } else { key.to_vec() };
            put(out, &key, &self.value(frame, treatment, value));
        }

        out.extend_from_slice(b"\r\n");
    }

    fn value(&self, frame: &Frame<'_>, treatment: Treatment, value: &[u8]) -> Vec<u8> {
        match treatment {
            Treatment::Keep => value.to_vec(),
            Treatment::Id => self.id(value),
            Treatment::Text => self.text(value),
            Treatment::Channel => self.channel(value),
            Treatment::Number => self.number(value),
            Treatment::Name => self.name(value),
            // Without an address a peer has this.
            Treatment::Opaque if value.is_empty() || value == b"-none-" => value.to_vec(),
            Treatment::Opaque => self.key.name(value).into_bytes(),
            Treatment::Arguments => {
                self.arguments(frame.header("Application").unwrap_or_default(), value)
            }
            Treatment::VariableName => self.variable_name(value),
            Treatment::Value => self.variable(frame.header("Variable").unwrap_or_default(), value),
            Treatment::Variable => self.assignment(value),
            Treatment::Hide => hidden(value),
        }
    }

    /// Numbers, and names in front of them: `"Ivan" <12025550123>`.
    fn text(&self, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(value.len());
        let mut rest = value;

        while let Some((start, end)) = quoted_name(rest) {
            out.extend_from_slice(&rest[..start]);
            out.extend_from_slice(&self.name(&rest[start..end]));
            out.extend_from_slice(BEFORE_NUMBER);
            rest = &rest[end + BEFORE_NUMBER.len()..];
        }

        out.extend_from_slice(rest);
        replace_numbers(&self.key, &mut out, |number| self.members.contains(number));
        out
    }

    /// A Uniqueid or an ActionID has digits, no blanks, a privilege ends with its class, a channel
    /// has its technology.
    fn id(&self, value: &[u8]) -> Vec<u8> {
        if value.iter().any(u8::is_ascii_whitespace) {
            hidden(value)
        } else if value.contains(&b'/') {
            self.channel(value)
        } else if value.iter().any(u8::is_ascii_digit) || value.ends_with(b",all") {
            self.text(value)
        } else {
            hidden(value)
        }
    }

    fn channel(&self, name: &[u8]) -> Vec<u8> {
        let device = name.len() - suffix(name);
        let mut out = self.text(&name[..device]);
        out.extend_from_slice(&name[device..]);

        // The configuration recognises this device by its number.
        if out != name && self.kind(&out) != self.kind(name) { name.to_vec() } else { out }
    }

    /// Which of the configured patterns match a channel.
    fn kind(&self, name: &[u8]) -> [bool; 2] {
        let name = String::from_utf8_lossy(name);
        [self.rules.trunks.matches(&name), self.rules.agents.matches(&name)]
    }

    fn number(&self, value: &[u8]) -> Vec<u8> {
        if !has_letters(value) {
            let mut out = value.to_vec();
            replace_all_digits(&self.key, &mut out, |number| self.members.contains(number));
            return out;
        }

        // The name of a SIP user; short ones are devices or extensions.
        let long =
            value.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()).count()
                >= NUMBER_LEAST;
        if long { self.name(value) } else { value.to_vec() }
    }

    fn name(&self, value: &[u8]) -> Vec<u8> {
        if !has_letters(value) {
            return self.number(value);
        }
        let stays =
            UNKNOWN_NAMES.contains(&&*value.to_ascii_lowercase()) || self.members.contains(value);
        if stays { value.to_vec() } else { self.key.name(value).into_bytes() }
    }

    fn arguments(&self, application: &[u8], value: &[u8]) -> Vec<u8> {
        if !APPLICATIONS.contains(&application) {
            return hidden(value);
        }

        // The first argument of Queue is the queue's name.
        let queue =
            if application == b"Queue" { value.split(|&byte| byte == b',').next() } else { None };
        let queue = queue.unwrap_or_default();
        [queue.to_vec(), self.text(&value[queue.len()..])].concat()
    }

    /// `~HASH~crm~John Miller~` is the name of a variable, too.
    fn variable_name(&self, name: &[u8]) -> Vec<u8> {
        let plain = name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if plain { self.text(name) } else { hidden(name) }
    }

    fn variable(&self, name: &[u8], value: &[u8]) -> Vec<u8> {
        // `_` and `__` let channels inherit it.
        let name = name.iter().position(|&byte| byte != b'_').map_or(name, |at| &name[at..]);
        if name == QUEUE_NAME || (name == VOICE && is_measurement(value)) {
            value.to_vec()
        } else if VARIABLES.contains(&name) {
            self.text(value)
        } else {
            hidden(value)
        }
    }

    fn assignment(&self, value: &[u8]) -> Vec<u8> {
        let Some(at) = value.iter().position(|&byte| byte == b'=') else { return hidden(value) };
        [self.text(&value[..at]), b"=".to_vec(), self.variable(&value[..at], &value[at + 1..])]
            .concat()
    }

    /// `Local/79161234567@from-queue/n`: the whole, and the part that a channel's name or a caller
    /// id may hold.
    fn learn_device(&mut self, interface: &[u8]) {
        self.keep(interface);
        let Some(at) = interface.iter().position(|&byte| byte == b'/' || byte == b':') else {
            return;
        };
        let peer =
            interface[at + 1..].split(|byte| b"@/".contains(byte)).next().unwrap_or_default();
        self.keep(peer);
        // A caller id may have the number without its plus sign.
        self.keep(peer.strip_prefix(b"+").unwrap_or(peer));
    }

    fn keep(&mut self, word: &[u8]) {
        if !word.is_empty() && !self.members.contains(word) && self.members.len() < MEMBERS {
            self.members.insert(word.into());
        }
    }
}

/// Events of app_queue itself; a dialplan may send a `MemberName` of its own in a
/// UserEvent.
fn describes_member(frame: &Frame<'_>) -> bool {
    let name = Name::find(frame.name).map(|(_, name)| name);
    frame.kind == Kind::Event
        && matches!(
            name,
            Some(
                Name::AgentCalled
                    | Name::AgentComplete
                    | Name::AgentConnect
                    | Name::AgentDump
                    | Name::AgentRingNoAnswer
                    | Name::QueueMember
                    | Name::QueueMemberAdded
                    | Name::QueueMemberPause
                    | Name::QueueMemberPenalty
                    | Name::QueueMemberRemoved
                    | Name::QueueMemberRinginuse
                    | Name::QueueMemberStatus
            )
        )
}

/// The place of a name in quotes before a number in brackets.
fn quoted_name(text: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memmem::find(text, BEFORE_NUMBER)?;
    let start = text[..end].iter().rposition(|&byte| byte == b'"')? + 1;
    Some((start, end))
}

/// Bytes of the number that ends a channel's name: `-0000001a`, `-0000001a;2`.
fn suffix(name: &[u8]) -> usize {
    let plain = name.strip_suffix(b";1").or_else(|| name.strip_suffix(b";2")).unwrap_or(name);
    let Some(dash) = plain.iter().rposition(|&byte| byte == b'-') else { return 0 };
    let count = &plain[dash + 1..];
    let counts = (1..=8).contains(&count.len())
        && count.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if counts { name.len() - dash } else { 0 }
}

fn has_letters(value: &[u8]) -> bool {
    value.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
}

/// Whether these are the counts and seconds of RTP that Asterisk itself puts together.
fn is_measurement(value: &[u8]) -> bool {
    value.split(|&byte| byte == b';').all(|field| {
        let Some(at) = field.iter().position(|&byte| byte == b'=') else { return false };
        let (key, number) = (&field[..at], &field[at + 1..]);
        MEASURED.contains(&key) && number.iter().all(|&byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn hidden(value: &[u8]) -> Vec<u8> {
    if value.is_empty() { Vec::new() } else { b"(hidden)".to_vec() }
}

/// What ends a name in quotes.
const BEFORE_NUMBER: &[u8] = b"\" <";

/// Placeholders for a name or a number that is not known.
const UNKNOWN_NAMES: &[&[u8]] =
    &[b"<unknown>", b"unknown", b"anonymous", b"restricted", b"private", b"unavailable"];

/// Names and devices of members that are remembered; far more than a PBX has.
const MEMBERS: usize = 50_000;

#[cfg(test)]
mod tests;
