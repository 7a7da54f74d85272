//! Calls: what one consists of, and how its legs are dialled and answered.
//!
//! A call goes from its first channel to one result, whatever queues and transfers it goes through.
//! Its end is in `call_end`, what is counted of it in `call_result`.

use super::Correlator;
use super::cause::Cause;
use super::device::is_media;
use super::dial::CallLabels;
use super::key::{CallKey, ChannelKey};
use super::line::Line;
use super::names::{AgentId, TrunkId};
use super::observation::{CallResult, Observation, Observe, Outcome};
use super::time::{Span, Stamp, Timing};
use crate::event;

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The channel that began it.
    pub first: ChannelKey,
    /// Found going on: it gives no durations.
    pub adopted: bool,
    /// From the first dial to the answer, or to the end of a call that nobody answered.
    pub ringing: Ringing,
    /// How long the first channel was in bridges with somebody else.
    pub company: Company,
    /// The leg that was connected, else the one dialled last.
    pub leg: Option<Leg>,
    /// Whether one was connected, and to whom.
    pub answered: bool,
    pub agent: AgentId,
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
    /// The first channel hung up.
    pub ended: bool,
}

/// A dialled leg, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub channel: ChannelKey,
    pub end: Option<(CallResult, Cause)>,
}

/// How long a call rings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ringing {
    /// Nothing was dialled yet.
    NotYet,
    /// Since the first leg was dialled.
    Since(Stamp),
    /// It is over; how long it took, if that could be measured.
    Over(Option<Span>),
}

/// Time in bridges with somebody else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Company {
    pub since: Option<Stamp>,
    /// `None` if a part of it could not be measured.
    pub total: Option<Span>,
}

impl Call {
    /// A leg is connected; the first counts.
    fn answer(&mut self, leg: ChannelKey, agent: AgentId, at: Stamp, timing: Timing) {
        if !std::mem::replace(&mut self.answered, true) {
            self.leg = Some(Leg { channel: leg, end: None });
            self.agent = agent;
            self.ringing.end(at, timing);
        }
    }
}

impl Ringing {
    const fn begin(&mut self, at: Stamp) {
        if matches!(self, Self::NotYet) {
            *self = Self::Since(at);
        }
    }

    /// The call is answered, or ends.
    pub(super) fn end(&mut self, at: Stamp, timing: Timing) {
        *self = match *self {
            Self::NotYet => Self::Over(None),
            Self::Since(since) => Self::Over(timing.between(since, at).map(Span::from)),
            Self::Over(length) => Self::Over(length),
        };
    }

    /// How long it took.
    pub(super) const fn length(self) -> Option<Span> {
        match self {
            Self::NotYet | Self::Since(_) => None,
            Self::Over(length) => length,
        }
    }
}

impl Company {
    /// The channel is alone again.
    pub(super) fn end(&mut self, at: Stamp, timing: Timing) {
        let Some(since) = self.since.take() else { return };
        let length = timing.between(since, at);
        self.total = self.total.zip(length).map(|(total, length)| total.plus(length));
    }
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
/// 13.4 and older send no Linkedid.  There it is any but a Local channel: those of a member or of a
/// consultation are part of a call, and an originated one has a DialBegin of its own.
pub(super) fn begins_call(channel: &event::Channel<'_>) -> bool {
    let is_unlinked = channel.linkedid.is_empty() && !channel.name.starts_with(b"Local/");
    (channel.linkedid == channel.uid || is_unlinked) && !is_media(channel.name)
}

impl Correlator {
    /// A channel that nobody dialled begins a call.
    pub(super) fn open_call(&mut self, first: ChannelKey) -> CallKey {
        // Whether it has company in a bridge that it is in already was not looked at.
        let is_measured = self.channels.all[first].bridge.last.is_none();
        let total = is_measured.then_some(Span::ZERO);
        let key = self.calls.insert(Call {
            first,
            adopted: false,
            ringing: Ringing::NotYet,
            company: Company { since: None, total },
            leg: None,
            answered: false,
            agent: AgentId::NONE,
            trunk: TrunkId::NONE,
            trunk_answered: false,
            agent_legs: 0,
            first_agent: AgentId::NONE,
            strange_leg: false,
            queue: QueueSide::None,
            ended: false,
        });
        self.channels.all[first].call = Some(key);
        key
    }

    /// The call a channel belongs to: its own, its dialler's, or that of the other half of its
    /// Local channel.
    pub(super) fn find_call(&self, channel: ChannelKey) -> Option<CallKey> {
        let mut key = channel;
        for _ in 0..LINKS {
            let channel = self.channels.all.get(key)?;
            if channel.call.is_some() {
                return channel.call;
            }
            let by = channel.dialled.as_ref().and_then(|dialled| dialled.by);
            key = by.or(channel.rare().peer)?;
        }
        None
    }

