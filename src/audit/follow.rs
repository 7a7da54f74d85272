//! Calls that queue_log has under two Uniqueids, since another channel took the caller's place.
//!
//! Seen on 16 to master:
//! - An attended transfer into a waiting place: ENTERQUEUE under the transferer's line, the rest
//!   under the transferee's.
//! - A caller behind a Local channel that is optimised away: the end under the channel that came in
//!   for it.
//! - A caller whom AMI Bridge took out of the queue: the end under a Surrogate, which no event
//!   names.
//! - A REFER into an application: the end may be under the transferer's second line.
//!
//! The exporter may have such a call under one of the two, or parted in another place.  So a
//! Uniqueid that differs, and never entered, is tried on each call nearby that lacks something: it
//! belongs there if it takes away a difference for each of its own, of the same agent.  Lines that
//! merely are too many find no such call.

use std::collections::HashMap;

use super::compare::compare_call;
use super::queue::Sides;
use super::subject::{Apart, Subject};
use super::tally::Span;
use crate::clock::Moment;

/// A queue's calls.
pub(super) type Calls = HashMap<Box<[u8]>, Box<Sides>>;

/// Puts together what is one call, and returns how many there were.
pub(super) fn follow(calls: &mut Calls, gaps: bool) -> u64 {
    // Tails have an end and no beginning, heads lack something.
    let mut tails = Vec::new();
    let mut heads = Vec::new();
    for (uniqueid, sides) in calls.iter() {
        let comparison = compare_call(&sides.logged, &sides.counted, gaps);
        let differences = comparison.differences();
        let end = sides.end();
        if differences > 0 && sides.is_tail() {
            tails.push((end, differences, uniqueid.clone()));
        // What a call lacks at an edge of the window is no difference, and may be under another
        // Uniqueid all the same.
        } else if differences > 0 || comparison.lacks_lines() || comparison.left_out > 0 {
            heads.push((end, uniqueid.clone()));
        }
    }
    tails.sort_unstable();
    heads.sort_unstable();

    let mut followed = 0;
    for (end, differences, tail) in tails {
        let head = nearby(&heads, end)
            .find(|head| is_one(&calls[*head], &calls[&tail], differences, gaps));
        let Some(head) = head.cloned() else { continue };

        // The next tail is tried on the head as it is then, which lacks less.
        let rest = calls.remove(&tail).expect("each tail is taken once");
        calls.get_mut(&head).expect("heads stay").add(&rest);
        followed += 1;
    }
    followed
}

/// The nearest heads by their ends, the nearest first.
fn nearby(heads: &[(Moment, Box<[u8]>)], end: Moment) -> impl Iterator<Item = &Box<[u8]>> {
    let at = heads.partition_point(|(other, _)| *other < end);
    let around = &heads[at.saturating_sub(TRIES)..heads.len().min(at + TRIES)];
    let mut around: Vec<_> = around.iter().collect();
    around.sort_by_key(|(other, _)| other.since(end).max(end.since(*other)));
    around.into_iter().map(|(_, uniqueid)| uniqueid)
}

/// Whether both are one call: nothing of the tail is left to differ.
fn is_one(head: &Sides, tail: &Sides, differences: u64, gaps: bool) -> bool {
    let agents = head.logged.agent.zip(tail.logged.agent);
    let have_two_agents = agents.is_some_and(|(one, other)| one != other);
    if have_two_agents || tail.begin() < head.begin() {
        return false;
    }

    let before = compare_call(&head.logged, &head.counted, gaps).differences();
    let mut both = *head;
    both.add(tail);
    compare_call(&both.logged, &both.counted, gaps).differences()
        <= before.saturating_sub(differences)
}

impl Sides {
    /// Whether it did not begin there, on neither side.
    fn is_tail(&self) -> bool {
        let begun =
            self.logged.count(Subject::Entered).all() + self.counted.count(Subject::Entered).all();
        let adopted = [Apart::AdoptedWaiting, Apart::AdoptedTalking]
            .map(|apart| self.counted.apart(apart).all());
        begun == 0 && adopted == [0, 0]
    }

