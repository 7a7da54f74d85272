//! A simulated PBX whose events come behind lists that are newer than they are.
//!
//! A PBX has its own state and the events that report it.  A list shows the state when it is made,
//! while the events of the last moments may still be on their way: they come behind the list, and
//! even behind the barrier.  However they interleave, the end must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::correlator::{AgentState, EndedBy, Outcome, Phase as AdoptedPhase};

/// One thing that happens, and the event that reports it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    Born,
    Joins,
    LegIsBorn,
    Called,
    Dialled,
    Rings,
    LegAnswers,
    InUse,
    Leaves,
    Connects,
    LegEnters,
    Enters,
    Requests,
    Completes,
    LegLeavesBridge,
    LeavesBridge,
    Abandons,
    TimesOut,
    Ends,
    LegEnds,
    IsFree,
    Pauses,
    Resumes,
    IsAdded,
    IsRemoved,
}

/// What one caller, or one member, goes through.
#[derive(Clone, Copy, Debug)]
enum Story {
    Waits,
    Abandons,
    TimesOut,
    Talks,
    IsServed,
    Pauses,
    PausesAndResumes,
    JoinsTheQueue,
    LeavesTheQueue,
}

impl Story {
    const ALL: [Self; 9] = [
        Self::Waits,
        Self::Abandons,
        Self::TimesOut,
        Self::Talks,
        Self::IsServed,
        Self::Pauses,
        Self::PausesAndResumes,
        Self::JoinsTheQueue,
        Self::LeavesTheQueue,
    ];

    fn steps(self) -> Vec<Turn> {
        use Turn::*;
        let begin = [Born, Joins];
        let talk = [
            LegIsBorn, Called, Dialled, Rings, LegAnswers, InUse, Leaves, Connects, LegEnters,
            Enters,
        ];
        let end = [Requests, Completes, LeavesBridge, LegLeavesBridge, Ends, LegEnds, IsFree];
        match self {
            Self::Waits => begin.to_vec(),
            Self::Abandons => [&begin[..], &[Requests, Abandons, Leaves, Ends]].concat(),
            Self::TimesOut => [&begin[..], &[Leaves, TimesOut, Ends]].concat(),
            Self::Talks => [&begin[..], &talk].concat(),
            Self::IsServed => [&begin[..], &talk, &end].concat(),
            Self::Pauses => vec![Pauses],
            Self::PausesAndResumes => vec![Pauses, Resumes],
            Self::JoinsTheQueue => vec![IsAdded],
            Self::LeavesTheQueue => vec![IsRemoved],
        }
    }

    fn is_call(self) -> bool {
        self.steps()[0] == Turn::Born
    }
}

/// What the PBX knows.
#[derive(Clone, Debug, Default)]
struct Truth {
    /// By Uniqueid: application, bridge.
    channels: BTreeMap<String, (&'static str, String)>,
    waiting: BTreeSet<usize>,
    talking: BTreeSet<usize>,
    /// Status, paused.
    members: BTreeMap<usize, (u8, bool)>,
}

impl Truth {
    fn new(stories: &[Story]) -> Self {
        let members = stories
            .iter()
            .enumerate()
            .filter(|(_, story)| !matches!(story, Story::JoinsTheQueue))
            .map(|(of, _)| (of, (1, false)));
        Self { members: members.collect(), ..Self::default() }
    }

