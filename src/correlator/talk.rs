//! Talk: from AgentConnect to exactly one completion.
//!
//! How long caller and agent talked is read from the bridges; AgentComplete says who ended it, and
//! comes early, late, without either channel, or not at all.

use std::time::Duration;

use super::Correlator;
use super::channel::{BridgeId, Channel};
use super::deadline::{COMPLETION, Task};
use super::key::{ChannelKey, MemberKey, RingKey, StayKey};
use super::observation::{Anomaly, EndedBy, Observation, Observe, Outcome, Phase as AdoptedPhase};
use super::stay::{Closed, Phase, Stay};
use super::time::Stamp;
use crate::event;

/// A connected call.
#[derive(Debug)]
pub(super) struct Talk {
    pub member: MemberKey,
    /// The channel the queue talks to: a phone, or `;1` of a Local channel.
    pub leg: Option<ChannelKey>,
    /// The phone behind it.
    pub phone: Option<ChannelKey>,
    pub connected: Stamp,
    /// HoldTime of AgentConnect: AgentComplete repeats it.
    pub hold: Option<Duration>,
    /// The bridge caller and agent met in.
    pub bridge: Option<BridgeId>,
    /// When both were in it.
    pub begun: Option<Stamp>,
    /// When the agent was in no bridge any more; taken back if the agent comes back into one.
    pub over: Option<Stamp>,
    /// The caller was put into a holding bridge, and has not come back to the agent.
    pub parked: bool,
    /// Found going on: its length is not known.
    pub adopted: bool,
    pub on_hold: bool,
    /// A transfer of it was told: whoever takes the agent's place is somebody else.
    pub transferred: bool,
    /// Whose far end asked first for the end.
    pub first_request: Option<EndedBy>,
}

impl Talk {
    /// A call that is connected at `connected`.
    pub(super) const fn new(member: MemberKey, connected: Stamp) -> Self {
        Self {
            member,
            leg: None,
            phone: None,
            connected,
            hold: None,
            bridge: None,
            begun: None,
            over: None,
            parked: false,
            adopted: false,
            on_hold: false,
            transferred: false,
            first_request: None,
        }
    }

