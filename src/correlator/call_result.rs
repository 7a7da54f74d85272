//! What is counted of a call that is over: its direction, agent, trunk, result and talk time.

use std::cell::RefCell;
use std::time::Duration;

use super::Correlator;
use super::call::{Call, QueueSide};
use super::call_counts::{CountedAs, DeviceKey, Either};
use super::cause::Cause;
use super::channel::Channel;
use super::channels::Channels;
use super::dial::CallLabels;
use super::key::ChannelKey;
use super::line::Line;
use super::names::{AgentId, TrunkId};
use super::observation::{CallResult, Direction};

impl Correlator {
    /// The surest first: an answer, then what a queue made of it, the last leg, the first channel.
    pub(super) fn result(&self, call: &Call, direction: Direction) -> CallResult {
        if call.answered {
            return CallResult::Answered;
        }
        match call.queue {
            QueueSide::Abandoned => return CallResult::Canceled,
            QueueSide::Unserved => return CallResult::NoAnswer,
            QueueSide::None => {}
        }

        // A leg that answered but was never connected, as in a queue's announcement, is no answer.
        // Only an Originate's own leg counts, and a call of whose sides nothing is known.
        if let Some(leg) = call.leg {
            let counts_alone = leg.channel == call.first || direction == Direction::Unknown;
            return match leg.end {
                Some((CallResult::Answered, _)) if !counts_alone => CallResult::NoAnswer,
                Some((result, _)) => result,
                None => CallResult::Failed,
            };
        }

        // Nobody was dialled: an application answered, or the dialplan refused the call.
        let Some(first) = self.channels.all.get(call.first) else { return CallResult::Failed };
        match first.cause() {
            _ if first.life.up => CallResult::Answered,
            _ if first.life.hangup_requested => CallResult::Canceled,
            Some(Cause(17)) => CallResult::Busy,
            Some(Cause(34 | 38 | 41..=44)) => CallResult::Congestion,
            _ => CallResult::Failed,
        }
    }

    pub(super) fn labels(&mut self, call: &Call) -> CallLabels {
        self.labels_if_answered(call, AgentId::NONE)
    }

    /// The same as if `agent` answered, unless somebody has answered already.
    pub(super) fn labels_if_answered(&mut self, call: &Call, agent: AgentId) -> CallLabels {
        let answering = if call.answered { call.agent } else { agent };
        let direction = self.direction(call);
        let first = self.channels.all.get(call.first);
        let line = first.map_or(Line::Other, |first| first.identity.line);
        let own_trunk = first.map_or(TrunkId::NONE, Channel::trunk);

        // The agent is on the other side of a trunk, on the first leg of a click-to-call through a
        // Local channel, else at the first channel.
        let agent = match (direction, line) {
            (Direction::Inbound, _) | (_, Line::Trunk(_)) => answering,
            (_, Line::Local) => call.first_agent,
            (_, Line::Agent | Line::Media | Line::Other) => first.map_or(AgentId::NONE, |first| {
                first.ensure_agent(&mut self.names, self.members.owners())
            }),
        };

        // An inbound call that is not sent out again has the trunk it came by.
        let trunk = if call.trunk.is_none() { own_trunk } else { call.trunk };
        CallLabels { direction, agent, trunk }
    }

    pub(super) fn direction(&self, call: &Call) -> Direction {
        let judge = Judge { channels: &self.channels };
        let is_owned = |first: &Channel| first.owner(self.members.owners()).is_some();
        judge.direction(call, is_owned)
    }

    /// Counts the calls whose direction may be another.
    #[inline]
    pub(super) fn settle_calls(&mut self) {
        if self.members.is_any_owner_changed() || !self.calls.is_settled() {
            self.settle_changed_calls();
        }
    }

    fn settle_changed_calls(&mut self) {
        let Self { channels, members, calls, call_counts, .. } = self;
        for device in members.take_changed_owners() {
            call_counts.follow_owner(&device, members.owners());
        }

        let judge = Judge { channels };
        let counts = RefCell::new(call_counts);
        let counts_as = |call: &Call, before: Option<CountedAs>| {
            judge.counts_as(call, before, |device| {
                counts.borrow_mut().ensure_device(device, members.owners())
            })
        };
        calls.settle(counts_as, |recount| counts.borrow_mut().recount(recount));
    }

    /// What decides the direction of a channel's call has changed at the channel.
    pub(super) fn mark_call_of(&mut self, channel: ChannelKey) {
        if let Some(call) = self.channels.all[channel].call {
            self.calls.mark(call);
        }
    }
}

/// From the first dial to the answer, or to the end of a call that nobody answered.
pub(super) fn ring_time(call: &Call) -> Option<Duration> {
    call.ringing.length().filter(|_| !call.adopted).map(Duration::from)
}

/// How long the first channel had company.  An application alone, such as a voice mailbox, is none.
pub(super) fn talk_time(call: &Call) -> Option<Duration> {
    let is_known = call.answered && !call.adopted;
    let total = call.company.total.map(Duration::from);
    total.filter(|total| is_known && !total.is_zero())
}

/// What a call's direction is judged by, but for whose device its first channel is.
struct Judge<'a> {
    channels: &'a Channels,
}

impl Judge<'_> {
    /// Judged by the first channel alone: a dialled leg has the trunk's context too.
    fn direction(&self, call: &Call, is_owned: impl Fn(&Channel) -> bool) -> Direction {
        let Some(first) = self.channels.all.get(call.first) else { return Direction::Unknown };
        let line = first.identity.line;
        let is_originated = first.dialled.as_ref().is_some_and(|dialled| dialled.by.is_none());

        // A queue's member is an agent, whatever the patterns say.
        let is_agent = line == Line::Agent || line == Line::Other && is_owned(first);
        let is_local = line == Line::Local;

        // The originated leg of an agent is dialled itself, and not the other side; of a Local
        // channel both sides are dialled.
        let own_legs = if is_local { 1 } else { u32::from(is_originated && is_agent) };
        let reaches_agent = call.agent_legs > own_legs && !call.strange_leg;

        // Channels override configured contexts.
        let origin = &first.identity.origin;
        match line {
            Line::Trunk(_) if is_originated => Direction::Outbound,
            Line::Trunk(_) => Direction::Inbound,
            _ if (is_agent || is_local) && !call.trunk.is_none() => Direction::Outbound,
            _ if (is_agent || is_local) && reaches_agent => Direction::Internal,
            _ if origin.is_inbound => Direction::Inbound,
            _ if origin.is_outbound => Direction::Outbound,
            Line::Agent | Line::Local | Line::Media | Line::Other => Direction::Unknown,
        }
    }

    /// What a call is counted by as long as it goes on, and was until now.
    fn counts_as(
        &self,
        call: &Call,
        before: Option<CountedAs>,
        ensure_device: impl FnOnce(&str) -> DeviceKey,
    ) -> Option<CountedAs> {
        if call.ended {
            return None;
        }

        let unowned = self.direction(call, |_| false);
        let owned = self.direction(call, |_| true);
        Some(match self.channels.all.get(call.first) {
            Some(first) if owned != unowned => CountedAs::ByOwner {
                // A call has the device at which it began, for good.
                device: match before {
                    Some(CountedAs::ByOwner { device, .. }) => device,
                    _ => ensure_device(&first.identity.origin.device),
                },
                either: Either { owned, unowned },
            },
            Some(_) | None => CountedAs::Surely(unowned),
        })
    }
}
