//! Waiting: a caller joins a queue, and tries its agents again and again.

use std::time::Duration;

use super::agenda::Job;
use super::calls::Stay;
use super::id::{ChannelId, MemberId, QueueId, StayId};
use super::model::{Queue, World};
use super::scenario::Strategy;
use super::wire::{Class, seconds};
use crate::clock::Moment;

impl World {
    /// `Queue()` in the dialplan.
    pub(super) fn enter_queue(&mut self, caller: ChannelId, queue: QueueId) {
        if !self.channels.contains_key(&caller) {
            return;
        }
        let spec = self.queues[queue.0].spec;
        self.next_application(caller, "Queue", &format!("{},t,,,{}", spec.name, spec.wait_limit));
        self.clear_variables(caller, &CLEARED);

        // `joinempty` is tested before `maxlen`, as in join_queue of app_queue.
        if spec.strict && self.has_no_agents(queue) {
            self.truth_of(queue).refused_empty += 1;
            return self.refuse(caller, "JOINEMPTY");
        }
        if spec.max > 0 && self.queues[queue.0].waiting.len() >= spec.max {
            self.truth_of(queue).refused_full += 1;
            return self.refuse(caller, "FULL");
        }
        self.join(caller, queue);
    }

    /// Whether all members of a queue are paused or unreachable.
    pub(super) fn has_no_agents(&self, queue: QueueId) -> bool {
        let Queue { members, .. } = &self.queues[queue.0];
        members
            .iter()
            .all(|member| member.paused.is_some() || !self.agents[member.agent.0].reachable)
    }

    fn refuse(&mut self, caller: ChannelId, status: &str) {
        self.varset(caller, "QUEUESTATUS", status);
        self.next_application(caller, "NoOp", &format!("QUEUESTATUS={status}"));
        self.end_dialplan(caller);
    }

    /// The last line of the dialplan.
    pub(super) fn end_dialplan(&mut self, caller: ChannelId) {
        self.next_application(caller, "Hangup", "");
        self.soft_hangup(caller);
        self.hangup(caller, 16, None);
    }

    fn join(&mut self, caller: ChannelId, queue: QueueId) {
        let id = StayId(self.fresh_id());
        let spec = self.queues[queue.0].spec;
        if self.queues[queue.0].waiting.is_empty() {
            // The first caller makes the queue's own device ring.
            self.device(format_args!("Queue:{}", spec.name), "RINGING");
        }
        self.queues[queue.0].waiting.push(id);
        let position = self.queues[queue.0].waiting.len();

        let message =
            self.event("QueueCallerJoin", Class::Agent).channel("", self.channels.get(&caller));
        let message =
            message.with("Queue", spec.name).with("Position", position).with("Count", position);
        let joined = self.send(Class::Agent, message);

        let number = self.caller_of(caller).number.unwrap_or_default();
        self.truth_of(queue).entered += 1;
        let stay = Stay {
            caller,
            queue,
            joined,
            original_position: position,
            expires: joined.after(Duration::from_secs(spec.wait_limit)),
            attempt: 0,
            ring_started: joined,
            legs: Vec::new(),
            next: 0,
        };
        self.log_caller(&stay, format_args!("ENTERQUEUE||{number}|{position}"));
        self.stays.insert(id, stay);

        self.later(Duration::from_secs(spec.wait_limit), Job::Expire(id));
        self.later(Duration::ZERO, Job::Try(id));
        self.plan_caller(id, queue);
    }

    fn plan_caller(&mut self, stay: StayId, queue: QueueId) {
        // Some callers notice at once that they called the wrong number.
        let wait =
            if self.chance(4) { 1.0 + 4.0 * self.rng.f64() } else { 6.0 + self.exponential(70.0) };
        self.later(Duration::from_secs_f64(wait), Job::GiveUp(stay));

        if self.queues[queue.0].spec.exit_key.is_some() && self.chance(8) {
            self.soon(4_000..25_000, Job::Press(stay));
        }
    }

