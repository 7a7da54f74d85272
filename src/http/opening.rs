//! The opening of a connection: TLS, if the web configuration file asks for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use super::Pages;
use super::tls::Policy;
use crate::metrics::{HttpRefusal, HttpRefusals};

/// A connection on which HTTP can be spoken.
pub(super) enum Opened {
    Plain { stream: TcpStream, http2: bool },
    Tls { stream: Box<TlsStream<TcpStream>>, http2: bool, policy: Option<Arc<Policy>> },
}

/// Opens a connection as the web configuration file has it now; `None` if it comes to nothing.
///
/// A stop does not wait for the client: nothing was asked for yet.
pub(super) async fn open(
    stream: TcpStream,
    pages: &Pages,
    mut shutdown: watch::Receiver<bool>,
) -> Option<Opened> {
    let Some(web) = &pages.web else { return Some(Opened::Plain { stream, http2: true }) };
    let opening = async {
        let Some(access) = web.access().await else {
            pages.refusals.count(HttpRefusal::WebConfig);
            return None;
        };
        let http2 = access.http2;
        match &access.tls {
            None => Some(Opened::Plain { stream, http2 }),
            Some(config) => {
                let acceptor = TlsAcceptor::from(Arc::clone(config));
                let stream = shake_hands(stream, acceptor, &pages.refusals).await?;
                let policy = access.policy.clone();
                Some(Opened::Tls { stream: Box::new(stream), http2, policy })
            }
        }
    };
    tokio::select! {
        opened = opening => opened,
        _ = shutdown.wait_for(|stop| *stop) => None,
    }
}

async fn shake_hands(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    refusals: &HttpRefusals,
) -> Option<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    if first[0] != TLS_HANDSHAKE {
        debug!("connection closed: no TLS");
        refusals.count(HttpRefusal::Tls);
        refuse_plain(stream).await;
        return None;
    }

    match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => Some(stream),
        Err((err, stream)) => {
            debug!(error = %err, "connection closed: no TLS could be agreed on");
            refusals.count(HttpRefusal::Tls);
            linger(stream).await;
            None
        }
    }
}

/// Somebody has written `http` for `https`.
async fn refuse_plain(mut stream: TcpStream) {
    let _ = stream.write_all(PLAIN).await;
    linger(stream).await;
}

/// Ends a connection so that the client can read why.
///
/// What the client has sent and we have not read makes the system end the connection with a reset, which
/// may reach the client before it has read the last that we wrote: with TLS 1.3 it sends its request
/// before it can know that its certificate is refused.
async fn linger(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = stream.take(LONGEST_REST);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

/// More than a request of any scraper.
const LONGEST_REST: u64 = 64 * 1024;
/// Several round trips.
const LINGER: Duration = Duration::from_secs(2);
/// The first byte of a TLS record with the beginning of a handshake.
const TLS_HANDSHAKE: u8 = 22;
const PLAIN: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\n\r\nonly https is spoken here\n";
