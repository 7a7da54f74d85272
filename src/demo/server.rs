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

use super::history::SessionIds;
use super::lists;
use super::session::{Action, ClientId, Credentials, Mask, Request, Session};
use super::simulation::{Simulation, fully_booted};
use super::wire::{Class, Message, Stamp, Wire};
use crate::clock::{Clock, Moment};

/// Which PBX to simulate.
#[derive(Clone)]
pub struct Options {
    /// The same seed gives the same calls in the same order.
    pub seed: u64,
    /// How much faster than the clock its time runs.  Time stamps run with it: they are true at 1.
    pub speed: f64,
    /// The secret of the account.
    pub secret: String,
    /// The name of the account.
    pub username: String,
    /// How many times the usual number of calls.
    pub busy: f64,
    /// How long the call centre has been open when it is bound.
    pub open_for: Duration,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, speed, username, busy, open_for, secret: _ } = self;
        f.debug_struct("Options")
            .field("seed", seed)
            .field("speed", speed)
            .field("username", username)
            .field("busy", busy)
            .field("open_for", open_for)
            .field("secret", &"***")
            .finish()
    }
}

/// A simulated PBX on a port of the loopback interface.
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
    /// The loopback interface has no port left.
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

    /// Simulates the time since the opening, and gives what a client that logged in then was sent.
    ///
    /// It runs as fast as it is read.  Nothing happens from its end to the first login, so that a
    /// reader who logs in next goes on without a gap.
    pub fn history(&mut self, ids: &SessionIds) -> impl io::Read {
        let pending = Cursor::new(self.simulation.session(ids, 0));
        History { simulation: &mut self.simulation, clock: &self.clock, pending }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves clients until `shutdown` is true or its sender is gone.
    pub async fn serve(self, mut shutdown: watch::Receiver<bool>) {
        let (requests, mut received) = mpsc::channel(REQUESTS);
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
            last_client: 0,
            rng: Rng::with_seed(self.options.seed),
        };

        // One task owns the simulation: an answer and the events around it leave in their order.
        loop {
            tokio::select! {
                _ = shutdown.wait_for(|&stop| stop) => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        debug!(%peer, "demo client connected");
                        let session = pbx.new_session(&self.options, requests.clone());
                        sessions.spawn(serve(session, stream));
                    }
                    // Out of file handles, say: the next one may find some.
                    Err(error) => info!(%error, "demo client not accepted"),
                },
                Some(request) = received.recv() => pbx.answer(request),
                () = tokio::time::sleep_until(pbx.due()), if !pbx.waits => pbx.advance(),
                Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
            }
        }

        sessions.shutdown().await;
    }
}

/// The stream of a client that has been there since the opening.
struct History<'a> {
    simulation: &'a mut Simulation,
    clock: &'a Clock,
    /// What is simulated, and not read yet.
    pending: Cursor<Vec<u8>>,
}

impl io::Read for History<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.pending.read(into)?;
            let over = self.simulation.due().is_none_or(|due| due > self.clock.now());
            if read > 0 || into.is_empty() || over {
                return Ok(read);
            }

            // Many steps bring no event, and an empty read would mean the end.
            let Some((_, events)) = self.simulation.next() else { return Ok(0) };
            self.pending = Cursor::new(events.into_iter().flat_map(|event| event.bytes).collect());
        }
    }
}

async fn serve(session: Session, stream: TcpStream) {
    session.serve(stream).await;
}

/// The simulation and its clients.
struct Pbx {
    simulation: Simulation,
    opened: Moment,
    pace: Pace,
    /// Nothing happens before the first login: the history that a client has read goes on with it.
    waits: bool,
    /// Gone once it cannot be written.
    queue_log: Option<File>,
    clients: BTreeMap<ClientId, Client>,
    last_client: ClientId,
    rng: Rng,
}

/// A client that is logged in.
struct Client {
    mask: Mask,
    outbox: mpsc::Sender<Vec<u8>>,
}

impl Pbx {
    fn new_session(&mut self, options: &Options, requests: mpsc::Sender<Request>) -> Session {
        self.last_client += 1;
        Session {
            client: self.last_client,
            challenge: self.rng.u32(100_000_000..1_000_000_000).to_string(),
            credentials: Credentials {
                username: options.username.clone(),
                secret: options.secret.clone(),
            },
            requests,
        }
    }

    fn due(&self) -> Instant {
        // The agenda is never empty: agents always have a next pause.
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
                self.broadcast(&events);
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

    fn broadcast(&mut self, events: &[Wire]) {
        self.clients.retain(|client, Client { mask, outbox }| {
            let wanted = events.iter().filter(|event| mask.reads(event.class));
            let bytes: Vec<u8> = wanted.flat_map(|event| event.bytes.iter().copied()).collect();

            // One slow client must not stop the others, nor the simulation.
            let in_time = bytes.is_empty() || outbox.try_send(bytes).is_ok();
            if !in_time {
                info!(client, "demo client reads too slowly, disconnected");
            }
            in_time
        });
    }

    fn answer(&mut self, request: Request) {
        let id = request.action_id.as_deref();
        match request.action {
            Action::Login(mask, outbox) => self.accept_login(request.client, mask, outbox, id),
            Action::Gone => {
                self.clients.remove(&request.client);
            }
            Action::Logoff => {
                let goodbye =
                    Message::response("Goodbye", id).with("Message", "Thanks for all the fish.");
                self.send(request.client, goodbye.finish());
                self.clients.remove(&request.client);
            }
            Action::Events(mask) => {
                let word = if mask.is_off() { "Off" } else { "On" };
                if let Some(client) = self.clients.get_mut(&request.client) {
                    client.mask = mask;
                }
                self.send(
                    request.client,
                    Message::response("Success", id).with("Events", word).finish(),
                );
            }
            Action::Ping => {
                let pong = Message::response("Success", id).with("Ping", "Pong");
                self.send(request.client, pong.with("Timestamp", Stamp(self.now())).finish());
            }
            Action::List(list) => {
                let answer = lists::answer(self.simulation.world(), self.now(), &list, id);
                self.send(request.client, answer);
            }
            Action::Unknown => {
                let error =
                    Message::response("Error", id).with("Message", "Invalid/unknown command");
                self.send(request.client, error.finish());
            }
        }
    }

    fn accept_login(
        &mut self,
        client: ClientId,
        mask: Mask,
        outbox: mpsc::Sender<Vec<u8>>,
        id: Option<&str>,
    ) {
        let reads_system = mask.reads(Class::System);

        // The history has been read: its queue_log is written, and time goes on.
        self.waits = false;
        self.write_log();

        self.clients.insert(client, Client { mask, outbox });
        let welcome = Message::response("Success", id).with("Message", "Authentication accepted");
        self.send(client, welcome.finish());

        if reads_system {
            // Real seconds, at any speed: a client recognises a restart by when the PBX booted.
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

/// The PBX's time, which may run faster than the clock.
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
        // A hair late rather than early, so that what the timer was set for is due when it fires.
        let span = moment.since(self.started).div_f64(self.speed) + Duration::from_micros(1);
        self.clock.instant(self.started.after(span))
    }
}

/// Requests of all clients that may wait for an answer.
const REQUESTS: usize = 256;

/// Steps of the simulation between two looks at clients.
const STEPS_AT_ONCE: usize = 64;
