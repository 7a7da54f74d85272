//! Things by key that are counted by what they are, and whose counts are kept.
//!
//! Whoever may change a thing leaves a mark, so no change escapes; [`Table::settle`] looks only at
//! what is marked, and says of each thing how it was counted and how it is counted from now on.

use std::ops::{Index, IndexMut};

use slotmap::Key;

use super::slab::Slab;

/// Things `T` by key, each counted as `C` or not at all.
#[derive(Debug)]
pub(super) struct Table<K: Key, T, C> {
    all: Slab<K, Entry<T, C>>,
    marked: Vec<K>,
    /// What was taken out, as it was counted.
    removed: Vec<(K, C)>,
}

#[derive(Debug)]
struct Entry<T, C> {
    thing: T,
    counted: Option<C>,
}

/// How the counting of a thing changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recount<K, C> {
    pub key: K,
    pub before: Option<C>,
    pub now: Option<C>,
}

impl<K: Key, T, C: Copy + PartialEq> Table<K, T, C> {
    pub(super) fn insert(&mut self, thing: T) -> K {
        let key = self.all.insert(Entry { thing, counted: None });
        self.mark(key);
        key
    }

    pub(super) fn remove(&mut self, key: K) -> Option<T> {
        let entry = self.all.remove(key)?;
        self.removed.extend(entry.counted.map(|counted| (key, counted)));
        Some(entry.thing)
    }

    pub(super) fn get(&self, key: K) -> Option<&T> {
        self.all.get(key).map(|entry| &entry.thing)
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        self.mark(key);
        self.get_mut_unmarked(key)
    }

    /// For a change of what is not counted.
    pub(super) fn get_mut_unmarked(&mut self, key: K) -> Option<&mut T> {
        self.all.get_mut(key).map(|entry| &mut entry.thing)
    }

    /// What decides how the thing is counted may have changed outside of it.
    pub(super) fn mark(&mut self, key: K) {
        // One event changes a thing several times in a row.
        if self.marked.last() != Some(&key) {
            self.marked.push(key);
        }
    }

    pub(super) fn contains_key(&self, key: K) -> bool {
        self.all.contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.all.iter().map(|(key, entry)| (key, &entry.thing))
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.all.values().map(|entry| &entry.thing)
    }

    /// Whether nothing is marked.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.marked.is_empty() && self.removed.is_empty()
    }

    /// Works out anew how what is marked is counted, by how it was, and hands each change on.
    #[inline]
    pub(super) fn settle(
        &mut self,
        counts_as: impl Fn(&T, Option<C>) -> Option<C>,
        recount: impl FnMut(Recount<K, C>),
    ) {
        // Most events change nothing here, and emptying two lists takes longer than a look.
        if !self.is_settled() {
            self.settle_marked(counts_as, recount);
        }
    }

    #[inline(never)]
    fn settle_marked(
        &mut self,
        counts_as: impl Fn(&T, Option<C>) -> Option<C>,
        mut recount: impl FnMut(Recount<K, C>),
    ) {
        for (key, before) in self.removed.drain(..) {
            recount(Recount { key, before: Some(before), now: None });
        }
        for &key in &self.marked {
            let Some(entry) = self.all.get_mut(key) else { continue };
            let before = entry.counted;
            let now = counts_as(&entry.thing, before);
            entry.counted = now;
            if before != now {
                recount(Recount { key, before, now });
            }
        }

        self.marked.clear();

        // A restart marks everything at once.
        if self.marked.capacity() > MARKS || self.removed.capacity() > MARKS {
            self.marked.shrink_to(MARKS);
            self.removed.shrink_to(MARKS);
        }
    }
}

impl<K: Key, T, C> Default for Table<K, T, C> {
    fn default() -> Self {
        Self { all: Slab::default(), marked: Vec::new(), removed: Vec::new() }
    }
}

/// Only with a key whose thing is there (`key.rs`).
impl<K: Key, T, C> Index<K> for Table<K, T, C> {
    type Output = T;

    fn index(&self, key: K) -> &T {
        &self.all[key].thing
    }
}

impl<K: Key, T, C: Copy + PartialEq> IndexMut<K> for Table<K, T, C> {
    fn index_mut(&mut self, key: K) -> &mut T {
        self.mark(key);
        &mut self.all[key].thing
    }
}

/// Room for marks that is kept: far more than one event makes.
const MARKS: usize = 256;
