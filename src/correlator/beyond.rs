//! How many different things were refused, without keeping them.

use hashbrown::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};

/// Counts different things by their hashes: 8 bytes for each, whatever its length, and up to
/// [`MOST`] of them.
#[derive(Clone, Debug, Default)]
pub struct Beyond {
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Beyond {
    /// Whether `thing` is a new one.
    pub fn note(&mut self, thing: impl Hash) -> bool {
        self.seen.len() < MOST && self.seen.insert(self.hasher.hash_one(thing))
    }

    /// How many there were; those behind the first [`MOST`] are not counted.
    pub fn count(&self) -> usize {
        self.seen.len()
    }
}

/// Whoever reads the number then knows that a pattern or a limit is wrong, not by how much.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_and_no_more_than_the_most_are_kept() {
        let mut beyond = Beyond::default();
        assert!(beyond.note("a"));
        assert!(!beyond.note("a"));
        for i in 0..2 * MOST {
            beyond.note(i);
        }
        assert_eq!(beyond.count(), MOST);
        assert!(!beyond.note("z"));
    }
}
