//! Everything registered is in the catalogue and the other way round, and what is written can be
//! read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::correlator::{
    Cause, Direction, EndedBy, EndpointOf, FlowBy, Leg, Outcome, QueueState, Reachable, Refusal,
    Repair, RingResult, StreamOf, TransferBy, TransferKind, VoiceMeasure, readable,
};

#[test]
fn what_is_exported_is_what_the_catalogue_says() {
    let mut exported = BTreeMap::new();
    for metric in
        read(&everything("support").scrape(Format::Text).0).expect("the text is well-formed")
    {
        exported.insert(metric.name.clone(), metric);
    }
    let listed: BTreeSet<_> = catalogue().iter().map(|entry| entry.name.to_owned()).collect();
    let mut expected = listed.clone();
    if !cfg!(target_os = "linux") {
        expected.retain(|name| !name.starts_with("process_"));
    }
    assert_eq!(exported.keys().cloned().collect::<BTreeSet<_>>(), expected);

    for entry in catalogue().iter().filter(|entry| expected.contains(entry.name)) {
        let metric = &exported[entry.name];
        let kind = if entry.kind == Kind::Info { Kind::Gauge } else { entry.kind };
        assert_eq!(metric.kind, kind.word(), "{}", entry.name);
        assert_eq!(metric.help, format!("{}.", entry.help), "{}", entry.name);
        for sample in &metric.samples {
            let mut labels: Vec<_> =
                sample.labels.iter().map(|(label, _)| label.as_str()).collect();
            if sample.name.ends_with("_bucket") {
                assert_eq!(labels.remove(0), "le");
            }
            assert_eq!(labels, entry.labels, "{}", entry.name);
        }
    }
}

