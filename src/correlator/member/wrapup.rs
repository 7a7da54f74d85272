//! Wrap-up: the time after a call in which a queue does not call the agent.
//!
//! Asterisk reports the length only where it is the member's own; what a queue has (`wrapuptime=` in
//! queues.conf) is in no event and no list of any version, so the configuration has it.  app_queue
//! (13 to 23) goes by the time of the last call, which with `shared_lastcall` is one for all queues
//! that have the same interface, and by the queue of that call: `update_queue`, `get_wrapuptime`,
//! `can_ring_entry`.

use std::time::Duration;

use super::in_wrap_up::InWrapUp;
use super::{Member, Members};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::deadline::Task;
use crate::correlator::key::MemberKey;
use crate::correlator::names::Names;
use crate::correlator::observation::{Observation, Observe};

impl Correlator {
    /// A call of this member's queue ended at `from`.
    pub(in crate::correlator) fn begin_wrap_up(
        &mut self,
        key: MemberKey,
        from: Moment,
        out: &mut dyn Observe,
    ) {
        self.note_call_end(self.members[key].agent, from);
        let member = &self.members[key];
        if member.removed {
            return;
        }

        let queue_has = self.rules.wrap_up.of(self.names.queues.name(member.queue));
        for sharing in self.sharing_last_call(key) {
            let member = &mut self.members.all[sharing];
            // A list that is on its way may be older than the end of the call.
            self.listing.touch_member(|| member.place());
            // The call before counts up to here, though its time was not over.
            member.report_wrap_up(from, &self.names, out);
            // The member's own time overrides that of the queue of the last call, whichever queue
            // the member is in.
            let length = member.wrap_up_length(queue_has);
            self.wrap_up(sharing, from, length, sharing == key);
        }
    }

    /// A list reports a call that ended before the session.  Which queue had it is not reported, so
    /// this one's time counts, as it does for app_queue where it does not know either.
    pub(in crate::correlator) fn adopt_wrap_up(
        &mut self,
        key: MemberKey,
        from: Moment,
        now: Moment,
    ) {
        let member = &self.members.all[key];
        let queue_has = self.rules.wrap_up.of(self.names.queues.name(member.queue));
        let length = member.wrap_up_length(queue_has);
        if member.in_wrap_up.is_none() && from.after(length) > now {
            self.wrap_up(key, from, length, false);
        }
    }

    fn wrap_up(&mut self, key: MemberKey, from: Moment, length: Duration, counts: bool) {
        let member = &mut self.members.all[key];
        // A call that was over before the last one began to be wrapped up is completed late.
        if member.in_wrap_up.is_some_and(|last| last.from() > from) {
            return;
        }

        let before = member.in_wrap_up.take();
        self.members.stale.push(member.agent);
        if length.is_zero() {
            return;
        }

        let wrap_up = InWrapUp::new(from, length, counts);
        member.in_wrap_up = Some(wrap_up);
        if before.is_some_and(|before| before.until() == wrap_up.until()) {
            return;
        }
        let all = &self.members.all;
        self.deadlines.trim_wrap_ups(|key, at| {
            let wrap_up = all.get(key).and_then(|member| member.in_wrap_up);
            wrap_up.is_some_and(|wrap_up| wrap_up.until() == at)
        });
        self.deadlines.add(wrap_up.until(), Task::WrapUp(key));
    }

    /// The members whose last call is one: app_queue looks for the interface in all queues.
    fn sharing_last_call(&self, key: MemberKey) -> Vec<MemberKey> {
        if !self.rules.wrap_up.is_shared() {
            return vec![key];
        }
        let interface = &self.members.all[key].interface;
        let sharing = self.members.with_interface(interface);
        sharing.filter(|(queue, _)| self.queues.contains(*queue)).map(|(_, key)| key).collect()
    }

    pub(in crate::correlator) fn wrap_up_due(
        &mut self,
        key: MemberKey,
        now: Moment,
        out: &mut dyn Observe,
    ) {
        let Some(member) = self.members.all.get(key) else { return };
        // A later call may have begun another wrap-up since.
        if member.in_wrap_up.is_some_and(|wrap_up| wrap_up.until() <= now) {
            let agent = member.agent;
            self.members.end_wrap_up(key, now, &self.names, out);
            self.refresh_agent(agent, now, out);
        }
    }
}

impl Members {
    pub(in crate::correlator) fn end_wrap_up(
        &mut self,
        key: MemberKey,
        now: Moment,
        names: &Names,
        out: &mut dyn Observe,
    ) {
        if let Some(member) = self.all.get_mut(key) {
            member.report_wrap_up(now, names, out);
            member.in_wrap_up = None;
        }
    }
}

impl Member {
    /// How long its wrap-up is after a call of a queue whose members have `queue_has`.
    pub(super) const fn wrap_up_length(&self, queue_has: Duration) -> Duration {
        if self.wrap_up_time.is_zero() { queue_has } else { self.wrap_up_time }
    }

    /// Reports the time spent in wrap-up.
    pub(super) fn report_wrap_up(&mut self, now: Moment, names: &Names, out: &mut dyn Observe) {
        let unreported = self.in_wrap_up.as_mut().and_then(|wrap_up| wrap_up.take_unreported(now));
        if let Some(spent) = unreported {
            let queue = self.queue;
            let agent = self.agent;
            out.observe(names, Observation::WrappedUp { queue, agent, spent }, None);
        }
    }
}
