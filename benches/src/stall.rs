//! How long a reader leaves bytes unread, seen from outside.
//!
//! The kernel shows what lies in a socket's buffer, and the sender knows how much it sent: the reader
//! stands still while something lies there and it takes nothing.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::measure::now;

/// A thread that looks every half a millisecond.
pub(crate) struct Stall {
    over: Arc<AtomicBool>,
    watcher: JoinHandle<f64>,
}

/// What is known of a reader.
#[derive(Default)]
struct Reader {
    taken: u64,
    /// When it was first seen to take nothing more.
    still_since: Option<Instant>,
}

impl Stall {
    /// Watches the far end of a connection over the loopback, to which so many bytes were `sent`.
    ///
    /// # Errors
    /// The connection has no ends.
    pub(crate) fn watch(stream: &TcpStream, sent: &Arc<AtomicU64>) -> io::Result<Self> {
        let (near, far) = (stream.local_addr()?.port(), stream.peer_addr()?.port());
        let over = Arc::new(AtomicBool::new(false));
        let (ended, sent) = (Arc::clone(&over), Arc::clone(sent));
        let watcher = std::thread::spawn(move || {
            let (mut longest, mut reader) = (0.0_f64, Reader::default());
            while !ended.load(Ordering::Relaxed) {
                let sent = sent.load(Ordering::Acquire);
                longest =
                    longest.max(reader.stands_still(sent, unread(far, near).unwrap_or(0), now()));
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

impl Reader {
    /// For how many seconds it certainly stands still: from one look to another, for this thread may
    /// be made to wait, too.
    fn stands_still(&mut self, sent: u64, unread: u64, now: Instant) -> f64 {
        // What is on its way was not counted as sent yet.
        let taken = sent.saturating_sub(unread);
        if unread == 0 || taken > self.taken {
            self.taken = self.taken.max(taken);
            self.still_since = None;
            return 0.0;
        }
        (now - *self.still_since.get_or_insert(now)).as_secs_f64()
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
    fn a_reader_stands_still_from_one_look_to_another() {
        let begun = now();
        let mut reader = Reader::default();
        let mut look = |sent, unread, at| {
            let stood = reader.stands_still(sent, unread, begun + Duration::from_millis(at));
            (stood * 1000.0).round() as u64
        };
        // It took 100, and as many came again: it did not stand still.
        assert_eq!([look(100, 100, 0), look(200, 100, 10), look(300, 100, 20)], [0, 0, 0]);
        assert_eq!([look(400, 200, 25), look(500, 300, 40), look(500, 0, 41)], [0, 15, 0]);
    }

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
