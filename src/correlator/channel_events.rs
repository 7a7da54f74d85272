//! Events about channels as such: their beginning and end, dialling, bridges, Local pairs.

use super::Correlator;
use super::call::begins_call;
use super::cause::Cause;
use super::channel::{BridgeId, Ended};
use super::deadline::{FORGET, Task, VERDICT};
use super::dial::{DialStatus, Dialled};
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::observation::{Anomaly, Leg, Observation, Observe};
use super::stay::{Phase, Sign};
use super::time::Stamp;
use crate::event;

impl Correlator {
    pub(super) fn on_new_channel(
        &mut self,
        at: Stamp,
        channel: &event::Channel<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(channel, at, out);
        self.channels.all[key].life.born.get_or_insert(at.read);
        if begins_call(channel)
            && self.channels.all[key].call.is_none()
            && self.channels.all[key].dialled.is_none()
        {
            self.see_beginning(key, channel, out);
            self.open_call(key);
        }
    }

    pub(super) fn on_dial_begin(
        &mut self,
        at: Stamp,
        dial: &event::Dial<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = dial.caller.map(|caller| self.ensure_channel(&caller, at, out));
        let leg = self.ensure_channel(&dial.dest, at, out);
        let by_media =
            caller.is_some_and(|caller| self.channels.all[caller].identity.line == Line::Media);
        // nobody calls: the leg begins the call, as that of an Originate does
        let caller = caller.filter(|_| !by_media);
        let tech = dial.dest.name.split(|&byte| byte == b'/').next().unwrap_or_default();
        let string = match caller {
            Some(_) => Box::default(),
            None => [tech, b"/", dial.dial_string].concat().into(),
        };
        let dialled = Dialled { by: caller, status: None, reason: None, string };
        let place = &mut self.channels.all[leg].dialled;
        if place.is_some() {
            return;
        }
        *place = Some(dialled);
        self.see_dialled(leg, dial.dial_string);
        match caller {
            Some(caller) => self.ring_dialled(caller, leg, at),
            None => self.note_originate(leg),
        }
        if by_media
            && self.channels.all[leg].identity.line != Line::Media
            && self.find_call(leg).is_none()
        {
            self.open_call(leg);
        }
        self.call_dialled(caller, leg, at, out);
    }

    /// Only the first DialEnd of a leg counts: the cleanup sends another for every leg it hangs up.
    pub(super) fn on_dial_end(
        &mut self,
        at: Stamp,
        end: &event::DialEnd<'_>,
        out: &mut dyn Observe,
    ) {
        let leg = self.ensure_channel(&end.dest, at, out);
        let status = DialStatus::parse(end.status);
        let caller = end.caller.map(|caller| self.ensure_channel(&caller, at, out));
        let dialled = self.channels.all[leg].dialled.get_or_insert_with(|| Dialled {
            by: caller,
            status: None,
            reason: None,
            string: Box::default(),
        });
        if dialled.status.is_some() {
            return;
        }
        dialled.status = Some(status);
        if status == DialStatus::Answer {
            self.channels.all[leg].life.up = true;
            self.call_answered(leg, at);
        }
        self.ring_dial_ended(leg, status, end.forwarded, at, out);
    }

    pub(super) fn on_local_bridge(&mut self, local: &event::LocalBridge<'_>) {
        let (Some(one), Some(two)) = (self.channels.find(local.one), self.channels.find(local.two))
        else {
            return;
        };
        self.channels.all[one].peer = Some(two);
        self.channels.all[two].peer = Some(one);
    }

    pub(super) fn on_bridge_enter(
        &mut self,
        at: Stamp,
        enter: &event::BridgeEnter<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(&enter.channel, at, out);
        if let Some(swapped) = enter.swap.and_then(|swap| self.channels.find(swap)) {
            self.swap(swapped, key);
        }
        // who waits in a holding bridge is in no talk, whoever else waits there
        if enter.holding {
            self.leave_bridge(key, at);
            self.channels.all[key].bridge.held = true;
            self.follow_channel(key, at);
            self.caller_parked(key, out);
        } else {
            let bridge = self.channels.bridge_id(enter.bridge);
            self.enter_bridge(key, bridge, at);
        }
        self.taken_by_bridge(key, at, out);
    }

    pub(super) fn enter_bridge(&mut self, key: ChannelKey, bridge: BridgeId, at: Stamp) {
        let inside = self.channels.enter(key, bridge);
        // the second to come ends the first one's loneliness, too
        let begin = match inside.len() {
            0 | 1 => 0,
            2 => 2,
            _ => 1,
        };
        let joined = inside[inside.len() - begin..].to_vec();
        for channel in joined {
            self.channels.all[channel].bridge.company.since.get_or_insert(at);
        }
        self.follow_channel(key, at);
    }

