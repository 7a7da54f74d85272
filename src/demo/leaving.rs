//! Leaving a queue without an agent: abandoned, timed out, by key, or because it has no agents.

use std::time::Duration;

use super::agenda::Job;
use super::calls::Stay;
use super::id::{ChannelId, QueueId, StayId};
use super::model::World;
use super::scenario::Overflow;
use super::wire::Class;

impl World {
    /// The caller hangs up while waiting.
    pub(super) fn give_up(&mut self, id: StayId) {
        // The stay is gone first: jobs that wait for it find nothing.
        let Some(mut stay) = self.stays.remove(&id) else { return };
        self.hangup_request(stay.caller, None, None);

        // The phones stop before the queue reports the abandon, as app_queue does it.
        let legs = std::mem::take(&mut stay.legs);
        self.cancel_all(&stay, &legs, 0);
        self.abandon(id, &stay, "ABANDON");
        self.truth_of(stay.queue).abandoned += 1;

        self.soft_hangup(stay.caller);
        self.hangup(stay.caller, 0, None);
    }

    /// The queue's time limit is over.
    pub(super) fn expire_stay(&mut self, id: StayId) {
        let Some(mut stay) = self.stays.remove(&id) else { return };
        // Agents who ring now did not answer in time; after an abandon they are canceled.
        if !stay.legs.is_empty() {
            self.miss_all(&mut stay);
        }

        self.abandon(id, &stay, "EXITWITHTIMEOUT");
        self.truth_of(stay.queue).timed_out += 1;
        self.varset(stay.caller, "QUEUESTATUS", "TIMEOUT");
        self.next_application(stay.caller, "NoOp", "QUEUESTATUS=TIMEOUT");

        match self.queues[stay.queue.0].spec.overflow {
            Overflow::Hangup => self.end_dialplan(stay.caller),
            Overflow::Voicemail => self.voicemail(stay.caller),
            Overflow::Queue(next) => {
                self.later(Duration::from_millis(2), Job::Enter(stay.caller, QueueId(next)));
            }
        }
    }

    /// `leavewhenempty`.
    pub(super) fn leave_empty(&mut self, id: StayId) {
        let Some(stay) = self.stays.remove(&id) else { return };
        self.abandon(id, &stay, "EXITEMPTY");
        self.truth_of(stay.queue).left_empty += 1;

        self.varset(stay.caller, "QUEUESTATUS", "LEAVEEMPTY");
        self.next_application(stay.caller, "NoOp", "QUEUESTATUS=LEAVEEMPTY");
        self.end_dialplan(stay.caller);
    }

    /// The caller presses the exit key: a Leave, and no other sign.
    pub(super) fn press_exit_key(&mut self, id: StayId) {
        let Some(mut stay) = self.stays.remove(&id) else { return };
        let key = self.queues[stay.queue.0].spec.exit_key.unwrap_or('0').to_string();
        self.press(stay.caller, &key);
        let legs = std::mem::take(&mut stay.legs);
        self.cancel_all(&stay, &legs, 0);
        let position = self.position(id, &stay);
        let held = self.wall_seconds_since(stay.joined);
        self.log_caller(
            &stay,
            format_args!("EXITWITHKEY|{key}|{position}|{}|{held}", stay.original_position),
        );

        let left = self.leave_queue(id, &stay);
        let truth = self.truth_of(stay.queue);
        truth.exit_key += 1;
        truth.hold_unanswered += left.since(stay.joined);

        self.goto(stay.caller, "queue-exit", &key, 1);
        self.application(stay.caller, "NoOp", "left by key");
        self.voicemail(stay.caller);
    }

    /// QueueCallerAbandon and QueueCallerLeave, which real Asterisk sends for timeouts too: only
    /// `verb`, in queue_log, distinguishes them.
    fn abandon(&mut self, id: StayId, stay: &Stay, verb: &str) {
        let position = self.position(id, stay);
        self.queues[stay.queue.0].abandoned += 1;
        self.varset(stay.caller, "ABANDONED", "TRUE");

        let name = self.queues[stay.queue.0].spec.name;
        let message = self
            .event("QueueCallerAbandon", Class::Agent)
            .channel("", self.channels.get(&stay.caller));
        let message = message.with("Queue", name).with("Position", position);
        let message = message.with("OriginalPosition", stay.original_position);
        let held = self.wall_seconds_since(stay.joined);
        self.send(Class::Agent, message.with("HoldTime", held));
        self.log_caller(stay, format_args!("{verb}|{position}|{}|{held}", stay.original_position));

        let left = self.leave_queue(id, stay);
        self.truth_of(stay.queue).hold_unanswered += left.since(stay.joined);
    }

    fn voicemail(&mut self, caller: ChannelId) {
        self.next_application(caller, "VoiceMail", "200@default,u");
        self.soon(3_000..15_000, Job::Leave(caller, true));
    }

    /// A caller in an application hangs up, or the dialplan does.
    pub(super) fn leave_application(&mut self, caller: ChannelId, by_caller: bool) {
        if !by_caller {
            return self.end_dialplan(caller);
        }
        self.hangup_request(caller, Some(16), None);
        self.soft_hangup(caller);
        self.hangup(caller, 16, None);
    }
}
