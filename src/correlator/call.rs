//! Calls: from their first channel to one result, whatever queues and transfers they go through.

use std::time::Duration;

use super::Correlator;
use super::cause::Cause;
use super::channel::Channel;
use super::deadline::{CALL_END, Task};
use super::device::is_media;
use super::dial::CallLabels;
use super::key::{CallKey, ChannelKey};
use super::line::Line;
use super::names::{AgentId, TrunkId};
use super::observation::{Anomaly, CallResult, Direction, Observation, Observe, Outcome};
use super::time::Stamp;
use crate::event;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    /// The channel that began it.
    pub first: ChannelKey,
    /// Found going on: it gives no durations.
    pub adopted: bool,
    /// When the first leg was dialled.
    pub dialled: Option<Stamp>,
    /// The leg that was connected.
    pub answer: Option<Answer>,
    /// The leg dialled last.
    pub last: Option<Leg>,
    /// The trunk leg that answered, else the one dialled last.
    pub trunk: TrunkId,
    pub trunk_answered: bool,
    /// Agents' devices dialled.
    pub agent_legs: u32,
    /// The first of them: who a click-to-call is for.
    pub first_agent: AgentId,
    /// Something else was dialled that is no trunk as far as anybody knows.
    pub strange_leg: bool,
    /// What a queue made of it.
    pub queue: QueueSide,
    /// When the first channel hung up.
    pub ended: Option<Stamp>,
}

/// A dialled leg, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub channel: ChannelKey,
    pub end: Option<(CallResult, Cause)>,
}

/// A connected leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub leg: Leg,
    pub agent: AgentId,
    pub at: Stamp,
}

/// What a queue made of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QueueSide {
    None,
    /// The caller gave up.
    Abandoned,
    /// The queue let go of the caller, or never let in.
    Unserved,
}

/// Whether a channel begins a call, as long as nobody dials it.  One without anybody at its end
/// never does.
///
/// 13.4 and older tell no Linkedid.  There it is any but a Local channel: those of a member or of a
/// consultation are part of a call, and an originated one has a DialBegin of its own.
pub(super) fn begins_call(channel: &event::Channel<'_>) -> bool {
    let untold = channel.linkedid.is_empty() && !channel.name.starts_with(b"Local/");
    (channel.linkedid == channel.uid || untold) && !is_media(channel.name)
}

impl Correlator {
    /// A channel that nobody dialled begins a call.
    pub(super) fn open_call(&mut self, first: ChannelKey) -> CallKey {
        let key = self.calls.insert(Call {
            first,
            adopted: false,
            dialled: None,
            answer: None,
            last: None,
            trunk: TrunkId::NONE,
            trunk_answered: false,
            agent_legs: 0,
            first_agent: AgentId::NONE,
            strange_leg: false,
            queue: QueueSide::None,
            ended: None,
        });
        self.channels.all[first].call = Some(key);
        key
    }

    /// The call a channel belongs to: its own, its dialler's, or that of the other half of its
    /// Local channel.
    pub(super) fn find_call(&self, channel: ChannelKey) -> Option<CallKey> {
        let mut key = channel;
        for _ in 0..16 {
            let channel = self.channels.all.get(key)?;
            if channel.call.is_some() {
                return channel.call;
            }
            let by = channel.dialled.as_ref().and_then(|dialled| dialled.by);
            key = by.or(channel.peer)?;
        }
        None
    }

    /// A leg is dialled; `caller` is `None` for an Originate, whose leg is the call's first
    /// channel.
    pub(super) fn call_dialled(
        &mut self,
        caller: Option<ChannelKey>,
        leg: ChannelKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        if caller.is_some()
            && let Some(own) = self.channels.all[leg].call.take()
        {
            // it looked like a beginning, but somebody dialled it
            self.calls.remove(own);
        }
        self.recognise_trunk(leg, out);
        let line = self.channels.all[leg].identity.line;
        let untold = caller.is_none() && self.channels.all[leg].identity.linkedid.is_empty();
        if untold && line == Line::Local && self.find_call(leg).is_none() {
            self.open_call(leg);
        }
        let Some(key) = self.find_call(caller.unwrap_or(leg)) else { return };
        if matches!(line, Line::Local | Line::Media) {
            return;
        }
        if caller.is_some() {
            self.channels.all[leg].call = Some(key);
        }
        let agent = self.ensure_agent_on(leg);
        let Some(call) = self.calls.get_mut(key) else { return };
        call.dialled.get_or_insert(at);
        call.last = Some(Leg { channel: leg, end: None });
        match line {
            Line::Trunk(trunk) => {
                if !call.trunk_answered {
                    call.trunk = trunk;
                }
                self.know_trunk(trunk, out);
            }
            Line::Agent | Line::Other | Line::Local | Line::Media if agent.is_none() => {
                call.strange_leg = true;
            }
            Line::Agent | Line::Other | Line::Local | Line::Media => {
                call.agent_legs += 1;
                if call.agent_legs == 1 {
                    call.first_agent = agent;
                }
            }
        }
    }

