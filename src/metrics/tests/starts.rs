//! Start times: when each series was zero for the last time.

use super::*;
use crate::correlator::{Correlator, Outcome, Rules, Timing};

/// An exporter with one PBX, counting from `begun` on.
fn exporter(begun: Option<Moment>) -> Exporter {
    let metrics = Metrics::new(Settings { created_lines: true, ..Settings::default() });
    let metrics = match begun {
        Some(begun) => metrics.starting(begun),
        None => metrics,
    };
    let pbx = PbxName::new("hq");
    let monitor = Monitor {
        correlator: Correlator::new(Rules::default(), Timing::Live),
        recorder: metrics.recorder(&pbx),
        self_metrics: metrics.self_metrics(&pbx, &[], begun.unwrap_or(Moment::UNDATED)),
    };
    Exporter::new(metrics, vec![monitor])
}

/// A caller of `queue` abandons at `now`.
fn abandons(exporter: &mut Exporter, now: Moment, queue: &str) {
    exporter.pass(now);
    let mut names = Names::default();
    let queue = names.queues.intern(queue.as_bytes());
    let seen = Observation::Exited { queue, outcome: Outcome::Abandoned, hold: Some(secs(3)) };
    exporter.monitors[0].recorder.observe(&names, seen, None);
}

/// The `_created` lines of an OpenMetrics page of `now`.
fn created(exporter: &mut Exporter, now: Moment) -> Vec<String> {
    let text = exporter.scrape(now, Format::OpenMetrics);
    let lines = text.lines().filter(|line| line.contains("_created"));
    lines.filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn line(name: &str, outcome: &str, seconds: &str) -> String {
    format!("{name}_created{{pbx=\"hq\",queue=\"sales\",outcome=\"{outcome}\"}} {seconds}")
}

const T: u64 = 1_764_000_000;

fn at(seconds: u64) -> Moment {
    Moment::from_secs(T + seconds)
}

#[test]
fn a_series_begins_at_the_latest_scrape_before_it() {
    let mut exporter = exporter(Some(at(0)));
    let known = created(&mut exporter, at(10));
    let calls = r#"asterisk_calls_created{pbx="hq",direction="inbound",agent="",trunk="",result="answered"} 1764000000.003000"#;
    assert!(known.contains(&calls.to_owned()), "what is known begins with the exporter: {known:?}");

    let scrape = at(20).after(Duration::from_micros(123_456));
    exporter.scrape(scrape, Format::Text);
    abandons(&mut exporter, at(33), "sales");
    let new: Vec<_> = created(&mut exporter, at(35))
        .into_iter()
        .filter(|line| line.contains("\"abandoned\""))
        .filter(|line| line.contains("sales"))
        .collect();
    for name in ["asterisk_queue_exits", "asterisk_queue_hold_seconds"] {
        assert!(new.contains(&line(name, "abandoned", "1764000020.126456")), "{name}: {new:?}");
    }
    assert_eq!(new.len(), 2, "one line for a counter, one for a histogram: {new:?}");

    // It does not move with the scrapes behind it.
    let later = created(&mut exporter, at(50));
    assert!(new.iter().all(|line| later.contains(line)), "{later:?}");
}

/// Prometheus marks series as stale at the time of a scrape, in milliseconds and up to two ahead, and
/// refuses a start that is not later.
#[test]
fn a_start_is_later_than_the_marker_of_the_scrape_before_it() {
    for micros in [0, 1, 999] {
        let scrape = at(20).after(Duration::from_micros(micros));
        let marker = scrape.as_micros() / 1000 + 2;

        let mut exporter = exporter(Some(at(0)));
        exporter.scrape(scrape, Format::Text);
        abandons(&mut exporter, at(33), "sales");
        let families = exporter.snapshot(at(35)).named().all;
        let exits =
            families.iter().find(|family| family.entry.name == "asterisk_queue_exits_total");
        let starts: Vec<_> = exits
            .expect("exits")
            .series(&Chosen::All)
            .map(|series| series.start.expect("a start").as_micros() / 1000)
            .collect();
        assert!(!starts.is_empty() && starts.iter().all(|start| *start > marker), "{starts:?}");
    }
}

#[test]
fn a_series_that_nobody_waited_for_begins_five_minutes_before_its_first_event() {
    let mut exporter = exporter(Some(at(0)));
    abandons(&mut exporter, at(5000), "sales");
    let lines = created(&mut exporter, at(5001));
    assert!(lines.contains(&line("asterisk_queue_exits", "abandoned", "1764004700.000000")));
}

#[test]
fn without_a_clock_nothing_has_a_start() {
    let mut exporter = exporter(None);
    exporter.scrape(at(10), Format::Text);
    abandons(&mut exporter, at(20), "sales");
    assert_eq!(created(&mut exporter, at(30)), [""; 0]);
    let lines = exporter.scrape(at(40), Format::OpenMetrics);
    assert!(
        lines.contains(
            r#"asterisk_queue_exits_total{pbx="hq",queue="sales",outcome="abandoned"} 1"#
        )
    );
}

#[test]
fn the_classic_format_and_a_page_that_nobody_asked_for_have_no_created_lines() {
    let mut exporter = exporter(Some(at(0)));
    abandons(&mut exporter, at(20), "sales");
    assert!(!exporter.scrape(at(30), Format::Text).contains("_created"));

    let metrics = Metrics::new(Settings::default()).starting(at(0));
    let _ = metrics.recorder(&PbxName::new("hq"));
    let page = metrics.snapshot(Vec::new()).text(&Part::All, Format::OpenMetrics);
    assert!(page.contains("asterisk_calls_total{") && !page.contains("_created"));
}

#[test]
fn every_counter_and_histogram_has_a_start_and_nothing_else_has_one() {
    let mut exporter = exporter(Some(at(0)));
    abandons(&mut exporter, at(20), "sales");
    let families = exporter.snapshot(at(30)).named().all;
    assert!(families.len() > 10);
    for family in &families {
        let counts = matches!(family.entry.kind, Kind::Counter | Kind::Histogram);
        for series in family.series(&Chosen::All) {
            assert_eq!(series.start.is_some(), counts, "{} {series:?}", family.entry.name);
        }
    }
}
