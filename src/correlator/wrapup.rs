//! Wrap-up: the time after a call in which a queue does not call the agent.
//!
//! Asterisk tells the length only where it is the member's own; what a queue has (`wrapuptime=` in
//! queues.conf) stands in no event and no list of any version, so the configuration tells it.
//! app_queue (13 to 23) goes by the time of the last call, which with `shared_lastcall` is one for
//! all queues that have the same interface, and by the queue of that call: `update_queue`,
//! `get_wrapuptime`, `can_ring_entry`.

use std::time::Duration;

use super::Correlator;
use super::deadline::Task;
use super::key::MemberKey;
use super::member::{Member, Members, place};
use super::names::Names;
use super::observation::{Observation, Observe};
use crate::clock::Moment;

/// A member's wrap-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// When the call ended.
    from: Moment,
    until: Moment,
    /// Up to where its time is told; only the queue of the call counts it.
    told: Option<Moment>,
}

impl Correlator {
    /// A call of this member's queue ended at `from`.
    pub(super) fn begin_wrap_up(&mut self, key: MemberKey, from: Moment, out: &mut dyn Observe) {
        let member = &self.members.all[key];
        if member.removed {
            return;
        }

        let queue_has = self.rules.wrap_up.of(self.names.queues.name(member.queue));
        for seat in self.seats(key) {
            let member = &mut self.members.all[seat];
            // a list that is on its way may be older than the end of the call
            if self.touched.is_some() {
                self.touched_members.insert(place(member.queue, &member.interface));
            }
            member.tell_wrap_up(from, &self.names, out);
            // the member's own goes first, then that of the queue of the last call, whichever queue
            // it is in
            let length = if member.wrap_up.is_zero() { queue_has } else { member.wrap_up };
            self.rest(seat, from, length, seat == key);
        }
    }

    /// A list tells of a call that ended before the exporter could see.  Which queue had it is not
    /// told, so this one's time counts, as it does for app_queue where it does not know either.
    pub(super) fn adopt_wrap_up(&mut self, key: MemberKey, from: Moment, now: Moment) {
        let member = &self.members.all[key];
        let queue_has = self.rules.wrap_up.of(self.names.queues.name(member.queue));
        let length = if member.wrap_up.is_zero() { queue_has } else { member.wrap_up };
        if member.rest.is_none() && from.after(length) > now {
            self.rest(key, from, length, false);
        }
    }

    fn rest(&mut self, key: MemberKey, from: Moment, length: Duration, counts: bool) {
        let member = &mut self.members.all[key];
        // a call that was over before the last one began to be wrapped up is completed late
        if member.rest.is_some_and(|rest| rest.from > from) {
            return;
        }

        let (agent, until) = (member.agent, from.after(length));
        member.rest =
            (!length.is_zero()).then_some(Rest { from, until, told: counts.then_some(from) });
        if !length.is_zero() {
            self.deadlines.add(until, Task::WrapUp(key));
        }
        self.members.stale.push(agent);
    }

    /// The members whose last call is one: app_queue looks for the interface in all queues.
    fn seats(&self, key: MemberKey) -> Vec<MemberKey> {
        if !self.rules.wrap_up.is_shared() {
            return vec![key];
        }
        let interface = &self.members.all[key].interface;
        let seats = self.queues.keys().filter_map(|&queue| self.members.seat(queue, interface));
        seats.collect()
    }

    pub(super) fn wrap_up_due(&mut self, key: MemberKey, now: Moment, out: &mut dyn Observe) {
        let Some(member) = self.members.all.get(key) else { return };
        if member.rest.is_some_and(|rest| rest.until <= now) {
            let agent = member.agent;
            self.members.end_wrap_up(key, now, &self.names, out);
            self.refresh_agent(agent, now, out);
        }
    }
}

impl Members {
    pub(super) fn end_wrap_up(
        &mut self,
        key: MemberKey,
        now: Moment,
        names: &Names,
        out: &mut dyn Observe,
    ) {
        if let Some(member) = self.all.get_mut(key) {
            member.tell_wrap_up(now, names, out);
            member.rest = None;
        }
    }
}

impl Member {
    pub(super) fn tell_wrap_up(&mut self, now: Moment, names: &Names, out: &mut dyn Observe) {
        let Some(Rest { until, told: Some(told), .. }) = &mut self.rest else { return };
        let upto = now.min(*until);
        if upto > *told {
            let (queue, agent, spent) = (self.queue, self.agent, upto.since(*told));
            *told = upto;
            out.observe(names, Observation::WrappedUp { queue, agent, spent }, None);
        }
    }
}
