//! The end of a call: exactly one result for each, once all that decides it is known.

use super::Correlator;
use super::call::Leg;
use super::call_result::{ring_time, talk_time};
use super::cause::Cause;
use super::channel::Channel;
use super::deadline::{CALL_END, Task};
use super::dial::{CallLabels, Dialled};
use super::key::{CallKey, ChannelKey};
use super::names::TrunkId;
use super::observation::{Anomaly, CallResult, Observation, Observe};
use super::time::Stamp;

impl Correlator {
    /// A channel ended before anything happened to it.  Without a Linkedid it looked like a
    /// beginning, but it is a leg that could not be called.
    pub(super) fn drop_stillborn(&mut self, channel: ChannelKey) {
        let data = &mut self.channels.all[channel];
        if data.identity.linkedid.is_none()
            && data.dialled.is_none()
            && let Some(own) = data.call.take()
        {
            self.calls.remove(own);
        }
    }

    /// A channel hung up: counts a trunk's attempt, and the call's end if this was its first
    /// channel.
    pub(super) fn call_hung_up(
        &mut self,
        channel: ChannelKey,
        cause: Cause,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        self.count_leg(channel, cause, out);

        // The call may have ended before this leg did, and then lacks only the cause.
        if let Some(labels) =
            self.channels.all[channel].rare_mut().and_then(|rare| rare.owed.take())
        {
            self.emit_call_hangup(labels, cause, out);
        }

        let timing = self.timing;
        let Some(key) = self.find_call(channel) else { return };
        let Some(call) = self.calls.get_mut_unmarked(key) else { return };
        if call.first == channel {
            call.ended = true;
            call.ringing.end(at, timing);
        }
        let has_ended = call.ended;

        // Any leg's end may be what a call waits for whose first channel is gone.
        if has_ended {
            self.calls.mark(key);
            self.try_end_call(key, at, out);
        }
    }

    /// A dialled leg ended: takes note of how for its call, and counts a trunk's attempt.
    fn count_leg(&mut self, channel: ChannelKey, cause: Cause, out: &mut dyn Observe) {
        let data = &self.channels.all[channel];
        let Some(dialled) = &data.dialled else { return };
        let result = dialled.result(cause, data.life.up);
        let trunk = data.trunk();

        // One that is up has answered, whatever is still to come: a synchronous Originate has no
        // OriginateResponse.
        let is_decided = data.life.up || !dialled.is_silent_originate();
        if !trunk.is_none() && is_decided {
            self.count_attempt(trunk, result, cause, out);
        }

        let call = self.find_call(channel).and_then(|key| self.calls.get_mut_unmarked(key));
        let leg = call.and_then(|call| call.leg.as_mut());
        if let Some(leg) = leg.filter(|leg| leg.channel == channel) {
            leg.end = Some((result, cause));
        }
    }

    fn count_attempt(
        &mut self,
        trunk: TrunkId,
        result: CallResult,
        cause: Cause,
        out: &mut dyn Observe,
    ) {
        self.emit(Observation::TrunkAttempt { trunk, result }, out);
        self.emit(Observation::TrunkHangup { trunk, cause }, out);
    }

    /// Ends the call if everything that decides its result is known; else a little later.
    fn try_end_call(&mut self, key: CallKey, at: Stamp, out: &mut dyn Observe) {
        let Some(call) = self.calls.get(key) else { return };

        // Legs hang up behind the first channel where a caller gives up; a leg that was connected
        // has given the result already.
        let waits_for_leg = !call.answered && call.leg.is_some_and(|leg| leg.end.is_none());
        if waits_for_leg || self.waits_for_originate(key) {
            self.deadlines.add(at.read.after(CALL_END), Task::CallEnd(key));
        } else {
            self.end_call(key, out);
        }
    }

    /// An Originate that timed out has no DialEnd: its OriginateResponse reports it, before or after
    /// the Hangup.
    fn waits_for_originate(&self, key: CallKey) -> bool {
        let first = self.calls.get(key).and_then(|call| self.channels.all.get(call.first));
        let dialled = first.filter(|first| !first.life.up).and_then(|first| first.dialled.as_ref());
        dialled.is_some_and(Dialled::is_silent_originate)
    }

