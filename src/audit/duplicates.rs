//! Lines of queue_log that repeat another: a second result of one ring attempt, or a second end of
//! one talk.
//!
//! - An agent who answers at the very moment the ring attempt times out has RINGNOANSWER and CONNECT,
//!   within a few milliseconds and of one channel.
//! - After a transfer by feature code or REFER, the party that hangs up and the transfer itself may
//!   each write a line: COMPLETECALLER, then BLINDTRANSFER.  If the caller took the place of the
//!   agent's second line meanwhile (a REFER into an application), one of the two has the Uniqueid of
//!   that line.
//!
//! All were seen on 16.28.  A ring attempt has one result and a talk one end, so these are
//! duplicates.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::time::Duration;

use super::logged::subject;
use super::subject::Subject;
use super::window::Place;
use crate::clock::Moment;
use crate::queue_log::{Line, Verb};

/// The latest calls, by queue, and the last lines of each.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    calls: HashMap<InQueue, Last>,
    order: VecDeque<InQueue>,
    /// The latest talk of each agent, while its call is among them.
    talks: HashMap<InQueue, Talk>,
}

/// A Uniqueid or an agent, with the queue's slot before it.
type InQueue = (usize, Box<[u8]>);

/// A talk as its CONNECT has it.
#[derive(Debug)]
struct Talk {
    call: Box<[u8]>,
    since: Moment,
}