    /// A waiting caller rings agents, or tries again later.
    pub(super) fn try_agents(&mut self, id: StayId) {
        let Some(stay) = self.stays.get(&id) else { return };
        // The attempt before still rings; its end tries again.
        if !stay.legs.is_empty() {
            return;
        }
        let queue = stay.queue;
        let spec = self.queues[queue.0].spec;

        if spec.strict && self.has_no_agents(queue) {
            return self.leave_empty(id);
        }

        let chosen = self.choose_members(id);
        if chosen.is_empty() || !self.start_ringing(id, &chosen) {
            self.later(Duration::from_secs(spec.retry), Job::Try(id));
        }
    }

    /// The members to ring now: none, if the callers ahead need all who are free.
    fn choose_members(&mut self, id: StayId) -> Vec<MemberId> {
        let Some(stay) = self.stays.get(&id) else { return Vec::new() };
        let queue = &self.queues[stay.queue.0];
        let mut free: Vec<MemberId> = (0..queue.members.len())
            .map(MemberId)
            .filter(|&member| self.is_callable(stay.queue, member))
            .collect();

        // A caller may ring only if there are agents for all who wait before.
        let idle = |stay: &StayId| self.stays.get(stay).is_some_and(|stay| stay.legs.is_empty());
        let ahead = queue
            .waiting
            .iter()
            .take_while(|&&other| other != id)
            .filter(|stay| idle(stay))
            .count();
        if ahead >= free.len() {
            return Vec::new();
        }

        let count = queue.members.len();
        let from =
            |start: usize| move |member: &MemberId| (member.0 + count - start % count) % count;
        match queue.spec.strategy {
            Strategy::RingAll => return free,
            Strategy::Linear => free.sort_by_key(from(stay.next)),
            Strategy::RoundRobin => free.sort_by_key(from(queue.next)),
            Strategy::LeastRecent => free.sort_by_key(|member| queue.members[member.0].last_call),
        }

        // Penalty goes first: the sort is stable and keeps the strategy's order in each.
        free.sort_by_key(|member| queue.members[member.0].penalty);
        free
    }

    /// QueueCallerLeave and what always follows it; returns its time stamp.
    pub(super) fn leave_queue(&mut self, id: StayId, stay: &Stay) -> Moment {
        let name = self.queues[stay.queue.0].spec.name;
        let position = self.position(id, stay);

        let waiting = &mut self.queues[stay.queue.0].waiting;
        waiting.retain(|&other| other != id);
        let count = waiting.len();
        if count == 0 {
            self.device(format_args!("Queue:{name}"), "NOT_INUSE");
        }

        let message = self
            .event("QueueCallerLeave", Class::Agent)
            .channel("", self.channels.get(&stay.caller));
        let message = message.with("Queue", name).with("Position", position).with("Count", count);
        let at = self.send(Class::Agent, message);
        self.varset(stay.caller, "QUEUEPOSITION", position);
        at
    }

    /// The caller's place in the queue, from 1.
    pub(super) fn position(&self, id: StayId, stay: &Stay) -> usize {
        self.queues[stay.queue.0]
            .waiting
            .iter()
            .position(|&other| other == id)
            .map_or(1, |at| at + 1)
    }

    /// How long the caller has waited by the PBX's wall clock, which counts whole seconds.
    pub(super) fn wall_seconds_since(&self, earlier: Moment) -> u64 {
        seconds(Some(self.clock)).saturating_sub(seconds(Some(earlier)))
    }

    /// An exponentially distributed time with that mean, in seconds.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.rng.f64()).ln()
    }
}

/// What `Queue()` clears as it begins.
const CLEARED: [&str; 6] =
    ["ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME", "DIALEDTIME_MS", "QUEUEWAIT", "QUEUEWAIT_MS"];
