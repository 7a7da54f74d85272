//! A PBX whose every frame the test sends, and the exporter without its HTTP side.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use asterisk_exporter::clock::Clock;
use asterisk_exporter::config::{Address, Pbx, Registrations, Secret};
use asterisk_exporter::correlator::Rules;
use asterisk_exporter::health::{Health, Phase};
use asterisk_exporter::metrics::{self, Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::supervisor;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// A listening PBX.
pub(crate) struct Fake {
    listener: TcpListener,
    /// What encrypts its connections.
    tls: Option<TlsAcceptor>,
    /// A connection that was seen before it was wanted.
    early: Mutex<Option<TcpStream>>,
    /// Whether it refuses the lists of trunks and phones, as where no channel driver is loaded.
    pub(crate) refuses_endpoint_lists: bool,
}

/// One connection to it.
pub(crate) struct Peer {
    stream: BufReader<Box<dyn Line>>,
    refuses_endpoint_lists: bool,
}

/// A connection, encrypted or not.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {
    /// Has a close reset the connection.
    fn close_hard(&self);
}

impl Line for TcpStream {
    fn close_hard(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Line for TlsStream<TcpStream> {
    fn close_hard(&self) {
        self.get_ref().0.close_hard();
    }
}

/// An action that came.
#[derive(Debug)]
pub(crate) struct Sent(HashMap<String, String>);

impl Fake {
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    /// The same on a port.
    pub(crate) async fn start_at(port: u16) -> Self {
        Self::over(TcpListener::bind(("127.0.0.1", port)).await.unwrap())
    }

    /// The same with a listener.
    pub(crate) fn over(listener: TcpListener) -> Self {
        Self { listener, tls: None, early: Mutex::default(), refuses_endpoint_lists: true }
    }

    /// The same with TLS.
    pub(crate) async fn start_with_tls(config: ServerConfig) -> Self {
        Self { tls: Some(Arc::new(config).into()), ..Self::start().await }
    }

    /// The same PBX with another certificate.
    pub(crate) fn now_with_tls(self, config: ServerConfig) -> Self {
        Self { tls: Some(Arc::new(config).into()), ..self }
    }

    /// The same PBX without TLS.
    pub(crate) fn now_plain(self) -> Self {
        Self { tls: None, ..self }
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The configuration with which the exporter reaches it.
    pub(crate) fn pbx(&self, name: &str) -> Pbx {
        Pbx {
            name: PbxName::new(name),
            address: Address { host: "127.0.0.1".into(), port: self.port() },
            tls: None,
            username: "exporter".into(),
            secret: Secret::new("lab"),
            plain_login: false,
            rules: Rules::default(),
            queue_aliases: BTreeMap::new(),
            groups: BTreeMap::new(),
            teams: BTreeMap::new(),
            queue_log: None,
            registrations: Registrations::default(),
            ping_interval: Duration::from_secs(15),
            ping_timeout: Duration::from_secs(10),
            queue_status_interval: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            reconnect_min: Duration::from_millis(1),
            reconnect_max: Duration::from_millis(5),
            max_line: 1024,
            max_frame: 4096,
        }
    }

    pub(crate) async fn accept(&self) -> Peer {
        let stream = self.accept_bare().await;
        let stream: Box<dyn Line> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(soon("a handshake", tls.accept(stream)).await.unwrap()),
        };
        let refuses_endpoint_lists = self.refuses_endpoint_lists;
        Peer { stream: BufReader::new(stream), refuses_endpoint_lists }
    }

    /// A connection whose handshake fails.
    pub(crate) async fn accept_refusal(&self) {
        let stream = self.accept_bare().await;
        let tls = self.tls.as_ref().unwrap();
        soon("the end of a handshake", tls.accept(stream)).await.unwrap_err();
    }

    /// A connection without anything that may be on it.
    pub(crate) async fn accept_bare(&self) -> TcpStream {
        let early = self.early.lock().unwrap().take();
        match early {
            Some(stream) => stream,
            None => soon("a connection", self.listener.accept()).await.unwrap().0,
        }
    }

    /// Whether a connection is there to be accepted.
    pub(crate) fn is_asked(&self) -> bool {
        let mut early = self.early.lock().unwrap();
        if early.is_none() {
            let accepted = self.listener.poll_accept(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(accepted) = accepted {
                *early = Some(accepted.unwrap().0);
            }
        }
        early.is_some()
    }

    /// A connection that has been logged in and whose snapshot was given.
    pub(crate) async fn accept_up(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.log_in("22.10.0").await;
        peer.give_snapshot("").await;
        peer
    }
}

impl Peer {
    /// Closes with a reset.
    pub(crate) fn reset(self) {
        self.stream.get_ref().close_hard();
    }

    /// Sends as much of this as the exporter takes.
    pub(crate) async fn send_what_is_taken(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.ok();
    }

    /// Sends text until the exporter has had enough.
    pub(crate) async fn flood(&mut self, text: &str) {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        while self.stream.write_all(&bytes).await.is_ok() {}
    }

    /// Sends text; lines end as on the wire.
    pub(crate) async fn send(&mut self, text: &str) {
        self.send_bytes(text.replace('\n', "\r\n").as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next action, which must be this one.
    pub(crate) async fn expect(&mut self, name: &str) -> Sent {
        let sent = self.next_action(name).await;
        assert_eq!(&sent["Action"], name, "{sent:?}");
        sent
    }

    /// The next action, whatever it is.
    pub(crate) async fn next_action(&mut self, name: &str) -> Sent {
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            let read = soon(name, self.stream.read_line(&mut line)).await.unwrap();
            assert!(read > 0, "closed instead of {name}");
            let Some((key, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(key.to_owned(), value.to_owned());
        }
        assert!(headers["ActionID"].starts_with("ae-"), "{headers:?}");
        Sent(headers)
    }

    /// Grants an action, with more headers.
    pub(crate) async fn grant(&mut self, sent: &Sent, headers: &str) {
        self.send(&format!("Response: Success\nActionID: {}\n{headers}\n", &sent["ActionID"]))
            .await;
    }

    pub(crate) async fn refuse(&mut self, sent: &Sent, message: &str) {
        self.send(&format!(
            "Response: Error\nActionID: {}\nMessage: {message}\n\n",
            &sent["ActionID"]
        ))
        .await;
    }

    /// Greets, and answers everything up to the lists.
    pub(crate) async fn log_in(&mut self, version: &str) {
        self.send("Asterisk Call Manager/11.0.0\n").await;
        let challenge = self.expect("Challenge").await;
        self.grant(&challenge, "Challenge: 840415273\n").await;
        let login = self.expect("Login").await;
        self.grant(&login, "Message: Authentication accepted\n").await;
        let settings = self.expect("CoreSettings").await;
        self.grant(&settings, &format!("AsteriskVersion: {version}\n")).await;
    }

    /// Answers the questions of a snapshot.  `between` comes behind the lists and before the
    /// barrier's end.
    pub(crate) async fn give_snapshot(&mut self, between: &str) {
        self.expect("Events").await;
        let channels = self.expect("CoreShowChannels").await;
        let queues = self.expect("QueueStatus").await;
        let first = self.expect("Ping").await;
        self.give_list(&channels, "CoreShowChannelsComplete", "").await;
        self.give_list(&queues, "QueueStatusComplete", "Event: QueueParams\nQueue: support\n")
            .await;
        self.grant(&first, "Ping: Pong\n").await;
        let second = self.expect("Ping").await;
        self.send(between).await;
        self.grant(&second, "Ping: Pong\n").await;
        self.refuse_endpoint_lists().await;
    }

    /// Refuses what is asked for behind a snapshot.
    pub(crate) async fn refuse_endpoint_lists(&mut self) {
        let mut left = if self.refuses_endpoint_lists { &ENDPOINT_LISTS[..] } else { &[] };
        while let [list, rest @ ..] = left {
            let asked = self.next_action(list).await;
            // A slow machine may have had one to send meanwhile.
            if &asked["Action"] == "Ping" {
                self.grant(&asked, "Ping: Pong\n").await;
                continue;
            }
            assert_eq!(&asked["Action"], *list, "{asked:?}");
            self.refuse(&asked, "Invalid/unknown command").await;
            left = rest;
        }
    }

    /// The same with a channel and a caller in a queue.
    pub(crate) async fn give_snapshot_of(&mut self, channel: &str, entry: &str) {
        self.expect("Events").await;
        let channels = self.expect("CoreShowChannels").await;
        let queues = self.expect("QueueStatus").await;
        let first = self.expect("Ping").await;
        self.give_list(&channels, "CoreShowChannelsComplete", channel).await;
        self.give_list(&queues, "QueueStatusComplete", entry).await;
        self.grant(&first, "Ping: Pong\n").await;
        let second = self.expect("Ping").await;
        self.grant(&second, "Ping: Pong\n").await;
        self.refuse_endpoint_lists().await;
    }

    /// A list of one item at most, given without its ActionID.
    pub(crate) async fn give_list(&mut self, asked: &Sent, done: &str, item: &str) {
        let id = &asked["ActionID"];
        self.grant(asked, "EventList: start\n").await;
        if !item.is_empty() {
            self.send(&format!("{item}ActionID: {id}\n\n")).await;
        }
        self.send(&format!("Event: {done}\nActionID: {id}\nEventList: Complete\nListItems: 1\n\n"))
            .await;
    }

    /// Waits until the exporter has closed, and wants nothing more of it before.
    pub(crate) async fn expect_close(&mut self) {
        let mut rest = String::new();
        // A reset is a close, too.
        soon("the close", self.stream.read_to_string(&mut rest)).await.ok();
        assert_eq!(rest, "");
    }
}

impl std::ops::Index<&str> for Sent {
    type Output = str;

    fn index(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }
}

/// The exporter without its HTTP side.
pub(crate) struct Exporter {
    pub(crate) exporter: Arc<Mutex<metrics::Exporter>>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Clock,
    /// Changes the PBXs.
    pub(crate) changes: supervisor::Changes,
    shutdown: watch::Sender<bool>,
    task: JoinSet<()>,
}

impl Exporter {
    pub(crate) fn start(pbxs: Vec<Pbx>) -> Self {
        Self::start_with(pbxs, |health| health)
    }

    /// The same with another health page.
    pub(crate) fn start_with(pbxs: Vec<Pbx>, change: impl FnOnce(Health) -> Health) -> Self {
        let clock = Clock::start();
        let mut exporter = metrics::Exporter::new(Metrics::new(Settings::default()), Vec::new());
        for pbx in &pbxs {
            exporter.add(|metrics| supervisor::monitor(metrics, pbx, clock.now()));
        }
        let exporter = Arc::new(Mutex::new(exporter));
        let names = pbxs.iter().map(|pbx| (pbx.name.clone(), pbx.address.host.clone()));
        let health = Arc::new(change(Health::new(names)));
        let (shutdown, asked) = watch::channel(false);
        let mut task = JoinSet::new();
        let (changes, orders) = supervisor::Changes::channel();
        let targets = (Arc::clone(&exporter), Arc::clone(&health));
        task.spawn(supervisor::run(pbxs, targets, clock.clone(), orders, asked));
        Self { exporter, health, clock, changes, shutdown, task }
    }

    /// Waits until the PBX at `index` is up.
    pub(crate) async fn up(&self, index: usize) {
        self.until("up", || self.health.all()[index].phase.is_up()).await;
    }

    /// Waits until the PBX at `index` is down, and gives the reason.
    pub(crate) async fn down(&self, index: usize) -> String {
        let mut why = String::new();
        self.until("down", || match &self.health.all()[index].phase {
            Phase::Down { error, .. } => {
                why.clone_from(error);
                true
            }
            _ => false,
        })
        .await;
        why
    }

    /// Waits until a sample of that name and these labels has that value.
    pub(crate) async fn counted(&self, name: &str, labels: &[&str], value: f64) {
        soon(name, async {
            while self.sample(name, labels) != Some(value) {
                // A scrape takes as long as much else.
                for _ in 0..50 {
                    yield_now().await;
                }
            }
        })
        .await;
    }

    /// A sample of the next scrape.
    pub(crate) fn sample(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let text = self.exporter.lock().unwrap().scrape(self.clock.now(), Format::Text);
        let wanted = |line: &&str| {
            line.split_once('{').is_some_and(|(found, rest)| {
                found == name && labels.iter().all(|l| rest.contains(l))
            })
        };
        text.lines().find(wanted)?.rsplit_once(' ')?.1.parse().ok()
    }

    /// Waits until everything the peer of the PBX called `pbx` has sent is handled.
    pub(crate) async fn caught_up(&self, peer: &mut Peer, pbx: &str) {
        let labels = [&*format!("pbx=\"{pbx}\""), "event=\"other\""];
        let name = "asterisk_exporter_events_total";
        let before = self.sample(name, &labels).unwrap_or(0.0);
        peer.send("Event: Marker\n\n").await;
        self.counted(name, &labels, before + 1.0).await;
    }

    /// Asks for shutdown.
    pub(crate) fn stop(&self) {
        self.shutdown.send(true).unwrap();
    }

    /// Waits until everything has ended.
    pub(crate) async fn ended(mut self) {
        soon("the end", self.task.join_next()).await.unwrap().unwrap();
    }

    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        soon(what, async {
            while !is_so() {
                yield_now().await;
            }
        })
        .await;
    }
}

/// In the order in which they are asked for.
pub(crate) const ENDPOINT_LISTS: [&str; 4] =
    ["SIPpeers", "DeviceStateList", "SIPshowregistry", "PJSIPShowRegistrationsOutbound"];

/// Lets this much time pass at once.
pub(crate) async fn skip(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// What has to happen soon, in real time: sockets do not know of tokio's clock.
async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    let Ok(done) = tokio::time::timeout(Duration::from_secs(60), happens).await else {
        panic!("{what} did not come");
    };
    done
}
