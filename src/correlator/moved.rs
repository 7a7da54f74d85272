//! A caller's place goes over to another channel: the stay goes on, under another Uniqueid.
//!
//! Asterisk moves channels by swaps and by masquerades (docs/moves.md).  app_queue follows both,
//! and what it sends and logs from then on has the new Uniqueid.  No event reports a masquerade, so
//! each sign of one has a function here, the surest first.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use std::time::Duration;

use super::Correlator;
use super::caseless::folded;
use super::key::{ChannelKey, StayKey, first_key};
use super::line::Line;
use super::names::QueueId;
use super::observation::Observe;
use super::time::Stamp;
use crate::clock::Moment;
use crate::event;

/// Channels that began to run Queue, and have not joined: usually for less than a millisecond.
#[derive(Debug, Default)]
pub(super) struct Joining {
    /// Since when, and in which queue as it was dialled.
    began: HashMap<ChannelKey, (Moment, Box<[u8]>)>,
    /// By queue, in lower case.
    queues: HashMap<Box<[u8]>, BTreeSet<(Moment, ChannelKey)>>,
}

impl Joining {
    /// The channel runs Queue now.
    pub(super) fn insert(&mut self, key: ChannelKey, queue: &[u8], now: Moment) {
        self.remove(key);
        let queue: Box<[u8]> = folded(queue, |queue| queue.into());
        self.queues.entry(queue.clone()).or_default().insert((now, key));
        self.began.insert(key, (now, queue));
    }

    /// It joined, was refused, went on or ended.
    pub(super) fn remove(&mut self, key: ChannelKey) {
        let Some((began, queue)) = self.began.remove(&key) else { return };
        if let Some(joining) = self.queues.get_mut(&queue) {
            joining.remove(&(began, key));
            if joining.is_empty() {
                self.queues.remove(&queue);
            }
        }
    }

    /// Those that began to run a queue since then.
    fn since(&self, queue: &[u8], moment: Moment) -> impl Iterator<Item = ChannelKey> {
        let joining = folded(queue, |queue| self.queues.get(queue));
        let since = joining.map(|joining| joining.range((moment, first_key())..));
        since.into_iter().flatten().map(|&(_, key)| key)
    }
}

impl Correlator {
    /// An attended transfer into a queue: whoever was spoken to gets the place in which the agent's
    /// other line waits (REFER with Replaces on 16 and 22).
    pub(super) fn hand_over_place(
        &mut self,
        at: Stamp,
        into: &event::IntoQueue<'_>,
        out: &mut dyn Observe,
    ) {
        let waiting = self.channels.find(into.from).and_then(|from| self.find_waiting_stay(from));
        let Some(waiting) = waiting else { return };

        let to = self.ensure_channel(&into.to, at, out);
        self.move_stay(waiting, to, at, out);
    }

    /// A channel is about to end though the place it held goes on: the empty shell of a masquerade,
    /// or half a Local channel that was optimised away without a swap.
    ///
    /// A real end is reported before the Hangup: by Abandon and Leave of who waits, by BridgeLeave of
    /// who talks.
    pub(super) fn hand_over_rest(&mut self, shell: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        // Who waits is in no bridge: the new holder is known by its dialplan alone.
        if let Some(key) = self.find_waiting_stay(shell) {
            if let Some(to) = self.find_newcomer(self.stays[key].queue, at) {
                self.move_stay(key, to, at, out);
            }
            return;
        }

        // A masquerade leaves the shell in the bridge until its Hangup; whoever has the place now
        // enters no bridge of its own.
        let Some(key) = self.find_talking_stay(shell) else { return };
        let bridge = self.channels.all[shell].bridge.id();
        let masked = bridge.and_then(|_| self.find_newcomer(self.stays[key].queue, at));
        if let (Some(bridge), Some(to)) = (bridge, masked) {
            self.move_stay(key, to, at, out);
            self.enter_bridge(to, bridge, at);
        } else if let Some(to) = self.find_beside_agent(key, shell) {
            let shell = &self.channels.all[shell];
            if shell.identity.line == Line::Local || shell.rare().swapped_by == Some(to) {
                self.move_stay(key, to, at, out);
            }
        }
    }

    /// The only channel that began to run Queue there and did not join: it has the place of
    /// somebody who did.
    ///
    /// A masquerade shows as two Newexten that cross, in the same instant as the Hangup of the
    /// shell (class dialplan).
    fn find_newcomer(&self, queue: QueueId, at: Stamp) -> Option<ChannelKey> {
        let name = self.names.queues.name(queue).as_bytes();

        // Two at once cannot be distinguished, and a wrong guess costs more than none.
        let mut fresh = self.joining.since(name, at.read.before(INSTANT));
        let only = fresh.next()?;
        fresh.next().is_none().then_some(only)
    }

    /// The only channel in the agent's bridge besides the agent's own.
    fn find_beside_agent(&self, key: StayKey, shell: ChannelKey) -> Option<ChannelKey> {
        let talk = self.stays[key].talk()?;
        let leg = talk.leg?;
        let bridge = self.channels.all.get(leg)?.bridge.id()?;
        let own = [Some(leg), talk.phone, Some(shell)];
        let mut others = self
            .channels
            .inside(bridge)
            .iter()
            .copied()
            .filter(|&other| !own.contains(&Some(other)));
        let only = others.next()?;
        others.next().is_none().then_some(only)
    }

    /// The stay goes on with another channel as its caller.
    pub(super) fn move_stay(
        &mut self,
        key: StayKey,
        to: ChannelKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let from = std::mem::replace(&mut self.stays[key].caller, to);
        if from == to {
            return;
        }

        // The old channel goes on as another call, or is a shell about to end: what comes of it from
        // now on is none of the stay's.
        if let Some(from) = self.channels.all.get_mut(from) {
            from.as_caller.stays.retain(|other| *other != key);
        }

        // The new one has joined by taking the place: no Join comes for it.
        self.joining.remove(to);
        self.prune_stays(to, at, out);
        self.channels.add_stay(to, key);
        self.note_touched(key);
    }
}

/// What belongs to one masquerade is sent within some milliseconds, on a busy PBX too.
const INSTANT: Duration = Duration::from_secs(1);
