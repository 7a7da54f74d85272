//! Health pages on a Unix socket, for `asterisk_exporter health`: a probe on this machine has no
//! certificate and no password.
//!
//! The socket belongs to the user that we run as; nobody else but root may connect.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::complaints::Complaints;
use super::{ACCEPT_PAUSE, MAX_HEADER_BYTES, Pages, routes};
use crate::clock::Clock;

/// A Unix socket whose file is removed with it.
#[derive(Debug)]
pub struct HealthSocket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl HealthSocket {
    /// Listens at `path`, also if a process that is gone has left its socket there.
    ///
    /// # Errors
    /// Another process listens there, the path is taken by something else, or the system refuses.
    pub fn open(path: &Path) -> io::Result<Self> {
        remove_left_behind(path)?;
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY))?;
        let owner = fs::metadata(path)?.uid();
        Ok(Self { listener, path: path.to_owned(), owner })
    }

    /// Serves the health pages until `shutdown` turns true or its sender is gone.
    pub async fn serve(self, pages: Arc<Pages>, mut shutdown: watch::Receiver<bool>) {
        let mut probes = JoinSet::new();
        let mut complaints = Complaints::default();
        loop {
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                Some(_) = probes.join_next() => {}
                stream = self.accept(&mut complaints, &pages.clock), if probes.len() < MAX_PROBES => {
                    probes.spawn(timeout(PROBE, answer(stream, Arc::clone(&pages))));
                }
            }
        }
        probes.shutdown().await;
    }

    /// The next connection of somebody who may ask.
    async fn accept(&self, complaints: &mut Complaints, clock: &Clock) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if self.may_ask(&stream) => return stream,
                Ok(_) => debug!("probe refused: it is of another user"),
                Err(error) => {
                    if let Some(times) = complaints.note(clock.now()) {
                        warn!(%error, times, "probe not accepted");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// The mode of the file is set after it is there.
    fn may_ask(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == ROOT)
    }
}

impl Drop for HealthSocket {
    fn drop(&mut self) {
        // One that stays is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

fn remove_left_behind(path: &Path) -> io::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    if !about.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    if StdStream::connect(path).is_ok() {
        return Err(io::Error::new(ErrorKind::AddrInUse, "another process listens there"));
    }
    fs::remove_file(path)
}

async fn answer(stream: UnixStream, pages: Arc<Pages>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = routes::answer_probe(&pages, &request.into_parts().0);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut protocol = http1::Builder::new();
    protocol.keep_alive(false).max_buf_size(MAX_HEADER_BYTES);
    if let Err(err) = protocol.serve_connection(TokioIo::new(stream), service).await {
        debug!(error = %err, "probe broken");
    }
}

const OWNER_ONLY: u32 = 0o600;
const ROOT: u32 = 0;
/// A probe every few seconds is usual.
const MAX_PROBES: usize = 8;
/// A probe asks at once and reads a few bytes.
const PROBE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use support::Folder;

    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_and_goes_with_its_process() {
        let folder = Folder::new("health");
        let path = folder.path("health.sock");
        let socket = HealthSocket::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);

        let second = HealthSocket::open(&path).unwrap_err();
        assert_eq!(second.to_string(), "another process listens there");
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_replaced_and_a_file_is_not() {
        let folder = Folder::new("health");
        let path = folder.path("health.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        HealthSocket::open(&path).unwrap();

        fs::write(&path, "precious").unwrap();
        let error = HealthSocket::open(&path).unwrap_err();
        assert_eq!(error.to_string(), "there is a file that is no socket");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
