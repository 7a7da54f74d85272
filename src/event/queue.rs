//! Events of app_queue about callers and the agents rung for them.

use std::time::Duration;

use super::channel::Channel;
use super::field::{is_possible, need, number, seconds};
use super::headers::{Headers, Key};
use super::name::Name;
use super::{Event, EventError, Kind};

/// A caller joined.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerJoin<'a> {
    /// The caller.
    pub caller: Channel<'a>,
    /// The queue.
    pub queue: &'a [u8],
    /// Position, from 1.
    pub position: Option<u32>,
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
    /// Position, from 1: as queue_log's ABANDON has it.
    pub position: Option<u32>,
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

pub(super) fn parse<'a>(
    name: Name,
    headers: &Headers<'a>,
) -> Result<Option<Event<'a>>, EventError> {
    let queue = need(name, "Queue", headers.get(Key::Queue))?;
    let caller = || Channel::own(headers).need(name, "Uniqueid");
    let interface = || need(name, "Interface", headers.get(Key::Interface));
    let call = || {
        Ok(AgentCall {
            caller: caller()?,
            leg: Channel::dest(headers).need(name, "DestUniqueid")?,
            queue,
            interface: interface()?,
            member: member(headers),
        })
    };
    let hold = || seconds(headers.get(Key::HoldTime));
    let ring = || number(headers.get(Key::RingTime));
    // Few events have it, so it is not among the keys that every frame is read for.
    let position = || {
        let position = headers.search("Position").and_then(number);
        position.filter(|position| (1..=LAST).contains(position))
    };

    Ok(headers.event(match name {
        Name::QueueCallerJoin => {
            Kind::CallerJoin(CallerJoin { caller: caller()?, queue, position: position() })
        }
        Name::QueueCallerLeave => Kind::CallerLeave(CallerLeave { caller: caller()?, queue }),
        Name::QueueCallerAbandon => {
            let (caller, hold, position) = (caller()?, hold(), position());
            Kind::CallerAbandon(CallerAbandon { caller, queue, hold, position })
        }
        Name::AgentCalled => Kind::AgentCalled(call()?),
        Name::AgentDump => Kind::AgentDump(call()?),
        Name::AgentConnect => Kind::AgentConnect(AgentConnect {
            call: call()?,
            hold: hold(),
            // Whole seconds here, milliseconds in AgentRingNoAnswer.
            ring: ring()
                .filter(|&ring| ring > 0)
                .map(Duration::from_secs)
                .filter(|&ring| is_possible(ring)),
        }),
        Name::AgentRingNoAnswer => Kind::RingNoAnswer(RingNoAnswer {
            call: call()?,
            ring: ring().map(Duration::from_millis).filter(|&ring| is_possible(ring)),
        }),
        // It races with both Hangups, and may lack the block of either channel.
        Name::AgentComplete => Kind::AgentComplete(AgentComplete {
            caller: Channel::own(headers).present(),
            leg: Channel::dest(headers).present(),
            queue,
            interface: interface()?,
            member: member(headers),
            hold: hold(),
            talk: seconds(headers.get(Key::TalkTime)),
            reason: headers.get(Key::Reason),
        }),
        _ => return Ok(None),
    }))
}

/// The member's name; the interface where it has none.
fn member<'a>(headers: &Headers<'a>) -> &'a [u8] {
    headers.find(Key::MemberName).unwrap_or(headers.get(Key::Interface))
}

/// No queue is longer.
const LAST: u32 = 100_000;
