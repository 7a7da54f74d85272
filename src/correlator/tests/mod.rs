//! The correlator on events that a test writes; whole captures are played in `tests/` of the crate.

mod boot;
mod busy;
mod call;
mod completion;
mod device;
mod endpoints;
mod hold;
mod identity;
mod limits;
mod member;
mod missing;
mod moved;
mod outside;
mod penalty;
mod presence;
mod properties;
mod recall;
pub(super) mod recount;
mod resync;
mod ring;
mod sequences;
mod since;
mod sizes;
mod stay;
mod swap;
mod taken_out;
mod talk;
mod transfer;
mod voice;
mod wrapup;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::ami::frame::{Decoder, Item, Limits};
use crate::event::Name;

/// Observations as counts and sums, by name.
#[derive(Default, Debug)]
pub(super) struct Tally {
    pub counts: BTreeMap<String, u64>,
    pub sums: BTreeMap<String, f64>,
    /// Answers by queue and penalty.
    pub tiers: BTreeMap<String, u64>,
    /// Facts of stays, by the caller's Uniqueid and Linkedid.
    pub whose: BTreeMap<String, Vec<Observation>>,
}

impl Tally {
    fn count(&mut self, what: String) {
        *self.counts.entry(what).or_default() += 1;
    }
    fn sum(&mut self, what: String, length: Option<Duration>) {
        *self.sums.entry(what).or_default() += length.unwrap_or_default().as_secs_f64();
    }
}

impl Observe for Tally {
    fn observe(&mut self, names: &Names, fact: Observation, of: Option<Caller<'_>>) {
        if let Some(Caller { uniqueid, linkedid }) = of {
            let whose = format!(
                "{} {}",
                String::from_utf8_lossy(uniqueid),
                String::from_utf8_lossy(linkedid)
            );
            self.whose.entry(whose).or_default().push(fact);
        }
        let queue = |id| names.queues.name(id).to_owned();
        let agent = |id| names.agents.name(id).to_owned();
        let trunk = |id| names.trunks.name(id).to_owned();
        match fact {
            Observation::Entered { queue: q } => self.count(format!("{} entered", queue(q))),
            Observation::Adopted { queue: q, phase } => {
                self.count(format!("{} adopted {}", queue(q), phase.word()));
            }
            Observation::Exited { queue: q, outcome, hold } => {
                self.count(format!("{} exit {}", queue(q), outcome.word()));
                self.sum(format!("{} hold {}", queue(q), outcome.word()), hold);
            }
            Observation::AnsweredBy { queue: q, penalty } => {
                let tier = format!("{} {}", queue(q), penalty.word());
                *self.tiers.entry(tier).or_default() += 1;
            }
            Observation::Positioned { queue: q, at, position } => {
                let what = format!("{} position {}", queue(q), at.word());
                *self.sums.entry(what).or_default() += f64::from(position);
            }
            Observation::Refused { queue: q, reason } => {
                self.count(format!("{} refused {}", queue(q), reason.word()));
            }
            Observation::RingEnded { queue: q, agent: a, result, length } => {
                self.count(format!("{} ring {} {}", queue(q), agent(a), result.word()));
                self.sum(format!("{} ring {} {}", queue(q), agent(a), result.word()), length);
            }
            Observation::Completed { queue: q, agent: a, ended_by, talk } => {
                self.count(format!("{} complete {} {}", queue(q), agent(a), ended_by.word()));
                self.sum(format!("{} talk {}", queue(q), agent(a)), talk);
            }
            Observation::Held { queue: q, agent: a, times, spent, hung_up } => {
                let who = format!("{} {}", queue(q), agent(a));
                *self.counts.entry(format!("{who} held")).or_default() += u64::from(times);
                self.sum(format!("{who} hold in talk"), spent);
                if hung_up {
                    self.count(format!("{who} hung up on hold"));
                }
            }
            Observation::Transferred { queue: q, agent: a, kind, by } => {
                self.count(format!(
                    "{} transfer {} {} {}",
                    queue(q),
                    agent(a),
                    kind.word(),
                    by.word()
                ));
            }
            Observation::TransferArrived { queue: q, to } => {
                self.count(format!("{} transferred to {}", queue(q), to.word()));
            }
            Observation::Flowed { queue: q, to, by } => {
                self.count(format!("{} flow {} {}", queue(q), queue(to), by.word()));
            }
            Observation::AgentDumped { queue: q, agent: a } => {
                self.count(format!("{} dump {}", queue(q), agent(a)));
            }
            Observation::QueueHangup { queue: q, agent: a, leg, cause } => {
                self.count(format!("{} hangup {} {} {}", queue(q), agent(a), leg.word(), cause.0));
            }
            Observation::CallerParked { queue: q } => self.count(format!("{} parked", queue(q))),
            Observation::RecordedCall { queue: q, agent: a } => {
                self.count(format!("{} recorded {}", queue(q), agent(a)));
            }
            Observation::CallEnded { direction, agent: a, trunk: t, result } => {
                self.count(format!(
                    "call {} {} {} {}",
                    direction.word(),
                    agent(a),
                    trunk(t),
                    result.word()
                ));
            }
            Observation::CallTalked { direction, agent: a, length } => {
                self.sum(format!("call talk {} {}", direction.word(), agent(a)), Some(length));
            }
            Observation::CallRang { direction, result, length } => {
                self.sum(format!("call ring {} {}", direction.word(), result.word()), Some(length));
            }
            Observation::CallHangup { direction, agent: a, trunk: t, cause } => {
                self.count(format!(
                    "call hangup {} {} {} {}",
                    direction.word(),
                    agent(a),
                    trunk(t),
                    cause.0
                ));
            }
            Observation::TrunkAttempt { trunk: t, result } => {
                self.count(format!("trunk {} {}", trunk(t), result.word()));
            }
            Observation::TrunkHangup { trunk: t, cause } => {
                self.count(format!("trunk {} cause {}", trunk(t), cause.0));
            }
            Observation::RecordingEnded => self.count("recording".into()),
            Observation::VoiceMeasured { of, measure } => {
                let of = match of {
                    EndpointOf::Trunk(id) => trunk(id),
                    EndpointOf::Agent(id) => agent(id),
                };
                let (what, value) = match measure {
                    VoiceMeasure::Jitter(stream, jitter) => {
                        (format!("jitter {}", stream.word()), jitter.as_secs_f64())
                    }
                    VoiceMeasure::Loss(stream, loss) => (format!("loss {}", stream.word()), loss),
                    VoiceMeasure::Score(score) => ("score".to_owned(), score),
                    VoiceMeasure::RoundTrip(length) => {
                        ("round trip".to_owned(), length.as_secs_f64())
                    }
                };
                self.count(format!("{of} {what}"));
                *self.sums.entry(format!("{of} {what}")).or_default() += value;
            }
            Observation::Anomaly(anomaly) => self.count(format!("anomaly {}", anomaly.word())),
            Observation::GivenUp(kind) => self.count(format!("given up {}", kind.word())),
            Observation::Repaired(kind) => self.count(format!("repaired {}", kind.word())),
            Observation::MemberPaused { queue: q, agent: a, change } => {
                self.count(format!("{} {} {}", queue(q), change.word(), agent(a)));
            }
            Observation::AgentLogin { agent: a, change } => {
                self.count(format!("{} {}", change.word(), agent(a)));
            }
            Observation::WrappedUp { .. } | Observation::AgentTime { .. } => {}
            Observation::QueueKnown { .. }
            | Observation::MemberKnown { .. }
            | Observation::TrunkKnown { .. }
            | Observation::RingBegan { .. }
            | Observation::CallBegan { .. } => {}
        }
    }
}

