//! Members' and agents' states, and the time spent in them.

use super::*;

const MEMBER: &str = "QueueMemberStatus Interface=SIP/201 MemberName=Ann Paused=0 Wrapuptime=10";
const AGENT: &str =
    "Uniqueid=1.1 DestUniqueid=1.2 DestChannel=SIP/201-2 Queue=q Interface=SIP/201 MemberName=Ann";

fn state(stage: &Stage) -> &'static str {
    let state = stage.correlator.state(stage.now);
    let names = stage.correlator.names();
    let agent = state.agents.iter().find(|now| names.agents.name(now.agent) == "Ann");
    agent.map_or("nobody", |now| now.state.word())
}

fn times(stage: &mut Stage) -> BTreeMap<String, f64> {
    struct Times(BTreeMap<String, f64>);
    impl Observe for Times {
        fn observe(&mut self, names: &Names, fact: Observation, _of: Option<Caller<'_>>) {
            if let Observation::AgentTime { state, reason, spent, .. } = fact {
                let key = format!("{} {}", state.word(), names.reasons.name(reason));
                *self.0.entry(key).or_default() += spent.as_secs_f64();
            }
        }
    }
    let mut times = Times(BTreeMap::new());
    stage.correlator.flush(stage.now, &mut times);
    times.0
}

#[test]
fn what_is_known_of_the_call_overrides_the_device() {
    let mut stage = Stage::live();
    stage.event(&format!("{MEMBER} Queue=q Status=1"));
    assert_eq!(state(&stage), "available");
    stage.event("QueueCallerJoin Uniqueid=1.1 Queue=q").event(&format!("AgentCalled {AGENT}"));
    // PJSIP says busy while it rings and talks.
    stage.event(&format!("{MEMBER} Queue=q Status=3"));
    assert_eq!(state(&stage), "ringing");
    stage.event(&format!("AgentConnect {AGENT}"));
    stage
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.2")
        .event("BridgeEnter BridgeUniqueid=b Uniqueid=1.1");
    assert_eq!(state(&stage), "talking");
    assert_eq!(state(stage.event("Hold Uniqueid=1.2")), "on_hold");
    assert_eq!(state(stage.event("Unhold Uniqueid=1.2")), "talking");
    stage
        .at(20.0)
        .event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=caller");
    assert_eq!(state(&stage), "busy");
    stage.event(&format!("{MEMBER} Queue=q Status=1"));
    assert_eq!(state(&stage), "wrapup");
    assert_eq!(state(stage.at(29.9)), "wrapup");
    assert_eq!(state(stage.at(30.0)), "available");
    assert_eq!(state(stage.event(&format!("{MEMBER} Queue=q Status=5"))), "unavailable");
    assert_eq!(state(stage.cut()), "unknown");
}

#[test]
fn an_agent_is_paused_only_in_every_queue() {
    let mut stage = Stage::live();
    let pause =
        "QueueMemberPause Interface=SIP/201 MemberName=Ann Status=1 Paused=1 PausedReason=lunch";
    stage.event(&format!("{MEMBER} Queue=q Status=1")).event(&format!("{MEMBER} Queue=r Status=1"));
    stage.event(&format!("{pause} Queue=q"));
    assert_eq!(state(&stage), "available");
    stage.at(10.0).event(&format!("{pause} Queue=r"));
    assert_eq!(state(&stage), "paused");
    // Sent again, and still one pause.
    stage.at(12.0).event(&format!("{pause} Queue=r")).at(40.0);
    assert_eq!(times(&mut stage), BTreeMap::from([("paused lunch".to_owned(), 30.0)]));
    // queue_log has every one of them.
    stage.event("QueueMemberPause Interface=SIP/201 MemberName=Ann Status=1 Paused=0 Queue=q");
    let counts = ["q paused Ann", "r paused Ann", "q unpaused Ann", "r unpaused Ann"]
        .map(|what| stage.count(what));
    assert_eq!(counts, [1, 2, 1, 0]);
    assert_eq!(stage.inside(), (0, 0));
}

#[test]
fn state_time_adds_up_to_the_time_since_first_seen() {
    let mut stage = Stage::live();
    stage.at(5.0).event(&format!("{MEMBER} Queue=q Status=1"));
    let mut total = 0.0;
    for (second, event) in [
        (7.0, format!("{MEMBER} Queue=q Status=2")),
        (9.5, format!("{MEMBER} Queue=q Status=5")),
        (11.0, "QueueMemberRemoved Queue=q Interface=SIP/201 MemberName=Ann".to_owned()),
        (20.0, format!("{MEMBER} Queue=q Status=1")),
    ] {
        stage.at(second);
        total += times(&mut stage).values().sum::<f64>();
        stage.event(&event);
    }
    stage.cut().at(65.0);
    total += times(&mut stage).values().sum::<f64>();
    assert!((total - 60.0).abs() < 1e-9, "{total}");
}

#[test]
fn wrap_up_time_is_reported_up_to_its_end() {
    #[derive(Default)]
    struct WrapUp(f64);
    impl Observe for WrapUp {
        fn observe(&mut self, _names: &Names, fact: Observation, _of: Option<Caller<'_>>) {
            if let Observation::WrappedUp { spent, .. } = fact {
                self.0 += spent.as_secs_f64();
            }
        }
    }
    let mut stage = Stage::live();
    stage.event(&format!("{MEMBER} Queue=q Status=1")).event(&format!("AgentConnect {AGENT}"));
    stage
        .at(20.0)
        .event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    let mut reported = WrapUp::default();
    for second in [24, 29, 31, 50] {
        let now = START.after(Duration::from_secs(second));
        stage.correlator.flush(now, &mut reported);
        stage.correlator.expire(now, &mut reported);
    }
    assert!((reported.0 - 10.0).abs() < 1e-9, "{}", reported.0);
}

#[test]
fn a_member_removed_in_a_call_does_not_come_back_with_its_events() {
    let mut stage = Stage::live();
    stage.event(&format!("{MEMBER} Queue=q Status=2")).event(&format!("AgentConnect {AGENT}"));
    stage.event("QueueMemberRemoved Queue=q Interface=SIP/201 MemberName=Ann");
    stage.event("AgentComplete Uniqueid=1.1 Queue=q Interface=SIP/201 MemberName=Ann Reason=agent");
    assert_eq!(stage.count("q complete Ann agent"), 1);
    let members = stage.correlator.state(stage.now).queues[0]
        .members
        .iter()
        .map(|(_, count)| count)
        .sum::<u64>();
    assert_eq!(members, 0);
}

#[test]
fn identity_may_be_the_interface() {
    let rules = Rules { identity: Identity::Interface, ..Rules::default() };
    let mut stage = Stage::live();
    stage.correlator = Correlator::new(rules, Timing::Live);
    stage.event(&format!("AgentConnect {AGENT}"));
    assert_eq!(stage.count("q ring SIP/201 answered"), 1);
}
