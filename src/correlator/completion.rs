//! The end of a talk: exactly one completion for each.
//!
//! AgentComplete names who ended it, and comes early, late, without either channel, or not at all.

use std::time::Duration;

use super::Correlator;
use super::deadline::COMPLETION;
use super::hold::Occasion;
use super::key::{ChannelKey, MemberKey, StayKey};
use super::names::QueueId;
use super::observation::{Anomaly, EndedBy, Observation, Observe, Phase as AdoptedPhase};
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

        // A caller who waits as far as is known, and has no other talk to end: AgentConnect was
        // missed.  But an agent may consult the queue itself, and the end of the talk then come
        // under the line that waits, without Dest.
        let newest = caller.and_then(|caller| self.find_stay(caller, queue));
        let may_be_waiting =
            complete.leg.is_some() || !self.members[member].activity().is_talking();
        let by_caller = caller.and_then(|caller| self.find_awaiting_stay(caller, queue));
        if let Some(key) = newest
            && by_caller.is_none()
            && self.stays[key].is_waiting()
            && may_be_waiting
        {
            self.connect_missed(key, member, leg, complete.hold, at, out);
        }

        // The surest first: the caller's own Uniqueid may be another's after a masquerade, the leg
        // may be gone, and the member is all that is left if neither channel is named.
        let by_caller = caller.and_then(|caller| self.find_awaiting_stay(caller, queue));
        let by_leg = || {
            let key = self.channels.all[leg?].as_agent.talk?;
            self.stays.contains_key(key).then_some(key)
        };
        let by_member = || self.find_awaiting_stay_of_member(member, complete.hold);
        if let Some(key) = by_caller.or_else(by_leg).or_else(by_member) {
            self.note_touched(key);
            match &mut self.stays[key].phase {
                Phase::Talking(_) => self.complete(key, ended_by, complete.talk, at, out),
                // It comes late, and the talk is counted by the first HangupRequest.
                Phase::Closed(closed) => closed.awaits_complete = None,
                Phase::Waiting { .. } | Phase::Leaving(_) => {}
            }
            return;
        }

        // Nothing awaits it: a second end of a counted talk, or the end of one that began unseen.
        let is_duplicate = complete.leg.is_none() && self.is_duplicate(member, complete.hold);
        if newest.is_some() || is_duplicate {
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
        let talks = self.members[member].activity().talks();
        let known = talks.filter_map(|key| Some((key, self.stays.get(key)?)));
        let awaiting = known.filter(|(_, stay)| stay.member() == Some(member));

        let (key, _) = awaiting.min_by_key(|(_, stay)| {
            let talk = stay.talk();
            let has_other_hold = talk.is_some_and(|talk| {
                let known = talk.hold.map(Duration::from);
                known != hold && known.map(plus_one) != hold
            });
            let is_closed = talk.is_none();
            let still_talks = talk.is_none_or(|talk| talk.over.is_none());
            let connected = talk.map(|talk| talk.connected.read);
            (has_other_hold, is_closed, still_talks, connected)
        })?;
        Some(key)
    }

    /// Whether it is the second end of the member's last talk, which is counted.
    ///
    /// A transfer into an application can be reported twice, once with the Uniqueid of the agent's
    /// second line and without Dest (16.28 and 20.20): a masquerade has made that line the
    /// caller for app_queue.
    fn is_duplicate(&self, member: MemberKey, hold: Option<Duration>) -> bool {
        let last =
            self.members[member].activity().last_completed().and_then(|key| self.stays.get(key));
        let Some(Stay { phase: Phase::Closed(closed), .. }) = last else { return false };
        let known = closed.hold.map(Duration::from);
        hold.is_none() || known == hold || known.map(plus_one) == hold
    }

    /// A caller known to wait was connected, and AgentConnect was missed.
    fn connect_missed(
        &mut self,
        key: StayKey,
        member: MemberKey,
        leg: Option<ChannelKey>,
        hold: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let mut talk = Talk::new(member, at);
        talk.adopted = true;
        talk.leg = leg;
        self.stays[key].phase = Phase::Talking(talk.into());
        self.emit_answered(key, member, hold, out);
        self.begin_talk(key, at, out);
    }

    /// Nothing of the call came before: it is adopted, talking, and ends at once.
    fn adopt_completed(
        &mut self,
        at: Stamp,
        complete: &event::AgentComplete<'_>,
        member: MemberKey,
        ended_by: EndedBy,
        out: &mut dyn Observe,
    ) {
        let queue = self.members[member].queue();
        let agent = self.members[member].agent();
        self.note_missing_join(at, out);
        let Some(caller) = complete.caller.or(complete.leg) else {
            // Without any channel there is nothing to keep: two counts and no state.
            self.emit(Observation::Adopted { queue, phase: AdoptedPhase::Talking }, out);
            self.emit(Observation::Completed { queue, agent, ended_by, talk: None }, out);
            return;
        };

        let caller = self.ensure_channel(&caller, at, out);
        let key = self.adopt_stay(caller, queue, AdoptedPhase::Talking, at, out);
        let mut talk = Talk::new(member, at);
        talk.adopted = true;
        talk.leg = complete.leg.and_then(|leg| self.channels.find(leg.uid));
        self.stays[key].phase = Phase::Talking(talk.into());
        self.begin_talk(key, at, out);
        self.complete(key, ended_by, None, at, out);
    }

    /// Five seconds after the talk ended, if no AgentComplete came and the agent did not come back.
    pub(super) fn completion_due(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };
        let Some(over) = talk.over else { return };

        // Deadlines are never taken back: the talk may have gone on, and ended again, since.
        if at.read.since(over.read) < COMPLETION || self.keep_talking(key, at) {
            return;
        }

        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };
        let ended_by = talk.end_without_complete();
        let member = talk.member;
        // A list at a login can show a talk whose AgentComplete was sent just before the login.
        let before_login = talk.adopted && self.is_settling(over);
        if !before_login {
            self.emit_of(key, Observation::Anomaly(Anomaly::CompleteMissing), out);
            self.suspect_complete(at);
        }
        self.complete(key, ended_by, None, over, out);

        // The AgentComplete may still come, and must find its stay.
        if let Some(Stay { phase: Phase::Closed(closed), .. }) = self.stays.get_mut(key) {
            closed.awaits_complete = Some(member);
        }
    }

    /// A channel of the talk ended, and how was not reported.
    pub(super) fn lose_talk(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };
        match talk.over {
            // The end of the talk was reported: only who ended it is hidden.
            Some(over) => {
                let ended_by = talk.end_without_complete();
                self.complete(key, ended_by, None, over, out);
            }
            None => self.complete(key, EndedBy::Lost, None, at, out),
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
        let Some(talk) = self.stays.get(key).and_then(Stay::talk) else { return };

        // The bridges first: TalkTime of AgentComplete is whole seconds, and counts on behind a
        // transfer.  What began or ended in a gap has no length.
        let end = talk.over.map_or(at, |over| over.earlier(at));
        let begun = talk.begun.unwrap_or(talk.connected);
        let length = match talk.adopted {
            _ if ended_by == EndedBy::Lost => None,
            true if talk.is_logged() => talk_time,
            true => None,
            false => self.timing.between(begun, end).or(talk_time),
        };
        self.complete_with(key, ended_by, length, at, out);
    }

    /// The same with a length that is known, or cannot be.
    pub(super) fn complete_with(
        &mut self,
        key: StayKey,
        ended_by: EndedBy,
        length: Option<Duration>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let Some(talk) = stay.talk() else { return };

        // `left`: Leave came before AgentConnect, or the account does not receive it.
        let closed =
            Closed { left: true, bridge: talk.bridge, hold: talk.hold, ..Closed::default() };
        let phase = std::mem::replace(&mut stay.phase, Phase::Closed(closed));
        stay.seen = stay.seen.filter(|_| ended_by != EndedBy::Lost);
        let Phase::Talking(talk) = phase else { return };

        let end = talk.over.map_or(at, |over| over.earlier(at));
        let queue = self.stays[key].queue;
        let agent = self.members[talk.member].agent();
        self.emit_of(key, Observation::Completed { queue, agent, ended_by, talk: length }, out);
        self.report_hold(key, &talk, Ended { at: end, by: ended_by, length }, out);

        self.members.activity_mut(talk.member).end_talk(key, &talk);

        // Nobody knows when a call ended that was lost, so nor when its wrap-up begins.
        if ended_by != EndedBy::Lost {
            self.begin_wrap_up(talk.member, end.read, out);
        }
        self.refresh_agent(agent, at.read, out);
    }

    /// What there was of hold in a talk that is counted.
    fn report_hold(&self, key: StayKey, talk: &Talk, ended: Ended, out: &mut dyn Observe) {
        let Ended { at, by, length } = ended;
        let held = talk.holds.close(Occasion { at, session: self.session }, self.timing);
        if held.times == 0 {
            return;
        }

        // A part is never longer than the whole, whatever was done to the clock of the PBX; and of
        // an unknown length no part is counted.
        let spent = length.map(|length| length.min(held.spent));
        let hung_up = held.on_hold && by == EndedBy::Caller;
        let queue = self.stays[key].queue;
        let agent = self.members[talk.member].agent();
        let times = held.times;
        self.emit_of(key, Observation::Held { queue, agent, times, spent, hung_up }, out);
    }
}

/// How a talk ended.
#[derive(Clone, Copy)]
struct Ended {
    at: Stamp,
    by: EndedBy,
    length: Option<Duration>,
}

/// AgentComplete's HoldTime can be one second more than AgentConnect's.
fn plus_one(hold: Duration) -> Duration {
    hold.saturating_add(Duration::from_secs(1))
}
