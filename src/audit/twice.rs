//! What queue_log says twice, of one ringing or of one talk.
//!
//! - An agent who answers at the very moment the ringing times out has RINGNOANSWER and CONNECT, within a few
//!   milliseconds and of one channel.
//! - After a transfer by feature code, the party that hangs up and the transfer itself may each write a line:
//!   COMPLETECALLER, then BLINDTRANSFER.
//!
//! Both were seen on 16.28.  A ringing has one result and a talk one end, so these are no second ones.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

/// The latest calls, by queue, and what was said last of each.
#[derive(Debug, Default)]
pub(super) struct Latest {
    calls: HashMap<(usize, Box<[u8]>), Last>,
    order: VecDeque<(usize, Box<[u8]>)>,
}

#[derive(Debug)]
enum Last {
    /// An agent was rung in vain.
    Rang { agent: Box<[u8]>, at: Moment, place: Place },
    /// The talk ended.
    Ended,
}

/// What a line repeats.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeats {
    Nothing,
    /// The end of a talk that was over before.
    End,
    /// The agent who answers was said to be rung in vain, in that place of the window, and was not.
    Ringing(Place),
}

impl Latest {
    /// Takes a line of the queue at that spot.
    pub(super) fn take(&mut self, spot: usize, line: &Line<'_>, place: Place) -> Repeats {
        let call = (spot, Box::from(line.call));
        match line.verb {
            Verb::RangInVain => {
                self.keep(call, Last::Rang { agent: line.agent.into(), at: line.at, place });
                Repeats::Nothing
            }
            // a talk of its own, also if the caller was served before (option c)
            Verb::Connected { ring, .. } => match self.calls.remove(&call) {
                Some(Last::Rang { agent, at, place }) if *agent == *line.agent && is_same(at, ring, line.at) => {
                    Repeats::Ringing(place)
                }
                _ => Repeats::Nothing,
            },
            Verb::CompletedByCaller { .. } | Verb::CompletedByAgent { .. } | Verb::Transferred { .. } => {
                match self.keep(call, Last::Ended) {
                    Some(Last::Ended) => Repeats::End,
                    _ => Repeats::Nothing,
                }
            }
            _ => Repeats::Nothing,
        }
    }

    fn keep(&mut self, call: (usize, Box<[u8]>), last: Last) -> Option<Last> {
        let before = self.calls.insert(call.clone(), last);
        if before.is_none() {
            self.order.push_back(call);
            if self.order.len() > KEPT
                && let Some(oldest) = self.order.pop_front()
            {
                self.calls.remove(&oldest);
            }
        }
        before
    }
}

/// Whether the ringing that was answered had begun before it was said to be in vain.
fn is_same(in_vain: Moment, ring: Option<Duration>, answered: Moment) -> bool {
    ring.is_some_and(|ring| ring > answered.since(in_vain))
}

/// Far more calls than anything happens to between two lines of one.
const KEPT: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn take(latest: &mut Latest, spot: usize, text: &str) -> Repeats {
        latest.take(spot, &Line::parse(text.as_bytes()).expect("a line"), Place::Inside)
    }

    #[test]
    fn a_talk_ends_once_for_each_connect() {
        let mut latest = Latest::default();
        let connect = "100|1.1|q|Ann|CONNECT|1|1.2|1";
        let (caller, transfer) = ("105|1.1|q|Ann|COMPLETECALLER|1|5|1", "105|1.1|q|Ann|BLINDTRANSFER|1990|x|1|5|1");
        let said = [connect, caller, transfer, connect, transfer].map(|line| take(&mut latest, 0, line));
        let once = Repeats::Nothing;
        assert_eq!(said, [once, once, Repeats::End, once, once]);
        // the same call in another queue, and another call
        assert_eq!(take(&mut latest, 1, caller), once);
        assert_eq!(take(&mut latest, 0, &caller.replace("1.1", "1.3")), once);
    }

    #[test]
    fn who_answers_as_the_time_is_up_was_not_rung_in_vain() {
        let again = |rang: &str, connect: &str| {
            let mut latest = Latest::default();
            take(&mut latest, 0, rang);
            take(&mut latest, 0, connect)
        };
        let rang = "100|1.1|q|Ann|RINGNOANSWER|2000";
        assert_eq!(again(rang, "100|1.1|q|Ann|CONNECT|5|1.2|2"), Repeats::Ringing(Place::Inside));
        // rung once more, another agent, and a log without ring times
        assert_eq!(again(rang, "102|1.1|q|Ann|CONNECT|5|1.2|2"), Repeats::Nothing);
        assert_eq!(again(rang, "100|1.1|q|Ben|CONNECT|5|1.2|2"), Repeats::Nothing);
        assert_eq!(again(rang, "100|1.1|q|Ann|CONNECT|5"), Repeats::Nothing);
    }

    #[test]
    fn calls_are_forgotten_in_the_end() {
        let mut latest = Latest::default();
        let ends = |call: usize| format!("105|{call}.1|q|Ann|COMPLETECALLER|1|5|1");
        (0..=KEPT).for_each(|call| assert_eq!(take(&mut latest, 0, &ends(call)), Repeats::Nothing));
        assert_eq!(take(&mut latest, 0, &ends(0)), Repeats::Nothing);
        assert_eq!(take(&mut latest, 0, &ends(KEPT)), Repeats::End);
    }
}
