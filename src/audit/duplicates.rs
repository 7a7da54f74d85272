//! Lines of queue_log that repeat another: a second result of one ring attempt, or a second end of
//! one talk.
//!
//! - An agent who answers at the very moment the ring attempt times out has RINGNOANSWER and CONNECT,
//!   within a few milliseconds and of one channel.
//! - After a transfer by feature code, the party that hangs up and the transfer itself may each
//!   write a line: COMPLETECALLER, then BLINDTRANSFER.
//!
//! Both were seen on 16.28.  A ring attempt has one result and a talk one end, so these are
//! duplicates.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::logged::subject;
use super::subject::Subject;
use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

/// The latest calls, by queue, and the last lines of each.
#[derive(Debug, Default)]
pub(super) struct Latest {
    calls: HashMap<(usize, Box<[u8]>), Last>,
    order: VecDeque<(usize, Box<[u8]>)>,
}

/// The lines of a call since it was connected last.
#[derive(Debug, Default)]
struct Last {
    /// Agents who were rung in vain, the latest last: with ringall, lines of others may be between
    /// an agent's two.
    rang: VecDeque<Rang>,
    /// How the talk ended.
    ended: Option<Subject>,
}

/// An agent was rung in vain.
#[derive(Debug)]
struct Rang {
    agent: Box<[u8]>,
    at: Moment,
    place: Place,
}

/// What a line repeats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeats {
    /// It does not.
    Nothing,
    /// The end of a talk that had ended before, and the ends of the two lines.
    End {
        /// The end in the first line.
        first: Subject,
        /// The end in the second line.
        then: Subject,
    },
    /// The RINGNOANSWER of an agent who answers that ring attempt now; it is in that place of the
    /// window.
    RingAttempt(Place),
}

impl Latest {
    /// Takes a line of the queue at that slot.
    pub(super) fn take(&mut self, slot: usize, line: &Line<'_>, place: Place) -> Repeats {
        let call = (slot, Box::from(line.call));

        match line.verb {
            Verb::RingNoAnswer => {
                self.ensure(call).rang(Rang { agent: line.agent.into(), at: line.at, place });
                Repeats::Nothing
            }
            // A talk of its own, also if the caller was served before (option c), so what came
            // before it is forgotten.
            Verb::Connected { ring, .. } => {
                let last = self.calls.remove(&call).unwrap_or_default();

                // The latest of this agent: only that one can be the attempt that is answered.
                let rang = last.rang.iter().rfind(|rang| *rang.agent == *line.agent);
                let same = rang.filter(|rang| is_same(rang.at, ring, line.at));
                same.map_or(Repeats::Nothing, |rang| Repeats::RingAttempt(rang.place))
            }
            Verb::CompletedByCaller { .. }
            | Verb::CompletedByAgent { .. }
            | Verb::Transferred { .. } => {
                let Some((then, _)) = subject(line.verb) else { return Repeats::Nothing };
                let ended = &mut self.ensure(call).ended;

                // The first line decides, and stays the one that later lines repeat.
                let Some(first) = *ended else {
                    *ended = Some(then);
                    return Repeats::Nothing;
                };
                Repeats::End { first, then }
            }
            _ => Repeats::Nothing,
        }
    }

    fn ensure(&mut self, call: (usize, Box<[u8]>)) -> &mut Last {
        if !self.calls.contains_key(&call) {
            self.order.push_back(call.clone());

            // A call that was connected is in the order still, and leaves it in its turn.
            if self.order.len() > KEPT
                && let Some(oldest) = self.order.pop_front()
            {
                self.calls.remove(&oldest);
            }
        }
        self.calls.entry(call).or_default()
    }
}

impl Last {
    fn rang(&mut self, rang: Rang) {
        if self.rang.len() == RANG_MAX {
            self.rang.pop_front();
        }
        self.rang.push_back(rang);
    }
}

/// Whether the ring attempt that was answered had begun before its RINGNOANSWER.
fn is_same(in_vain: Moment, ring: Option<Duration>, answered: Moment) -> bool {
    ring.is_some_and(|ring| ring > answered.since(in_vain))
}

