//! All channels of a PBX, and how they hang together: bridges, callers, Local chains.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use slotmap::SlotMap;

use super::channel::{BridgeId, Channel, Ended, Identity};
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::live_devices::LiveDevices;
use super::names::Names;
use super::rules::Rules;
use crate::event;

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

        let identity = Identity::of(block, rules, names);
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

/// Channel state: answered.
const UP: u8 = 6;
/// FreePBX follow-me nests two; more than this is a loop.
const CHAIN: usize = 8;
