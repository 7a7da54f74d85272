//! A list of short texts that only grows, and whose copies share what is full.
//!
//! A scrape copies the labels of every series under the lock, however many there are: so they are
//! kept in chunks, of which only the last one is copied.

use std::sync::Arc;

/// Texts in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    full: Vec<Arc<Chunk>>,
    last: Chunk,
}

/// Texts end to end.
#[derive(Clone, Debug, Default)]
struct Chunk {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Adds a text, shorter than 2³² bytes with the rest of its chunk.
    pub(super) fn push(&mut self, text: &str) {
        if self.last.ends.len() == CHUNK {
            self.full.push(Arc::new(std::mem::take(&mut self.last)));
        }
        self.last.text.push_str(text);
        self.last.ends.push(u32::try_from(self.last.text.len()).expect("labels are short"));
    }

    /// The text in a place below [`Self::len`].
    pub(super) fn get(&self, at: usize) -> &str {
        self.full.get(at / CHUNK).map_or(&self.last, Arc::as_ref).get(at % CHUNK)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let full = self.full.iter().map(Arc::as_ref);
        full.chain([&self.last]).flat_map(Chunk::iter)
    }

    pub(super) fn len(&self) -> usize {
        self.full.len() * CHUNK + self.last.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of all texts.
    pub(super) fn bytes(&self) -> usize {
        let full = self.full.iter().map(|chunk| chunk.text.len()).sum::<usize>();
        full + self.last.text.len()
    }
}

impl Chunk {
    fn get(&self, at: usize) -> &str {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[begin as usize..self.ends[at] as usize]
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|at| self.get(at))
    }
}

/// So few that copying the last chunk of every family is nothing, and so many that chunks are few.
const CHUNK: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_what_there_was_and_shares_what_is_full() {
        let text = |number: usize| {
            if number.is_multiple_of(7) { String::new() } else { number.to_string() }
        };
        let mut texts = Texts::default();
        assert!(texts.is_empty());
        for number in 0..1000 {
            texts.push(&text(number));
        }
        let copy = texts.clone();
        texts.push("late");

        assert_eq!((copy.len(), texts.len(), texts.get(1000)), (1000, 1001, "late"));
        assert!((0..1000).all(|at| copy.get(at) == text(at) && texts.get(at) == text(at)));
        assert!(copy.iter().eq((0..1000).map(text)));
        assert_eq!(copy.bytes(), (0..1000).map(|at| text(at).len()).sum::<usize>());
        assert!((0..3).all(|at| Arc::ptr_eq(&copy.full[at], &texts.full[at])));
    }
}
