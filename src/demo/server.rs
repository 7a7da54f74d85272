//! The listening side: paces the simulation against the clock, and hands its events to all clients.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fastrand::Rng;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::lists;
use super::past::Asked;
use super::session::{Ask, ClientId, Credentials, Mask, Session, Wish};
use super::simulation::{Simulation, fully_booted};
use super::wire::{Class, Message, Stamp, Wire};
use crate::clock::{Clock, Moment};

/// What kind of PBX to pretend.
#[derive(Clone)]
pub struct Options {
    /// The same seed gives the same calls in the same order.
    pub seed: u64,
    /// How much faster than the clock its time runs.  Time stamps run with it: they are true at 1.
    pub speed: f64,
    /// What a client must know.
    pub secret: String,
    /// The account.
    pub username: String,
    /// How many times the usual number of calls.
    pub busy: f64,
    /// How long the call centre has been open when it is bound.
    pub open_for: Duration,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, speed, username, busy, open_for, secret: _ } = self;
        let mut shown = f.debug_struct("Options");
        shown
            .field("seed", seed)
            .field("speed", speed)
            .field("username", username)
            .field("busy", busy);
        shown.field("open_for", open_for);
        shown.field("secret", &"***").finish()
    }
}

/// A make-believe PBX on a port of the loopback interface.
#[derive(Debug)]
pub struct DemoPbx {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
    clock: Clock,
    opened: Moment,
    simulation: Simulation,
    queue_log: Option<File>,
}

impl DemoPbx {
    /// Listens on a free port, and opens the call centre.
    ///
    /// # Errors
    ///
    /// If the loopback interface has no port left.
    pub async fn bind(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let clock = Clock::start();
        let opened = clock.now().before(options.open_for);
        let simulation = Simulation::opening_at(options.seed, opened, options.busy);
        Ok(Self { listener, address, options, clock, opened, simulation, queue_log: None })
    }

    /// Writes Asterisk's own log of the queues into that file.
    #[must_use]
    pub fn with_queue_log(self, file: File) -> Self {
        Self { queue_log: Some(file), ..self }
    }

    /// When the call centre opened.
    pub fn opened(&self) -> Moment {
        self.opened
    }

    /// Works through the time that it has been open for, as fast as what a client was told is read
    /// that logged in at the opening.  Then nothing happens until the first one does, which so
    /// goes on without a gap.
    pub fn past(&mut self, asked: &Asked) -> impl io::Read {
        let told = Cursor::new(self.simulation.session(asked, 0));
        Past { simulation: &mut self.simulation, clock: &self.clock, told }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves clients until `shutdown` says true or its sender is gone.
    pub async fn serve(self, mut shutdown: watch::Receiver<bool>) {
        let (asks, mut asked) = mpsc::channel(ASKS);
        let mut sessions = JoinSet::new();
        let waits = !self.options.open_for.is_zero();
        let pace = Pace::start(self.clock, self.options.speed);
        let mut pbx = Pbx {
            simulation: self.simulation,
            opened: self.opened,
            pace,
            waits,
            queue_log: self.queue_log,
            clients: BTreeMap::new(),
            greeted: 0,
            rng: Rng::with_seed(self.options.seed),
        };
        loop {
            tokio::select! {
                _ = shutdown.wait_for(|&stop| stop) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        debug!(%peer, "demo client connected");
                        let session = pbx.greet(&self.options, asks.clone());
                        sessions.spawn(serve(session, stream));
                    }
                    // out of file handles, say: the next one may find some
                    Err(error) => info!(%error, "demo client not accepted"),
                },
                Some(ask) = asked.recv() => pbx.answer(ask),
                () = tokio::time::sleep_until(pbx.due()), if !pbx.waits => pbx.advance(),
                Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
            }
        }
        sessions.shutdown().await;
    }
}

/// What a client was told up to now.
struct Past<'a> {
    simulation: &'a mut Simulation,
    clock: &'a Clock,
    told: Cursor<Vec<u8>>,
}

impl io::Read for Past<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.told.read(into)?;
            let over = self.simulation.due().is_none_or(|due| due > self.clock.now());
            if read > 0 || into.is_empty() || over {
                return Ok(read);
            }
            let Some((_, events)) = self.simulation.next() else { return Ok(0) };
            self.told = Cursor::new(events.into_iter().flat_map(|event| event.bytes).collect());
        }
    }
}

async fn serve(session: Session, stream: TcpStream) {
    session.serve(stream).await;
}

/// The simulation with those who watch it.
struct Pbx {
    simulation: Simulation,
    opened: Moment,
    pace: Pace,
    /// Nothing happens before the first login: what a client was told before goes on with it.
    waits: bool,
    /// Gone once it cannot be written.
    queue_log: Option<File>,
    clients: BTreeMap<ClientId, Client>,
    greeted: ClientId,
    rng: Rng,
}

struct Client {
    mask: Mask,
    outbox: mpsc::Sender<Vec<u8>>,
}

