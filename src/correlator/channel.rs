//! One channel: what is known of it, in parts by subject.

use std::time::Duration;

use super::cause::Cause;
use super::device::Device;
use super::dial::{CallLabels, Dialled};
use super::key::{CallKey, ChannelKey, RingKey, StayKey};
use super::line::Line;
use super::names::{AgentId, Names, TrunkId, readable};
use super::owner::Owners;
use super::rules::Rules;
use super::time::Stamp;
use crate::clock::Moment;
use crate::event;

/// Which bridge: a hash of its id, which is a random UUID.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct BridgeId(pub(super) u64);

/// One channel.  It is kept a while after its Hangup, for events that come late.
#[derive(Debug)]
pub(super) struct Channel {
    pub identity: Identity,
    pub life: Life,
    /// The other half of a Local channel.
    pub peer: Option<ChannelKey>,
    /// How it was dialled; `None` for a channel that called in.
    pub dialled: Option<Dialled>,
    pub bridge: InBridge,
    /// Recordings going on.
    pub recordings: u32,
    pub as_caller: AsCaller,
    pub as_agent: AsAgent,
    pub call: Option<CallKey>,
    /// The call has ended, and waits for this leg's cause.
    pub owed: Option<CallLabels>,
}

/// What a channel is, by its headers.
#[derive(Debug)]
pub(super) struct Identity {
    pub uid: Box<[u8]>,
    /// Changes as bridges and transfers tie calls together.
    pub linkedid: Box<[u8]>,
    pub line: Line,
    /// Name without the part that counts calls: `SIP/201`.  It may hold a number: never a label.
    pub device: Box<str>,
    /// Label of the device, if it is not its name.
    label: Option<Box<str>>,
    /// Where it began.
    pub context: Box<[u8]>,
}

/// From a channel's beginning to its end.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// When its Newchannel came; `None` if none did, or not yet.
    pub born: Option<Moment>,
    /// It reached state 6: somebody or something answered.
    pub up: bool,
    pub hangup_requested: bool,
    /// A list does not have it: gone, unless an event speaks of it soon.
    pub doubted: bool,
    pub ended: Option<Ended>,
}

/// How a channel ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ended {
    /// By its Hangup.
    HungUp(Cause),
    /// No Hangup came: a gap or a restart hid it.
    Lost,
}

/// Where a channel is, among bridges.
#[derive(Debug, Default)]
pub(super) struct InBridge {
    /// The bridge it is in.
    pub id: Option<BridgeId>,
    /// Where in that bridge's list of who is inside.
    pub place: usize,
    /// In a bridge where nobody talks, such as a parking lot.
    pub held: bool,
    /// The bridge it is in, or was in last.
    pub last: Option<BridgeId>,
    /// Who took its place in a bridge (SwapUniqueid).
    pub swapped_by: Option<ChannelKey>,
    pub company: Company,
}

/// Time in bridges with somebody else.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Company {
    pub since: Option<Stamp>,
    pub total: Duration,
    /// A part of it could not be measured.
    pub unknown: bool,
}

/// A channel's part in queues as a caller.
#[derive(Debug, Default)]
pub(super) struct AsCaller {
    /// The queue of the latest Newexten of application Queue, as it was dialled: in any case.
    pub dialplan_queue: Option<Box<[u8]>>,
    /// Its stays, oldest first.
    pub stays: Vec<StayKey>,
    /// The ring attempt whose phone forwarded the call, until the next leg is dialled.
    pub forwarded: Option<RingKey>,
}

/// A channel's part in queues as an agent's leg, or as the phone behind it.
#[derive(Debug, Default)]
pub(super) struct AsAgent {
    /// The ring attempt it belongs to.
    pub ring: Option<RingKey>,
    /// The stay it talks in.
    pub talk: Option<StayKey>,
}

impl Identity {
    /// Reads the headers of a new channel.
    pub(super) fn of(block: &event::Channel<'_>, rules: &Rules, names: &mut Names) -> Self {
        let name = readable(block.name);
        let device = Device::of(&name);
        let label = device.label(&rules.agents);
        Self {
            uid: block.uid.into(),
            linkedid: block.linkedid.into(),
            line: Line::of(&name, &device, rules, names),
            device: device.name.into(),
            label: (label != device.name).then(|| label.into()),
            context: block.context.into(),
        }
    }
}

impl Channel {
    /// A channel of which only the headers are known.
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            life: Life::default(),
            peer: None,
            dialled: None,
            bridge: InBridge::default(),
            recordings: 0,
            as_caller: AsCaller::default(),
            as_agent: AsAgent::default(),
            call: None,
            owed: None,
        }
    }

    /// Whether its end has not come, nor been given up.
    pub(super) const fn is_live(&self) -> bool {
        self.life.ended.is_none()
    }

    /// The cause its Hangup gave.
    pub(super) const fn cause(&self) -> Option<Cause> {
        match self.life.ended {
            Some(Ended::HungUp(cause)) => Some(cause),
            Some(Ended::Lost) | None => None,
        }
    }

    /// The device as an agent's label, where no member has it.
    pub(super) fn ensure_agent(&self, names: &mut Names, devices: &Owners) -> AgentId {
        match (self.owner(devices), self.identity.line) {
            (Some(agent), _) => agent,
            (None, Line::Agent) => names.agents.intern_device(self.label()),
            (None, Line::Trunk(_) | Line::Local | Line::Media | Line::Other) => AgentId::NONE,
        }
    }

    /// Whose device it is, if that is known.
    pub(super) fn owner(&self, devices: &Owners) -> Option<AgentId> {
        devices.of(self.identity.device.as_bytes(), matches!(self.identity.line, Line::Trunk(_)))
    }

    /// The trunk it is a channel of.
    pub(super) const fn trunk(&self) -> TrunkId {
        match self.identity.line {
            Line::Trunk(trunk) => trunk,
            Line::Agent | Line::Local | Line::Media | Line::Other => TrunkId::NONE,
        }
    }

    /// The device's name, or what may be exported instead.
    pub(super) fn label(&self) -> &str {
        self.identity.label.as_ref().unwrap_or(&self.identity.device)
    }
}
