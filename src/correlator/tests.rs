//! The correlator over whole recordings and made-up ones.

use std::collections::BTreeMap;

use super::*;
use crate::ami::frame::{Decoder, Item, Limits};
use crate::event::Name;

/// Observations as counts and sums, by name.
#[derive(Default, Debug)]
pub(super) struct Tally {
    pub counts: BTreeMap<String, u64>,
    pub sums: BTreeMap<String, f64>,
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
    fn observe(&mut self, names: &Names, seen: Observation) {
        let queue = |id| names.queues.name(id).to_owned();
        let agent = |id| names.agents.name(id).to_owned();
        let trunk = |id| names.trunks.name(id).to_owned();
        match seen {
            Observation::Entered { queue: q } => self.count(format!("{} entered", queue(q))),
            Observation::Adopted { queue: q, phase } => self.count(format!("{} adopted {}", queue(q), phase.word())),
            Observation::Exited { queue: q, outcome, hold } => {
                self.count(format!("{} exit {}", queue(q), outcome.word()));
                self.sum(format!("{} hold {}", queue(q), outcome.word()), hold);
            }
            Observation::Refused { queue: q, reason } => self.count(format!("{} refused {}", queue(q), reason.word())),
            Observation::RingEnded { queue: q, agent: a, result, length } => {
                self.count(format!("{} ring {} {}", queue(q), agent(a), result.word()));
                self.sum(format!("{} ring {} {}", queue(q), agent(a), result.word()), length);
            }
            Observation::Completed { queue: q, agent: a, ended_by, talk } => {
                self.count(format!("{} complete {} {}", queue(q), agent(a), ended_by.word()));
                self.sum(format!("{} talk {}", queue(q), agent(a)), talk);
            }
            Observation::Transferred { queue: q, agent: a, kind, by } => {
                self.count(format!("{} transfer {} {} {}", queue(q), agent(a), kind.word(), by.word()));
            }
            Observation::AgentDumped { queue: q, agent: a } => self.count(format!("{} dump {}", queue(q), agent(a))),
            Observation::QueueHangup { queue: q, agent: a, leg, cause } => {
                self.count(format!("{} hangup {} {} {}", queue(q), agent(a), leg.word(), cause.0));
            }
            Observation::RecordedCall { queue: q, agent: a } => self.count(format!("{} recorded {}", queue(q), agent(a))),
            Observation::CallEnded { direction, agent: a, trunk: t, result } => {
                self.count(format!("call {} {} {} {}", direction.word(), agent(a), trunk(t), result.word()));
            }
            Observation::CallTalked { direction, agent: a, length } => {
                self.sum(format!("call talk {} {}", direction.word(), agent(a)), Some(length));
            }
            Observation::CallRang { direction, result, length } => {
                self.sum(format!("call ring {} {}", direction.word(), result.word()), Some(length));
            }
            Observation::CallHangup { direction, agent: a, trunk: t, cause } => {
                self.count(format!("call hangup {} {} {} {}", direction.word(), agent(a), trunk(t), cause.0));
            }
            Observation::TrunkAttempt { trunk: t, result } => self.count(format!("trunk {} {}", trunk(t), result.word())),
            Observation::TrunkHangup { trunk: t, cause } => self.count(format!("trunk {} cause {}", trunk(t), cause.0)),
            Observation::RecordingEnded => self.count("recording".into()),
            Observation::Anomaly(anomaly) => self.count(format!("anomaly {}", anomaly.word())),
            Observation::WrappedUp { .. } | Observation::AgentTime { .. } => {}
            Observation::QueueKnown { .. } | Observation::MemberKnown { .. } | Observation::TrunkKnown { .. } => {}
        }
    }
}

pub(super) fn play(bytes: &[u8], rules: Rules) -> (Tally, State) {
    let mut decoder = Decoder::new(Limits::default());
    let mut correlator = Correlator::new(rules, Timing::Recorded);
    let mut tally = Tally::default();
    let mut now = Moment::default();
    decoder.feed(bytes);
    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { continue };
        let Some((_, name)) = Name::find(frame.name) else { continue };
        let Ok(Some(event)) = Event::parse(name, &frame) else { continue };
        now = now.max(event.at.unwrap_or_default());
        correlator.expire(now, &mut tally);
        correlator.handle(now, &event, &mut tally);
    }
    let state = correlator.state(now);
    (tally, state)
}

#[test]
fn dev_dump() {
    let Ok(path) = std::env::var("CAPTURE") else { return };
    let rules = Rules { trunks: Patterns::new(["^(SIP|PJSIP)/(trunk|carrier|channel2)-"]).unwrap(), ..Rules::default() };
    let bytes = std::fs::read(path).unwrap();
    let (tally, state) = play(&bytes, rules);
    for (what, count) in &tally.counts {
        println!("{count:5} {what}");
    }
    for (what, sum) in &tally.sums {
        println!("{sum:8.3} {what}");
    }
    println!("{:?}", state.tracked);
}
