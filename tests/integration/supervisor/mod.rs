//! The supervisor against PBXs that behave and PBXs that do not, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

pub(crate) mod certificates;
mod changes;
pub(crate) mod fake;
mod panics;
mod repair;
mod tls;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use asterisk_exporter::ami::action::challenge_key;
use asterisk_exporter::config::Pbx;
use asterisk_exporter::correlator::Word;

use fake::{Exporter, Fake, Peer, skip};

#[tokio::test]
async fn a_login_is_by_md5_and_the_lists_come_before_the_barrier() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    let challenge = peer.expect("Challenge").await;
    assert_eq!(&challenge["AuthType"], "MD5");
    peer.grant(&challenge, "Challenge: 840415273\n").await;
    let login = peer.expect("Login").await;
    assert_eq!((&login["Username"], &login["Secret"]), ("exporter", ""));
    assert_eq!(login["Key"], challenge_key(b"840415273", "lab"));
    assert_eq!(&login["Events"], "system,call,agent,dialplan,reporting");
    peer.grant(&login, "Message: Authentication accepted\n").await;
    let settings = peer.expect("CoreSettings").await;
    peer.grant(&settings, "AsteriskVersion: 22.10.0\n").await;
    let events = peer.expect("Events").await;
    assert_eq!(&events["EventMask"], "system,call,agent,dialplan");
    let channels = peer.expect("CoreShowChannels").await;
    let queues = peer.expect("QueueStatus").await;
    let first = peer.expect("Ping").await;
    peer.give_list(&channels, "CoreShowChannelsComplete", "").await;
    peer.give_list(&queues, "QueueStatusComplete", "Event: QueueParams\nQueue: support\n").await;
    exporter.counted("asterisk_exporter_events_total", &["event=\"QueueParams\""], 1.0).await;
    peer.grant(&first, "Ping: Pong\n").await;
    // The second Ping is not sent before the first was answered.
    let second = peer.expect("Ping").await;
    assert_ne!(first["ActionID"], second["ActionID"]);
    assert_eq!(exporter.health.all()[0].phase.word(), "synchronising");
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(0.0));
    peer.grant(&second, "Ping: Pong\n").await;
    exporter.up(0).await;
    assert_eq!(exporter.health.all()[0].asterisk.as_deref(), Some("22.10.0"));
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(1.0));
    assert_eq!(exporter.sample("asterisk_exporter_connects_total", &[]), Some(1.0));
    peer.send("Event: DialState\n\nEvent: DialState\n\nEvent: Nonsense\n\n").await;
    exporter.counted("asterisk_exporter_events_total", &["event=\"DialState\""], 2.0).await;
}

#[tokio::test]
async fn without_rights_the_session_goes_on_without_lists_and_keeps_all_classes() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept().await;
    // 16.16 or older, as far as a greeting shows: recordings may show in class reporting only.
    peer.send("Asterisk Call Manager/5.0.2\n").await;
    let challenge = peer.expect("Challenge").await;
    peer.grant(&challenge, "Challenge: 1\n").await;
    let login = peer.expect("Login").await;
    peer.grant(&login, "").await;
    for name in ["CoreSettings", "CoreShowChannels", "QueueStatus"] {
        let asked = peer.expect(name).await;
        peer.refuse(&asked, "Permission denied").await;
    }
    for _ in 0..2 {
        let ping = peer.expect("Ping").await;
        peer.grant(&ping, "Ping: Pong\n").await;
    }
    peer.refuse_endpoint_lists().await;
    exporter.up(0).await;
    assert_eq!(exporter.health.all()[0].asterisk.as_deref(), Some("16 (AMI 5.0.2)"));
    // The lists of trunks and phones are no loss.
    assert_eq!(missing(&exporter), ["list_channels", "list_queues"]);
    assert_eq!(
        exporter.sample("asterisk_exporter_degraded", &["reason=\"list_channels\""]),
        Some(1.0)
    );
    // The list that would be due at 60 s is not asked for.
    quiet(&exporter, &mut peer, 8).await;
}

#[tokio::test]
async fn a_version_newer_than_what_was_checked_is_followed() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept().await;
    peer.log_in("24.1.0").await;
    peer.give_snapshot("").await;
    exporter.up(0).await;
    assert_eq!(exporter.health.all()[0].asterisk.as_deref(), Some("24.1.0"));
    assert_eq!(missing(&exporter), [""; 0]);
}

