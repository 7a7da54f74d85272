//! The exporter without its pages and a PBX over real sockets, in simulated time: it passes only when
//! a test says so, so what takes minutes takes milliseconds, and nothing depends on the machine.

use std::time::Duration;

use asterisk_exporter::clock::Moment;
use asterisk_exporter::config::{Config, Document, Pbx, Purpose, Sources};
use asterisk_exporter::health::Phase;
use asterisk_exporter::metrics::Format;
use support::Numbers;
use tokio::net::TcpStream;
use tokio::task::yield_now;

use super::calls::{abandoned, connected, joined};
use super::log::{Log, words};
use super::row::{NOTHING, Row, counted, degraded, lost, lost_words, shown};
use crate::supervisor::fake::{Exporter, Fake, Peer};

/// One PBX, and the exporter that follows it with its default times.
pub(super) struct Stage {
    pub(super) fake: Fake,
    pub(super) exporter: Exporter,
    pub(super) log: Log,
    began: Moment,
    /// The last call.
    calls: u32,
    /// Sessions with a caller who waits and one who talks.
    busy: u32,
    /// How many seconds the clock of the PBX is ahead of ours.
    pub(super) ahead: f64,
    /// What the log names that differs from run to run.
    pub(super) hidden: Vec<(String, &'static str)>,
}

/// Plays in simulated time.
pub(super) fn simulated(play: impl AsyncFnOnce() -> Row) -> Row {
    // Waits are drawn at random, on this thread.
    fastrand::seed(13);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let row = runtime.block_on(async {
        tokio::select! {
            row = play() => row,
            () = be_busy() => unreachable!("it ends with a panic"),
        }
    });
    runtime.shutdown_timeout(Duration::ZERO);
    row
}

/// Keeps the clock where it is: tokio moves a paused one when it has nothing to do.
async fn be_busy() {
    #[expect(clippy::disallowed_methods, reason = "a hang has to end, and simulated time stands")]
    let began = std::time::Instant::now();
    loop {
        for _ in 0..1000 {
            yield_now().await;
        }
        assert!(began.elapsed() < Duration::from_secs(100), "something does not come");
    }
}

impl Stage {
    pub(super) async fn start() -> Self {
        Self::start_with(|pbx| pbx).await
    }

    /// The same with another configuration.
    pub(super) async fn start_with(change: impl FnOnce(Pbx) -> Pbx) -> Self {
        Self::start_beside(Fake::start().await, change)
    }

    /// The same with another PBX.
    pub(super) fn start_beside(fake: Fake, change: impl FnOnce(Pbx) -> Pbx) -> Self {
        let address = format!("127.0.0.1:{}", fake.port());
        let exporter = Exporter::start(vec![change(configured(&address))]);
        let log = Log::take(&exporter.clock);
        let began = exporter.clock.now();
        Self {
            fake,
            exporter,
            log,
            began,
            calls: 0,
            busy: 0,
            ahead: 0.0,
            hidden: vec![(address, "10.0.0.5:5038")],
        }
    }

    /// The next connection, however long the exporter waits before it.
    pub(super) async fn accept(&mut self) -> Peer {
        self.wait_for_connection().await;
        self.fake.accept().await
    }

    /// The same, of which nothing is read.
    pub(super) async fn accept_silent(&mut self) -> TcpStream {
        self.wait_for_connection().await;
        self.fake.accept_bare().await
    }

    /// The same, whose handshake the exporter does not end.
    pub(super) async fn accept_refusal(&mut self) {
        self.wait_for_connection().await;
        self.fake.accept_refusal().await;
    }

    /// The same, logged in and with a snapshot.
    pub(super) async fn accept_up(&mut self) -> Peer {
        let mut peer = self.accept().await;
        peer.log_in("22.10.0").await;
        peer.give_snapshot("").await;
        self.exporter.up(0).await;
        peer
    }

    /// The same, with a caller who waits and one who talks.
    pub(super) async fn accept_busy(&mut self) -> Peer {
        let mut peer = self.accept_up().await;
        // What the session before had open is lost when no event of it has come for two seconds.
        pass(Duration::from_secs(3)).await;
        self.calls += 10;
        let [waits, talks] = [self.calls, self.calls + 1];
        let calls = [joined(waits), joined(talks), connected(talks)].concat();
        self.sends(&mut peer, &calls).await;
        assert_eq!(self.open(), (1.0, 1.0));
        self.busy += 1;
        peer
    }

    /// The PBX sends these events with its time stamps, and they are handled.
    pub(super) async fn sends(&self, peer: &mut Peer, text: &str) {
        peer.send(&self.stamped(text)).await;
        self.exporter.caught_up(peer, PBX).await;
    }

