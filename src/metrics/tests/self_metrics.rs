use super::*;
use crate::correlator::{Correlator, Rules, Timing};

const EVENTS: &[&str] = &["Hangup", "Newchannel"];

/// An exporter with one PBX called `hq`, created at 100 s.
fn exporter() -> Exporter {
    let metrics = Metrics::new(Settings::default());
    let monitor = monitor(&metrics, "hq");
    Exporter::new(metrics, vec![monitor])
}

fn monitor(metrics: &Metrics, pbx: &str) -> Monitor {
    let pbx = PbxName::new(pbx);
    Monitor {
        correlator: Correlator::new(Rules::default(), Timing::Recorded),
        recorder: metrics.recorder(&pbx),
        self_metrics: metrics
            .self_metrics(&pbx, EVENTS, Moment::from_secs(100))
            .with_reasons(&["shutdown"], &["oversized"]),
    }
}

fn at(exporter: &mut Exporter, seconds: u64) -> Scrape {
    Scrape(exporter.scrape(Moment::from_secs(seconds), Format::Text))
}

#[test]
fn unsynchronised_time_runs_from_the_start_and_while_not_synchronised() {
    let mut exporter = exporter();
    let unsynchronised = "asterisk_exporter_unsynchronized_seconds_total";
    let text = at(&mut exporter, 100);
    assert_eq!((text.of("asterisk_up"), text.of(unsynchronised)), (Some(0.0), Some(0.0)));
    assert_eq!(at(&mut exporter, 103).of(unsynchronised), Some(3.0));
    assert_eq!(at(&mut exporter, 102).of(unsynchronised), Some(3.0));

    exporter.monitors[0].self_metrics.connected();
    exporter.monitors[0].self_metrics.synchronised(Moment::from_secs(110));
    let text = at(&mut exporter, 150);
    assert_eq!((text.of("asterisk_up"), text.of(unsynchronised)), (Some(1.0), Some(10.0)));

    exporter.monitors[0].self_metrics.disconnected("read_timeout", Moment::from_secs(160));
    exporter.monitors[0].self_metrics.disconnected("refused", Moment::from_secs(165));
    let text = at(&mut exporter, 172);
    assert_eq!((text.of("asterisk_up"), text.of(unsynchronised)), (Some(0.0), Some(22.0)));
    assert_eq!(text.of("asterisk_exporter_connects_total"), Some(1.0));
    assert_eq!(text.of(r#"asterisk_exporter_disconnects_total{reason="read_timeout"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_exporter_disconnects_total{reason="refused"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_exporter_disconnects_total{reason="shutdown"}"#), Some(0.0));
}

#[test]
fn events_are_counted_by_name_and_unknown_ones_as_other() {
    let mut exporter = exporter();
    let self_metrics = &mut exporter.monitors[0].self_metrics;
    self_metrics.event(Some(0));
    self_metrics.event(Some(0));
    self_metrics.event(Some(7));
    self_metrics.event(None);
    self_metrics.rejected("no_colon");
    self_metrics.lag(Duration::from_millis(250));
    let text = at(&mut exporter, 100);
    assert_eq!(text.of(r#"asterisk_exporter_events_total{event="Hangup"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_exporter_events_total{event="Newchannel"}"#), Some(0.0));
    assert_eq!(text.of(r#"asterisk_exporter_events_total{event="other"}"#), Some(2.0));
    assert_eq!(text.of(r#"asterisk_exporter_frames_rejected_total{reason="no_colon"}"#), Some(1.0));
    assert_eq!(
        text.of(r#"asterisk_exporter_frames_rejected_total{reason="oversized"}"#),
        Some(0.0)
    );
    assert_eq!(text.of("asterisk_exporter_event_lag_seconds"), Some(0.25));
}

#[test]
fn two_pbxs_share_each_name_but_no_number() {
    let metrics = Metrics::new(Settings::default());
    let monitors = vec![monitor(&metrics, "hq"), monitor(&metrics, "branch")];
    let mut exporter = Exporter::new(metrics, monitors);
    exporter.monitors[1].self_metrics.connected();
    let text = at(&mut exporter, 100);
    assert_eq!(text.of("asterisk_exporter_connects_total"), Some(0.0));
    assert!(text.0.contains("asterisk_exporter_connects_total{pbx=\"branch\"} 1\n"), "{}", text.0);
    let mut types: Vec<_> = text.0.lines().filter(|line| line.starts_with('#')).collect();
    types.sort_unstable();
    let lines = types.len();
    types.dedup();
    assert_eq!(types.len(), lines);
}

#[test]
fn a_scrape_of_one_pbx_has_its_series_in_every_format() {
    let metrics = Metrics::new(Settings::default());
    let monitors = vec![monitor(&metrics, "hq"), monitor(&metrics, "branch")];
    let mut exporter = Exporter::new(metrics, monitors);
    let branch = PbxName::new("branch");
    for exposition in [
        Exposition::Text(Format::Text),
        Exposition::Text(Format::OpenMetrics),
        Exposition::Protobuf,
    ] {
        let mut page = |part| {
            let page = exporter.snapshot(Moment::from_secs(100)).named().write(exposition, &part);
            String::from_utf8_lossy(&page).into_owned()
        };
        let (all, one) = (page(Part::All), page(Part::Pbx(branch.clone())));
        let own = page(Part::Exporter);
        assert!(all.contains("hq") && all.contains("branch"), "{exposition:?}");
        assert!(!one.contains("hq") && one.contains("branch"), "{exposition:?}");
        assert!(own.contains("asterisk_exporter_build_info"), "{exposition:?}");
        assert!(!own.contains("hq") && !own.contains("branch"), "{exposition:?}");
        assert!(!one.contains("asterisk_exporter_build_info"), "{exposition:?}");
        for gauge in ["asterisk_up", "asterisk_calls_active", "asterisk_exporter_degraded"] {
            assert!(one.contains(gauge), "{exposition:?}: {gauge}");
        }
    }
}

/// A scrape of two PBXs that were added, in one format.
fn added(exposition: Exposition) -> (Exporter, [usize; 2], String) {
    let metrics = Metrics::new(Settings::default()).starting(Moment::from_secs(50));
    let mut exporter = Exporter::new(metrics, Vec::new());
    let numbers = ["hq", "branch"].map(|pbx| exporter.add(|metrics| monitor(metrics, pbx)));
    exporter.monitors[numbers[1]].self_metrics.connected();
    let page = exporter.snapshot(Moment::from_secs(100)).named().write(exposition, &Part::All);
    (exporter, numbers, String::from_utf8_lossy(&page).into_owned())
}

#[test]
fn the_parts_of_a_family_of_several_pbxs_are_one() {
    let metrics = Metrics::new(Settings::default()).starting(Moment::from_secs(50));
    let monitors = vec![monitor(&metrics, "hq"), monitor(&metrics, "branch")];
    let mut whole = Exporter::new(metrics, monitors);
    whole.monitors[1].self_metrics.connected();
    for exposition in [Exposition::Text(Format::Text), Exposition::Text(Format::OpenMetrics)] {
        let (_, _, text) = added(exposition);
        let page = whole.snapshot(Moment::from_secs(100)).named().write(exposition, &Part::All);
        let page = String::from_utf8_lossy(&page);
        // Series of one PBX are next to each other; all else is the same.
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        assert_eq!(sorted(&text), sorted(&page));
        let heads = |text: &str| -> Vec<_> {
            text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect()
        };
        assert_eq!(heads(&text), heads(&page));
    }
    let (_, _, protobuf) = added(Exposition::Protobuf);
    assert_eq!(protobuf.matches("asterisk_exporter_connects_total").count(), 1);
}

#[test]
fn a_pbx_that_was_removed_has_no_series_and_counts_from_zero_when_it_comes_again() {
    let (mut exporter, [_, branch], text) = added(Exposition::Text(Format::Text));
    assert!(text.contains("asterisk_exporter_connects_total{pbx=\"branch\"} 1\n"));
    drop(exporter.remove(branch));
    let text = at(&mut exporter, 101).0;
    assert!(!text.contains("branch") && text.contains("asterisk_up{pbx=\"hq\"} 0\n"));

    let again = exporter.add(|metrics| monitor(metrics, "branch"));
    assert_ne!(again, branch);
    let text = at(&mut exporter, 102).0;
    assert!(text.contains("asterisk_exporter_connects_total{pbx=\"branch\"} 0\n"));
}

#[test]
fn the_outcome_of_the_last_reload_is_shown() {
    let metrics = Metrics::new(Settings::default()).with_reloads(Moment::from_secs(50));
    let mut exporter = Exporter::new(metrics, Vec::new());
    let shown = |exporter: &mut Exporter| {
        let text = exporter.scrape(Moment::from_secs(100), Format::Text);
        let of = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
            line.and_then(|line| line.split_once(' ')).map(|(_, value)| value.to_owned())
        };
        [
            of("asterisk_exporter_config_last_reload_successful"),
            of("asterisk_exporter_config_last_reload_success_timestamp_seconds"),
        ]
        .map(Option::unwrap)
    };
    assert_eq!(shown(&mut exporter), ["1", "50.0"]);
    exporter.reloads().failed();
    assert_eq!(shown(&mut exporter), ["0", "50.0"]);
    exporter.reloads().succeeded(Moment::from_secs(70));
    assert_eq!(shown(&mut exporter), ["1", "70.0"]);
}

#[test]
fn process_metrics_are_there_only_if_asked_for() {
    assert!(!at(&mut exporter(), 100).0.contains("process_"));
    let metrics = Metrics::new(Settings::default()).with_process_metrics();
    let families = metrics.snapshot(Vec::new()).named().all;
    let of = |name| families.iter().find(|family| family.entry.name == name).expect("it is there");
    let start =
        of("process_cpu_seconds_total").series(&Chosen::All).next().and_then(|cpu| cpu.start);
    let Values::Real(began) = &of("process_start_time_seconds").values else { panic!("no time") };
    assert_eq!(start, Some(Moment::from_micros((began[0] * 1e6) as u64)));

    let text = metrics.snapshot(Vec::new()).text(&Part::All, Format::Text);
    assert_eq!(text.contains("process_open_fds "), cfg!(target_os = "linux"));
}

#[test]
fn a_board_can_be_shared_by_threads() {
    fn shared<T: Send>() {}
    shared::<Exporter>();
}