/// What is reported missing, by its words.
fn missing(exporter: &Exporter) -> Vec<&'static str> {
    exporter.health.all()[0].missing.iter().map(Word::word).collect()
}

#[tokio::test]
async fn an_account_without_class_call_is_reported_until_the_first_such_event() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    for call in 1..=3 {
        let agent =
            "Queue: support\nInterface: SIP/201\nMemberName: Ann\nTimestamp: 1606403878.000000\n";
        peer.send(&format!(
            "Event: AgentCalled\nUniqueid: 1.{call}\nDestUniqueid: 2.{call}\n{agent}\n"
        ))
        .await;
    }
    exporter.counted("asterisk_exporter_events_total", &["event=\"AgentCalled\""], 3.0).await;
    assert_eq!(missing(&exporter), [""; 0]);

    // Two Pings, 15 s apart, and nothing of class call.
    quiet(&exporter, &mut peer, 2).await;
    exporter.until("missing", || missing(&exporter) == ["class_call"]).await;
    let reason = ["reason=\"class_call\""];
    assert_eq!(exporter.sample("asterisk_exporter_degraded", &reason), Some(1.0));
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(1.0));

    peer.send(
        "Event: Newchannel\nUniqueid: 3.1\nChannel: SIP/202-1\nTimestamp: 1606403909.000000\n\n",
    )
    .await;
    exporter.until("not missing", || missing(&exporter) == ["event_dial_begin"]).await;
    assert_eq!(exporter.sample("asterisk_exporter_degraded", &reason), Some(0.0));
    drop(peer);
    exporter.down(0).await;
    assert_eq!(missing(&exporter), [""; 0]);
}

#[tokio::test]
async fn the_secret_goes_in_clear_only_where_md5_is_refused_and_that_is_allowed() {
    let fake = Fake::start().await;
    for plain_login in [false, true] {
        let exporter = Exporter::start(vec![Pbx { plain_login, ..fake.pbx("hq") }]);
        let mut peer = fake.accept().await;
        peer.send("Asterisk Call Manager/11.0.0\n").await;
        let challenge = peer.expect("Challenge").await;
        peer.refuse(&challenge, "Must specify AuthType").await;
        if plain_login {
            let login = peer.expect("Login").await;
            assert_eq!((&login["Secret"], &login["Key"], &login["AuthType"]), ("lab", "", ""));
        } else {
            let why = exporter.down(0).await;
            assert!(
                why.starts_with("login refused: no MD5 challenge (Must specify AuthType)"),
                "{why}"
            );
            peer.expect_close().await;
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_logged_counted_and_tried_again_slowly() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    for times in [1.0, 2.0] {
        let mut peer = fake.accept().await;
        peer.send("Asterisk Call Manager/11.0.0\n").await;
        let challenge = peer.expect("Challenge").await;
        peer.grant(&challenge, "Challenge: 1\n").await;
        let login = peer.expect("Login").await;
        peer.refuse(&login, "Authentication failed").await;
        exporter.counted("asterisk_exporter_disconnects_total", &["reason=\"auth\""], times).await;
        assert_eq!(exporter.down(0).await, "login refused: Authentication failed");
        assert_eq!(exporter.sample("asterisk_exporter_connects_total", &[]), Some(0.0));
        skip(29).await;
        assert_eq!(exporter.health.all()[0].phase.word(), "down");
        skip(300).await;
    }
}

#[tokio::test]
async fn other_servers_and_old_asterisks_are_refused_by_name() {
    let cases = [
        ("SSH-2.0-OpenSSH_9.2\n", "not an AMI server: SSH-2.0-OpenSSH_9.2"),
        ("\u{1}\n", "not an AMI server: \\x01"),
        (
            "Asterisk Call Manager/1.3\n",
            "Asterisk 11 or older (AMI 1.3) is not supported: its queue events lack what the exporter needs; \
             update it to 12 or newer",
        ),
    ];
    for (greeting, error) in cases {
        let fake = Fake::start().await;
        let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
        let mut peer = fake.accept().await;
        peer.send(greeting).await;
        assert_eq!(exporter.down(0).await, error);
        peer.expect_close().await;
    }
}

#[tokio::test]
async fn silence_before_and_behind_the_greeting_ends_the_attempt() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
    let mut silent = fake.accept().await;
    skip(5).await;
    assert_eq!(
        exporter.down(0).await,
        "no greeting of a manager interface within 5s: is this the port of tlsbindaddr, which needs tls: true?"
    );
    silent.expect_close().await;
    skip(7200).await;
    let mut greets = fake.accept().await;
    greets.send("Asterisk Call Manager/11.0.0\n").await;
    greets.expect("Challenge").await;
    skip(10).await;
    assert_eq!(exporter.down(0).await, "no answer within 10s");
}

#[tokio::test]
async fn a_pbx_that_hangs_is_noticed_within_thirty_seconds() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    skip(15).await;
    peer.expect("Ping").await;
    skip(9).await;
    // Events without an answer do not help: one thread of the PBX does both.
    peer.send("Event: DialState\n\n").await;
    exporter.counted("asterisk_exporter_events_total", &["event=\"DialState\""], 1.0).await;
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(1.0));
    skip(1).await;
    assert_eq!(exporter.down(0).await, "no answer to a ping within 10s");
    assert_eq!(
        exporter.sample("asterisk_exporter_disconnects_total", &["reason=\"timeout\""]),
        Some(1.0)
    );
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(0.0));
}

