//! The pages we serve: the metrics, a landing page, and whether we are healthy and ready.
//!
//! It knows the health of the PBXs and a closure that writes the metrics, and nothing of what these
//! are made of.  HTTP/1.1 and HTTP/2, with TLS where the web configuration file asks for it, and
//! without it recognised by their first bytes.

mod bind;
mod connection_limit;
mod duration;
mod gate;
mod health_socket;
mod idle_timeout;
mod landing;
mod negotiate;
mod opening;
mod page;
mod passwords;
mod query;
mod rate_limit;
mod routes;
mod scrape;
#[cfg(test)]
mod tests;
mod tls;
mod turns;
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
pub use health_socket::HealthSocket;
pub use scrape::{Numbers, Scraper, TakeNumbers};
pub use web_config::{WebConfig, WebConfigError};

use self::connection_limit::{ConnectionLimit, Permit};
use self::gate::Over;
use self::idle_timeout::IdleTimeout;
use self::opening::{Opened, open};
use crate::clock::Clock;
use crate::health::Health;

/// What the pages are made of, shared by all listeners.
pub struct Pages {
    /// Where the metrics are, `/metrics` by default.
    pub telemetry_path: String,
    /// The state of the sessions with the PBXs.
    pub health: Arc<Health>,
    /// Answers scrapes.
    pub scraper: Scraper,
    /// For ages on the landing page.
    pub clock: Clock,
    /// TLS, users, headers and the limit of requests, if there is a file that has them.
    pub web: Option<Arc<WebConfig>>,
}

/// Serves the pages on one listener until `shutdown` turns true or its sender is gone.
///
/// Then nothing new is accepted, open requests have five seconds to end, and what is left is cut
/// off.
pub async fn serve(listener: TcpListener, pages: Arc<Pages>, mut shutdown: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let limit = ConnectionLimit::default();
    let mut connections = JoinSet::new();
    let stop = shutdown.clone();

    loop {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => break,
            // Connections that ended are taken out at once, so `len` counts the open ones.
            Some(_) = connections.join_next() => {}
            (stream, peer) = accept(&listener), if connections.len() < MAX_CONNECTIONS => {
                let Some(permit) = limit.take(peer) else {
                    debug!(%peer, "connection refused: the client has too many");
                    continue;
                };
                let (pages, stop) = (Arc::clone(&pages), stop.clone());
                connections.spawn(converse(stream, permit, pages, graceful.watcher(), stop));
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
async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip()),
            Err(err) => warn!(error = %err, "connection not accepted"),
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Answers the requests of one connection until either side ends it.
async fn converse(
    stream: TcpStream,
    _permit: Permit,
    pages: Arc<Pages>,
    watcher: Watcher,
    shutdown: watch::Receiver<bool>,
) {
    let idle = Arc::new(IdleTimeout::new());
    // Without it the last part of an answer waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);

    let conversation = async {
        match open(stream, &pages, shutdown).await {
            Some(Opened::Plain { stream, http2 }) => {
                let over = Over { tls: false, http2 };
                speak(stream, over, Arc::clone(&pages), &idle, watcher).await;
            }
            Some(Opened::Tls { stream, http2 }) => {
                let over = Over { tls: true, http2 };
                speak(*stream, over, Arc::clone(&pages), &idle, watcher).await;
            }
            None => {}
        }
    };
    tokio::select! {
        () = conversation => {}
        () = idle.expired() => debug!("connection closed: idle for too long"),
    }
}

/// Speaks HTTP.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    over: Over,
    pages: Arc<Pages>,
    idle: &Arc<IdleTimeout>,
    watcher: Watcher,
) {
    let requests = Arc::clone(idle);
    let service = service_fn(move |request: Request<Incoming>| {
        let (pages, open) = (Arc::clone(&pages), requests.open());
        async move {
            let request = request.into_parts().0;
            Ok::<_, Infallible>(routes::answer(&pages, &request, over, open).await)
        }
    });

    let builder = protocols(over.http2);
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
        .max_header_list_size(MAX_HEADER_BYTES as u32);
    if http2 { builder } else { builder.http1_only() }
}

/// How long open requests may go on after a stop.
const GRACE: Duration = Duration::from_secs(5);
/// Long enough for a descriptor to come free, short enough for the next scrape.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);
/// Far more than scrapers and readers need, and with the default limit of 1024 descriptors enough
/// is left for the PBXs.
const MAX_CONNECTIONS: usize = 256;
/// Of one HTTP/2 connection.
const MAX_STREAMS: u32 = 4;
/// Of one request; scrapers send some 500 bytes.
const MAX_HEADER_BYTES: usize = 16 * 1024;
