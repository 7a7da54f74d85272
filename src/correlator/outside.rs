//! Where calls come from: trunks that the configuration does not name, and what to report when there
//! is none.
//!
//! A device that begins calls where calls from outside begin is a trunk, as long as it begins none
//! elsewhere and is nobody's phone.  Nothing else makes one.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::Correlator;
use super::caseless::folded;
use super::key::ChannelKey;
use super::line::Line;
use super::observation::Observe;
use crate::event;

/// What is known of where calls begin.
#[derive(Debug, Default)]
pub(super) struct Outside {
    begins: HashMap<Box<[u8]>, Begins>,
    first_calls: FirstCalls,
}

/// Where a device begins its calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Begins {
    /// Only where calls from outside do.
    Outside,
    /// Elsewhere, too: it may be a phone, or a PBX with both behind it.
    Inside,
}

/// The first calls of a PBX, none of which had a trunk: what to write a configuration from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FirstCalls {
    /// How many devices have begun a call.
    pub calls: u64,
    /// The technologies of their channels.
    pub technologies: BTreeSet<String>,
    /// The contexts they began in.
    pub contexts: BTreeSet<String>,
}

impl Correlator {
    /// A device begins a call: takes note of where, and whether it is a trunk.
    pub(super) fn note_beginning(
        &mut self,
        key: ChannelKey,
        block: &event::Channel<'_>,
        out: &mut dyn Observe,
    ) {
        // Before 13.5 a leg cannot be distinguished from a beginning, and has its trunk's context.
        // A channel that a device begins is in state Ring, one that Asterisk dials is not.
        if block.state != Some(RING) || block.linkedid != block.uid {
            return;
        }

        let channel = &self.channels.all[key];
        if matches!(channel.identity.line, Line::Local | Line::Media) {
            return;
        }
        let origin = channel.identity.origin.clone();
        let context = String::from_utf8_lossy(&origin.context);
        // With a trunk, nobody asks any more.
        if self.trunks.is_empty() {
            self.outside.first_calls.add(origin.label(), &context);
        }

        // A phone is no trunk, wherever its calls begin.
        let phone = channel.owner(self.members.owners()).is_some()
            || channel.identity.line == Line::Agent && !self.rules.agents.is_empty();
        if phone || matches!(channel.identity.line, Line::Trunk(_)) {
            return;
        }
        let outside = origin.is_inbound || is_of_freepbx_trunks(&context);
        if self.outside.begins(origin.label(), outside) == Some(Begins::Outside) {
            self.take_for_trunk(key, out);
        }
    }

    /// A device that was learned to be a trunk is dialled, or was found in a call of its own.
    pub(super) fn recognise_trunk(&mut self, key: ChannelKey, out: &mut dyn Observe) {
        let channel = &self.channels.all[key];
        let unclear = matches!(channel.identity.line, Line::Agent | Line::Other);
        if unclear
            && self.outside.is_trunk(channel.label())
            && channel.owner(self.members.owners()).is_none()
        {
            self.take_for_trunk(key, out);
        }
    }

    /// Without a pattern for agents' devices every device is one that is no trunk.  One that is
    /// dialled with a number behind it is neither for certain: a trunk that the configuration
    /// does not name, or a gateway.
    pub(super) fn note_dial_string(&mut self, leg: ChannelKey, dial_string: &[u8]) {
        let channel = &self.channels.all[leg];
        let presumed = channel.identity.line == Line::Agent && self.rules.agents.is_empty();
        if presumed
            && is_routed(dial_string, &channel.identity.origin.device)
            && channel.owner(self.members.owners()).is_none()
        {
            self.channels.turn(leg, Line::Other);
            self.mark_call_of(leg);
        }
    }

    fn take_for_trunk(&mut self, key: ChannelKey, out: &mut dyn Observe) {
        let trunk = self.names.trunks.intern_text(self.channels.all[key].label());
        self.channels.turn(key, Line::Trunk(trunk));
        self.mark_call_of(key);
        self.ensure_trunk(trunk, out);
    }

    /// Whether the configuration names trunks.
    pub fn knows_trunk_patterns(&self) -> bool {
        !self.rules.trunks.is_empty()
    }

    /// The first calls, if none of them came from a trunk or went to one, whether configured or
    /// learned.
    pub fn without_trunk(&self) -> Option<&FirstCalls> {
        // Patterns that have not matched yet may still do: at night a centre has internal calls
        // only.
        let enough = if self.rules.trunks.is_empty() { FIRST_CALLS } else { MANY_CALLS };
        let first_calls = &self.outside.first_calls;
        (self.trunks.is_empty() && first_calls.calls >= enough).then_some(first_calls)
    }
}

