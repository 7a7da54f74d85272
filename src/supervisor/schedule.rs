//! When the queues are listed again, and when the second Ping of the barrier behind a list is due.

use std::time::Duration;

use super::backoff::LISTS_APART;
use crate::ami::id::ActionId;
use crate::clock::Moment;
use crate::intake::Answer;

/// The lists of one session, one at a time.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    /// `None` once the PBX turned out not to list queues.
    next: Option<Moment>,
    barrier: Barrier,
}

/// How far the barrier behind the last list is.
#[derive(Debug)]
enum Barrier {
    Idle,
    /// The answer to its first Ping is awaited, behind the list with that id.
    First {
        list: ActionId,
        ping: ActionId,
    },
    /// That Ping was answered: the second is due.
    Second,
}

impl Schedule {
    /// One list every `interval`, if the PBX `lists` queues.  The snapshot at `now` counts as the
    /// first.
    pub(super) fn new(interval: Duration, lists: bool, now: Moment) -> Self {
        let interval = interval.max(LISTS_APART);
        let next = lists.then(|| now.after(interval));
        Self { interval, next, barrier: Barrier::Idle }
    }

    /// One list every `interval` from `now` on, if the PBX lists queues.
    pub(super) fn change(&mut self, interval: Duration, now: Moment) {
        self.interval = interval.max(LISTS_APART);
        self.next = self.next.map(|next| now.after(self.interval).min(next));
    }

    /// Whether a list should be asked for.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// A list and the first Ping behind it were sent.
    pub(super) fn asked(&mut self, list: ActionId, ping: ActionId, now: Moment) {
        self.next = Some(now.after(self.interval));
        self.barrier = Barrier::First { list, ping };
    }

    /// Takes an answer to any of our actions.
    pub(super) fn answered(&mut self, answer: &Answer) {
        let Barrier::First { list, ping } = &self.barrier else { return };
        if answer.id() == list && !answer.is_accepted() {
            self.stop();
        } else if answer.id() == ping {
            self.barrier = Barrier::Second;
        }
    }

    /// Whether the second Ping is due; it counts as sent.
    pub(super) fn take_second(&mut self) -> bool {
        let due = matches!(self.barrier, Barrier::Second);
        if due {
            self.barrier = Barrier::Idle;
        }
        due
    }

    /// The PBX does not list queues, or too many: it is not asked again.
    pub(super) fn stop(&mut self) {
        self.next = None;
        self.barrier = Barrier::Idle;
    }

    /// When the next list is due.
    pub(super) const fn next(&self) -> Option<Moment> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    fn answer(word: &str, id: &str) -> Answer {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(format!("Response: {word}\r\nActionID: {id}\r\n\r\n").as_bytes());
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
        Answer::of(&frame).expect("an id of ours")
    }

    fn asked() -> Schedule {
        let mut schedule = Schedule::new(Duration::from_secs(60), true, at(0));
        assert!(schedule.is_due(at(60)) && !schedule.is_due(at(59)));
        schedule.asked(ActionId::new(5, "QueueStatus"), ActionId::new(6, "Barrier"), at(60));
        schedule
    }

    #[test]
    fn the_second_ping_is_due_once_behind_the_answer_to_the_first() {
        let mut schedule = asked();
        schedule.answered(&answer("Success", "ae-5-QueueStatus"));
        assert!(!schedule.take_second());
        schedule.answered(&answer("Success", "ae-6-Barrier"));
        assert!(schedule.take_second() && !schedule.take_second());
        assert_eq!(schedule.next(), Some(at(120)));
    }

    #[test]
    fn a_refused_list_is_not_asked_for_again() {
        let mut schedule = asked();
        schedule.answered(&answer("Error", "ae-5-QueueStatus"));
        schedule.answered(&answer("Success", "ae-6-Barrier"));
        assert!(!schedule.take_second() && !schedule.is_due(at(1000)));
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn lists_are_never_closer_than_thirty_seconds() {
        let schedule = Schedule::new(Duration::from_secs(1), true, at(0));
        assert!(!schedule.is_due(at(29)) && schedule.is_due(at(30)));
    }
}