#[tokio::test]
async fn a_connection_cut_in_mid_frame_is_made_again() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    peer.send("Event: DialState\n\nEvent: DialState\nChann").await;
    exporter.counted("asterisk_exporter_events_total", &["event=\"DialState\""], 1.0).await;
    drop(peer);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    peer.send("Event: DialState\n\n").await;
    exporter.counted("asterisk_exporter_events_total", &["event=\"DialState\""], 2.0).await;
    assert_eq!(
        exporter.sample("asterisk_exporter_disconnects_total", &["reason=\"closed\""]),
        Some(1.0)
    );
    assert_eq!(exporter.sample("asterisk_exporter_connects_total", &[]), Some(2.0));
}

#[tokio::test]
async fn only_the_first_of_short_sessions_is_followed_at_once() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    for times in [1.0, 2.0] {
        drop(fake.accept_up().await);
        exporter
            .counted("asterisk_exporter_disconnects_total", &["reason=\"closed\""], times)
            .await;
    }
    skip(25).await;
    assert_eq!(exporter.down(0).await, "closed by the pbx");
    assert_eq!(exporter.sample("asterisk_exporter_connects_total", &[]), Some(2.0));
    skip(5).await;
    fake.accept_up().await;
}

#[tokio::test]
async fn a_flood_before_the_snapshot_ends_the_session() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
    let mut peer = fake.accept().await;
    peer.log_in("22.10.0").await;
    let line = format!("Variable: {}\n", "x".repeat(1000));
    peer.flood(&format!(
        "Event: QueueCallerLeave\nQueue: q\nUniqueid: 1.1\nChannel: c\n{line}{line}{line}\n"
    ))
    .await;
    assert_eq!(exporter.down(0).await, "more than 64 MiB came before the snapshot was complete");
    assert_eq!(
        exporter.sample("asterisk_exporter_disconnects_total", &["reason=\"overflow\""]),
        Some(1.0)
    );
}

#[tokio::test]
async fn half_a_list_is_no_snapshot() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
    let mut peer = fake.accept().await;
    peer.log_in("22.10.0").await;
    peer.expect("Events").await;
    let channels = peer.expect("CoreShowChannels").await;
    let queues = peer.expect("QueueStatus").await;
    peer.give_list(&channels, "CoreShowChannelsComplete", "").await;
    peer.grant(&queues, "EventList: start\n").await;
    for _ in 0..2 {
        let ping = peer.expect("Ping").await;
        peer.grant(&ping, "Ping: Pong\n").await;
    }
    assert_eq!(exporter.down(0).await, "the list of QueueStatus has no end");
    assert_eq!(
        exporter.sample("asterisk_exporter_disconnects_total", &["reason=\"protocol\""]),
        Some(1.0)
    );
}

