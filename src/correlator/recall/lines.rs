//! One line held against what is known.

use std::time::Duration;

use super::{At, Lines};
use crate::correlator::Correlator;
use crate::correlator::key::{ChannelKey, MemberKey, StayKey};
use crate::correlator::logged::{Fact, SeenKind};
use crate::correlator::member::place;
use crate::correlator::names::QueueId;
use crate::correlator::observation::{
    Observation, Observe, Outcome, PauseChange, Phase as AdoptedPhase, PositionAt, Repair,
    RingResult,
};
use crate::correlator::snapshot::{Snapshot, Told};
use crate::correlator::stay::{Closed, Phase};
use crate::event;

/// How the wait of a line ended.
#[derive(Clone, Copy)]
struct Way {
    outcome: Outcome,
    hold: Option<Duration>,
    position: Option<u32>,
}

impl Correlator {
    pub(super) fn recall_line(
        &mut self,
        number: usize,
        at: &At<'_>,
        lines: &mut Lines<'_>,
        snapshot: &Snapshot,
        out: &mut dyn Observe,
    ) {
        let line = at.line;
        let told = |told| snapshot.foreseen.told.contains(&(told, line.call.clone()));
        match line.fact {
            Fact::Started => {}
            Fact::Entered { position } if !told(Told::Joined) => {
                self.recall_entry(at, position, lines, out);
            }
            Fact::Connected { hold, ring } if !told(Told::Connected) => {
                self.recall_connect(at, hold, ring, lines, out);
            }
            Fact::Left { outcome, hold, position } if !told(Told::Left) => {
                self.recall_exit(at, Way { outcome, hold, position }, lines, out);
            }
            Fact::Completed { ended_by, talk } if !told(Told::Completed) => {
                self.recall_completion(at, ended_by, talk, lines, out);
            }
            Fact::RingNoAnswer if !lines.answered.contains(&number) => {
                self.recall_ring(at, RingResult::NoAnswer, lines, out);
            }
            Fact::Dumped => self.recall_ring(at, RingResult::Answered, lines, out),
            Fact::Paused(change) => self.recall_pause(at, change, lines, out),
            // The event comes behind the lists, and says it better.
            Fact::Entered { .. }
            | Fact::Connected { .. }
            | Fact::Left { .. }
            | Fact::Completed { .. }
            | Fact::RingNoAnswer => {}
        }
    }

    fn recall_entry(
        &mut self,
        at: &At<'_>,
        position: Option<u32>,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) {
        let queue = self.ensure_queue(&at.line.queue, out);
        let caller = self.recalled_channel(at, lines, out);
        if let Some(known) = self.find_stay(caller, queue) {
            if at.may_be_seen {
                return;
            }
            // Who joins again has left, and nothing says how.
            self.lose_stay(known, at.stamp, out);
        }

        let key = self.open_stay(caller, queue, Some(at.stamp), at.stamp, out);
        let stay = &mut self.stays[key];
        (stay.recalled, stay.adopted) = (at.may_be_late, at.may_be_late);
        self.emit_of(key, Observation::Entered { queue }, out);
        if let Some(position) = position {
            let place = PositionAt::Entry;
            self.emit_of(key, Observation::Positioned { queue, at: place, position }, out);
        }
        self.emit_repaired(Repair::Entry, out);
    }

    fn recall_connect(
        &mut self,
        at: &At<'_>,
        hold: Duration,
        ring: Option<Duration>,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.recalled_wait(at, lines, out) else { return };
        let queue = self.stays[key].queue;
        let member = self.recalled_member(queue, at, lines, out);
        self.connect_recalled(key, member, at.stamp, (hold, ring), out);
        self.emit_repaired(Repair::Exit, out);
    }

    fn recall_exit(&mut self, at: &At<'_>, way: Way, lines: &mut Lines<'_>, out: &mut dyn Observe) {
        let Some(key) = self.recalled_wait(at, lines, out) else { return };
        // Leave and Abandon may still come, and are of this stay.
        if let Phase::Leaving(_) = self.stays[key].phase {
            self.exit(key, way.outcome, out);
            if let Phase::Closed(closed) = &mut self.stays[key].phase {
                closed.left = false;
            }
        } else {
            let closed = Closed { left: false, ..Closed::default() };
            self.close_wait(key, way.outcome, way.hold, closed, out);
            let queue = self.stays[key].queue;
            if let Some(position) = way.position {
                let place = PositionAt::Abandon;
                self.emit_of(key, Observation::Positioned { queue, at: place, position }, out);
            }
        }
        self.emit_repaired(Repair::Exit, out);
    }

