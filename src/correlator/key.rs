//! Keys of what the correlator tracks: small, and never mistaken for another's once their thing is gone.

use slotmap::new_key_type;

new_key_type! {
    /// A channel.
    pub(super) struct ChannelKey;
    /// A stay.
    pub(super) struct StayKey;
    /// A ringing.
    pub(super) struct RingKey;
    /// A call.
    pub(super) struct CallKey;
    /// A member.
    pub(super) struct MemberKey;
}