impl Pbx {
    fn greet(&mut self, options: &Options, asks: mpsc::Sender<Ask>) -> Session {
        self.greeted += 1;
        Session {
            client: self.greeted,
            challenge: self.rng.u32(100_000_000..1_000_000_000).to_string(),
            credentials: Credentials {
                username: options.username.clone(),
                secret: options.secret.clone(),
            },
            asks,
        }
    }

    fn due(&self) -> Instant {
        // the agenda is never empty: people always have a next pause
        self.pace.instant(
            self.simulation.due().unwrap_or_else(|| self.pace.now().after(Duration::from_secs(1))),
        )
    }

    /// Lets happen what is due, but not so much at once that clients wait for answers.
    fn advance(&mut self) {
        for _ in 0..STEPS_AT_ONCE {
            if self.simulation.due().is_none_or(|due| due > self.pace.now()) {
                return;
            }
            if let Some((_, events)) = self.simulation.next() {
                self.write_log();
                self.tell_all(&events);
            }
        }
    }

    fn write_log(&mut self) {
        let lines = self.simulation.take_log();
        let Some(file) = self.queue_log.as_mut().filter(|_| !lines.is_empty()) else { return };
        if let Err(error) = file.write_all(lines.as_bytes()) {
            warn!(%error, "queue_log of the demo cannot be written");
            self.queue_log = None;
        }
    }

    fn tell_all(&mut self, events: &[Wire]) {
        self.clients.retain(|client, Client { mask, outbox }| {
            let wanted = events.iter().filter(|event| mask.reads(event.class));
            let bytes: Vec<u8> = wanted.flat_map(|event| event.bytes.iter().copied()).collect();
            let kept = bytes.is_empty() || outbox.try_send(bytes).is_ok();
            if !kept {
                info!(client, "demo client reads too slowly, dropped");
            }
            kept
        });
    }

    fn answer(&mut self, ask: Ask) {
        let id = ask.action_id.as_deref();
        match ask.wish {
            Wish::Login(mask, outbox) => self.admit(ask.client, mask, outbox, id),
            Wish::Gone => {
                self.clients.remove(&ask.client);
            }
            Wish::Logoff => {
                let goodbye =
                    Message::response("Goodbye", id).with("Message", "Thanks for all the fish.");
                self.send(ask.client, goodbye.finish());
                self.clients.remove(&ask.client);
            }
            Wish::Events(mask) => {
                let word = if mask.is_off() { "Off" } else { "On" };
                if let Some(client) = self.clients.get_mut(&ask.client) {
                    client.mask = mask;
                }
                self.send(
                    ask.client,
                    Message::response("Success", id).with("Events", word).finish(),
                );
            }
            Wish::Ping => {
                let pong = Message::response("Success", id).with("Ping", "Pong");
                self.send(ask.client, pong.with("Timestamp", Stamp(self.now())).finish());
            }
            Wish::List(list) => {
                let answer = lists::answer(self.simulation.world(), self.now(), &list, id);
                self.send(ask.client, answer);
            }
            Wish::Unknown => {
                let error =
                    Message::response("Error", id).with("Message", "Invalid/unknown command");
                self.send(ask.client, error.finish());
            }
        }
    }

    fn admit(
        &mut self,
        client: ClientId,
        mask: Mask,
        outbox: mpsc::Sender<Vec<u8>>,
        id: Option<&str>,
    ) {
        let reads_system = mask.reads(Class::System);
        self.waits = false;
        self.write_log();
        self.clients.insert(client, Client { mask, outbox });
        let welcome = Message::response("Success", id).with("Message", "Authentication accepted");
        self.send(client, welcome.finish());
        if reads_system {
            // real seconds, at any speed: a client tells restarts by when the PBX booted
            let uptime = self.pace.clock.now().since(self.opened);
            self.send(client, fully_booted(uptime.as_secs(), None));
        }
    }

    fn send(&mut self, client: ClientId, bytes: Vec<u8>) {
        let sent =
            self.clients.get(&client).is_some_and(|client| client.outbox.try_send(bytes).is_ok());
        if !sent {
            self.clients.remove(&client);
        }
    }

    /// The PBX's time: the last event may have been a little ahead.
    fn now(&self) -> Moment {
        self.pace.now().max(self.simulation.world().clock)
    }
}

/// The PBX's time against ours.
struct Pace {
    clock: Clock,
    started: Moment,
    speed: f64,
}

impl Pace {
    fn start(clock: Clock, speed: f64) -> Self {
        let started = clock.now();
        let speed = if speed.is_finite() { speed.clamp(0.01, 10_000.0) } else { 1.0 };
        Self { clock, started, speed }
    }

    fn now(&self) -> Moment {
        self.started.after(self.clock.now().since(self.started).mul_f64(self.speed))
    }

    fn instant(&self, moment: Moment) -> Instant {
        // a hair late rather than early, so that what the timer was set for is due when it fires
        let span = moment.since(self.started).div_f64(self.speed) + Duration::from_micros(1);
        self.clock.instant(self.started.after(span))
    }
}

/// Questions of all clients that may wait for an answer.
const ASKS: usize = 256;

/// Steps of the simulation between two looks at clients.
const STEPS_AT_ONCE: usize = 64;
