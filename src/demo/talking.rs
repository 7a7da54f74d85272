//! Talking: from the answer of a member to AgentComplete and the hangups.

use std::time::Duration;

use super::agenda::Job;
use super::calls::{Completion, Ending, Leg, Stay, Talk};
use super::channel::ChannelState;
use super::id::{BridgeId, ChannelId, StayId, TalkId};
use super::model::World;
use super::wire::Class;
use crate::clock::Moment;

/// When AgentComplete comes in the end of a call: another thread sends it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lateness {
    AtRequest,
    AfterLeaves,
    AfterHangups,
    /// And a channel's block is missing.
    AfterHangupsBare,
}

impl World {
    /// A ringing member answers.
    pub(super) fn take_call(&mut self, id: StayId, dialled: ChannelId) {
        // Another agent may have answered first, or the caller has left.
        let Some(stay) = self.stays.get(&id) else { return };
        let Some(leg) = stay.legs.iter().copied().find(|leg| leg.dialled == dialled) else {
            return;
        };

        let Some(mut stay) = self.stays.remove(&id) else { return };
        let mut losers = std::mem::take(&mut stay.legs);
        losers.retain(|loser| loser.dialled != dialled);

        let far_bridge = self.answer(&stay, &leg);
        self.cancel_all(&stay, &losers, ANSWERED_ELSEWHERE);
        self.connect(id, &stay, leg, far_bridge);
    }

    fn answer(&mut self, stay: &Stay, leg: &Leg) -> Option<BridgeId> {
        self.new_state(leg.phone, ChannelState::Up);
        let Some(far) = leg.far else {
            self.dial_end(Some(stay.caller), leg.dialled, "ANSWER");
            return None;
        };
        self.set_answered_variables(far, leg.phone);

        // The outer dial is answered by another thread: either event may be first.
        let outer_first = self.chance(30);
        if outer_first {
            self.new_state(leg.dialled, ChannelState::Up);
            self.dial_end(Some(stay.caller), leg.dialled, "ANSWER");
        }
        self.dial_end(Some(far), leg.phone, "ANSWER");
        self.new_state(far, ChannelState::Up);
        if !outer_first {
            self.new_state(leg.dialled, ChannelState::Up);
            self.dial_end(Some(stay.caller), leg.dialled, "ANSWER");
        }

        let bridge = self.new_bridge();
        self.application(leg.phone, "AppDial", "(Outgoing Line)");
        self.bridge_enter(bridge, leg.phone);
        self.bridge_enter(bridge, far);
        Some(bridge)
    }

    fn connect(&mut self, id: StayId, stay: &Stay, leg: Leg, far_bridge: Option<BridgeId>) {
        if self.queues[stay.queue.0].spec.recorded {
            self.start_recording(stay);
        }

        // Leave comes before AgentConnect, as on real Asterisk.
        self.leave_queue(id, stay);
        let hold_seconds = self.wall_seconds_since(stay.joined);
        self.varset(stay.caller, "QUEUEWAIT", hold_seconds);
        self.varset(stay.caller, "QUEUEWAIT_MS", hold_seconds * 1000);

        let message = self.event("AgentConnect", Class::Agent);
        let message = self.agent_headers(message, stay.caller, leg.dialled, stay.queue, leg.member);
        let message = message.with("HoldTime", hold_seconds);
        let ring_seconds = self.wall_seconds_since(stay.ring_started);
        let connected = self.send(Class::Agent, message.with("RingTime", ring_seconds));

        let dialled = self.uniqueid(leg.dialled);
        self.log_ring(stay, &leg, format_args!("CONNECT|{hold_seconds}|{dialled}|{ring_seconds}"));

        let truth = self.truth_of(stay.queue);
        truth.connected += 1;
        truth.hold_answered += connected.since(stay.joined);
        let queue = &mut self.queues[stay.queue.0];
        queue.hold_average = (queue.hold_average * 3 + hold_seconds) / 4;

        let bridge = self.new_bridge();
        let started = self.bridge_both(bridge, leg.dialled, stay.caller);
        let agent = self.queues[stay.queue.0].members[leg.member.0].agent;
        let ending = self.choose_ending(&leg);

        let talk = Talk {
            queue: stay.queue,
            agent,
            caller: stay.caller,
            leg,
            bridge,
            far_bridge,
            hold_seconds,
            original_position: stay.original_position,
            started,
            ending,
        };
        self.plan_talk(talk);
    }

