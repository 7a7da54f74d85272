//! What ends without an event: what a list does not have any more, or what a restart took along.

use super::Correlator;
use super::channel::{Channel, Ended};
use super::deadline::{FORGET, Task};
use super::key::{ChannelKey, RingKey, StayKey};
use super::observation::{Anomaly, EndedBy, Observation, Observe, RingResult};
use super::ring::Phase as RingPhase;
use super::stay::{Leaving, Phase, Sign, Stay};
use super::time::Stamp;

impl Correlator {
    /// A channel ended, and nobody saw how.
    pub(super) fn vanish(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(channel) = self.channels.all.get(key) else { return };
        let (stays, talk, ring) =
            (channel.as_caller.stays.clone(), channel.as_agent.talk, self.find_ring(key));
        for stay in stays.into_iter().chain(talk) {
            self.lose_stay(stay, at, out);
        }
        if let Some(ring) = ring {
            self.lose_ring(ring, at, out);
        }
        if self.channels.all[key].is_live() {
            self.end_recordings(key, out);
            self.leave_bridge(key, at);
            self.channels.end(key, Ended::Lost);
        }
        self.lose_call(key, out);
        self.deadlines.add(at.read.after(FORGET), Task::Forget(key));
    }

    pub(super) fn lose_stay(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get(key) else { return };
        match stay.phase {
            Phase::Waiting { .. } => self.lose_wait(key, out),
            // it was seen to leave: only the reason is hidden
            Phase::Leaving(_) => self.verdict(key, Sign::Silence, out),
            Phase::Talking(_) => self.lose_talk(key, at, out),
            Phase::Closed(_) => {}
        }
    }

    pub(super) fn lose_talk(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };
        match talk.over {
            Some(over) => {
                let ended_by = talk.end_without_complete();
                self.complete(key, ended_by, None, over, out);
            }
            None => self.complete(key, EndedBy::Lost, None, at, out),
        }
    }

    pub(super) fn lose_ring(&mut self, key: RingKey, at: Stamp, out: &mut dyn Observe) {
        let Some(ring) = self.rings.get(key) else { return };
        match ring.phase {
            RingPhase::Ringing | RingPhase::Forwarded { .. } => {
                self.settle_ring(key, RingResult::Lost, None, at, out);
            }
            RingPhase::Answered => self.settle_ring(key, RingResult::Answered, None, at, out),
            RingPhase::Ended { .. } | RingPhase::Refused { .. } => self.ring_due(key, at, out),
            RingPhase::Done => {}
        }
    }

    pub(super) fn doubt_due(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        if self.stays.get(key).is_some_and(|stay| stay.doubted) {
            if self.stays[key].is_waiting() && self.synchronised {
                self.emit(Observation::Anomaly(Anomaly::CallerVanished), out);
            }
            self.lose_stay(key, at, out);
        }
    }

    /// A caller's channel is gone, and no event ended the wait.
    pub(super) fn verdict_due(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let gone = self.channels.all.get(stay.caller).is_none_or(|caller| !caller.is_live());
        if matches!(stay.phase, Phase::Waiting { .. }) && gone {
            stay.phase =
                Phase::Leaving(Leaving { abandoned: true, left: true, ..Leaving::new(at) });
            self.emit(Observation::Anomaly(Anomaly::StayOutlivedChannel), out);
        }
        self.verdict(key, Sign::Silence, out);
    }

    pub(super) fn vanish_due(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        if self
            .channels
            .all
            .get(key)
            .is_some_and(|channel| channel.life.doubted && channel.is_live())
        {
            self.emit(Observation::Anomaly(Anomaly::ChannelVanished), out);
            self.vanish(key, at, out);
        }
    }

    pub(super) fn age_due(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        if self.channels.all.get(key).is_some_and(Channel::is_live) {
            self.emit(Observation::Anomaly(Anomaly::Expired), out);
            self.vanish(key, at, out);
        }
    }
}
