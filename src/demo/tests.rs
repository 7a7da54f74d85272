//! The simulation against itself, and the server as a client sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::scenario::TRUNKS;
use super::session::md5_hex;
use super::simulation::Simulation;
use super::*;

/// A message as its headers.
type Headers = BTreeMap<String, String>;

fn frames(bytes: &[u8]) -> Vec<Headers> {
    let text = std::str::from_utf8(bytes).unwrap();
    let headers = |frame: &str| {
        frame
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .map(|(k, v)| (k.into(), v.into()))
            .collect()
    };
    text.split("\r\n\r\n").filter(|frame| !frame.is_empty()).map(headers).collect()
}

fn named<'a>(frames: &'a [Headers], event: &str) -> impl Iterator<Item = &'a Headers> {
    frames.iter().filter(move |frame| frame.get("Event").is_some_and(|name| name == event))
}

fn count(frames: &[Headers], event: &str, queue: &str) -> u64 {
    named(frames, event).filter(|frame| frame["Queue"] == queue).count() as u64
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (first, truth) = capture(7, 60);
    assert_eq!((first, truth), capture(7, 60));
    assert_ne!(capture(7, 20).0, capture(8, 20).0);
}

#[test]
fn every_channel_that_begins_ends_and_every_bridge_too() {
    for seed in 1..4 {
        let frames = frames(&capture(seed, 200).0);
        let ids = |event: &str, key: &str| -> Vec<String> {
            named(&frames, event).map(|f| f[key].clone()).collect()
        };
        let mut begun = ids("Newchannel", "Uniqueid");
        let mut ended = ids("Hangup", "Uniqueid");
        begun.sort();
        ended.sort();
        assert_eq!(begun, ended);
        assert_eq!(begun.iter().collect::<BTreeSet<_>>().len(), begun.len());
        let mut created = ids("BridgeCreate", "BridgeUniqueid");
        let mut destroyed = ids("BridgeDestroy", "BridgeUniqueid");
        created.sort();
        destroyed.sort();
        assert_eq!(created, destroyed);
        assert_eq!(ids("BridgeEnter", "Uniqueid").len(), ids("BridgeLeave", "Uniqueid").len());
    }
}

#[test]
fn events_and_truth_agree() {
    for seed in 1..4 {
        let (bytes, truth) = capture(seed, 250);
        let frames = frames(&bytes);
        for (name, queue) in &truth.queues {
            assert_eq!(queue.entered, queue.exits(), "{name}");
            assert_eq!(queue.connected, queue.completed(), "{name}");
            assert_eq!(count(&frames, "QueueCallerJoin", name), queue.entered);
            assert_eq!(count(&frames, "QueueCallerLeave", name), queue.entered);
            assert_eq!(count(&frames, "AgentConnect", name), queue.connected);
            assert_eq!(count(&frames, "AgentComplete", name), queue.connected);
            let abandons = queue.abandoned + queue.timed_out + queue.left_empty;
            assert_eq!(count(&frames, "QueueCallerAbandon", name), abandons);
            let unanswered = queue.ring_no_answer + queue.ring_busy + queue.ring_failed;
            assert_eq!(count(&frames, "AgentRingNoAnswer", name), unanswered);
            assert_eq!(count(&frames, "AgentCalled", name), queue.rings());
        }
        let recorded: u64 = truth.queues.values().map(|queue| queue.recorded).sum();
        assert_eq!(named(&frames, "MixMonitorStart").count() as u64, recorded);
    }
}

#[test]
fn hold_seconds_are_those_of_the_time_stamps() {
    let (bytes, truth) = capture(3, 300);
    let frames = frames(&bytes);
    let micros = |frame: &Headers| -> i64 { frame["Timestamp"].replace('.', "").parse().unwrap() };
    let mut joined: BTreeMap<String, i64> = BTreeMap::new();
    let mut held: BTreeMap<String, i64> = BTreeMap::new();
    for frame in &frames {
        match frame.get("Event").map(String::as_str) {
            Some("QueueCallerJoin") => {
                joined.insert(frame["Uniqueid"].clone(), micros(frame));
            }
            Some("AgentConnect") => {
                *held.entry(frame["Queue"].clone()).or_default() +=
                    micros(frame) - joined[&frame["Uniqueid"]];
            }
            _ => {}
        }
    }
    for (name, queue) in &truth.queues {
        assert_eq!(
            queue.hold_answered.as_micros() as i64,
            held.get(name).copied().unwrap_or_default()
        );
    }
}

