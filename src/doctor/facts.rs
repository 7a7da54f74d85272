//! What a session has shown of its PBX.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ami::frame::{Frame, Kind};
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::correlator::{device_of_channel, readable};
use crate::event::{self, KNOWN, Name};

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The version, as CoreSettings has it.
    pub(super) asterisk: Option<String>,
    /// How often the PBX has greeted us.
    pub(super) sessions: u64,
    /// Whether the queues were listed, or the PBX refused to.
    pub(super) listed: bool,
    /// The lists of [`LISTS`] that were refused, with the PBX's words.
    pub(super) refused: BTreeMap<&'static str, String>,
    /// The events that came, items of lists left out.
    pub(super) events: BTreeSet<&'static str>,
    /// The least time in microseconds from a stamp to its reading: how far the PBX's clock is behind
    /// ours.
    pub(super) behind: Option<i64>,
    /// Whether QUEUESTATUS or QUEUEPOSITION was seen to be set.
    pub(super) queue_variables: bool,
    /// Queues with their own `servicelevel`, zero for none.
    pub(super) queues: BTreeMap<String, Duration>,
    /// Members by queue and interface: places of agents.
    pub(super) places: BTreeSet<(String, String)>,
    /// Members by interface.
    pub(super) members: BTreeMap<String, Member>,
    /// Devices of telephony, such as `PJSIP/201`: of lists and of channels, by the rules of labels.
    pub(super) devices: BTreeSet<String>,
    pub(super) devices_listed: bool,
    /// Devices that hints watch: phones.
    pub(super) hinted: BTreeSet<String>,
    /// Contexts of channels, hints and members.
    pub(super) contexts: BTreeSet<String>,
}

/// A member, wherever it is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    /// The device whose state is the member's.
    pub(super) device: String,
    /// The device's state, in Asterisk's number.
    pub(super) status: String,
}

impl Facts {
    /// The PBX greets us.
    pub const fn begin_session(&mut self) {
        self.sessions += 1;
    }

    /// Takes the next frame of a session, read at `now`.
    pub fn take(&mut self, frame: &Frame<'_>, now: Moment) {
        if frame.kind == Kind::Response {
            self.answer(frame);
            return;
        }

        self.devices_listed |= frame.is_event("DeviceStateListComplete");
        let Some((index, name)) = Name::find(frame.name) else { return };
        if frame.header("ActionID").is_none() {
            self.events.insert(KNOWN[index]);
            self.stamp(frame, now);
        }
        if frame.header("Context").is_some() {
            keep(&mut self.contexts, text(frame, "Context"));
        }
        match name {
            Name::QueueParams => self.queue(frame),
            Name::QueueMember => self.member(frame),
            Name::CoreShowChannel | Name::Newchannel => {
                let device = device_of_channel(&text(frame, "Channel"));
                self.devices(device);
            }
            Name::DeviceStateChange => self.device(&text(frame, "Device")),
            Name::PeerEntry => {
                let [technology, name] = ["Channeltype", "ObjectName"].map(|key| text(frame, key));
                self.device(&format!("{technology}/{name}"));
            }
            Name::ExtensionStatus => {
                let hint = text(frame, "Hint");
                hint.split('&').for_each(|device| keep(&mut self.hinted, device.to_owned()));
            }
            Name::VarSet => {
                let variable = frame.header("Variable").unwrap_or_default();
                self.queue_variables |= QUEUE_VARIABLES.contains(&variable);
            }
            _ => {}
        }
    }

    /// Whether the list of devices has ended, or was refused.
    pub fn has_devices(&self) -> bool {
        self.devices_listed || self.refused.contains_key("DeviceStateList")
    }

    /// Whether the queues were listed.
    pub const fn has_queues(&self) -> bool {
        self.listed
    }

    /// Whether any of these events came.
    pub(super) fn came(&self, events: &[&str]) -> bool {
        events.iter().any(|event| self.events.contains(event))
    }

