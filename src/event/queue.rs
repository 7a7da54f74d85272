//! Events of app_queue about callers and the agents rung for them.

use std::time::Duration;

use super::channel::Channel;
use super::field::{each, is_possible, need, number, seconds};
use super::name::Name;
use super::{EventError, Kind};
use crate::ami::frame::Frame;

/// A caller joined.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerJoin<'a> {
    /// The caller.
    pub caller: Channel<'a>,
    /// The queue.
    pub queue: &'a [u8],
}

/// A caller left: before AgentConnect, or last on any other way out.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerLeave<'a> {
    /// The caller.
    pub caller: Channel<'a>,
    /// The queue.
    pub queue: &'a [u8],
}

/// A caller's wait ended without an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerAbandon<'a> {
    /// The caller.
    pub caller: Channel<'a>,
    /// The queue.
    pub queue: &'a [u8],
    /// HoldTime, whole seconds.
    pub hold: Option<Duration>,
}

/// A member was called, or hung up during the announcement.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentCall<'a> {
    /// The caller.
    pub caller: Channel<'a>,
    /// The member's leg.
    pub leg: Channel<'a>,
    /// The queue.
    pub queue: &'a [u8],
    /// Dial string of the member: unique in a queue.
    pub interface: &'a [u8],
    /// The member's name; the interface where it has none.
    pub member: &'a [u8],
}

/// A member took the call.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentConnect<'a> {
    /// Caller, leg, queue and member.
    pub call: AgentCall<'a>,
    /// HoldTime, whole seconds.
    pub hold: Option<Duration>,
    /// RingTime, whole **seconds**; 0 means unknown and is `None`.
    pub ring: Option<Duration>,
}

/// A connected call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentComplete<'a> {
    /// The caller: absent in some 3 % of calls, as it races with the Hangup.
    pub caller: Option<Channel<'a>>,
    /// The agent's leg: may be absent too, and is the phone after a Local channel was optimised
    /// away.
    pub leg: Option<Channel<'a>>,
    /// The queue.
    pub queue: &'a [u8],
    /// Dial string of the member.
    pub interface: &'a [u8],
    /// The member's name.
    pub member: &'a [u8],
    /// HoldTime, whole seconds: AgentConnect's.
    pub hold: Option<Duration>,
    /// TalkTime, whole seconds.
    pub talk: Option<Duration>,
    /// `caller`, `agent`, `transfer`.
    pub reason: &'a [u8],
}

/// A member's leg was not answered.
#[derive(Clone, Debug, PartialEq)]
pub struct RingNoAnswer<'a> {
    /// Caller, leg, queue and member.
    pub call: AgentCall<'a>,
    /// RingTime, **milliseconds**; the configured limit on timeout, 0 if refused at once.
    pub ring: Option<Duration>,
}

pub(super) fn parse<'a>(name: Name, frame: &Frame<'a>) -> Result<Option<Kind<'a>>, EventError> {
    let headers = Headers::read(frame);
    let queue = need(name, "Queue", headers.queue)?;

    Ok(Some(match name {
        Name::QueueCallerJoin => {
            Kind::CallerJoin(CallerJoin { caller: headers.caller(name)?, queue })
        }
        Name::QueueCallerLeave => {
            Kind::CallerLeave(CallerLeave { caller: headers.caller(name)?, queue })
        }
        Name::QueueCallerAbandon => Kind::CallerAbandon(CallerAbandon {
            caller: headers.caller(name)?,
            queue,
            hold: headers.hold,
        }),
        Name::AgentCalled => Kind::AgentCalled(headers.call(name, queue)?),
        Name::AgentDump => Kind::AgentDump(headers.call(name, queue)?),
        Name::AgentConnect => Kind::AgentConnect(AgentConnect {
            call: headers.call(name, queue)?,
            hold: headers.hold,
            // Whole seconds here, milliseconds in AgentRingNoAnswer.
            ring: headers
                .ring
                .filter(|&ring| ring > 0)
                .map(Duration::from_secs)
                .filter(|&ring| is_possible(ring)),
        }),
        Name::AgentRingNoAnswer => Kind::RingNoAnswer(RingNoAnswer {
            call: headers.call(name, queue)?,
            ring: headers.ring.map(Duration::from_millis).filter(|&ring| is_possible(ring)),
        }),
        // It races with both Hangups, and may lack the block of either channel.
        Name::AgentComplete => Kind::AgentComplete(AgentComplete {
            caller: headers.caller.present(),
            leg: headers.leg.present(),
            queue,
            interface: need(name, "Interface", headers.interface)?,
            member: headers.member(),
            hold: headers.hold,
            talk: headers.talk,
            reason: headers.reason,
        }),
        _ => return Ok(None),
    }))
}

/// All headers that any of these events has.
#[derive(Default)]
struct Headers<'a> {
    caller: Channel<'a>,
    leg: Channel<'a>,
    queue: Option<&'a [u8]>,
    interface: Option<&'a [u8]>,
    member: Option<&'a [u8]>,
    hold: Option<Duration>,
    talk: Option<Duration>,
    ring: Option<u64>,
    reason: &'a [u8],
}

impl<'a> Headers<'a> {
    fn read(frame: &Frame<'a>) -> Self {
        let mut this = Self::default();
        each(frame, |key, value| match key {
            b"queue" => this.queue = Some(value),
            b"interface" => this.interface = Some(value),
            b"membername" => this.member = Some(value),
            b"holdtime" => this.hold = seconds(value),
            b"talktime" => this.talk = seconds(value),
            b"ringtime" => this.ring = number(value),
            b"reason" => this.reason = value,
            _ => match key.strip_prefix(b"dest") {
                Some(key) => this.leg.take(key, value),
                None => this.caller.take(key, value),
            },
        });
        this
    }

    fn caller(&self, name: Name) -> Result<Channel<'a>, EventError> {
        self.caller.need(name, "Uniqueid")
    }

    fn member(&self) -> &'a [u8] {
        self.member.or(self.interface).unwrap_or_default()
    }

    fn call(&self, name: Name, queue: &'a [u8]) -> Result<AgentCall<'a>, EventError> {
        Ok(AgentCall {
            caller: self.caller(name)?,
            leg: self.leg.need(name, "DestUniqueid")?,
            queue,
            interface: need(name, "Interface", self.interface)?,
            member: self.member(),
        })
    }
}
