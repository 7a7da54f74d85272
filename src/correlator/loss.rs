//! Channels that end without an event: those that a list does not have any more, or that a restart
//! took along.

use super::Correlator;
use super::channel::{Channel, Ended};
use super::key::ChannelKey;
use super::observation::{Anomaly, Observation, Observe};
use super::time::Stamp;

impl Correlator {
    /// A channel ended, and no event said how; it is kept for events that come late.
    fn vanish(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        self.lose_channel(key, at, out);
        self.deadlines.add_forget(at.read, key);
    }

    /// A channel ended, and no event said how.
    pub(super) fn lose_channel(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(channel) = self.channels.all.get(key) else { return };

        // What it takes part in comes first: once the channel has ended, a talk would be over by
        // its bridges and be counted with a length.
        let stays = channel.as_caller.stays.clone();
        let talk = channel.as_agent.talk;
        for stay in stays.iter().copied().chain(talk) {
            self.lose_stay(stay, at, out);
        }
        if let Some(ring) = self.find_ring(key) {
            self.lose_ring(ring, at, out);
        }

        if self.channels.all[key].is_live() {
            self.end_recordings(key, out);
            self.voices.take(key);
            self.leave_bridge(key, at);
            self.channels.end(key, Ended::Lost);
        }
        self.lose_call(key, out);
    }

    /// A list did not have the channel, and no event spoke of it since.
    pub(super) fn vanish_due(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let is_missing = |channel: &Channel| channel.life.doubted && channel.is_live();
        if self.channels.all.get(key).is_some_and(is_missing) {
            self.emit(Observation::Anomaly(Anomaly::ChannelVanished), out);
            self.vanish(key, at, out);
        }
    }

    /// The channel is up for longer than any call lasts.
    pub(super) fn age_due(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        if self.channels.all.get(key).is_some_and(Channel::is_live) {
            self.emit(Observation::Anomaly(Anomaly::Expired), out);
            self.vanish(key, at, out);
        }
    }
}
