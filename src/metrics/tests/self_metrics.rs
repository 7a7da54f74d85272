use super::*;
use crate::correlator::{Correlator, Rules, Timing};

const EVENTS: &[&str] = &["Hangup", "Newchannel"];

/// A board with one PBX called `hq`, created at 100 s.
fn board() -> Board {
    let metrics = Metrics::new(Settings::default());
    let desk = desk(&metrics, "hq");
    Board::new(metrics, vec![desk])
}

fn desk(metrics: &Metrics, pbx: &str) -> Desk {
    let pbx = PbxName::new(pbx);
    Desk {
        correlator: Correlator::new(Rules::default(), Timing::Recorded),
        recorder: metrics.recorder(&pbx),
        own: metrics
            .own(&pbx, EVENTS, Moment::from_secs(100))
            .with_reasons(&["shutdown"], &["oversized"]),
    }
}

fn at(board: &mut Board, seconds: u64) -> Scrape {
    Scrape(board.scrape(Moment::from_secs(seconds), Format::Text))
}

#[test]
fn blind_time_runs_from_the_start_and_while_not_synchronised() {
    let mut board = board();
    let blind = "asterisk_exporter_unsynchronized_seconds_total";
    let text = at(&mut board, 100);
    assert_eq!((text.of("asterisk_up"), text.of(blind)), (Some(0.0), Some(0.0)));
    assert_eq!(at(&mut board, 103).of(blind), Some(3.0));
    assert_eq!(at(&mut board, 102).of(blind), Some(3.0));

    board.desks[0].own.connected();
    board.desks[0].own.synchronised(Moment::from_secs(110));
    let text = at(&mut board, 150);
    assert_eq!((text.of("asterisk_up"), text.of(blind)), (Some(1.0), Some(10.0)));

    board.desks[0].own.disconnected("read_timeout", Moment::from_secs(160));
    board.desks[0].own.disconnected("refused", Moment::from_secs(165));
    let text = at(&mut board, 172);
    assert_eq!((text.of("asterisk_up"), text.of(blind)), (Some(0.0), Some(22.0)));
    assert_eq!(text.of("asterisk_exporter_connects_total"), Some(1.0));
    assert_eq!(text.of(r#"asterisk_exporter_disconnects_total{reason="read_timeout"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_exporter_disconnects_total{reason="refused"}"#), Some(1.0));
    assert_eq!(text.of(r#"asterisk_exporter_disconnects_total{reason="shutdown"}"#), Some(0.0));
}

#[test]
fn events_are_counted_by_name_and_unknown_ones_as_other() {
    let mut board = board();
    let own = &mut board.desks[0].own;
    own.event(Some(0));
    own.event(Some(0));
    own.event(Some(7));
    own.event(None);
    own.rejected("no_colon");
    own.lag(Duration::from_millis(250));
    let text = at(&mut board, 100);
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
    let desks = vec![desk(&metrics, "hq"), desk(&metrics, "branch")];
    let mut board = Board::new(metrics, desks);
    board.desks[1].own.connected();
    let text = at(&mut board, 100);
    assert_eq!(text.of("asterisk_exporter_connects_total"), Some(0.0));
    assert!(text.0.contains("asterisk_exporter_connects_total{pbx=\"branch\"} 1\n"), "{}", text.0);
    let mut types: Vec<_> = text.0.lines().filter(|line| line.starts_with('#')).collect();
    types.sort_unstable();
    let lines = types.len();
    types.dedup();
    assert_eq!(types.len(), lines);
}

#[test]
fn process_metrics_are_there_only_if_asked_for() {
    assert!(!at(&mut board(), 100).0.contains("process_"));
    let metrics = Metrics::new(Settings::default()).with_process_metrics();
    let text = metrics.snapshot(Vec::new()).text(None, Format::Text);
    assert_eq!(text.contains("process_open_fds "), cfg!(target_os = "linux"));
}

#[test]
fn a_board_can_be_shared_by_threads() {
    fn shared<T: Send>() {}
    shared::<Board>();
}
