//! Chance that can be repeated: a seed decides everything.

/// SplitMix64.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` up to, not including, `end`.
    pub(crate) fn between(&mut self, least: u32, end: u32) -> u32 {
        least + u32::try_from(self.next() % u64::from(end - least)).expect("less than the end")
    }

    /// One of them.
    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.between(0, u32::try_from(all.len()).expect("a few")) as usize]
    }

    /// Puts them into any order.
    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.between(0, u32::try_from(last).expect("a few") + 1) as usize;
            all.swap(last, other);
        }
    }
}