#[test]
fn everything_that_can_happen_happens() {
    let (bytes, truth) = capture(1, 900);
    let all = truth.queues.values().fold([0; 11], |sum, q| {
        let of_queue = [
            q.abandoned,
            q.timed_out,
            q.left_empty,
            q.exit_key,
            q.ring_no_answer,
            q.ring_busy,
            q.ring_failed,
            q.ring_canceled,
            q.blind_transfers,
            q.attended_transfers,
            q.refused_full + q.refused_empty,
        ];
        std::array::from_fn(|at| sum[at] + of_queue[at])
    });
    assert!(all.iter().all(|&times| times > 0), "{all:?}");
    let full: u64 = truth.queues.values().map(|q| q.refused_full).sum();
    let empty: u64 = truth.queues.values().map(|q| q.refused_empty).sum();
    assert!(full > 0 && empty > 0);
    assert!(TRUNKS.into_iter().all(|trunk| truth.trunk_attempts[trunk] > 0));
    let frames = frames(&bytes);
    let bare = named(&frames, "AgentComplete")
        .filter(|f| !f.contains_key("Uniqueid") || !f.contains_key("DestUniqueid"));
    let share = bare.count() as f64 / named(&frames, "AgentComplete").count() as f64;
    assert!((0.02..0.08).contains(&share), "{share}");
    for event in
        ["Hold", "Unhold", "LocalBridge", "BlindTransfer", "AttendedTransfer", "OriginateResponse"]
    {
        assert!(named(&frames, event).count() > 0, "{event}");
    }
    for cause in ["0", "1", "16", "17", "19", "26", "34", "127"] {
        assert!(named(&frames, "Hangup").any(|frame| frame["Cause"] == cause), "{cause}");
    }
}

#[test]
fn a_bridge_has_as_many_channels_as_its_events_count() {
    let frames = frames(&capture(5, 300).0);
    let mut inside: BTreeMap<&str, i64> = BTreeMap::new();
    for frame in &frames {
        let step = match frame.get("Event").map(String::as_str) {
            Some("BridgeEnter") => 1,
            Some("BridgeLeave") => -1,
            _ => continue,
        };
        let count = inside.entry(&frame["BridgeUniqueid"]).or_default();
        *count += step;
        assert_eq!(frame["BridgeNumChannels"], count.to_string());
    }
}

#[test]
fn lists_agree_with_the_events_before_them() {
    let mut simulation = Simulation::new(11);
    let (mut channels, mut waiting, mut bridges) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for step in 0..6_000 {
        let (at, events) = simulation.next().unwrap();
        let events: Vec<u8> = events.into_iter().flat_map(|event| event.bytes).collect();
        for frame in frames(&events) {
            let id = |key: &str| frame.get(key).cloned().unwrap_or_default();
            match frame["Event"].as_str() {
                "Newchannel" => drop(channels.insert(id("Uniqueid"))),
                "Hangup" => drop(channels.remove(&id("Uniqueid"))),
                "QueueCallerJoin" => drop(waiting.insert((id("Uniqueid"), id("Queue")))),
                "QueueCallerLeave" => drop(waiting.remove(&(id("Uniqueid"), id("Queue")))),
                "BridgeCreate" => drop(bridges.insert(id("BridgeUniqueid"))),
                "BridgeDestroy" => drop(bridges.remove(&id("BridgeUniqueid"))),
                _ => {}
            }
        }
        if step % 41 != 0 {
            continue;
        }
        let list = |list| frames(&lists::answer(simulation.world(), at, &list, Some("l-1")));
        let listed = list(lists::List::CoreShowChannels);
        assert_eq!(
            named(&listed, "CoreShowChannel")
                .map(|f| f["Uniqueid"].clone())
                .collect::<BTreeSet<_>>(),
            channels
        );
        let listed = list(lists::List::QueueStatus);
        let entries =
            named(&listed, "QueueEntry").map(|f| (f["Uniqueid"].clone(), f["Queue"].clone()));
        assert_eq!(entries.collect::<BTreeSet<_>>(), waiting);
        let listed = list(lists::List::Bridges);
        let ids = named(&listed, "BridgeListItem").map(|f| f["BridgeUniqueid"].clone());
        assert_eq!(ids.collect::<BTreeSet<_>>(), bridges);
    }
}

struct Client {
    stream: TcpStream,
    text: String,
}

impl Client {
    async fn send(&mut self, action: &str) {
        self.stream.write_all(action.replace('\n', "\r\n").as_bytes()).await.unwrap();
    }

