//! A wire between exporter and PBX that can be cut.

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
    /// Who is connected, and since when.
    links: Mutex<Vec<(TcpStream, Arc<AtomicBool>, Moment)>>,
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
        for (far, over, _) in links {
            let _ = far.shutdown(Shutdown::Both);
            wait_until("the rest to be delivered", || over.load(Ordering::SeqCst).then_some(()));
        }
    }

    /// Lets the exporter through again.
    pub(crate) fn open(&self) {
        self.wire.closed.store(false, Ordering::SeqCst);
    }

    /// Since when the last to come is connected.
    pub(crate) fn since(&self) -> Option<Moment> {
        self.wire.links.lock().expect("the wire").last().map(|(_, _, since)| *since)
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
        self.links.lock().expect("the wire").push((far, over, self.clock.now()));
        thread::spawn(move || pump(up.0, up.1));
        thread::spawn(move || {
            pump(down.0, down.1);
            closed.store(true, Ordering::SeqCst);
        });
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
