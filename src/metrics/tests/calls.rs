use super::*;
use crate::correlator::{
    Anomaly, CallResult, Cause, Direction, EndpointOf, Reachable, Tracked, TrunkId, Word,
};

#[test]
fn calls_and_their_causes_are_counted_by_direction_agent_and_trunk() {
    let mut bench = Bench::new(Settings::default());
    let agent = bench.agent("Ann");
    let trunk = bench.names.trunks.intern(b"SIP/carrier");
    let (direction, result) = (Direction::Outbound, CallResult::Answered);
    bench.see(Observation::CallEnded { direction, agent, trunk, result });
    bench.see(Observation::CallRang { direction, result, length: secs(9) });
    bench.see(Observation::CallTalked { direction, agent, length: secs(300) });
    bench.see(Observation::CallHangup { direction, agent, trunk, cause: Cause(16) });
    bench.see(Observation::RecordingEnded);
    let text = bench.text();
    for (sample, value) in [
        (
            r#"calls_total{direction="outbound",agent="Ann",trunk="SIP/carrier",result="answered"}"#,
            1.0,
        ),
        (r#"calls_total{direction="outbound",agent="",trunk="",result="answered"}"#, 0.0),
        (r#"call_ring_seconds_bucket{le="10.0",direction="outbound",result="answered"}"#, 1.0),
        (r#"call_ring_seconds_bucket{le="8.0",direction="outbound",result="answered"}"#, 0.0),
        (r#"call_talk_seconds_sum{direction="outbound",agent="Ann"}"#, 300.0),
        (r#"recordings_total"#, 1.0),
    ] {
        assert_eq!(text.of(&format!("asterisk_{sample}")), Some(value), "{sample}");
    }
    let hangups = "asterisk_call_hangups_total{direction=\"outbound\",agent=\"Ann\",trunk=\"SIP/carrier\",\
                   cause=\"16\",cause_text=\"normal_clearing\"}";
    assert_eq!(text.of(hangups), Some(1.0));
}

#[test]
fn a_known_trunk_starts_at_zero_and_shows_its_failures() {
    let mut bench = Bench::new(Settings::default());
    let trunk = bench.names.trunks.intern(b"SIP/carrier");
    bench.see(Observation::TrunkKnown { trunk });
    bench.see(Observation::TrunkAttempt { trunk, result: CallResult::Congestion });
    bench.see(Observation::TrunkHangup { trunk, cause: Cause(34) });
    bench.state.trunks.push((trunk, 2));
    let text = bench.text();
    for result in CallResult::ALL {
        let sample = format!(
            "asterisk_trunk_attempts_total{{trunk=\"SIP/carrier\",result=\"{}\"}}",
            result.word()
        );
        assert_eq!(text.of(&sample), Some(f64::from(u8::from(*result == CallResult::Congestion))));
    }
    let hangups = "asterisk_trunk_attempt_hangups_total{trunk=\"SIP/carrier\",\
                   cause=\"34\",cause_text=\"circuit_channel_congestion\"}";
    assert_eq!(text.of(hangups), Some(1.0));
    assert_eq!(text.of(r#"asterisk_trunk_calls_active{trunk="SIP/carrier"}"#), Some(2.0));
}

#[test]
fn trunks_beyond_the_limit_are_other_and_added_up() {
    let limits = LabelLimits { trunks: 0, ..LabelLimits::default() };
    let mut bench = Bench::new(Settings { limits, ..Settings::default() });
    for (name, calls) in [("SIP/a", 2), ("SIP/b", 3)] {
        let trunk = bench.names.trunks.intern(name.as_bytes());
        bench.see(Observation::TrunkAttempt { trunk, result: CallResult::Busy });
        bench.state.trunks.push((trunk, calls));
    }
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_trunk_attempts_total{trunk="other",result="busy"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_trunk_calls_active{trunk="other"}"#), Some(5.0));
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="trunk"}"#), Some(2.0));
}

#[test]
fn all_directions_are_always_there() {
    let mut bench = Bench::new(Settings::default());
    bench.state.calls.push((Direction::Inbound, 4));
    bench.state.tracked = Tracked { channels: 9, stays: 2, calls: 4 };
    let text = bench.text();
    for (direction, calls) in
        [("inbound", 4.0), ("outbound", 0.0), ("internal", 0.0), ("unknown", 0.0)]
    {
        assert_eq!(
            text.of(&format!("asterisk_calls_active{{direction=\"{direction}\"}}")),
            Some(calls)
        );
    }
    for (kind, held) in [("channel", 9.0), ("stay", 2.0), ("call", 4.0)] {
        assert_eq!(
            text.of(&format!("asterisk_exporter_tracked_objects{{kind=\"{kind}\"}}")),
            Some(held)
        );
    }
}

#[test]
fn a_call_of_nobody_over_no_trunk_has_empty_labels() {
    let mut bench = Bench::new(Settings::default());
    let (direction, result) = (Direction::Inbound, CallResult::Canceled);
    bench.see(Observation::CallEnded {
        direction,
        agent: AgentId::NONE,
        trunk: TrunkId::NONE,
        result,
    });
    let sample = r#"asterisk_calls_total{direction="inbound",agent="",trunk="",result="canceled"}"#;
    assert_eq!(bench.text().of(sample), Some(1.0));
}

#[test]
fn every_anomaly_stands_at_zero_until_it_is_seen() {
    let mut bench = Bench::new(Settings::default());
    bench.see(Observation::Anomaly(Anomaly::DuplicateJoin));
    let text = bench.text();
    for kind in Anomaly::ALL {
        let sample = format!("asterisk_exporter_anomalies_total{{kind=\"{}\"}}", kind.word());
        assert_eq!(text.of(&sample), Some(f64::from(u8::from(*kind == Anomaly::DuplicateJoin))));
    }
}

#[test]
fn trunks_are_registered_if_all_registrations_are_and_reachable_if_any_endpoint_is() {
    let mut bench = Bench::new(Settings::default());
    let [carrier, backup] =
        ["SIP/carrier", "SIP/backup"].map(|name| bench.names.trunks.intern(name.as_bytes()));
    let ann = bench.agent("Ann");
    bench.state.registered = vec![(carrier, true), (backup, true), (carrier, false)];
    let reachable = |of, is_reachable, millis: Option<u64>| Reachable {
        of,
        is_reachable,
        round_trip: millis.map(Duration::from_millis),
    };
    bench.state.reachable = vec![
        reachable(EndpointOf::Trunk(carrier), true, Some(12)),
        reachable(EndpointOf::Agent(ann), true, Some(30)),
        reachable(EndpointOf::Agent(ann), true, Some(20)),
        reachable(EndpointOf::Agent(ann), false, None),
        reachable(EndpointOf::Trunk(backup), false, None),
    ];
    let text = bench.text();
    for (sample, value) in [
        (r#"trunk_registered{trunk="SIP/carrier"}"#, Some(0.0)),
        (r#"trunk_registered{trunk="SIP/backup"}"#, Some(1.0)),
        (r#"endpoint_reachable{agent="",trunk="SIP/carrier"}"#, Some(1.0)),
        (r#"endpoint_reachable{agent="",trunk="SIP/backup"}"#, Some(0.0)),
        (r#"endpoint_reachable{agent="Ann",trunk=""}"#, Some(1.0)),
        (r#"endpoint_round_trip_seconds{agent="",trunk="SIP/carrier"}"#, Some(0.012)),
        (r#"endpoint_round_trip_seconds{agent="",trunk="SIP/backup"}"#, None),
        (r#"endpoint_round_trip_seconds{agent="Ann",trunk=""}"#, Some(0.03)),
    ] {
        assert_eq!(text.of(&format!("asterisk_{sample}")), value, "{sample}");
    }
}

#[test]
fn phones_have_no_series_where_agents_have_no_names_and_other_where_there_are_too_many() {
    let reachable = |bench: &mut Bench| {
        let agents = ["Ann", "Ben", "Cat"].map(|name| bench.agent(name));
        let trunks =
            ["SIP/a", "SIP/b", "SIP/c"].map(|name| bench.names.trunks.intern(name.as_bytes()));
        bench.state.registered = trunks.map(|trunk| (trunk, trunk != trunks[2])).into();
        let of = agents.map(EndpointOf::Agent).into_iter().chain(trunks.map(EndpointOf::Trunk));
        let shown = |of| Reachable { of, is_reachable: true, round_trip: None };
        bench.state.reachable = of.map(shown).collect();
    };
    let mut bench = Bench::new(Settings { agent_label: AgentLabel::None, ..Settings::default() });
    reachable(&mut bench);
    assert_eq!(bench.text().sum("asterisk_endpoint_reachable"), Some(3.0));

    let mut settings = Settings::default();
    (settings.limits.agents, settings.limits.trunks) = (1, 1);
    let mut bench = Bench::new(settings);
    reachable(&mut bench);
    let text = bench.text();
    for (sample, value) in [
        (r#"endpoint_reachable{agent="Ann",trunk=""}"#, 1.0),
        (r#"endpoint_reachable{agent="other",trunk=""}"#, 1.0),
        (r#"endpoint_reachable{agent="",trunk="other"}"#, 1.0),
        (r#"trunk_registered{trunk="SIP/a"}"#, 1.0),
        (r#"trunk_registered{trunk="other"}"#, 0.0),
        (r#"exporter_label_overflow_total{label="agent"}"#, 2.0),
        (r#"exporter_label_overflow_total{label="trunk"}"#, 2.0),
    ] {
        assert_eq!(text.of(&format!("asterisk_{sample}")), Some(value), "{sample}");
    }
    assert_eq!(text.sum("asterisk_endpoint_reachable"), Some(4.0));
}
