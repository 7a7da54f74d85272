//! Channels: what is known of each, and how they hang together.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use slotmap::SlotMap;

use super::cause::Cause;
use super::device::Device;
use super::dial::{CallLabels, Dialled};
use super::key::{CallKey, ChannelKey, RingKey, StayKey};
use super::line::Line;
use super::live_devices::LiveDevices;
use super::names::{AgentId, Names, TrunkId, readable};
use super::owner::Owners;
use super::rules::Rules;
use super::time::Stamp;
use crate::clock::Moment;
use crate::event;

/// Which bridge: a hash of its id, which is a random UUID.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct BridgeId(u64);

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
    place: usize,
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

/// All channels of a PBX, by key and by Uniqueid, and who is in which bridge.
#[derive(Debug, Default)]
pub(super) struct Channels {
    pub all: SlotMap<ChannelKey, Channel>,
    by_uid: HashMap<Box<[u8]>, ChannelKey>,
    bridges: HashMap<BridgeId, Vec<ChannelKey>>,
    /// Channels that have stays, by Linkedid.
    callers: HashMap<Box<[u8]>, BTreeSet<ChannelKey>>,
    hasher: RandomState,
    live: u64,
    /// The live ones, by device.
    pub live_devices: LiveDevices,
}

impl Channels {
    /// The channel of a Uniqueid.
    pub(super) fn find(&self, uid: &[u8]) -> Option<ChannelKey> {
        self.by_uid.get(uid).copied()
    }

    /// The channel of a block of headers, and whether it was made now.
    pub(super) fn ensure(
        &mut self,
        block: &event::Channel<'_>,
        rules: &Rules,
        names: &mut Names,
    ) -> (ChannelKey, bool) {
        if let Some(key) = self.find(block.uid) {
            self.update(key, block);
            return (key, false);
        }

        let name = readable(block.name);
        let device = Device::of(&name);
        let label = device.label(&rules.agents);
        let identity = Identity {
            uid: block.uid.into(),
            linkedid: block.linkedid.into(),
            line: Line::of(&name, &device, rules, names),
            device: device.name.into(),
            label: (label != device.name).then(|| label.into()),
            context: block.context.into(),
        };
        self.live_devices.begin(&identity.device, identity.line);
        self.live += 1;

        let key = self.all.insert(Channel::new(identity));
        self.all[key].life.up = block.state == Some(UP);
        self.by_uid.insert(block.uid.into(), key);
        (key, true)
    }

    /// Takes in what an event shows of a known channel: it is there, maybe up, and maybe in another
    /// call by now.
    fn update(&mut self, key: ChannelKey, block: &event::Channel<'_>) {
        let channel = &mut self.all[key];
        channel.life.up |= block.state == Some(UP);
        channel.life.doubted = false;
        if block.linkedid.is_empty() || *channel.identity.linkedid == *block.linkedid {
            return;
        }

        // A channel whose place in the queue went over to another is among the callers, too, though
        // it has no stay any more.
        let before = std::mem::replace(&mut channel.identity.linkedid, block.linkedid.into());
        let is_caller = !channel.as_caller.stays.is_empty();
        self.leave_callers(&before, key);
        if is_caller {
            self.callers.entry(block.linkedid.into()).or_default().insert(key);
        }
    }

    /// A channel turns out to be another line than its name alone says.
    pub(super) fn turn(&mut self, key: ChannelKey, line: Line) {
        let channel = &mut self.all[key];
        let before = std::mem::replace(&mut channel.identity.line, line);
        if channel.is_live() {
            // It is counted by its line, and must end as it began.
            self.live_devices.end(&channel.identity.device, before);
            self.live_devices.begin(&channel.identity.device, line);
        }
    }

    /// Marks the channel as ended; the first end counts.
    pub(super) fn end(&mut self, key: ChannelKey, ended: Ended) {
        if let Some(channel) = self.all.get_mut(key)
            && channel.is_live()
        {
            channel.life.ended = Some(ended);
            self.live -= 1;
            self.live_devices.end(&channel.identity.device, channel.identity.line);
        }
    }

