//! Ringing members: directly, or through a Local channel as FreePBX does.

use std::time::Duration;

use super::agenda::Job;
use super::calls::{Leg, Stay};
use super::channel::{ChannelState, Owner, Party};
use super::events::ChannelSpec;
use super::id::{AgentId, ChannelId, MemberId, QueueId, StayId};
use super::model::World;
use super::scenario::Strategy;
use super::wire::{Class, Message};

impl World {
    /// Rings the chosen members, or the first of them who does not refuse; whether anybody rings.
    pub(super) fn start_ringing(&mut self, id: StayId, chosen: &[MemberId]) -> bool {
        let Some(mut stay) = self.stays.remove(&id) else { return true };
        stay.attempt += 1;
        stay.ring_started = self.clock;

        let ring_all = self.queues[stay.queue.0].spec.strategy == Strategy::RingAll;
        for &member in chosen {
            self.queues[stay.queue.0].next = member.0 + 1;
            stay.next = member.0 + 1;
            if let Some(leg) = self.call_member(&stay, member) {
                stay.legs.push(leg);
                if !ring_all {
                    break;
                }
            }
        }

        let rings = !stay.legs.is_empty();
        if rings {
            self.plan_answers(id, &stay);
        }
        self.stays.insert(id, stay);
        rings
    }

    /// The ring time, in whole seconds: no longer than the caller may still wait.
    fn ring_limit(&self, stay: &Stay) -> u64 {
        let left = stay.expires.since(stay.ring_started).as_secs_f64().round();
        // A wait limit is minutes, so the cast cuts nothing off.
        self.queues[stay.queue.0].spec.timeout.min(left as u64).max(1)
    }

    fn plan_answers(&mut self, id: StayId, stay: &Stay) {
        let limit = self.ring_limit(stay);
        self.later(Duration::from_secs(limit), Job::RingOut(id, stay.attempt));
        for leg in &stay.legs {
            if !self.chance(13) {
                let delay = 1.2 + self.exponential(3.5);
                self.later(Duration::from_secs_f64(delay), Job::Take(id, leg.dialled));
            }
        }
    }

    fn call_member(&mut self, stay: &Stay, member: MemberId) -> Option<Leg> {
        let agent = self.queues[stay.queue.0].members[member.0].agent;
        let refusal = match self.rng.u32(0..100) {
            0..=2 => Some((17, 486)),
            3 => Some((19, 480)),
            _ => None,
        };

        let leg = if self.queues[stay.queue.0].spec.local_members {
            self.call_through_local(stay, member, agent, refusal)
        } else {
            self.call_phone(stay, member, agent, refusal)
        };

        if let (None, Some((cause, _))) = (leg, refusal) {
            let truth = self.truth_of(stay.queue);
            *(if cause == 17 { &mut truth.ring_busy } else { &mut truth.ring_failed }) += 1;
        }
        leg
    }

    fn call_phone(
        &mut self,
        stay: &Stay,
        member: MemberId,
        agent: AgentId,
        refusal: Option<(u16, u16)>,
    ) -> Option<Leg> {
        let phone = self.outgoing_phone(agent, stay.caller);
        let leg = Leg { member, dialled: phone, phone, far: None };
        let exten = self.agents[agent.0].exten;
        self.prepare_member_leg(stay, &leg, exten);
        self.begin_member_dial(stay, &leg);

        // A phone that refuses was called all the same, with AgentCalled and DialBegin.
        if let Some((cause, tech)) = refusal {
            self.hangup_request(phone, Some(cause), Some(tech));
            self.refused(stay, &leg, cause, Some(tech));
            return None;
        }

        self.new_state(phone, ChannelState::Ringing);
        self.update_ringing_leg(stay, phone);
        self.dial_state(Some(stay.caller), phone, "RINGING");
        Some(leg)
    }