#[tokio::test]
async fn a_pbx_that_sends_nonsense_is_followed_all_the_same() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    peer.send("Response: Success\nActionID: ae-77\nPing: Pong\n\nResponse: Error\n\n").await;
    peer.send(
        "Event: QueueStatusComplete\nActionID: ae-77\n\nEvent: QueueParams\nActionID: ae-77\n\n",
    )
    .await;
    peer.send("Asterisk Call Manager/1.3\n").await;
    peer.send_bytes(b"\x00\xff: \xfe\n\n\r\n\r\nEvent\r\n\r\n").await;
    peer.send(&format!("Event: Hangup\nChannel: {}\n\n", "x".repeat(2000))).await;
    peer.send(&format!("Event: Hangup\n{}\n", "Key: value\n".repeat(1000))).await;
    peer.send("Event: Hangup\nCause: 16\n\nEvent: DialState\n\n").await;
    exporter.counted("asterisk_exporter_events_total", &["event=\"DialState\""], 1.0).await;
    for reason in ["line_too_long", "frame_too_long", "unknown_type", "incomplete"] {
        let labels = [&*format!("reason=\"{reason}\"")];
        assert!(
            exporter.sample("asterisk_exporter_frames_rejected_total", &labels) >= Some(1.0),
            "{reason}"
        );
    }
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(1.0));
}

#[tokio::test]
async fn queues_are_listed_again_behind_a_barrier_and_a_list_without_an_end_is_given_up() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    quiet(&exporter, &mut peer, 3).await;
    skip(15).await;
    answer_ping(&mut peer).await;
    let queues = peer.expect("QueueStatus").await;
    peer.grant(&queues, "EventList: start\n").await;
    answer_ping(&mut peer).await;
    answer_ping(&mut peer).await;
    quiet(&exporter, &mut peer, 3).await;
    skip(15).await;
    answer_ping(&mut peer).await;
    let queues = peer.expect("QueueStatus").await;
    peer.give_list(&queues, "QueueStatusComplete", "Event: QueueParams\nQueue: support\n").await;
    answer_ping(&mut peer).await;
    answer_ping(&mut peer).await;
    exporter.caught_up(&mut peer, "hq").await;
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(1.0));
}

/// A member as FreePBX makes it, and a call from a phone that nobody answered.
const MEMBER: &str = "Event: QueueMemberAdded\nQueue: support\nMemberName: Ann\nInterface: Local/201@from-queue/n\n\
                      StateInterface: hint:201@ext-local\nStatus: 1\nPaused: 0\n\n";

fn call_from(device: &str) -> String {
    let channel =
        format!("Channel: {device}-1\nUniqueid: {device}\nLinkedid: {device}\nContext: office\n");
    format!("Event: Newchannel\n{channel}ChannelState: 4\n\nEvent: Hangup\n{channel}Cause: 16\n\n")
}

#[tokio::test]
async fn hints_are_listed_once_a_session_if_a_member_is_reached_by_an_extension() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    quiet(&exporter, &mut peer, 1).await;
    peer.send(MEMBER).await;
    let hints = peer.expect("ExtensionStateList").await;
    let hint = "Event: ExtensionStatus\nExten: 201\nContext: ext-local\nHint: PJSIP/desk&Custom:DND201\nStatus: 0\n";
    peer.give_list(&hints, "ExtensionStateListComplete", hint).await;
    peer.send(&call_from("PJSIP/desk")).await;
    exporter.counted("asterisk_calls_total", &["agent=\"Ann\""], 1.0).await;
    // Not for another member.
    peer.send(&MEMBER.replace("201", "202").replace("Ann", "Ben")).await;
    quiet(&exporter, &mut peer, 1).await;
}

#[tokio::test]
async fn an_account_that_may_not_list_hints_goes_by_the_extensions_number() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    peer.send(MEMBER).await;
    let hints = peer.expect("ExtensionStateList").await;
    peer.refuse(&hints, "Permission denied").await;
    peer.send(&call_from("PJSIP/201")).await;
    exporter.counted("asterisk_calls_total", &["agent=\"Ann\""], 1.0).await;
    assert_eq!(exporter.sample("asterisk_up", &[]), Some(1.0));
}

