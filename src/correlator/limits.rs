//! How much is followed at once: beyond a limit the oldest is given up, and what it hid is lost.
//!
//! A PBX has no such numbers of anything.  A stream that is no PBX's, or a PBX whose account lacks the
//! events that end things, must not use up the memory.  Ring attempts, calls, bridges and devices are
//! those of channels, and queues and agents those of kept names, so they need no limits of their
//! own.

use super::Correlator;
use super::channel::Channel;
use super::key::{ChannelKey, StayKey};
use super::observation::{GivenUp, Observation, Observe};
use super::rules::TrackedLimits;
use super::time::Stamp;

impl Correlator {
    /// Gives up the oldest of whatever there is too much of.
    ///
    /// What an event looked up must stay there until it is handled, so this comes behind it: there
    /// may be a few more meanwhile.
    #[inline]
    pub(super) fn keep_within_limits(&mut self, at: Stamp, out: &mut dyn Observe) {
        let limits = &self.rules.tracked;
        let is_beyond = self.channels.all.len() > limits.channels
            || self.stays.len() > limits.stays
            || self.members.count() > limits.members
            || self.recordings.len() > limits.recordings;
        if is_beyond {
            self.give_up_oldest(at, out);
        }
    }

    #[cold]
    fn give_up_oldest(&mut self, at: Stamp, out: &mut dyn Observe) {
        let TrackedLimits { channels, stays, members, recordings } = self.rules.tracked;

        // A channel takes its stays and recordings along, so they come behind it.
        while self.channels.all.len() > channels
            && let Some(oldest) = self.deadlines.take_oldest(&self.channels.all)
        {
            self.give_up_channel(oldest, at, out);
        }
        while self.stays.len() > stays
            && let Some(oldest) = self.stays_by_age.oldest(|key| self.stays.contains_key(key))
        {
            self.give_up_stay(oldest, at, out);
        }
        while self.members.count() > members
            && let Some((queue, interface)) = self.members.oldest()
        {
            self.remove_member(queue, &interface, at.read, out);
            self.emit(Observation::GivenUp(GivenUp::Member), out);
        }
        while self.recordings.len() > recordings && self.recordings.give_up(&mut self.channels) {
            self.emit(Observation::GivenUp(GivenUp::Recording), out);
        }
    }

    /// Nobody knows any more what becomes of the channel.  One that has ended is only kept for late
    /// events: what was to be decided by them is lost.
    fn give_up_channel(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        if self.channels.all.get(key).is_some_and(Channel::is_live) {
            self.lose_channel(key, at, out);
        } else {
            for &stay in &self.channels.all[key].as_caller.stays.clone() {
                self.lose_stay(stay, at, out);
            }
        }
        self.forget(key, at, out);
        self.emit(Observation::GivenUp(GivenUp::Channel), out);
    }

    /// Nobody knows any more what becomes of the caller in that queue.
    pub(super) fn give_up_stay(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        self.lose_stay(key, at, out);
        let Some(stay) = self.stays.remove(key) else { return };
        if let Some(caller) = self.channels.all.get_mut(stay.caller) {
            caller.as_caller.stays.retain(|other| *other != key);
        }
        self.emit(Observation::GivenUp(GivenUp::Stay), out);
    }
}