/// Far more calls than anything happens to between two lines of one.
const KEPT: usize = 1000;
/// More than are rung at the same moment.
const RANG_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn take(latest: &mut Latest, slot: usize, text: &str) -> Repeats {
        latest.take(slot, &Line::read(text).expect("a line"), Place::Inside)
    }

    #[test]
    fn a_talk_ends_once_for_each_connect() {
        let mut latest = Latest::default();
        let connect = "100|1.1|q|Ann|CONNECT|1|1.2|1";
        let caller = "105|1.1|q|Ann|COMPLETECALLER|1|5|1";
        let transfer = "105|1.1|q|Ann|BLINDTRANSFER|1990|x|1|5|1";

        let repeats =
            [connect, caller, transfer, connect, transfer].map(|line| take(&mut latest, 0, line));
        let once = Repeats::Nothing;
        let again = Repeats::End { first: Subject::ByCaller, then: Subject::Transferred };
        assert_eq!(repeats, [once, once, again, once, once]);

        // The same call in another queue, and another call.
        assert_eq!(take(&mut latest, 1, caller), once);
        assert_eq!(take(&mut latest, 0, &caller.replace("1.1", "1.3")), once);
    }

    #[test]
    fn an_agent_who_answers_as_the_time_is_up_was_not_rung_in_vain() {
        let again = |rang: &str, connect: &str| {
            let mut latest = Latest::default();
            take(&mut latest, 0, rang);
            take(&mut latest, 0, connect)
        };
        let rang = "100|1.1|q|Ann|RINGNOANSWER|2000";
        assert_eq!(
            again(rang, "100|1.1|q|Ann|CONNECT|5|1.2|2"),
            Repeats::RingAttempt(Place::Inside)
        );

        // Rung once more, another agent, and a log without ring times.
        assert_eq!(again(rang, "102|1.1|q|Ann|CONNECT|5|1.2|2"), Repeats::Nothing);
        assert_eq!(again(rang, "100|1.1|q|Ben|CONNECT|5|1.2|2"), Repeats::Nothing);
        assert_eq!(again(rang, "100|1.1|q|Ann|CONNECT|5"), Repeats::Nothing);
    }

    #[test]
    fn others_who_are_rung_at_the_same_time_do_not_hide_it() {
        let mut latest = Latest::default();
        let rang = |agent: &str| format!("100|1.1|q|{agent}|RINGNOANSWER|2000");
        let connect = "100|1.1|q|Ann|CONNECT|5|1.2|2";

        take(&mut latest, 0, &rang("Ann"));
        (1..RANG_MAX).for_each(|other| {
            assert_eq!(take(&mut latest, 0, &rang(&other.to_string())), Repeats::Nothing);
        });
        assert_eq!(take(&mut latest, 0, connect), Repeats::RingAttempt(Place::Inside));

        // It is used up, and one too many pushes it out.
        assert_eq!(take(&mut latest, 0, connect), Repeats::Nothing);
        take(&mut latest, 0, &rang("Ann"));
        (0..RANG_MAX).for_each(|other| {
            assert_eq!(take(&mut latest, 0, &rang(&other.to_string())), Repeats::Nothing);
        });
        assert_eq!(take(&mut latest, 0, connect), Repeats::Nothing);
    }

    #[test]
    fn calls_are_forgotten_in_the_end() {
        let mut latest = Latest::default();
        let ends = |call: usize| format!("105|{call}.1|q|Ann|COMPLETECALLER|1|5|1");
        (0..=KEPT).for_each(|call| assert_eq!(take(&mut latest, 0, &ends(call)), Repeats::Nothing));
        assert_eq!(take(&mut latest, 0, &ends(0)), Repeats::Nothing);
        let again = Repeats::End { first: Subject::ByCaller, then: Subject::ByCaller };
        assert_eq!(take(&mut latest, 0, &ends(KEPT)), again);
    }
}
