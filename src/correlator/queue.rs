//! Events of a caller in a queue: joining, leaving, and what tells why.

use super::Correlator;
use super::key::ChannelKey;
use super::names::QueueId;
use super::observation::{Anomaly, Observation, Observe, Outcome, Refusal};
use super::stay::{Leaving, Phase, Sign};
use super::time::Stamp;
use crate::event;

impl Correlator {
    pub(super) fn on_join(
        &mut self,
        at: Stamp,
        join: &event::CallerJoin<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = self.ensure_channel(&join.caller, at, out);
        self.settle_leaving(caller, join.caller.queue_status, Sign::Join, out);
        let queue = self.ensure_queue(join.queue, out);
        let known = self.find_stay(caller, queue);
        if let Some(key) = known
            && let Phase::Waiting { .. } = self.stays[key].phase
        {
            // The list that adopted the stay can be newer than its Join.
            if !std::mem::take(&mut self.stays[key].adopted) {
                self.emit(Observation::Anomaly(Anomaly::DuplicateJoin), out);
            }
            return;
        }
        // So can be the list of a login that adopted the talk.
        if known.is_some_and(|key| self.is_adopted_talk(key)) && self.is_settling(at) {
            return;
        }
        self.joining.remove(caller);
        let key = self.open_stay(caller, queue, Some(at));
        self.stays[key].status_at_join = join.caller.queue_status.map(Into::into);
        self.emit_of(key, Observation::Entered { queue }, out);
    }

    pub(super) fn on_abandon(
        &mut self,
        at: Stamp,
        abandon: &event::CallerAbandon<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = self.ensure_channel(&abandon.caller, at, out);
        let queue = self.ensure_queue(abandon.queue, out);
        let key = self.find_or_adopt_stay(caller, queue, at, out);
        let gave_up = self.channels.all[caller].life.hangup_requested;
        let stay = &mut self.stays[key];
        match &mut stay.phase {
            Phase::Waiting { .. } => {
                let hold = abandon.hold;
                // who hangs up as the time is up has timed out, and QUEUESTATUS says so (16 and 22)
                self.begin_leaving(
                    key,
                    Leaving { hold, abandoned: true, gave_up, ..Leaving::new(at) },
                );
            }
            Phase::Leaving(leaving) if leaving.abandoned && !leaving.left => {
                if !leaving.gave_up {
                    self.exit(key, Outcome::Incompatible, out);
                }
            }
            // Leave came first: nothing real does that, but the outcome is open still
            Phase::Leaving(leaving) => {
                leaving.abandoned = true;
                leaving.answered = false;
                leaving.hold = abandon.hold;
            }
            Phase::Talking(_) | Phase::Closed(_) => {}
        }
    }

    pub(super) fn on_leave(
        &mut self,
        at: Stamp,
        leave: &event::CallerLeave<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = self.ensure_channel(&leave.caller, at, out);
        let queue = self.ensure_queue(leave.queue, out);
        let key = self.find_or_adopt_stay(caller, queue, at, out);
        match &mut self.stays[key].phase {
            Phase::Waiting { answered } => {
                let answered = *answered;
                self.begin_leaving(key, Leaving { left: true, answered, ..Leaving::new(at) });
            }
            Phase::Leaving(leaving) => leaving.left = true,
            Phase::Closed(closed) => closed.left = true,
            Phase::Talking(_) => {}
        }
    }

    /// QUEUESTATUS names the outcome, or why the caller was never let in; QUEUEPOSITION shows that
    /// we would see it.
    pub(super) fn on_var_set(&mut self, at: Stamp, set: &event::VarSet<'_>, out: &mut dyn Observe) {
        let caller = self.ensure_channel(&set.channel, at, out);
        if set.variable == b"QUEUEPOSITION" {
            if let Some(leaving) =
                self.find_leaving_stay(caller).and_then(|key| self.stays[key].leaving_mut())
            {
                leaving.visible |= leaving.left;
            }
            return;
        }
        if let Some(outcome) = outcome(set.value) {
            if let Some(key) = self.find_leaving_stay(caller) {
                self.exit(key, outcome, out);
            }
        } else if let Some(reason) = refusal(set.value) {
            self.refuse(caller, reason, out);
        }
    }

