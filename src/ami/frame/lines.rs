//! Where lines end: one bit a byte, found for 64 bytes at once.
//!
//! Most lines are shorter than 30 bytes, so looking for each line end on its own would cost more
//! than the bytes themselves.

use std::fmt;

use wide::u8x16;

/// How many bytes one word of marks stands for.
pub(super) const BLOCK: usize = 64;

/// A word with bit `i` set where byte `i` is a line feed.
pub(super) fn line_feeds(block: &[u8; BLOCK]) -> u64 {
    let (lanes, _) = block.as_chunks::<16>();
    let marks = |lane: usize| {
        let found = u8x16::new(lanes[lane]).simd_eq(u8x16::splat(b'\n'));
        u64::from(found.to_bitmask()) << (16 * lane)
    };
    marks(0) | marks(1) | marks(2) | marks(3)
}

/// The same of less than a block.
pub(super) fn line_feeds_of_rest(rest: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    line_feeds(&block)
}

/// The lines of a frame, in order.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    /// From the first line on, and more than the frame.
    text: &'a [u8],
    /// Behind the last line's end.
    end: usize,
    /// Line feeds of `text`, [`BLOCK`] bytes a word; what they say behind `end` means nothing.
    marks: &'a [u64],
    /// The word that `feeds` comes from.
    word: usize,
    /// The marks of that word that were not used yet.
    feeds: u64,
    /// Where the next line begins.
    at: usize,
}

/// One line.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// From the beginning of the line on, and more than the line.
    rest: &'a [u8],
    /// Without the line feed; a carriage return before it is no part of the line either.
    len: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `text` in front of `end`, where one of them ends.
    pub(super) fn new(text: &'a [u8], end: usize, marks: &'a [u64]) -> Self {
        let feeds = marks.first().copied().unwrap_or_default();
        Self { text, end, marks, word: 0, feeds, at: 0 }
    }

    /// Calls `take` with each line: the same as a loop over them, in half the time.
    #[inline]
    pub fn each(mut self, mut take: impl FnMut(Line<'a>)) {
        loop {
            let base = self.word * BLOCK;
            while self.feeds != 0 {
                let feed = base + self.feeds.trailing_zeros() as usize;
                if feed >= self.end {
                    return;
                }
                self.feeds &= self.feeds - 1;
                take(Line { rest: &self.text[self.at..], len: feed - self.at });
                self.at = feed + 1;
            }
            self.word += 1;
            let Some(&feeds) = self.marks.get(self.word) else { return };
            self.feeds = feeds;
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Line<'a>> {
        while self.feeds == 0 {
            self.word += 1;
            self.feeds = *self.marks.get(self.word)?;
        }
        let feed = self.word * BLOCK + self.feeds.trailing_zeros() as usize;
        if feed >= self.end {
            return None;
        }

        self.feeds &= self.feeds - 1;
        let start = std::mem::replace(&mut self.at, feed + 1);
        Some(Line { rest: &self.text[start..], len: feed - start })
    }
}

impl DoubleEndedIterator for Lines<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.end <= self.at {
            return None;
        }
        let feed = self.end - 1;
        // The line begins behind the line feed before it.
        let mut word = feed / BLOCK;
        let mut feeds = self.marks.get(word)? & !(u64::MAX << (feed % BLOCK));
        while feeds == 0 && word > 0 {
            word -= 1;
            feeds = self.marks[word];
        }
        let before = word * BLOCK + BLOCK - feeds.leading_zeros() as usize;
        let start = before.max(self.at);

        self.end = start;
        Some(Line { rest: &self.text[start..], len: feed - start })
    }
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.map(|line| line.text().escape_ascii().to_string())).finish()
    }
}

impl<'a> Line<'a> {
    /// The line, without its end.
    #[inline]
    pub fn text(self) -> &'a [u8] {
        self.rest.get(..self.end()).unwrap_or_default()
    }

    /// Where it ends, without a carriage return.
    #[inline]
    fn end(self) -> usize {
        let last = self.len.wrapping_sub(1);
        if self.rest.get(last) == Some(&b'\r') { last } else { self.len }
    }

    /// Its first bytes; behind the end of the line stands what comes next.
    #[inline]
    pub fn head<const N: usize>(self) -> [u8; N] {
        self.rest.first_chunk().copied().unwrap_or_else(|| self.short_head())
    }

    /// The same where fewer bytes are left: followed by zeros.
    #[cold]
    fn short_head<const N: usize>(self) -> [u8; N] {
        let mut head = [0; N];
        head[..self.rest.len()].copy_from_slice(self.rest);
        head
    }

    /// What stands behind `key` and a colon, if the line begins with them in any case.
    #[inline]
    pub fn value_of(self, key: &str) -> Option<&'a [u8]> {
        let line = self.text();
        // Most lines are told apart by the first byte.
        let first = key.as_bytes().first()?;
        if !line.first()?.eq_ignore_ascii_case(first) || line.get(key.len()) != Some(&b':') {
            return None;
        }
        let found = &line[..key.len()];
        found.eq_ignore_ascii_case(key.as_bytes()).then(|| self.value_behind(key.len()))
    }

    /// What stands behind the first `key` bytes, a colon and a space: values may begin with more
    /// spaces.
    #[inline]
    pub fn value_behind(self, key: usize) -> &'a [u8] {
        let start = key + 1;
        let has_space = self.rest.get(start) == Some(&b' ');
        self.rest.get(start + usize::from(has_space)..self.end()).unwrap_or_default()
    }
}
