//! Gaps of which the PBX's log tells, from the file to the counters.

use std::fs;
use std::time::Duration;

use asterisk_exporter::config::Pbx;
use asterisk_exporter::correlator::Rules;

use super::fake::{Exporter, Fake, Peer};

/// A PBX whose log is that file.
fn with_log(fake: &Fake, log: &std::path::Path) -> Pbx {
    let rules = Rules { dead_link: Some(Duration::from_secs(25)), ..Rules::default() };
    Pbx { queue_log: Some(log.into()), rules, ..fake.pbx("hq") }
}

/// Answers a login and its lists, at a moment of the PBX's clock.
async fn accept_at(fake: &Fake, second: u64) -> Peer {
    let mut peer = fake.accept().await;
    peer.log_in("22.10.0").await;
    peer.expect("Events").await;
    let channels = peer.expect("CoreShowChannels").await;
    let queues = peer.expect("QueueStatus").await;
    let pong = format!("Ping: Pong\nTimestamp: {second}.500000\n");
    let first = peer.expect("Ping").await;
    peer.give_list(&channels, "CoreShowChannelsComplete", "").await;
    peer.give_list(&queues, "QueueStatusComplete", "Event: QueueParams\nQueue: support\n").await;
    peer.grant(&first, &pong).await;
    let second = peer.expect("Ping").await;
    peer.grant(&second, &pong).await;
    peer.refuse_endpoint_lists().await;
    peer
}

#[tokio::test]
async fn what_a_gap_hid_is_counted_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("queue_log");
    fs::write(&log, "1790000099|NONE|NONE|NONE|QUEUESTART|\n").unwrap();
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![with_log(&fake, &log)]);
    let mut peer = accept_at(&fake, 1_790_000_100).await;
    exporter.up(0).await;
    let join = "Event: QueueCallerJoin\nTimestamp: 1790000101.200000\nUniqueid: 1790000101.1\n";
    peer.send(&format!("{join}Channel: SIP/trunk-1\nQueue: support\n\n")).await;
    exporter.counted("asterisk_queue_entries_total", &[], 1.0).await;
    drop(peer);

    // The first line's event was seen; the last line is not written to its end.
    let lines = "1790000101|1790000101.1|support|NONE|ENTERQUEUE||12025550101|1\n\
        1790000105|1790000105.4|support|NONE|ENTERQUEUE||12025550102|2\n\
        1790000108|1790000101.1|support|NONE|ABANDON|1|1|7\n\
        1790000109|1790000105.4|support|Ann|CONNECT|4|1790000106.5|3\n\
        1790000111|NONE|support|Ben|PAUSE|Lunch\n\
        1790000112|1790000105.4|support|Ann|COMPLETECALLER|4|3|1\n\
        1790000113|1790000113.8|support|NONE|ENTERQ";
    fs::write(&log, format!("1790000099|NONE|NONE|NONE|QUEUESTART|\n{lines}")).unwrap();
    let _peer = accept_at(&fake, 1_790_000_115).await;
    exporter.up(0).await;

    for (metric, labels, value) in [
        ("asterisk_queue_entries_total", &[][..], 2.0),
        ("asterisk_queue_exits_total", &["outcome=\"abandoned\""], 1.0),
        ("asterisk_queue_exits_total", &["outcome=\"answered\""], 1.0),
        ("asterisk_queue_hold_seconds_sum", &["outcome=\"abandoned\""], 7.0),
        ("asterisk_queue_hold_seconds_sum", &["outcome=\"answered\""], 4.0),
        ("asterisk_queue_completions_total", &["agent=\"Ann\"", "ended_by=\"caller\""], 1.0),
        ("asterisk_queue_talk_seconds_sum", &["agent=\"Ann\""], 3.0),
        ("asterisk_queue_pauses_total", &["agent=\"Ben\"", "change=\"paused\""], 1.0),
        ("asterisk_queue_callers_waiting", &[], 0.0),
        ("asterisk_exporter_repaired_total", &["kind=\"entry\""], 1.0),
        ("asterisk_exporter_repaired_total", &["kind=\"exit\""], 2.0),
        ("asterisk_exporter_repaired_total", &["kind=\"completion\""], 1.0),
        ("asterisk_exporter_repaired_total", &["kind=\"pause\""], 1.0),
        ("asterisk_exporter_repaired_total", &["kind=\"ring\""], 0.0),
    ] {
        assert_eq!(exporter.sample(metric, labels), Some(value), "{metric} {labels:?}");
    }
}