    pub(super) fn on_new_exten(
        &mut self,
        at: Stamp,
        step: &event::NewExten<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(&step.channel, at, out);
        // the `h` extension runs because the channel was hung up
        let sign = if step.extension == b"h" { Sign::Hangup } else { Sign::Dialplan };
        // Asterisk 16 and 22 announce a redirect by the new extension still in application Queue,
        // before Abandon
        let left = self
            .find_leaving_stay(key)
            .and_then(|key| self.stays[key].leaving_mut())
            .is_some_and(|way| way.left);
        if left {
            self.settle_leaving(key, step.channel.queue_status, sign, out);
        }
        self.joining.remove(key);
        if step.application == b"Queue" {
            self.note_lingering_status(key, step.channel.queue_status);
            let name = step.data.split(|&byte| byte == b',').next().unwrap_or_default();
            self.channels.all[key].as_caller.dialplan_queue = Some(name.trim_ascii().into());
            // a redirect of a caller who is inside shows as a step of Queue, too
            if !self.is_inside(key) {
                self.joining.insert(key, at.read);
            }
        }
    }

    /// A caller who waits has no QUEUESTATUS of this queue yet: what shows lingers from an earlier
    /// one.  After a masquerade it is the other channel's.
    fn note_lingering_status(&mut self, caller: ChannelKey, status: Option<&[u8]>) {
        if let Some(key) = self.find_waiting_stay(caller)
            && status.is_some()
        {
            self.stays[key].status_at_join = status.map(Into::into);
        }
    }

    /// The caller goes on, or ends: decides the open verdict, by the channel variable if that shows
    /// it.
    pub(super) fn settle_leaving(
        &mut self,
        caller: ChannelKey,
        status: Option<&[u8]>,
        sign: Sign,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.find_leaving_stay(caller) else { return };
        let fresh =
            status.filter(|&status| self.stays[key].status_at_join.as_deref() != Some(status));
        match fresh.and_then(outcome) {
            Some(outcome) => self.exit(key, outcome, out),
            None => self.verdict(key, sign, out),
        }
    }

    /// The id of a queue, known from now on; the first spelling of its name is kept.
    pub(super) fn ensure_queue(&mut self, name: &[u8], out: &mut dyn Observe) -> QueueId {
        let queue = self.names.queues.intern(name);
        self.know_queue(queue, out);
        queue
    }

    fn know_queue(&mut self, queue: QueueId, out: &mut dyn Observe) {
        if let std::collections::btree_map::Entry::Vacant(place) = self.queues.entry(queue) {
            place.insert(None);
            self.emit(Observation::QueueKnown { queue, service_level: None }, out);
        }
    }

    fn refuse(&mut self, caller: ChannelKey, reason: Refusal, out: &mut dyn Observe) {
        self.joining.remove(caller);
        let named = self.channels.all[caller].as_caller.dialplan_queue.take();
        if named.is_none() {
            self.emit(Observation::Anomaly(Anomaly::RefusalWithoutQueue), out);
        }
        // a queue that does not exist has no name to go by: it is whatever somebody dialled
        let queue = match &named {
            Some(name) if reason != Refusal::UnknownQueue => self.ensure_queue(name, out),
            Some(_) | None => QueueId::NONE,
        };
        self.channels.all[caller].as_caller.dialplan_queue = named;
        self.emit(Observation::Refused { queue, reason }, out);
        self.call_refused(caller);
    }
}

/// What QUEUESTATUS says of a caller who was in the queue.  Unset after a real abandon and after an
/// exit key.
fn outcome(status: &[u8]) -> Option<Outcome> {
    match status {
        b"TIMEOUT" => Some(Outcome::Timeout),
        b"LEAVEEMPTY" | b"LEAVEUNAVAIL" => Some(Outcome::LeaveEmpty),
        b"WITHDRAW" => Some(Outcome::Withdrawn),
        _ => None,
    }
}

/// What QUEUESTATUS says of a caller who never was.
fn refusal(status: &[u8]) -> Option<Refusal> {
    match status {
        b"FULL" => Some(Refusal::Full),
        b"JOINEMPTY" => Some(Refusal::JoinEmpty),
        b"JOINUNAVAIL" => Some(Refusal::JoinUnavailable),
        b"UNKNOWN" => Some(Refusal::UnknownQueue),
        _ => None,
    }
}
