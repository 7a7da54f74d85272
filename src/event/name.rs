//! The names of events: those the exporter needs, and those it only counts by name.

use Name::Unneeded;

/// The name of a known event.  All but the last are needed, and called as on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "events are documented at their types")]
pub enum Name {
    AgentCalled,
    AgentComplete,
    AgentConnect,
    AgentDump,
    AgentRingNoAnswer,
    AttendedTransfer,
    BlindTransfer,
    BridgeEnter,
    BridgeLeave,
    ContactStatus,
    CoreShowChannel,
    DeviceStateChange,
    DialBegin,
    DialEnd,
    ExtensionStatus,
    FullyBooted,
    Hangup,
    HangupRequest,
    Hold,
    LocalBridge,
    MixMonitorStart,
    MixMonitorStop,
    Newchannel,
    Newexten,
    OriginateResponse,
    OutboundRegistrationDetail,
    PeerEntry,
    PeerStatus,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    QueueMember,
    QueueMemberAdded,
    QueueMemberPause,
    QueueMemberPenalty,
    QueueMemberRemoved,
    QueueMemberRinginuse,
    QueueMemberStatus,
    QueueParams,
    Registry,
    RegistryEntry,
    Shutdown,
    TestEvent,
    Unhold,
    VarSet,
    /// Known, counted by its place in [`KNOWN`], and not parsed.
    Unneeded,
}

impl Name {
    /// The known event called so and its place in [`KNOWN`].
    pub fn find(name: &[u8]) -> Option<(usize, Self)> {
        let at = usize::from(PLACES[place(name)?]);
        (KNOWN.get(at)?.as_bytes() == name).then(|| (at, NAMES[at]))
    }

    /// Whether the event is parsed.
    pub const fn is_needed(self) -> bool {
        !matches!(self, Unneeded)
    }

    /// The name as on the wire, of an event that is needed.
    pub fn as_str(self) -> &'static str {
        let place = NAMES.iter().position(|&name| name == self && name.is_needed());
        place.map_or("event", |at| KNOWN[at])
    }
}

/// Every event whose name is counted under its own label, sorted; all others are `other`.
pub const KNOWN: &[&str] = &[
    "AgentCalled",
    "AgentComplete",
    "AgentConnect",
    "AgentDump",
    "AgentLogin",
    "AgentLogoff",
    "AgentRingNoAnswer",
    "AttendedTransfer",
    "BlindTransfer",
    "BridgeCreate",
    "BridgeDestroy",
    "BridgeEnter",
    "BridgeLeave",
    "BridgeMerge",
    "Cdr",
    "ContactStatus",
    "CoreShowChannel",
    "DTMFBegin",
    "DTMFEnd",
    "DeviceStateChange",
    "DialBegin",
    "DialEnd",
    "DialState",
    "ExtensionStatus",
    "FullyBooted",
    "Hangup",
    "HangupRequest",
    "Hold",
    "LocalBridge",
    "LocalOptimizationBegin",
    "LocalOptimizationEnd",
    "MixMonitorMute",
    "MixMonitorStart",
    "MixMonitorStop",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "NewCallerid",
    "NewConnectedLine",
    "Newchannel",
    "Newexten",
    "Newstate",
    "OriginateResponse",
    "OutboundRegistrationDetail",
    "ParkedCall",
    "PeerEntry",
    "PeerStatus",
    "Pickup",
    "QueueCallerAbandon",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueEntry",
    "QueueMember",
    "QueueMemberAdded",
    "QueueMemberPause",
    "QueueMemberPenalty",
    "QueueMemberRemoved",
    "QueueMemberRinginuse",
    "QueueMemberStatus",
    "QueueParams",
    "RTCPReceived",
    "RTCPSent",
    "Registry",
    "RegistryEntry",
    "Reload",
    "Rename",
    "Shutdown",
    "SoftHangupRequest",
    "SuccessfulAuth",
    "TestEvent",
    "Unhold",
    "UserEvent",
    "VarSet",
];

/// [`KNOWN`] as names, in the same order.
const NAMES: [Name; KNOWN.len()] = {
    let mut names = [Unneeded; KNOWN.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = needed(KNOWN[at]);
        at += 1;
    }
    names
};