    fn call_through_local(
        &mut self,
        stay: &Stay,
        member: MemberId,
        agent: AgentId,
        refusal: Option<(u16, u16)>,
    ) -> Option<Leg> {
        let exten = self.agents[agent.0].exten;
        let (near, far) = self.new_local_pair(exten, "from-queue", stay.caller);

        // The phone is known only after the inner dial; the outer events do not have it.
        let outer = Leg { member, dialled: near, phone: near, far: Some(far) };
        self.prepare_member_leg(stay, &outer, &format!("{exten}@from-queue/n"));

        self.varset(far, "DIALEDPEERNUMBER", format_args!("{exten}@from-queue/n"));
        let caller = self.caller_of(stay.caller);
        self.new_callerid(far, caller.clone());
        let dialled_number = self.called_number(stay.queue);
        self.new_connected_line(far, dialled_number);

        self.local_bridge(near, far, "from-queue", exten, "No");
        self.begin_member_dial(stay, &outer);

        let number = caller.number.clone().unwrap_or_default();
        self.application(far, "Set", &format!("__FROMQUEUEEXTEN={number}"));
        self.varset(far, "__FROMQUEUEEXTEN", &number);
        self.next_application(far, "Goto", &format!("ext-local,{exten},1"));
        self.goto(far, "ext-local", exten, 1);

        let phone = self.inner_dial(far, agent);
        let leg = Leg { phone, ..outer };
        if let Some((cause, tech)) = refusal {
            self.refused_behind_local(stay, &leg, cause, tech);
            return None;
        }

        self.new_state(phone, ChannelState::Ringing);
        self.new_state(near, ChannelState::Ringing);
        self.update_ringing_leg(stay, near);
        self.clear_ring_time(far);
        self.dial_state(Some(far), phone, "RINGING");
        self.dial_state(Some(stay.caller), near, "RINGING");
        Some(leg)
    }

    /// A channel towards an agent's phone.
    pub(super) fn outgoing_phone(&mut self, agent: AgentId, requestor: ChannelId) -> ChannelId {
        self.new_channel(ChannelSpec {
            owner: Owner::Phone(agent),
            state: ChannelState::Down,
            context: "from-agents",
            exten: "s",
            caller: Party::default(),
            requestor: Some(requestor),
        })
    }

    /// What the queue does to a new leg before it calls it.
    fn prepare_member_leg(&mut self, stay: &Stay, leg: &Leg, peer: &str) {
        self.application(leg.dialled, "AppQueue", "(Outgoing Line)");
        let number = self.called_number(stay.queue);
        self.new_callerid(leg.dialled, number);
        self.varset(leg.dialled, "DIALEDPEERNUMBER", peer);
    }

    /// AgentCalled, DialBegin.
    fn begin_member_dial(&mut self, stay: &Stay, leg: &Leg) {
        let Some(cached) = self.channels.get(&leg.dialled).cloned() else { return };
        let caller = self.caller_of(stay.caller);
        let queue = self.queues[stay.queue.0].spec.name;
        self.change(leg.dialled, |channel| {
            channel.connected = caller;
            queue.clone_into(&mut channel.exten);
        });

        let message = self.event("AgentCalled", Class::Agent);
        let message = self.agent_headers(message, stay.caller, leg.dialled, stay.queue, leg.member);
        self.send(Class::Agent, message);

        let interface = self.queues[stay.queue.0].members[leg.member.0].interface.clone();
        self.dial_begin(Some(stay.caller), &cached, &interface);
        let number = self.called_number(stay.queue);
        self.new_connected_line(stay.caller, number);
    }

    fn update_ringing_leg(&mut self, stay: &Stay, dialled: ChannelId) {
        self.application(dialled, "AppQueue", "(Outgoing Line)");
        let caller = self.caller_of(stay.caller);
        self.new_connected_line(dialled, caller);
    }

    /// LocalBridge.
    pub(super) fn local_bridge(
        &mut self,
        one: ChannelId,
        two: ChannelId,
        context: &str,
        exten: &str,
        optimization: &str,
    ) {
        let message =
            self.event("LocalBridge", Class::Call).channel("LocalOne", self.channels.get(&one));
        let message = message.channel("LocalTwo", self.channels.get(&two));
        let message = message
            .with("Context", context)
            .with("Exten", exten)
            .with("LocalOptimization", optimization);
        self.send(Class::Call, message);
    }

    fn refused(&mut self, stay: &Stay, leg: &Leg, cause: u16, tech: Option<u16>) {
        self.dial_end(Some(stay.caller), leg.dialled, "NOANSWER");
        self.ring_no_answer(stay, leg, 0);
        let gone = self.channels.get(&leg.dialled).cloned();
        self.hangup(leg.dialled, cause, tech);
        // Real Asterisk sends this one for a channel that has just ended.
        let message = self.event("NewConnectedLine", Class::Call).channel("", gone.as_ref());
        self.send(Class::Call, message);
    }

    fn refused_behind_local(&mut self, stay: &Stay, leg: &Leg, cause: u16, tech: u16) {
        let Some(far) = leg.far else { return };
        let status = if cause == 17 { "BUSY" } else { "NOANSWER" };
        self.hangup_request(leg.phone, Some(cause), Some(tech));
        self.dial_end(Some(far), leg.phone, status);
        self.hangup(leg.phone, cause, Some(tech));

        self.varset(far, "DIALSTATUS", status);
        self.next_application(far, "Hangup", "");
        self.soft_hangup(far);

        self.hangup_request(leg.dialled, Some(cause), None);
        self.hangup(far, cause, Some(tech));
        self.refused(stay, leg, cause, None);
    }