    /// As with `timestampevents = yes`.
    pub(super) fn stamped(&self, events: &str) -> String {
        let ours = Duration::from_micros(self.exporter.clock.now().as_micros()).as_secs_f64();
        let stamp = format!("\nTimestamp: {:.6}", ours + self.ahead);
        let stamped = |event: &str| match event.split_once('\n') {
            Some((name, rest)) if name.starts_with("Event: ") => format!("{name}{stamp}\n{rest}"),
            _ => event.to_owned(),
        };
        events.split_inclusive("\n\n").map(stamped).collect()
    }

    async fn wait_for_connection(&self) {
        let begun = self.exporter.clock.now();
        while !self.fake.is_asked() {
            self.wait_a_bit(STEP).await;
            let waited = self.exporter.clock.now().since(begun);
            assert!(waited < Duration::from_secs(400), "the exporter has given up");
        }
    }

    /// Lets time pass if the exporter waits, and not while it reads files, which takes time of the
    /// machine.
    async fn wait_a_bit(&self, time: Duration) {
        if self.is_down() {
            pass(time).await;
        } else {
            settle().await;
        }
    }

    /// The exporter notices after exactly this time that the link is broken.
    pub(super) async fn notices_after(&self, time: Duration) -> String {
        if time > Duration::ZERO {
            self.is_read().await;
            pass(time - TICK).await;
            assert!(!self.is_down(), "noticed before {time:?}");
            pass(TICK * 2).await;
        }
        self.exporter.down(0).await;
        if time.is_zero() { "at once".to_owned() } else { format!("{} s", time.as_secs_f64()) }
    }

    /// Waits until the exporter has read what the PBX has sent: its limits begin anew with it.
    pub(super) async fn is_read(&self) {
        while bytes_on_the_way_from(self.fake.port()) {
            yield_now().await;
        }
        settle().await;
    }

    fn is_down(&self) -> bool {
        matches!(self.exporter.health.all()[0].phase, Phase::Down { .. })
    }

    /// The exporter tries again after the usual time, or that of a refused login.
    async fn is_tried_again(&self) -> String {
        let begun = self.exporter.clock.now();
        while !self.fake.is_asked() {
            self.wait_a_bit(FINE).await;
        }
        let waited = self.exporter.clock.now().since(begun);
        let ranges = [(1, 2), (30, 60)];
        let is_in = |&&(from, to): &&(u64, u64)| {
            let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
            from <= waited && waited <= to + FINE * 2
        };
        let (from, to) =
            ranges.iter().find(is_in).unwrap_or_else(|| panic!("tried after {waited:?}"));
        format!("{from} to {to} s")
    }

    /// Everything a scrape has, which must be consistent.
    pub(super) fn numbers(&self) -> Numbers {
        let text = self
            .exporter
            .exporter
            .lock()
            .expect("no panic")
            .scrape(self.exporter.clock.now(), Format::Text);
        let numbers = Numbers::read(&text);
        numbers.assert_conserved("in simulated time");
        numbers
    }

    /// Callers who wait, and who talk.
    pub(super) fn open(&self) -> (f64, f64) {
        let numbers = self.numbers();
        let sum = |name| numbers.sum(name, &[]);
        (sum("asterisk_queue_callers_waiting"), sum("asterisk_queue_callers_talking"))
    }

    /// The link works again, and the next call is counted exactly.
    pub(super) async fn recovers(&mut self) {
        let mut peer = self.accept_up().await;
        self.counts_exactly(&mut peer).await;
    }

    /// Two more callers: one gives up, and one goes on waiting for a moment.
    pub(super) async fn counts_exactly(&mut self, peer: &mut Peer) {
        // What a list does not have may still end by a late event, for two seconds.
        pass(Duration::from_secs(3)).await;
        let before = self.numbers();
        self.calls += 10;
        let [first, second] = [self.calls, self.calls + 1];
        let calls = [joined(first), joined(second), abandoned(first)].concat();
        self.sends(peer, &calls).await;
        let after = self.numbers();
        let more = |name, labels: &[_]| after.sum(name, labels) - before.sum(name, labels);
        assert_eq!(more("asterisk_queue_entries_total", &[]), 2.0);
        assert_eq!(more("asterisk_queue_exits_total", &[("outcome", "abandoned")]), 1.0);
        assert_eq!(more("asterisk_queue_callers_waiting", &[]), 1.0);
        self.sends(peer, &abandoned(second)).await;
    }

    /// The row of a fault that did not end the session.
    pub(super) fn row(&self, fault: &'static str) -> Row {
        let numbers = self.numbers();
        let mut all = counted(&numbers, PBX);
        all.extend(degraded(&numbers, PBX));
        Row {
            fault,
            noticed: NOTHING.to_owned(),
            counted: all.iter().map(shown).collect(),
            lost: lost_words(lost(&numbers, PBX)),
            back: NOTHING.to_owned(),
            log: self.words(),
        }
    }

