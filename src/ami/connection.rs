//! The one file that owns an AMI socket: opens it, reads it in a task of its own, writes actions.
//!
//! Asterisk keeps unread events in its memory and cuts a reader that stalls (100 ms by default), so
//! reading never waits for the processing of what was read: up to `CHUNKS` chunks are queued.
//! Whether a connection is encrypted is decided once: each kind of stream has a reading task of its
//! own type.
//! It knows nothing of frames.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock::{Clock, Moment};
use crate::tls::{Client, Fault};

/// A connection to a PBX's manager interface.
pub struct Connection {
    chunks: mpsc::Receiver<io::Result<Chunk>>,
    spares: mpsc::Sender<Vec<u8>>,
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    /// Holds the reading task, which ends with the connection.
    _reader: JoinSet<()>,
}

/// Where a manager interface is, and whether it speaks TLS.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// A host name or an IP address, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// What performs the handshake; `None` for a connection in clear.
    pub tls: Option<&'a Client>,
}

/// Bytes that were read at once.
#[derive(Debug)]
pub struct Chunk {
    /// The bytes, at least one.
    pub bytes: Vec<u8>,
    /// When they were read.
    pub read: Moment,
    /// The queue between reading and processing was full: the socket had to wait.
    pub stalled: bool,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name has no address.
    #[error("host {host}: no address")]
    Resolve {
        /// The configured host.
        host: String,
        /// The error of the resolver, if it failed.
        #[source]
        source: Option<io::Error>,
    },
    /// The last address that was tried did not take the connection.
    #[error("connect to {address}")]
    Connect {
        /// That address.
        address: SocketAddr,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// Neither a connection nor a refusal came in time.
    #[error("no connection within {0:?}")]
    Timeout(Duration),
    /// Both sides did not come to an encrypted connection.
    #[error("TLS with {address}")]
    Tls {
        /// The address that took the connection.
        address: SocketAddr,
        /// What was wrong.
        #[source]
        source: Fault,
    },
    /// The handshake did not end in time.
    #[error("TLS with {address}: the handshake did not end within {limit:?}")]
    TlsTimeout {
        /// The address that took the connection.
        address: SocketAddr,
        /// The limit for connection and handshake.
        limit: Duration,
    },
}

impl Connection {
    /// Connects to the first address of the host that accepts, and encrypts where that is asked for,
    /// in `limit` at most.
    ///
    /// # Errors
    /// No address was found, none of them accepted in time, or TLS failed.
    pub async fn open(
        endpoint: Endpoint<'_>,
        limit: Duration,
        clock: &Clock,
    ) -> Result<Self, OpenError> {
        let end = clock.instant(clock.now().after(limit));
        let (tcp, address) = connect(endpoint, limit, end, clock).await?;
        // An action is one small write and its answer is waited for; Nagle's algorithm would hold
        // it for 40 ms.
        tcp.set_nodelay(true).ok();

        let Some(client) = endpoint.tls else { return Ok(Self::over(tcp, clock)) };
        let (connector, name) = client.connector();
        // rustls reads 4 KiB at a time, which is a system call for eight events.
        let buffered = BufReader::with_capacity(CHUNK, tcp);
        match timeout_at(end, connector.connect(name, buffered)).await {
            Ok(Ok(stream)) => Ok(Self::over(stream, clock)),
            Ok(Err(error)) => Err(OpenError::Tls { address, source: Fault::of_handshake(&error) }),
            Err(_) => Err(OpenError::TlsTimeout { address, limit }),
        }
    }

    /// A connection over an open stream.  Must be called inside a tokio runtime.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static, clock: &Clock) -> Self {
        let (input, output) = tokio::io::split(stream);
        let (chunk_sender, chunks) = mpsc::channel(CHUNKS);
        let (spares, spare_receiver) = mpsc::channel(SPARES);

        // A set aborts its task when it is dropped: no reader outlives its connection.
        let mut reader = JoinSet::new();
        reader.spawn(read(input, chunk_sender, spare_receiver, clock.clone()));
        Self { chunks, spares, writer: Box::new(output), _reader: reader }
    }

    /// The next bytes, `None` once the PBX has closed.  May be cancelled without losing any.
    ///
    /// # Errors
    /// The socket failed; nothing comes after that.
    pub async fn receive(&mut self) -> io::Result<Option<Chunk>> {
        self.chunks.recv().await.transpose()
    }

    /// Gives the memory of a chunk back for the next read.
    pub fn recycle(&self, chunk: Chunk) {
        let mut bytes = chunk.bytes;
        bytes.clear();
        // With enough spares this one is freed.
        self.spares.try_send(bytes).ok();
    }