    /// Takes the channel out of every index.
    pub(super) fn forget(&mut self, key: ChannelKey) -> Option<Channel> {
        self.leave(key);
        let channel = self.all.remove(key)?;
        if channel.is_live() {
            self.live -= 1;
            self.live_devices.end(&channel.identity.device, channel.identity.line);
        }
        self.by_uid.remove(&channel.identity.uid);
        self.leave_callers(&channel.identity.linkedid, key);
        Some(channel)
    }

    /// A stay of the channel begins: it is found by its Linkedid from now on.
    pub(super) fn add_stay(&mut self, caller: ChannelKey, stay: StayKey) {
        let channel = &mut self.all[caller];
        channel.as_caller.stays.push(stay);
        if !channel.identity.linkedid.is_empty() {
            self.callers.entry(channel.identity.linkedid.clone()).or_default().insert(caller);
        }
    }

    /// The channels with that Linkedid that have been in a queue, as callers.
    pub(super) fn callers(&self, linkedid: &[u8]) -> impl Iterator<Item = ChannelKey> {
        self.callers.get(linkedid).into_iter().flatten().copied()
    }

    fn leave_callers(&mut self, linkedid: &[u8], caller: ChannelKey) {
        if let Some(callers) = self.callers.get_mut(linkedid) {
            callers.remove(&caller);
            if callers.is_empty() {
                self.callers.remove(linkedid);
            }
        }
    }

    /// Channels whose Hangup has not come.
    pub(super) const fn live(&self) -> u64 {
        self.live
    }

    /// The id of a bridge, by its BridgeUniqueid.
    pub(super) fn bridge_id(&self, id: &[u8]) -> BridgeId {
        BridgeId(self.hasher.hash_one(id))
    }

    /// Puts the channel into a bridge; returns who is in it now, the channel last.  Media are in a
    /// bridge, but nobody.
    pub(super) fn enter(&mut self, key: ChannelKey, bridge: BridgeId) -> &[ChannelKey] {
        self.leave(key);
        let channel = &mut self.all[key];
        channel.bridge.id = Some(bridge);
        channel.bridge.last = Some(bridge);
        if channel.identity.line == Line::Media {
            return &[];
        }

        let inside = self.bridges.entry(bridge).or_default();
        channel.bridge.place = inside.len();
        inside.push(key);
        inside
    }

    /// Who is in a bridge.
    pub(super) fn inside(&self, bridge: BridgeId) -> &[ChannelKey] {
        self.bridges.get(&bridge).map_or(&[], Vec::as_slice)
    }

    /// Takes the channel out of its bridge; returns who is left in it alone.
    pub(super) fn leave(&mut self, key: ChannelKey) -> Option<ChannelKey> {
        let channel = self.all.get_mut(key)?;
        channel.bridge.held = false;
        let bridge = channel.bridge.id.take()?;
        let place = channel.bridge.place;
        if channel.identity.line == Line::Media {
            return None;
        }

        // The last one takes the place of the one that goes: a conference may have hundreds.
        let inside = self.bridges.get_mut(&bridge)?;
        inside.swap_remove(place);
        if let Some(&last) = inside.get(place) {
            self.all[last].bridge.place = place;
        }

        match inside[..] {
            [] => {
                self.bridges.remove(&bridge);
                None
            }
            [alone] => Some(alone),
            _ => None,
        }
    }

    /// The channel at the dialling end of a chain of Local channels: from a phone, or a `;2`, back
    /// to the `;1` somebody dialled, up to [`CHAIN`] links.
    pub(super) fn find_chain_start(&self, mut key: ChannelKey) -> ChannelKey {
        for _ in 0..CHAIN {
            let Some(channel) = self.all.get(key) else { return key };
            let by = channel.dialled.as_ref().and_then(|dialled| dialled.by);

            // Half `;2` runs the dialplan that dialled, its peer `;1` was dialled before.
            let Some(two) =
                by.and_then(|by| self.all.get(by)).filter(|by| by.identity.line == Line::Local)
            else {
                return key;
            };
            let Some(one) = two.peer else { return key };
            key = one;
        }
        key
    }
}

impl Channel {
    fn new(identity: Identity) -> Self {
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

/// Channel state: answered.
const UP: u8 = 6;
/// FreePBX follow-me nests two; more than this is a loop.
const CHAIN: usize = 8;
