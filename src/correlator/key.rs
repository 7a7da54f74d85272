//! Keys of what the correlator tracks: small, and never mistaken for another's once their thing is
//! gone.
//!
//! A key whose thing is gone dangles, and to index with it panics.  Things go in two places only:
//! channels, their stays and rings in `forget` (`channel_events.rs`), which a deadline or a restart calls and
//! no other event, and a caller's counted stays in `prune_stays`.  So whatever an event's own
//! handling looked up may be indexed until its end.  What is kept longer may be indexed only where
//! it is said below; all else takes `get`.  The sequences of `tests/sequences.rs` hold it.

use std::collections::VecDeque;

use slotmap::new_key_type;

new_key_type! {
    /// A channel.
    ///
    /// Lives: what a Uniqueid finds, who is in a bridge, and `Stay::caller`, for `forget` takes a channel from all three.
    /// May dangle: `peer`, `Dialled::by`, the legs and phones of talks and rings, and all that a call holds.
    pub(super) struct ChannelKey;
    /// A stay.
    ///
    /// Lives: `Channel::stays`, for both that end a stay take it from there.
    /// May dangle: `Channel::talk` (the caller may be forgotten while the agent's leg goes on), `Ring::stay`, deadlines.
    pub(super) struct StayKey;
    /// A ring attempt.
    ///
    /// May dangle: `Channel::ring`, so it is asked for by `find_ring`, and deadlines.
    pub(super) struct RingKey;
    /// A call.
    ///
    /// May dangle: `Channel::call`, since a call ends with its first channel and its legs go on, and deadlines.
    pub(super) struct CallKey;
    /// A member.
    ///
    /// Lives: in `Members::places`, among `Members::former`, and with any ring or stay that has it, for a removed member is
    /// dropped when no other speaks of it (`sweep_members`).
    /// May dangle: `LastList`, and deadlines.
    pub(super) struct MemberKey;
}

/// The few keys to look through instead of all there are, oldest first.
///
/// Nothing has to be taken out: keys that do not belong here any more are dropped when the list has
/// doubled.
#[derive(Clone, Debug, Default)]
pub(super) struct Shortlist<K> {
    keys: VecDeque<K>,
    limit: usize,
}

impl<K: Copy> Shortlist<K> {
    pub(super) fn add(&mut self, key: K, belongs: impl Fn(K) -> bool) {
        if self.keys.len() >= self.limit {
            self.keys.retain(|&key| belongs(key));
            self.limit = SHORT.max(2 * self.keys.len());
        }
        self.keys.push_back(key);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = K> {
        self.keys.iter().copied()
    }

    /// The oldest that belongs here; what is before it is dropped.
    pub(super) fn oldest(&mut self, belongs: impl Fn(K) -> bool) -> Option<K> {
        while let Some(&key) = self.keys.front() {
            if belongs(key) {
                return Some(key);
            }
            self.keys.pop_front();
        }
        None
    }
}

/// Not worth looking through.
const SHORT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortlist_is_as_long_as_what_belongs_to_it() {
        let mut list = Shortlist::default();
        for number in 0..10_000 {
            list.add(number, |key| key + 3 > number);
        }
        assert!(list.keys.len() <= SHORT);
        assert_eq!(list.oldest(|key| key >= 9_998), Some(9_998));
        assert_eq!(list.iter().collect::<Vec<_>>(), [9_998, 9_999]);
    }
}