/// A correlator that is given events as short texts, and what it observed.
pub(super) struct Stage {
    pub now: Moment,
    pub correlator: Correlator,
    pub tally: Tally,
}

impl Stage {
    /// A live PBX on which nothing goes on, at second 0 of the test.
    pub(super) fn live() -> Self {
        Self::within(TrackedLimits::default())
    }

    /// The same, where no more is followed at once.
    pub(super) fn within(tracked: TrackedLimits) -> Self {
        let trunks = Patterns::new(["^SIP/trunk-"]).unwrap();
        let rules = Rules { trunks, tracked, ..Rules::default() };
        let mut stage = Self {
            now: START,
            correlator: Correlator::new(rules, Timing::Live),
            tally: Tally::default(),
        };
        stage.resync(&[]);
        stage
    }

    /// Lets time pass up to a second of the test.
    pub(super) fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = START.after(Duration::from_secs_f64(seconds));
        self.correlator.expire(self.now, &mut self.tally);
        self
    }

    /// An event: its name, then `Key=value` words.
    pub(super) fn event(&mut self, event: &str) -> &mut Self {
        with_event(event, |event| self.correlator.handle(self.now, &event, &mut self.tally));
        assert_conserved(&self.tally, &self.correlator.state(self.now), self.correlator.names());
        self
    }

    /// Connects again, to these list items.
    pub(super) fn resync(&mut self, items: &[&str]) -> &mut Self {
        self.resync_to(&snapshot(items))
    }

    /// The same to lists that more is known of.
    pub(super) fn resync_to(&mut self, snapshot: &Snapshot) -> &mut Self {
        self.correlator.resync(self.now, snapshot, &mut self.tally);
        assert_conserved(&self.tally, &self.correlator.state(self.now), self.correlator.names());
        self
    }

    /// Loses the link.
    pub(super) fn cut(&mut self) -> &mut Self {
        self.correlator.disconnected(self.now, &mut self.tally);
        self
    }

    /// Everything counted, anomalies left out.
    pub(super) fn counted(&self) -> Vec<String> {
        let counted = self.tally.counts.iter().filter(|(what, _)| !what.starts_with("anomaly"));
        counted.map(|(what, count)| format!("{count} {what}")).collect()
    }

    /// How often something was counted.
    pub(super) fn count(&self, what: &str) -> u64 {
        self.tally.counts.get(what).copied().unwrap_or(0)
    }

    /// The sum of what was measured, in seconds.
    pub(super) fn sum(&self, what: &str) -> f64 {
        self.tally.sums.get(what).copied().unwrap_or(0.0)
    }

    /// Waiting and talking callers of the queue `q`.
    pub(super) fn inside(&self) -> (u64, u64) {
        let state = self.correlator.state(self.now);
        let names = self.correlator.names();
        let queue = state.queues.iter().find(|queue| names.queues.name(queue.queue) == "q");
        queue.map_or((0, 0), |queue| (queue.waiting, queue.talking))
    }
}