    /// Writes an action.
    ///
    /// # Errors
    /// The socket failed, or the PBX did not take the bytes within `limit`.
    pub async fn send(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        let write = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        timeout(limit, write).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Tries all addresses, each with an even share of the time left, so that one without an answer
/// does not use up the time of the next.
async fn connect(
    endpoint: Endpoint<'_>,
    limit: Duration,
    end: Instant,
    clock: &Clock,
) -> Result<(TcpStream, SocketAddr), OpenError> {
    let Endpoint { host, port, .. } = endpoint;
    let unresolved = |source| OpenError::Resolve { host: host.to_owned(), source };
    let silence = |_| {
        let text = format!("no name server answered within {limit:?}");
        unresolved(Some(io::Error::new(io::ErrorKind::TimedOut, text)))
    };
    let found = timeout_at(end, lookup_host((host, port))).await.map_err(silence)?;
    let addresses: Vec<SocketAddr> = found.map_err(|error| unresolved(Some(error)))?.collect();

    let mut failure = unresolved(None);
    for (at, &address) in addresses.iter().enumerate() {
        let now = clock.instant(clock.now());
        let share = share(end, now, addresses.len() - at);
        failure = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok((tcp, address)),
            Ok(Err(source)) => OpenError::Connect { address, source },
            Err(_) => OpenError::Timeout(limit),
        };
    }
    Err(failure)
}

fn share(end: Instant, now: Instant, tries: usize) -> Duration {
    end.saturating_duration_since(now) / u32::try_from(tries).unwrap_or(u32::MAX).max(1)
}

/// Reads until the stream ends or the connection is dropped.
async fn read(
    mut input: impl AsyncRead + Unpin,
    chunks: mpsc::Sender<io::Result<Chunk>>,
    mut spares: mpsc::Receiver<Vec<u8>>,
    clock: Clock,
) {
    loop {
        let mut bytes = spares.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        let item = match input.read_buf(&mut bytes).await {
            Ok(0) => return,
            Ok(_) => Ok(Chunk { bytes, read: clock.now(), stalled: false }),
            // A PBX that is gone says no goodbye in TLS; without TLS that is an end like any other.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
            Err(error) => Err(error),
        };
        if !hand_over(&chunks, item).await {
            return;
        }
    }
}

/// Whether reading should go on.
async fn hand_over(chunks: &mpsc::Sender<io::Result<Chunk>>, item: io::Result<Chunk>) -> bool {
    let failed = item.is_err();
    let sent = match chunks.try_send(item) {
        Ok(()) => true,
        Err(mpsc::error::TrySendError::Closed(_)) => false,
        Err(mpsc::error::TrySendError::Full(item)) => {
            let item = item.map(|chunk| Chunk { stalled: true, ..chunk });
            chunks.send(item).await.is_ok()
        }
    };
    sent && !failed
}

/// The most that is read at once.
const CHUNK: usize = 64 * 1024;

/// How many chunks may be queued: 32 MiB at worst, some 65,000 events.
const CHUNKS: usize = 512;

/// Buffers for the next reads; in quiet times one is being filled and one processed.
const SPARES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_come_with_their_moment_and_the_end_as_none() {
        let (mut far, near) = tokio::io::duplex(1024);
        let clock = Clock::start();
        let mut connection = Connection::over(near, &clock);
        tokio::time::advance(Duration::from_secs(3)).await;
        let sent = clock.now();
        far.write_all(b"abc").await.unwrap();
        let chunk = connection.receive().await.unwrap().unwrap();
        assert_eq!((&chunk.bytes[..], chunk.read, chunk.stalled), (&b"abc"[..], sent, false));
        connection.recycle(chunk);
        drop(far);
        assert!(connection.receive().await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_stalls_the_socket_and_reports_it() {
        let (mut far, near) = tokio::io::duplex(16);
        let mut connection = Connection::over(near, &Clock::start());
        for _ in 0..CHUNKS + 2 {
            far.write_all(b"0123456789abcdef").await.unwrap();
        }
        let mut stalled = 0;
        for _ in 0..CHUNKS + 2 {
            stalled += u32::from(connection.receive().await.unwrap().unwrap().stalled);
        }
        assert!(stalled > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pbx_that_does_not_read_is_not_waited_for() {
        let (_far, near) = tokio::io::duplex(16);
        let mut connection = Connection::over(near, &Clock::start());
        let error = connection.send(&[b'x'; 64], Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn each_address_gets_an_even_share_of_what_is_left() {
        let clock = Clock::start();
        let start = clock.instant(clock.now());
        let end = start + Duration::from_secs(9);
        assert_eq!(share(end, start, 3), Duration::from_secs(3));
        assert_eq!(share(end, end + Duration::from_secs(1), 3), Duration::ZERO);
    }
}