    pub(super) fn on_bridge_leave(
        &mut self,
        at: Stamp,
        leave: &event::BridgeLeave<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(&leave.channel, at, out);
        self.leave_bridge(key, at);
    }

    pub(super) fn leave_bridge(&mut self, key: ChannelKey, at: Stamp) {
        let alone = self.channels.leave(key);
        for channel in [Some(key), alone].into_iter().flatten() {
            let bridged = &mut self.channels.all[channel].bridge.company;
            if let Some(since) = bridged.since.take() {
                match self.timing.between(since, at) {
                    Some(span) => bridged.total += span,
                    None => bridged.unknown = true,
                }
            }
        }
        self.follow_channel(key, at);
    }

    /// The talks a channel takes part in.
    fn follow_channel(&mut self, key: ChannelKey, at: Stamp) {
        let channel = &self.channels.all[key];
        let (as_agent, as_caller) =
            (channel.as_agent.talk, channel.as_caller.stays.last().copied());
        for stay in [as_agent, as_caller].into_iter().flatten() {
            self.follow_talk(stay, at);
        }
    }

    pub(super) fn on_hangup(
        &mut self,
        at: Stamp,
        hangup: &event::Hangup<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(&hangup.channel, at, out);
        if !self.channels.all[key].is_live() {
            return;
        }

        // before the channel leaves its bridge: its place may be somebody else's now
        self.hand_over_rest(key, at);
        self.unjoined.remove(key);

        let cause = Cause(hangup.cause);
        self.settle_leaving(key, hangup.channel.queue_status, Sign::Hangup, out);
        self.leave_bridge(key, at);
        self.channels.end(key, Ended::HungUp(cause));
        self.follow_channel(key, at);
        self.end_recordings(key, out);
        self.ring_hung_up(key, at, out);
        if let Some(ring) = self.find_ring(key).map(|ring| &self.rings[ring])
            && ring.leg == key
            && self.channels.all[key].life.up
        {
            self.lose_answered_leg(ring.stay, at, out);
        }
        self.count_caller_hangup(key, cause, out);
        if hangup.channel.state == Some(DOWN) {
            self.drop_stillborn(key);
        }
        self.call_hung_up(key, cause, at, out);
        self.end_waits(key, at);
        self.deadlines.add(at.read.after(FORGET), Task::Forget(key));
    }

    /// The caller leg's cause, once, in the last queue the caller was in.
    fn count_caller_hangup(&mut self, key: ChannelKey, cause: Cause, out: &mut dyn Observe) {
        let Some(&last) = self.channels.all[key].as_caller.stays.last() else { return };
        let Some(stay) = self.stays.get(last) else { return };
        let (queue, agent) = (stay.queue, stay.taken_by);
        self.emit_of(last, Observation::QueueHangup { queue, agent, leg: Leg::Caller, cause }, out);
    }

    /// A caller's channel is gone though no event ended the wait: one may still come.
    fn end_waits(&mut self, key: ChannelKey, at: Stamp) {
        for &stay in &self.channels.all[key].as_caller.stays {
            if self.stays[stay].is_waiting() {
                self.deadlines.add(at.read.after(VERDICT), Task::Verdict(stay));
            }
        }
    }

    /// A channel that is gone for long enough: nothing can come for it any more.
    pub(super) fn forget(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(channel) = self.channels.all.get(key) else { return };
        let stays = channel.as_caller.stays.clone();
        for stay in stays {
            self.close_for_good(stay, at, out);
            self.stays.remove(stay);
        }
        self.drop_ring(key, at, out);
        self.drop_call(key, out);
        let dialled = self.channels.forget(key).and_then(|channel| channel.dialled);
        if let Some(dialled) = dialled {
            self.forget_originate(dialled.string);
        }
        self.unjoined.remove(key);
        self.deadlines.trim_ages(&self.channels.all);
        self.sweep_members();
    }

    /// Ends whatever is still open of a stay whose caller is long gone.
    fn close_for_good(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        match &self.stays[key].phase {
            Phase::Closed(_) => {}
            Phase::Waiting { .. } | Phase::Leaving(_) => {
                self.emit(Observation::Anomaly(Anomaly::Expired), out);
                self.lose_wait(key, out);
            }
            Phase::Talking(_) => self.lose_talk(key, at, out),
        }
    }
}

/// Channel state: nothing has happened yet.
const DOWN: u8 = 0;
