//! A wire between exporter and PBX that can be cut.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use asterisk_exporter::clock::{Clock, Moment};
use support::program::wait_until;

/// The wire.
pub(crate) struct Proxy {
    pub(crate) address: String,
    wire: Arc<Wire>,
}

struct Wire {
    pbx: String,
    clock: Clock,
    /// Refuses everybody.
    closed: AtomicBool,
    /// Who is connected.
    links: Mutex<Vec<Link>>,
}

/// One connection.
struct Link {
    far: TcpStream,
    over: Arc<AtomicBool>,
    since: Moment,
    passed: Arc<Mutex<Passed>>,
}

/// The events that came through.
#[derive(Default)]
struct Passed {
    /// A line that has not ended yet.
    line: Vec<u8>,
    events: BTreeMap<String, usize>,
}

impl Proxy {
    /// Leads from `address` to the manager interface at `pbx`.
    pub(crate) fn start(address: &str, pbx: &str, clock: &Clock) -> Self {
        let listener = TcpListener::bind(address).expect("the wire's address");
        let wire = Wire {
            pbx: pbx.to_owned(),
            clock: clock.clone(),
            closed: AtomicBool::new(false),
            links: Mutex::default(),
        };
        let wire = Arc::new(wire);
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                accepting.connect(near);
            }
        });

        Self { address: address.to_owned(), wire }
    }

    /// Cuts it; everything the PBX sent before arrives.  Nobody gets through until [`Self::open`].
    pub(crate) fn cut(&self) {
        self.wire.closed.store(true, Ordering::SeqCst);
        let links = std::mem::take(&mut *self.wire.links.lock().expect("the wire"));
        for link in links {
            let _ = link.far.shutdown(Shutdown::Both);
            wait_until("the rest to be delivered", || {
                link.over.load(Ordering::SeqCst).then_some(())
            });
        }
    }

    /// Waits until so many events of that name have come through on every link: a busy Asterisk
    /// sends to one session later than to another.
    pub(crate) fn wait_passed(&self, event: &str, count: usize) {
        wait_until(&format!("{count} {event} on each link"), || {
            let links = self.wire.links.lock().expect("the wire");
            links
                .iter()
                .all(|link| link.passed.lock().expect("events").count(event) >= count)
                .then_some(())
        });
    }

    /// Lets the exporter through again.
    pub(crate) fn open(&self) {
        self.wire.closed.store(false, Ordering::SeqCst);
    }

    /// Since when the last to come is connected.
    pub(crate) fn since(&self) -> Option<Moment> {
        self.wire.links.lock().expect("the wire").last().map(|link| link.since)
    }
}

impl Wire {
    fn connect(&self, near: TcpStream) {
        if self.closed.load(Ordering::SeqCst) {
            return;
        }

        let Ok(far) = TcpStream::connect(&self.pbx) else { return };
        let over = Arc::new(AtomicBool::new(false));
        let copy = |stream: &TcpStream| stream.try_clone().expect("a stream");
        let up = (copy(&near), copy(&far));
        let down = (copy(&far), near);
        let closed = Arc::clone(&over);
        let passed = Arc::new(Mutex::new(Passed::default()));
        let passing = Arc::clone(&passed);
        let link = Link { far, over, since: self.clock.now(), passed };
        self.links.lock().expect("the wire").push(link);

        thread::spawn(move || pump(up.0, up.1, |_| ()));
        thread::spawn(move || {
            pump(down.0, down.1, |bytes| passing.lock().expect("events").add(bytes));
            closed.store(true, Ordering::SeqCst);
        });
    }
}

impl Passed {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            if let Some(event) = self.line.strip_prefix(b"Event: ") {
                let event = String::from_utf8_lossy(event.trim_ascii()).into_owned();
                *self.events.entry(event).or_default() += 1;
            }
            self.line.clear();
        }
    }

    fn count(&self, event: &str) -> usize {
        self.events.get(event).copied().unwrap_or_default()
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, mut passed: impl FnMut(&[u8])) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        passed(&buffer[..length]);
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