    fn apply(&mut self, of: usize, step: Turn) {
        let caller = format!("1.{of}");
        let leg = format!("2.{of}");
        let bridge = format!("bridge-{of}");
        let member = |truth: &mut Self, status| {
            truth.members.entry(of).and_modify(|member| member.0 = status);
        };
        match step {
            Turn::Born => drop(self.channels.insert(caller, ("Answer", String::new()))),
            Turn::Joins => {
                self.channels.insert(caller, ("Queue", String::new()));
                self.waiting.insert(of);
            }
            Turn::LegIsBorn => drop(self.channels.insert(leg, ("AppQueue", String::new()))),
            Turn::Rings => member(self, 6),
            Turn::InUse => member(self, 2),
            Turn::IsFree => member(self, 1),
            Turn::Leaves => drop(self.waiting.remove(&of)),
            // Both are in the bridge 65 µs after AgentConnect: no list is made in between.
            Turn::Connects => {
                self.talking.insert(of);
                self.channels.insert(leg, ("AppQueue", bridge.clone()));
                self.channels.insert(caller, ("Queue", bridge));
            }
            Turn::Completes => drop(self.talking.remove(&of)),
            Turn::LeavesBridge => drop(self.channels.insert(caller, ("Queue", String::new()))),
            Turn::LegLeavesBridge => drop(self.channels.insert(leg, ("AppQueue", String::new()))),
            Turn::Ends => drop(self.channels.remove(&caller)),
            Turn::LegEnds => drop(self.channels.remove(&leg)),
            Turn::Pauses => drop(self.members.insert(of, (1, true))),
            Turn::Resumes | Turn::IsAdded => drop(self.members.insert(of, (1, false))),
            Turn::IsRemoved => drop(self.members.remove(&of)),
            Turn::Called
            | Turn::Dialled
            | Turn::LegAnswers
            | Turn::LegEnters
            | Turn::Enters
            | Turn::Requests
            | Turn::Abandons
            | Turn::TimesOut => {}
        }
    }

    fn channels(&self) -> String {
        let item = |(uid, (application, bridge)): (&String, &(&str, String))| {
            let of = &uid[2..];
            let name = if uid.starts_with('1') { "trunk" } else { "a" };
            let dash =
                if name == "a" { format!("SIP/a{of}-{of}") } else { format!("SIP/trunk-{of}") };
            format!(
                "Event: CoreShowChannel\nChannel: {dash}\nUniqueid: {uid}\nLinkedid: 1.{of}\nChannelState: 6\n\
                 Application: {application}\nApplicationData: q\nBridgeId: {bridge}\n\n"
            )
        };
        granted("CoreShowChannels", &self.channels.iter().map(item).collect::<String>())
    }

    fn queues(&self) -> String {
        let members = self.members.iter().map(|(of, (status, paused))| {
            format!(
                "Event: QueueMember\nQueue: q\nName: Agent {of}\nLocation: SIP/a{of}\n\
                 StateInterface: SIP/a{of}\nMembership: dynamic\nStatus: {status}\nPaused: {}\n\n",
                u8::from(*paused)
            )
        });
        let entries = self.waiting.iter().map(|of| {
            format!("Event: QueueEntry\nQueue: q\nChannel: SIP/trunk-{of}\nUniqueid: 1.{of}\nWait: 0\n\n")
        });
        let items = [QUEUE.to_owned()].into_iter().chain(members).chain(entries);
        granted("QueueStatus", &items.collect::<String>())
    }
}

/// Every thing that happens, in the order in which it does, and what the PBX knows before each.
struct History {
    stories: Vec<Story>,
    events: Vec<(usize, Turn)>,
    /// One more than there are events.
    truths: Vec<Truth>,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events.iter().enumerate().map(|(at, (of, turn))| (at, (of, turn)));
        f.debug_map().entries(events).finish()
    }
}

impl History {
    /// The stories side by side, in the order that `turns` gives.
    fn new(stories: Vec<Story>, turns: &[u8]) -> Self {
        let mut left: Vec<_> =
            stories.iter().map(|story| story.steps().into_iter()).enumerate().collect();
        let mut turns = turns.iter().cycle();
        let truths = vec![Truth::new(&stories)];
        let mut this = Self { stories, events: Vec::new(), truths };
        while !left.is_empty() {
            let turn = usize::from(*turns.next().expect("a turn")) % left.len();
            let (of, steps) = &mut left[turn];
            let of = *of;
            let Some(step) = steps.next() else {
                left.remove(turn);
                continue;
            };
            let mut truth = this.truths.last().expect("a truth").clone();
            truth.apply(of, step);
            this.truths.push(truth);
            this.events.push((of, step));
        }
        this
    }

    fn len(&self) -> usize {
        self.events.len()
    }

    /// When the event at `index` happens.
    fn at(index: usize) -> Moment {
        Moment::from_secs(1000).after(Duration::from_millis(50) * index.try_into().expect("small"))
    }

