//! `record` against PBXs that the test speaks for, and against the demo's: what is in the file, and
//! what it is when it is played.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use asterisk_exporter::ami::frame::{Decoder, Item, Limits};
use asterisk_exporter::demo;
use asterisk_exporter::metrics::Format;
use asterisk_exporter::record::{Key, Pseudonymizer};
use flate2::read::MultiGzDecoder;
use support::program::{PATIENCE, Running, command, run, wait_until};
use support::{Numbers, fixture};

use crate::lab::{Busy, replay, rules};

/// A PBX that sends what the test wants.
struct Fake(TcpListener);

/// One connection to it.
struct Peer(BufReader<TcpStream>);

impl Fake {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    fn connected(&self) -> Peer {
        self.0.set_nonblocking(true).expect("a socket");
        let (stream, _) = wait_until("a connection", || self.0.accept().ok());
        stream.set_nonblocking(false).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Peer(BufReader::new(stream))
    }

    fn accept(&self) -> Peer {
        let mut peer = self.connected();
        peer.say("Asterisk Call Manager/11.0.0\n");
        let id = peer.expect("Challenge");
        peer.grant(&id, "Challenge: 840415273\n");
        peer
    }

    /// A session up to its snapshot, which is given or refused.
    fn accept_up(&self, lists: Lists) -> Peer {
        let mut peer = self.accept();
        let id = peer.expect("Login");
        peer.grant(&id, "Message: Authentication accepted\n");
        let id = peer.expect("CoreSettings");
        peer.grant(&id, "AsteriskVersion: 22.10.0\nCoreRunUser: hush\n");
        peer.expect("Events");

        for list in ["CoreShowChannels", "QueueStatus"] {
            let id = peer.expect(list);
            match lists {
                Lists::Empty => {
                    peer.grant(&id, "EventList: start\n");
                    peer.say(&format!(
                        "Event: {list}Complete\nActionID: {id}\nEventList: Complete\n\n"
                    ));
                }
                Lists::Refused => {
                    peer.say(&format!(
                        "Response: Error\nActionID: {id}\nMessage: Permission denied\n\n"
                    ));
                }
            }
        }

        for _ in 0..2 {
            let id = peer.expect("Ping");
            peer.grant(&id, "Ping: Pong\n");
        }

        peer
    }
}

#[derive(Clone, Copy)]
enum Lists {
    Empty,
    Refused,
}

impl Peer {
    fn say(&mut self, text: &str) {
        self.say_bytes(text.replace('\n', "\r\n").as_bytes());
    }

    fn say_bytes(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("an open connection");
    }

    fn grant(&mut self, id: &str, headers: &str) {
        self.say(&format!("Response: Success\nActionID: {id}\n{headers}\n"));
    }

    /// The next action, which must be this one; returns its ActionID.  Lists of trunks and phones before it
    /// are refused.
    fn expect(&mut self, name: &str) -> String {
        loop {
            let (action, id) = self.next_action(name);
            if action == name {
                return id;
            }
            assert!(ENDPOINT_LISTS.contains(&action.as_str()), "{action} instead of {name}");
            self.say(&format!(
                "Response: Error\nActionID: {id}\nMessage: Invalid/unknown command\n\n"
            ));
        }
    }

    fn next_action(&mut self, name: &str) -> (String, String) {
        let mut action = String::new();
        let mut id = String::new();

        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("a line") > 0, "closed instead of {name}");
            match line.trim_end().split_once(": ") {
                Some(("Action", value)) => value.clone_into(&mut action),
                Some(("ActionID", value)) => value.clone_into(&mut id),
                Some(_) => {}
                None => break,
            }
        }

        (action, id)
    }
}

const ENDPOINT_LISTS: [&str; 4] =
    ["SIPpeers", "DeviceStateList", "SIPshowregistry", "PJSIPShowRegistrationsOutbound"];

/// Paths of one test.
struct Place {
    config: PathBuf,
    out: PathBuf,
}

