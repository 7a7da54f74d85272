//! Which line follows which in the events of one name, as it was in those that came before.
//!
//! One Asterisk writes the headers of an event nearly always in the same order, so most lines are
//! the expected ones.  What is learned is no more than a guess: a line is taken for a known one only
//! if it begins with the same key, byte for byte, so the same headers are found whatever was learned.

use crate::ami::frame::Line;

/// The lines of the events of one name, in order.
#[derive(Debug, Default)]
pub(super) struct Layout {
    lines: Vec<Known>,
}

/// A line that was recognised before.
#[derive(Debug)]
pub(super) struct Known {
    /// Its key with the colon, eight bytes a word; zeros behind it.
    words: [u64; WORDS],
    pub(super) recognised: Recognised,
}

/// What the beginning of a line is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recognised {
    /// How many bytes decide it: the key and its colon, or all that are looked at.
    pub(super) len: u8,
    /// Where the line's value is kept.
    pub(super) slot: u8,
}

/// The first bytes of a line, for comparing.
pub(super) struct Head([u8; HEAD]);

impl Head {
    #[inline]
    pub(super) fn of(line: Line<'_>) -> Self {
        Self(line.head())
    }

    /// Eight bytes each, the first one lowest.
    #[inline]
    pub(super) const fn words(&self) -> [u64; WORDS] {
        let (words, _) = self.0.as_chunks();
        [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]), u64::from_le_bytes(words[2])]
    }

    /// One of them.
    #[inline]
    pub(super) const fn byte(&self, at: usize) -> u8 {
        self.0[at]
    }

    /// Length of its key with the colon; of all bytes if the key is longer.
    pub(super) fn key_len(&self) -> u8 {
        self.0.iter().position(|&byte| byte == b':').map_or(HEAD, |colon| colon + 1) as u8
    }
}

impl Layout {
    /// The line that is expected at that place.
    #[inline]
    pub(super) fn at(&self, at: usize) -> Option<&Known> {
        self.lines.get(at)
    }

    /// Learns from a line that was not expected at `at`; what is expected next is there, behind lines
    /// that are absent this time, or where it was.
    pub(super) fn go_on(&mut self, at: usize, head: &Head, line: Recognised) -> usize {
        let ahead = self.lines.get(at..).unwrap_or_default();
        if let Some(absent) = ahead.iter().position(|known| known.begins(head)) {
            return at + absent + 1;
        }
        // Any key may come, but no event of Asterisk has so many.
        if self.lines.len() == LINES {
            return at;
        }
        self.lines.insert(at, Known::new(head, line));
        at + 1
    }
}

impl Known {
    fn new(head: &Head, recognised: Recognised) -> Self {
        let mut words = head.words();
        for (word, mask) in words.iter_mut().zip(MASKS[usize::from(recognised.len)]) {
            *word &= mask;
        }
        Self { words, recognised }
    }

    /// Whether a line begins as this one did.
    #[inline]
    pub(super) fn begins(&self, head: &Head) -> bool {
        let masks = &MASKS[usize::from(self.recognised.len) % MASKS.len()];
        let [a, b, c] = head.words();
        // All words at once: what is looked up for nothing costs less than a branch.
        let different = (a & masks[0] ^ self.words[0])
            | (b & masks[1] ^ self.words[1])
            | (c & masks[2] ^ self.words[2]);
        different == 0
    }
}

/// Which bytes of the words count, by their number; a power of two of them needs no check.
static MASKS: [[u64; WORDS]; 32] = {
    let mut masks = [[0; WORDS]; 32];
    let mut len = 1;
    while len <= HEAD {
        masks[len] = masks[len - 1];
        masks[len][(len - 1) / 8] |= 0xff << (8 * ((len - 1) % 8));
        len += 1;
    }
    masks
};

/// Enough for the longest key that is needed.
pub(super) const WORDS: usize = 3;
pub(super) const HEAD: usize = 8 * WORDS;
/// The largest event has some 40 lines.
const LINES: usize = 64;
