//! What the PBX tells of a member's past: when its last call, its last pause and its place began or
//! ended.

use crate::clock::Moment;

/// Moments of a member, by our clock as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// When the last call of the queue ended.
    pub last_call: Dated,
    /// When the last pause began, or was renewed.
    pub last_pause: Dated,
    /// When the place was taken.
    pub login: Dated,
}

/// A moment that each event of the member repeats.
///
/// It is taken over to our clock once: the same number gives the same moment, though the clocks drift.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dated {
    theirs: Option<Moment>,
    ours: Option<Moment>,
}

impl Dated {
    /// Takes the number of an event or a list, which `to_ours` dates; the moment, if it is a new one.
    pub(super) fn tell(
        &mut self,
        theirs: Option<Moment>,
        to_ours: impl FnOnce(Moment) -> Option<Moment>,
    ) -> Option<Moment> {
        // 0 is never.
        let theirs = theirs.filter(|&theirs| theirs != Moment::EPOCH);
        if theirs == self.theirs && self.ours.is_some() {
            return None;
        }
        self.theirs = theirs;
        self.ours = theirs.and_then(to_ours);
        self.ours
    }

    pub(super) const fn ours(&self) -> Option<Moment> {
        self.ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_dated_once_and_zero_is_never() {
        let at = Moment::from_secs;
        let mut dated = Dated::default();
        assert_eq!(dated.tell(Some(at(7)), |_| None), None);
        assert_eq!(dated.tell(Some(at(7)), |_| Some(at(107))), Some(at(107)));
        assert_eq!(dated.tell(Some(at(7)), |_| Some(at(108))), None);
        assert_eq!(dated.ours(), Some(at(107)));
        assert_eq!(dated.tell(Some(at(0)), Some), None);
        assert_eq!(dated.ours(), None);
        assert_eq!(dated.tell(None, Some), None);
    }
}
