//! When the lists of trunks and phones are asked for: one after the other behind the snapshot, and
//! rarely again, since events say what changes in between.
//!
//! A list costs nothing but itself.  One that is refused, because its channel driver is not loaded, or
//! that has no end, is not asked for again in the session.  One during which the session ended may be
//! what ended it: a PBX answers nothing else while it makes a list.  So it is left alone for a while,
//! longer each time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::correlator::EndpointList;
use crate::intake::{Answer, Step, action_for};

/// The lists of one PBX, from session to session.
#[derive(Debug, Default)]
pub(super) struct EndpointLists {
    /// Those that the configuration allows.
    allowed: Vec<EndpointList>,
    /// Those that the PBX gives, as far as is known in this session.
    wanted: Vec<EndpointList>,
    /// Those that this round still has to ask for.
    round: VecDeque<EndpointList>,
    /// When the next round begins.
    due: Option<Moment>,
    /// The list that is on its way, and since when.
    asked: Option<(EndpointList, ActionId, Moment)>,
    suspects: Vec<Suspect>,
}

/// A list during which a session ended.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    list: EndpointList,
    /// It is not asked for before.
    until: Moment,
    /// How long it was left alone this time.
    pause: Duration,
}

impl EndpointLists {
    /// A session is synchronised, whose configuration allows these lists.  Gives a list during which
    /// the session before ended, and how long it is left alone.
    pub(super) fn begin_session(
        &mut self,
        allowed: impl Fn(EndpointList) -> bool,
        now: Moment,
    ) -> Option<(&'static str, Duration)> {
        let suspect =
            self.asked.take().map(|(list, ..)| (action_for(list).name(), self.suspect(list, now)));
        self.allowed = EndpointList::ALL.into_iter().filter(|&list| allowed(list)).collect();
        self.wanted.clone_from(&self.allowed);
        self.round.clear();
        self.due = Some(now);
        suspect
    }

    /// The session ends for a reason of ours.
    pub(super) fn acquit(&mut self) {
        self.asked = None;
    }

    /// The list that is to be asked for now.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<EndpointList> {
        if let Some((list, ..)) = self.asked.take_if(|(_, _, since)| now.since(*since) >= LONGEST) {
            self.wanted.retain(|wanted| *wanted != list);
        }
        if self.asked.is_some() {
            return None;
        }

        if self.round.is_empty() && self.due.is_some_and(|due| due <= now) {
            let Self { wanted, suspects, .. } = self;
            let is_free =
                |list| !suspects.iter().any(|known| known.list == list && now < known.until);
            self.round = wanted.iter().copied().filter(|&list| is_free(list)).collect();
            self.due = (!wanted.is_empty()).then(|| now.after(EVERY));
        }
        self.round.pop_front()
    }

    /// That list was asked for.
    pub(super) fn asked(&mut self, list: EndpointList, id: ActionId, now: Moment) {
        self.asked = Some((list, id, now));
    }

    /// Takes what came.
    pub(super) fn note(&mut self, step: &Step, now: Moment) {
        match step {
            // A session that begins while Asterisk starts is refused the lists of modules that are still
            // to be loaded.
            Step::FullyBooted => {
                self.wanted.clone_from(&self.allowed);
                self.due = Some(now);
            }
            Step::Answer(answer) => self.answered(answer),
            Step::EndpointsListed(list) => self.ended(*list),
            Step::Nothing | Step::Stamped(_) | Step::Synchronised(_) | Step::ListTooLong => {}
        }
    }

    /// Takes an answer to any of our actions.
    fn answered(&mut self, answer: &Answer) {
        let is_refusal = |asked: &mut (_, ActionId, _)| asked.1 == *answer.id();
        if answer.is_accepted() {
            return;
        }
        if let Some((list, ..)) = self.asked.take_if(is_refusal) {
            self.wanted.retain(|wanted| *wanted != list);
        }
    }

    /// A list has ended.
    fn ended(&mut self, list: EndpointList) {
        if self.asked.take_if(|asked| asked.0 == list).is_some() {
            self.suspects.retain(|known| known.list != list);
        }
    }

    /// When there is something to do.
    pub(super) fn next(&self, now: Moment) -> Option<Moment> {
        match &self.asked {
            Some((_, _, since)) => Some(since.after(LONGEST)),
            None if !self.round.is_empty() => Some(now),
            None => self.due,
        }
    }

    fn suspect(&mut self, list: EndpointList, now: Moment) -> Duration {
        let known = self.suspects.iter_mut().find(|known| known.list == list);
        let pause =
            known.as_ref().map_or(FIRST_PAUSE, |known| (known.pause * 2).min(LONGEST_PAUSE));
        let until = now.after(pause);
        match known {
            Some(known) => *known = Suspect { list, until, pause },
            None => self.suspects.push(Suspect { list, until, pause }),
        }
        pause
    }
}

