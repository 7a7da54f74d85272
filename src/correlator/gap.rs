//! What ends unseen: a restart of the PBX, and what a list does not have any more.

use std::time::Duration;

use super::Correlator;
use super::channel::{Channel, Ended};
use super::deadline::{FORGET, Task};
use super::key::{ChannelKey, RingKey, StayKey};
use super::observation::{Anomaly, EndedBy, Observation, Observe, RingResult};
use super::ring::Phase as RingPhase;
use super::stay::{Leaving, Phase, Sign, Stay};
use super::time::{Stamp, Timing};
use crate::clock::Moment;

/// When the PBX was started, as far as FullyBooted tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Boot {
    at: Option<Moment>,
    uptime: Option<u64>,
    /// A recording's first FullyBooted carries no time: the next event's is taken.
    undated: bool,
    /// The last FullyBooted was not dated by itself.
    vague: bool,
}

impl Correlator {
    pub(super) fn on_fully_booted(
        &mut self,
        at: Stamp,
        uptime: Option<u64>,
        out: &mut dyn Observe,
    ) {
        // a session begins: what came between it and the one before was not seen
        self.sight.listed = false;
        self.members.all.values_mut().for_each(|member| member.was_free = false);
        let Some(uptime) = uptime else { return };
        let vague = self.timing == Timing::Recorded && at.wire.is_none();
        let sooner = self.boot.uptime.is_some_and(|before| uptime < before);
        let dated =
            self.timing == Timing::Live || at.wire.is_some() || at.read != Moment::default();
        // Live, it is our own clock: only a FullyBooted while we were logged in carries the other
        // one's time. Without a time of its own, a recording's FullyBooted came no earlier
        // than the event before it.
        let told = if self.timing == Timing::Live { at.read } else { at.wire.unwrap_or(at.read) };
        let boot = told.before(Duration::from_secs(uptime));
        let later = dated && self.boot.at.is_some_and(|known| boot.since(known) > SLACK);
        if sooner || later {
            self.restarted(at, out);
        }
        let at = if sooner || later || self.boot.at.is_none() {
            dated.then_some(boot)
        } else {
            self.boot.at
        };
        self.boot = Boot { at, uptime: Some(uptime), undated: at.is_none(), vague };
    }

    /// Something that follows a login at once told the time: it dates the FullyBooted just before
    /// it.
    pub fn logged_in(&mut self, now: Moment, out: &mut impl Observe) {
        self.date_boot(now);
        let uptime = Duration::from_secs(self.boot.uptime.unwrap_or(0));
        let boot = now.before(uptime);
        if std::mem::take(&mut self.boot.vague)
            && self.boot.at.is_some_and(|known| boot.since(known) > SLACK)
        {
            self.restarted(Stamp { read: now, wire: None }, out);
            self.boot.at = Some(boot);
        }
    }

    /// Dates a recording's first FullyBooted by the first event that has a time.
    pub(super) fn date_boot(&mut self, now: Moment) {
        if self.boot.undated && now != Moment::default() {
            let uptime = Duration::from_secs(self.boot.uptime.unwrap_or(0));
            self.boot.at = Some(now.before(uptime));
            self.boot.undated = false;
        }
    }

    /// When the PBX was started; 12 and 13 do not tell, for their FullyBooted has no Uptime.
    pub(super) fn started(&self) -> Option<Moment> {
        self.boot.at.filter(|&at| at != Moment::default())
    }

    pub(super) fn on_shutdown(&mut self, at: Stamp, out: &mut dyn Observe) {
        self.restarted(at, out);
    }

    /// Whatever was open is gone, and nobody saw how it ended.
    fn restarted(&mut self, at: Stamp, out: &mut dyn Observe) {
        let mut keys: Vec<_> = self.channels.all.keys().collect();
        keys.sort_unstable();
        for &key in &keys {
            self.vanish(key, at, out);
        }
        for key in keys {
            self.forget(key, at, out);
        }
    }

    /// A channel ended, and nobody saw how.
    fn vanish(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
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

/// Uptime is whole seconds, and FullyBooted takes its time to arrive.
const SLACK: Duration = Duration::from_secs(3);