    fn answer(&mut self, frame: &Frame<'_>) {
        let Some(action) = ActionId::of(frame) else { return };
        if let Some(version) = frame.header("AsteriskVersion") {
            self.asterisk = Some(readable(cut(version)).into_owned());
        }
        self.listed |= action.word() == "QueueStatus";
        let list = LISTS.iter().find(|(list, _)| *list == action.word());
        if let Some((list, _)) = list.filter(|_| !frame.is_accepted()) {
            self.refused.insert(list, text(frame, "Message"));
        }
    }

    fn stamp(&mut self, frame: &Frame<'_>, now: Moment) {
        let Some(wire) = event::timestamp(frame) else { return };
        let behind = now.as_micros().cast_signed() - wire.as_micros().cast_signed();
        self.behind = Some(self.behind.map_or(behind, |least| least.min(behind)));
    }

    fn queue(&mut self, frame: &Frame<'_>) {
        let seconds = text(frame, "ServiceLevel").parse().unwrap_or(0);
        if self.queues.len() < MOST {
            self.queues.insert(text(frame, "Queue"), Duration::from_secs(seconds));
        }
    }

    fn member(&mut self, frame: &Frame<'_>) {
        let [queue, interface] = ["Queue", "Location"].map(|key| text(frame, key));
        if self.queues.len() < MOST {
            self.queues.entry(queue.clone()).or_default();
        }

        let device = text(frame, "StateInterface");
        for name in [&interface, &device] {
            if let Some(context) = context_of(name) {
                keep(&mut self.contexts, context.to_owned());
            }
        }
        if self.members.len() < MOST {
            self.places.insert((queue, interface.clone()));
            self.members.insert(interface, Member { device, status: text(frame, "Status") });
        }
    }

    fn device(&mut self, device: &str) {
        self.devices(device_of_channel(&channel_of(device)));
    }

    fn devices(&mut self, device: Option<String>) {
        if let Some(device) = device.filter(|device| is_telephony(device)) {
            keep(&mut self.devices, device);
        }
    }
}

/// The context in `Local/201@from-queue/n` or `hint:201@ext-local`.
fn context_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("Local/").or_else(|| name.strip_prefix("hint:"))?;
    let (_, context) = rest.split_once('@')?;
    context.split('/').next()
}

/// A channel of the device.
pub(super) fn channel_of(device: &str) -> String {
    format!("{device}-00000000")
}

/// Whether it is a phone or a trunk by a name of the PBX's own.
pub(super) fn is_telephony(device: &str) -> bool {
    device.split_once('/').is_some_and(|(technology, _)| TECHNOLOGIES.contains(&technology))
}

fn keep(all: &mut BTreeSet<String>, text: String) {
    if all.len() < MOST {
        all.insert(text);
    }
}

fn text(frame: &Frame<'_>, key: &str) -> String {
    readable(cut(frame.header(key).unwrap_or_default())).into_owned()
}

fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(LONGEST)]
}

/// Lists that need `write = reporting`, and what is unknown without them.
pub(super) const LISTS: &[(&str, &str)] = &[
    ("DeviceStateList", "whether trunks and phones can be reached is not known"),
    (
        "ExtensionStateList",
        "phones behind members such as Local/201@from-queue are found by name only",
    ),
];
/// Channel drivers whose devices are phones or trunks with names of the PBX's own.
const TECHNOLOGIES: &[&str] = &["PJSIP", "SIP", "IAX2", "DAHDI", "SCCP"];
/// The variables that app_queue sets for each caller who leaves a queue, or is told the position.
const QUEUE_VARIABLES: &[&[u8]] = &[b"QUEUESTATUS", b"QUEUEPOSITION"];
/// No more of each kind are kept.
const MOST: usize = 20_000;
/// No more bytes of a value are kept.
const LONGEST: usize = 256;
