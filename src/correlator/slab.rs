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
    /// All full but the last.
    blocks: Vec<Vec<Place<T>>>,
    /// Places that are empty, the one that became so last at the end.
    free: Vec<u32>,
    len: usize,
    key: PhantomData<fn(K) -> K>,
}

/// Where one thing after the other is.
#[derive(Debug)]
struct Place<T> {
    thing: Option<T>,
    /// Of the thing that is here, or will be next: no key of one before it finds another.
    version: u32,
}

impl<K: Key, T> Slab<K, T> {
    pub(super) fn insert(&mut self, thing: T) -> K {
        self.len += 1;
        if let Some(at) = self.free.pop() {
            let place = &mut self.blocks[block_of(at)][within(at)];
            place.thing = Some(thing);
            return key(at, place.version);
        }

        if self.blocks.last().is_none_or(|last| last.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let full = (self.blocks.len() - 1) * BLOCK;
        let last = self.blocks.last_mut().expect("there is one now");
        let at = u32::try_from(full + last.len()).expect("memory ends before");
        last.push(Place { thing: Some(thing), version: FIRST });
        key(at, FIRST)
    }

    pub(super) fn remove(&mut self, key: K) -> Option<T> {
        let place = self.find_mut(key)?;
        let thing = place.thing.take()?;
        place.version = place.version.wrapping_add(NEXT);
        self.free.push(parts(key).0);
        self.len -= 1;
        Some(thing)
    }

    #[inline]
    pub(super) fn get(&self, key: K) -> Option<&T> {
        let (at, version) = parts(key);
        let place = self.blocks.get(block_of(at))?.get(within(at))?;
        place.thing.as_ref().filter(|_| place.version == version)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        self.find_mut(key)?.thing.as_mut()
    }

    #[inline]
    fn find_mut(&mut self, key: K) -> Option<&mut Place<T>> {
        let (at, version) = parts(key);
        let place = self.blocks.get_mut(block_of(at))?.get_mut(within(at))?;
        (place.version == version).then_some(place)
    }

    pub(super) fn contains_key(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// All of them, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        let places = self.blocks.iter().flatten().zip(0..);
        places.filter_map(|(place, at)| Some((key(at, place.version), place.thing.as_ref()?)))
    }

    /// The same, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut T)> {
        let places = self.blocks.iter_mut().flatten().zip(0..);
        places.filter_map(|(place, at)| Some((key(at, place.version), place.thing.as_mut()?)))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.iter().map(|(_, thing)| thing)
    }
}

impl<K, T> Default for Slab<K, T> {
    fn default() -> Self {
        Self { blocks: Vec::new(), free: Vec::new(), len: 0, key: PhantomData }
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

const fn block_of(at: u32) -> usize {
    at as usize / BLOCK
}

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

        for (_, number) in slab.iter_mut() {
            *number += 1;
        }
        assert_eq!((slab.len(), slab[again], slab[keys[0]]), (many - 1, 8, 1));
        assert!(!slab.contains_key(ChannelKey::default()));
        assert_eq!(slab.get_mut(keys[5]), None);
    }
}