    /// AgentRingNoAnswer, with its milliseconds.
    pub(super) fn ring_no_answer(&mut self, stay: &Stay, leg: &Leg, milliseconds: u64) {
        let message = self.event("AgentRingNoAnswer", Class::Agent);
        let message = self.agent_headers(message, stay.caller, leg.dialled, stay.queue, leg.member);
        self.send(Class::Agent, message.with("RingTime", milliseconds));
        self.log_ring(stay, leg, format_args!("RINGNOANSWER|{milliseconds}"));
    }

    /// The headers that all Agent events share.
    pub(super) fn agent_headers(
        &self,
        message: Message,
        caller: ChannelId,
        dialled: ChannelId,
        queue: QueueId,
        member: MemberId,
    ) -> Message {
        let message = message
            .channel("", self.channels.get(&caller))
            .channel("Dest", self.channels.get(&dialled));
        self.member_headers(message, queue, member)
    }

    /// Queue, Interface, MemberName.
    pub(super) fn member_headers(
        &self,
        message: Message,
        queue: QueueId,
        member: MemberId,
    ) -> Message {
        let state = &self.queues[queue.0].members[member.0];
        message
            .with("Queue", self.queues[queue.0].spec.name)
            .with("Interface", &state.interface)
            .with("MemberName", self.agents[state.agent.0].name)
    }

    /// The ring time is over: members who still ring did not answer.
    pub(super) fn ring_out(&mut self, id: StayId, attempt: u32) {
        // Another attempt, or a talk, makes this job void.
        if !self.stays.get(&id).is_some_and(|stay| stay.attempt == attempt && !stay.legs.is_empty())
        {
            return;
        }

        let Some(mut stay) = self.stays.remove(&id) else { return };
        self.miss_all(&mut stay);

        let over = stay.expires <= self.clock;
        let retry = self.queues[stay.queue.0].spec.retry;
        self.stays.insert(id, stay);
        if over {
            self.expire_stay(id);
        } else {
            self.later(Duration::from_secs(retry), Job::Try(id));
        }
    }

    /// AgentRingNoAnswer for all, then every DialEnd twice, then the legs' end.
    pub(super) fn miss_all(&mut self, stay: &mut Stay) {
        let limit = self.ring_limit(stay);
        let legs = std::mem::take(&mut stay.legs);

        for leg in &legs {
            self.ring_no_answer(stay, leg, limit * 1000);
            self.truth_of(stay.queue).ring_no_answer += 1;
            if self.queues[stay.queue.0].spec.autopause {
                self.autopause(stay.queue, leg.member);
            }
        }

        for leg in &legs {
            self.dial_end(Some(stay.caller), leg.dialled, "NOANSWER");
        }

        // The cleanup of app_queue sends another DialEnd.
        for leg in &legs {
            self.drop_leg(stay.caller, leg, 0);
        }
    }

    /// Every DialEnd CANCEL twice: once as the wait ends, once as the leg is hung up.
    pub(super) fn cancel_all(&mut self, stay: &Stay, legs: &[Leg], cause: u16) {
        for leg in legs {
            self.dial_end(Some(stay.caller), leg.dialled, "CANCEL");
        }

        for leg in legs {
            // The losers of a ring-all are not logged.
            if cause == 0 {
                let rung = self.clock.since(stay.ring_started).as_millis();
                self.log_ring(stay, leg, format_args!("RINGCANCELED|{rung}"));
            }
            self.drop_leg(stay.caller, leg, cause);
            self.truth_of(stay.queue).ring_canceled += 1;
        }
    }

    fn drop_leg(&mut self, caller: ChannelId, leg: &Leg, cause: u16) {
        self.dial_end(Some(caller), leg.dialled, "CANCEL");
        let Some(far) = leg.far else { return self.hangup(leg.dialled, cause, None) };

        self.hangup_request(far, Some(cause), None);
        self.hangup(leg.dialled, cause, None);
        self.dial_end(Some(far), leg.phone, "CANCEL");
        self.hangup(leg.phone, cause, None);

        self.varset(far, "DIALSTATUS", "CANCEL");
        self.soft_hangup(far);
        self.hangup(far, cause, None);
    }

    /// The caller id of a channel.
    pub(super) fn caller_of(&self, id: ChannelId) -> Party {
        self.channels.get(&id).map(|channel| channel.caller.clone()).unwrap_or_default()
    }

    fn called_number(&self, queue: QueueId) -> Party {
        Party::number(self.queues[queue.0].spec.did)
    }
}