    /// The wait that a line ends, adopted if nothing of it is known; `None` if its end was seen.
    fn recalled_wait(
        &mut self,
        at: &At<'_>,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) -> Option<StayKey> {
        let queue = self.ensure_queue(&at.line.queue, out);
        let known = self.channels.find(&at.line.call);
        match known.and_then(|caller| self.find_stay(caller, queue)) {
            Some(key) => Some(key).filter(|&key| self.stays[key].is_waiting()),
            None if at.may_be_seen => None,
            None => {
                let caller = self.recalled_channel(at, lines, out);
                Some(self.adopt_stay(caller, queue, AdoptedPhase::Waiting, at.stamp, out))
            }
        }
    }

    /// A member was called, and the attempt ended as that.
    fn recall_ring(
        &mut self,
        at: &At<'_>,
        result: RingResult,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) {
        let queue = self.ensure_queue(&at.line.queue, out);
        let member = self.recalled_member(queue, at, lines, out);
        let agent = self.members[member].agent();
        let caller = self.channels.find(&at.line.call);
        let stay = caller.and_then(|caller| self.find_stay(caller, queue));

        if self.was_seen(at, queue, member, lines) {
            return;
        }
        let ring = stay.and_then(|stay| self.rings.latest(member, stay));
        let is_told = ring.is_none_or(|ring| std::mem::replace(&mut self.rings[ring].told, true));
        match ring {
            Some(ring) if !self.rings[ring].is_done() => {
                self.settle_recalled_ring(ring, result, at.stamp, out);
            }
            // Its end was seen, but for this event.
            Some(_) if !is_told && at.may_be_seen => return,
            Some(_) | None => {
                self.emit(Observation::RingBegan { queue, agent }, out);
                self.emit(Observation::RingEnded { queue, agent, result, length: None }, out);
            }
        }
        self.emit_repaired(Repair::Ring, out);
        if at.line.fact == Fact::Dumped {
            self.emit(Observation::AgentDumped { queue, agent }, out);
        }
    }

    fn recall_pause(
        &mut self,
        at: &At<'_>,
        change: PauseChange,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) {
        let queue = self.ensure_queue(&at.line.queue, out);
        let member = self.recalled_member(queue, at, lines, out);
        if self.was_seen(at, queue, member, lines) {
            return;
        }
        let agent = self.members[member].agent();
        self.emit(Observation::MemberPaused { queue, agent, change }, out);
        self.emit_repaired(Repair::Pause, out);
    }

    /// Whether the line's event came, or is about to.
    fn was_seen(
        &mut self,
        at: &At<'_>,
        queue: QueueId,
        member: MemberKey,
        lines: &mut Lines<'_>,
    ) -> bool {
        let is_at_edge = at.may_be_seen || at.may_be_late;
        let Some(kind) = SeenKind::of(at.line.fact).filter(|_| is_at_edge) else { return false };
        let agent = self.members[member].agent();
        let what = (kind, queue, agent);
        let was_seen = self.recall.seen.take_event(at.line.at, what, &self.pbx_clock);
        if !was_seen && at.may_be_late {
            self.recall.counted.add(at.stamp, what);
            lines.late.push((at.stamp, what));
        }
        was_seen
    }

    /// The caller's channel, made now if nothing has named it: it begins no call.
    pub(super) fn recalled_channel(
        &mut self,
        at: &At<'_>,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) -> ChannelKey {
        // One that is known may be doubted, and a line of the past clears no doubt.
        if let Some(known) = self.channels.find(&at.line.call) {
            return known;
        }
        let block = event::Channel { uid: &at.line.call, ..Default::default() };
        let key = self.ensure_channel(&block, at.stamp, out);
        lines.made.push(key);
        key
    }

    /// The member a line names: listed by that name, or known by it, else one who is none any more.
    pub(super) fn recalled_member(
        &mut self,
        queue: QueueId,
        at: &At<'_>,
        lines: &mut Lines<'_>,
        out: &mut dyn Observe,
    ) -> MemberKey {
        let name = &*at.line.agent;
        let interface = lines.interfaces.get(&(queue, name)).copied().unwrap_or(name);
        let listed = self.members.find(queue, interface);
        let known = listed.or_else(|| {
            let agent = self.names.agents.find(name)?;
            self.members.find_of_agent(queue, agent)
        });
        known.unwrap_or_else(|| {
            lines.former.push(place(queue, name));
            self.ensure_member(queue, name, name, lines.now, out)
        })
    }
}