    /// Reads up to and including that text, and gives what came.
    async fn until(&mut self, end: &str) -> String {
        let mut chunk = [0; 4096];
        loop {
            if let Some(at) = self.text.find(end) {
                let rest = self.text.split_off(at + end.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let read = self.stream.read(&mut chunk).await.unwrap();
            assert!(read > 0, "connection closed before {end:?}, after {:?}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
    }

    async fn log_in(&mut self, secret: &str, mask: &str) {
        self.send("Action: Challenge\nActionID: c\nAuthType: MD5\n\n").await;
        let answer = self.until("\r\n\r\n").await;
        let challenge = frames(answer.as_bytes()).remove(0).remove("Challenge").unwrap();
        let key = md5_hex(&[&challenge, secret]);
        let login = format!(
            "Action: Login\nActionID: l\nAuthType: MD5\nUsername: demo\nKey: {key}\nEvents: {mask}\n\n"
        );
        self.send(&login).await;
    }
}

fn options() -> Options {
    Options {
        seed: 5,
        speed: 1.0,
        secret: "demo".into(),
        username: "demo".into(),
        busy: 2.0,
        open_for: Duration::ZERO,
    }
}

/// Runs a PBX beside the test.
async fn with_pbx<F: Future<Output = ()>>(test: impl FnOnce(Address) -> F) {
    let pbx = DemoPbx::bind(options()).await.unwrap();
    let address = Address(pbx.address());
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(pbx.serve(stopped));
    test(address).await;
    stop.send(true).unwrap();
    tasks.join_next().await.unwrap().unwrap();
}

struct Address(std::net::SocketAddr);

impl Address {
    async fn connect(&self) -> Client {
        let mut client =
            Client { stream: TcpStream::connect(self.0).await.unwrap(), text: String::new() };
        client.until("Asterisk Call Manager/11.0.0\r\n").await;
        client
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_logs_in_by_md5_and_gets_lists() {
    with_pbx(|pbx| async move {
        let mut client = pbx.connect().await;
        client.log_in("demo", "system,call,agent").await;
        let accepted = client.until("Authentication accepted\r\n\r\n").await;
        assert!(accepted.contains("Response: Success\r\nActionID: l\r\n"));
        client.until("Event: FullyBooted\r\n").await;
        for action in ["QueueStatus", "CoreShowChannels", "BridgeList"] {
            client.send(&format!("Action: {action}\nActionID: a-{action}\n\n")).await;
            client.until("EventList: start\r\n").await;
            let listed = client.until(&format!("Event: {action}Complete\r\n")).await;
            let end = client.until("\r\n\r\n").await;
            let items = listed.matches(&format!("ActionID: a-{action}\r\n")).count();
            assert!(
                end.contains(&format!("ListItems: {items}\r\n")),
                "{action}: {items} items, {end}"
            );
        }
        client.send("Action: Ping\nActionID: p\n\n").await;
        client.until("Response: Success\r\nActionID: p\r\nPing: Pong\r\nTimestamp: ").await;
        client.send("Action: Command\nActionID: x\nCommand: core show version\n\n").await;
        client
            .until("Response: Error\r\nActionID: x\r\nMessage: Invalid/unknown command\r\n\r\n")
            .await;
        client.until("Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nTimestamp: ").await;
        client.send("Action: Logoff\n\n").await;
        client.until("Response: Goodbye\r\n").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_gets_only_the_classes_it_reads() {
    with_pbx(|pbx| async move {
        let mut agent = pbx.connect().await;
        let mut off = pbx.connect().await;
        agent.send("Action: Login\nUsername: demo\nSecret: demo\nEvents: agent\n\n").await;
        off.send("Action: Login\nUsername: demo\nSecret: demo\nEvents: off\n\n").await;
        let mut text = String::new();
        for _ in 0..5 {
            text += &agent.until("Event: QueueCallerLeave\r\n").await;
        }
        assert!(!text.contains("Privilege: call,all") && !text.contains("Privilege: dialplan,all"));
        off.send("Action: Ping\nActionID: p\n\n").await;
        assert!(!off.until("Ping: Pong\r\n").await.contains("Event:"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_refused_and_the_connection_closed() {
    with_pbx(|pbx| async move {
        let mut client = pbx.connect().await;
        client.log_in("wrong", "on").await;
        client
            .until("Response: Error\r\nActionID: l\r\nMessage: Authentication failed\r\n\r\n")
            .await;
        assert_eq!(client.stream.read(&mut [0; 16]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_disconnected_and_does_not_stop_the_others() {
    with_pbx(|pbx| async move {
        let mut stalled = pbx.connect().await;
        let mut reader = pbx.connect().await;
        stalled.log_in("demo", "on").await;
        reader.log_in("demo", "agent").await;
        for _ in 0..400 {
            reader.until("Event: QueueCallerJoin\r\n").await;
        }

        let mut chunk = vec![0; 1 << 20];
        while stalled.stream.read(&mut chunk).await.is_ok_and(|read| read > 0) {}
    })
    .await;
}
