//! The listed channels by what one looks for another by.

use hashbrown::HashMap;

use crate::correlator::device::is_media;
use crate::correlator::snapshot::{Channel, Snapshot};

/// Listed channels by bridge and Linkedid.  Headers that a version does not send tie nothing.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    bridges: HashMap<&'a [u8], Bridge<'a>>,
    /// By Linkedid: the first two that a queue dialled.
    legs: HashMap<&'a [u8], Two<'a>>,
}

/// The channels of one bridge.
#[derive(Clone, Copy, Debug, Default)]
struct Bridge<'a> {
    /// The first two that a queue dialled.
    legs: Two<'a>,
    /// The first two of all but media.
    all: Two<'a>,
    /// The first that nobody dialled.
    caller: Option<&'a Channel>,
}

/// The first two of a kind: the one that looks for another may be one of them.
type Two<'a> = [Option<&'a Channel>; 2];

impl<'a> Beside<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut this = Self::default();
        for channel in &snapshot.channels {
            this.add(channel);
        }
        this
    }

    fn add(&mut self, channel: &'a Channel) {
        let is_leg = *channel.application == *b"AppQueue";
        if is_leg && !channel.linkedid.is_empty() {
            add(self.legs.entry(&channel.linkedid).or_default(), channel);
        }
        if channel.bridge.is_empty() {
            return;
        }

        let bridge = self.bridges.entry(&channel.bridge).or_default();
        if is_leg {
            add(&mut bridge.legs, channel);
        }
        if is_media(&channel.name) {
            return;
        }
        add(&mut bridge.all, channel);
        if !channel.is_dialled() {
            bridge.caller.get_or_insert(channel);
        }
    }

    /// The agent's channel: in the caller's bridge, rather one that the queue dialled.
    pub(super) fn partner(&self, caller: &Channel) -> Option<&'a Channel> {
        let bridge = self.bridges.get(&*caller.bridge).copied().unwrap_or_default();
        // The agent consults somebody in another bridge.
        let elsewhere = self.legs.get(&*caller.linkedid).copied().unwrap_or_default();
        [bridge.legs, bridge.all, elsewhere]
            .iter()
            .find_map(|two| two.iter().flatten().find(|other| other.uid != caller.uid))
            .copied()
    }

    /// The channel in the leg's bridge that nobody dialled.
    pub(super) fn caller(&self, leg: &Channel) -> Option<&'a Channel> {
        self.bridges.get(&*leg.bridge).and_then(|bridge| bridge.caller)
    }
}

fn add<'a>(two: &mut Two<'a>, channel: &'a Channel) {
    if let Some(place) = two.iter_mut().find(|place| place.is_none()) {
        *place = Some(channel);
    }
}