    /// A dialled leg answered; a queue's legs are connected by AgentConnect instead.
    pub(super) fn call_answered(&mut self, leg: ChannelKey, at: Stamp) {
        let channel = &self.channels.all[leg];
        if self.find_ring(leg).is_some()
            || matches!(channel.identity.line, Line::Local | Line::Media)
        {
            return;
        }
        let agent = self.ensure_agent_on(leg);
        self.connect_call(leg, agent, at);
    }

    /// A queue's agent was connected.
    pub(super) fn call_served(
        &mut self,
        caller: ChannelKey,
        leg: Option<ChannelKey>,
        agent: AgentId,
        at: Stamp,
    ) {
        let Some(leg) = leg else { return };
        if let Some(key) = self.find_call(caller)
            && let Some(call) = self.calls.get_mut(key)
        {
            let channel = Leg { channel: leg, end: None };
            call.answer.get_or_insert(Answer { leg: channel, agent, at });
        }
    }

    fn connect_call(&mut self, leg: ChannelKey, agent: AgentId, at: Stamp) {
        let trunk = self.channels.all[leg].trunk();
        let Some(key) = self.find_call(leg) else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        // an originated leg that answers has somebody at its end, but nobody talks to it yet
        let originated = call.first == leg;
        if !trunk.is_none() && !call.trunk_answered {
            (call.trunk, call.trunk_answered) = (trunk, true);
        }
        if !originated {
            call.answer.get_or_insert(Answer { leg: Leg { channel: leg, end: None }, agent, at });
        }
    }

    /// A queue let go of the caller.
    pub(super) fn call_unserved(&mut self, caller: ChannelKey, outcome: Outcome) {
        let side =
            if outcome == Outcome::Abandoned { QueueSide::Abandoned } else { QueueSide::Unserved };
        self.set_queue_side(caller, side);
    }

    /// A queue never let the caller in.
    pub(super) fn call_refused(&mut self, caller: ChannelKey) {
        self.set_queue_side(caller, QueueSide::Unserved);
    }

    fn set_queue_side(&mut self, caller: ChannelKey, side: QueueSide) {
        if let Some(call) = self.find_call(caller).and_then(|key| self.calls.get_mut(key)) {
            call.queue = side;
        }
    }

    /// A channel ended before anything happened to it.  Without a Linkedid it looked like a
    /// beginning, but it is a leg that could not be called.
    pub(super) fn drop_stillborn(&mut self, channel: ChannelKey) {
        let data = &mut self.channels.all[channel];
        if data.identity.linkedid.is_empty()
            && data.dialled.is_none()
            && let Some(own) = data.call.take()
        {
            self.calls.remove(own);
        }
    }

    /// A channel hung up: counts a trunk's attempt, and the call's end if this was its first
    /// channel.
    pub(super) fn call_hung_up(
        &mut self,
        channel: ChannelKey,
        cause: Cause,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        self.count_leg(channel, cause, out);
        if let Some(labels) = self.channels.all[channel].owed.take() {
            self.emit_call_hangup(labels, cause, out);
        }
        let Some(key) = self.find_call(channel) else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.first == channel {
            call.ended = Some(at);
        }
        if call.ended.is_some() {
            self.try_end_call(key, at, out);
        }
    }

    fn count_leg(&mut self, channel: ChannelKey, cause: Cause, out: &mut dyn Observe) {
        let data = &self.channels.all[channel];
        let Some(dialled) = &data.dialled else { return };
        let (result, trunk) = (dialled.result(cause, data.life.up), data.trunk());
        // one that is up has answered, whatever is still to come: a synchronous Originate has no
        // OriginateResponse
        let told = data.life.up || !dialled.is_silent_originate();
        if !trunk.is_none() && told {
            self.count_attempt(trunk, result, cause, out);
        }
        if let Some(call) = self.find_call(channel).and_then(|key| self.calls.get_mut(key)) {
            let legs = [call.last.as_mut(), call.answer.as_mut().map(|answer| &mut answer.leg)];
            for leg in legs.into_iter().flatten().filter(|leg| leg.channel == channel) {
                leg.end = Some((result, cause));
            }
        }
    }

