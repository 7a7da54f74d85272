//! Faults of the exporter's process and machine: the built program beside PBXs that the test speaks
//! for.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use support::program::{Running, command, free_port, get, wait_until};
use support::{Folder, Numbers};

use super::calls::{abandoned, connected, joined};
use super::log::words;
use super::row::{NOTHING, Row, counted, lost, lost_words, shown};
use crate::supervisor::fake::{Fake, Peer};

/// The exporter as a process, beside the PBX `hq`.
struct Site {
    fake: Fake,
    running: Running,
    port: u16,
    folder: Folder,
    hidden: Vec<(String, &'static str)>,
}

impl Site {
    /// `others` are more PBXs, as in a configuration.
    fn start(fake: Fake, others: &str) -> Self {
        Self::start_with(fake, others, &[])
    }

    /// The same with more arguments.
    fn start_with(fake: Fake, others: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new("faults");
        let log = File::create(folder.path("log")).expect("a file");
        Self::start_in(folder, fake, others, log.into(), arguments)
    }

    fn start_in(folder: Folder, fake: Fake, others: &str, log: Stdio, arguments: &[&str]) -> Self {
        let config = format!("pbx:\n{}{others}", section(PBX, fake.port()));
        folder.write("config.yml", &config);
        let port = free_port();
        let running = Running(spawn(&folder, port, log, arguments));
        let pbx = format!("127.0.0.1:{}", fake.port());
        let mut site = Self { fake, running, port, folder, hidden: vec![(pbx, "10.0.0.5:5038")] };
        site.hidden.push((site.folder.path("").display().to_string(), "/etc/asterisk_exporter/"));
        site.is_served();
        site
    }

    /// Waits until the pages are there.
    fn is_served(&self) {
        wait_until("the pages", || get(self.port, "/-/healthy", "*/*").ok());
    }

    fn numbers(&self) -> Numbers {
        let (status, body) = get(self.port, "/metrics", TEXT).expect("a page");
        assert_eq!(status, 200, "{body}");
        let numbers = Numbers::read(&body);
        numbers.assert_conserved("beside a process");
        numbers
    }

    /// Waits until a sum is this.
    fn counts(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        wait_until(name, || (self.numbers().sum(name, labels) == value).then_some(()));
    }

    /// Callers who have entered a queue of `hq`.
    fn entries(&self, value: f64) {
        self.counts("asterisk_queue_entries_total", &[("pbx", PBX)], value);
    }

    fn pid(&self) -> String {
        self.running.0.id().to_string()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid()]).status();
        assert!(sent.expect("kill").success());
    }

    /// A number of /proc/PID/status, in its unit; or a letter's.
    fn status(&self, key: &str) -> String {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
        line.trim_start_matches(':').split_whitespace().next().expect("a value").to_owned()
    }

    /// The most memory that it had, in megabytes.
    fn most_memory(&self) -> u64 {
        self.status("VmHWM").parse::<u64>().expect("a number") / 1024
    }

    /// From now on, what it opens has a number below this; what is open stays.
    fn may_open(&self, files: u32) {
        let limit = format!("--nofile={files}:");
        let set = Command::new("prlimit").args(["--pid", &self.pid(), &limit]).status();
        assert!(set.expect("prlimit").success());
    }

    fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path("log")).expect("the log");
        words(&log.lines().map(str::to_owned).collect::<Vec<_>>(), &self.hidden)
    }

    fn row(&self, fault: &'static str) -> Row {
        let numbers = self.numbers();
        Row {
            fault,
            noticed: NOTHING.to_owned(),
            counted: counted(&numbers, PBX).iter().map(shown).collect(),
            lost: lost_words(lost(&numbers, PBX)),
            back: NOTHING.to_owned(),
            log: self.log(),
        }
    }
}

/// The PBX is asked for nothing while a fault lasts, which nobody would answer.
fn section(name: &str, port: u16) -> String {
    format!(
        "  - {{name: {name}, address: '127.0.0.1:{port}', username: exporter, secret: lab, \
         ping_interval: 5m, queue_status_interval: 10m, reconnect_min: 100ms, reconnect_max: 100ms, \
         trunks: ['^PJSIP/carrier']}}\n"
    )
}

fn spawn(folder: &Folder, port: u16, log: Stdio, arguments: &[&str]) -> Child {
    let config = folder.path("config.yml");
    command(&["--config", config.to_str().expect("a path")])
        .args(["--web.listen-address", &format!("127.0.0.1:{port}")])
        .args(["--web.health-socket", ""])
        .args(arguments)
        .stderr(log)
        .spawn()
        .expect("the program starts")
}

