//! Events about channels as such: their beginning and end, dialling, bridges, Local pairs.

use super::Correlator;
use super::arrival::Arrival;
use super::call::begins_call;
use super::cause::Cause;
use super::channel::{BridgeId, Ended};
use super::deadline::{Task, VERDICT};
use super::dial::{DialStatus, Dialled};
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::observation::{Anomaly, Leg, Observation, Observe, TransferTo};
use super::stay::{Next, Phase};
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
        let known = &mut self.channels.all[key];
        known.life.is_born = true;

        // An event of the channel may have come before its Newchannel, from another thread: then it
        // is dialled, or has its call, already.
        if begins_call(channel) && known.call.is_none() && known.dialled.is_none() {
            self.note_beginning(key, channel, out);
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

        // Media that dials is nobody who calls: the leg begins the call, as that of an Originate
        // does.
        let is_media = |key: ChannelKey| self.channels.all[key].identity.line == Line::Media;
        let by_media = caller.is_some_and(is_media);
        let to_media = is_media(leg);
        let caller = caller.filter(|_| !by_media);

        if self.channels.all[leg].dialled.is_some() {
            return;
        }
        let dialled = Dialled { by: caller, status: None, reason: None };
        self.channels.all[leg].dialled = Some(dialled);
        self.mark_call_of(leg);
        // OriginateResponse names a failed leg by technology and dial string only.
        if caller.is_none() {
            let tech = dial.dest.name.split(|&byte| byte == b'/').next().unwrap_or_default();
            let string = [tech, b"/", dial.dial_string].concat();
            self.channels.all[leg].ensure_rare().dial_string = Some(string.into());
        }
        self.note_dial_string(leg, dial.dial_string);
        if let Some(caller) = caller {
            self.note_dialled_on(caller, leg, out);
        }

        // The ring attempt first: whether a leg is a queue's decides how its call is answered.
        match caller {
            Some(caller) => self.ring_dialled(caller, leg, at),
            None => self.note_originate(leg),
        }
        if by_media && !to_media && self.find_call(leg).is_none() {
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
        let caller = end.caller.map(|caller| self.ensure_channel(&caller, at, out));
        let status = DialStatus::parse(end.status);

        // An account may have logged in between DialBegin and DialEnd.
        let dialled = self.channels.all[leg].dialled.get_or_insert(Dialled {
            by: caller,
            status: None,
            reason: None,
        });
        if dialled.status.is_some() {
            return;
        }
        dialled.status = Some(status);
        self.mark_call_of(leg);

        if status == DialStatus::Answer {
            self.channels.all[leg].life.up = true;
            self.voices.leg_answered(leg, at);
            self.call_answered(leg, at);
        }
        self.ring_dial_ended(leg, status, end.forwarded, at, out);
    }

    pub(super) fn on_local_bridge(&mut self, local: &event::LocalBridge<'_>) {
        let one = self.channels.find(local.one);
        let two = self.channels.find(local.two);
        let (Some(one), Some(two)) = (one, two) else { return };

        self.channels.all[one].ensure_rare().peer = Some(two);
        self.channels.all[two].ensure_rare().peer = Some(one);
    }

    pub(super) fn on_bridge_enter(
        &mut self,
        at: Stamp,
        enter: &event::BridgeEnter<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(&enter.channel, at, out);

        // The swap before the entry: a stay that goes over to this channel is then followed into
        // the bridge with it.
        if let Some(swapped) = enter.swap.and_then(|swap| self.channels.find(swap)) {
            self.swap(swapped, key, at, out);
        }

        self.note_new_ssrc(key, at);

        // Who waits in a holding bridge is in no talk, whoever else waits there.
        if enter.holding {
            self.leave_bridge(key, at);
            self.channels.all[key].bridge.held = true;
            self.follow_channel(key, at);
            self.note_parked(key, out);
        } else {
            let bridge = self.channels.bridge_id(enter.bridge);
            self.enter_bridge(key, bridge, at);
        }

        self.taken_by_bridge(key, at, out);
    }

    pub(super) fn enter_bridge(&mut self, key: ChannelKey, bridge: BridgeId, at: Stamp) {
        let inside = self.channels.enter(key, bridge);

        // The second to come has company, and so has the first from now on.  Who comes later finds
        // the others in company already.
        let in_company = match *inside {
            [] | [_] => [None, None],
            [first, second] => [Some(first), Some(second)],
            [.., last] => [Some(last), None],
        };
        for channel in in_company.into_iter().flatten() {
            if let Some(call) = self.find_call_begun_by(channel) {
                call.company.since.get_or_insert(at);
            }
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
            let timing = self.timing;
            if let Some(call) = self.find_call_begun_by(channel) {
                call.company.end(at, timing);
            }
        }
        self.follow_channel(key, at);
    }

    /// Looks anew at the talks a channel takes part in.
    fn follow_channel(&mut self, key: ChannelKey, at: Stamp) {
        let channel = &self.channels.all[key];
        let as_agent = channel.as_agent.talk;
        let as_caller = channel.as_caller.stays.last().copied();
        // The half of a Local channel that is beside the agent's phone.
        let peer = channel.rare().peer.and_then(|peer| self.channels.all.get(peer));
        let beside_agent = peer.and_then(|peer| peer.as_agent.talk);
        for stay in [as_agent, as_caller, beside_agent].into_iter().flatten() {
            self.follow_talk(stay, at);
        }
    }

    /// The end of a channel.  Each step rests on those before it.
    pub(super) fn on_hangup(
        &mut self,
        at: Stamp,
        hangup: &event::Hangup<'_>,
        out: &mut dyn Observe,
    ) {
        // A channel that a list or a restart ended is counted.  Its Hangup may still come late.
        let key = self.ensure_channel(&hangup.channel, at, out);
        if !self.channels.all[key].is_live() {
            return;
        }

        // Before the channel leaves its bridge: its place may be somebody else's now, and that is
        // read from who is in the bridge with it.
        self.hand_over_rest(key, at, out);
        self.joining.remove(key);

        // Before anything of the call is counted: why a caller left a queue is part of the call's
        // result.
        self.settle_leaving(key, hangup.channel.queue_status, Next::Hangup, out);

        // The talks are looked at twice.  A talk ends as its agent leaves the bridge, or, where
        // nobody was bridged yet, only as the leg ends.
        self.leave_bridge(key, at);
        let cause = Cause(hangup.cause);
        self.channels.end(key, Ended::HungUp(cause));
        self.follow_channel(key, at);

        self.end_recordings(key, out);
        self.count_voice(key, out);
        self.resolve_arrival(key, Arrival::Elsewhere(TransferTo::Other), out);

        // With the cause known, which gives a ring attempt its result.  A leg that had answered and
        // ends before AgentConnect was in the announcement.
        self.ring_hung_up(key, at, out);
        if let Some(ring) = self.find_ring(key).map(|ring| &self.rings[ring])
            && ring.leg() == key
            && self.channels.all[key].life.up
        {
            self.lose_answered_leg(ring.stay(), at, out);
        }
        self.count_caller_hangup(key, cause, out);

        // The call comes last: its result rests on the verdict, its talk time on the bridge that
        // was left.  Without Linkedids (12 to 13.4) a leg that could not be called looked like a
        // call of its own, and must not end as one.
        if hangup.channel.state == Some(DOWN) {
            self.drop_stillborn(key);
        }
        self.call_hung_up(key, cause, at, out);

        self.end_waits(key, at);
        self.deadlines.add_forget(at.read, key);
    }

    /// Counts the caller leg's cause, once, in the last queue the caller was in.
    fn count_caller_hangup(&mut self, key: ChannelKey, cause: Cause, out: &mut dyn Observe) {
        let Some(&last) = self.channels.all[key].as_caller.stays.last() else { return };
        let stay = &self.stays[last];
        let queue = stay.queue;
        let agent = stay.taken_by;

        let fact = Observation::QueueHangup { queue, agent, leg: Leg::Caller, cause };
        self.emit_of(last, fact, out);
    }

    /// A caller's channel is gone though no event ended the wait: one may still come, from another
    /// thread of Asterisk.
    fn end_waits(&mut self, key: ChannelKey, at: Stamp) {
        for &stay in &self.channels.all[key].as_caller.stays {
            if self.stays[stay].is_waiting() {
                self.deadlines.add(at.read.after(VERDICT), Task::Verdict(stay));
            }
        }
    }

    /// A channel is gone for long enough: nothing can come for it any more, and whatever is still
    /// open of it ends.
    pub(super) fn forget(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        self.forget_channel(key, at, out);
        // A removed member goes once no ring attempt and no stay has it.
        self.sweep_members();
    }

    /// The same, but for removed members whom nothing has any more.
    pub(super) fn forget_channel(&mut self, key: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(channel) = self.channels.all.get(key) else { return };

        // Observations of a stay name its caller, so the stays end while the channel is still there.
        let stays = channel.as_caller.stays.clone();
        for &stay in &stays {
            self.close_for_good(stay, at, out);
            self.stays.remove(stay);
        }
        self.drop_ring(key, at, out);
        self.drop_call(key, out);
        // One may have begun behind the Hangup.
        self.end_recordings(key, out);
        self.voices.take(key);

        let forgotten = self.channels.forget(key);
        let dial_string =
            forgotten.as_ref().and_then(|channel| channel.rare().dial_string.as_ref());
        if let Some(string) = dial_string {
            self.forget_originate(string);
        }
        self.joining.remove(key);
        self.deadlines.trim_ages(&self.channels.all);
    }

    /// Ends whatever is still open of a stay whose caller is long gone.
    fn close_for_good(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        match &self.stays[key].phase {
            Phase::Closed(_) => {}
            // Every deadline before this one should have ended the wait.
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
