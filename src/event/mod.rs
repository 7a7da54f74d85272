//! Frames to typed events, a file a family.  Everything is borrowed from the frame.
//!
//! An event that is not needed is recognised by its name alone ([`Name::is_needed`]) and never
//! parsed.

mod channel;
mod dial;
mod endpoint;
mod field;
mod headers;
mod layout;
mod list;
mod member;
mod name;
mod queue;
mod system;
mod voice;

pub use channel::{Channel, Hangup, NewExten, VarSet, VoiceReport};
pub use dial::{
    AttendedTransfer, BlindTransfer, BridgeEnter, BridgeLeave, Dial, DialEnd, IntoQueue,
    LocalBridge, OriginateResponse,
};
pub use endpoint::{
    ContactStatus, DeviceState, ListedDevice, ListedPeer, ListedRegistration, PeerChange,
    PeerStatus, Registered, Registry,
};
pub use field::LONGEST;
pub use headers::timestamp;
use headers::{Headers, Key};
use layout::Layout;
pub use list::{Listed, ListedChannel, ListedEntry, ListedQueue};
pub use member::{Hint, Member, MemberChange};
pub use name::{KNOWN, Name};
pub use queue::{
    AgentCall, AgentComplete, AgentConnect, CallerAbandon, CallerJoin, CallerLeave, RingNoAnswer,
};
pub use voice::{Stream, Voice};

