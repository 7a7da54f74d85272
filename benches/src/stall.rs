//! How long a reader leaves bytes unread, seen from outside.
//!
//! The kernel shows what lies in a socket's buffer.  A reader stands still while something lies
//! there and it does not become less.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::measure::now;

/// A thread that looks every half a millisecond.
pub(crate) struct Stall {
    over: Arc<AtomicBool>,
    watcher: JoinHandle<f64>,
}

impl Stall {
    /// Watches the far end of a connection over the loopback.
    ///
    /// # Errors
    /// The connection has no ends.
    pub(crate) fn watch(stream: &TcpStream) -> io::Result<Self> {
        let (near, far) = (stream.local_addr()?.port(), stream.peer_addr()?.port());
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let watcher = std::thread::spawn(move || {
            let (mut longest, mut since, mut last) = (0.0_f64, now(), 0);
            while !ended.load(Ordering::Relaxed) {
                let unread = unread(far, near).unwrap_or(0);
                if unread == 0 || unread < last {
                    since = now();
                } else {
                    longest = longest.max(since.elapsed().as_secs_f64());
                }
                last = unread;
                std::thread::sleep(Duration::from_micros(500));
            }
            longest
        });
        Ok(Self { over, watcher })
    }

    /// The longest time, in seconds, until now.
    pub(crate) fn longest(self) -> f64 {
        self.over.store(true, Ordering::Relaxed);
        self.watcher.join().unwrap_or(f64::NAN)
    }
}

/// Bytes that a socket has received and its owner has not read.
fn unread(local: u16, remote: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let (local, remote) = (format!(":{local:04X}"), format!(":{remote:04X}"));
    let line = table.lines().find(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next().is_some_and(|field| field.ends_with(&local))
            && fields.next().is_some_and(|field| field.ends_with(&remote))
    })?;
    let queues = line.split_whitespace().nth(4)?;
    u64::from_str_radix(queues.split_once(':')?.1, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_nobody_read_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (reader, _) = listener.accept().unwrap();
        sender.write_all(&[0; 1234]).unwrap();
        let (local, remote) =
            (reader.local_addr().unwrap().port(), reader.peer_addr().unwrap().port());
        if cfg!(target_os = "linux") {
            assert_eq!(unread(local, remote), Some(1234));
        }
    }
}
