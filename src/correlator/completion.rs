//! The end of a talk: exactly one completion for each.
//!
//! AgentComplete says who ended it, and comes early, late, without either channel, or not at all.

use std::time::Duration;

use super::Correlator;
use super::deadline::COMPLETION;
use super::key::{ChannelKey, MemberKey, StayKey};
use super::names::QueueId;
use super::observation::{Anomaly, EndedBy, Observation, Observe, Outcome, Phase as AdoptedPhase};
use super::stay::{Closed, Phase, Stay};
use super::talk::Talk;
use super::time::Stamp;
use crate::event;

impl Correlator {
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
            leg.and_then(|leg| self.channels.all[leg].as_agent.talk)
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
    fn find_awaiting_stay(&self, caller: ChannelKey, queue: QueueId) -> Option<StayKey> {
        let stays = &self.channels.all.get(caller)?.as_caller.stays;
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

fn plus_one(hold: Duration) -> Duration {
    hold.saturating_add(Duration::from_secs(1))
}