use crate::ami::frame::Frame;
use crate::clock::Moment;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// The PBX's own time (`timestampevents=yes`), taken as it renders the event.
    pub at: Option<Moment>,
    /// What happened.
    pub kind: Kind<'a>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// A channel was created.
    NewChannel(Channel<'a>),
    /// A channel ended.
    Hangup(Hangup<'a>),
    /// The far end of the channel hung up.
    HangupRequest(Channel<'a>),
    /// The channel runs the next step of the dialplan.
    NewExten(NewExten<'a>),
    /// QUEUESTATUS or QUEUEPOSITION was set.
    VarSet(VarSet<'a>),
    /// RTPAUDIOQOS was set: what was measured of the channel's sound.
    Voice(VoiceReport<'a>),
    /// A leg is being called.
    DialBegin(Dial<'a>),
    /// The calling of a leg ended; many legs have two of these.
    DialEnd(DialEnd<'a>),
    /// A channel entered a bridge.
    BridgeEnter(BridgeEnter<'a>),
    /// A channel left a bridge.
    BridgeLeave(BridgeLeave<'a>),
    /// Two halves of a Local channel.
    LocalBridge(LocalBridge<'a>),
    /// The channel pressed hold.
    Hold(Channel<'a>),
    /// The channel ended hold.
    Unhold(Channel<'a>),
    /// A blind transfer was tried.
    BlindTransfer(BlindTransfer<'a>),
    /// An attended transfer was tried.
    AttendedTransfer(AttendedTransfer<'a>),
    /// An asynchronous Originate ended.
    OriginateResponse(OriginateResponse<'a>),
    /// A caller joined a queue.
    CallerJoin(CallerJoin<'a>),
    /// A caller left a queue, to an agent or not.
    CallerLeave(CallerLeave<'a>),
    /// A caller's wait ended without an agent; the caller may not have abandoned.
    CallerAbandon(CallerAbandon<'a>),
    /// A member's leg was called.
    AgentCalled(AgentCall<'a>),
    /// A member took the call.
    AgentConnect(AgentConnect<'a>),
    /// A connected call ended.
    AgentComplete(AgentComplete<'a>),
    /// The agent hung up during the announcement; the caller waits on.
    AgentDump(AgentCall<'a>),
    /// A member's leg was not answered, or was refused.
    RingNoAnswer(RingNoAnswer<'a>),
    /// A member of a queue changed.
    Member(Member<'a>),
    /// The state of some device changed.
    DeviceState,
    /// The devices that an extension's hint watches.
    Hint(Hint<'a>),
    /// A recording began.
    RecordingStart(Channel<'a>),
    /// A recording was stopped.
    RecordingStop(Channel<'a>),
    /// A recording's file was closed (test framework builds only); its path.
    RecordingEnd(&'a [u8]),
    /// Asterisk is up since so many seconds; also sent at login.
    FullyBooted {
        /// Whole seconds; `None` if it cannot be true.
        uptime: Option<u64>,
    },
    /// Asterisk goes down.
    Shutdown,
    /// An outbound registration changed, or was renewed.
    Registry(Registry<'a>),
    /// A peer or endpoint changed.
    PeerStatus(PeerStatus<'a>),
    /// A contact of an endpoint changed.
    ContactStatus(ContactStatus<'a>),
    /// An item of a list that was asked for.
    Listed {
        /// ActionID of the action that asked for the list.
        action_id: &'a [u8],
        /// The item.
        item: Listed<'a>,
    },
}

/// Reads the events of one PBX, and learns in which order their headers come.
#[derive(Debug, Default)]
pub struct Reader {
    /// By name.
    layouts: Vec<Layout>,
}

/// Why a needed event could not be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EventError {
    /// A header that the event cannot do without is absent or empty.
    #[error("event {event} has no {header} header")]
    Missing {
        /// Name of the event.
        event: &'static str,
        /// Key of the header.
        header: &'static str,
    },
}

impl EventError {
    /// The label value.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "incomplete",
        }
    }
}

impl<'a> Event<'a> {
    /// Reads the frame of a single event, as [`Reader::read`] does.
    ///
    /// # Errors
    /// A header the event cannot do without is missing.
    pub fn parse(name: Name, frame: &Frame<'a>) -> Result<Option<Self>, EventError> {
        Reader::default().read(name, frame)
    }
}

impl Reader {
    /// Reads the frame of an event called `name`; `None` if it is not needed.
    ///
    /// # Errors
    /// A header the event cannot do without is missing.
    pub fn read<'a>(
        &mut self,
        name: Name,
        frame: &Frame<'a>,
    ) -> Result<Option<Event<'a>>, EventError> {
        // Most events of a PBX are of no use: they are dropped before their headers are read.
        let is_unneeded = !name.is_needed()
            || channel::is_unwanted(name, frame)
            || system::is_unwanted(name, frame);
        if is_unneeded {
            return Ok(None);
        }

        let mut headers = Headers::new(frame);
        headers.read(self.layout(name));
        match name {
            Name::Newchannel
            | Name::HangupRequest
            | Name::Hold
            | Name::Unhold
            | Name::MixMonitorStart
            | Name::MixMonitorStop
            | Name::Hangup
            | Name::Newexten
            | Name::VarSet => channel::parse(name, &headers),
            Name::DialBegin
            | Name::DialEnd
            | Name::BridgeEnter
            | Name::BridgeLeave
            | Name::LocalBridge
            | Name::BlindTransfer
            | Name::AttendedTransfer
            | Name::OriginateResponse => dial::parse(name, &headers),
            Name::QueueCallerJoin
            | Name::QueueCallerLeave
            | Name::QueueCallerAbandon
            | Name::AgentCalled
            | Name::AgentConnect
            | Name::AgentComplete
            | Name::AgentDump
            | Name::AgentRingNoAnswer => queue::parse(name, &headers),
            Name::QueueMemberStatus
            | Name::QueueMemberAdded
            | Name::QueueMemberRemoved
            | Name::QueueMemberPause
            | Name::QueueMemberPenalty
            | Name::QueueMemberRinginuse
            | Name::ExtensionStatus => member::parse(name, &headers),
            // It is an item of DeviceStateList as well.
            Name::DeviceStateChange if headers.find(Key::ActionId).is_some() => {
                list::parse(name, &headers)
            }
            Name::DeviceStateChange | Name::TestEvent | Name::FullyBooted | Name::Shutdown => {
                Ok(system::parse(name, &headers))
            }
            Name::Registry | Name::PeerStatus | Name::ContactStatus => {
                endpoint::parse(name, &headers)
            }
            Name::QueueParams
            | Name::QueueMember
            | Name::QueueEntry
            | Name::CoreShowChannel
            | Name::RegistryEntry
            | Name::PeerEntry
            | Name::OutboundRegistrationDetail => list::parse(name, &headers),
            Name::Unneeded => Ok(None),
        }
    }

    fn layout(&mut self, name: Name) -> &mut Layout {
        let at = name as usize;
        if self.layouts.len() <= at {
            self.layouts.resize_with(at + 1, Layout::default);
        }
        &mut self.layouts[at]
    }
}

#[cfg(test)]
mod tests;