    fn span(&self) -> Option<Span> {
        Span::both(self.logged.span, self.counted.span)
    }

    /// A line has whole seconds, so it may seem older than it is.
    fn begin(&self) -> Moment {
        self.span()
            .map_or(Moment::EPOCH, |span| Moment::from_secs(span.first.as_micros() / 1_000_000))
    }

    fn end(&self) -> Moment {
        self.span().map_or(Moment::EPOCH, |span| span.last)
    }

    fn add(&mut self, other: &Self) {
        self.logged.add(&other.logged);
        self.counted.merge(&other.counted);
    }
}

/// How many heads are tried before and after a tail.  Far more calls lack something only if the log
/// is another PBX's.
const TRIES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::window::Place;
    use crate::queue_log::{Line, Verb};

    const fn secs(seconds: u64) -> std::time::Duration {
        std::time::Duration::from_secs(seconds)
    }

    /// Calls of lines, and of what was counted at a second.
    #[derive(Default)]
    struct Stage(Calls);

    impl Stage {
        fn log(
            mut self,
            call: &'static str,
            at: u64,
            agent: &'static str,
            verb: Verb<'static>,
        ) -> Self {
            let logged = &mut self.0.entry(call.as_bytes().into()).or_default().logged;
            logged.line(&line(call, at, agent, verb), Place::Inside, false);
            self
        }

        fn count(mut self, call: &str, at: u64, subject: Subject, talk: Option<u64>) -> Self {
            let counted = &mut self.0.entry(call.as_bytes().into()).or_default().counted;
            counted.count_one(subject, Place::Inside);
            counted.span = Span::both(counted.span, Some(Span::at(Moment::from_secs(at))));
            if subject == Subject::Answered {
                counted.held(secs(1));
            }
            if let Some(talk) = talk {
                counted.talked(secs(talk));
            }
            self
        }

        /// A line at an edge of the window.
        fn log_at_edge(
            mut self,
            call: &'static str,
            at: u64,
            agent: &'static str,
            verb: Verb<'static>,
        ) -> Self {
            let logged = &mut self.0.entry(call.as_bytes().into()).or_default().logged;
            logged.line(&line(call, at, agent, verb), Place::Edge, false);
            self
        }

        /// A call that enters at a second and is answered one later, on both sides.
        fn answered(self, call: &'static str, at: u64, agent: &'static str) -> Self {
            let connect = Verb::Connected { hold: secs(1), ring: None };
            self.log(call, at, "NONE", Verb::Entered { position: None })
                .count(call, at, Subject::Entered, None)
                .log(call, at + 1, agent, connect)
                .count(call, at + 1, Subject::Answered, None)
        }

        /// How many calls were followed, and how many differences are left.
        fn follow(mut self) -> (u64, u64) {
            let followed = follow(&mut self.0, false);
            let left = self
                .0
                .values()
                .map(|sides| compare_call(&sides.logged, &sides.counted, false).differences());
            (followed, left.sum())
        }
    }

    fn line(
        call: &'static str,
        at: u64,
        agent: &'static str,
        verb: Verb<'static>,
    ) -> Line<'static> {
        Line {
            at: Moment::from_secs(at),
            call: call.as_bytes(),
            queue: b"q",
            agent: agent.as_bytes(),
            verb,
            waited: None,
            shifted: false,
        }
    }

    const fn complete(talk: u64) -> Verb<'static> {
        Verb::CompletedByCaller { talk: secs(talk) }
    }

    #[test]
    fn the_end_under_another_id_is_the_end_of_the_call_that_lacks_it() {
        let stage = Stage::default().answered("1.1", 10, "Ann");
        let stage = stage.answered("1.2", 12, "Ben");
        let stage = stage.count("1.1", 20, Subject::ByCaller, Some(9));
        let stage = stage.count("1.2", 21, Subject::ByCaller, Some(8));
        let stage = stage.log("1.8", 20, "Ann", complete(9));
        let stage = stage.log("1.9", 21, "Ben", complete(8));
        assert_eq!(stage.follow(), (2, 0));
    }

    #[test]
    fn a_line_at_an_edge_of_the_window_may_be_the_end_under_another_id() {
        let stage = Stage::default().answered("1.1", 10, "Ann");
        let stage = stage.log_at_edge("1.1", 11, "Ann", complete(0));
        assert_eq!(stage.count("1.3", 12, Subject::ByCaller, Some(0)).follow(), (1, 0));
    }

    #[test]
    fn the_exporter_may_be_the_one_who_has_it_under_two_ids() {
        let stage = Stage::default().log("1.1", 10, "NONE", Verb::Entered { position: None });
        let stage = stage.log("1.1", 15, "NONE", Verb::Abandoned { position: None });
        let stage = stage.count("1.1", 10, Subject::Entered, None);
        let stage = stage.count("1.7", 15, Subject::Abandoned, None);
        assert_eq!(stage.follow(), (1, 0));
    }

    #[test]
    fn each_side_may_part_it_in_another_place() {
        // queue_log changes the Uniqueid before the answer, the exporter after it.
        let connect = Verb::Connected { hold: secs(1), ring: None };
        let stage = Stage::default().log("1.1", 10, "NONE", Verb::Entered { position: None });
        let stage = stage.count("1.1", 10, Subject::Entered, None);
        let stage = stage.log("1.2", 11, "Ann", connect);
        let stage = stage.count("1.1", 11, Subject::Answered, None);
        let stage = stage.log("1.2", 20, "Ann", complete(9));
        let stage = stage.count("1.2", 20, Subject::ByCaller, Some(9));
        assert_eq!(stage.follow(), (1, 0));
    }

    #[test]
    fn another_agent_another_length_or_an_end_before_the_beginning_is_another_call() {
        for (agent, talk, at) in [("Ben", 9, 20), ("Ann", 30, 20), ("Ann", 9, 9)] {
            let stage = Stage::default().answered("1.1", 10, "Ann");
            let stage = stage.count("1.1", 20, Subject::ByCaller, Some(9));
            let (followed, left) = stage.log("1.8", at, agent, complete(talk)).follow();
            assert_eq!((followed, left), (0, 2), "{agent} {talk} {at}");
        }
    }

    #[test]
    fn two_errors_of_two_calls_that_entered_stay_two() {
        let stage = Stage::default().log("1.1", 10, "NONE", Verb::Entered { position: None });
        let stage = stage.count("1.1", 10, Subject::Entered, None);
        let stage = stage.log("1.2", 10, "NONE", Verb::Entered { position: None });
        let stage = stage.count("1.2", 10, Subject::Entered, None);
        let stage = stage.log("1.1", 15, "NONE", Verb::Abandoned { position: None });
        let stage = stage.count("1.2", 15, Subject::Abandoned, None);
        assert_eq!(stage.follow(), (0, 2));
    }

    #[test]
    fn a_line_too_many_finds_no_call_that_lacks_it() {
        let stage = Stage::default().answered("1.1", 10, "Ann");
        let stage = stage.count("1.1", 20, Subject::ByCaller, Some(9));
        let stage = stage.log("1.1", 20, "Ann", complete(9));
        let stage = stage.log("1.8", 20, "Ann", complete(9));
        assert_eq!(stage.follow(), (0, 1));
    }

    #[test]
    fn a_place_may_move_twice() {
        let stage = Stage::default().log("1.1", 10, "NONE", Verb::Entered { position: None });
        let stage = stage.count("1.1", 10, Subject::Entered, None);
        let stage = stage.log("1.2", 12, "Ann", Verb::RingNoAnswer);
        let stage = stage.count("1.1", 12, Subject::RingNoAnswer, None);
        let stage = stage.log("1.3", 15, "NONE", Verb::TimedOut);
        let stage = stage.count("1.1", 15, Subject::Timeout, None);
        assert_eq!(stage.follow(), (2, 0));
    }
}
