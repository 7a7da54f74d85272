//! A caller's place goes over to another channel: the stay goes on, under another Uniqueid.
//!
//! Asterisk moves channels by swaps and by masquerades (docs/moves.md).  app_queue follows both,
//! and what it sends and logs from then on has the new Uniqueid.  No event reports a masquerade, so
//! each sign of one has a function here, the surest first.

use std::collections::HashMap;
use std::time::Duration;

use super::Correlator;
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::names::QueueId;
use super::observation::{Observe, Outcome};
use super::stay::{Leaving, Phase, Stay};
use super::time::Stamp;
use crate::clock::Moment;
use crate::event;

/// Channels that began to run Queue, and have not joined: usually for less than a millisecond.
#[derive(Debug, Default)]
pub(super) struct Joining(HashMap<ChannelKey, Moment>);

impl Joining {
    /// The channel runs Queue now.
    pub(super) fn insert(&mut self, key: ChannelKey, now: Moment) {
        self.0.insert(key, now);
    }

    /// It joined, was refused, went on or ended.
    pub(super) fn remove(&mut self, key: ChannelKey) {
        self.0.remove(&key);
    }

    fn since(&self, moment: Moment) -> impl Iterator<Item = ChannelKey> {
        self.0.iter().filter(move |(_, began)| **began >= moment).map(|(&key, _)| key)
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
        self.move_stay(waiting, to);
    }

