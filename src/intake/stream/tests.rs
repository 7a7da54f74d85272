//! Sessions without sockets: what a PBX sends, item by item.

mod simulated;

use super::*;
use crate::ami::frame::{Decoder, Limits};
use crate::correlator::{Anomaly, Caller, Names, Observation, Rules, Timing};
use crate::event::KNOWN;
use crate::metrics::{Metrics, Settings};

/// A stream and everything behind it.
struct Session {
    stream: Stream,
    correlator: Correlator,
    self_metrics: SelfMetrics,
    out: Out,
    now: Moment,
}

/// What was observed, and of which caller.
#[derive(Default)]
struct Out(Vec<(String, Observation)>);

impl Observe for Out {
    fn observe(&mut self, _: &Names, fact: Observation, of: Option<Caller<'_>>) {
        let uid = of.map_or(&b""[..], |caller| caller.uniqueid);
        self.0.push((String::from_utf8_lossy(uid).into_owned(), fact));
    }
}

impl Session {
    fn new() -> Self {
        let pbx = PbxName::new("hq");
        let now = Moment::from_secs(1000);
        Self {
            stream: Stream::of_session(&pbx),
            correlator: Correlator::new(Rules::default(), Timing::Live),
            self_metrics: Metrics::new(Settings::default()).self_metrics(&pbx, KNOWN, now),
            out: Out::default(),
            now,
        }
    }

    /// A session whose snapshot was applied.
    fn up(queues: &str) -> Self {
        let mut session = Self::new();
        let steps =
            session.read(&(granted("CoreShowChannels", "") + &granted("QueueStatus", queues)));
        assert!(matches!(steps[..], [Step::Answer(_), Step::Answer(_)]), "{steps:?}");
        session.read(PONG);
        let steps = session.read(PONG);
        assert!(matches!(&steps[..], [Step::Synchronised(refused)] if refused.is_empty()));
        session
    }

    /// Takes text with plain line ends; gives the steps a session has to know of.
    fn read(&mut self, text: &str) -> Vec<Step> {
        self.try_read(text).expect("a snapshot that may still come")
    }

    fn try_read(&mut self, text: &str) -> Result<Vec<Step>, NoSnapshot> {
        let mut decoder = Decoder::new(Limits { line: 1 << 21, frame: 1 << 22 });
        decoder.feed(text.replace('\n', "\r\n").as_bytes());
        let mut steps = Vec::new();
        while let Some(item) = decoder.next_item() {
            let mut sink = Sink {
                correlator: &mut self.correlator,
                self_metrics: &mut self.self_metrics,
                out: &mut self.out,
            };
            let step = self.stream.take(self.now, &item, &mut sink)?;
            if !matches!(step, Step::Nothing) {
                steps.push(step);
            }
        }
        Ok(steps)
    }

    /// Lets seconds pass.
    fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(std::time::Duration::from_secs(seconds));
        self.correlator.expire(self.now, &mut self.out);
    }

    fn waiting(&self) -> usize {
        self.correlator.state(self.now).queues.iter().map(|queue| queue.waiting as usize).sum()
    }

    fn anomalies(&self) -> Vec<Anomaly> {
        let anomaly = |(_, fact): &(String, Observation)| match fact {
            Observation::Anomaly(anomaly) => Some(*anomaly),
            _ => None,
        };
        self.out.0.iter().filter_map(anomaly).collect()
    }
}

/// The answer to an action that asks for a list, its items and its end.
fn granted(action: &str, items: &str) -> String {
    let id = format!("ActionID: ae-5-{action}\n");
    let items = items.replace("\n\n", &format!("\n{id}\n"));
    format!("Response: Success\n{id}\n{items}Event: {action}Complete\n{id}\n")
}

fn refused(action: &str) -> String {
    format!("Response: Error\nActionID: ae-5-{action}\nMessage: Permission denied\n\n")
}

const PONG: &str = "Response: Success\nActionID: ae-7-Barrier\nPing: Pong\n\n";
const QUEUE: &str = "Event: QueueParams\nQueue: q\n\n";
const ENTRY: &str = "Event: QueueEntry\nQueue: q\nChannel: SIP/t-1\nUniqueid: 1.1\nWait: 5\n\n";
const JOIN: &str = "Event: QueueCallerJoin\nQueue: q\nChannel: SIP/t-1\nUniqueid: 1.1\n\n";

