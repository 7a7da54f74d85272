//! Asterisk's own log of its queues, as app_queue of Asterisk 22 writes it:
//! `time|call|queue|agent|VERB|parameter|…`.
//!
//! Its lines are made where the simulation decides, like the events, so that the two can be
//! compared.

use std::fmt::{Display, Write};

use super::calls::{Leg, Stay};
use super::id::{ChannelId, MemberId, QueueId};
use super::model::World;
use super::wire::seconds;

impl World {
    /// What is logged when app_queue is loaded.
    pub(super) fn log_start(&mut self) {
        self.log_line(NONE, NONE, NONE, "QUEUESTART|");
    }

    /// A line about a caller and no agent.
    pub(super) fn log_caller(&mut self, stay: &Stay, what: impl Display) {
        let call = self.uniqueid(stay.caller);
        let queue = self.queues[stay.queue.0].spec.name;
        self.log_line(&call, queue, NONE, what);
    }

    /// A line about a member who is rung for a caller.
    pub(super) fn log_ring(&mut self, stay: &Stay, leg: &Leg, what: impl Display) {
        let call = self.uniqueid(stay.caller);
        self.log_member(&call, stay.queue, leg.member, what);
    }

    /// A line about a member, of a call or of none.
    pub(super) fn log_member(
        &mut self,
        call: &str,
        queue: QueueId,
        member: MemberId,
        what: impl Display,
    ) {
        let queue = &self.queues[queue.0];
        let agent = self.agents[queue.members[member.0].agent.0].name;
        self.log_line(call, queue.spec.name, agent, what);
    }

    /// The Uniqueid of a channel, `NONE` for one that is gone.
    pub(super) fn uniqueid(&self, channel: ChannelId) -> String {
        self.channels.get(&channel).map_or(NONE.to_owned(), |channel| channel.uniqueid.clone())
    }

    fn log_line(&mut self, call: &str, queue: &str, agent: &str, what: impl Display) {
        let second = seconds(Some(self.clock));
        // Writing to a string cannot fail.
        let _ = writeln!(self.logged, "{second}|{call}|{queue}|{agent}|{what}");
    }
}

/// A field that has no value.
pub(super) const NONE: &str = "NONE";
