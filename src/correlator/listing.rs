//! A QueueStatus list in mid-session: what events reported while it was on its way, and where two
//! lists in a row disagree with the events.
//!
//! Events are newer than the list they come beside, so what they touched is left alone.  What a list
//! alone says is believed only if the next one repeats it: under load 22.10 sends a Join seconds
//! behind the list that has its caller.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::key::StayKey;
use super::member::Place;
use super::names::QueueId;
use super::observation::Anomaly;

/// What is kept from one list to the next, and while one is on its way.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// While a list is on its way.
    touched: Option<Touched>,
    drift: Drift,
    /// Members that were taken from the list, unless an event of them comes soon: under load an event
    /// comes up to 112 ms behind a list that shows what it reports (18.26 and 23.5).
    unreported: BTreeMap<Place, Anomaly>,
}

/// What events reported since the list began.
#[derive(Debug, Default)]
struct Touched {
    stays: HashSet<StayKey>,
    members: HashSet<Place>,
    /// They were more than are kept, so it may have been any.
    any: bool,
}

/// Where a list and the events disagree on the callers who wait.
#[derive(Debug, Default)]
pub(super) struct Drift {
    /// Listed, and no event has reported it: Uniqueid and queue.
    appeared: HashSet<(Box<[u8]>, QueueId)>,
    /// Known to wait, and not listed.
    missed: HashSet<StayKey>,
}

impl Touched {
    /// Whether one more may be kept: a list that does not end must not use up the memory.
    fn has_room(&mut self) -> bool {
        self.any |= self.stays.len() + self.members.len() >= TOUCHED;
        !self.any
    }
}

impl Listing {
    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.touched = Some(Touched::default());
    }

    /// It was applied, or will not come to its end.
    pub(super) fn end(&mut self) {
        self.touched = None;
    }

    /// A session begins: no list of the one before is compared with its lists.
    pub(super) fn begin_session(&mut self) {
        self.drift = Drift::default();
        self.unreported.clear();
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.touched.is_none()
            && self.unreported.is_empty()
            && self.drift.appeared.is_empty()
            && self.drift.missed.is_empty()
    }

    /// An event spoke of a stay: no list knows better.
    pub(super) fn touch_stay(&mut self, key: StayKey) {
        self.drift.missed.remove(&key);
        if let Some(touched) = &mut self.touched
            && touched.has_room()
        {
            touched.stays.insert(key);
        }
    }

    /// An event of a member came.
    pub(super) fn note_member_event(&mut self, place: impl FnOnce() -> Place) {
        if self.touched.is_none() && self.unreported.is_empty() {
            return;
        }
        let place = place();
        self.unreported.remove(&place);
        self.touch_member(|| place);
    }

    /// A list shows of a member what no event has reported.
    pub(super) fn note_unreported(&mut self, place: Place, anomaly: Anomaly) {
        self.unreported.insert(place, anomaly);
    }

    /// Whether lists show of members what no event has reported.
    pub(super) fn has_unreported(&self) -> bool {
        !self.unreported.is_empty()
    }

    /// What no event has reported until now.
    pub(super) fn take_unreported(&mut self) -> impl Iterator<Item = Anomaly> + use<> {
        std::mem::take(&mut self.unreported).into_values()
    }

    /// A member was changed.
    pub(super) fn touch_member(&mut self, place: impl FnOnce() -> Place) {
        if let Some(touched) = &mut self.touched
            && touched.has_room()
        {
            touched.members.insert(place());
        }
    }

    /// Whether an event spoke of the stay since the list began.
    pub(super) fn has_touched_stay(&self, key: StayKey) -> bool {
        self.touched.as_ref().is_some_and(|touched| touched.any || touched.stays.contains(&key))
    }

    /// Whether an event changed the member since the list began.
    pub(super) fn has_touched_member(&self, place: &Place) -> bool {
        let touched = self.touched.as_ref();
        touched.is_some_and(|touched| touched.any || touched.members.contains(place))
    }

    /// What the list before disagreed on; from now on this one's is noted.
    pub(super) fn next_drift(&mut self) -> Drift {
        std::mem::take(&mut self.drift)
    }

    /// A caller is listed, and no event has reported it.  Whether the list before had it as well.
    pub(super) fn was_appearing(&mut self, last: &Drift, uid: &[u8], queue: QueueId) -> bool {
        let caller = (uid.into(), queue);
        let before = last.appeared.contains(&caller);
        if !before {
            self.drift.appeared.insert(caller);
        }
        before
    }

    /// A caller waits, and is not listed.  Whether the list before did not have it either.
    pub(super) fn was_missed(&mut self, last: &Drift, key: StayKey) -> bool {
        let before = last.missed.contains(&key);
        if !before {
            self.drift.missed.insert(key);
        }
        before
    }
}

/// Stays and members of which events come beside one list: some seconds' worth of a large PBX.
const TOUCHED: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_appeared_when_two_lists_in_a_row_have_it() {
        let mut listing = Listing::default();
        let queue = QueueId::default();
        let mut list = |uids: &[&[u8]]| {
            let last = listing.next_drift();
            uids.iter().map(|uid| listing.was_appearing(&last, uid, queue)).collect::<Vec<_>>()
        };
        assert_eq!(list(&[b"1.1"]), [false]);
        assert_eq!(list(&[b"1.1", b"1.2"]), [true, false]);
        assert_eq!(list(&[]), [false; 0]);
        assert_eq!(list(&[b"1.2"]), [false]);
    }

    #[test]
    fn where_too_much_was_touched_it_may_have_been_anything() {
        let mut listing = Listing::default();
        listing.begin();
        let touch = |listing: &mut Listing, number: usize| {
            listing.touch_member(|| (QueueId::default(), number.to_string().as_bytes().into()));
        };
        let untouched = (QueueId::default(), Box::from(*b"x"));
        (0..TOUCHED).for_each(|number| touch(&mut listing, number));
        assert!(!listing.has_touched_member(&untouched));
        assert!(!listing.has_touched_stay(StayKey::default()));

        touch(&mut listing, TOUCHED);
        assert!(listing.has_touched_member(&untouched));
        assert!(listing.has_touched_stay(StayKey::default()));
        assert_eq!(listing.touched.as_ref().map(|touched| touched.members.len()), Some(TOUCHED));
    }

    #[test]
    fn an_event_makes_the_list_before_forget_the_stay() {
        let mut listing = Listing::default();
        let key = StayKey::default();
        let last = listing.next_drift();
        assert!(!listing.was_missed(&last, key));
        listing.touch_stay(key);
        let last = listing.next_drift();
        assert!(!listing.was_missed(&last, key));
        let last = listing.next_drift();
        assert!(listing.was_missed(&last, key));
    }

    #[test]
    fn only_what_comes_while_a_list_is_on_its_way_is_touched() {
        let mut listing = Listing::default();
        let place = || (QueueId::default(), Box::from(*b"sip/201"));
        listing.touch_member(place);
        assert!(!listing.has_touched_member(&place()));
        listing.begin();
        listing.touch_member(place);
        listing.touch_stay(StayKey::default());
        assert!(listing.has_touched_member(&place()));
        listing.end();
        assert!(!listing.has_touched_member(&place()));
        assert!(!listing.has_touched_stay(StayKey::default()));
    }
}