/// Plays a fault in the time of the machine, beside a session that is synchronised and has a caller
/// who waits and one who talks.
fn beside(fault: &'static str, play: impl AsyncFnOnce(&mut Site, &mut Peer) -> Row) -> Row {
    block_on(async {
        let mut site = Site::start(Fake::start().await, "");
        let mut peer = busy(&site).await;
        let row = play(&mut site, &mut peer).await;
        Row { fault, ..row }
    })
}

fn block_on<T>(play: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(play)
}

/// The next session, with a caller who waits and one who talks.
async fn busy(site: &Site) -> Peer {
    let mut peer = site.fake.accept_up().await;
    peer.send(&stamped(&[joined(1), joined(2), connected(2)].concat())).await;
    site.counts("asterisk_queue_callers_talking", &[("pbx", PBX)], 1.0);
    site.entries(2.0);
    peer
}

/// As with `timestampevents = yes`.
fn stamped(events: &str) -> String {
    events.replace("\nChannel: ", "\nTimestamp: 1764000000.000000\nChannel: ")
}

/// So many callers, from `first` on, who give up.
fn callers(first: u32, count: u32) -> String {
    let calls = (first..first + count).map(|call| [joined(call), abandoned(call)].concat());
    stamped(&calls.collect::<String>())
}

pub(super) fn exporter_is_stopped_and_continued() -> Row {
    beside(
        "the exporter is stopped for a while (SIGSTOP, a frozen machine), and events come",
        async |site, peer| {
            site.signal("STOP");
            wait_until("the stop", || (site.status("State") == "T").then_some(()));
            peer.send(&callers(10, 20)).await;
            site.signal("CONT");
            site.entries(22.0);
            site.row("")
        },
    )
}

pub(super) fn exporter_is_killed() -> Row {
    beside("the exporter is killed and started again", async |site, peer| {
        site.signal("KILL");
        site.running.0.wait().expect("a child");
        peer.expect_close().await;

        let log = File::create(site.folder.path("log")).expect("a file");
        site.running = Running(spawn(&site.folder, site.port, log.into(), &[]));
        let mut peer = site.fake.accept().await;
        peer.log_in("22.10.0").await;
        let caller = "Channel: PJSIP/carrier-1\nUniqueid: 100.1\nLinkedid: 100.1\n";
        let entry = format!("Event: QueueEntry\nQueue: support\nPosition: 1\n{caller}Wait: 9\n");
        let channel =
            format!("Event: CoreShowChannel\n{caller}ChannelState: 6\nApplication: Queue\n");
        peer.give_snapshot_of(&channel, &entry).await;
        site.is_served();
        site.counts("asterisk_queue_callers_waiting", &[], 1.0);
        peer.send(&stamped(&abandoned(1))).await;
        site.counts("asterisk_queue_exits_total", &[("outcome", "abandoned")], 1.0);

        let numbers = site.numbers();
        assert_eq!(numbers.sum("asterisk_queue_entries_total", &[]), 0.0);
        let adopted = numbers.sum("asterisk_queue_adopted_total", &[("phase", "waiting")]);
        assert_eq!(adopted, 1.0);
        Row { back: "with the next start".to_owned(), ..site.row("") }
    })
}

pub(super) fn descriptors_exhausted() -> Row {
    beside("no file descriptor is left, and a connection to the pages comes", async |site, peer| {
        site.may_open(0);
        let waiting = TcpStream::connect(("127.0.0.1", site.port)).expect("the system's queue");
        wait_until("the line", || (!site.log().is_empty()).then_some(()));
        peer.send(&callers(10, 20)).await;

        drop(waiting);
        site.may_open(1024);
        site.entries(22.0);
        Row { noticed: "at once".to_owned(), back: "0.25 s".to_owned(), ..site.row("") }
    })
}

pub(super) fn no_descriptor_to_reconnect() -> Row {
    block_on(async {
        let site = Site::start_with(Fake::start().await, "", &["--log.level", "debug"]);
        let peer = busy(&site).await;
        site.may_open(0);
        drop(peer);
        let reported = |line: &String| line.contains("(os error 24)");
        let line = wait_until("the line", || site.log().into_iter().find(reported));

        site.may_open(1024);
        let mut peer = site.fake.accept_up().await;
        peer.send(&callers(10, 20)).await;
        site.entries(22.0);
        site.counts("asterisk_queue_exits_total", &[("outcome", "lost")], 1.0);
        let fault = "no file descriptor is left, and a PBX has to be connected again";
        // It is told as news if the session broke more than a minute ago.
        let log = vec![line.replace("still disconnected", "disconnected")];
        Row { noticed: "at once".to_owned(), back: "1 to 2 s".to_owned(), log, ..site.row(fault) }
    })
}