impl Place {
    fn new(name: &str, address: SocketAddr) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = |end: &str| folder.join(format!("{}-record-{name}{end}", std::process::id()));
        let place = Self { config: path(".yml"), out: path(".ami.gz") };
        let text = format!(
            "pbx:\n  - name: hq\n    address: '{address}'\n    username: exporter\n    secret: hush-hush\n\
             \x20   trunks: ['^PJSIP/carrier-']\n    reconnect_min: 100ms\n    reconnect_max: 100ms\n    ping_interval: 5m\n"
        );
        std::fs::write(&place.config, text).expect("a scratch file");
        std::fs::set_permissions(&place.config, Permissions::from_mode(0o600))
            .expect("a scratch file");
        let _ = std::fs::remove_file(&place.out);
        place
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let [config, out] =
            [&self.config, &self.out].map(|path| path.to_str().expect("a plain path"));
        let mut all = vec!["record", "--config", config, "--out", out, "--log.level", "warn"];
        all.extend(more);
        all
    }

    fn record(&self, more: &[&str]) -> Running {
        Running(
            command(&self.arguments(more))
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts"),
        )
    }

    /// What is in the file by now, and whether the file is whole.
    fn content(&self) -> (Vec<u8>, bool) {
        let Ok(file) = File::open(&self.out) else { return (Vec::new(), false) };
        let mut bytes = Vec::new();
        let whole = MultiGzDecoder::new(file).read_to_end(&mut bytes).is_ok();
        (bytes, whole)
    }

    /// Waits until so many events are in the file.
    fn holds(&self, events: usize) {
        wait_until("the events in the file", || (count(&self.content().0) >= events).then_some(()));
        assert_eq!(count(&self.content().0), events);
    }
}

fn count(bytes: &[u8]) -> usize {
    memchr::memmem::find_iter(bytes, b"Event: ").count()
}

/// Ends the program as Ctrl-C does; returns its exit code and what it printed.
fn interrupt(mut running: Running) -> (Option<i32>, String) {
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let status = wait_until("the end of the program", || running.0.try_wait().expect("a child"));
    let mut printed = String::new();
    running.0.stderr.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    (status.code(), printed)
}

/// Lines that are in one of two expositions only.
fn differences(one: &str, other: &str) -> Vec<String> {
    // A sum that came in two parts may differ in its sixteenth digit.
    let microseconds = |line: &str| match line
        .rsplit_once(' ')
        .and_then(|(series, value)| Some((series, value.parse::<f64>().ok()?)))
    {
        Some((series, value)) => format!("{series} {value:.6}"),
        None => line.to_owned(),
    };
    let [one, other] =
        [one, other].map(|text| text.lines().map(microseconds).collect::<BTreeSet<_>>());
    one.symmetric_difference(&other).cloned().collect()
}

fn played(bytes: &[u8]) -> String {
    let mut replay = replay(rules());
    let (_, failed) = replay.play(bytes);
    assert!(failed.is_none());
    replay.exposition(Format::Text)
}

