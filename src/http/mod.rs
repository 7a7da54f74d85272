//! The pages we serve: the metrics, a landing page, and whether we are healthy and ready.
//!
//! It knows the health of the PBXs and a closure that writes the metrics, and nothing of what these
//! are made of.  HTTP/1.1 and HTTP/2, with TLS where the web configuration file asks for it, and
//! without it recognised by their first bytes.

mod bind;
mod complaints;
mod connections;
mod duration;
mod gate;
mod health_socket;
mod idle_timeout;
mod landing;
mod lifecycle;
pub mod negotiate;
mod opening;
mod page;
mod page_memory;
mod passwords;
mod query;
mod rate_limit;
mod routes;
mod scrape;
mod targets;
#[cfg(test)]
mod tests;
mod tls;
mod turns;
mod wallboard;
mod web_config;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

pub use bind::{BindError, InheritError, bind, inherit};
pub use connections::Connections;
pub use health_socket::HealthSocket;
pub use lifecycle::{Lifecycle, ReloadRequest};
pub use scrape::{Numbers, Scraper, TakeNumbers};
pub use wallboard::Wallboard;
pub use web_config::{WebConfig, WebConfigError};

use self::complaints::Complaints;
use self::connections::{MAX_CONNECTIONS, Seat};
use self::gate::Peer;
use self::idle_timeout::{End, IdleTimeout};
use self::opening::{Opened, open};
use crate::clock::Clock;
use crate::health::Health;
use crate::metrics::{HttpRefusal, HttpRefusals};

/// What the pages are made of, shared by all listeners.
pub struct Pages {
    /// Where the metrics are, `/metrics` by default.
    pub telemetry_path: String,
    /// Asks for a reload of the configuration, if a request may do so.
    pub lifecycle: Option<Lifecycle>,
    /// The state of the sessions with the PBXs.
    pub health: Arc<Health>,
    /// Answers scrapes.
    pub scraper: Scraper,
    /// The wallboard, if there is one.
    pub wallboard: Option<Arc<Wallboard>>,
    /// For ages on the landing page.
    pub clock: Clock,
    /// TLS, users, headers and the limit of requests, if there is a file that has them.
    pub web: Option<Arc<WebConfig>>,
    /// The open connections.
    pub connections: Connections,
    /// Counts what is refused.
    pub refusals: HttpRefusals,
}

/// Serves the pages on one listener until `shutdown` turns true or its sender is gone.
///
/// Then nothing new is accepted, open requests have five seconds to end, and what is left is cut
/// off.
pub async fn serve(listener: TcpListener, pages: Arc<Pages>, mut shutdown: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut complaints = Complaints::default();
    let stop = shutdown.clone();
    let viewers = pages.wallboard.as_ref().map_or(0, |wallboard| wallboard.limit());

    loop {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => break,
            // Connections that ended are taken out at once, so `len` counts the open ones.
            Some(_) = connections.join_next() => {}
            (stream, peer) = accept(&listener, &mut complaints, &pages.clock), if connections.len() < MAX_TASKS + viewers => {
                let idle = IdleTimeout::new(pages.clock.clone());
                match pages.connections.take(peer, idle) {
                    Ok(seat) => {
                        let (pages, stop) = (Arc::clone(&pages), stop.clone());
                        connections.spawn(converse(stream, seat, pages, graceful.watcher(), stop));
                    }
                    Err(refusal) => {
                        debug!(%peer, ?refusal, "connection refused");
                        pages.refusals.count(refusal);
                    }
                }
            }
        }
    }

    // Closed first, so that clients are refused and do not wait for the requests still open.
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        warn!(connections = connections.len(), "requests cut off by the stop");
    }
    connections.shutdown().await;
}