    fn count_attempt(
        &mut self,
        trunk: TrunkId,
        result: CallResult,
        cause: Cause,
        out: &mut dyn Observe,
    ) {
        self.emit(Observation::TrunkAttempt { trunk, result }, out);
        self.emit(Observation::TrunkHangup { trunk, cause }, out);
    }

    /// Ends the call if everything that decides its result is known; else a little later.
    fn try_end_call(&mut self, key: CallKey, at: Stamp, out: &mut dyn Observe) {
        let Some(call) = self.calls.get(key) else { return };
        let waits_for_leg = call.answer.is_none() && call.last.is_some_and(|leg| leg.end.is_none());
        if waits_for_leg || self.waits_for_originate(key) {
            self.deadlines.add(at.read.after(CALL_END), Task::CallEnd(key));
        } else {
            self.end_call(key, out);
        }
    }

    /// An Originate that timed out has no DialEnd: its OriginateResponse says so, before or after
    /// the Hangup.
    fn waits_for_originate(&self, key: CallKey) -> bool {
        let first = self.calls.get(key).and_then(|call| self.channels.all.get(call.first));
        let dialled = first.filter(|first| !first.life.up).and_then(|first| first.dialled.as_ref());
        dialled.is_some_and(super::dial::Dialled::is_silent_originate)
    }

    /// OriginateResponse has come for a first channel.
    pub(super) fn originate_answered(
        &mut self,
        channel: ChannelKey,
        reason: u8,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let data = &mut self.channels.all[channel];
        let Some(dialled) = &mut data.dialled else { return };
        let was_silent = dialled.is_silent_originate();
        dialled.reason = Some(reason);
        let ended = data.cause().filter(|_| !data.is_live());
        // one that was up was counted at its Hangup, and so was its call
        if let Some(cause) = ended
            && was_silent
            && !data.life.up
        {
            self.count_leg(channel, cause, out);
            if let Some(key) = self.find_call(channel) {
                self.try_end_call(key, at, out);
            }
        }
    }

    pub(super) fn call_due(&mut self, key: CallKey, out: &mut dyn Observe) {
        let Some(call) = self.calls.get(key) else { return };
        let first = call.first;
        if self.waits_for_originate(key)
            && let Some(cause) = self.channels.all[first].cause()
        {
            // no response came: the cause is all there is
            if let Some(dialled) = &mut self.channels.all[first].dialled {
                dialled.reason = Some(0);
            }
            self.count_leg(first, cause, out);
        }
        if self.calls.get(key).is_some_and(|call| call.ended.is_some()) {
            self.end_call(key, out);
        }
    }

    /// Counts the one result of a call.
    fn end_call(&mut self, key: CallKey, out: &mut dyn Observe) {
        let Some(call) = self.calls.remove(key) else { return };
        let labels = self.labels(&call);
        let CallLabels { direction, agent, trunk } = labels;
        let result = self.result(&call, direction);
        self.emit(Observation::CallEnded { direction, agent, trunk, result }, out);
        if let (Some(dialled), Some(end), false) =
            (call.dialled, call.answer.map(|a| a.at).or(call.ended), call.adopted)
            && let Some(length) = self.timing.between(dialled, end)
        {
            self.emit(Observation::CallRang { direction, result, length }, out);
        }
        if let Some(length) = self.talked(&call) {
            self.emit(Observation::CallTalked { direction, agent, length }, out);
        }
        let decisive = call.answer.map(|answer| answer.leg).or(call.last);
        match decisive {
            Some(Leg { end: Some((_, cause)), .. }) => self.emit_call_hangup(labels, cause, out),
            Some(Leg { channel, end: None }) => {
                if let Some(leg) = self.channels.all.get_mut(channel) {
                    match leg.cause() {
                        Some(cause) => self.emit_call_hangup(labels, cause, out),
                        None => leg.owed = Some(labels),
                    }
                }
            }
            None => {
                if let Some(cause) = self.channels.all.get(call.first).and_then(Channel::cause) {
                    self.emit_call_hangup(labels, cause, out);
                }
            }
        }
    }

    fn emit_call_hangup(&mut self, labels: CallLabels, cause: Cause, out: &mut dyn Observe) {
        let CallLabels { direction, agent, trunk } = labels;
        self.emit(Observation::CallHangup { direction, agent, trunk, cause }, out);
    }

    fn talked(&self, call: &Call) -> Option<Duration> {
        let bridged = self.channels.all.get(call.first)?.bridge.company;
        (call.answer.is_some()
            && !call.adopted
            && !bridged.unknown
            && bridged.total > Duration::ZERO)
            .then_some(bridged.total)
    }