#[test]
fn a_day_with_a_cut_link_is_recorded_and_counts_as_it_happened() {
    let fake = Fake::start();
    let place = Place::new("day", fake.address());
    let (bytes, truth) = demo::capture(3, 300);
    let running = place.record(&[]);
    let middle = memchr::memmem::find(&bytes[bytes.len() / 2..], b"\r\n\r\n").expect("a frame")
        + bytes.len() / 2
        + 4;
    let (before, after) = bytes.split_at(middle);
    let mut peer = fake.accept_up(Lists::Empty);
    peer.say_bytes(before);

    // Two lists have an end each.
    place.holds(count(before) + 2);
    drop(peer);
    let mut peer = fake.accept_up(Lists::Refused);
    peer.say_bytes(after);
    let events = count(&bytes) + 2;
    place.holds(events);

    // As `kill -9` would leave it.
    let (cut, whole) = place.content();
    assert!(!whole);
    let (code, printed) = interrupt(running);
    let (content, whole) = place.content();

    assert!(whole && code == Some(0), "{printed}");
    assert!(
        printed.contains(&format!(": {events} events of pbx hq, {} bytes, ", content.len())),
        "{printed}"
    );
    assert_eq!(content, cut);
    let exposition = played(&content);

    // The day's events alone are one session, and ask for no lists.
    let own = |series: &str, counts: [f64; 2]| {
        counts.map(|count| format!("asterisk_exporter_{series} {count:.6}"))
    };
    let expected = [
        own("connects_total{pbx=\"lab\"}", [1.0, 2.0]),
        own("degraded{pbx=\"lab\",reason=\"list_channels\"}", [0.0, 1.0]),
        own("degraded{pbx=\"lab\",reason=\"list_queues\"}", [0.0, 1.0]),
        own("events_total{pbx=\"lab\",event=\"other\"}", [0.0, 2.0]),
    ];
    assert_eq!(differences(&exposition, &played(&bytes)), expected.concat());
    let numbers = Numbers::read(&exposition);
    numbers.assert_conserved("the recording");

    for (queue, truth) in &truth.queues {
        let q = ("queue", queue.as_str());
        let exits = |outcome| numbers.sum("asterisk_queue_exits_total", &[q, ("outcome", outcome)]);
        assert_eq!(
            numbers.sum("asterisk_queue_entries_total", &[q]),
            truth.entered as f64,
            "{queue}"
        );
        assert_eq!(exits("answered"), truth.connected as f64, "{queue}");
        assert_eq!(exits("abandoned"), truth.abandoned as f64, "{queue}");
        assert_eq!(exits("timeout"), truth.timed_out as f64, "{queue}");
        assert_eq!(
            numbers.sum("asterisk_queue_completions_total", &[q]),
            truth.completed() as f64,
            "{queue}"
        );
    }

    let text = String::from_utf8_lossy(&content);
    let begins = "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: ae-2-Login\r\n";
    assert!(text.starts_with(begins) && text.matches(begins).count() == 2);
    for secret in ["hush", "840415273"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert_no_caller_remains("the day", &bytes, &content);
}

/// Numbers of callers that come from outside.
fn callers(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(bytes);
    let mut found = BTreeSet::new();
    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { continue };
        let numbers = frame.headers().filter(|(key, _)| key.ends_with(b"CallerIDNum"));
        found.extend(numbers.map(|(_, number)| number.trim_ascii_start().to_vec()));
    }
    found.retain(|number| number.len() >= 6 && number.iter().all(u8::is_ascii_digit));
    found
}

fn assert_no_caller_remains(what: &str, before: &[u8], after: &[u8]) {
    for number in callers(before) {
        let found = memchr::memmem::find(after, &number);
        let context = found
            .map(|at| String::from_utf8_lossy(&after[at.saturating_sub(80)..at + 20]).into_owned());
        assert_eq!(context, None, "{what}: {}", String::from_utf8_lossy(&number));
    }
}

/// Every capture among the fixtures.
fn captures() -> Vec<PathBuf> {
    let entries = |folder: &str| {
        std::fs::read_dir(fixture(folder)).expect("a folder").map(|entry| entry.expect("one"))
    };
    let packed =
        ["captures/16", "captures/22"].into_iter().flat_map(entries).map(|entry| entry.path());
    let plain =
        entries("").map(|entry| entry.path().join("events.ami")).filter(|path| path.exists());
    let mut all: Vec<_> =
        packed.filter(|path| path.to_string_lossy().ends_with(".ami.gz")).chain(plain).collect();
    all.sort();
    all
}

fn content(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).expect("a capture");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        // One of them was cut on purpose.
        let _ = MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain);
        bytes = plain;
    }
    bytes
}