    fn text(&self, index: usize) -> String {
        let (of, step) = self.events[index];
        let caller = format!("Channel: SIP/trunk-{of}\nUniqueid: 1.{of}\nLinkedid: 1.{of}\n");
        let leg = format!("Channel: SIP/a{of}-{of}\nUniqueid: 2.{of}\nLinkedid: 1.{of}\n");
        let dest =
            format!("DestChannel: SIP/a{of}-{of}\nDestUniqueid: 2.{of}\nDestLinkedid: 1.{of}\n");
        let agent = format!("Queue: q\nInterface: SIP/a{of}\nMemberName: Agent {of}\n");
        let bridge = format!("BridgeUniqueid: bridge-{of}\n");
        let member = |name: &str, index: usize| {
            let (status, paused) =
                self.truths[index].members.get(&of).copied().unwrap_or((1, false));
            format!(
                "Event: {name}\n{agent}StateInterface: SIP/a{of}\nMembership: dynamic\nStatus: {status}\nPaused: {}\n",
                u8::from(paused)
            )
        };
        let text = match step {
            Turn::Born => format!("Event: Newchannel\n{caller}ChannelState: 4\n"),
            Turn::Joins => format!("Event: QueueCallerJoin\n{caller}Queue: q\n"),
            Turn::LegIsBorn => format!("Event: Newchannel\n{leg}ChannelState: 0\n"),
            Turn::Called => format!("Event: AgentCalled\n{caller}{dest}{agent}"),
            Turn::Dialled => format!("Event: DialBegin\n{caller}{dest}DialString: a{of}\n"),
            Turn::LegAnswers => format!("Event: DialEnd\n{caller}{dest}DialStatus: ANSWER\n"),
            Turn::Leaves => format!("Event: QueueCallerLeave\n{caller}Queue: q\n"),
            Turn::Connects => {
                format!("Event: AgentConnect\n{caller}{dest}{agent}HoldTime: 0\nRingTime: 0\n")
            }
            Turn::LegEnters => format!("Event: BridgeEnter\n{leg}{bridge}"),
            Turn::Enters => format!("Event: BridgeEnter\n{caller}{bridge}"),
            Turn::Requests => format!("Event: HangupRequest\n{caller}"),
            Turn::Completes => format!(
                "Event: AgentComplete\n{caller}{dest}{agent}HoldTime: 0\nTalkTime: 0\nReason: caller\n"
            ),
            Turn::LegLeavesBridge => format!("Event: BridgeLeave\n{leg}{bridge}"),
            Turn::LeavesBridge => format!("Event: BridgeLeave\n{caller}{bridge}"),
            Turn::Abandons => format!("Event: QueueCallerAbandon\n{caller}Queue: q\nHoldTime: 0\n"),
            Turn::TimesOut => {
                format!("Event: VarSet\n{caller}Variable: QUEUESTATUS\nValue: TIMEOUT\n")
            }
            Turn::Ends => format!("Event: Hangup\n{caller}Cause: 16\n"),
            Turn::LegEnds => format!("Event: Hangup\n{leg}Cause: 16\n"),
            Turn::Rings | Turn::InUse | Turn::IsFree => member("QueueMemberStatus", index + 1),
            Turn::Pauses | Turn::Resumes => member("QueueMemberPause", index + 1),
            Turn::IsAdded => member("QueueMemberAdded", index + 1),
            Turn::IsRemoved => member("QueueMemberRemoved", index),
        };
        let micros = Self::at(index).as_micros();
        format!("{text}Timestamp: {}.{:06}\n\n", micros / 1_000_000, micros % 1_000_000)
    }

    /// Sends the events of a range; one that is late comes as soon as it can.
    fn send(&self, session: &mut Session, range: std::ops::Range<usize>) {
        for index in range {
            session.now = session.now.max(Self::at(index));
            if !session.stream.is_opening() {
                session.wait(0);
            }
            session.read(&self.text(index));
        }
    }

