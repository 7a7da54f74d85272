//! A task that panics.  Nothing in the program does so on purpose: the test takes away what the task
//! writes to, which no code can expect.

use std::time::Duration;

use asterisk_exporter::metrics::Monitors;

use super::fake::{Exporter, Fake, skip};

const JOINED: &str = "Event: QueueCallerJoin\nQueue: support\nChannel: PJSIP/carrier-1\nUniqueid: 1.1\n\
                      Linkedid: 1.1\nPosition: 1\nCount: 1\n\n";

#[tokio::test]
async fn a_panic_costs_one_pbx_its_session_and_no_other_anything() {
    let (good, bad) = (Fake::start().await, Fake::start().await);
    let exporter = Exporter::start(vec![good.pbx("good"), bad.pbx("bad")]);
    let (mut good_peer, mut bad_peer) = (good.accept_up().await, bad.accept_up().await);
    exporter.up(0).await;
    exporter.up(1).await;
    for (peer, pbx) in [(&mut good_peer, "pbx=\"good\""), (&mut bad_peer, "pbx=\"bad\"")] {
        peer.send(JOINED).await;
        exporter.counted("asterisk_queue_callers_waiting", &[pbx], 1.0).await;
    }

    let taken = exporter.exporter.lock().unwrap().monitors.take(1).unwrap();
    bad_peer.send("Event: DialState\n\n").await;
    assert_eq!(exporter.down(1).await, "internal error");
    bad_peer.expect_close().await;
    // What cannot even be counted now is counted by the next attempt.
    let shared = exporter.exporter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    drop(put_back(shared, taken));
    exporter.exporter.clear_poison();

    good_peer.send(&JOINED.replace("1.1", "1.2").replace("carrier-1", "carrier-2")).await;
    exporter.counted("asterisk_queue_callers_waiting", &["pbx=\"good\""], 2.0).await;
    assert_eq!(exporter.sample("asterisk_up", &["pbx=\"good\""]), Some(1.0));
    assert_eq!(exporter.sample("asterisk_exporter_connects_total", &["pbx=\"good\""]), Some(1.0));

    skip(60).await;
    let _bad_peer = bad.accept_up().await;
    exporter.up(1).await;
    let internal = ["pbx=\"bad\"", "reason=\"internal\""];
    assert_eq!(exporter.sample("asterisk_exporter_disconnects_total", &internal), Some(1.0));
    let lost = ["pbx=\"bad\"", "queue=\"support\"", "outcome=\"lost\""];
    // An event of it could still come, for two seconds.
    skip(2).await;
    exporter.counted("asterisk_queue_exits_total", &lost, 1.0).await;
    assert_eq!(exporter.sample("asterisk_queue_callers_waiting", &["pbx=\"bad\""]), Some(0.0));
    assert_eq!(exporter.sample("asterisk_exporter_connects_total", &["pbx=\"bad\""]), Some(2.0));
}

type Shared<'a> = std::sync::MutexGuard<'a, asterisk_exporter::metrics::Exporter>;

fn put_back(mut shared: Shared<'_>, monitor: asterisk_exporter::metrics::Slot) -> Shared<'_> {
    shared.monitors.put(1, monitor);
    shared
}

/// The one that begins anew panics as well, before it can wait: that must not be tried for ever.
#[tokio::test]
async fn a_task_that_always_panics_begins_later_and_later() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    exporter.exporter.lock().unwrap().monitors = Monitors::default();
    peer.send("Event: DialState\n\n").await;
    assert_eq!(exporter.down(0).await, "internal error");

    // A minute, then two: each begins by panicking.
    let down_since = || match &exporter.health.all()[0].phase {
        asterisk_exporter::health::Phase::Down { since, .. } => *since,
        _ => panic!("not down"),
    };
    let first = down_since();
    skip(60).await;
    exporter.until("the next panic", || down_since() != first).await;
    let second = down_since();
    skip(110).await;
    assert_eq!(down_since(), second);
    skip(10).await;
    exporter.until("the one after", || down_since() != second).await;
    assert!(down_since().since(second) >= Duration::from_secs(120));
    exporter.stop();
    exporter.ended().await;
}
