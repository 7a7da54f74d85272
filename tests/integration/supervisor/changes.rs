//! PBXs that are added, altered and removed while others go on.

use std::time::Duration;

use asterisk_exporter::config::{Pbx, Secret};
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::metrics::Format;
use asterisk_exporter::pbx::PbxName;

use super::fake::{Exporter, Fake, Peer, skip};

const CONNECTS: &str = "asterisk_exporter_connects_total";
const DISCONNECTS: &str = "asterisk_exporter_disconnects_total";

/// Takes a Logoff, and closes.
async fn log_off(mut peer: Peer) {
    peer.expect("Logoff").await;
}

/// A caller joins queue support, whose channel is new.
async fn join(peer: &mut Peer, call: u32) {
    let channel = format!(
        "Channel: SIP/carrier-{call:08}\nChannelState: 4\nContext: in\nUniqueid: {call}.1\nLinkedid: {call}.1\n"
    );
    peer.send(&format!("Event: Newchannel\n{channel}\n")).await;
    peer.send(&format!(
        "Event: QueueCallerJoin\n{channel}Queue: support\nPosition: 1\nCount: 1\n\n"
    ))
    .await;
}

/// What is exported of a PBX.
fn lines_of(exporter: &Exporter, pbx: &str) -> usize {
    let text = exporter.exporter.lock().unwrap().scrape(exporter.clock.now(), Format::Text);
    text.lines().filter(|line| line.contains(&format!("pbx=\"{pbx}\""))).count()
}

#[tokio::test]
async fn the_session_of_a_pbx_goes_on_while_others_are_added_moved_and_removed() {
    let [steady, old, new] = [Fake::start().await, Fake::start().await, Fake::start().await];
    let exporter = Exporter::start(vec![steady.pbx("hq"), old.pbx("branch")]);
    let mut peer = steady.accept_up().await;
    let moving = old.accept_up().await;
    exporter.up(0).await;
    exporter.up(1).await;
    join(&mut peer, 1).await;

    // Moved to another address.
    let ((), ()) = tokio::join!(exporter.changes.alter(new.pbx("branch")), log_off(moving));
    let moved = new.accept_up().await;
    exporter.counted(CONNECTS, &["pbx=\"branch\""], 2.0).await;
    exporter.up(1).await;
    let reload = ["pbx=\"branch\"", "reason=\"reload\""];
    assert_eq!(exporter.sample(DISCONNECTS, &reload), Some(1.0));
    let at = exporter.health.all()[1].address.clone();
    assert_eq!(at, format!("127.0.0.1:{}", new.port()));

    // Removed.
    assert!(lines_of(&exporter, "branch") > 100);
    let ((), ()) = tokio::join!(exporter.changes.remove(PbxName::new("branch")), log_off(moved));
    assert_eq!(lines_of(&exporter, "branch"), 0);
    assert_eq!(exporter.health.all().len(), 1);

    // Added, by a name that there was.
    exporter.changes.add(old.pbx("branch")).await;
    let mut added = old.accept_up().await;
    exporter.up(1).await;
    assert_eq!(exporter.sample(CONNECTS, &["pbx=\"branch\""]), Some(1.0));
    assert_eq!(exporter.sample(DISCONNECTS, &reload), Some(0.0));
    exporter.caught_up(&mut added, "branch").await;

    // What began before goes on.
    exporter.caught_up(&mut peer, "hq").await;
    let hq = ["pbx=\"hq\""];
    assert_eq!(exporter.sample("asterisk_queue_callers_waiting", &hq), Some(1.0));
    assert_eq!(exporter.sample("asterisk_queue_entries_total", &hq), Some(1.0));
    assert_eq!(exporter.sample(CONNECTS, &hq), Some(1.0));

    exporter.stop();
    let ((), ()) = tokio::join!(log_off(peer), log_off(added));
    exporter.ended().await;
}

#[tokio::test]
async fn a_stay_of_a_pbx_whose_other_keys_change_goes_on_over_the_same_connection() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    join(&mut peer, 1).await;
    exporter.caught_up(&mut peer, "hq").await;

    let trunks = Patterns::new(["^SIP/carrier-"]).unwrap();
    let altered = Pbx {
        secret: Secret::new("another"),
        rules: Rules { trunks, ..Rules::default() },
        ping_interval: Duration::from_secs(2),
        ..fake.pbx("hq")
    };
    exporter.changes.alter(altered).await;
    // The first Ping was due 15 s after the login.
    skip(2).await;
    let ping = peer.expect("Ping").await;
    peer.grant(&ping, "Ping: Pong\n").await;

    // The first caller's channel is no trunk, the second one's is.
    join(&mut peer, 2).await;
    exporter.caught_up(&mut peer, "hq").await;
    assert_eq!(exporter.sample("asterisk_queue_callers_waiting", &[]), Some(2.0));
    assert_eq!(exporter.sample("asterisk_trunk_calls_active", &[]), Some(1.0));
    assert_eq!(exporter.sample(CONNECTS, &[]), Some(1.0));
}

#[tokio::test]
async fn another_secret_is_tried_at_once_where_the_one_before_was_refused() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    let challenge = peer.expect("Challenge").await;
    peer.grant(&challenge, "Challenge: 840415273\n").await;
    let login = peer.expect("Login").await;
    peer.refuse(&login, "Authentication failed").await;
    assert_eq!(exporter.down(0).await, "login refused: Authentication failed");

    // It would be tried again after 30 s.  Another time between Pings is no reason to do so.
    let patient = Pbx { ping_interval: Duration::from_secs(20), ..fake.pbx("hq") };
    exporter.changes.alter(patient.clone()).await;
    exporter.changes.alter(Pbx { secret: Secret::new("right"), ..patient }).await;
    let _peer = fake.accept_up().await;
    exporter.up(0).await;
    assert_eq!(exporter.sample(CONNECTS, &[]), Some(1.0));
}

#[tokio::test]
async fn an_attempt_that_hangs_is_given_up_for_another_address() {
    let [silent, other] = [Fake::start().await, Fake::start().await];
    let exporter = Exporter::start(vec![silent.pbx("hq")]);
    let _hangs = silent.accept().await;
    exporter.changes.alter(other.pbx("hq")).await;
    let _peer = other.accept_up().await;
    exporter.up(0).await;
    // An attempt without a login is no session.
    assert_eq!(exporter.sample(DISCONNECTS, &["reason=\"reload\""]), Some(0.0));
}

#[tokio::test]
async fn a_pbx_that_reads_nothing_keeps_nobody_from_removing_it() {
    let [fake, other] = [Fake::start().await, Fake::start().await];
    let exporter = Exporter::start(vec![fake.pbx("hq"), other.pbx("branch")]);
    let _deaf = fake.accept_up().await;
    let _peer = other.accept_up().await;
    exporter.up(0).await;
    exporter.up(1).await;
    exporter.changes.remove(PbxName::new("hq")).await;
    assert_eq!(lines_of(&exporter, "hq"), 0);
    assert_eq!(exporter.health.all().len(), 1);
}
