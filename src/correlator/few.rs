//! Nearly always one thing, which needs no memory of its own.

use std::ops::Deref;

/// Things in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) enum Few<T> {
    #[default]
    None,
    One(T),
    #[expect(clippy::box_collection, reason = "a list is three times as large as a box of it")]
    Several(Box<Vec<T>>),
}

impl<T> Few<T> {
    pub(super) fn push(&mut self, thing: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(thing),
            Self::One(first) => Self::Several(Box::new(vec![first, thing])),
            Self::Several(mut all) => {
                all.push(thing);
                Self::Several(all)
            }
        };
    }

    /// Leaves out what is not to be kept.
    pub(super) fn retain(&mut self, mut is_kept: impl FnMut(&T) -> bool) {
        match self {
            Self::None => {}
            Self::One(thing) if is_kept(thing) => {}
            Self::One(_) => *self = Self::None,
            Self::Several(all) => all.retain(is_kept),
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(thing) => std::slice::from_ref(thing),
            Self::Several(all) => all,
        }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::key::StayKey;

    #[test]
    fn things_stay_in_their_order_however_many_there_are() {
        let mut few = Few::default();
        assert!(few.is_empty());
        for number in 0..4 {
            few.push(number);
        }
        few.retain(|number| number % 2 == 1);
        assert_eq!(*few, [1, 3]);
        few.retain(|_| false);
        few.push(5);
        assert_eq!(*few, [5]);

        let mut one = Few::One(1);
        one.retain(|_| true);
        assert_eq!(*one, [1]);
        one.retain(|_| false);
        assert!(one.is_empty());
        assert_eq!(size_of::<Few<StayKey>>(), 16);
    }
}
