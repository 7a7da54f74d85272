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
    /// The text that it is in.
    text: &'a [u8],
    /// Where it begins.
    start: usize,
    /// Its line feed; a carriage return before it is no part of the line either.
    feed: usize,
}

/// Where a line is, or goes on behind its key, up to its line feed; nowhere by default.
///
/// Frames are limited to far less than four gigabytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    start: u32,
    feed: u32,
}

impl<'a> Lines<'a> {
    /// The lines of `text` in front of `end`, where one of them ends.
    pub(super) fn new(text: &'a [u8], end: usize, marks: &'a [u64]) -> Self {
        let feeds = marks.first().copied().unwrap_or_default();
        Self { text, end, marks, word: 0, feeds, at: 0 }
    }

    /// The value that stands there, if the line was one of these.
    #[inline]
    pub fn value(&self, span: Span) -> Option<&'a [u8]> {
        let Span { start, feed } = span;
        (start != 0).then(|| value(self.text, start as usize, feed as usize))
    }

    /// The line that is there.
    pub fn line(&self, span: Span) -> Line<'a> {
        Line { text: self.text, start: span.start as usize, feed: span.feed as usize }
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
                take(Line { text: self.text, start: self.at, feed });
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
        Some(Line { text: self.text, start, feed })
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
        Some(Line { text: self.text, start, feed })
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
        let end = end(self.text, self.feed);
        self.text.get(self.start..end).unwrap_or_default()
    }

    /// Its first bytes; behind the end of the line stands what comes next.
    #[inline]
    pub fn head<const N: usize>(self) -> [u8; N] {
        let rest = &self.text[self.start..];
        rest.first_chunk().copied().unwrap_or_else(|| short_head(rest))
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
        value(self.text, self.start + key + 1, self.feed)
    }

    /// Where it is.
    #[inline]
    pub const fn span(self) -> Span {
        Span { start: self.start as u32, feed: self.feed as u32 }
    }

    /// Where the line goes on behind that key and its colon.
    #[inline]
    pub const fn span_behind(self, key: usize) -> Span {
        Span { start: (self.start + key + 1) as u32, feed: self.feed as u32 }
    }
}

/// The beginning of a text that is shorter, followed by zeros.
#[cold]
fn short_head<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut head = [0; N];
    head[..text.len()].copy_from_slice(text);
    head
}

/// What stands from `start` to a line feed, without a space before it and the line's end.
#[inline]
fn value(text: &[u8], start: usize, feed: usize) -> &[u8] {
    let has_space = text.get(start) == Some(&b' ');
    text.get(start + usize::from(has_space)..end(text, feed)).unwrap_or_default()
}

/// Where the line with that line feed ends, without a carriage return.
#[inline]
fn end(text: &[u8], feed: usize) -> usize {
    let last = feed.wrapping_sub(1);
    if text.get(last) == Some(&b'\r') { last } else { feed }
}