    /// Both enter the bridge, each by its own thread; returns when the second is in.
    pub(super) fn bridge_both(
        &mut self,
        bridge: BridgeId,
        leg: ChannelId,
        caller: ChannelId,
    ) -> Moment {
        let order = if self.chance(80) { [leg, caller] } else { [caller, leg] };
        self.bridge_enter(bridge, order[0]);
        let started = self.bridge_enter(bridge, order[1]);
        self.set_bridge_peers(leg, caller);
        started
    }

    fn set_bridge_peers(&mut self, leg: ChannelId, caller: ChannelId) {
        for (id, peer) in [(caller, leg), (leg, caller)] {
            let name =
                self.channels.get(&peer).map(|channel| channel.name.clone()).unwrap_or_default();
            self.varset(id, "BRIDGEPEER", name);
        }
    }

    fn start_recording(&mut self, stay: &Stay) {
        let uniqueid = self
            .channels
            .get(&stay.caller)
            .map(|channel| channel.uniqueid.clone())
            .unwrap_or_default();

        self.varset(
            stay.caller,
            "MIXMONITOR_FILENAME",
            format_args!("/var/spool/asterisk/monitor/{uniqueid}.wav"),
        );
        self.channel_event("MixMonitorStart", stay.caller);
        self.truth_of(stay.queue).recorded += 1;
    }

    fn choose_ending(&mut self, leg: &Leg) -> Ending {
        match self.rng.u32(0..100) {
            0..=54 => Ending::Caller,
            // Through a Local channel the transfer would happen in the far bridge.
            55..=85 => Ending::Agent,
            86..=94 if leg.far.is_none() => Ending::Blind,
            95..=99 if leg.far.is_none() => Ending::Attended,
            _ => Ending::Caller,
        }
    }

    fn plan_talk(&mut self, talk: Talk) {
        let id = TalkId(self.fresh_id());
        let length = (6.0 + self.exponential(32.0)).min(180.0);

        if length > 20.0 && self.chance(25) {
            let begins = length * 0.3;
            let lasts = 2.0 + 8.0 * self.rng.f64();
            self.later(Duration::from_secs_f64(begins), Job::Hold(id));
            self.later(Duration::from_secs_f64(begins + lasts), Job::Unhold(id));
        }

        self.later(Duration::from_secs_f64(length), Job::EndTalk(id));
        self.talks.insert(id, talk);
    }

    /// The agent presses hold.
    pub(super) fn hold(&mut self, id: TalkId) {
        if let Some(talk) = self.talks.get(&id) {
            self.channel_event("Hold", talk.leg.phone);
        }
    }

    /// The agent takes the caller back.
    pub(super) fn unhold(&mut self, id: TalkId) {
        if let Some(talk) = self.talks.get(&id) {
            self.channel_event("Unhold", talk.leg.phone);
        }
    }

    /// The talk ends as planned; a transfer that finds no free agent becomes a hangup.
    pub(super) fn end_talk(&mut self, id: TalkId) {
        let Some(talk) = self.talks.remove(&id) else { return };
        match talk.ending {
            Ending::Blind if self.transfer_blind(id, &talk) => {}
            Ending::Attended if self.begin_consultation(id, &talk) => {}
            Ending::Caller => self.end_by(id, &talk, true),
            Ending::Agent | Ending::Blind | Ending::Attended => self.end_by(id, &talk, false),
        }
    }

    fn end_by(&mut self, id: TalkId, talk: &Talk, by_caller: bool) {
        let truth = self.truth_of(talk.queue);
        *(if by_caller {
            &mut truth.completed_by_caller
        } else {
            &mut truth.completed_by_agent
        }) += 1;

        // Another thread sends AgentComplete, so captures of real servers have it in different
        // places.
        let lateness = match self.rng.u32(0..100) {
            0..=66 => Lateness::AtRequest,
            67..=91 => Lateness::AfterLeaves,
            92..=94 => Lateness::AfterHangups,
            _ => Lateness::AfterHangupsBare,
        };

        self.hangup_request(if by_caller { talk.caller } else { talk.leg.phone }, None, None);
        // A phone behind a Local channel hangs up the far half, which then ends the near one.
        if !by_caller {
            self.end_far_half(talk, false);
        }

        let (reason, verb) =
            if by_caller { ("caller", "COMPLETECALLER") } else { ("agent", "COMPLETEAGENT") };
        let completion = self.completion(talk, reason, verb);
        let completed =
            (lateness == Lateness::AtRequest).then(|| self.send_completion(&completion));

        let left = self.leave_both(talk, by_caller);
        if lateness == Lateness::AfterLeaves {
            self.send_completion(&completion);
        }

        self.bridge_destroy(talk.bridge);
        self.truth_of(talk.queue).talk += completed.unwrap_or(left).min(left).since(talk.started);

        self.soft_hangup(talk.caller);
        self.hang_up_both(talk);
        if by_caller {
            self.end_far_half(talk, true);
        }

        if matches!(lateness, Lateness::AfterHangups | Lateness::AfterHangupsBare) {
            self.complete_later(id, completion, lateness == Lateness::AfterHangupsBare);
        }
    }