/// The next connection.  A refusal by the system, out of descriptors most of all, passes by
/// waiting.
async fn accept(
    listener: &TcpListener,
    complaints: &mut Complaints,
    clock: &Clock,
) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip()),
            Err(error) => {
                if let Some(times) = complaints.note(clock.now()) {
                    warn!(%error, times, "connection not accepted");
                }
            }
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Answers the requests of one connection until either side ends it.
async fn converse(
    stream: TcpStream,
    seat: Seat,
    pages: Arc<Pages>,
    watcher: Watcher,
    shutdown: watch::Receiver<bool>,
) {
    // Without it the last part of an answer waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);

    let conversation = async {
        let peer = |policy, http2| {
            let (client, idle) = (Arc::clone(&seat.client), Arc::clone(&seat.idle));
            Peer { policy, http2, number: seat.number, client, idle }
        };
        match open(stream, &pages, shutdown).await {
            Some(Opened::Plain { stream, http2 }) => {
                speak(stream, peer(None, http2), &pages, &seat.idle, watcher).await;
            }
            Some(Opened::Tls { stream, http2, policy }) => {
                speak(*stream, peer(policy, http2), &pages, &seat.idle, watcher).await;
            }
            None => {}
        }
    };
    let end = tokio::select! {
        () = conversation => return,
        end = seat.idle.expired() => end,
    };

    debug!(?end, "connection closed");
    match end {
        End::NoRequest => pages.refusals.count(HttpRefusal::Timeout),
        End::Unread => pages.refusals.count(HttpRefusal::Unread),
        End::Displaced => pages.refusals.count(HttpRefusal::Displaced),
        End::Idle => {}
    }
}

/// Speaks HTTP.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    pages: &Arc<Pages>,
    idle: &Arc<IdleTimeout>,
    watcher: Watcher,
) {
    let builder = protocols(peer.http2);
    let (peer, pages, requests) = (Arc::new(peer), Arc::clone(pages), Arc::clone(idle));
    let service = service_fn(move |request: Request<Incoming>| {
        let (peer, pages, open) = (Arc::clone(&peer), Arc::clone(&pages), requests.open());
        async move {
            let request = request.into_parts().0;
            Ok::<_, Infallible>(routes::answer(&pages, &request, &peer, open).await)
        }
    });

    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
    if let Err(err) = connection.await {
        debug!(error = %err, "connection broken");
    }
}

/// HTTP/1.1 and HTTP/2, bounded where their defaults are generous for a page of metrics.
fn protocols(http2: bool) -> Builder<TokioExecutor> {
    // The executor runs the streams of HTTP/2; they end with their connection.
    let mut builder = Builder::new(TokioExecutor::new());

    // `IdleTimeout` limits headers as well; hyper's own limit would also close connections between
    // two scrapes.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(MAX_HEADER_BYTES);
    // `nc -N` and simple scripts close their side behind the request, and still wait for the
    // answer.
    builder.http1().half_close(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        // Requests have no bodies here; of what is sent in spite of it little is taken.
        .initial_stream_window_size(LEAST_WINDOW)
        .initial_connection_window_size(LEAST_WINDOW)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_header_list_size(MAX_HEADER_BYTES as u32);
    if http2 { builder } else { builder.http1_only() }
}

/// How long open requests may go on after a stop.
const GRACE: Duration = Duration::from_secs(5);
/// Long enough for a descriptor to come free, short enough for the next scrape.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);
/// Also those of connections that gave way and have not ended yet.
const MAX_TASKS: usize = MAX_CONNECTIONS + 64;
/// Of one HTTP/2 connection.
const MAX_STREAMS: u32 = 4;
/// Streams that were reset, by either side, before the connection is ended: no scraper resets one.
const MAX_RESETS: usize = 20;
/// The least that HTTP/2 allows for a connection.
const LEAST_WINDOW: u32 = 65_535;
/// Of an answer on its way, beside the page itself.
const MAX_SEND_BUFFER: usize = 64 * 1024;
/// Of one request; scrapers send some 500 bytes.
const MAX_HEADER_BYTES: usize = 16 * 1024;
