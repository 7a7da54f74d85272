//! What the queue's own events report of a member's calls.

use crate::correlator::key::{Shortlist, StayKey};
use crate::correlator::talk::Talk;

/// The calls of one member.
#[derive(Debug, Default)]
pub(in crate::correlator) struct Activity {
    ringing: u32,
    talking: u32,
    /// Talks among these that the agent has left, and that are not counted yet.
    parting: u32,
    on_hold: u32,
    /// The stay whose talk ended last, if its beginning was reported; forgotten stays are not found
    /// any more.
    last_completed: Option<StayKey>,
    /// Stays it talks in, or whose AgentComplete it awaits.
    talks: Shortlist<StayKey>,
}

impl Activity {
    pub(in crate::correlator) const fn begin_ring(&mut self) {
        self.ringing += 1;
    }

    pub(in crate::correlator) const fn end_ring(&mut self) {
        self.ringing = self.ringing.saturating_sub(1);
    }

    pub(in crate::correlator) fn begin_talk(
        &mut self,
        key: StayKey,
        belongs: impl Fn(StayKey) -> bool,
    ) {
        self.talking += 1;
        self.talks.add(key, belongs);
    }

    /// The agent has left a talk, or has come back to it.
    pub(in crate::correlator) const fn part(&mut self, gone: bool) {
        self.parting = if gone { self.parting + 1 } else { self.parting.saturating_sub(1) };
    }

    pub(in crate::correlator) const fn hold(&mut self, on_hold: bool) {
        self.on_hold = if on_hold { self.on_hold + 1 } else { self.on_hold.saturating_sub(1) };
    }

    /// A talk is counted.
    pub(in crate::correlator) fn end_talk(&mut self, key: StayKey, talk: &Talk) {
        if !talk.adopted {
            self.last_completed = Some(key);
        }
        self.talking = self.talking.saturating_sub(1);
        if talk.over.is_some() {
            self.part(false);
        }
        if talk.holds.is_on() {
            self.hold(false);
        }
    }

    /// Stays it talks in, the oldest first: also some that have ended.
    pub(in crate::correlator) fn talks(&self) -> impl Iterator<Item = StayKey> {
        self.talks.iter()
    }

    /// Whether any stay that it talks in belongs to it still.
    pub(in crate::correlator) fn has_talk(&mut self, belongs: impl Fn(StayKey) -> bool) -> bool {
        self.talks.oldest(belongs).is_some()
    }

    pub(in crate::correlator) const fn last_completed(&self) -> Option<StayKey> {
        self.last_completed
    }

    pub(in crate::correlator) const fn is_ringing(&self) -> bool {
        self.ringing > 0
    }

    pub(in crate::correlator) const fn is_talking(&self) -> bool {
        self.talking > 0
    }

    /// Whether it talks to a caller whom the agent has not left.
    pub(super) const fn talks_on(&self) -> bool {
        self.talking > self.parting
    }

    pub(super) const fn is_parting(&self) -> bool {
        self.parting > 0
    }

    pub(super) const fn is_on_hold(&self) -> bool {
        self.on_hold > 0
    }

    /// Attempts to ring it, talks, and those on hold.
    #[cfg(test)]
    pub(in crate::correlator) const fn counts(&self) -> (u32, u32, u32) {
        (self.ringing, self.talking, self.on_hold)
    }
}