impl Outside {
    fn begins(&mut self, device: &str, outside: bool) -> Option<Begins> {
        let now = if outside { Begins::Outside } else { Begins::Inside };
        let room = self.begins.len() < DEVICES;
        folded(device.as_bytes(), |device| match self.begins.get_mut(device) {
            Some(begins) => {
                if now == Begins::Inside {
                    *begins = now;
                }
                Some(*begins)
            }
            // Nothing is learned of more devices than a PBX has.
            None if room => {
                self.begins.insert(device.into(), now);
                Some(now)
            }
            None => None,
        })
    }

    /// Whether the device begins calls only where those from outside do.
    pub(super) fn is_trunk(&self, device: &str) -> bool {
        !self.begins.is_empty()
            && folded(device.as_bytes(), |device| self.begins.get(device) == Some(&Begins::Outside))
    }
}

impl FirstCalls {
    fn add(&mut self, device: &str, context: &str) {
        self.calls = self.calls.saturating_add(1);
        let technology = device.split('/').next().unwrap_or_default();
        for (words, word) in [(&mut self.technologies, technology), (&mut self.contexts, context)] {
            if words.len() < WORDS && !word.is_empty() && !words.contains(word) {
                words.insert(word.to_owned());
            }
        }
    }
}

/// The contexts that FreePBX itself gives to trunks and to nothing else: `from-trunk`,
/// `from-pstn-e164-us`, ….
fn is_of_freepbx_trunks(context: &str) -> bool {
    FREEPBX.iter().any(|name| {
        context.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// Whether a leg was dialled with a number behind its device: `912025550155@carrier`,
/// `carrier/912025550155`.  A phone is dialled by its name alone, or with its contact
/// (`201/sip:201@192.0.2.7`).
fn is_routed(dial_string: &[u8], device: &str) -> bool {
    let Some((technology, peer)) = device.split_once('/') else { return false };
    let text = String::from_utf8_lossy(dial_string);
    // A queue's dial string has the technology in front.
    let text =
        text.strip_prefix(technology).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&text);
    let (before, text) = match text.split_once('@') {
        Some((before, rest)) if !before.contains('/') => (before, rest),
        Some(_) | None => ("", text),
    };

    // In front of an IAX2 peer are a name and a secret.
    let number = before.starts_with(is_dialled) && technology != "IAX2";
    let (Some(start), rest) = (text.get(..peer.len()), text.get(peer.len()..).unwrap_or_default())
    else {
        return false;
    };
    start.eq_ignore_ascii_case(peer)
        && (number || rest.strip_prefix('/').is_some_and(|rest| rest.starts_with(is_dialled)))
}

fn is_dialled(char: char) -> bool {
    char.is_ascii_digit() || matches!(char, '+' | '*' | '#')
}

const FREEPBX: &[&str] =
    &["from-trunk", "from-pstn", "from-digital", "from-analog", "from-zaptel", "from-dahdi"];
/// Channel state: a device calls Asterisk.
const RING: u8 = 4;
/// After so many calls somebody should have called in or out.
const FIRST_CALLS: u64 = 10;
/// The same where patterns are configured.
const MANY_CALLS: u64 = 50;
/// Far more devices than a PBX has.
const DEVICES: usize = 65_536;
/// Words of each kind that are reported: enough to write a pattern from.
const WORDS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_behind_a_device_shows_that_it_is_no_phone() {
        for (dialled, device) in [
            ("912025550155@voipms", "PJSIP/voipms"),
            ("+12025550155@VoipMs", "PJSIP/voipms"),
            ("voipms/912025550155", "SIP/voipms"),
            ("SIP/voipms/912025550155", "SIP/voipms"),
            ("name:secret@far/12025550155", "IAX2/far"),
            ("i1/12025550155", "DAHDI/i1"),
        ] {
            assert!(is_routed(dialled.as_bytes(), device), "{dialled}");
        }
        for (dialled, device) in [
            ("201", "PJSIP/201"),
            ("PJSIP/201", "PJSIP/201"),
            ("201/sip:201@192.0.2.7:5060;ob", "PJSIP/201"),
            ("201@192.0.2.7", "SIP/201"),
            ("name:secret@desk", "IAX2/desk"),
            ("", "SIP/201"),
            ("1", "DAHDI/1"),
            ("2012/12025550155", "SIP/201"),
            ("x", "Message"),
        ] {
            assert!(!is_routed(dialled.as_bytes(), device), "{dialled}");
        }
    }

    #[test]
    fn contexts_of_freepbx_trunks_are_known_by_name() {
        for context in [
            "from-trunk",
            "from-trunk-pjsip-carrier",
            "from-pstn",
            "from-pstn-e164-us",
            "from-digital",
        ] {
            assert!(is_of_freepbx_trunks(context), "{context}");
        }
        for context in
            ["from-internal", "from-trunking", "from-sip-external", "macro-from-trunk", ""]
        {
            assert!(!is_of_freepbx_trunks(context), "{context}");
        }
    }
}
