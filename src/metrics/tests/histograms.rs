//! Native histograms and exemplars, as a scrape shows them.

use super::*;
use crate::correlator::{Caller, Outcome};

const CLASSIC: Detail = Detail { native: false, exemplars: false };
const NATIVE: Detail = Detail { native: true, exemplars: false };
const EXEMPLARS: Detail = Detail { native: false, exemplars: true };
const BOTH: Detail = Detail { native: true, exemplars: true };

/// A caller who was answered after so long.
fn answered(bench: &mut Bench, hold: Duration, linkedid: &[u8]) {
    let queue = bench.queue("support");
    let seen = Observation::Exited { queue, outcome: Outcome::Answered, hold: Some(hold) };
    let of = Some(Caller { uniqueid: b"1.1", linkedid });
    bench.recorder.observe(&bench.names, seen, of);
}

fn bench(detail: Detail) -> Bench {
    Bench::new(Settings { detail, ..Settings::default() })
}

/// The exemplar behind a bucket of the answered callers' hold times.
fn exemplar(text: &str, le: &str) -> Option<String> {
    let bucket = format!("asterisk_queue_hold_seconds_bucket{{le=\"{le}\",");
    let line = text.lines().find(|line| line.starts_with(&bucket)).expect("a bucket");
    line.split_once(" # ").map(|(_, exemplar)| exemplar.to_owned())
}

#[test]
fn an_exemplar_names_the_call_in_open_metrics_alone() {
    let mut bench = bench(EXEMPLARS);
    answered(&mut bench, Duration::from_millis(7500), b"pbx-1700000000.1");
    let text = bench.scrape(Format::OpenMetrics).0;
    assert_eq!(exemplar(&text, "10.0").as_deref(), Some("{linkedid=\"pbx-1700000000.1\"} 7.5"));
    assert_eq!((exemplar(&text, "5.0"), exemplar(&text, "15.0")), (None, None));
    assert!(!bench.text().0.contains("linkedid"));
}

#[test]
fn an_exemplar_has_the_time_at_which_it_was_counted() {
    for detail in [EXEMPLARS, BOTH] {
        let metrics = Metrics::new(Settings { detail, ..Settings::default() });
        let metrics = metrics.starting(Moment::from_secs(1_764_000_000));
        let recorder = metrics.recorder(&PbxName::new("hq"));
        let mut bench = Bench { metrics, recorder, ..bench(detail) };
        let counted = Moment::from_micros(1_764_000_012_345_678);
        bench.metrics.registrar.timeline().pass(counted);
        answered(&mut bench, secs(7), b"1.1");
        bench.metrics.registrar.timeline().pass(counted.after(secs(30)));
        let text = bench.scrape(Format::OpenMetrics).0;
        let wanted = "{linkedid=\"1.1\"} 7.0 1764000012.345678";
        assert_eq!(exemplar(&text, "10.0").as_deref(), Some(wanted));
    }
}

#[test]
fn native_histograms_and_exemplars_go_together() {
    let mut bench = bench(BOTH);
    answered(&mut bench, secs(7), b"1700000000.1");
    let text = bench.scrape(Format::OpenMetrics).0;
    assert_eq!(exemplar(&text, "10.0").as_deref(), Some("{linkedid=\"1700000000.1\"} 7.0"));

    // Without a clock it has no time, and stays in the classic bucket.
    let page = bench.protobuf();
    let of = |part: &[u8]| page.windows(part.len()).filter(|window| *window == part).count();
    assert_eq!((of(&SPAN_OF_7_SECONDS), of(b"1700000000.1")), (1, 1));
}

#[test]
fn the_latest_call_of_a_bucket_is_its_exemplar() {
    let mut bench = bench(EXEMPLARS);
    answered(&mut bench, secs(7), b"1.1");
    answered(&mut bench, secs(8), b"2.2");
    let text = bench.scrape(Format::OpenMetrics).0;
    assert_eq!(exemplar(&text, "10.0").as_deref(), Some("{linkedid=\"2.2\"} 8.0"));
}

#[test]
fn a_linkedid_that_is_no_exemplar_is_none() {
    for linkedid in [&b""[..], b"\xff1.1", &[b'7'; 121]] {
        let mut bench = bench(EXEMPLARS);
        answered(&mut bench, secs(7), linkedid);
        assert_eq!(exemplar(&bench.scrape(Format::OpenMetrics).0, "10.0"), None);
    }
    let mut bench = bench(EXEMPLARS);
    answered(&mut bench, secs(7), &[b'7'; 120]);
    assert!(exemplar(&bench.scrape(Format::OpenMetrics).0, "10.0").is_some(), "120 characters fit");
}

#[test]
fn nothing_names_a_call_unless_it_is_asked_for() {
    for detail in [CLASSIC, NATIVE] {
        let mut bench = bench(detail);
        answered(&mut bench, secs(7), b"1700000000.1");
        assert!(!bench.scrape(Format::OpenMetrics).0.contains("1700000000.1"));
    }
}

#[test]
fn native_histograms_leave_the_text_as_it_was() {
    let texts = [CLASSIC, NATIVE].map(|detail| {
        let mut bench = bench(detail);
        answered(&mut bench, secs(7), b"1.1");
        let text = bench.text().0;
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn a_scrape_of_protobuf_does_not_depend_on_the_texts_before_it() {
    let mut bench = bench(NATIVE);
    answered(&mut bench, secs(7), b"1.1");
    bench.text();
    let first = bench.protobuf();
    bench.scrape(Format::OpenMetrics);
    let second = bench.protobuf();
    assert_eq!(first.len(), second.len());
    for page in [first, second] {
        let spans = page.windows(SPAN_OF_7_SECONDS.len());
        assert_eq!(spans.filter(|window| *window == SPAN_OF_7_SECONDS).count(), 1);
    }
}

/// Bucket 23 holds what is above 2^(22/8), 6.7 s, and not above 7.3 s: field 12, four bytes, offset
/// 46 in zigzag.
const SPAN_OF_7_SECONDS: [u8; 6] = [12 << 3 | 2, 4, 1 << 3, 46, 2 << 3, 1];

#[test]
fn agents_without_buckets_have_no_native_ones() {
    let settings = Settings {
        detail: NATIVE,
        agent_histograms: AgentHistograms::Sums,
        zero_series: ZeroSeries::Few,
        ..Settings::default()
    };
    let mut bench = Bench::new(settings);
    let (queue, agent) = (bench.queue("support"), bench.agent("Ann"));
    let ended_by = crate::correlator::EndedBy::Agent;
    bench.see(Observation::Completed { queue, agent, ended_by, talk: Some(secs(7)) });
    answered(&mut bench, secs(7), b"1.1");
    let page = bench.protobuf();
    // Field 5, schema 3 in zigzag, then field 6: once, of the hold times.
    let schema = [5 << 3, 6, 6 << 3 | 1];
    assert_eq!(page.windows(schema.len()).filter(|window| *window == schema).count(), 1);
}
