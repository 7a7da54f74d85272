//! One channel: what is known of it, in parts by subject.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::cause::Cause;
use super::dial::{CallLabels, Dialled};
use super::few::Few;
use super::key::{CallKey, ChannelKey, RingKey, StayKey};
use super::line::Line;
use super::names::{AgentId, Names, QueueId, TrunkId};
use super::origin::Origin;
use super::owner::Owners;
use super::recorded::OfChannel;
use super::uid::Uid;
use crate::clock::Moment;

/// Which bridge: a hash of its id, which is a random UUID.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct BridgeId(pub(super) NonZeroU64);

/// One channel.  It is kept a while after its Hangup, for events that come late.
///
/// A large PBX has many: a test limits the size, and what few channels have is in `rare`.
#[derive(Debug)]
pub(super) struct Channel {
    pub identity: Identity,
    pub life: Life,
    /// How it was dialled; `None` for a channel that called in.
    pub dialled: Option<Dialled>,
    pub bridge: InBridge,
    pub as_caller: AsCaller,
    pub as_agent: AsAgent,
    pub call: Option<CallKey>,
    rare: Option<Box<Rare>>,
}

/// What few channels have.
#[derive(Clone, Debug, Default)]
pub(super) struct Rare {
    /// The other half of a Local channel.
    pub peer: Option<ChannelKey>,
    /// Who took its place in a bridge (SwapUniqueid).
    pub swapped_by: Option<ChannelKey>,
    /// The ring attempt whose phone forwarded the call, until the next leg is dialled.
    pub forwarded: Option<RingKey>,
    /// The queue of the latest Newexten of application Queue, as it was dialled: in any case.
    pub dialplan_queue: Option<Box<[u8]>>,
    /// Technology and dial string of an Originate, as OriginateResponse repeats it.
    pub dial_string: Option<Box<[u8]>>,
    pub recordings: OfChannel,
    pub transferred: Option<OnItsWay>,
    /// The call has ended, and waits for this leg's cause.
    pub owed: Option<CallLabels>,
}

/// A call that was transferred blindly, until it shows where to.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnItsWay {
    /// The queue whose call it was.
    pub from: QueueId,
    /// In which session that was: between two of them it may have arrived anywhere.
    pub session: u32,
}

/// What a channel is, by its headers.
#[derive(Debug)]
pub(super) struct Identity {
    pub uid: Uid,
    /// Changes as bridges and transfers tie calls together.
    pub linkedid: Uid,
    pub line: Line,
    pub origin: Arc<Origin>,
}

/// From a channel's beginning to its end.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// When an event or a list spoke of it first.
    pub since: Moment,
    /// Its Newchannel has come.
    pub is_born: bool,
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
    /// The bridge it is in, or was in last.
    pub last: Option<BridgeId>,
    is_inside: bool,
    /// Where in that bridge's list of who is inside.
    pub place: u32,
    /// In a bridge where nobody talks, such as a parking lot.
    pub held: bool,
    /// Sound was sent to it under one SSRC, and then under another.
    pub ssrc_changed: bool,
}

impl InBridge {
    /// The bridge it is in.
    pub(super) fn id(&self) -> Option<BridgeId> {
        self.last.filter(|_| self.is_inside)
    }

    /// It enters a bridge.
    pub(super) const fn enter(&mut self, bridge: BridgeId) {
        self.last = Some(bridge);
        self.is_inside = true;
    }

    /// It leaves the bridge it is in.
    pub(super) fn leave(&mut self) -> Option<BridgeId> {
        let bridge = self.id();
        self.is_inside = false;
        bridge
    }
}

/// A channel's part in queues as a caller.
#[derive(Debug, Default)]
pub(super) struct AsCaller {
    /// Its stays, oldest first.
    pub stays: Few<StayKey>,
}

/// A channel's part in queues as an agent's leg, or as the phone behind it.
#[derive(Debug, Default)]
pub(super) struct AsAgent {
    /// The ring attempt it belongs to.
    pub ring: Option<RingKey>,
    /// The stay it talks in.
    pub talk: Option<StayKey>,
}

impl Channel {
    /// A channel of which only the headers are known.
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            life: Life::default(),
            dialled: None,
            bridge: InBridge::default(),
            as_caller: AsCaller::default(),
            as_agent: AsAgent::default(),
            call: None,
            rare: None,
        }
    }

    /// What few channels have.
    pub(super) fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(const { &Rare::NONE })
    }

    /// The same, to put something there.
    pub(super) fn ensure_rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The same, if anything was put there.
    pub(super) fn rare_mut(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
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
        devices.of(
            self.identity.origin.device.as_bytes(),
            matches!(self.identity.line, Line::Trunk(_)),
        )
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
        self.identity.origin.label()
    }
}

impl Rare {
    const NONE: Self = Self {
        peer: None,
        swapped_by: None,
        forwarded: None,
        dialplan_queue: None,
        dial_string: None,
        recordings: OfChannel::NONE,
        transferred: None,
        owed: None,
    };
}
