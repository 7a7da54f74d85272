//! What events and lists say of members: who was added, changed, paused and removed.

use super::phone::{NOT_IN_USE, UNAVAILABLE};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::logged::SeenKind;
use crate::correlator::member::place;
use crate::correlator::names::QueueId;
use crate::correlator::observation::{Observation, Observe, PauseChange, Penalty};
use crate::correlator::time::Stamp;
use crate::event::{self, MemberChange};

/// What a description changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::correlator) enum Described {
    /// The member was not known.
    Appeared,
    /// Status, pause or reason differ from what an event or a list said before.
    Changed,
    /// Nothing that was known differs.
    Same,
}

impl Correlator {
    pub(in crate::correlator) fn on_member(
        &mut self,
        at: Stamp,
        member: &event::Member<'_>,
        out: &mut dyn Observe,
    ) {
        let now = at.read;
        let queue = self.ensure_queue(member.queue, out);
        self.listing.note_member_event(|| place(queue, member.interface));

        match member.change {
            MemberChange::Removed => self.on_removed(queue, member, now, out),
            MemberChange::Added => {
                let described = self.describe_member(now, member, out);
                self.note_added(queue, member, described == Described::Appeared, now, out);
            }
            MemberChange::Present => self.describe_live(queue, member, now, out),
            MemberChange::Pause => {
                self.describe_live(queue, member, now, out);
                self.count_pause(queue, member, at, out);
            }
        }
    }

    /// Takes what an event says of a member.  What one says that was not known yet may have begun at any
    /// time before.
    fn describe_live(
        &mut self,
        queue: QueueId,
        member: &event::Member<'_>,
        now: Moment,
        out: &mut dyn Observe,
    ) {
        let known = self.members.find(queue, member.interface);
        if known.is_some_and(|key| self.members[key].confirmed) {
            self.describe_member(now, member, out);
            return;
        }

        self.begin_unseen();
        self.describe_member(now, member, out);
        self.members.unseen = false;

        // With places in other queues, too, it may not have been this one that began.
        let untold = std::mem::take(&mut self.members.untold);
        for id in untold {
            if self.members.agents.get(&id).is_some_and(|agent| agent.members.len() == 1) {
                self.tell_of_agent(id);
            }
        }
    }

    /// One for each such event, as queue_log has it: also for a pause that changes nothing.
    fn count_pause(
        &mut self,
        queue: QueueId,
        member: &event::Member<'_>,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let change = PauseChange::of(member.paused);
        if let Some(key) = self.members.find(queue, member.interface) {
            let agent = self.members[key].agent;
            if self.is_recalled(SeenKind::Paused(change), queue, agent, at) {
                return;
            }
            self.emit(Observation::MemberPaused { queue, agent, change }, out);
        }
    }

    /// Takes what an event or a list says of a member.
    pub(in crate::correlator) fn describe_member(
        &mut self,
        now: Moment,
        described: &event::Member<'_>,
        out: &mut dyn Observe,
    ) -> Described {
        let queue = self.ensure_queue(described.queue, out);
        let known = self.members.find(queue, described.interface).is_some();
        let key = self.ensure_place(queue, described.interface, described.name, now, out);
        self.members.take_state_interface(key, described.state_interface);

        self.members.set_dynamic(key, described.dynamic);
        self.take_told(key, described, now);

        let status = self.true_status(&self.members[key], described.status);
        let reason =
            self.names.reasons.intern(if described.paused { described.reason } else { b"" });
        let session = self.members.session;
        let member = &mut self.members.all[key];
        let before = (member.paused, member.reason, member.status);
        // PausedReason comes since 13.8: an event without it leaves the reason as it was.
        if !(described.paused && described.reason.is_empty() && member.paused) {
            member.reason = reason;
        }
        member.paused = described.paused;
        member.status = status;
        member.penalty = Penalty::of(described.penalty);
        member.wrap_up_time = described.wrap_up;
        if matches!(status, NOT_IN_USE | UNAVAILABLE) {
            member.free_in = Some(session);
        }

        let changed = before != (member.paused, member.reason, member.status);
        let (.., status_before) = before;
        // A member that only a call had named has no state that could differ.
        let confirmed = std::mem::replace(&mut member.confirmed, true);
        let agent = member.agent;
        let is_freed = status == NOT_IN_USE && status_before != status;

        // A device that is free again ends the call for app_queue, though AgentComplete may come
        // much later: a pool agent who pressed `*`.
        if is_freed && member.activity.is_parting() {
            self.begin_wrap_up(key, now, out);
        }
        self.look_at_phone(key, now);
        self.refresh_agent(agent, now, out);

        match (known, confirmed && changed) {
            (false, _) => Described::Appeared,
            (true, true) => Described::Changed,
            (true, false) => Described::Same,
        }
    }
}
