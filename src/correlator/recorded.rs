//! How many recordings of one channel go on.

/// The recordings of one channel.  They end in the order in which they began, for no event says which
/// of several has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfChannel {
    /// How many ever began, and how many are over.
    begun: u32,
    over: u32,
}

impl OfChannel {
    pub(super) const NONE: Self = Self { begun: 0, over: 0 };

    /// Whether any goes on.
    pub(super) const fn is_any(self) -> bool {
        self.count() > 0
    }

    /// How many go on.
    pub(super) const fn count(self) -> u32 {
        self.begun.wrapping_sub(self.over)
    }

    /// Whether the one with that number goes on.
    pub(super) const fn has(self, number: u32) -> bool {
        number.wrapping_sub(self.over) < self.count()
    }

    /// The number of one that begins.
    pub(super) const fn begin(&mut self) -> u32 {
        let number = self.begun;
        self.begun = self.begun.wrapping_add(1);
        number
    }

    /// The oldest is over.  Whether there was any.
    pub(super) const fn end(&mut self) -> bool {
        let is_any = self.is_any();
        if is_any {
            self.over = self.over.wrapping_add(1);
        }
        is_any
    }
}