    /// Whether the end of `session` is what the PBX knows at the end.
    fn check(&self, session: &mut Session, unseen: usize) -> Result<(), TestCaseError> {
        session.wait(20);
        let truth = self.truths.last().expect("a truth");
        prop_assert_eq!(session.anomalies(), []);
        let state = session.correlator.state(session.now);
        let queue = &state.queues[0];
        prop_assert_eq!(queue.waiting, truth.waiting.len() as u64, "waiting");
        prop_assert_eq!(queue.talking, truth.talking.len() as u64, "talking");
        let members: u64 = queue.members.iter().map(|(_, members)| members).sum();
        prop_assert_eq!(members, truth.members.len() as u64, "members");
        let paused = queue.members.iter().filter(|(state, _)| *state == AgentState::Paused);
        let truly = truth.members.values().filter(|(_, paused)| *paused).count();
        prop_assert_eq!(paused.map(|(_, members)| members).sum::<u64>(), truly as u64, "paused");

        let calls = self.stories.iter().enumerate().filter(|(_, story)| story.is_call());
        for (of, &story) in calls {
            let uid = format!("1.{of}");
            let facts = session.out.0.iter().filter(|(whose, _)| *whose == uid);
            let facts: Vec<_> = facts.map(|(_, fact)| *fact).collect();
            let joins = self.events.iter().position(|&event| event == (of, Turn::Joins));
            let is_whole = joins.is_some_and(|joins| joins >= unseen);
            self.check_caller(of, story, &facts, is_whole)?;
        }
        Ok(())
    }

    /// Whether the observations of a caller add up; `is_whole`: who joined after the login.
    fn check_caller(
        &self,
        of: usize,
        story: Story,
        facts: &[Observation],
        is_whole: bool,
    ) -> Result<(), TestCaseError> {
        let count =
            |is: &dyn Fn(&Observation) -> bool| facts.iter().filter(|fact| is(fact)).count();
        let exited = |outcome| {
            count(
                &move |fact| matches!(fact, Observation::Exited { outcome: o, .. } if *o == outcome),
            )
        };
        let adopted = |phase| {
            count(&move |fact| matches!(fact, Observation::Adopted { phase: p, .. } if *p == phase))
        };
        let entered = count(&|fact| matches!(fact, Observation::Entered { .. }));
        let exits = count(&|fact| matches!(fact, Observation::Exited { .. }));
        let completed = count(&|fact| matches!(fact, Observation::Completed { .. }));
        let lost =
            count(&|fact| matches!(fact, Observation::Completed { ended_by: EndedBy::Lost, .. }));
        let truth = self.truths.last().expect("a truth");

        let came = entered + adopted(AdoptedPhase::Waiting);
        let waits = usize::from(truth.waiting.contains(&of));
        prop_assert_eq!(came, exits + waits, "waits of {}: {:?}", of, facts);
        let met = exited(Outcome::Answered) + adopted(AdoptedPhase::Talking);
        let talks = usize::from(truth.talking.contains(&of));
        prop_assert_eq!(met, completed + talks, "talks of {}: {:?}", of, facts);
        prop_assert_eq!(lost + exited(Outcome::Lost), 0, "{}: {:?}", of, facts);
        if !is_whole {
            return Ok(());
        }

        // Whom the list had before the Join came is adopted, and enters no second time.
        let found_talking = adopted(AdoptedPhase::Talking);
        prop_assert_eq!(came + found_talking, 1, "{}: {:?}", of, facts);
        let outcome = match story {
            Story::Abandons => Some(Outcome::Abandoned),
            Story::TimesOut => Some(Outcome::Timeout),
            Story::Talks | Story::IsServed if found_talking == 0 => Some(Outcome::Answered),
            _ => None,
        };
        if let Some(outcome) = outcome {
            prop_assert_eq!(exited(outcome), 1, "{}: {:?}", of, facts);
        }
        Ok(())
    }
}

/// A login in the midst of a history.  Places are indices of events.
#[derive(Debug)]
struct Login {
    history: History,
    /// The events before it are over.
    unseen: usize,
    /// Where the list of channels is in the stream, and which events had happened when it was made.
    channels: (usize, usize),
    /// The same of the list of queues.
    queues: (usize, usize),
    /// Where the end of the barrier is in the stream.
    barrier: usize,
}

impl Login {
    fn new(history: History, places: [Index; 6]) -> Self {
        let end = history.len();
        let behind = |first: usize, index: Index| first + index.index(end - first + 1);
        let unseen = behind(0, places[0]);
        let first = behind(unseen, places[1]);
        let channels = (first, behind(first, places[2]));
        let second = behind(first, places[3]);
        let queues = (second, behind(channels.1.max(second), places[4]));
        let barrier = behind(second, places[5]);
        Self { history, unseen, channels, queues, barrier }
    }

