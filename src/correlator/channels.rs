//! All channels of a PBX, and how they hang together: bridges, callers, Local chains.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU64;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use smallvec::SmallVec;

use super::channel::{BridgeId, Channel, Ended, Identity};
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::live_devices::LiveDevices;
use super::names::{Names, readable};
use super::origin::Origins;
use super::rules::Rules;
use super::slab::{Slab, place_of};
use super::uid::{Room, Systems};
use crate::event;

/// All channels of a PBX, by key and by Uniqueid, and who is in which bridge.
#[derive(Debug, Default)]
pub(super) struct Channels {
    pub all: Slab<ChannelKey, Channel>,
    /// Places in `all`, by Uniqueid.
    by_uid: HashTable<u32>,
    /// Two channels, nearly always.
    bridges: HashMap<BridgeId, SmallVec<[ChannelKey; 2]>>,
    /// Places of channels that have stays, by Linkedid.
    callers: HashTable<u32>,
    systems: Systems,
    origins: Origins,
    /// Of both tables.
    hasher: DefaultHashBuilder,
    /// Of bridges: there a hash stands for the id.
    bridge_hasher: RandomState,
    live: u64,
    /// The live ones, by device.
    pub live_devices: LiveDevices,
}

impl Channels {
    /// Other rules hold: channels that begin from now on share no origin with those before.
    pub(super) fn forget_origins(&mut self) {
        self.origins.clear();
    }

    /// The channel of a Uniqueid.
    pub(super) fn find(&self, uid: &[u8]) -> Option<ChannelKey> {
        let uid = self.systems.read(uid);
        let is_it = |&at: &u32| self.all.at(at).is_some_and(|one| one.identity.uid.is(uid));
        self.by_uid.find(uid.hash(&self.hasher), is_it).map(|&at| self.all.key_at(at))
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

        let identity = self.identify(block, rules, names);
        self.live += 1;

        let hash = identity.uid.as_ref().hash(&self.hasher);
        let key = self.all.insert(Channel::new(identity));
        self.all[key].life.up = block.state == Some(UP);
        self.begin_live(key);
        let rehash = |&at: &u32| {
            self.all.at(at).map_or(0, |one| one.identity.uid.as_ref().hash(&self.hasher))
        };
        self.by_uid.insert_unique(hash, place_of(key), rehash);
        (key, true)
    }

    /// Reads the headers of a new channel.
    fn identify(
        &mut self,
        block: &event::Channel<'_>,
        rules: &Rules,
        names: &mut Names,
    ) -> Identity {
        let name = readable(block.name);
        let origin = self.origins.ensure(&name, block.context, rules);
        let uid = self.systems.ensure(block.uid);
        let linkedid = self.systems.ensure(block.linkedid);
        let line = Line::of(&name, &origin, rules, names);
        Identity { uid, linkedid, line, origin }
    }

    /// Takes in what an event shows of a known channel: it is there, maybe up, and maybe in another
    /// call by now.
    fn update(&mut self, key: ChannelKey, block: &event::Channel<'_>) {
        let channel = &mut self.all[key];
        channel.life.up |= block.state == Some(UP);
        channel.life.doubted = false;
        // The first channel of a call has one id twice.
        let identity = &channel.identity;
        let is_known = match block.linkedid == block.uid {
            true => identity.linkedid == identity.uid,
            false => identity.linkedid.is(self.systems.read(block.linkedid)),
        };
        if block.linkedid.is_empty() || is_known {
            return;
        }

        // A channel whose place in the queue went over to another is among the callers, too, though
        // it has no stay any more.
        let is_caller = !channel.as_caller.stays.is_empty();
        self.leave_callers(key);
        self.all[key].identity.linkedid = self.systems.ensure(block.linkedid);
        if is_caller {
            self.join_callers(key);
        }
    }

    /// Uniqueid and Linkedid of a channel, as Asterisk wrote them.
    pub(super) fn ids<'w>(
        &self,
        channel: &'w Channel,
        [uid, linkedid]: [&'w mut Room; 2],
    ) -> [&'w [u8]; 2] {
        let identity = &channel.identity;
        let uid = self.systems.write(&identity.uid, uid);
        let is_first = identity.linkedid == identity.uid;
        [uid, if is_first { uid } else { self.systems.write(&identity.linkedid, linkedid) }]
    }

    /// A channel turns out to be another line than its name alone says.
    pub(super) fn turn(&mut self, key: ChannelKey, line: Line) {
        let channel = &mut self.all[key];
        let before = std::mem::replace(&mut channel.identity.line, line);
        if channel.is_live() {
            // It is counted by its line, and must end as it began.
            self.live_devices.end(&channel.identity.origin, before);
            self.begin_live(key);
        }
    }

    /// The channel's device has one more that is up.
    fn begin_live(&mut self, key: ChannelKey) {
        let Self { all, live_devices, .. } = self;
        let Identity { origin, line, .. } = &all[key].identity;
        live_devices.begin(key, origin, *line, |key| all.get(key).is_some_and(Channel::is_live));
    }