/// The headers of an event about the call of Ann for that caller.
const AGENT: &str =
    "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";

/// A caller waits in the queue `q`.
fn joined() -> Stage {
    let mut stage = Stage::live();
    stage
        .event("Newchannel Channel=SIP/trunk-1 Uniqueid=1.1 Linkedid=1.1")
        .event("QueueCallerJoin Uniqueid=1.1 Queue=q");
    stage
}

/// Ann has taken the call after 3 s.
fn connected() -> Stage {
    let mut stage = joined();
    stage
        .at(1.0)
        .event(&format!("AgentCalled {AGENT}"))
        .event("DialBegin Uniqueid=1.1 DestUniqueid=1.2");
    stage.at(3.0).event("DialEnd Uniqueid=1.1 DestUniqueid=1.2 DialStatus=ANSWER");
    stage
        .event("QueueCallerLeave Uniqueid=1.1 Queue=q")
        .event(&format!("AgentConnect {AGENT} HoldTime=3 RingTime=2"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    stage
}

pub(super) fn snapshot(items: &[&str]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for item in items {
        with_event(item, |event| {
            let Kind::Listed { item, .. } = event.kind else { panic!("no list item: {event:?}") };
            snapshot.add(&item);
        });
    }
    snapshot
}

pub(super) fn with_event<T>(text: &str, then: impl FnOnce(Event<'_>) -> T) -> T {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut frame = format!("Event: {}\r\n", words.next().expect("a name"));
    for word in words {
        let (key, value) = word.split_once('=').expect("key=value");
        frame.push_str(&format!("{key}: {}\r\n", value.replace('~', " ")));
    }
    frame.push_str("\r\n");
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(frame.as_bytes());
    let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame: {text}") };
    let (_, name) = Name::find(frame.name).expect("a known event");
    then(Event::parse(name, &frame).expect("a whole event").expect("a needed event"))
}

const START: Moment = Moment::from_secs(1_000_000);

/// Conservation, as METRICS.md has it, over a tally and the state beside it.
pub(super) fn assert_conserved(tally: &Tally, state: &State, names: &Names) {
    let sum = |queue: &str, prefix: &str| -> u64 {
        let prefix = format!("{queue} {prefix}");
        tally
            .counts
            .iter()
            .filter(|(what, _)| what.starts_with(&prefix))
            .map(|(_, count)| count)
            .sum()
    };
    for queue in &state.queues {
        let name = names.queues.name(queue.queue);
        let begun = sum(name, "entered") + sum(name, "adopted waiting");
        assert_eq!(begun, sum(name, "exit ") + queue.waiting, "waits of {name}: {tally:#?}");
        let of_queue = |tier: &str| tier.rsplit_once(' ').is_some_and(|(queue, _)| queue == name);
        let tiers = tally.tiers.iter().filter(|(tier, _)| of_queue(tier)).map(|(_, count)| count);
        assert_eq!(tiers.sum::<u64>(), sum(name, "exit answered"), "penalties of {name}");
        let connected = sum(name, "exit answered") + sum(name, "adopted talking");
        assert_eq!(
            connected,
            sum(name, "complete ") + queue.talking,
            "talks of {name}: {tally:#?}"
        );
    }
}
