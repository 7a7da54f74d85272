//! What a session has shown of its PBX.

use std::collections::{BTreeMap, BTreeSet};

use crate::ami::frame::{Frame, Kind};
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::event::{self, KNOWN, Name};

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The version, as CoreSettings has it.
    pub(super) asterisk: Option<String>,
    /// What our actions were answered, by action; `Err` has the PBX's words.
    pub(super) answers: BTreeMap<String, Result<(), String>>,
    /// How often each event came, items of lists left out.
    pub(super) events: BTreeMap<&'static str, u64>,
    /// How many of these had a time stamp.
    pub(super) stamped: u64,
    /// The least time in microseconds from a stamp to its reading: how far the PBX's clock is behind
    /// ours.
    pub(super) behind: Option<i64>,
    /// Whether QUEUESTATUS or QUEUEPOSITION was seen to be set.
    pub(super) queue_variables: bool,
    /// Queues by name, with their members' interfaces.
    pub(super) queues: BTreeMap<String, BTreeSet<String>>,
    /// Members by interface.
    pub(super) members: BTreeMap<String, Member>,
    /// Devices of telephony, such as `PJSIP/201`: of lists and of channels.
    pub(super) devices: BTreeSet<String>,
    pub(super) devices_listed: bool,
    /// The contexts of channels.
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
    /// Takes the next frame of a session, read at `now`.
    pub fn take(&mut self, frame: &Frame<'_>, now: Moment) {
        let action = ActionId::of(frame);
        if frame.kind == Kind::Response {
            self.answer(frame, action.as_ref());
            return;
        }

        self.devices_listed |= frame.is_event("DeviceStateListComplete");
        let Some((index, name)) = Name::find(frame.name) else { return };
        if frame.header("ActionID").is_none() {
            *self.events.entry(KNOWN[index]).or_default() += 1;
            self.stamp(frame, now);
        }
        match name {
            Name::QueueParams => self.queue(&text(frame, "Queue")),
            Name::QueueMember => self.member(frame),
            Name::CoreShowChannel | Name::Newchannel => self.channel(frame),
            Name::DeviceStateChange => self.device(&text(frame, "Device")),
            Name::PeerEntry => {
                let [technology, name] = ["Channeltype", "ObjectName"].map(|key| text(frame, key));
                self.device(&format!("{technology}/{name}"));
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
        self.devices_listed || matches!(self.answers.get("DeviceStateList"), Some(Err(_)))
    }

    /// Whether any of these events came.
    pub(super) fn came(&self, events: &[&str]) -> bool {
        events.iter().any(|event| self.events.contains_key(event))
    }

    fn answer(&mut self, frame: &Frame<'_>, action: Option<&ActionId>) {
        let Some(action) = action else { return };
        if let Some(version) = frame.header("AsteriskVersion") {
            self.asterisk = Some(readable(version));
        }
        let answer = match frame.is_accepted() {
            true => Ok(()),
            false => Err(text(frame, "Message")),
        };
        self.answers.insert(action.word().to_owned(), answer);
    }

    fn stamp(&mut self, frame: &Frame<'_>, now: Moment) {
        let Some(wire) = event::timestamp(frame) else { return };
        self.stamped += 1;
        let behind = now.as_micros().cast_signed() - wire.as_micros().cast_signed();
        self.behind = Some(self.behind.map_or(behind, |least| least.min(behind)));
    }

    fn queue(&mut self, name: &str) {
        if self.queues.len() < MOST || self.queues.contains_key(name) {
            self.queues.entry(name.to_owned()).or_default();
        }
    }

    fn member(&mut self, frame: &Frame<'_>) {
        let [queue, interface] = ["Queue", "Location"].map(|key| text(frame, key));
        self.queue(&queue);
        if let Some(members) = self.queues.get_mut(&queue)
            && members.len() < MOST
        {
            members.insert(interface.clone());
        }
        if self.members.len() < MOST {
            let device = text(frame, "StateInterface");
            self.members.insert(interface, Member { device, status: text(frame, "Status") });
        }
    }

    fn channel(&mut self, frame: &Frame<'_>) {
        let [name, context] = ["Channel", "Context"].map(|key| text(frame, key));
        if let Some((device, _)) = name.rsplit_once('-') {
            self.device(device);
        }
        if self.contexts.len() < MOST && !context.is_empty() {
            self.contexts.insert(context);
        }
    }

    fn device(&mut self, device: &str) {
        let is_telephony = device
            .split_once('/')
            .is_some_and(|(technology, _)| TECHNOLOGIES.contains(&technology));
        if is_telephony && self.devices.len() < MOST {
            self.devices.insert(device.to_owned());
        }
    }
}

fn text(frame: &Frame<'_>, key: &str) -> String {
    readable(frame.header(key).unwrap_or_default())
}

fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned()
}

/// Channel drivers whose devices are phones or trunks with names of the PBX's own.
const TECHNOLOGIES: &[&str] = &["PJSIP", "SIP", "IAX2", "DAHDI", "SCCP"];
/// The variables that app_queue sets for each caller who leaves a queue, or is told the position.
const QUEUE_VARIABLES: &[&[u8]] = &[b"QUEUESTATUS", b"QUEUEPOSITION"];
/// No more of each kind are kept.
const MOST: usize = 20_000;
/// No more bytes of a value are kept.
const LONGEST: usize = 256;
