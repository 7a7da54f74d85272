//! Events of a talk: from AgentConnect until the agent is with the caller no more.
//!
//! How long caller and agent talked is read from the bridges, not from AgentComplete (`completion`).

use std::time::Duration;

use super::Correlator;
use super::channel::Channel;
use super::deadline::{COMPLETION, Task};
use super::hold::Occasion;
use super::key::{ChannelKey, MemberKey, StayKey};
use super::observation::{EndedBy, Observation, Observe, Outcome};
use super::stay::{Phase, Stay};
use super::talk::Talk;
use super::time::Stamp;
use crate::event;

impl Correlator {
    pub(super) fn on_agent_connect(
        &mut self,
        at: Stamp,
        connect: &event::AgentConnect<'_>,
        out: &mut dyn Observe,
    ) {
        let call = &connect.call;
        let caller = self.ensure_channel(&call.caller, at, out);
        let leg = self.ensure_channel(&call.leg, at, out);
        let queue = self.ensure_queue(call.queue, out);
        let key = self.find_or_adopt_stay(caller, queue, at, out);
        if !self.stays[key].is_waiting() {
            // The log was faster, and has no channels.
            if self.stays[key].talk().is_some_and(|talk| talk.leg.is_none()) {
                self.attach_leg(key, leg, at);
            }
            return;
        }

        // Whoever picks up another's phone is not called by the queue: the call counts for the
        // member, whose latest ring attempt for this stay has ended.
        let member = self.ensure_member(queue, call.interface, call.member, at.read, out);
        let own = self.find_ring(leg).or_else(|| self.rings.latest(member, key));
        let ring = own.unwrap_or_else(|| self.ensure_ring(leg, call, at, out));
        self.ring_answered(ring, connect.ring, at, out);

        // Time stamps have milliseconds, HoldTime is whole seconds.
        let stay = &mut self.stays[key];
        let hold = stay.joined.and_then(|joined| self.timing.between(joined, at)).or(connect.hold);

        let mut talk = Talk::new(member, at);
        talk.leg = Some(leg);
        talk.phone = self.rings[ring].phone();
        talk.hold = connect.hold.map(Into::into);
        stay.phase = Phase::Talking(talk.into());
        self.emit_answered(key, member, hold, out);
        self.begin_talk(key, at, out);
    }

    /// The wait of a stay was ended by a member.
    pub(super) fn emit_answered(
        &self,
        key: StayKey,
        member: MemberKey,
        hold: Option<Duration>,
        out: &mut dyn Observe,
    ) {
        let queue = self.stays[key].queue;
        let penalty = self.members[member].penalty();
        self.emit_of(key, Observation::Exited { queue, outcome: Outcome::Answered, hold }, out);
        self.emit_of(key, Observation::AnsweredBy { queue, penalty }, out);
    }

    /// What every connected stay needs, however it was found.
    pub(super) fn begin_talk(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        self.enter_talk(key, at, out);
        // Last: where a list found the talk, or AgentConnect came late, both are bridged already.
        self.follow_talk(key, at);
    }

    /// The same before anything is known of its bridges.
    pub(super) fn enter_talk(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let stay = &mut self.stays[key];
        let caller = stay.caller;
        let queue = stay.queue;
        let Phase::Talking(talk) = &stay.phase else { return };
        let Talk { member, leg, phone, .. } = **talk;
        let agent = self.members[member].agent();
        stay.taken_by = agent;

        // A leg that a list or AgentComplete names may be forgotten before the talk is.
        for channel in [leg, phone].into_iter().flatten() {
            if let Some(channel) = self.channels.all.get_mut(channel) {
                channel.as_agent.talk = Some(key);
            }
        }

        // Who talks is not in wrap-up any more, whatever it was set to.
        let stays = &self.stays;
        let belongs = |key| stays.get(key).and_then(Stay::member) == Some(member);
        self.members.activity_mut(member).begin_talk(key, belongs);
        self.members.end_wrap_up(member, at.read, &self.names, out);
        self.emit(Observation::MemberKnown { queue, agent }, out);
        self.refresh_agent(agent, at.read, out);
        self.call_served(caller, phone.or(leg), agent, at);

        // A recording may have begun before the agent was connected: in the dialplan of the caller,
        // or of the member's Local channel.
        let peer = leg.and_then(|leg| self.channels.all.get(leg)).and_then(|leg| leg.rare().peer);
        let is_recorded = |channel: ChannelKey| {
            self.channels.all.get(channel).is_some_and(|c| c.rare().recordings.is_any())
        };
        if [Some(caller), leg, peer, phone].into_iter().flatten().any(is_recorded) {
            self.mark_recorded(key, out);
        }
    }

    /// Looks who is in which bridge after a channel of the talk came, went or ended.
    pub(super) fn follow_talk(&mut self, key: StayKey, at: Stamp) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let caller = self.channels.all.get(stay.caller);
        let Some(talk) = stay.talk_mut() else { return };
        let channel = |key: Option<ChannelKey>| key.and_then(|key| self.channels.all.get(key));
        let leg = channel(talk.leg);
        let phone = channel(talk.phone);