const fn needed(name: &str) -> Name {
    match name.as_bytes() {
        b"AgentCalled" => Name::AgentCalled,
        b"AgentComplete" => Name::AgentComplete,
        b"AgentConnect" => Name::AgentConnect,
        b"AgentDump" => Name::AgentDump,
        b"AgentRingNoAnswer" => Name::AgentRingNoAnswer,
        b"AttendedTransfer" => Name::AttendedTransfer,
        b"BlindTransfer" => Name::BlindTransfer,
        b"BridgeEnter" => Name::BridgeEnter,
        b"BridgeLeave" => Name::BridgeLeave,
        b"ContactStatus" => Name::ContactStatus,
        b"CoreShowChannel" => Name::CoreShowChannel,
        b"DeviceStateChange" => Name::DeviceStateChange,
        b"DialBegin" => Name::DialBegin,
        b"DialEnd" => Name::DialEnd,
        b"ExtensionStatus" => Name::ExtensionStatus,
        b"FullyBooted" => Name::FullyBooted,
        b"Hangup" => Name::Hangup,
        b"HangupRequest" => Name::HangupRequest,
        b"Hold" => Name::Hold,
        b"LocalBridge" => Name::LocalBridge,
        b"MixMonitorStart" => Name::MixMonitorStart,
        b"MixMonitorStop" => Name::MixMonitorStop,
        b"Newchannel" => Name::Newchannel,
        b"Newexten" => Name::Newexten,
        b"OriginateResponse" => Name::OriginateResponse,
        b"OutboundRegistrationDetail" => Name::OutboundRegistrationDetail,
        b"PeerEntry" => Name::PeerEntry,
        b"PeerStatus" => Name::PeerStatus,
        b"QueueCallerAbandon" => Name::QueueCallerAbandon,
        b"QueueCallerJoin" => Name::QueueCallerJoin,
        b"QueueCallerLeave" => Name::QueueCallerLeave,
        b"QueueEntry" => Name::QueueEntry,
        b"QueueMember" => Name::QueueMember,
        b"QueueMemberAdded" => Name::QueueMemberAdded,
        b"QueueMemberPause" => Name::QueueMemberPause,
        b"QueueMemberPenalty" => Name::QueueMemberPenalty,
        b"QueueMemberRemoved" => Name::QueueMemberRemoved,
        b"QueueMemberRinginuse" => Name::QueueMemberRinginuse,
        b"QueueMemberStatus" => Name::QueueMemberStatus,
        b"QueueParams" => Name::QueueParams,
        b"Registry" => Name::Registry,
        b"RegistryEntry" => Name::RegistryEntry,
        b"Shutdown" => Name::Shutdown,
        b"TestEvent" => Name::TestEvent,
        b"Unhold" => Name::Unhold,
        b"VarSet" => Name::VarSet,
        _ => Unneeded,
    }
}

/// Where a name of [`KNOWN`] would be in [`PLACES`]: by its length and four of its bytes.
const fn place(name: &[u8]) -> Option<usize> {
    let [first, second, ..] = name else { return None };
    let (middle, last_but_one) = (name[name.len() / 2], name[name.len() - 2]);
    let bytes = u32::from_le_bytes([*first, *second, middle, last_but_one]);
    let mixed = (bytes ^ name.len() as u32).wrapping_mul(FACTOR);
    Some((mixed >> PLACE_SHIFT) as usize)
}

/// The index in [`KNOWN`] of the name at each place.
static PLACES: [u8; PLACE_COUNT] = {
    let mut places = [NOBODY; PLACE_COUNT];
    let mut at = 0;
    while at < KNOWN.len() {
        let place = place(KNOWN[at].as_bytes()).expect("known names are long enough");
        assert!(places[place] == NOBODY, "two names have one place: choose another factor");
        places[place] = at as u8;
        at += 1;
    }
    places
};

/// With it no two known names have the same place.
const FACTOR: u32 = 0xc2ce_6f45;
const PLACE_COUNT: usize = 1024;
const PLACE_SHIFT: u32 = u32::BITS - PLACE_COUNT.ilog2();
/// No known name has that index.
const NOBODY: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_sorted_and_few_enough_for_a_byte() {
        assert!(KNOWN.is_sorted());
        assert!(KNOWN.len() < usize::from(u8::MAX));
    }

    #[test]
    fn a_name_is_found_by_its_spelling() {
        let (at, name) = Name::find(b"QueueCallerJoin").unwrap();
        assert_eq!((KNOWN[at], name), ("QueueCallerJoin", Name::QueueCallerJoin));
        assert!(!Name::find(b"DialState").unwrap().1.is_needed());
        assert_eq!(Name::find(b"Nonsense"), None);
        assert_eq!(Name::VarSet.as_str(), "VarSet");
    }
}
