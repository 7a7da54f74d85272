//! Keys of what the correlator tracks: small, and never mistaken for another's once their thing is
//! gone.
//!
//! A key whose thing is gone dangles, and to index with it panics.  So each type below lists where a
//! kept key lives, and may be indexed with `[]`, and where it may dangle, and must be looked up with
//! `get`.  What is listed nowhere must be looked up, too.
//!
//! Things go in few places.  Channels, their stays and ring attempts go in `forget`
//! (`channel_events.rs`), which only a deadline or a restart calls.  A caller's counted stays go as
//! another one opens (`prune_stays`), removed members once no other has them (`sweep_members`), and a
//! call goes as it ends.  So whatever an event's own handling looked up may be indexed until its end,
//! a call apart.  `tests/sequences.rs` plays events in any order to find where that is wrong.

use std::collections::VecDeque;

use slotmap::{Key, KeyData, new_key_type};

new_key_type! {
    /// A channel.
    ///
    /// Lives: what a Uniqueid finds, who is in a bridge, `Channels::callers`, and `Stay::caller`:
    /// `forget` takes a channel from all four.
    ///
    /// May dangle: `Channel::peer`, `InBridge::swapped_by`, `Dialled::by`, the legs and phones of
    /// talks and ring attempts, all that a call holds, and deadlines.
    pub(super) struct ChannelKey;

    /// A stay.
    ///
    /// Lives: `AsCaller::stays`, for whatever ends a stay takes it from there.
    ///
    /// May dangle: `AsAgent::talk`, since the caller may be forgotten while the agent's leg goes on;
    /// `Ring::stay`, the talks of a member, and deadlines.
    pub(super) struct StayKey;

    /// A ring attempt.
    ///
    /// Lives: the index of `Rings`.
    ///
    /// May dangle: `AsAgent::ring`, so `find_ring` looks it up; `AsCaller::forwarded`, and
    /// deadlines.
    pub(super) struct RingKey;

    /// A call.
    ///
    /// May dangle: `Channel::call`, since a call ends with its first channel and its legs go on, and
    /// deadlines.  So what `find_call` returns is looked up.
    pub(super) struct CallKey;

    /// A member.
    ///
    /// Lives: in `Members::places`, among `Members::former`, and with any ring attempt or stay that
    /// has it, for `sweep_members` drops a removed member only when no other has it.
    ///
    /// May dangle: `LastList`, and deadlines.
    pub(super) struct MemberKey;
}

/// The key that no other comes before: where a range of an index begins.
pub(super) fn first_key<K: Key>() -> K {
    K::from(KeyData::from_ffi(0))
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
    /// Adds a key; `belongs` decides which of the others are still needed, if the list is full.
    pub(super) fn add(&mut self, key: K, belongs: impl Fn(K) -> bool) {
        if self.keys.len() >= self.limit {
            self.keys.retain(|&key| belongs(key));
            self.limit = SHORT.max(2 * self.keys.len());
        }
        self.keys.push_back(key);
    }

    /// All keys, also those that do not belong here any more.
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

/// So few keys cost nothing to look through.
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