#[test]
fn pseudonyms_change_no_number_of_any_capture_and_leave_no_caller() {
    let key = Key::of_salt(b"the same pseudonyms in each run").expect("long enough");
    let all = captures();
    assert!(all.len() >= 114, "only {} captures found", all.len());
    let mut replaced = 0;

    for path in all {
        let what = path.display().to_string();
        let before = content(&path);
        let mut pseudonymizer = Pseudonymizer::new(key.clone(), rules());
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(&before);
        let mut after = Vec::new();
        while let Some(item) = decoder.next_item() {
            if let Item::Frame(frame) = item {
                pseudonymizer.learn(&frame);
                pseudonymizer.rewrite(&frame, &mut after);
            }
        }
        let differences = differences(&played(&before), &played(&after));
        assert!(differences.is_empty(), "{what}: {differences:#?}");
        assert_no_caller_remains(&what, &before, &after);
        replaced += callers(&before).len();
    }
    assert!(replaced > 500, "only {replaced} callers");
}

#[test]
fn the_demo_s_lists_are_in_the_capture_and_are_played() {
    let pbx = Busy::start();
    let place = Place::new("demo", pbx.address);
    let running = place.record(&[]);
    wait_until("a thousand events", || (count(&place.content().0) > 1000).then_some(()));

    assert_eq!(interrupt(running).0, Some(0));
    let (content, whole) = place.content();
    assert!(whole);
    let numbers = Numbers::read(&played(&content));
    numbers.assert_conserved("the demo");

    for (queue, target, members) in [
        ("sales", 20.0, 5.0),
        ("support", 30.0, 5.0),
        ("billing", 20.0, 5.0),
        ("callback", 45.0, 2.0),
    ] {
        let q = [("queue", queue)];
        assert_eq!(
            numbers.sum("asterisk_queue_service_level_target_seconds", &q),
            target,
            "{queue}"
        );
        assert_eq!(numbers.sum("asterisk_queue_agents", &q), members, "{queue}");
    }

    assert_eq!(numbers.sum("asterisk_queue_agents", &[("state", "unknown")]), 0.0);
    assert!(numbers.sum("asterisk_queue_entries_total", &[]) > 5.0);
    assert_eq!(numbers.sum("asterisk_exporter_anomalies_total", &[]), 0.0);
    assert_eq!(memchr::memmem::find(&content, b"1202555"), None);
}

#[test]
fn with_keep_numbers_everything_is_as_it_came() {
    let fake = Fake::start();
    let place = Place::new("plain", fake.address());
    let running = place.record(&["--keep-numbers"]);
    let mut peer = fake.accept_up(Lists::Empty);
    let event = "Event: Newchannel\r\nCallerIDNum: 12025550123\r\nCallerIDName: Ivan\r\n\r\n";
    peer.say_bytes(event.as_bytes());
    place.holds(3);
    assert_eq!(interrupt(running).0, Some(0));
    assert!(String::from_utf8_lossy(&place.content().0).ends_with(event));
}

#[test]
fn the_same_salt_gives_the_same_pseudonyms() {
    let event = "Event: Newchannel\r\nCallerIDNum: 12025550123\r\n\r\n";
    let salt = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-record-salt", std::process::id()));
    std::fs::write(&salt, "a text that nobody guesses\n").expect("a scratch file");
    let number = |name: &str, more: &[&str]| {
        let fake = Fake::start();
        let place = Place::new(name, fake.address());
        let running = place.record(more);
        fake.accept_up(Lists::Empty).say_bytes(event.as_bytes());
        place.holds(3);
        assert_eq!(interrupt(running).0, Some(0));
        let text = String::from_utf8(place.content().0).expect("text");
        text.rsplit_once("CallerIDNum: ").expect("the caller").1.trim_end().to_owned()
    };

    let salted = ["--salt-file", salt.to_str().expect("a plain path")];
    let [once, again, other] =
        [number("salt-1", &salted), number("salt-2", &salted), number("salt-3", &[])];
    assert_eq!(once, again);
    assert!(once != other && once != "12025550123" && once.len() == 11, "{once} {other}");
}