        // The talk begins as both are in one bridge: AgentConnect comes a moment before.
        let leg_bridge = leg.and_then(|leg| leg.bridge.id());
        let caller_bridge = caller.and_then(|caller| caller.bridge.id());
        if talk.begun.is_none() && leg_bridge.is_some() && leg_bridge == caller_bridge {
            talk.begun = Some(at);
            talk.bridge = leg_bridge;
        }

        // Behind an unoptimised Local channel the phone leaves the far bridge first, and the leg
        // may stay for long.  A Local channel that is optimised away ends in mid-talk: then only
        // the end of the phone is the agent's.
        let left_far_bridge =
            phone.is_some_and(|phone| phone.bridge.last.is_some() && phone.bridge.id().is_none());
        let is_present = leg_bridge.is_some() && !left_far_bridge;
        let has_ended =
            |channel: Option<&Channel>| channel.is_none_or(|channel| !channel.is_live());
        let agent_ended = has_ended(leg) && (phone.is_none() || has_ended(phone));

        // A caller who is parked has left the agent, and whoever fetches the call talks in another
        // bridge.
        let with_agent = |bridge| Some(bridge) == talk.bridge || Some(bridge) == leg_bridge;
        match caller {
            Some(caller) if caller.bridge.held => talk.parked = true,
            Some(caller) if caller.bridge.id().is_some_and(with_agent) => talk.parked = false,
            _ => {}
        }

        // A feature code that leads to a consultation puts the caller on hold, and no Unhold comes as
        // the agent is back (16 and 22).
        let far_end = leg.and_then(|leg| channel(leg.rare().peer));
        let phone_bridge = phone.and_then(|phone| phone.bridge.id());
        let places = [
            (leg_bridge, caller_bridge),
            (phone_bridge, far_end.and_then(|half| half.bridge.id())),
        ];
        let is_apart = places.iter().any(|&(agent, other)| {
            agent.is_some() && other.is_some() && agent != other && talk.begun.is_some()
        });
        let is_together = leg_bridge.is_some() && leg_bridge == caller_bridge && !left_far_bridge;
        if is_apart {
            talk.apart = true;
        } else if is_together && std::mem::take(&mut talk.apart) {
            let now = Occasion { at, session: self.session };
            if talk.holds.end(now, self.timing) {
                self.members.hold(talk.member, false);
            }
        }

        // A caller whose place went over to another channel is that channel here: `Stay::caller`
        // was changed before.
        let caller_gone = has_ended(caller) || talk.parked;
        let agent_gone = if talk.begun.is_some() { !is_present } else { agent_ended };
        let is_over = caller_gone || agent_gone;
        match (is_over, talk.over) {
            (true, None) => {
                talk.over = Some(at);
                self.deadlines.add(at.read.after(COMPLETION), Task::Completion(key));
            }
            // The agent came back into a bridge, for example after a consultation.
            (false, Some(_)) => talk.over = None,
            (true, Some(_)) | (false, None) => return,
        }

        // The agent's state goes by it at once, though AgentComplete is still to come.
        self.members.part(talk.member, is_over);
    }

    /// A caller who talks was put into a holding bridge.
    pub(super) fn note_parked(&mut self, caller: ChannelKey, out: &mut dyn Observe) {
        let Some(key) = self.find_talking_stay(caller) else { return };
        let queue = self.stays[key].queue;
        self.emit_of(key, Observation::CallerParked { queue }, out);
    }

    /// The talk a channel is the agent's leg of, or the phone behind it.
    ///
    /// An agent's leg may go on when that talk is over: the pool's stays up for a shift, and a
    /// caller may pass an agent on into a queue.
    pub(super) fn find_talk(&self, channel: ChannelKey) -> Option<StayKey> {
        let key = self.channels.all.get(channel)?.as_agent.talk?;
        self.stays.get(key).is_some_and(Stay::is_talking).then_some(key)
    }

    /// Takes note of who asked first for the end of the talk: it decides where no AgentComplete
    /// comes.
    pub(super) fn note_hangup_request(&mut self, channel: ChannelKey) {
        let as_agent = self.find_talk(channel);
        let as_caller = self.find_talking_stay(channel);
        let (key, side) = match (as_agent, as_caller) {
            (Some(key), _) => (key, EndedBy::Agent),
            (None, Some(key)) => (key, EndedBy::Caller),
            (None, None) => return,
        };
        if let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) {
            talk.first_request.get_or_insert(side);
        }
    }

    /// The agent's phone put the caller on hold, or took the call back.
    pub(super) fn on_hold(
        &mut self,
        channel: ChannelKey,
        on_hold: bool,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let now = Occasion { at, session: self.session };
        let Some(key) = self.channels.all[channel].as_agent.talk else { return };
        let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) else { return };

        // What the agent does while away from the caller is none of the talk's.
        if talk.apart || talk.over.is_some() {
            return;
        }
        let is_news = match on_hold {
            true => talk.holds.begin(now),
            false => talk.holds.end(now, self.timing),
        };
        if !is_news {
            return;
        }

        let member = talk.member;
        self.members.hold(member, on_hold);
        let agent = self.members[member].agent();
        self.refresh_agent(agent, at.read, out);
    }
}