/// Events say what changes: a list only finds what was configured anew, and how fast peers of chan_sip
/// answer.
const EVERY: Duration = Duration::from_secs(300);
/// The longest a list may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a list is left alone after the first session that ended during it.
const FIRST_PAUSE: Duration = Duration::from_secs(600);
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};

    use EndpointList as L;

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    fn answer(word: &str, number: u64) -> Answer {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(format!("Response: {word}\r\nActionID: ae-{number}-x\r\n\r\n").as_bytes());
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
        Answer::of(&frame).expect("an id of ours")
    }

    fn begun() -> EndpointLists {
        let mut lists = EndpointLists::default();
        assert_eq!(lists.begin_session(|_| true, at(0)), None);
        lists
    }

    /// Asks for the next one, which must be this.
    fn ask(lists: &mut EndpointLists, list: L, number: u64, now: u64) {
        assert_eq!(lists.take_due(at(now)), Some(list));
        lists.asked(list, ActionId::new(number, "x"), at(now));
        assert_eq!(lists.take_due(at(now)), None, "one at a time");
    }

    #[test]
    fn each_is_asked_for_behind_the_end_of_the_one_before_and_all_again_after_five_minutes() {
        let mut lists = begun();
        for (list, number) in L::ALL.into_iter().zip(1..) {
            ask(&mut lists, list, number, 1);
            lists.answered(&answer("Success", number));
            assert_eq!(lists.next(at(1)), Some(at(61)));
            lists.ended(list);
        }
        assert_eq!((lists.take_due(at(299)), lists.next(at(299))), (None, Some(at(301))));
        assert_eq!(lists.take_due(at(301)), Some(L::Peers));
    }

    #[test]
    fn what_is_refused_or_has_no_end_is_not_asked_for_again() {
        let mut lists = begun();
        ask(&mut lists, L::Peers, 1, 0);
        lists.answered(&answer("Error", 9));
        assert_eq!(lists.take_due(at(0)), None, "another action's");
        lists.answered(&answer("Error", 1));
        ask(&mut lists, L::Devices, 2, 0);
        assert_eq!((lists.take_due(at(59)), lists.next(at(59))), (None, Some(at(60))));
        ask(&mut lists, L::PeerRegistrations, 3, 60);
        lists.ended(L::Devices);
        assert_eq!(lists.take_due(at(60)), None, "one that ends too late");
        lists.ended(L::PeerRegistrations);
        ask(&mut lists, L::EndpointRegistrations, 4, 61);
        lists.answered(&answer("Error", 4));

        ask(&mut lists, L::PeerRegistrations, 5, 300);
        lists.answered(&answer("Error", 5));
        assert_eq!(lists.take_due(at(900)), None);
        assert_eq!((lists.take_due(at(2000)), lists.next(at(2000))), (None, None));
    }

    #[test]
    fn a_list_during_which_the_session_ended_is_left_alone_longer_each_time() {
        let only_devices = |list| list == L::Devices;
        let mut lists = EndpointLists::default();
        let mut now = 0;
        for pause in [600, 1200, 2400] {
            assert_eq!(lists.begin_session(only_devices, at(now)), None);
            ask(&mut lists, L::Devices, 1, now);
            now += 15;
            let suspect = lists.begin_session(only_devices, at(now));
            assert_eq!(suspect, Some(("DeviceStateList", Duration::from_secs(pause))));
            for earlier in (now..now + pause).step_by(10) {
                assert_eq!(lists.take_due(at(earlier)), None);
            }
            now += pause + 300;
        }

        // Nor is it the list if the session was to end.
        ask(&mut lists, L::Devices, 1, now);
        lists.acquit();
        assert_eq!(lists.begin_session(only_devices, at(now)), None);

        // One that came to its end is beyond suspicion.
        ask(&mut lists, L::Devices, 1, now);
        lists.ended(L::Devices);
        lists.begin_session(only_devices, at(now));
        ask(&mut lists, L::Devices, 1, now);
        let suspect = lists.begin_session(only_devices, at(now));
        assert_eq!(suspect, Some(("DeviceStateList", Duration::from_secs(600))));
    }
}