    /// How it ended, where no AgentComplete tells.  With an unoptimised Local member the transfer
    /// happens in the bridge behind it, and AgentComplete comes when the caller leaves in the
    /// end.
    pub(super) const fn end_untold(&self) -> EndedBy {
        match self.first_request {
            _ if self.transferred => EndedBy::Transfer,
            Some(who) => who,
            None => EndedBy::Unknown,
        }
    }
}

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
            return;
        }
        let member = self.ensure_member(queue, call.interface, call.member, at.read, out);
        // whoever picks up another's phone is not rung: the call counts for the member, whose
        // ringing has ended
        let is_for_it = |ring: &RingKey| self.rings.get(*ring).is_some_and(|ring| ring.stay == key);
        let own = self
            .find_ring(leg)
            .or_else(|| self.members.all[member].rings.iter().filter(is_for_it).last());
        let ring = own.unwrap_or_else(|| self.ensure_ring(leg, call, at, out));
        self.ring_answered(ring, connect.ring, at, out);
        let stay = &mut self.stays[key];
        let hold = stay.joined.and_then(|joined| self.timing.between(joined, at)).or(connect.hold);
        let mut talk = Talk::new(member, at);
        talk.leg = Some(leg);
        talk.phone = self.rings[ring].phone;
        talk.hold = connect.hold;
        stay.phase = Phase::Talking(talk);
        self.emit_of(key, Observation::Exited { queue, outcome: Outcome::Answered, hold }, out);
        self.begin_talk(key, at, out);
    }

    /// What every connected stay needs, however it was found.
    pub(super) fn begin_talk(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let stay = &mut self.stays[key];
        let (caller, queue) = (stay.caller, stay.queue);
        let Phase::Talking(talk) = &stay.phase else { return };
        let (member, leg, phone) = (talk.member, talk.leg, talk.phone);
        let agent = self.members.all[member].agent;
        stay.taken_by = agent;
        for channel in [leg, phone].into_iter().flatten() {
            if let Some(channel) = self.channels.all.get_mut(channel) {
                channel.talk = Some(key);
            }
        }
        let place = &mut self.members.all[member];
        place.talking += 1;
        place.talks.add(key, |key| self.stays.get(key).and_then(Stay::member) == Some(member));
        self.members.end_wrap_up(member, at.read, &self.names, out);
        self.emit(Observation::MemberKnown { queue, agent }, out);
        self.refresh_agent(agent, at.read, out);
        self.call_served(caller, phone.or(leg), agent, at);
        let peer = leg.and_then(|leg| self.channels.all.get(leg)).and_then(|leg| leg.peer);
        let recorded =
            |channel: ChannelKey| self.channels.all.get(channel).is_some_and(|c| c.recordings > 0);
        if [Some(caller), leg, peer, phone].into_iter().flatten().any(recorded) {
            self.mark_recorded(key, out);
        }
        self.follow_talk(key, at);
    }

    /// Looks who is in which bridge after a channel of the talk came, went or ended.
    pub(super) fn follow_talk(&mut self, key: StayKey, at: Stamp) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let caller = stay.caller;
        let Some(talk) = stay.talk_mut() else { return };
        let channel = |key: Option<ChannelKey>| key.and_then(|key| self.channels.all.get(key));
        let (leg, phone, caller) = (channel(talk.leg), channel(talk.phone), channel(Some(caller)));
        let leg_bridge = leg.and_then(|leg| leg.bridge);
        if talk.begun.is_none()
            && leg_bridge.is_some()
            && leg_bridge == caller.and_then(|caller| caller.bridge)
        {
            (talk.begun, talk.bridge) = (Some(at), leg_bridge);
        }
        let left_far_bridge =
            phone.is_some_and(|phone| phone.last_bridge.is_some() && phone.bridge.is_none());
        let present = leg_bridge.is_some() && !left_far_bridge;
        let ended = |channel: Option<&Channel>| channel.is_none_or(|channel| !channel.is_live());
        // a Local channel that was optimised away ends in mid-talk
        let agent_ended = ended(leg) && (phone.is_none() || ended(phone));
        // one who is parked has left the agent, and whoever fetches the call talks in a bridge of
        // his own
        let with_agent = |bridge| Some(bridge) == talk.bridge || Some(bridge) == leg_bridge;
        match caller {
            Some(caller) if caller.held => talk.parked = true,
            Some(caller) if caller.bridge.is_some_and(with_agent) => talk.parked = false,
            _ => {}
        }
        // a caller whose place went over to another channel is that channel here
        let caller_gone = ended(caller) || talk.parked;
        let gone = caller_gone || if talk.begun.is_some() { !present } else { agent_ended };
        match (gone, talk.over) {
            (true, None) => {
                talk.over = Some(at);
                self.deadlines.add(at.read.after(COMPLETION), Task::Completion(key));
            }
            (false, Some(_)) => talk.over = None,
            (true, Some(_)) | (false, None) => return,
        }

        let member = &mut self.members.all[talk.member];
        member.parting = if gone { member.parting + 1 } else { member.parting.saturating_sub(1) };
        self.members.stale.push(member.agent);
    }

    /// A caller who talks was put into a holding bridge.
    pub(super) fn caller_parked(&mut self, caller: ChannelKey, out: &mut dyn Observe) {
        let stays = self.channels.all[caller].stays.iter().copied();
        let Some(key) = stays.rev().find(|&key| self.stays[key].is_talking()) else { return };
        let queue = self.stays[key].queue;
        self.emit_of(key, Observation::CallerParked { queue }, out);
    }

    /// The talk a channel is the agent's leg of, or the phone behind it.
    ///
    /// An agent's leg may go on when that talk is over: the pool's stays up for a shift, and a
    /// caller may pass an agent on into a queue.
    pub(super) fn find_talk(&self, channel: ChannelKey) -> Option<StayKey> {
        let key = self.channels.all.get(channel)?.talk?;
        self.stays.get(key).is_some_and(Stay::is_talking).then_some(key)
    }

    /// Who asked first for the end of the talk.
    pub(super) fn note_request(&mut self, channel: ChannelKey) {
        let Some(data) = self.channels.all.get(channel) else { return };
        let as_caller = data.stays.iter().rev().copied().find(|&key| self.stays[key].is_talking());
        let (key, who) = match (self.find_talk(channel), as_caller) {
            (Some(key), _) => (key, EndedBy::Agent),
            (None, Some(key)) => (key, EndedBy::Caller),
            (None, None) => return,
        };
        if let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) {
            talk.first_request.get_or_insert(who);
        }
    }

    pub(super) fn on_hold(
        &mut self,
        channel: ChannelKey,
        on_hold: bool,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.channels.all[channel].talk else { return };
        let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) else { return };
        if std::mem::replace(&mut talk.on_hold, on_hold) == on_hold {
            return;
        }
        let member = &mut self.members.all[talk.member];
        member.on_hold =
            if on_hold { member.on_hold + 1 } else { member.on_hold.saturating_sub(1) };
        let agent = member.agent;
        self.refresh_agent(agent, at.read, out);
    }

    pub(super) fn on_agent_complete(
        &mut self,
        at: Stamp,
        complete: &event::AgentComplete<'_>,
        out: &mut dyn Observe,
    ) {
        let queue = self.ensure_queue(complete.queue, out);
        let member = self.ensure_member(queue, complete.interface, complete.member, at.read, out);
        let caller = complete.caller.and_then(|caller| self.channels.find(caller.uid));
        let leg = complete.leg.and_then(|leg| self.channels.find(leg.uid));
        let ended_by = match complete.reason {
            b"caller" => EndedBy::Caller,
            b"agent" => EndedBy::Agent,
            b"transfer" => EndedBy::Transfer,
            _ => EndedBy::Unknown,
        };
        if let Some(key) = caller.and_then(|caller| self.find_stay(caller, queue))
            && self.stays[key].is_waiting()
            && caller.is_some_and(|caller| self.find_awaiting_stay(caller, queue).is_none())
            // an agent who consults the queue itself: the end of the talk may be told under the line that waits, without Dest
            && (complete.leg.is_some() || self.members.all[member].talking == 0)
        {
            self.connect_missed(key, member, leg, complete.hold, at, out);
        }
        let by_caller = caller.and_then(|caller| self.find_awaiting_stay(caller, queue));
        let by_leg = || {
            leg.and_then(|leg| self.channels.all[leg].talk)
                .filter(|&key| self.stays.contains_key(key))
        };
        let by_member = || self.find_awaiting_stay_of_member(member, complete.hold);
        if let Some(key) = by_caller.or_else(by_leg).or_else(by_member) {
            self.note_touched(key);
            match &mut self.stays[key].phase {
                Phase::Talking(_) => self.complete(key, ended_by, complete.talk, at, out),
                Phase::Closed(closed) => closed.awaits_complete = None,
                Phase::Waiting { .. } | Phase::Leaving(_) => {}
            }
        } else if caller.is_some_and(|caller| self.find_stay(caller, queue).is_some())
            || complete.leg.is_none() && self.is_told_twice(member, complete.hold)
        {
            self.emit(Observation::Anomaly(Anomaly::CompleteWithoutCall), out);
        } else {
            self.adopt_completed(at, complete, member, ended_by, out);
        }
    }

    /// The caller's oldest stay in the queue that still waits for an AgentComplete.
    fn find_awaiting_stay(
        &self,
        caller: ChannelKey,
        queue: super::names::QueueId,
    ) -> Option<StayKey> {
        let stays = &self.channels.all.get(caller)?.stays;
        stays.iter().copied().find(|&key| {
            let stay = &self.stays[key];
            stay.queue == queue && stay.member().is_some()
        })
    }

    /// A stay of the member that waits for an AgentComplete, when the event names neither channel.
    ///
    /// HoldTime equals AgentConnect's (AgentComplete's can be one second more); of several the one
    /// that is over.
    fn find_awaiting_stay_of_member(
        &self,
        member: MemberKey,
        hold: Option<Duration>,
    ) -> Option<StayKey> {
        let known = self.members.all[member]
            .talks
            .iter()
            .filter_map(|key| Some((key, self.stays.get(key)?)));
        let mine = known.filter(|(_, stay)| stay.member() == Some(member));
        mine.min_by_key(|(_, stay)| {
            let talk = stay.talk();
            let other_hold =
                talk.is_some_and(|talk| talk.hold != hold && talk.hold.map(plus_one) != hold);
            let still_talking = talk.is_none_or(|talk| talk.over.is_none());
            (other_hold, talk.is_none(), still_talking, talk.map(|talk| talk.connected.read))
        })
        .map(|(key, _)| key)
    }

    /// Whether it is the second end of the member's last talk, which is counted.
    ///
    /// A transfer into an application can be told twice, once with the Uniqueid of the agent's
    /// second line and without Dest (16.28 and 20.20): a masquerade has made that line the
    /// caller for app_queue.
    fn is_told_twice(&self, member: MemberKey, hold: Option<Duration>) -> bool {
        let last = self.members.all[member].last_completed.and_then(|key| self.stays.get(key));
        let Some(Stay { phase: Phase::Closed(closed), .. }) = last else { return false };
        hold.is_none() || closed.hold == hold || closed.hold.map(plus_one) == hold
    }

    /// A caller known to wait was connected, and that was not seen.
    fn connect_missed(
        &mut self,
        key: StayKey,
        member: MemberKey,
        leg: Option<ChannelKey>,
        hold: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let queue = self.stays[key].queue;
        let mut talk = Talk::new(member, at);
        (talk.adopted, talk.leg) = (true, leg);
        self.stays[key].phase = Phase::Talking(talk);
        self.emit_of(key, Observation::Exited { queue, outcome: Outcome::Answered, hold }, out);
        self.begin_talk(key, at, out);
    }

    /// The call's beginning was not seen: it is adopted, talking, and ends at once.
    fn adopt_completed(
        &mut self,
        at: Stamp,
        complete: &event::AgentComplete<'_>,
        member: MemberKey,
        ended_by: EndedBy,
        out: &mut dyn Observe,
    ) {
        let queue = self.members.all[member].queue;
        let agent = self.members.all[member].agent;
        self.note_missing_join(at, out);
        let Some(caller) = complete.caller.or(complete.leg) else {
            // without any channel there is nothing to keep: two counts and no state
            self.emit(Observation::Adopted { queue, phase: AdoptedPhase::Talking }, out);
            self.emit(Observation::Completed { queue, agent, ended_by, talk: None }, out);
            return;
        };
        let caller = self.ensure_channel(&caller, at, out);
        let key = self.adopt_stay(caller, queue, AdoptedPhase::Talking, out);
        let mut talk = Talk::new(member, at);
        (talk.adopted, talk.leg) = (true, complete.leg.and_then(|leg| self.channels.find(leg.uid)));
        self.stays[key].phase = Phase::Talking(talk);
        self.begin_talk(key, at, out);
        self.complete(key, ended_by, None, at, out);
    }

    /// Five seconds after the talk ended, if no AgentComplete came and the agent did not come back.
    pub(super) fn completion_due(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };
        let Some(over) = talk.over else { return };
        if at.read.since(over.read) < COMPLETION || self.keep_talking(key, at) {
            return;
        }

        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };
        let ended_by = talk.end_untold();
        let member = talk.member;
        self.emit_of(key, Observation::Anomaly(Anomaly::CompleteMissing), out);
        self.suspect_complete(at);
        self.complete(key, ended_by, None, over, out);
        if let Some(Stay { phase: Phase::Closed(closed), .. }) = self.stays.get_mut(key) {
            closed.awaits_complete = Some(member);
        }
    }

    /// Counts the one completion of a connected call.
    pub(super) fn complete(
        &mut self,
        key: StayKey,
        ended_by: EndedBy,
        talk_time: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let queue = stay.queue;
        if !stay.is_talking() {
            return;
        }
        // Leave came before AgentConnect, or the account does not see it
        let (bridge, hold) = stay.talk().map(|talk| (talk.bridge, talk.hold)).unwrap_or_default();
        let closed = Phase::Closed(Closed { left: true, bridge, hold, ..Closed::default() });
        let Phase::Talking(talk) = std::mem::replace(&mut stay.phase, closed) else { return };
        let end = talk.over.map_or(at, |over| over.earlier(at));
        let length = match talk.adopted || ended_by == EndedBy::Lost {
            true => None,
            false => self.timing.between(talk.begun.unwrap_or(talk.connected), end).or(talk_time),
        };
        let agent = self.members.all[talk.member].agent;
        self.emit_of(key, Observation::Completed { queue, agent, ended_by, talk: length }, out);
        let member = &mut self.members.all[talk.member];
        if !talk.adopted {
            member.last_completed = Some(key);
        }
        member.talking = member.talking.saturating_sub(1);
        if talk.over.is_some() {
            member.parting = member.parting.saturating_sub(1);
        }
        if talk.on_hold {
            member.on_hold = member.on_hold.saturating_sub(1);
        }
        if ended_by != EndedBy::Lost {
            self.begin_wrap_up(talk.member, end.read, out);
        }
        self.refresh_agent(agent, at.read, out);
    }
}

impl Stay {
    /// The member a stay holds on to.
    pub(super) const fn member(&self) -> Option<MemberKey> {
        match &self.phase {
            Phase::Talking(talk) => Some(talk.member),
            Phase::Closed(closed) => closed.awaits_complete,
            Phase::Waiting { .. } | Phase::Leaving(_) => None,
        }
    }
}

fn plus_one(hold: Duration) -> Duration {
    hold.saturating_add(Duration::from_secs(1))
}