#[test]
fn the_snapshot_is_applied_behind_the_second_answer_and_then_what_was_held_back() {
    let mut session = Session::new();
    session.read("Asterisk Call Manager/11.0.0\n");
    session.read(&(JOIN.to_owned() + &granted("CoreShowChannels", "")));
    session.read(&granted("QueueStatus", &[QUEUE, ENTRY].concat()));
    session.read(PONG);
    assert!(session.stream.is_opening() && session.out.0.is_empty());
    session.read(PONG);
    assert!(!session.stream.is_opening());
    // The Join knows better than the list: an entry, and nobody adopted.
    assert_eq!(session.waiting(), 1);
    assert!(session.out.0.iter().any(|(_, fact)| matches!(fact, Observation::Entered { .. })));
    assert!(!session.out.0.iter().any(|(_, fact)| matches!(fact, Observation::Adopted { .. })));
    assert_eq!(session.anomalies(), []);
}

#[test]
fn a_session_goes_on_without_a_list_that_was_refused() {
    let mut session = Session::new();
    session.read(&(refused("CoreShowChannels") + &granted("QueueStatus", QUEUE)));
    session.read(PONG);
    let steps = session.read(PONG);
    let [Step::Synchronised(refused)] = &steps[..] else { panic!("{steps:?}") };
    let expected = Refused { action: "CoreShowChannels", message: "Permission denied".to_owned() };
    assert_eq!(refused[..], [expected]);
    assert!(!refused[0].is_of_queues());
}

#[test]
fn half_a_list_is_no_snapshot() {
    let half = granted("QueueStatus", QUEUE);
    let half = half.split("Event: QueueStatusComplete").next().expect("a beginning");
    for (lists, action) in [
        (granted("CoreShowChannels", "") + half, "QueueStatus"),
        (granted("QueueStatus", ""), "CoreShowChannels"),
    ] {
        let mut session = Session::new();
        session.read(&lists);
        session.read(PONG);
        assert_eq!(session.try_read(PONG).err(), Some(NoSnapshot::Unended(action)));
    }
}

#[test]
fn a_list_in_mid_session_is_compared_behind_its_barrier() {
    let mut session = Session::up(QUEUE);
    session.read(JOIN);
    // Twice in a row a list does not have the caller: only then the events are wrong.
    for left in [1, 0] {
        session.read(&granted("QueueStatus", QUEUE));
        session.read(PONG);
        assert_eq!(session.waiting(), 1);
        session.read(PONG);
        session.wait(3);
        assert_eq!(session.waiting(), left);
    }
    assert_eq!(session.anomalies(), [Anomaly::CallerVanished]);
}

#[test]
fn events_behind_a_lists_answer_know_better_than_the_list() {
    let mut session = Session::up(QUEUE);
    let list = granted("QueueStatus", QUEUE);
    for _ in 0..3 {
        session.read(&list);
        session.read(JOIN);
        session.read(PONG);
        session.read(PONG);
        session.wait(60);
        session.read(&JOIN.replace("QueueCallerJoin", "QueueCallerLeave"));
    }
    assert_eq!(session.anomalies(), []);
}

#[test]
fn a_list_in_mid_session_without_an_end_changes_nothing() {
    let mut session = Session::up(&[QUEUE, ENTRY].concat());
    let half = granted("QueueStatus", QUEUE);
    let half = half.split("Event: QueueStatusComplete").next().expect("a beginning");
    for _ in 0..3 {
        session.read(half);
        // The next list comes before the end of the barrier, or behind it.
        session.read(PONG);
        session.read(PONG);
        session.read(half);
        session.wait(60);
    }
    assert_eq!(session.waiting(), 1);
    assert_eq!(session.anomalies(), []);
    // What is asked of a list without an end has no place in the next.
    session.read(&granted("QueueStatus", &[QUEUE, ENTRY].concat()));
    assert_eq!(session.waiting(), 1);
}

#[test]
fn items_nobody_asked_for_are_counted_and_left_out() {
    let mut session = Session::up(QUEUE);
    let others = ENTRY.replace("\n\n", "\nActionID: lab-1\n\n");
    session.read(&others);
    session
        .read(&[granted("QueueStatus", QUEUE), others, PONG.to_owned(), PONG.to_owned()].concat());
    assert_eq!(session.waiting(), 0);
}

#[test]
fn a_list_in_mid_session_is_given_up_when_it_is_too_long() {
    let mut session = Session::up(QUEUE);
    session.read("Response: Success\nActionID: ae-9-QueueStatus\n\n");
    let item = format!(
        "Event: QueueParams\nActionID: ae-9-QueueStatus\nQueue: q\nX: {}\n\n",
        "x".repeat(1 << 20)
    );
    let items = (0..100).find(|_| matches!(session.read(&item)[..], [Step::ListTooLong]));
    assert_eq!(items, Some(63));
    // The rest of it belongs to no list.
    assert!(session.read(&item).is_empty());
}

#[test]
fn a_second_greeting_is_no_greeting() {
    let mut session = Session::up(QUEUE);
    assert!(session.read("Asterisk Call Manager/11.0.0\nAsterisk Call Manager/1.3\n").is_empty());
    session.read(JOIN);
    assert_eq!(session.waiting(), 1);
}