    /// Marks the channel as ended; the first end counts.
    pub(super) fn end(&mut self, key: ChannelKey, ended: Ended) {
        if let Some(channel) = self.all.get_mut(key)
            && channel.is_live()
        {
            channel.life.ended = Some(ended);
            self.live -= 1;
            self.live_devices.end(&channel.identity.origin, channel.identity.line);
        }
    }

    /// Takes the channel out of every index.
    pub(super) fn forget(&mut self, key: ChannelKey) -> Option<Channel> {
        self.leave(key);
        self.leave_callers(key);
        let uid = &self.all.get(key)?.identity.uid;
        let hash = uid.as_ref().hash(&self.hasher);
        if let Ok(entry) = self.by_uid.find_entry(hash, |&at| at == place_of(key)) {
            entry.remove();
        }

        let channel = self.all.remove(key)?;
        if channel.is_live() {
            self.live -= 1;
            self.live_devices.end(&channel.identity.origin, channel.identity.line);
        }
        Some(channel)
    }

    /// A stay of the channel begins: it is found by its Linkedid from now on.
    pub(super) fn add_stay(&mut self, caller: ChannelKey, stay: StayKey) {
        self.all[caller].as_caller.stays.push(stay);
        self.join_callers(caller);
    }

    /// The channels with that Linkedid that have been in a queue as callers, in order.
    pub(super) fn callers(&self, linkedid: &[u8]) -> Vec<ChannelKey> {
        let linkedid = self.systems.read(linkedid);
        let alike = self.callers.iter_hash(linkedid.hash(&self.hasher));
        let alike = alike.map(|&at| self.all.key_at(at));
        let mut callers: Vec<_> =
            alike.filter(|&key| self.all[key].identity.linkedid.is(linkedid)).collect();
        callers.sort_unstable();
        callers
    }

    fn join_callers(&mut self, caller: ChannelKey) {
        let of = |&at: &u32| {
            self.all.at(at).map_or(0, |one| one.identity.linkedid.as_ref().hash(&self.hasher))
        };
        if self.all[caller].identity.linkedid.is_none() {
            return;
        }
        let own = place_of(caller);
        if let Entry::Vacant(entry) = self.callers.entry(of(&own), |&at| at == own, of) {
            entry.insert(own);
        }
    }

    fn leave_callers(&mut self, caller: ChannelKey) {
        let Some(channel) = self.all.get(caller) else { return };
        let hash = channel.identity.linkedid.as_ref().hash(&self.hasher);
        if let Ok(entry) = self.callers.find_entry(hash, |&at| at == place_of(caller)) {
            entry.remove();
        }
    }

    /// Channels whose Hangup has not come.
    pub(super) const fn live(&self) -> u64 {
        self.live
    }

    /// The id of a bridge, by its BridgeUniqueid.
    pub(super) fn bridge_id(&self, id: &[u8]) -> BridgeId {
        let hash = NonZeroU64::new(self.bridge_hasher.hash_one(id));
        BridgeId(hash.unwrap_or(NonZeroU64::MIN))
    }

    /// Puts the channel into a bridge; returns who is in it now, the channel last.  Media are in a
    /// bridge, but nobody.
    pub(super) fn enter(&mut self, key: ChannelKey, bridge: BridgeId) -> &[ChannelKey] {
        self.leave(key);
        let channel = &mut self.all[key];
        channel.bridge.enter(bridge);
        if channel.identity.line == Line::Media {
            return &[];
        }

        let inside = self.bridges.entry(bridge).or_default();
        channel.bridge.place = u32::try_from(inside.len()).unwrap_or(u32::MAX);
        inside.push(key);
        inside
    }

    /// Who is in a bridge.
    pub(super) fn inside(&self, bridge: BridgeId) -> &[ChannelKey] {
        self.bridges.get(&bridge).map_or(&[], SmallVec::as_slice)
    }

    /// Takes the channel out of its bridge; returns who is left in it alone.
    pub(super) fn leave(&mut self, key: ChannelKey) -> Option<ChannelKey> {
        let channel = self.all.get_mut(key)?;
        channel.bridge.held = false;
        let bridge = channel.bridge.leave()?;
        let place = channel.bridge.place as usize;
        if channel.identity.line == Line::Media {
            return None;
        }

        // The last one takes the place of the one that goes: a conference may have hundreds.
        let inside = self.bridges.get_mut(&bridge)?;
        inside.swap_remove(place);
        if let Some(&last) = inside.get(place) {
            self.all[last].bridge.place = u32::try_from(place).unwrap_or(u32::MAX);
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
            let Some(one) = two.rare().peer else { return key };
            key = one;
        }
        key
    }
}

/// Channel state: answered.
const UP: u8 = 6;
/// FreePBX follow-me nests two; more than this is a loop.
const CHAIN: usize = 8;