    pub(super) fn words(&self) -> Vec<String> {
        words(&self.log.texts(), &self.hidden)
    }
}

/// A fault that ends each attempt or session, for a long time.  `attempt` plays it once, and gives when it
/// was noticed.
pub(super) async fn lasting(
    fault: &'static str,
    stage: Stage,
    attempt: impl AsyncFn(&mut Stage) -> String,
) -> Row {
    lasting_until_mended(fault, stage, attempt, |fake| fake).await
}

/// The same of a PBX that is mended in the end.
pub(super) async fn lasting_until_mended(
    fault: &'static str,
    stage: Stage,
    attempt: impl AsyncFn(&mut Stage) -> String,
    mend: impl FnOnce(Fake) -> Fake,
) -> Row {
    let mut stage = stage;
    let noticed = attempt(&mut stage).await;
    assert_eq!(stage.numbers().sum("asterisk_up", &[]), 0.0);
    let words = stage.words();
    let once = disconnects(&stage.numbers());
    let back = stage.is_tried_again().await;

    let mut attempts = 1.0;
    while stage.exporter.clock.now().since(stage.began) < LONG {
        assert_eq!(attempt(&mut stage).await, noticed);
        attempts += 1.0;
    }
    let expected: Vec<_> =
        once.iter().map(|(series, value)| (series.clone(), value * attempts)).collect();
    assert_eq!(disconnects(&stage.numbers()), expected, "after {attempts} attempts");
    stage.log.assert_quiet();

    // What each session had open is lost with it; the last one's once the next has its lists.
    stage.fake = mend(stage.fake);
    stage.recovers().await;
    let (waits, talks) = lost(&stage.numbers(), PBX);
    let lost = (waits / attempts, talks / attempts);
    let open = f64::from(stage.busy);
    assert_eq!((waits, talks), (open, open), "in {attempts} attempts");
    Row {
        fault,
        noticed,
        counted: once.iter().map(shown).collect(),
        lost: lost_words(lost),
        back,
        log: words,
    }
}

/// What is counted of sessions that end.  The anomalies of calls that are lost come with the next one.
fn disconnects(numbers: &Numbers) -> Vec<(String, f64)> {
    let mut all = counted(numbers, PBX);
    all.retain(|(series, _)| !series.contains("anomalies"));
    all
}

/// Whether bytes from this port of ours are in a queue of the system.
fn bytes_on_the_way_from(port: u16) -> bool {
    let end = format!(":{port:04X}");
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    sockets.lines().skip(1).any(|line| {
        // A number, our address, the other, the state, and bytes to be sent and to be read.
        let mut fields = line.split_whitespace().skip(1);
        let [Some(ours), Some(theirs), _, Some(queues)] = std::array::from_fn(|_| fields.next())
        else {
            return false;
        };
        let (to_send, to_read) = queues.split_once(':').expect("two queues");
        let any = |queue: &str| queue.bytes().any(|digit| digit != b'0');
        (ours.ends_with(&end) && any(to_send)) || (theirs.ends_with(&end) && any(to_read))
    })
}

/// A Ping comes, and is answered.
pub(super) async fn answer_ping(peer: &mut Peer) {
    let ping = peer.expect("Ping").await;
    peer.grant(&ping, "Ping: Pong\n").await;
}

fn configured(address: &str) -> Pbx {
    let config = format!(
        "pbx: [{{name: {PBX}, address: '{address}', username: exporter, secret: lab, trunks: ['^PJSIP/carrier']}}]"
    );
    let document = Document::Text { name: "config.yml".to_owned(), text: config };
    let sources = Sources { document, ..Sources::default() };
    let config = Config::load(&sources, Purpose::Run).expect("a configuration").config;
    config.pbxs.into_iter().next().expect("one PBX")
}

/// Lets time pass, and everything happen that is due meanwhile: what is due after that is due in time
/// only if the clock makes no long steps.
pub(super) async fn pass(time: Duration) {
    settle().await;
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(STEP);
        tokio::time::advance(step).await;
        settle().await;
        left -= step;
    }
}

/// Lets everything happen that can.  Whoever needs more than that waits for what should happen.
pub(super) async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const PBX: &str = "hq";
const STEP: Duration = Duration::from_secs(1);
const FINE: Duration = Duration::from_millis(100);
/// A deadline is kept to the next millisecond.
const TICK: Duration = Duration::from_millis(5);
/// Longer than the distance of reminders in the log.
pub(super) const LONG: Duration = Duration::from_secs(1200);