    fn leave_both(&mut self, talk: &Talk, by_caller: bool) -> Moment {
        let (first, second) = if by_caller {
            (talk.caller, talk.leg.dialled)
        } else {
            (talk.leg.dialled, talk.caller)
        };

        let first_left = self.bridge_leave(talk.bridge, first);
        let second_left = self.bridge_leave(talk.bridge, second);
        if by_caller { second_left } else { first_left }
    }

    fn hang_up_both(&mut self, talk: &Talk) {
        let agent_first = self.chance(60);
        if agent_first {
            self.hangup(talk.leg.dialled, 16, None);
        }
        self.hangup(talk.caller, 16, None);
        if !agent_first {
            self.hangup(talk.leg.dialled, 16, None);
        }
    }

    /// The far half of a Local chain: before the near one if the phone hung up, else after it.
    fn end_far_half(&mut self, talk: &Talk, asked: bool) {
        let (Some(far), Some(bridge)) = (talk.leg.far, talk.far_bridge) else { return };
        if asked {
            self.hangup_request(far, Some(16), None);
        }

        let order = if asked { [far, talk.leg.phone] } else { [talk.leg.phone, far] };
        for id in order {
            self.bridge_leave(bridge, id);
        }
        self.bridge_destroy(bridge);

        self.varset(far, "DIALSTATUS", "ANSWER");
        self.soft_hangup(far);
        self.hangup(far, 16, None);
        self.hangup(talk.leg.phone, 16, None);
        if !asked {
            self.hangup_request(talk.leg.dialled, Some(16), None);
        }
    }

    /// The content of AgentComplete now, and of queue_log with `verb`; counts for the member, too.
    pub(super) fn completion(
        &mut self,
        talk: &Talk,
        reason: &'static str,
        verb: &str,
    ) -> Completion {
        let talk_seconds = self.wall_seconds_since(talk.started);

        let queue = &mut self.queues[talk.queue.0];
        queue.completed += 1;
        queue.talk_average = (queue.talk_average * 3 + talk_seconds) / 4;

        // app_queue updates the member before it sends the event: wrap-up begins here.
        let member = &mut queue.members[talk.leg.member.0];
        member.calls_taken += 1;
        member.last_call = Some(self.clock);

        Completion {
            queue: talk.queue,
            member: talk.leg.member,
            caller: self.channels.get(&talk.caller).cloned(),
            dialled: self.channels.get(&talk.leg.dialled).cloned(),
            hold_seconds: talk.hold_seconds,
            talk_seconds,
            reason,
            call: self.uniqueid(talk.caller),
            verb: format!("{verb}|{}|{talk_seconds}|{}", talk.hold_seconds, talk.original_position),
        }
    }

    /// AgentComplete.
    pub(super) fn send_completion(&mut self, completion: &Completion) -> Moment {
        let message =
            self.event("AgentComplete", Class::Agent).channel("", completion.caller.as_ref());
        let message = message.channel("Dest", completion.dialled.as_ref());
        let message = self.member_headers(message, completion.queue, completion.member);
        let message = message
            .with("HoldTime", completion.hold_seconds)
            .with("TalkTime", completion.talk_seconds);

        let at = self.send(Class::Agent, message.with("Reason", completion.reason));
        self.log_member(&completion.call, completion.queue, completion.member, &completion.verb);
        at
    }

    /// AgentComplete a few milliseconds later; a bare one lacks the block of a channel that is
    /// gone.
    pub(super) fn complete_later(&mut self, id: TalkId, mut completion: Completion, bare: bool) {
        if bare {
            let lacks = self.rng.u32(0..3);
            if lacks != 0 {
                completion.caller = None;
            }
            if lacks != 1 {
                completion.dialled = None;
            }
        }

        self.completions.insert(id, completion);
        self.soon(2..9, Job::Complete(id));
    }

    /// The late AgentComplete.
    pub(super) fn complete(&mut self, id: TalkId) {
        if let Some(completion) = self.completions.remove(&id) {
            self.send_completion(&completion);
        }
    }
}

/// The hangup cause of a ring attempt that another agent won.
const ANSWERED_ELSEWHERE: u16 = 26;