/// The lines of a call since it was connected last.
#[derive(Debug, Default)]
struct Last {
    /// Agents who were rung in vain, the latest last: with ringall, lines of others may be between
    /// an agent's two.
    rang: VecDeque<Rang>,
    /// Who talks to the caller; nobody before the CONNECT.
    agent: Option<Box<[u8]>>,
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
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Repeats {
    /// It does not.
    Nothing,
    /// The end of a talk that had ended before, and the ends of the two lines.
    End {
        /// The call, as its CONNECT has it.
        call: Box<[u8]>,
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
    pub(crate) fn take(&mut self, slot: usize, line: &Line<'_>, place: Place) -> Repeats {
        match line.verb {
            Verb::RingNoAnswer => {
                let rang = Rang { agent: line.agent.into(), at: line.at, place };
                self.ensure((slot, line.call.into())).rang(rang);
                Repeats::Nothing
            }
            Verb::Connected { ring, .. } => self.connect(slot, line, ring),
            Verb::CompletedByCaller { .. }
            | Verb::CompletedByAgent { .. }
            | Verb::Transferred { .. } => self.end(slot, line),
            _ => Repeats::Nothing,
        }
    }

    /// A talk of its own, also if the caller was served before (option c), so what came before it is
    /// forgotten.
    fn connect(&mut self, slot: usize, line: &Line<'_>, ring: Option<Duration>) -> Repeats {
        let now = Last { agent: Some(line.agent.into()), ..Last::default() };
        let before = mem::replace(self.ensure((slot, line.call.into())), now);
        let talk = Talk { call: line.call.into(), since: line.at };
        self.talks.insert((slot, line.agent.into()), talk);

        // The latest of this agent: only that one can be the attempt that is answered.
        let rang = before.rang.iter().rfind(|rang| *rang.agent == *line.agent);
        let same = rang.filter(|rang| is_same(rang.at, ring, line.at));
        same.map_or(Repeats::Nothing, |rang| Repeats::RingAttempt(rang.place))
    }

    fn end(&mut self, slot: usize, line: &Line<'_>) -> Repeats {
        let Some((then, _)) = subject(line.verb) else { return Repeats::Nothing };
        let call = self.ended_by(slot, line);
        let ended = &mut self.ensure((slot, call.clone())).ended;

        // The first line decides, and stays the one that later lines repeat.
        let Some(first) = *ended else {
            *ended = Some(then);
            return Repeats::Nothing;
        };
        Repeats::End { call, first, then }
    }

    /// The call whose talk the line ends, as its CONNECT has it.
    fn ended_by(&self, slot: usize, line: &Line<'_>) -> Box<[u8]> {
        let own: InQueue = (slot, line.call.into());
        if self.calls.get(&own).is_some_and(|last| last.agent.is_some()) {
            return own.1;
        }

        // What was never connected and is younger than the agent's talk may be the line that the
        // agent opened during it.
        let talk = self.talks.get(&(slot, line.agent.into()));
        let talk = talk.filter(|talk| began(line.call) >= Some(talk.since.as_micros() / 1_000_000));
        talk.map_or(own.1, |talk| talk.call.clone())
    }

    fn ensure(&mut self, call: InQueue) -> &mut Last {
        if !self.calls.contains_key(&call) {
            self.order.push_back(call.clone());
            if self.order.len() > KEPT {
                self.forget_oldest();
            }
        }
        self.calls.entry(call).or_default()
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        let Some(agent) = self.calls.remove(&oldest).and_then(|last| last.agent) else { return };

        let agent = (oldest.0, agent);
        if self.talks.get(&agent).is_some_and(|talk| talk.call == oldest.1) {
            self.talks.remove(&agent);
        }
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

/// The second in which a channel began: its Uniqueid is `[SYSTEM-]EPOCH.NUMBER`.
fn began(uniqueid: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(uniqueid).ok()?;
    let (begin, _) = text.rsplit_once('.')?;
    begin.rsplit('-').next()?.parse().ok()
}

/// Far more calls than anything happens to between two lines of one.
const KEPT: usize = 10_000;
/// More than are rung at the same moment.
const RANG_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn take(latest: &mut Latest, slot: usize, text: &str) -> Repeats {
        latest.take(slot, &Line::read(text).expect("a line"), Place::Inside)
    }

    fn repeats_end(call: &str, first: Subject, then: Subject) -> Repeats {
        Repeats::End { call: call.as_bytes().into(), first, then }
    }

    #[test]
    fn a_talk_ends_once_for_each_connect() {
        let mut latest = Latest::default();
        let connect = "100|1.1|q|Ann|CONNECT|1|1.2|1";
        let caller = "105|1.1|q|Ann|COMPLETECALLER|1|5|1";
        let transfer = "105|1.1|q|Ann|BLINDTRANSFER|1990|x|1|5|1";

        let repeats =
            [connect, caller, transfer, connect, transfer].map(|line| take(&mut latest, 0, line));
        let once = || Repeats::Nothing;
        let again = repeats_end("1.1", Subject::ByCaller, Subject::Transferred);
        assert_eq!(repeats, [once(), once(), again, once(), once()]);

        // The same call in another queue, and another call.
        assert_eq!(take(&mut latest, 1, caller), once());
        assert_eq!(take(&mut latest, 0, &caller.replace("1.1", "1.3")), once());
    }

    #[test]
    fn the_line_that_an_agent_opened_during_the_talk_ends_it_too() {
        let connect = "100|pbx-90.1|q|Ann|CONNECT|1|90.2|1";
        let transfer = "105|pbx-90.1|q|Ann|ATTENDEDTRANSFER|APP|ConfBridge|1|5|1";
        let caller = |call: &str| format!("105|{call}|q|Ann|COMPLETECALLER|1|5|1");
        let after = |first: &str, then: &str| {
            let mut latest = Latest::default();
            assert_eq!(take(&mut latest, 0, connect), Repeats::Nothing);
            assert_eq!(take(&mut latest, 0, first), Repeats::Nothing);
            take(&mut latest, 0, then)
        };

        let (by_caller, transferred) = (Subject::ByCaller, Subject::Transferred);
        let again = repeats_end("pbx-90.1", transferred, by_caller);
        assert_eq!(after(transfer, &caller("pbx-103.3")), again);
        let again = repeats_end("pbx-90.1", by_caller, transferred);
        assert_eq!(after(&caller("pbx-103.3"), transfer), again);

        // A call that was there before the talk, another agent's, and one that was connected.
        assert_eq!(after(transfer, &caller("pbx-99.3")), Repeats::Nothing);
        assert_eq!(after(transfer, &caller("pbx-103.3").replace("Ann", "Ben")), Repeats::Nothing);
        let other = connect.replace("90.1", "103.3");
        assert_eq!(after(&other, &caller("pbx-103.3")), Repeats::Nothing);
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
        let again = repeats_end(&format!("{KEPT}.1"), Subject::ByCaller, Subject::ByCaller);
        assert_eq!(take(&mut latest, 0, &ends(KEPT)), again);

        // So are the talks of their agents.
        take(&mut latest, 0, "100|0.1|q|Ann|CONNECT|1|1.2|1");
        let other = |call: usize| ends(call).replace("Ann", "Ben");
        (1..=KEPT).for_each(|call| drop(take(&mut latest, 0, &other(call + KEPT))));
        assert_eq!(latest.talks.len(), 0);
    }
}