#[test]
fn open_metrics_names_the_unit_and_ends_with_eof() {
    let text = everything("support").scrape(Format::OpenMetrics).0;
    assert!(text.contains("# TYPE asterisk_queue_entries counter\n"));
    assert!(text.contains("# UNIT asterisk_queue_wrapup_seconds seconds\n"));
    assert!(text.contains("# TYPE asterisk_exporter_build info\n"));
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn both_formats_hold_the_same_samples() {
    let mut bench = everything("support \" # {} 1");
    let samples = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("process_"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        samples(&bench.scrape(Format::Text).0),
        samples(&bench.scrape(Format::OpenMetrics).0)
    );
}

#[test]
fn what_is_counted_is_written_as_prometheus_client_writes_it() {
    for queue in ["support", "say \"hi\"\\\n", "é"] {
        let mut bench = everything(queue);
        let mut wanted = String::new();
        prometheus_client::encoding::text::encode(&mut wanted, bench.metrics.registrar.registry())
            .expect("text can be written");
        // It writes braces around no labels, too.
        let wanted =
            wanted.replace("seconds{} ", "seconds ").replace("successful{} ", "successful ");

        // What is read at the scrape alone is not registered.
        let snapshot = Snapshot { states: Vec::new(), process: false, ..bench.snapshot() };
        assert_eq!(snapshot.text(&Part::All, Format::OpenMetrics), units_last(&wanted));
    }
}

/// An OpenMetrics page with the families that have no unit in front.
fn units_last(page: &str) -> String {
    let families = page.strip_suffix("# EOF\n").expect("an end").split_inclusive('\n');
    let mut blocks: Vec<String> = Vec::new();
    for line in families {
        match blocks.last_mut() {
            Some(block) if !line.starts_with("# HELP ") => block.push_str(line),
            _ => blocks.push(line.to_owned()),
        }
    }
    blocks.sort_by_key(|block| block.contains("\n# UNIT "));
    blocks.concat() + "# EOF\n"
}

#[test]
fn no_family_without_a_unit_follows_one_with_a_unit() {
    let text = everything("support").scrape(Format::OpenMetrics).0;
    let (without, with) = text.split_once("# UNIT ").expect("a unit");
    assert!(without.matches("# HELP ").count() > 20);
    let families = with.matches("# HELP ").count();
    assert!(families > 10);
    assert_eq!(families, with.matches("# UNIT ").count());
}

/// A bench on which every metric has a sample.
fn everything(queue: &str) -> Bench {
    use Observation as O;
    let mut bench = Bench::new(Settings { service_level: Some(secs(20)), ..Settings::default() });
    bench.metrics = std::mem::replace(&mut bench.metrics, Metrics::new(Settings::default()))
        .with_process_metrics()
        .with_http()
        .with_reloads(Moment::from_secs(1));
    let _ = bench
        .metrics
        .self_metrics(&PbxName::new("hq"), &["Hangup"], Moment::from_secs(1))
        .with_reasons(&["eof"], &["oversized"]);
    let (queue, agent) = (bench.queue(queue), bench.agent("Ann"));
    let trunk = bench.names.trunks.intern(b"SIP/carrier");
    let (direction, result) = (Direction::Inbound, crate::correlator::CallResult::Answered);
    let (length, cause) = (secs(3), Cause(16));
    for seen in [
        O::QueueKnown { queue, service_level: None },
        O::MemberKnown { queue, agent },
        O::TrunkKnown { trunk },
        O::Exited { queue, outcome: Outcome::Answered, hold: Some(length) },
        O::Refused { queue: QueueId::NONE, reason: Refusal::UnknownQueue },
        O::RingEnded { queue, agent, result: RingResult::Answered, length: Some(length) },
        O::Completed { queue, agent, ended_by: EndedBy::Agent, talk: Some(length) },
        O::Transferred { queue, agent, kind: TransferKind::Blind, by: TransferBy::Agent },
        O::Flowed { queue, to: queue, by: FlowBy::Dialplan },
        O::QueueHangup { queue, agent, leg: Leg::Agent, cause },
        O::CallRang { direction, result, length },
        O::CallTalked { direction, agent, length },
        O::CallHangup { direction, agent, trunk, cause },
        O::TrunkHangup { trunk, cause },
        O::VoiceMeasured { of: EndpointOf::Trunk(trunk), measure: VoiceMeasure::RoundTrip(length) },
        O::VoiceMeasured { of: EndpointOf::Agent(agent), measure: VoiceMeasure::RoundTrip(length) },
    ] {
        bench.see(seen);
    }
    for of in [EndpointOf::Trunk(trunk), EndpointOf::Agent(agent)] {
        for measure in [
            VoiceMeasure::Jitter(StreamOf::Received, length),
            VoiceMeasure::Loss(StreamOf::Received, 0.03),
            VoiceMeasure::Score(72.5),
        ] {
            bench.see(O::VoiceMeasured { of, measure });
        }
    }
    // The third half hour is the first one of which the one before was seen as a whole.
    for half_hour in 1..=3 {
        bench.recorder.demands.pass(Moment::from_secs(1800 * half_hour), Some(1));
    }
    let members = Vec::new();
    bench.state.queues.push(QueueState {
        queue,
        waiting: 1,
        talking: 1,
        longest_wait: length,
        members,
    });
    bench.state.started = Some(Moment::from_secs(1_700_000_000));
    let moment = Some(Moment::from_secs(1_700_000_000));
    bench.state.agents.push(AgentNow {
        since: moment,
        talk_since: moment,
        login: moment,
        last_call: moment,
        ..doing(agent, AgentState::Paused)
    });
    let busy = Some(crate::correlator::CallKind::Queue);
    bench.state.agents.push(AgentNow { busy, ..doing(agent, AgentState::Busy) });
    bench.state.trunks.push((trunk, 1));
    bench.state.registered.push((trunk, true));
    let (of, round_trip) = (EndpointOf::Trunk(trunk), Some(secs(1)));
    bench.state.reachable.push(Reachable { of, is_reachable: true, round_trip });
    bench.see(O::Repaired(Repair::Exit));
    bench
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_name_comes_back_from_both_formats(name in "[ -~\\n\\\\\"#{}=,é\\r\\t]{1,30}") {
        let mut bench = Bench::new(Settings::default());
        let queue = bench.queue(&name);
        bench.see(Observation::Entered { queue });
        for format in [Format::OpenMetrics, Format::Text] {
            let text = bench.scrape(format).0;
            let metrics = read(&text).map_err(TestCaseError::fail)?;
            let entries = metrics.iter().find(|metric| metric.name.starts_with("asterisk_queue_entries"));
            let sample = &entries.expect("an entry was counted").samples[0];
            let queue = readable(name.as_bytes()).into_owned();
            let labels = [("pbx".to_owned(), "hq".to_owned()), ("queue".to_owned(), queue)];
            prop_assert_eq!(&sample.labels[..], &labels[..]);
            prop_assert_eq!(sample.value, 1.0);
        }
    }
}

/// A metric as a scraper reads it.
#[derive(Debug, Default)]
struct Read {
    name: String,
    help: String,
    kind: String,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// Reads either format, strictly: every line is known, HELP and TYPE come first and once, a sample
/// follows its TYPE.
fn read(text: &str) -> Result<Vec<Read>, String> {
    let mut metrics: Vec<Read> = Vec::new();
    let mut seen = HashMap::new();
    for line in text.strip_suffix('\n').ok_or("no line end at the end")?.split('\n') {
        if let Some((name, help)) =
            line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        {
            if seen.insert(name.to_owned(), ()).is_some() {
                return Err(format!("{name} stands twice"));
            }
            metrics.push(Read { name: name.to_owned(), help: help.to_owned(), ..Read::default() });
            continue;
        }
        let Some(metric) = metrics.last_mut() else {
            return Err(format!("{line} before any HELP"));
        };
        if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            if name != metric.name || !metric.kind.is_empty() {
                return Err(format!("TYPE of {name} after HELP of {}", metric.name));
            }
            kind.clone_into(&mut metric.kind);
        } else if line != "# EOF" && !line.starts_with("# UNIT ") {
            let sample = read_sample(line).ok_or_else(|| format!("not a sample: {line}"))?;
            if !sample.name.starts_with(&metric.name) || metric.kind.is_empty() {
                return Err(format!("{line} under {}", metric.name));
            }
            metric.samples.push(sample);
        }
    }
    Ok(metrics)
}

fn read_sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, after) = unquoted(after)?;
            labels.push((label.to_owned(), value));
            rest = after;
        }
        rest = rest.strip_prefix('}')?;
    }
    Some(Sample { name: name.to_owned(), labels, value: rest.strip_prefix(' ')?.parse().ok()? })
}

/// A label value without its escapes, and what follows the closing quote.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            char => value.push(char),
        }
    }
    None
}