#[test]
fn it_ends_by_itself_after_the_duration_and_logs_off() {
    let fake = Fake::start();
    let place = Place::new("duration", fake.address());
    let mut running = place.record(&["--duration", "10s"]);
    let mut peer = fake.accept_up(Lists::Empty);
    peer.expect("Logoff");
    drop(peer);
    let status = wait_until("the end of the program", || running.0.try_wait().expect("a child"));
    assert!(status.success() && place.content().1);
    let mode = std::fs::metadata(&place.out).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_refused_account_and_a_pbx_that_is_not_there_leave_no_file() {
    let fake = Fake::start();
    let place = Place::new("refused", fake.address());
    let running = place.record(&[]);
    let mut peer = fake.accept();
    let id = peer.expect("Login");
    peer.say(&format!("Response: Error\nActionID: {id}\nMessage: Authentication failed\n\n"));
    let output = wait(running);
    assert_eq!(
        output,
        (Some(1), "asterisk_exporter: pbx hq: login refused: Authentication failed\n".to_owned())
    );
    assert!(!place.out.exists());
    drop((peer, fake));
    let (code, printed) = wait(place.record(&[]));

    assert!(
        code == Some(1)
            && printed.contains("pbx hq: connect to 127.0.0.1:")
            && printed.contains("refused"),
        "{printed}"
    );
    assert!(!place.out.exists());
}

#[test]
fn asterisk_11_is_refused() {
    let fake = Fake::start();
    let place = Place::new("old", fake.address());
    let running = place.record(&[]);
    fake.connected().say("Asterisk Call Manager/1.3\n");
    let (code, printed) = wait(running);
    let why = "Asterisk 11 or older (AMI 1.3) is not supported: its queue events lack what the exporter needs; \
        update it to 12 or newer";
    assert_eq!((code, printed), (Some(1), format!("asterisk_exporter: pbx hq: {why}\n")));
    assert!(!place.out.exists());
}

fn wait(mut running: Running) -> (Option<i32>, String) {
    let status = wait_until("the end of the program", || running.0.try_wait().expect("a child"));
    let mut printed = String::new();
    running.0.stderr.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    (status.code(), printed)
}

#[test]
fn what_is_there_is_not_overwritten_and_every_mistake_is_reported() {
    let fake = Fake::start();
    let place = Place::new("mistakes", fake.address());
    std::fs::write(&place.out, b"precious").expect("a scratch file");
    let path = place.out.to_str().expect("a plain path");
    let salt = place.config.with_extension("salt");
    std::fs::write(&salt, b"short").expect("a scratch file");
    let salt = salt.to_str().expect("a plain path");

    for (more, message) in [
        (vec![], format!("{path}: exists already; --force replaces it")),
        (vec!["--pbx", "nowhere"], "--pbx: the configuration has no such pbx, only: hq".to_owned()),
        (vec!["--salt-file", salt], format!("{salt}: a salt has at least 16 characters")),
        (vec!["--duration", "soon"], "soon is not a duration".to_owned()),
    ] {
        let output = run(&place.arguments(&more));
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && printed.contains(&message), "{printed}");
    }
    assert_eq!(std::fs::read(&place.out).expect("the file"), b"precious");
}

#[test]
fn a_full_disk_ends_it_with_the_reason() {
    let fake = Fake::start();
    let mut place = Place::new("full", fake.address());
    place.out = "/dev/full".into();
    let running = place.record(&["--force"]);
    let mut peer = fake.accept_up(Lists::Empty);
    peer.expect("Logoff");
    drop(peer);
    let (code, printed) = wait(running);
    assert_eq!(code, Some(1));

    assert!(
        printed.contains("/dev/full: cannot be written")
            && printed.contains("No space left on device"),
        "{printed}"
    );
}