    /// The call that a channel began, for what does not decide how it is counted.
    pub(super) fn find_call_begun_by(&mut self, channel: ChannelKey) -> Option<&mut Call> {
        let key = self.channels.all.get(channel)?.call?;
        self.calls.get_mut_unmarked(key).filter(|call| call.first == channel)
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
        // Before 13.5 every new channel looks like a beginning until its DialBegin comes.
        if caller.is_some()
            && let Some(own) = self.channels.all[leg].call.take()
        {
            self.calls.remove(own);
        }

        // The line first, for it decides all that follows.
        self.recognise_trunk(leg, out);
        let identity = &self.channels.all[leg].identity;
        let line = identity.line;

        // Without a Linkedid only its Originate shows that half a Local channel begins a call.
        let is_unlinked = caller.is_none() && identity.linkedid.is_none();
        if is_unlinked && line == Line::Local && self.find_call(leg).is_none() {
            self.open_call(leg);
        }
        let Some(key) = self.find_call(caller.unwrap_or(leg)) else { return };

        // Nobody is at the end of these two: what is behind a Local channel is dialled itself.
        if matches!(line, Line::Local | Line::Media) {
            return;
        }

        if caller.is_some() {
            self.channels.all[leg].call = Some(key);
        }
        let agent = self.ensure_agent_on(leg);
        let Some(call) = self.calls.get_mut(key) else { return };
        call.ringing.begin(at);
        if !call.answered {
            call.leg = Some(Leg { channel: leg, end: None });
        }

        match line {
            Line::Trunk(trunk) => {
                if !call.trunk_answered {
                    call.trunk = trunk;
                }
                self.ensure_trunk(trunk, out);
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

        // A queue's member is the agent, whoever has the phone: the ring attempt has begun the call.
        if self.find_ring(leg).is_none() {
            self.emit_call_began(key, agent, out);
        }
    }

    /// A call that will be `agent`'s if the phone that begins to ring is answered.
    pub(super) fn emit_call_began(&mut self, key: CallKey, agent: AgentId, out: &mut dyn Observe) {
        let Some(call) = self.calls.get(key).copied() else { return };
        let CallLabels { direction, agent, trunk } = self.labels_if_answered(&call, agent);
        self.emit(Observation::CallBegan { direction, agent, trunk }, out);
    }

    /// A dialled leg answered; a queue's legs are connected by AgentConnect instead.
    pub(super) fn call_answered(&mut self, leg: ChannelKey, at: Stamp) {
        let line = self.channels.all[leg].identity.line;
        if self.find_ring(leg).is_some() || matches!(line, Line::Local | Line::Media) {
            return;
        }

        let agent = self.ensure_agent_on(leg);
        self.connect_call(leg, agent, at);
    }

    fn connect_call(&mut self, leg: ChannelKey, agent: AgentId, at: Stamp) {
        let trunk = self.channels.all[leg].trunk();
        let timing = self.timing;
        let Some(key) = self.find_call(leg) else { return };
        if !trunk.is_none() {
            self.calls.mark(key);
        }
        let Some(call) = self.calls.get_mut_unmarked(key) else { return };

        // Of several trunks tried, the one that answered is the call's.
        if !trunk.is_none() && !call.trunk_answered {
            call.trunk = trunk;
            call.trunk_answered = true;
        }

        // An originated leg that answers has somebody at its end, but nobody talks to it yet.
        let is_originated = call.first == leg;
        if !is_originated {
            call.answer(leg, agent, at, timing);
        }
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
        let timing = self.timing;
        if let Some(key) = self.find_call(caller)
            && let Some(call) = self.calls.get_mut_unmarked(key)
        {
            call.answer(leg, agent, at, timing);
        }
    }

    /// A queue let go of the caller.
    pub(super) fn call_unserved(&mut self, caller: ChannelKey, outcome: Outcome) {
        let side = match outcome {
            Outcome::Abandoned => QueueSide::Abandoned,
            _ => QueueSide::Unserved,
        };
        self.set_queue_side(caller, side);
    }

    /// A queue never let the caller in.
    pub(super) fn call_refused(&mut self, caller: ChannelKey) {
        self.set_queue_side(caller, QueueSide::Unserved);
    }

    fn set_queue_side(&mut self, caller: ChannelKey, side: QueueSide) {
        if let Some(call) = self.find_call(caller).and_then(|key| self.calls.get_mut_unmarked(key))
        {
            call.queue = side;
        }
    }

    /// The agent whose device a channel is; the name is interned where no member has the device.
    pub(super) fn ensure_agent_on(&mut self, channel: ChannelKey) -> AgentId {
        self.channels.all[channel].ensure_agent(&mut self.names, self.members.owners())
    }

    /// A trunk is known from now on, and observed the first time.
    pub(super) fn ensure_trunk(&mut self, trunk: TrunkId, out: &mut dyn Observe) {
        if self.trunks.insert(trunk) {
            self.emit(Observation::TrunkKnown { trunk }, out);
        }
    }
}

/// Steps from a leg back to its call: twice the Local channels a chain may have.
const LINKS: usize = 16;