    /// A channel takes the place of half a Local channel in a bridge: what was behind that half
    /// is there itself now.
    ///
    /// Whoever takes the place of a phone may be somebody else, the other party of a transfer, or
    /// the same person on another phone (INVITE with Replaces): what follows decides.
    pub(super) fn swap(&mut self, swapped: ChannelKey, by: ChannelKey) {
        let Some(old) = self.channels.all.get_mut(swapped) else { return };
        old.bridge.swapped_by = Some(by);
        let line = old.identity.line;
        let as_agent = old.as_agent.talk;
        if line != Line::Local || !self.came_through(swapped, by) {
            return;
        }

        // A caller who waits is in no bridge, so only one who talks can be swapped.
        let as_caller = self.find_talking_stay(swapped);
        if let Some(key) = as_agent
            && let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut)
            && talk.leg == Some(swapped)
        {
            talk.leg = Some(by);
            talk.phone = None;
            self.channels.all[by].as_agent.talk = Some(key);

            // The half that is gone asks for its own hangup: that is nobody's wish to end the talk.
            self.channels.all[swapped].as_agent.talk = None;
        }
        if let Some(key) = as_caller {
            self.move_stay(key, by);
        }
    }

    /// Whether `by` stood in the bridge of the other half, as far as that is known.
    fn came_through(&self, swapped: ChannelKey, by: ChannelKey) -> bool {
        let last_bridge =
            |key: ChannelKey| self.channels.all.get(key).and_then(|channel| channel.bridge.last);
        let other_half = self.channels.all[swapped].peer.and_then(last_bridge);
        match (other_half, last_bridge(by)) {
            (Some(behind), Some(before)) => behind == before,
            _ => true,
        }
    }

    /// A channel is about to end though the place it held goes on: the empty shell of a masquerade,
    /// or half a Local channel that was optimised away without a swap.
    ///
    /// A real end is reported before the Hangup: by Abandon and Leave of who waits, by BridgeLeave of
    /// who talks.
    pub(super) fn hand_over_rest(&mut self, shell: ChannelKey, at: Stamp) {
        if let Some(key) = self.find_waiting_stay(shell) {
            if let Some(to) = self.find_newcomer(self.stays[key].queue, at) {
                self.move_stay(key, to);
            }
            return;
        }

        // A masquerade leaves the shell in the bridge until its Hangup; whoever has the place now
        // enters no bridge of its own.
        let Some(key) = self.find_talking_stay(shell) else { return };
        let bridge = self.channels.all[shell].bridge.id;
        let masked = bridge.and_then(|_| self.find_newcomer(self.stays[key].queue, at));
        if let (Some(bridge), Some(to)) = (bridge, masked) {
            self.move_stay(key, to);
            self.enter_bridge(to, bridge, at);
        } else if let Some(to) = self.find_beside_agent(key, shell) {
            let shell = &self.channels.all[shell];
            if shell.identity.line == Line::Local || shell.bridge.swapped_by == Some(to) {
                self.move_stay(key, to);
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
        let runs = |key: &ChannelKey| {
            let dialled = self
                .channels
                .all
                .get(*key)
                .and_then(|channel| channel.as_caller.dialplan_queue.as_ref());
            dialled.is_some_and(|dialled| dialled.eq_ignore_ascii_case(name))
        };
        let mut fresh = self.joining.since(at.read.before(INSTANT)).filter(runs);
        let only = fresh.next()?;
        fresh.next().is_none().then_some(only)
    }

    /// The only channel in the agent's bridge besides the agent's own.
    fn find_beside_agent(&self, key: StayKey, shell: ChannelKey) -> Option<ChannelKey> {
        let talk = self.stays[key].talk()?;
        let leg = talk.leg?;
        let bridge = self.channels.all.get(leg)?.bridge.id?;
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

    /// No AgentComplete came although the agent's channel is gone: the agent took the call along to
    /// another phone, if one has the channel's place beside the caller and no transfer was
    /// reported.
    pub(super) fn keep_talking(&mut self, key: StayKey, at: Stamp) -> bool {
        let Some(stay) = self.stays.get(key) else { return false };
        let Some(talk) = stay.talk().filter(|talk| !talk.transferred) else { return false };
        let bridge =
            |key: ChannelKey| self.channels.all.get(key).and_then(|channel| channel.bridge.id);
        let by = talk
            .leg
            .and_then(|leg| self.channels.all.get(leg))
            .and_then(|leg| leg.bridge.swapped_by);
        let beside = by.filter(|&by| bridge(by).is_some() && bridge(by) == bridge(stay.caller));
        let (Some(by), Some(old)) = (beside, talk.leg) else { return false };

        self.channels.all[by].as_agent.talk = Some(key);
        self.channels.all[old].as_agent.talk = None;
        if let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) {
            talk.leg = Some(by);
            talk.phone = None;
        }
        self.follow_talk(key, at);
        true
    }

    /// A waiting caller is in no bridge before AgentConnect.  Who enters one was taken out of the
    /// queue: AMI Bridge, Park, the application Bridge.  The rest of it happens to a Surrogate
    /// channel, which is in no event (16 and 22).
    pub(super) fn taken_by_bridge(&mut self, caller: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(key) = self.find_waiting_stay(caller) else { return };
        if matches!(self.stays[key].phase, Phase::Waiting { answered: false }) {
            self.stays[key].phase = Phase::Leaving(Leaving::new(at));
            self.exit(key, Outcome::Redirected, out);
        }
    }

    /// A leg that had answered is gone before Leave and AgentConnect: it was in the announcement.
    /// If the caller is in a bridge by now, it is another's.
    pub(super) fn lose_answered_leg(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let caller = stay.caller;
        if let Phase::Waiting { answered } = &mut stay.phase {
            *answered = false;
            if self.channels.all.get(caller).is_some_and(|caller| caller.bridge.id.is_some()) {
                self.taken_by_bridge(caller, at, out);
            }
        }
    }

    fn move_stay(&mut self, key: StayKey, to: ChannelKey) {
        let from = std::mem::replace(&mut self.stays[key].caller, to);
        if from == to {
            return;
        }
        if let Some(from) = self.channels.all.get_mut(from) {
            from.as_caller.stays.retain(|&other| other != key);
        }
        self.joining.remove(to);
        self.channels.add_stay(to, key);
        self.note_touched(key);
    }

    /// The caller's stay that waits.
    pub(super) fn find_waiting_stay(&self, caller: ChannelKey) -> Option<StayKey> {
        self.find_stay_that(caller, |stay| matches!(stay.phase, Phase::Waiting { .. }))
    }

    /// The caller's stay that talks.
    pub(super) fn find_talking_stay(&self, caller: ChannelKey) -> Option<StayKey> {
        self.find_stay_that(caller, Stay::is_talking)
    }

    fn find_stay_that(&self, caller: ChannelKey, is: impl Fn(&Stay) -> bool) -> Option<StayKey> {
        let stays = &self.channels.all.get(caller)?.as_caller.stays;
        stays.iter().rev().copied().find(|&key| is(&self.stays[key]))
    }
}

/// What belongs to one masquerade is sent within some milliseconds, on a busy PBX too.
const INSTANT: Duration = Duration::from_secs(1);
