//! Things by key, in blocks: what is kept grows with what goes on, and nothing is ever moved.
//!
//! One table that doubles has up to half of its places empty, and all events wait while hundreds of
//! thousands of channels are copied.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use slotmap::{Key, KeyData};

/// Things `T` by key `K`.
#[derive(Debug)]
pub(super) struct Slab<K, T> {
    blocks: Vec<Box<Block<T>>>,
    /// How many places were ever taken: those of all blocks but the end of the last.
    taken: u32,
    /// Places of these that are empty, the one that became so last at the end.
    free: Vec<u32>,
    len: usize,
    key: PhantomData<fn(K) -> K>,
}

/// Places where one thing after the other is.
#[derive(Debug)]
struct Block<T> {
    things: [Option<T>; BLOCK],
    /// Of the thing that is in each place, or will be next: no key of one before it finds another.
    /// Apart from the things, between which they would take twice the room.
    versions: [u32; BLOCK],
}

impl<K: Key, T> Slab<K, T> {
    pub(super) fn insert(&mut self, thing: T) -> K {
        let at = self.free.pop().unwrap_or_else(|| self.take_new());
        let block = &mut self.blocks[block_of(at)];
        block.things[within(at)] = Some(thing);
        self.len += 1;
        key(at, block.versions[within(at)])
    }

    /// A place that was never taken.
    fn take_new(&mut self) -> u32 {
        let at = self.taken;
        self.taken = at.checked_add(1).expect("memory ends before");
        if block_of(at) == self.blocks.len() {
            self.blocks.push(Box::default());
        }
        at
    }

    pub(super) fn remove(&mut self, key: K) -> Option<T> {
        let thing = self.find_mut(key)?.take()?;
        let (at, version) = parts(key);
        self.blocks[block_of(at)].versions[within(at)] = version.wrapping_add(NEXT);
        self.free.push(at);
        self.len -= 1;
        Some(thing)
    }

    #[inline]
    pub(super) fn get(&self, key: K) -> Option<&T> {
        let (at, version) = parts(key);
        let block = self.blocks.get(block_of(at))?;
        let is_it = block.versions[within(at)] == version;
        block.things[within(at)].as_ref().filter(|_| is_it)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        self.find_mut(key)?.as_mut()
    }

    #[inline]
    fn find_mut(&mut self, key: K) -> Option<&mut Option<T>> {
        let (at, version) = parts(key);
        let block = self.blocks.get_mut(block_of(at))?;
        let is_it = block.versions[within(at)] == version;
        is_it.then_some(&mut block.things[within(at)])
    }

    /// The key of the thing that is in a place.
    #[inline]
    pub(super) fn key_at(&self, at: u32) -> K {
        key(at, self.blocks[block_of(at)].versions[within(at)])
    }

    /// The thing that is in a place, if there is one.
    #[inline]
    pub(super) fn at(&self, at: u32) -> Option<&T> {
        self.blocks.get(block_of(at))?.things[within(at)].as_ref()
    }

    pub(super) fn contains_key(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// All of them, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        let places = self.blocks.iter().flat_map(|block| block.things.iter().zip(&block.versions));
        places
            .zip(0..)
            .filter_map(|((thing, &version), at)| Some((key(at, version), thing.as_ref()?)))
    }

    /// The same, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut T)> {
        let places =
            self.blocks.iter_mut().flat_map(|block| block.things.iter_mut().zip(&block.versions));
        places
            .zip(0..)
            .filter_map(|((thing, &version), at)| Some((key(at, version), thing.as_mut()?)))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.iter().map(|(_, thing)| thing)
    }
}

impl<T> Default for Block<T> {
    fn default() -> Self {
        Self { things: [const { None }; BLOCK], versions: [FIRST; BLOCK] }
    }
}

impl<K, T> Default for Slab<K, T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), taken: 0, free: Vec::new(), len: 0, key: PhantomData }
    }
}

/// Only with a key whose thing is there (`key.rs`).
impl<K: Key, T> Index<K> for Slab<K, T> {
    type Output = T;

    #[inline]
    fn index(&self, key: K) -> &T {
        self.get(key).expect("a key that is indexed with has its thing")
    }
}

impl<K: Key, T> IndexMut<K> for Slab<K, T> {
    #[inline]
    fn index_mut(&mut self, key: K) -> &mut T {
        self.get_mut(key).expect("a key that is indexed with has its thing")
    }
}

/// Where the thing of a key is: half as large as the key, for indices that never dangle.
#[inline]
pub(super) fn place_of(key: impl Key) -> u32 {
    parts(key).0
}

/// The place and the version of a key.
#[inline]
fn parts(key: impl Key) -> (u32, u32) {
    let both = key.data().as_ffi();
    (both as u32, (both >> 32) as u32)
}

#[inline]
fn key<K: Key>(at: u32, version: u32) -> K {
    K::from(KeyData::from_ffi(u64::from(version) << 32 | u64::from(at)))
}

#[inline]
const fn block_of(at: u32) -> usize {
    at as usize / BLOCK
}

/// Always within a block, so that no place needs a check.
#[inline]
const fn within(at: u32) -> usize {
    at as usize % BLOCK
}

/// Places of a block: so many empty ones cost nothing.
const BLOCK: usize = 128;
/// Versions are odd, as those of all keys are.
const FIRST: u32 = 1;
const NEXT: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::key::ChannelKey;

    #[test]
    fn a_key_finds_its_own_thing_and_none_that_takes_the_place_later() {
        let mut slab: Slab<ChannelKey, usize> = Slab::default();
        let many = 3 * BLOCK + 1;
        let keys: Vec<_> = (0..many).map(|number| slab.insert(number)).collect();
        for (number, &key) in keys.iter().enumerate() {
            assert_eq!((slab.get(key), slab[key]), (Some(&number), number));
        }
        assert!(keys.is_sorted());
        assert_eq!(slab.keys().collect::<Vec<_>>(), keys);

        // The place that became empty last is taken first.
        assert_eq!((slab.remove(keys[5]), slab.remove(keys[BLOCK])), (Some(5), Some(BLOCK)));
        assert_eq!((slab.remove(keys[5]), slab.get(keys[5]), slab.len()), (None, None, many - 2));
        let again = slab.insert(7);
        assert_eq!((slab.get(again), slab.get(keys[BLOCK])), (Some(&7), None));
        assert!(keys[BLOCK] < again && again < keys[BLOCK + 1]);

        let place = place_of(again);
        assert_eq!((slab.key_at(place), slab.at(place)), (again, Some(&7)));
        assert_eq!(slab.at(5), None);

        for (_, number) in slab.iter_mut() {
            *number += 1;
        }
        assert_eq!((slab.len(), slab[again], slab[keys[0]]), (many - 1, 8, 1));
        assert!(!slab.contains_key(ChannelKey::default()));
        assert_eq!(slab.get_mut(keys[5]), None);
    }
}
