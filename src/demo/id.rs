//! The keys of the state.

/// Counts channels from the start of the PBX; the second half of a Uniqueid.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct ChannelId(pub(super) u32);

/// Counts bridges.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct BridgeId(pub(super) u32);

/// A place in `AGENTS`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct AgentId(pub(super) usize);

/// A place in `QUEUES`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct QueueId(pub(super) usize);

/// A place in `TRUNKS`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct TrunkId(pub(super) usize);

/// A place in a queue's members.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct MemberId(pub(super) usize);

/// One passage of a caller through a queue.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct StayId(pub(super) u32);

/// A connected call of a queue.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct TalkId(pub(super) u32);

/// A `Dial()` that goes on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct DialId(pub(super) u32);