    fn play(&self) -> Session {
        let Self { history, unseen, channels, queues, barrier } = self;
        let mut session = Session::new();
        history.send(&mut session, *unseen..channels.0);
        session.now = session.now.max(History::at(channels.1));
        session.read(&history.truths[channels.1].channels());
        history.send(&mut session, channels.0..queues.0);
        session.now = session.now.max(History::at(queues.1));
        session.read(&history.truths[queues.1].queues());
        session.read(PONG);
        history.send(&mut session, queues.0..*barrier);
        session.read(PONG);
        history.send(&mut session, *barrier..history.len());
        session
    }
}

/// A list in mid-session.
#[derive(Debug)]
struct Listing {
    history: History,
    /// Where the list is in the stream, and which events had happened when it was made.
    queues: (usize, usize),
    /// Where the end of the barrier is in the stream.
    barrier: usize,
}

impl Listing {
    fn new(history: History, places: [Index; 3]) -> Self {
        let end = history.len();
        let behind = |first: usize, index: Index| first + index.index(end - first + 1);
        let first = behind(0, places[0]);
        let queues = (first, behind(first, places[1]));
        let barrier = behind(first, places[2]);
        Self { history, queues, barrier }
    }

    fn play(&self) -> Session {
        let Self { history, queues, barrier } = self;
        let mut session = Session::new();
        session.read(&(granted("CoreShowChannels", "") + &history.truths[0].queues()));
        session.read(&[PONG, PONG].concat());
        history.send(&mut session, 0..queues.0);
        session.now = session.now.max(History::at(queues.1));
        session.read(&history.truths[queues.1].queues());
        session.read(PONG);
        history.send(&mut session, queues.0..*barrier);
        session.read(PONG);
        history.send(&mut session, *barrier..history.len());

        // The next list shows nothing new.
        session.wait(30);
        let last = &history.truths[history.len()];
        session.read(&[&*last.queues(), PONG, PONG].concat());
        session
    }
}

fn histories() -> impl Strategy<Value = History> {
    let stories = proptest::collection::vec(proptest::sample::select(&Story::ALL[..]), 1..4);
    (stories, any::<[u8; 16]>()).prop_map(|(stories, turns)| History::new(stories, &turns))
}

fn logins() -> impl Strategy<Value = Login> {
    (histories(), any::<[Index; 6]>()).prop_map(|(history, places)| Login::new(history, places))
}

fn listings() -> impl Strategy<Value = Listing> {
    (histories(), any::<[Index; 3]>()).prop_map(|(history, places)| Listing::new(history, places))
}

/// The place behind the only event of a kind.
fn behind(history: &History, turn: Turn) -> usize {
    history.events.iter().position(|&(_, found)| found == turn).expect("such an event") + 1
}

/// The AgentComplete was sent half a millisecond before the login, and the list of channels has
/// both still in their bridge.
#[test]
fn a_talk_that_ends_at_a_login_misses_no_event() {
    let history = History::new(vec![Story::IsServed], &[0]);
    let at = behind(&history, Turn::Completes);
    let login = Login { unseen: at, channels: (at, at), queues: (at, at), barrier: at, history };
    let mut session = login.play();
    login.history.check(&mut session, at).expect("nothing out of order");
    let completed =
        |(_, fact): &&(String, Observation)| matches!(fact, Observation::Completed { .. });
    assert_eq!(session.out.0.iter().filter(completed).count(), 1);
}

/// A caller was connected within a tenth of a second of the Join, and every event of it comes
/// behind the lists.
#[test]
fn a_talk_that_a_login_found_is_not_entered_by_its_late_events() {
    let history = History::new(vec![Story::IsServed], &[0]);
    let at = behind(&history, Turn::Connects);
    let login = Login { unseen: 0, channels: (0, at), queues: (0, at), barrier: 0, history };
    login.history.check(&mut login.play(), 0).expect("nothing out of order");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn stale_events_around_a_login_change_nothing(login in logins()) {
        login.history.check(&mut login.play(), login.unseen)?;
    }

    #[test]
    fn stale_events_around_a_list_in_mid_session_change_nothing(listing in listings()) {
        listing.history.check(&mut listing.play(), 0)?;
    }
}

/// A second's worth.
const CASES: u32 = 256;
