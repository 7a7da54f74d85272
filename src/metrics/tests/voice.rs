//! Voice quality: histograms by trunk and by agent, which begin with a measurement.

use super::*;
use crate::correlator::{EndpointOf, StreamOf, VoiceMeasure};

/// A trunk and an agent of whom something was measured.
fn measured(settings: Settings) -> Scrape {
    let mut bench = Bench::new(settings);
    let trunk = bench.names.trunks.intern(b"SIP/carrier");
    let ann = bench.agent("Ann");
    let millis = Duration::from_millis;
    for (of, measure) in [
        (EndpointOf::Trunk(trunk), VoiceMeasure::Jitter(StreamOf::Received, millis(12))),
        (EndpointOf::Trunk(trunk), VoiceMeasure::Loss(StreamOf::Received, 0.25)),
        (EndpointOf::Trunk(trunk), VoiceMeasure::Loss(StreamOf::Sent, 0.001)),
        (EndpointOf::Trunk(trunk), VoiceMeasure::RoundTrip(millis(250))),
        (EndpointOf::Agent(ann), VoiceMeasure::Loss(StreamOf::Sent, 0.5)),
        (EndpointOf::Agent(ann), VoiceMeasure::Score(72.5)),
    ] {
        bench.see(Observation::VoiceMeasured { of, measure });
    }
    bench.text()
}

/// Lines of voice quality that are not zero.
fn lines(text: &Scrape) -> Vec<&str> {
    let of_voice = text.0.lines().filter(|line| !line.starts_with('#') && line.contains("_voice_"));
    of_voice.filter(|line| !line.ends_with(" 0") && !line.contains("_bucket")).collect()
}

#[test]
fn each_measurement_is_in_one_histogram_by_stream() {
    let text = measured(Settings::default());
    assert_eq!(
        lines(&text),
        [
            r#"asterisk_trunk_voice_jitter_seconds_sum{pbx="hq",trunk="SIP/carrier",stream="received"} 0.012"#,
            r#"asterisk_trunk_voice_jitter_seconds_count{pbx="hq",trunk="SIP/carrier",stream="received"} 1"#,
            r#"asterisk_trunk_voice_loss_ratio_sum{pbx="hq",trunk="SIP/carrier",stream="received"} 0.25"#,
            r#"asterisk_trunk_voice_loss_ratio_count{pbx="hq",trunk="SIP/carrier",stream="received"} 1"#,
            r#"asterisk_trunk_voice_loss_ratio_sum{pbx="hq",trunk="SIP/carrier",stream="sent"} 0.001"#,
            r#"asterisk_trunk_voice_loss_ratio_count{pbx="hq",trunk="SIP/carrier",stream="sent"} 1"#,
            r#"asterisk_trunk_voice_round_trip_seconds_sum{pbx="hq",trunk="SIP/carrier"} 0.25"#,
            r#"asterisk_trunk_voice_round_trip_seconds_count{pbx="hq",trunk="SIP/carrier"} 1"#,
            r#"asterisk_agent_voice_loss_ratio_sum{pbx="hq",agent="Ann",stream="sent"} 0.5"#,
            r#"asterisk_agent_voice_loss_ratio_count{pbx="hq",agent="Ann",stream="sent"} 1"#,
            r#"asterisk_agent_voice_score_sum{pbx="hq",agent="Ann"} 72.5"#,
            r#"asterisk_agent_voice_score_count{pbx="hq",agent="Ann"} 1"#,
        ]
    );
    let loss =
        r#"asterisk_trunk_voice_loss_ratio_bucket{le="0.2",trunk="SIP/carrier",stream="received"}"#;
    assert_eq!(text.of(loss), Some(0.0));
    let score = r#"asterisk_agent_voice_score_bucket{le="75.0",agent="Ann"}"#;
    assert_eq!(text.of(score), Some(1.0));
}

#[test]
fn nothing_is_exported_before_the_first_measurement() {
    let mut bench = Bench::new(Settings::default());
    let trunk = bench.names.trunks.intern(b"SIP/carrier");
    bench.see(Observation::TrunkKnown { trunk });
    assert!(!bench.text().0.contains("_voice_"));
}

/// Trunks keep their buckets.
#[test]
fn agents_cost_as_much_as_is_configured() {
    let with = |agent_histograms| measured(Settings { agent_histograms, ..Settings::default() });
    let buckets = |text: &Scrape, name: &str| text.0.matches(&format!("{name}_bucket")).count();
    for (histograms, of_ann) in [
        (AgentHistograms::Full, r#"agent="Ann""#),
        (AgentHistograms::Sums, r#"agent="Ann""#),
        (AgentHistograms::Off, r#"agent="""#),
    ] {
        let text = with(histograms);
        assert!(
            text.0.contains(&format!(r#"asterisk_agent_voice_score_count{{pbx="hq",{of_ann}"#))
        );
        assert_eq!(buckets(&text, "asterisk_trunk_voice_round_trip_seconds"), 9);
        let of_agents = if histograms == AgentHistograms::Sums { 1 } else { 9 };
        assert_eq!(buckets(&text, "asterisk_agent_voice_score"), of_agents, "{histograms:?}");
    }
}