#[tokio::test]
async fn a_missing_trunk_is_reported_until_one_is_recognised() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    for call in 0..10 {
        peer.send(&call_from(&format!("PJSIP/{call}"))).await;
    }
    exporter
        .counted("asterisk_calls_total", &["direction=\"unknown\"", "result=\"failed\""], 10.0)
        .await;
    let expected = "No trunk was recognised in 10 calls: `trunks` is not configured. Calls have a direction only by \
                    their context. They began on channels of PJSIP in office. Name the trunks in `trunks`, or the \
                    contexts of inbound calls in `inbound_contexts`.";
    assert_eq!(exporter.health.all()[0].notices["trunks"], expected);

    // It is not reported again in the next session, and taken back by one trunk.
    drop(peer);
    skip(1).await;
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;
    peer.send(&call_from("PJSIP/voipms").replace("office", "from-pstn")).await;
    exporter.counted("asterisk_trunk_calls_active", &["trunk=\"PJSIP/voipms\""], 0.0).await;
    assert!(exporter.health.all()[0].notices.is_empty());
}

#[tokio::test]
async fn one_broken_pbx_does_not_disturb_another() {
    let (good, bad) = (Fake::start().await, Fake::start().await);
    let exporter = Exporter::start(vec![bad.pbx("bad"), good.pbx("good")]);
    let mut peer = good.accept_up().await;
    exporter.up(1).await;
    for _ in 0..5 {
        let mut stranger = bad.accept().await;
        stranger.send("HTTP/1.1 400 Bad Request\n\n").await;
        stranger.expect_close().await;
    }
    drop(bad);
    peer.send("Event: DialState\n\n").await;
    let labels = ["pbx=\"good\"", "event=\"DialState\""];
    exporter.counted("asterisk_exporter_events_total", &labels, 1.0).await;
    assert_eq!(exporter.sample("asterisk_up", &["pbx=\"good\""]), Some(1.0));
    assert_eq!(exporter.sample("asterisk_up", &["pbx=\"bad\""]), Some(0.0));
}

#[tokio::test]
async fn shutdown_logs_off_and_waits_for_the_close_but_not_for_ever() {
    for closes in [true, false] {
        let fake = Fake::start().await;
        let exporter = Exporter::start(vec![fake.pbx("hq")]);
        let mut peer = fake.accept_up().await;
        exporter.up(0).await;
        exporter.stop();
        let logoff = peer.expect("Logoff").await;
        peer.send(&format!("Response: Goodbye\nActionID: {}\n\n", &logoff["ActionID"])).await;
        if closes {
            drop(peer);
        } else {
            skip(2).await;
        }
        let shared = exporter.exporter.clone();
        exporter.ended().await;
        let text = shared.lock().unwrap().scrape(Default::default(), Default::default());
        assert!(text.contains("reason=\"shutdown\"} 1"), "{text}");
    }
}

#[tokio::test]
async fn shutdown_ends_a_login_and_a_wait_as_well() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    peer.expect("Challenge").await;
    exporter.stop();
    exporter.ended().await;

    let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
    let mut peer = fake.accept().await;
    peer.send("220 mail\n").await;
    exporter.down(0).await;
    exporter.stop();
    exporter.ended().await;
}

#[tokio::test]
async fn what_comes_during_the_snapshot_is_applied_behind_it() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept().await;
    peer.log_in("22.10.0").await;
    peer.expect("Events").await;
    let channels = peer.expect("CoreShowChannels").await;
    let queues = peer.expect("QueueStatus").await;
    let first = peer.expect("Ping").await;
    let channel = "Channel: PJSIP/trunk-1\nUniqueid: 9.1\nLinkedid: 9.1\n";
    // Read before the list that still shows the caller, written after it on the PBX.
    peer.send(&format!("Event: HangupRequest\n{channel}\n")).await;
    peer.send(&format!("Event: QueueCallerAbandon\nQueue: support\n{channel}HoldTime: 9\n\n"))
        .await;
    peer.send(&format!("Event: QueueCallerLeave\nQueue: support\n{channel}\n")).await;
    peer.send(&format!("Event: Hangup\n{channel}Cause: 16\n\n")).await;
    peer.give_list(
        &channels,
        "CoreShowChannelsComplete",
        &format!("Event: CoreShowChannel\n{channel}"),
    )
    .await;
    let entry = format!("Event: QueueEntry\nQueue: support\n{channel}Wait: 9\n");
    peer.give_list(&queues, "QueueStatusComplete", &entry).await;
    peer.grant(&first, "Ping: Pong\n").await;
    let second = peer.expect("Ping").await;
    peer.grant(&second, "Ping: Pong\n").await;
    exporter.up(0).await;
    assert_eq!(
        exporter.sample("asterisk_queue_callers_waiting", &["queue=\"support\""]),
        Some(0.0)
    );
    let abandoned = ["queue=\"support\"", "outcome=\"abandoned\""];
    assert_eq!(exporter.sample("asterisk_queue_exits_total", &abandoned), Some(1.0));
}

