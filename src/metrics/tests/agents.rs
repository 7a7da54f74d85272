use super::*;
use crate::correlator::{
    CallKind, CallResult, Cause, Direction, EndedBy, Leg, LoginChange, PauseChange, QueueState,
    RingResult, TransferBy, TransferKind, TrunkId, Word,
};

/// Ann and Bob of `support`, who each rang for 4 s and talked for 70 s.
fn two_agents(settings: Settings) -> Bench {
    let mut bench = Bench::new(settings);
    let queue = bench.queue("support");
    for name in ["Ann", "Bob"] {
        let agent = bench.agent(name);
        bench.see(Observation::RingEnded {
            queue,
            agent,
            result: RingResult::Answered,
            length: Some(secs(4)),
        });
        bench.see(Observation::Completed {
            queue,
            agent,
            ended_by: EndedBy::Caller,
            talk: Some(secs(70)),
        });
        bench.state.agents.push(doing(agent, AgentState::Available));
    }
    bench
}

#[test]
fn a_known_member_starts_at_zero_but_for_histograms_and_causes() {
    let mut bench = Bench::new(Settings::default());
    let (queue, agent) = (bench.queue("support"), bench.agent("Ann"));
    bench.see(Observation::MemberKnown { queue, agent });
    let text = bench.text();
    for (name, series) in [
        ("rings_total", 6),
        ("completions_total", 5),
        ("transfers_total", 4),
        ("agent_dumps_total", 1),
        ("pauses_total", 2),
    ] {
        let start = format!("asterisk_queue_{name}{{pbx=\"hq\",queue=\"support\",agent=\"Ann\"");
        assert_eq!(
            text.0.lines().filter(|line| line.starts_with(&start)).count(),
            series,
            "{name}"
        );
        assert_eq!(text.sum(&format!("asterisk_queue_{name}")), Some(0.0), "{name}");
    }
    assert_eq!(
        text.of(r#"asterisk_queue_wrapup_seconds_total{queue="support",agent="Ann"}"#),
        Some(0.0)
    );
    assert_eq!(
        text.of(r#"asterisk_agent_state_seconds_total{agent="Ann",state="unknown",reason=""}"#),
        Some(0.0)
    );
    for name in ["ring_seconds_count", "talk_seconds_count", "hangups_total"] {
        assert_eq!(text.sum(&format!("asterisk_queue_{name}")), None, "{name}");
    }
}

#[test]
fn what_a_member_does_is_counted_under_queue_and_agent() {
    let mut bench = two_agents(Settings::default());
    let (queue, agent) = (bench.queue("support"), bench.agent("Ann"));
    bench.see(Observation::RingEnded { queue, agent, result: RingResult::Busy, length: None });
    bench.see(Observation::Transferred {
        queue,
        agent,
        kind: TransferKind::Blind,
        by: TransferBy::Agent,
    });
    bench.see(Observation::AgentDumped { queue, agent });
    bench.see(Observation::MemberPaused { queue, agent, change: PauseChange::Paused });
    bench.see(Observation::WrappedUp { queue, agent, spent: Duration::from_millis(1500) });
    bench.see(Observation::WrappedUp { queue, agent, spent: secs(1) });
    bench.see(Observation::QueueHangup { queue, agent, leg: Leg::Agent, cause: Cause(17) });
    bench.see(Observation::QueueHangup {
        queue,
        agent: AgentId::NONE,
        leg: Leg::Caller,
        cause: Cause(4),
    });
    bench.see(Observation::QueueHangup {
        queue,
        agent: AgentId::NONE,
        leg: Leg::Caller,
        cause: Cause(999),
    });
    let text = bench.text();
    let member = r#"queue="support",agent="Ann""#;
    for (sample, value) in [
        (format!("rings_total{{{member},result=\"answered\"}}"), 1.0),
        (format!("rings_total{{{member},result=\"busy\"}}"), 1.0),
        (format!("ring_seconds_sum{{{member},result=\"answered\"}}"), 4.0),
        (format!("talk_seconds_bucket{{le=\"120.0\",{member}}}"), 1.0),
        (format!("talk_seconds_bucket{{le=\"60.0\",{member}}}"), 0.0),
        (format!("completions_total{{{member},ended_by=\"caller\"}}"), 1.0),
        (format!("transfers_total{{{member},kind=\"blind\",by=\"agent\"}}"), 1.0),
        (format!("agent_dumps_total{{{member}}}"), 1.0),
        (format!("pauses_total{{{member},change=\"paused\"}}"), 1.0),
        (format!("wrapup_seconds_total{{{member}}}"), 2.5),
        (
            format!(
                "hangups_total{{{member},leg=\"agent\",cause=\"17\",cause_text=\"user_busy\"}}"
            ),
            1.0,
        ),
    ] {
        assert_eq!(text.of(&format!("asterisk_queue_{sample}")), Some(value), "{sample}");
    }
    let unknown = r#"asterisk_queue_hangups_total{queue="support",agent="",leg="caller",cause="other",cause_text="other"}"#;
    assert_eq!(text.of(unknown), Some(2.0));
    assert_eq!(
        text.of(&format!("asterisk_queue_ring_seconds_count{{{member},result=\"busy\"}}")),
        None
    );
}

#[test]
fn agents_may_go_nameless_or_hashed() {
    let text = two_agents(Settings { agent_label: AgentLabel::None, ..Settings::default() }).text();
    assert_eq!(
        text.of(r#"asterisk_queue_rings_total{queue="support",agent="",result="answered"}"#),
        Some(2.0)
    );
    assert_eq!(text.of(r#"asterisk_agent_state{agent="",state="available"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_agent_state{agent="",state="paused"}"#), Some(0.0));
    assert!(!text.0.contains("Ann"));

    // MD5 of "abcAnn" and of "abcBob".
    let salted = AgentLabel::Hash { salt: "abc".to_owned() };
    let text = two_agents(Settings { agent_label: salted, ..Settings::default() }).text();
    assert_eq!(
        text.of(r#"asterisk_agent_state{agent="ae2f30b63c6b",state="available"}"#),
        Some(1.0)
    );
    assert_eq!(
        text.of(r#"asterisk_agent_state{agent="098029fde2ac",state="available"}"#),
        Some(1.0)
    );
    assert!(!text.0.contains("Ann"));
}

#[test]
fn agent_histograms_can_be_sums_or_not_by_agent() {
    let sums =
        two_agents(Settings { agent_histograms: AgentHistograms::Sums, ..Settings::default() })
            .text();
    let ann = r#"queue="support",agent="Ann""#;
    assert_eq!(sums.of(&format!("asterisk_queue_talk_seconds_sum{{{ann}}}")), Some(70.0));
    assert_eq!(
        sums.of(&format!("asterisk_queue_talk_seconds_bucket{{le=\"+Inf\",{ann}}}")),
        Some(1.0)
    );
    assert_eq!(sums.of(&format!("asterisk_queue_talk_seconds_bucket{{le=\"120.0\",{ann}}}")), None);

    let off =
        two_agents(Settings { agent_histograms: AgentHistograms::Off, ..Settings::default() })
            .text();
    let nobody = r#"queue="support",agent="""#;
    assert_eq!(
        off.of(&format!("asterisk_queue_talk_seconds_bucket{{le=\"120.0\",{nobody}}}")),
        Some(2.0)
    );
    assert_eq!(
        off.of(&format!("asterisk_queue_ring_seconds_count{{{nobody},result=\"answered\"}}")),
        Some(2.0)
    );
    assert_eq!(off.of(&format!("asterisk_queue_talk_seconds_sum{{{ann}}}")), None);
    assert_eq!(
        off.of(&format!("asterisk_queue_completions_total{{{ann},ended_by=\"caller\"}}")),
        Some(1.0)
    );
}

#[test]
fn agents_beyond_the_limit_are_other_in_counters_and_gauges() {
    let limits = LabelLimits { agents: 1, ..LabelLimits::default() };
    let mut bench = two_agents(Settings { limits, ..Settings::default() });
    let carol = bench.agent("Carol");
    bench.state.agents.push(doing(carol, AgentState::Paused));
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_agent_state{agent="Ann",state="available"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_agent_state{agent="other",state="available"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_agent_state{agent="other",state="paused"}"#), Some(1.0));
    assert_eq!(
        text.of(r#"asterisk_queue_rings_total{queue="support",agent="other",result="answered"}"#),
        Some(1.0)
    );
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="agent"}"#), Some(2.0));
}

#[test]
fn devices_have_a_limit_of_their_own_and_leave_the_agents_theirs() {
    let limits = LabelLimits { agents: 1, devices: 2, ..LabelLimits::default() };
    let mut bench = Bench::new(Settings { limits, ..Settings::default() });
    let call = |bench: &mut Bench, agent| {
        let (direction, trunk, result) = (Direction::Inbound, TrunkId::NONE, CallResult::Answered);
        bench.see(Observation::CallEnded { direction, agent, trunk, result });
    };
    for device in ["SIP/1", "SIP/2", "SIP/3", "SIP/4"] {
        let agent = bench.names.agents.intern_device(device);
        call(&mut bench, agent);
    }
    let ann = bench.agent("Ann");
    call(&mut bench, ann);
    let text = bench.text();
    let calls = |agent: &str| {
        text.of(&format!(
            "asterisk_calls_total{{direction=\"inbound\",agent=\"{agent}\",trunk=\"\",result=\"answered\"}}"
        ))
    };
    assert_eq!(
        [calls("SIP/1"), calls("SIP/2"), calls("Ann"), calls("other")],
        [1.0, 1.0, 1.0, 2.0].map(Some)
    );
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="device"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_exporter_label_overflow_total{label="agent"}"#), Some(0.0));
}

#[test]
fn an_agent_is_in_one_state_and_in_none_of_the_others() {
    let mut bench = Bench::new(Settings::default());
    let agent = bench.agent("Ann");
    bench.state.agents.push(doing(agent, AgentState::WrapUp));
    let text = bench.text();
    for state in AgentState::ALL {
        let sample = format!("asterisk_agent_state{{agent=\"Ann\",state=\"{}\"}}", state.word());
        assert_eq!(
            text.of(&sample),
            Some(f64::from(u8::from(*state == AgentState::WrapUp))),
            "{sample}"
        );
    }
}

#[test]
fn members_are_shown_in_every_state() {
    let mut bench = Bench::new(Settings::default());
    let queue = bench.queue("support");
    let members = vec![(AgentState::Available, 3), (AgentState::OnHold, 1)];
    bench.state.queues.push(QueueState {
        queue,
        waiting: 0,
        talking: 1,
        longest_wait: Duration::ZERO,
        members,
    });
    let text = bench.text();
    assert_eq!(text.of(r#"asterisk_queue_agents{queue="support",state="available"}"#), Some(3.0));
    assert_eq!(text.of(r#"asterisk_queue_agents{queue="support",state="on_hold"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_queue_agents{queue="support",state="unknown"}"#), Some(0.0));
}

/// Ann's seconds by pause reason: 10 at lunch, 20 on a break, 30 in a meeting, 40 without one.
fn pauses(settings: Settings) -> Scrape {
    let mut bench = Bench::new(settings);
    let agent = bench.agent("Ann");
    for (reason, seconds) in [("lunch", 10), ("break", 20), ("meeting", 30), ("", 40)] {
        let reason = bench.names.reasons.intern(reason.as_bytes());
        bench.see(Observation::AgentTime {
            agent,
            state: AgentState::Paused,
            reason,
            spent: secs(seconds),
        });
        bench.see(Observation::AgentTime {
            agent,
            state: AgentState::Talking,
            reason,
            spent: secs(seconds),
        });
    }
    bench.text()
}

fn paused(scrape: &Scrape, reason: &str) -> Option<f64> {
    scrape.of(&format!(
        "asterisk_agent_state_seconds_total{{agent=\"Ann\",state=\"paused\",reason=\"{reason}\"}}"
    ))
}

#[test]
fn pause_reasons_are_the_listed_ones_or_the_first_that_come() {
    let listed =
        pauses(Settings { pause_reasons: vec!["break".to_owned()], ..Settings::default() });
    assert_eq!(paused(&listed, "break"), Some(20.0));
    assert_eq!(paused(&listed, "other"), Some(40.0));
    assert_eq!(paused(&listed, ""), Some(40.0));
    assert_eq!(listed.of(r#"asterisk_exporter_label_overflow_total{label="reason"}"#), Some(0.0));

    let limits = LabelLimits { reasons: 1, ..LabelLimits::default() };
    let first = pauses(Settings { limits, ..Settings::default() });
    assert_eq!(paused(&first, "lunch"), Some(10.0));
    assert_eq!(paused(&first, "other"), Some(50.0));
    assert_eq!(paused(&first, ""), Some(40.0));
    assert_eq!(first.of(r#"asterisk_exporter_label_overflow_total{label="reason"}"#), Some(2.0));
}

#[test]
fn only_a_pause_has_a_reason() {
    let scrape = pauses(Settings::default());
    let talking = r#"asterisk_agent_state_seconds_total{agent="Ann",state="talking",reason=""}"#;
    assert_eq!(scrape.of(talking), Some(100.0));
}

#[test]
fn listed_pause_reasons_of_a_known_agent_start_at_zero() {
    let mut bench =
        Bench::new(Settings { pause_reasons: vec!["break".to_owned()], ..Settings::default() });
    let (queue, agent) = (bench.queue("support"), bench.agent("Ann"));
    bench.see(Observation::MemberKnown { queue, agent });
    assert_eq!(paused(&bench.text(), "break"), Some(0.0));
    assert_eq!(paused(&bench.text(), "other"), Some(0.0));
    let reason = bench.names.reasons.intern(b"break");
    bench.see(Observation::AgentTime { agent, state: AgentState::Paused, reason, spent: secs(3) });
    assert_eq!(paused(&bench.text(), "break"), Some(3.0));
}

#[test]
fn what_an_agent_does_now_has_moments_and_a_reason() {
    let mut bench = Bench::new(Settings::default());
    let [ann, bob, eve] = ["Ann", "Bob", "Eve"].map(|name| bench.agent(name));
    let reason = bench.names.reasons.intern(b"lunch");
    let at = |micros| Some(Moment::from_micros(micros));
    let (since, login, last_call) =
        (at(1_700_000_000_250_000), at(1_699_990_000_000_000), at(1_699_999_000_000_000));
    let paused = AgentNow { since, reason, login, last_call, ..doing(ann, AgentState::Paused) };
    let busy = AgentNow { busy: Some(CallKind::Outbound), ..doing(eve, AgentState::Busy) };
    let talks = AgentNow { since, talk_since: login, ..doing(bob, AgentState::OnHold) };
    bench.state.agents.extend([paused, talks, busy]);
    bench.see(Observation::AgentLogin { agent: ann, change: LoginChange::In });
    bench.see(Observation::AgentLogin { agent: ann, change: LoginChange::In });
    bench.see(Observation::AgentLogin { agent: ann, change: LoginChange::Off });

    let text = bench.text();
    for (sample, value) in [
        (r#"state_since_timestamp_seconds{agent="Ann"}"#, Some(1_700_000_000.25)),
        (r#"talk_since_timestamp_seconds{agent="Ann"}"#, None),
        (r#"talk_since_timestamp_seconds{agent="Bob"}"#, Some(1_699_990_000.0)),
        (r#"pause_reason{agent="Ann",reason="lunch"}"#, Some(1.0)),
        (r#"busy_call{agent="Eve",kind="outbound"}"#, Some(1.0)),
        (r#"login_timestamp_seconds{agent="Ann"}"#, Some(1_699_990_000.0)),
        (r#"login_timestamp_seconds{agent="Bob"}"#, None),
        (r#"last_call_timestamp_seconds{agent="Ann"}"#, Some(1_699_999_000.0)),
        (r#"last_call_timestamp_seconds{agent="Bob"}"#, None),
        (r#"logins_total{agent="Ann"}"#, Some(2.0)),
        (r#"logoffs_total{agent="Ann"}"#, Some(1.0)),
    ] {
        assert_eq!(text.of(&format!("asterisk_agent_{sample}")), value, "{sample}");
    }
    assert_eq!(text.sum("asterisk_agent_pause_reason"), Some(1.0));
    assert_eq!(text.sum("asterisk_agent_busy_call"), Some(1.0));
}

#[test]
fn agents_who_share_a_label_have_no_moments_but_pauses() {
    let nobody = Settings { agent_label: AgentLabel::None, ..Settings::default() };
    let limits = LabelLimits { agents: 1, reasons: 1, ..LabelLimits::default() };
    let beyond = Settings { limits, ..Settings::default() };
    for (settings, first, label) in [(nobody, 0, ""), (beyond, 1, "other")] {
        let mut bench = Bench::new(settings);
        for (number, reason) in ["lunch", "lunch", "coffee", "smoke"].into_iter().enumerate() {
            let agent = bench.agent(&format!("agent-{number}"));
            let reason = bench.names.reasons.intern(reason.as_bytes());
            let since = Some(Moment::from_secs(1_700_000_000));
            let paused = doing(agent, AgentState::Paused);
            bench.state.agents.push(AgentNow { since, login: since, reason, ..paused });
        }
        let text = bench.text();
        for name in ["state_since", "login"] {
            let moments = text.sum(&format!("asterisk_agent_{name}_timestamp_seconds"));
            let whose = if first == 0 { None } else { Some(1_700_000_000.0) };
            assert_eq!(moments, whose, "{name}");
        }
        let pauses = |reason: &str| {
            let labels = format!("agent=\"{label}\",reason=\"{reason}\"");
            text.of(&format!("asterisk_agent_pause_reason{{{labels}}}"))
        };
        let (coffee, other) = if first == 0 { (Some(1.0), None) } else { (None, Some(2.0)) };
        assert_eq!(pauses("lunch"), Some(if first == 0 { 2.0 } else { 1.0 }));
        assert_eq!((pauses("coffee"), pauses("other")), (coffee, other));
    }
}