pub(super) fn line_of_100_mb() -> Row {
    beside("a line of 100 MB", async |site, peer| {
        let before = site.most_memory();
        peer.send("Event: Hangup\nChannel: ").await;
        let part = "x".repeat(1 << 20);
        for _ in 0..100 {
            peer.send(&part).await;
        }
        peer.send("\n\n").await;
        peer.send(&callers(10, 20)).await;
        site.entries(22.0);
        let more = site.most_memory() - before;
        assert!(more < 40, "{more} MB");
        site.row("")
    })
}

pub(super) fn scraper_that_hangs() -> Row {
    beside("a scraper asks 50 times and reads no answer", async |site, peer| {
        let mut hanging = TcpStream::connect(("127.0.0.1", site.port)).expect("a connection");
        for _ in 0..50 {
            write!(hanging, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").expect("a connection");
        }
        peer.send(&callers(10, 20)).await;
        site.entries(22.0);
        drop(hanging);
        site.row("")
    })
}

pub(super) fn noisy_neighbour() -> Row {
    block_on(async {
        let noisy = Fake::start().await;
        let site = Site::start(Fake::start().await, &section("noisy", noisy.port()));
        let mut flooding = noisy.accept_up().await;
        let mut peer = busy(&site).await;

        let flood = "Event: Nonsense\nX: y\n\n".repeat(1000);
        let other = [("pbx", "noisy"), ("event", "other")];
        let read = || site.numbers().sum("asterisk_exporter_events_total", &other);
        for round in 0..10 {
            let before = read();
            tokio::select! {
                () = async { loop { flooding.send(&flood).await } } => {}
                () = async {
                    peer.send(&callers(10 + round * 5, 5)).await;
                    // Exactly, whenever it is looked at, while more of the others come.
                    while read() < before + 5000.0 {
                        tokio::task::yield_now().await;
                    }
                } => {}
            }
            site.entries(f64::from(2 + (round + 1) * 5));
        }
        let mut row = site.row("another PBX sends events as fast as it can");
        // Only on a slow machine.
        row.log.retain(|line| !line.starts_with("events come faster than they are handled"));
        row
    })
}

pub(super) fn log_on_a_full_disk() -> Row {
    block_on(async {
        let full = File::options().write(true).open("/dev/full").expect("Linux");
        let site = Site::start_in(Folder::new("faults"), Fake::start().await, "", full.into(), &[]);
        File::create(site.folder.path("log")).expect("a file");
        drop(busy(&site).await);
        let mut peer = site.fake.accept_up().await;
        peer.send(&callers(10, 20)).await;
        site.entries(22.0);
        site.counts("asterisk_queue_exits_total", &[("outcome", "lost")], 1.0);
        site.row("the disk of the log is full, and the session breaks")
    })
}

pub(super) fn broken_configuration() -> Row {
    beside("the configuration is broken when it is read again", async |site, peer| {
        site.folder.write("config.yml", "pbx: [{name: hq, address: '10.0.0.5:70000'}]\n");
        site.signal("HUP");
        let name = "asterisk_exporter_config_last_reload_successful";
        site.counts(name, &[], 0.0);
        peer.send(&callers(10, 20)).await;
        site.entries(22.0);
        let row = site.row("");
        Row { counted: vec![format!("{name} 0")], noticed: "at once".to_owned(), ..row }
    })
}

pub(super) fn recording_on_a_full_disk() -> Row {
    block_on(async {
        let fake = Fake::start().await;
        let folder = Folder::new("faults");
        let config = format!("pbx:\n{}", section(PBX, fake.port()));
        let config = folder.write("config.yml", &config);
        let log = folder.path("log");
        let child = command(&["record", "--config", config.to_str().expect("a path")])
            .args(["--out", "/dev/full", "--force", "--log.level", "warn"])
            .stderr(File::create(&log).expect("a file"))
            .spawn()
            .expect("the program starts");
        let mut running = Running(child);
        fake.accept_up().await.expect("Logoff").await;
        assert_eq!(running.0.wait().expect("a child").code(), Some(1));

        let said = std::fs::read_to_string(log).expect("the log");
        Row {
            fault: "`record` writes to a disk that is full: it logs off and ends with exit code 1",
            noticed: "at once".to_owned(),
            counted: Vec::new(),
            lost: NOTHING.to_owned(),
            back: NOTHING.to_owned(),
            log: said.lines().map(str::to_owned).collect(),
        }
    })
}

const PBX: &str = "hq";
const TEXT: &str = "text/plain;version=0.0.4";