/// Not tried again while the test looks on.
fn slow(pbx: Pbx) -> Pbx {
    let hour = Duration::from_secs(3600);
    Pbx { reconnect_min: hour, reconnect_max: hour, ..pbx }
}

/// Lets `rounds` pass in which nothing but a Ping happens.
async fn quiet(exporter: &Exporter, peer: &mut Peer, rounds: u32) {
    for _ in 0..rounds {
        skip(15).await;
        answer_ping(peer).await;
        exporter.caught_up(peer, "hq").await;
    }
}

async fn answer_ping(peer: &mut Peer) {
    let ping = peer.expect("Ping").await;
    peer.grant(&ping, "Ping: Pong\n").await;
}

/// A worker that waits for the lock must not be the one that looks at sockets.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_pbx_is_read_while_the_lock_is_held_elsewhere() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;

    // More than sockets hold, and less than is queued between reading and handling.
    let events = 24_000;
    let event = format!("Event: Newexten\nAppData: {}\n\n", "x".repeat(960));
    let text = event.repeat(events);
    let (taken, was_taken) = mpsc::channel();
    let (all_sent, wait) = mpsc::channel();
    let shared = Arc::clone(&exporter.exporter);
    let holder = std::thread::spawn(move || {
        let _guard = shared.lock().unwrap();
        taken.send(()).unwrap();
        // A runtime that stands still would not notice that it has waited too long.
        wait.recv_timeout(Duration::from_secs(30))
    });
    was_taken.recv().unwrap();

    // The session meets the lock with the first of it; all of it is read nevertheless.
    peer.send(&text).await;
    all_sent.send(()).ok();
    assert_eq!(holder.join().unwrap(), Ok(()), "reading had to wait for the lock");
    let newexten = ["event=\"Newexten\""];
    exporter.counted("asterisk_exporter_events_total", &newexten, events as f64).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_pbx_whose_task_waits_for_the_lock_for_ever_is_stuck() {
    let every = Duration::from_millis(10);
    let fake = Fake::start().await;
    let other = Fake::start().await;
    let exporter = Exporter::start_with(vec![fake.pbx("hq"), other.pbx("branch")], |health| {
        health.with_signs_every(every)
    });
    let mut peer = fake.accept_up().await;
    exporter.up(0).await;

    let (taken, was_taken) = mpsc::channel();
    let (enough, wait) = mpsc::channel::<()>();
    let shared = Arc::clone(&exporter.exporter);
    let holder = std::thread::spawn(move || {
        let _guard = shared.lock().unwrap();
        taken.send(()).unwrap();
        wait.recv().ok();
    });
    was_taken.recv().unwrap();
    peer.send("Event: Newexten\n\n").await;
    let stuck = || -> Vec<_> {
        let stuck = exporter.health.stuck(exporter.clock.now()).into_iter();
        stuck.map(|(pbx, _)| pbx.as_str().to_owned()).collect()
    };
    exporter.until("stuck", || stuck() == ["hq"]).await;

    drop(enough);
    holder.join().unwrap();
    exporter.until("going on", || stuck().is_empty()).await;
}

#[tokio::test]
async fn a_greeting_that_a_line_feed_alone_ends_is_no_greeting_without_end() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![slow(fake.pbx("hq"))]);
    let mut peer = fake.accept().await;
    peer.send_bytes(b"Asterisk Call Manager/5\n").await;
    peer.send_bytes(&[b'A'; 300]).await;
    let why = exporter.down(0).await;
    assert!(why.starts_with("not an AMI server: Asterisk Call Manager/5"), "{why}");
    peer.expect_close().await;
}