    fn result(&self, call: &Call, direction: Direction) -> CallResult {
        if call.answer.is_some() {
            return CallResult::Answered;
        }
        match call.queue {
            QueueSide::Abandoned => return CallResult::Canceled,
            QueueSide::Unserved => return CallResult::NoAnswer,
            QueueSide::None => {}
        }
        if let Some(leg) = call.last {
            let answered_alone = leg.channel == call.first || direction == Direction::Unknown;
            return match leg.end {
                // a leg that answered but was never connected: only an Originate's own leg counts
                // as answered
                Some((CallResult::Answered, _)) if !answered_alone => CallResult::NoAnswer,
                Some((result, _)) => result,
                None => CallResult::Failed,
            };
        }
        let Some(first) = self.channels.all.get(call.first) else { return CallResult::Failed };
        match first.cause() {
            _ if first.life.up => CallResult::Answered,
            _ if first.life.hangup_requested => CallResult::Canceled,
            Some(Cause(17)) => CallResult::Busy,
            Some(Cause(34 | 38 | 41..=44)) => CallResult::Congestion,
            _ => CallResult::Failed,
        }
    }

    fn labels(&mut self, call: &Call) -> CallLabels {
        let direction = self.direction(call);
        let (first, answer, first_agent, trunk) =
            (call.first, call.answer, call.first_agent, call.trunk);
        let (line, own_trunk) = match self.channels.all.get(first) {
            Some(channel) => (channel.identity.line, channel.trunk()),
            None => (Line::Other, TrunkId::NONE),
        };
        let agent = match (direction, line) {
            (Direction::Inbound, _) | (_, Line::Trunk(_)) => {
                answer.map_or(AgentId::NONE, |answer| answer.agent)
            }
            (_, Line::Local) => first_agent,
            (_, Line::Agent | Line::Media | Line::Other) => self.ensure_agent_on(first),
        };
        // an inbound call that is not sent out again has the trunk it came by
        let trunk = if trunk.is_none() { own_trunk } else { trunk };
        CallLabels { direction, agent, trunk }
    }

    /// Judged by the first channel alone: a dialled leg shows the trunk's context too.
    pub(super) fn direction(&self, call: &Call) -> Direction {
        let Some(first) = self.channels.all.get(call.first) else { return Direction::Unknown };
        let originated = first.dialled.as_ref().is_some_and(|dialled| dialled.by.is_none());
        let context = || String::from_utf8_lossy(&first.identity.context);
        // a queue's member is an agent, whatever the patterns say
        let owned =
            || first.identity.line == Line::Other && first.owner(&self.members.devices).is_some();
        let (agent, local) =
            (first.identity.line == Line::Agent || owned(), first.identity.line == Line::Local);
        // the originated leg of an agent is dialled itself, and not the other side
        let own = u32::from(originated && agent);
        match first.identity.line {
            Line::Trunk(_) if originated => Direction::Outbound,
            Line::Trunk(_) => Direction::Inbound,
            _ if (agent || local) && !call.trunk.is_none() => Direction::Outbound,
            _ if agent && call.agent_legs > own && !call.strange_leg => Direction::Internal,
            _ if local && call.agent_legs > 1 && !call.strange_leg => Direction::Internal,
            _ if self.rules.inbound_contexts.matches(&context()) => Direction::Inbound,
            _ if self.rules.outbound_contexts.matches(&context()) => Direction::Outbound,
            Line::Agent | Line::Local | Line::Media | Line::Other => Direction::Unknown,
        }
    }

    /// The call's first channel vanished in a gap: a result that was known counts, any other nobody
    /// can know.
    pub(super) fn lose_call(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        let Some(key) = self.channels.all.get(channel).and_then(|channel| channel.call) else {
            return;
        };
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.first != channel {
            return;
        }
        call.adopted = true;
        if call.answer.is_some() {
            self.end_call(key, out);
        } else {
            self.calls.remove(key);
            self.emit(Observation::Anomaly(Anomaly::CallLost), out);
        }
    }

    /// The call's first channel is about to be forgotten: nothing more can come.
    pub(super) fn drop_call(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        let Some(key) = self.channels.all.get(channel).and_then(|channel| channel.call) else {
            return;
        };
        match self.calls.get(key) {
            Some(call) if call.first == channel && call.ended.is_some() => self.end_call(key, out),
            Some(_) => self.lose_call(channel, out),
            None => {}
        }
    }

    fn ensure_agent_on(&mut self, channel: ChannelKey) -> AgentId {
        self.channels.all[channel].ensure_agent(&mut self.names, &self.members.devices)
    }

    pub(super) fn know_trunk(&mut self, trunk: TrunkId, out: &mut dyn Observe) {
        if self.trunks.insert(trunk) {
            self.emit(Observation::TrunkKnown { trunk }, out);
        }
    }
}
