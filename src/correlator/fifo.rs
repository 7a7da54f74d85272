//! What comes first goes first, in blocks: however much there once was, only what is there now is
//! held.

use std::collections::VecDeque;

/// Things in the order in which they came.
#[derive(Debug)]
pub(super) struct Fifo<T> {
    /// None is empty.
    blocks: VecDeque<VecDeque<T>>,
    len: usize,
}

impl<T> Fifo<T> {
    pub(super) fn push(&mut self, thing: T) {
        if self.blocks.back().is_none_or(|last| last.len() == BLOCK) {
            self.blocks.push_back(VecDeque::with_capacity(BLOCK));
        }
        if let Some(last) = self.blocks.back_mut() {
            last.push_back(thing);
            self.len += 1;
        }
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.blocks.front()?.front()
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let block = self.blocks.front_mut()?;
        let thing = block.pop_front();
        if block.is_empty() {
            self.blocks.pop_front();
        }
        self.len -= 1;
        thing
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Leaves out what is not to be kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&T) -> bool) {
        for thing in std::mem::take(self).blocks.into_iter().flatten() {
            if is_kept(&thing) {
                self.push(thing);
            }
        }
    }
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), len: 0 }
    }
}

/// Things of a block: so many empty places cost nothing.
const BLOCK: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_come_out_in_their_order_and_none_is_held_any_more() {
        let mut fifo = Fifo::default();
        let many = 3 * BLOCK + 1;
        for number in 0..many {
            fifo.push(number);
        }
        assert_eq!((fifo.len(), fifo.first()), (many, Some(&0)));
        assert_eq!(fifo.pop(), Some(0));

        fifo.retain(|number| number % 3 == 1);
        let kept: Vec<_> = (0..many).filter(|number| number % 3 == 1).collect();
        assert_eq!((fifo.len(), fifo.blocks.len()), (kept.len(), kept.len().div_ceil(BLOCK)));
        let out: Vec<_> = std::iter::from_fn(|| fifo.pop()).collect();
        assert_eq!(out, kept);
        assert_eq!((fifo.len(), fifo.blocks.len(), fifo.first()), (0, 0, None));
    }
}
