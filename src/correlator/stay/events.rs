//! Events of a caller in a queue: joining, leaving, and what shows the reason.

use super::leaving::{AnotherAbandon, Leaving, Next, WayOut};
use super::{Phase, QueueStatus};
use crate::correlator::Correlator;
use crate::correlator::key::ChannelKey;
use crate::correlator::names::QueueId;
use crate::correlator::observation::{Anomaly, Observation, Observe, Outcome, PositionAt, Refusal};
use crate::correlator::time::{Span, Stamp};
use crate::event;

impl Correlator {
    pub(in crate::correlator) fn on_join(
        &mut self,
        at: Stamp,
        join: &event::CallerJoin<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = self.ensure_channel(&join.caller, at, out);
        // Who joins again has left: the outcome of the stay before is decided first, or the new one
        // would be taken for it.
        self.settle_leaving(caller, join.caller.queue_status, Next::Join, out);

        let queue = self.ensure_queue(join.queue, out);
        let known = self.find_stay(caller, queue);
        // The log was faster.
        if let Some(key) = known
            && self.is_settling(at)
            && self.stays[key].recalled
            && std::mem::take(&mut self.stays[key].adopted)
        {
            return;
        }
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
        self.note_flow(caller, queue, out);
        let key = self.open_stay(caller, queue, Some(at), at, out);
        self.stays[key].status_at_join = join.caller.queue_status.and_then(QueueStatus::parse);
        self.emit_of(key, Observation::Entered { queue }, out);
        if let Some(position) = join.position {
            let at = PositionAt::Entry;
            self.emit_of(key, Observation::Positioned { queue, at, position }, out);
        }
    }

    pub(in crate::correlator) fn on_abandon(
        &mut self,
        at: Stamp,
        abandon: &event::CallerAbandon<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = self.ensure_channel(&abandon.caller, at, out);
        let queue = self.ensure_queue(abandon.queue, out);
        let key = self.find_or_adopt_stay(caller, queue, at, out);

        match &mut self.stays[key].phase {
            Phase::Waiting { .. } => {
                // Also with a HangupRequest nothing is decided yet: who hangs up as the time is up
                // has timed out, and QUEUESTATUS says so (16 and 22).
                let way = WayOut::abandon(self.channels.all[caller].life.hangup_requested);
                let hold = abandon.hold.map(Span::from);
                self.begin_leaving(key, Leaving { at, hold, position: abandon.position, way });
            }
            Phase::Leaving(leaving) => match leaving.way.with_abandon() {
                AnotherAbandon::Incompatible => self.exit(key, Outcome::Incompatible, out),
                AnotherAbandon::Ignored => {}
                AnotherAbandon::Late(way) => {
                    leaving.way = way;
                    leaving.hold = abandon.hold.map(Span::from);
                    leaving.position = abandon.position;
                }
            },
            Phase::Talking(_) | Phase::Closed(_) => {}
        }
    }

    pub(in crate::correlator) fn on_leave(
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
                let way = WayOut::leave(*answered);
                self.begin_leaving(key, Leaving { at, hold: None, position: None, way });
            }
            Phase::Leaving(leaving) => leaving.way = leaving.way.with_leave(),
            Phase::Closed(closed) => closed.left = true,
            Phase::Talking(_) => {}
        }
    }

    /// QUEUESTATUS names the outcome, or why the caller was never let in; QUEUEPOSITION shows that
    /// the account receives VarSet.
    pub(in crate::correlator) fn on_var_set(
        &mut self,
        at: Stamp,
        set: &event::VarSet<'_>,
        out: &mut dyn Observe,
    ) {
        let caller = self.ensure_channel(&set.channel, at, out);
        if set.variable == b"QUEUEPOSITION" {
            let leaving = self.find_leaving_stay(caller);
            if let Some(leaving) = leaving.and_then(|key| self.stays[key].leaving_mut()) {
                leaving.way = leaving.way.with_queue_position();
            }
            return;
        }

        if let Some(status) = QueueStatus::parse(set.value) {
            if let Some(key) = self.find_leaving_stay(caller) {
                self.exit(key, status.outcome(), out);
            }
        } else if let Some(reason) = refusal(set.value) {
            self.refuse(caller, reason, out);
        }
    }

    pub(in crate::correlator) fn on_new_exten(
        &mut self,
        at: Stamp,
        step: &event::NewExten<'_>,
        out: &mut dyn Observe,
    ) {
        let key = self.ensure_channel(&step.channel, at, out);

        // Asterisk 16 and 22 announce a redirect by the new extension still in application Queue,
        // before Abandon: a step before the Leave decides nothing.
        let leaving = self.find_leaving_stay(key).and_then(|key| self.stays[key].leaving_mut());
        if leaving.is_some_and(|leaving| leaving.way.has_left()) {
            // The `h` extension runs because the channel was hung up.
            let next = if step.extension == b"h" { Next::Hangup } else { Next::Dialplan };
            self.settle_leaving(key, step.channel.queue_status, next, out);
        }

        self.joining.remove(key);
        if step.application != b"Queue" {
            return;
        }
        self.note_lingering_status(key, step.channel.queue_status);
        let name = step.data.split(|&byte| byte == b',').next().unwrap_or_default().trim_ascii();
        self.channels.all[key].ensure_rare().dialplan_queue = Some(name.into());
        // A redirect of a caller who is inside shows as a step of Queue, too.
        if !self.is_inside(key) {
            self.joining.insert(key, name, at.read);
        }
    }

    /// A caller who waits has no QUEUESTATUS of this queue yet: what shows lingers from an earlier
    /// one.  After a masquerade it is the other channel's.
    fn note_lingering_status(&mut self, caller: ChannelKey, status: Option<&[u8]>) {
        if let Some(key) = self.find_waiting_stay(caller)
            && status.is_some()
        {
            self.stays[key].status_at_join = status.and_then(QueueStatus::parse);
        }
    }

    /// The caller goes on, or ends: decides the open outcome, by the channel variable if that shows
    /// it (`channelvars` in manager.conf).
    pub(in crate::correlator) fn settle_leaving(
        &mut self,
        caller: ChannelKey,
        status: Option<&[u8]>,
        next: Next,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.find_leaving_stay(caller) else { return };
        let status = status.and_then(QueueStatus::parse);
        match status.filter(|&status| self.stays[key].status_at_join != Some(status)) {
            Some(fresh) => self.exit(key, fresh.outcome(), out),
            None => self.decide_outcome(key, next, out),
        }
    }

    /// A caller was never let into a queue: there is no stay, neither an entry nor an exit.
    fn refuse(&mut self, caller: ChannelKey, reason: Refusal, out: &mut dyn Observe) {
        self.joining.remove(caller);

        // The variable does not name the queue: the channel's latest step of Queue does.
        let named = self.channels.all[caller].rare().dialplan_queue.clone();
        if named.is_none() {
            self.emit(Observation::Anomaly(Anomaly::RefusalWithoutQueue), out);
        }
        // A queue that does not exist has no name to go by: it is whatever somebody dialled.
        let queue = match &named {
            Some(name) if reason != Refusal::UnknownQueue => self.ensure_queue(name, out),
            Some(_) | None => QueueId::NONE,
        };

        self.emit(Observation::Refused { queue, reason }, out);
        self.call_refused(caller);
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
