//! The QueueStatus list that is taken from time to time to mend drift.

use std::time::Duration;

use super::backoff::LISTS_APART;
use crate::ami::frame::Frame;
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::correlator::Snapshot;
use crate::event::Listed;
use crate::intake::{KEPT, List, Stage, size};

/// The lists of one session, one at a time.
#[derive(Debug)]
pub(super) struct Listing {
    interval: Duration,
    next: Moment,
    state: State,
}

#[derive(Debug)]
enum State {
    /// None is on its way.
    Idle,
    /// Items are coming.
    Asked { list: List, taken: Taken },
    /// All items are there, the barrier should be sent.
    Ended { taken: Taken },
    /// The answer to the barrier's last Ping is awaited.
    Barred { last: ActionId, taken: Taken },
    /// The PBX does not list queues.
    Never,
}

/// What a response says of the list.
#[derive(Debug)]
pub(super) enum Answer {
    /// Nothing, or nothing yet.
    Nothing,
    /// There will be none, this time and later.
    Refused,
    /// It is whole, and all events before it are in.
    Whole(Box<Snapshot>),
}

/// What the items said, and how many bytes they had.
#[derive(Debug, Default)]
struct Taken {
    snapshot: Snapshot,
    size: usize,
}

impl Listing {
    /// One list every `interval`, if the PBX `lists` queues.  The snapshot at `now` counts as the
    /// first.
    pub(super) fn new(interval: Duration, lists: bool, now: Moment) -> Self {
        let interval = interval.max(LISTS_APART);
        let state = if lists { State::Idle } else { State::Never };
        Self { interval, next: now.after(interval), state }
    }

    /// Whether a list should be asked for.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.next <= now && !matches!(self.state, State::Never)
    }

    /// A list was asked for.  Tells whether one before it had not ended and is given up.
    pub(super) fn asked(&mut self, id: ActionId, now: Moment) -> bool {
        self.next = now.after(self.interval);
        let asked = State::Asked { list: List::of_queues(id), taken: Taken::default() };
        !matches!(std::mem::replace(&mut self.state, asked), State::Idle)
    }

    /// Takes an item with that ActionID, if it is of this list.  Tells whether the list is given
    /// up.
    pub(super) fn item(&mut self, id: &[u8], item: &Listed<'_>, frame: &Frame<'_>) -> bool {
        let State::Asked { list, taken } = &mut self.state else { return false };
        if !list.owns(id) {
            return false;
        }
        taken.size += size(frame);
        taken.snapshot.add(item);
        let too_long = taken.size > KEPT;
        if too_long {
            // no PBX has so many queues; this one is not asked again
            self.state = State::Never;
        }
        too_long
    }

    /// Takes an event that may end the list.
    pub(super) fn event(&mut self, frame: &Frame<'_>) {
        let State::Asked { list, taken } = &mut self.state else { return };
        list.event(frame);
        if *list.stage() == Stage::Complete {
            self.state = State::Ended { taken: std::mem::take(taken) };
        }
    }

    /// Takes a response.
    pub(super) fn response(&mut self, frame: &Frame<'_>) -> Answer {
        match &mut self.state {
            State::Asked { list, .. } => {
                list.response(frame);
                if matches!(list.stage(), Stage::Refused(_)) {
                    self.state = State::Never;
                    return Answer::Refused;
                }
                Answer::Nothing
            }
            State::Barred { last, taken } if last.marks(frame) => {
                let taken = std::mem::take(taken);
                self.state = State::Idle;
                Answer::Whole(Box::new(taken.snapshot))
            }
            State::Idle | State::Ended { .. } | State::Barred { .. } | State::Never => {
                Answer::Nothing
            }
        }
    }

    /// Whether the barrier should be sent.
    pub(super) const fn wants_barrier(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// The barrier was sent, `last` its last Ping.
    pub(super) fn barred(&mut self, last: ActionId) {
        if let State::Ended { taken } = &mut self.state {
            self.state = State::Barred { last, taken: std::mem::take(taken) };
        }
    }

    /// When the next list is due.
    pub(super) const fn next(&self) -> Option<Moment> {
        match self.state {
            State::Never => None,
            State::Idle | State::Asked { .. } | State::Ended { .. } | State::Barred { .. } => {
                Some(self.next)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};

    fn with<T>(text: &str, work: impl FnOnce(&Frame<'_>) -> T) -> T {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(text.replace('\n', "\r\n").as_bytes());
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame in {text}") };
        work(&frame)
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    fn asked() -> Listing {
        let mut listing = Listing::new(Duration::from_secs(60), true, at(0));
        assert!(listing.is_due(at(60)) && !listing.is_due(at(59)));
        assert!(!listing.asked(ActionId::new(5, "QueueStatus"), at(60)));
        listing
    }

    #[test]
    fn the_snapshot_comes_out_behind_the_barrier() {
        let mut listing = asked();
        with("Response: Success\nActionID: ae-5-QueueStatus\nEventList: start\n\n", |frame| {
            assert!(matches!(listing.response(frame), Answer::Nothing));
        });
        with("Event: QueueStatusComplete\nActionID: ae-4-QueueStatus\n\n", |frame| {
            listing.event(frame);
        });
        assert!(!listing.wants_barrier());
        with("Event: QueueStatusComplete\nActionID: ae-5-QueueStatus\n\n", |frame| {
            listing.event(frame);
        });
        assert!(listing.wants_barrier());
        listing.barred(ActionId::new(7, "Barrier"));
        assert!(!listing.wants_barrier());
        with("Response: Success\nActionID: ae-6-Barrier\nPing: Pong\n\n", |frame| {
            assert!(matches!(listing.response(frame), Answer::Nothing));
        });
        with("Response: Success\nActionID: ae-7-Barrier\nPing: Pong\n\n", |frame| {
            assert!(matches!(listing.response(frame), Answer::Whole(_)));
        });
        assert_eq!(listing.next(), Some(at(120)));
    }

    #[test]
    fn a_list_without_an_end_is_given_up_at_the_next() {
        let mut listing = asked();
        assert!(listing.is_due(at(120)));
        assert!(listing.asked(ActionId::new(9, "QueueStatus"), at(120)));
        with("Event: QueueStatusComplete\nActionID: ae-5-QueueStatus\n\n", |frame| {
            listing.event(frame);
        });
        assert!(!listing.wants_barrier());
    }

    #[test]
    fn a_refused_list_is_not_asked_for_again() {
        let mut listing = asked();
        with(
            "Response: Error\nActionID: ae-5-QueueStatus\nMessage: Permission denied\n\n",
            |frame| {
                assert!(matches!(listing.response(frame), Answer::Refused));
            },
        );
        assert!(!listing.is_due(at(1000)));
        assert_eq!(listing.next(), None);
    }

    #[test]
    fn lists_are_never_closer_than_thirty_seconds() {
        let listing = Listing::new(Duration::from_secs(1), true, at(0));
        assert!(!listing.is_due(at(29)) && listing.is_due(at(30)));
    }
}