    /// OriginateResponse has come for a first channel.
    pub(super) fn originate_answered(
        &mut self,
        channel: ChannelKey,
        reason: u8,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let data = &mut self.channels.all[channel];
        let Some(dialled) = &mut data.dialled else { return };
        let was_silent = dialled.is_silent_originate();
        dialled.reason = Some(reason);

        // Before the Hangup it is only noted.  A leg that was up was counted at its Hangup, and so
        // was its call.
        let Some(cause) = data.cause() else { return };
        if was_silent && !data.life.up {
            self.count_leg(channel, cause, out);
            if let Some(key) = self.find_call(channel) {
                self.try_end_call(key, at, out);
            }
        }
    }

    /// Five seconds after a call's first channel hung up: what has not come by now does not come.
    pub(super) fn call_due(&mut self, key: CallKey, out: &mut dyn Observe) {
        let Some(call) = self.calls.get(key) else { return };
        let first = call.first;
        let ended = call.ended;

        // No OriginateResponse came: the cause is all there is.
        if self.waits_for_originate(key)
            && let Some(channel) = self.channels.all.get_mut(first)
            && let Some(cause) = channel.cause()
        {
            if let Some(dialled) = &mut channel.dialled {
                dialled.reason = Some(NO_REASON);
            }
            self.count_leg(first, cause, out);
        }

        if ended {
            self.end_call(key, out);
        }
    }

    /// Counts the one result of a call.
    fn end_call(&mut self, key: CallKey, out: &mut dyn Observe) {
        let Some(call) = self.calls.remove(key) else { return };
        let labels = self.labels(&call);
        let CallLabels { direction, agent, trunk } = labels;
        let result = self.result(&call, direction);
        self.emit(Observation::CallEnded { direction, agent, trunk, result }, out);

        if let Some(length) = ring_time(&call) {
            self.emit(Observation::CallRang { direction, result, length }, out);
        }
        if let Some(length) = talk_time(&call) {
            self.emit(Observation::CallTalked { direction, agent, length }, out);
        }

        // The cause of the leg that gave the result.  A caller may hang up before that leg does,
        // which then owes it.
        let cause = match call.leg {
            Some(Leg { end: Some((_, cause)), .. }) => Some(cause),
            Some(Leg { channel, end: None }) => {
                let Some(leg) = self.channels.all.get_mut(channel) else { return };
                if leg.cause().is_none() {
                    leg.ensure_rare().owed = Some(labels);
                }
                leg.cause()
            }
            None => self.channels.all.get(call.first).and_then(Channel::cause),
        };
        if let Some(cause) = cause {
            self.emit_call_hangup(labels, cause, out);
        }
    }

    fn emit_call_hangup(&mut self, labels: CallLabels, cause: Cause, out: &mut dyn Observe) {
        let CallLabels { direction, agent, trunk } = labels;
        self.emit(Observation::CallHangup { direction, agent, trunk, cause }, out);
    }

    /// The call's first channel vanished in a gap: a result that was known counts, any other nobody
    /// can know.
    pub(super) fn lose_call(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        let key = self.channels.all.get(channel).and_then(|channel| channel.call);
        let Some(key) = key else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.first != channel {
            return;
        }

        // When it ended is hidden, so it has no durations.
        call.adopted = true;
        if call.answered {
            self.end_call(key, out);
        } else {
            self.calls.remove(key);
            self.emit(Observation::Anomaly(Anomaly::CallLost), out);
        }
    }

    /// The call's first channel is about to be forgotten: nothing more can come.
    pub(super) fn drop_call(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        let key = self.channels.all.get(channel).and_then(|channel| channel.call);
        let Some(key) = key else { return };
        match self.calls.get(key) {
            Some(call) if call.first == channel && call.ended => self.end_call(key, out),
            Some(_) => self.lose_call(channel, out),
            None => {}
        }
    }
}

/// Instead of an OriginateResponse that did not come: Asterisk's own Reason for a failure.
const NO_REASON: u8 = 0;
