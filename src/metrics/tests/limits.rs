//! However many names a PBX has: the series of a scrape stay within the limit, every number is in
//! one of them, and nothing is kept of what has none.

use std::collections::BTreeMap;

use super::*;
use crate::clock::Moment;
use crate::correlator::{
    AgentState, CallResult, Cause, Correlator, Direction, EndedBy, EndpointOf, FlowBy, GivenUp,
    Leg, Outcome, PauseChange, Penalty, Phase, PositionAt, QueueState, Refusal, RingResult, Rules,
    StreamOf, Timing, TransferBy, TransferKind, TransferTo, TrunkId, VoiceMeasure, Word,
};
use crate::{event, supervisor};

/// Series about `hq`.
fn lines(text: &Scrape) -> usize {
    text.0.lines().filter(|line| line.contains(r#"pbx="hq""#)).count()
}

/// The samples of a metric, added up by one of their labels.
fn by(text: &Scrape, name: &str, label: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    let start = format!("{name}{{");
    let label = format!("{label}=\"");
    for line in text.0.lines().filter(|line| line.starts_with(&start)) {
        let (labels, value) = line.rsplit_once(' ').expect("a sample ends with a number");
        let (_, rest) = labels.split_once(&label).expect("the label is there");
        let (key, _) = rest.split_once('"').expect("a value ends with a quote");
        *sums.entry(key.to_owned()).or_default() += value.parse::<f64>().expect("a number");
    }
    sums
}

/// The bench with everything that an exporter has of a PBX before its first event.
fn whole(settings: Settings) -> Bench {
    let mut bench = Bench::new(settings);
    let _ = bench
        .metrics
        .self_metrics(&PbxName::new("hq"), event::KNOWN, Moment::from_secs(1))
        .with_reasons(supervisor::DISCONNECTS, supervisor::REJECTIONS);
    bench.state.started = Some(Moment::from_secs(1));
    bench
}

#[test]
fn what_a_pbx_has_before_its_first_event_is_taken() {
    let bench = &mut whole(Settings::default());
    let own = Scrape(bench.snapshot().text(&Part::All, Format::Text));
    let about_others = ["asterisk_queue", "asterisk_call", "asterisk_recordings", "asterisk_trunk"];
    let own = own.0.lines().filter(|line| {
        line.contains(r#"pbx="hq""#) && !about_others.iter().any(|name| line.starts_with(name))
    });
    let own = own.count();
    assert!(own <= OWN && own + 40 > OWN, "{own} of {OWN}");
}

/// 100 queues with the same 1,000 agents, of whom each is rung in each queue with every result.
fn flood(settings: Settings) -> Bench {
    let mut bench = whole(settings);
    let queues: Vec<_> = (0..100).map(|number| bench.queue(&format!("queue-{number}"))).collect();
    let agents: Vec<_> = (0..1000).map(|person| bench.agent(&format!("agent-{person}"))).collect();

    // The list comes first, a queue and its members after the other.
    for &queue in &queues {
        bench.see(Observation::QueueKnown { queue, service_level: Some(secs(20)) });
        for &agent in &agents {
            bench.see(Observation::MemberKnown { queue, agent });
        }
    }

    for (&queue, number) in queues.iter().zip(0..) {
        let members = AgentState::ALL.iter().map(|&state| (state, 1)).collect();
        let (waiting, talking, longest_wait) = (0, 0, secs(number));
        bench.state.queues.push(QueueState { queue, waiting, talking, longest_wait, members });

        for (&agent, person) in agents.iter().zip(0..) {
            for &result in RingResult::ALL {
                let length = Some(secs(person % 90));
                bench.see(Observation::RingEnded { queue, agent, result, length });
            }
            if person % 10 == 0 {
                serve(&mut bench, queue, agent);
            }
        }
    }

    bench.state.agents.extend(agents.iter().map(|&agent| doing(agent, AgentState::Available)));
    bench
}

/// A caller who is served, with everything that can be counted of it.
fn serve(bench: &mut Bench, queue: QueueId, agent: AgentId) {
    use Observation as O;
    let (ended_by, cause) = (EndedBy::Caller, Cause(16));
    let change = PauseChange::Paused;
    for seen in [
        O::Entered { queue },
        O::Exited { queue, outcome: Outcome::Answered, hold: Some(secs(3)) },
        O::Completed { queue, agent, ended_by, talk: Some(secs(60)) },
        O::Transferred { queue, agent, kind: TransferKind::Blind, by: TransferBy::Agent },
        O::MemberPaused { queue, agent, change },
        O::AgentDumped { queue, agent },
        O::WrappedUp { queue, agent, spent: secs(1) },
        O::QueueHangup { queue, agent, leg: Leg::Agent, cause },
        O::QueueHangup { queue, agent: AgentId::NONE, leg: Leg::Caller, cause },
    ] {
        bench.see(seen);
    }
}

/// Less than these would have.
const SERIES: usize = 300_000;

#[test]
fn a_hundred_queues_of_a_thousand_agents_stay_within_the_limit() {
    let limits = LabelLimits { series: SERIES, ..LabelLimits::default() };
    let mut bench = flood(Settings { limits, ..Settings::default() });
    let text = bench.text();
    let count = lines(&text);
    assert!(count <= SERIES, "{count} series");

    // Each queue's callers add up, whichever agents have series of their own.
    for (name, of_each) in [
        ("asterisk_queue_entries_total", 100.0),
        ("asterisk_queue_exits_total", 100.0),
        ("asterisk_queue_completions_total", 100.0),
        ("asterisk_queue_rings_total", 6000.0),
        ("asterisk_queue_transfers_total", 100.0),
        ("asterisk_queue_pauses_total", 100.0),
        ("asterisk_queue_agent_dumps_total", 100.0),
        ("asterisk_queue_wrapup_seconds_total", 100.0),
    ] {
        let sums = by(&text, name, "queue");
        assert_eq!(sums.len(), 100, "{name}");
        assert!(sums.values().all(|&sum| sum == of_each), "{name}: {sums:?}");
    }

    // Nothing is lost in the sums over all agents and queues.
    for (name, sum) in [
        ("asterisk_queue_ring_seconds_count", 600_000.0),
        ("asterisk_queue_ring_seconds_sum", 6.0 * 100.0 * (11.0 * 4005.0 + 45.0)),
        ("asterisk_queue_talk_seconds_count", 10_000.0),
        ("asterisk_queue_hold_seconds_count", 10_000.0),
        ("asterisk_queue_hangups_total", 20_000.0),
    ] {
        assert_eq!(text.sum(name), Some(sum), "{name}");
    }

    // 2,500 agents in queues have series of their own, the others' counters are in `other`.
    assert_eq!(
        text.of(r#"asterisk_exporter_label_overflow_total{label="member"}"#),
        Some(10_000.0)
    );
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="agent"}"#), Some(0.0));
    // That is more than the limit, so the last histograms are `other`, too.
    assert_eq!(bench.recorder.take_overflows(), [Limit::Member, Limit::Series]);
    assert_eq!(bench.recorder.take_overflows(), []);

    // Nothing is kept for each of the 97,500 others.
    assert_eq!(bench.recorder.naming.places(), 2500);
    // Two queues have a place for each of their agents, 98 have `other`.
    assert_eq!(bench.recorder.members.keys(), (2500 + 98) * 6);
}

#[test]
fn without_a_limit_of_members_the_limit_of_series_holds() {
    let limits = LabelLimits { members: 1_000_000, series: SERIES, ..LabelLimits::default() };
    let mut bench = flood(Settings { limits, ..Settings::default() });
    let text = bench.text();
    let count = lines(&text);
    assert!((270_000..=SERIES).contains(&count), "{count} series");
    let exported = text.of("asterisk_exporter_series").expect("it is there");
    assert!(exported >= count as f64 && exported <= SERIES as f64, "{exported}");
    assert_eq!(text.of("asterisk_exporter_series_limit"), Some(SERIES as f64));

    let sums = by(&text, "asterisk_queue_rings_total", "queue");
    assert_eq!((sums.len(), sums.values().all(|&sum| sum == 6000.0)), (100, true));
    let sums = by(&text, "asterisk_queue_completions_total", "queue");
    assert_eq!((sums.len(), sums.values().all(|&sum| sum == 100.0)), (100, true));
    assert_eq!(text.sum("asterisk_queue_ring_seconds_count"), Some(600_000.0));
    assert_eq!(text.sum("asterisk_queue_hangups_total"), Some(20_000.0));
    let folded = text.of(r#"asterisk_exporter_label_overflow_total{label="series"}"#);
    assert!(folded > Some(1000.0), "{folded:?}");
    assert_eq!(bench.recorder.take_overflows(), [Limit::Series]);
}

/// Everything that the observations can bring, of 100 names of each kind.
fn everything(settings: Settings) -> Bench {
    use Observation as O;
    let mut bench = whole(settings);
    for number in 0..100 {
        let queue = bench.queue(&format!("queue-{number}"));
        let trunk = bench.names.trunks.intern(format!("trunk-{number}").as_bytes());
        let agents = [
            bench.agent(&format!("agent-{number}")),
            bench.names.agents.intern_device(&format!("SIP/{number}")),
            AgentId::NONE,
        ];
        let reason = bench.names.reasons.intern(format!("reason-{number}").as_bytes());

        bench.see(O::QueueKnown { queue, service_level: Some(secs(20)) });
        bench.see(O::TrunkKnown { trunk });
        for &phase in Phase::ALL {
            bench.see(O::Adopted { queue, phase });
        }
        for &outcome in Outcome::ALL {
            bench.see(O::Exited { queue, outcome, hold: Some(secs(3)) });
        }
        for &to in TransferTo::ALL {
            bench.see(O::TransferArrived { queue, to });
        }
        for &by in FlowBy::ALL {
            bench.see(O::Flowed { queue, to: queue, by });
        }
        for &penalty in Penalty::ALL {
            bench.see(O::AnsweredBy { queue, penalty });
        }
        for &at in PositionAt::ALL {
            bench.see(O::Positioned { queue, at, position: 4 });
        }
        for &refusal in Refusal::ALL {
            let of = if refusal == Refusal::UnknownQueue { QueueId::NONE } else { queue };
            bench.see(O::Refused { queue: of, reason: refusal });
        }
        for agent in agents {
            bench.see(O::RingBegan { queue, agent });
            for &result in RingResult::ALL {
                bench.see(O::RingEnded { queue, agent, result, length: Some(secs(3)) });
            }
            for &ended_by in EndedBy::ALL {
                bench.see(O::Completed { queue, agent, ended_by, talk: Some(secs(3)) });
            }
            for cause in Cause::all().chain([Cause(999)]) {
                for &leg in Leg::ALL {
                    bench.see(O::QueueHangup { queue, agent, leg, cause });
                }
                bench.see(O::TrunkHangup { trunk, cause });
            }
            for &direction in Direction::ALL {
                for trunk in [trunk, TrunkId::NONE] {
                    call(&mut bench, direction, agent, trunk);
                }
            }
        }
        for &state in AgentState::ALL {
            bench.see(O::AgentTime { agent: agents[0], state, reason, spent: secs(1) });
        }
        bench.see(O::MemberKnown { queue, agent: agents[0] });
        serve(&mut bench, queue, agents[0]);

        let members = AgentState::ALL.iter().map(|&state| (state, 1)).collect();
        let (waiting, talking, longest_wait) = (0, 0, secs(number));
        bench.state.queues.push(QueueState { queue, waiting, talking, longest_wait, members });
        bench.state.agents.push(doing(agents[0], AgentState::Talking));
        bench.state.trunks.push((trunk, 1));
    }
    bench.see(O::RecordingEnded);
    bench
}

fn call(bench: &mut Bench, direction: Direction, agent: AgentId, trunk: TrunkId) {
    use Observation as O;
    bench.see(O::CallBegan { direction, agent, trunk });
    for &result in CallResult::ALL {
        bench.see(O::CallEnded { direction, agent, trunk, result });
        bench.see(O::CallRang { direction, result, length: secs(3) });
        bench.see(O::TrunkAttempt { trunk, result });
    }
    bench.see(O::CallTalked { direction, agent, length: secs(3) });
    for of in [EndpointOf::Trunk(trunk), EndpointOf::Agent(agent)] {
        for &stream in StreamOf::ALL {
            bench.see(O::VoiceMeasured { of, measure: VoiceMeasure::Jitter(stream, secs(1)) });
            bench.see(O::VoiceMeasured { of, measure: VoiceMeasure::Loss(stream, 0.5) });
        }
        bench.see(O::VoiceMeasured { of, measure: VoiceMeasure::Score(70.0) });
        bench.see(O::VoiceMeasured { of, measure: VoiceMeasure::RoundTrip(secs(1)) });
    }
    for cause in Cause::all().chain([Cause(999)]) {
        bench.see(O::CallHangup { direction, agent, trunk, cause });
    }
}

#[test]
fn no_limit_of_series_is_ever_passed() {
    let wide = (1..=100).map(f64::from).collect::<Vec<_>>();
    let wide = Buckets { hold: wide.clone(), ring: wide.clone(), talk: wide };
    for (buckets, agent_label, agent_histograms, zero_series) in [
        (Buckets::default(), AgentLabel::Name, AgentHistograms::Full, ZeroSeries::All),
        (wide.clone(), AgentLabel::Name, AgentHistograms::Full, ZeroSeries::Usual),
        (wide.clone(), AgentLabel::None, AgentHistograms::Full, ZeroSeries::All),
        (wide, AgentLabel::Name, AgentHistograms::Off, ZeroSeries::Few),
    ] {
        for series in [10_000, 60_000] {
            let limits = LabelLimits { series, ..LabelLimits::default() };
            let buckets = buckets.clone();
            let agent_label = agent_label.clone();
            let settings = Settings {
                limits,
                buckets,
                agent_label,
                agent_histograms,
                zero_series,
                ..Settings::default()
            };
            let text = everything(settings).text();
            assert!(lines(&text) <= series, "{} of {series}", lines(&text));

            // Three agents and nobody, four directions, with and without a trunk.
            let causes = 1.0 + Cause::COUNT as f64;
            for (name, sum) in [
                ("asterisk_queue_rings_total", 1800.0),
                ("asterisk_queue_ring_seconds_count", 1800.0),
                ("asterisk_queue_talk_seconds_count", 1600.0),
                ("asterisk_queue_hangups_total", 600.0 * causes + 200.0),
                ("asterisk_calls_total", 14_400.0),
                ("asterisk_call_hangups_total", 2400.0 * causes),
                ("asterisk_call_talk_seconds_count", 2400.0),
                ("asterisk_agent_state_seconds_total", 1000.0),
                ("asterisk_trunk_attempts_total", 14_400.0),
                ("asterisk_trunk_attempt_hangups_total", 300.0 * causes),
            ] {
                assert_eq!(text.sum(name), Some(sum), "{name}");
            }
        }
    }
}

#[test]
fn names_beyond_their_limits_are_not_kept() {
    let settings = Settings {
        limits: LabelLimits { devices: 5, trunks: 4, reasons: 3, ..LabelLimits::default() },
        ..Settings::default()
    };
    let rules = Rules { names: settings.names_kept(), ..Rules::default() };
    let mut bench = Bench::new(settings);
    bench.names = Correlator::new(rules, Timing::Recorded).names().clone();

    let agent = bench.agent("Ann");
    for number in 0..1000 {
        let device = bench.names.agents.intern_device(&format!("SIP/{number}"));
        let trunk = bench.names.trunks.intern(format!("SIP/carrier-{number}").as_bytes());
        let reason = bench.names.reasons.intern(format!("reason {number}").as_bytes());
        let (direction, result) = (Direction::Inbound, CallResult::Answered);
        bench.see(Observation::CallEnded { direction, agent: device, trunk, result });
        let (state, spent) = (AgentState::Paused, secs(1));
        bench.see(Observation::AgentTime { agent, state, reason, spent });
    }

    let text = bench.text();
    for (label, count) in [("device", 995.0), ("trunk", 996.0), ("reason", 997.0)] {
        let overflow = format!("asterisk_exporter_label_overflow_total{{label=\"{label}\"}}");
        assert_eq!(text.of(&overflow), Some(count), "{label}");
    }
    let other = r#"asterisk_calls_total{direction="inbound",agent="other",trunk="other",result="answered"}"#;
    assert_eq!(text.of(other), Some(995.0));
    let other = r#"asterisk_agent_state_seconds_total{agent="Ann",state="paused",reason="other"}"#;
    assert_eq!(text.of(other), Some(997.0));

    let kept = [bench.names.trunks.count(), bench.names.reasons.count()];
    // The empty one, those within the limit, and `other`.
    assert_eq!(kept, [6, 5]);
    assert_eq!(bench.recorder.take_overflows(), [Limit::Device, Limit::Trunk, Limit::Reason]);
}

#[test]
fn devices_without_a_label_are_beyond_no_limit() {
    let settings = Settings {
        limits: LabelLimits { devices: 1, ..LabelLimits::default() },
        agent_label: AgentLabel::None,
        ..Settings::default()
    };
    let rules = Rules { names: settings.names_kept(), ..Rules::default() };
    let mut bench = Bench::new(settings);
    bench.names = Correlator::new(rules, Timing::Recorded).names().clone();
    for number in 0..10 {
        let agent = bench.names.agents.intern_device(&format!("SIP/{number}"));
        let (direction, trunk) = (Direction::Internal, TrunkId::NONE);
        bench.see(Observation::CallEnded { direction, agent, trunk, result: CallResult::Busy });
    }

    let text = bench.text();
    let nobody = r#"asterisk_calls_total{direction="internal",agent="",trunk="",result="busy"}"#;
    assert_eq!(text.of(nobody), Some(10.0));
    let overflow = r#"asterisk_exporter_label_overflow_total{label="device"}"#;
    assert_eq!((text.of(overflow), bench.recorder.take_overflows()), (Some(0.0), Vec::new()));
}

#[test]
fn a_long_label_value_is_cut_and_stays_distinct() {
    let mut bench = Bench::new(Settings::default());
    for letter in ["x", "y"] {
        let queue = bench.queue(&format!("{}{letter}", "q".repeat(300)));
        bench.see(Observation::Entered { queue });
    }
    let text = bench.text();
    let entries = by(&text, "asterisk_queue_entries_total", "queue");
    let keys: Vec<_> = entries.keys().map(|key| (key.len(), key.contains('~'))).collect();
    assert_eq!(keys, [(256, true); 2]);
}

#[test]
fn what_is_given_up_is_counted_at_once_and_logged_once_a_minute_for_each_kind() {
    let mut bench = Bench::new(Settings::default());
    let given_up = |bench: &mut Bench, kind: &str| {
        bench.text().of(&format!("asterisk_exporter_given_up_total{{kind=\"{kind}\"}}"))
    };
    assert_eq!(given_up(&mut bench, "channel"), Some(0.0));
    assert_eq!(bench.recorder.take_given_up(Moment::from_secs(100)), []);

    for kind in [GivenUp::Stay, GivenUp::Channel, GivenUp::Channel] {
        bench.see(Observation::GivenUp(kind));
    }
    let values = ["channel", "stay", "member"].map(|kind| given_up(&mut bench, kind));
    assert_eq!(values, [Some(2.0), Some(1.0), Some(0.0)]);
    let new = [(GivenUp::Channel, 2), (GivenUp::Stay, 1)];
    assert_eq!(bench.recorder.take_given_up(Moment::from_secs(100)), new);

    for second in 101..220 {
        bench.see(Observation::GivenUp(GivenUp::Channel));
        let due: &[_] = if second == 160 { &[(GivenUp::Channel, 60)] } else { &[] };
        assert_eq!(bench.recorder.take_given_up(Moment::from_secs(second)), due, "{second}");
    }
    bench.see(Observation::GivenUp(GivenUp::Recording));
    let new = [(GivenUp::Channel, 59), (GivenUp::Recording, 1)];
    assert_eq!(bench.recorder.take_given_up(Moment::from_secs(220)), new);
}
