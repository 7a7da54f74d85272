//! A path between two servers on which every so many RTP packets are lost.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// One end of the path: a server that receives at its own address, `.1`, and offers `.5` of its network
/// in SDP, which is where the path takes packets.
#[derive(Clone)]
pub(crate) struct End {
    pub(crate) net: String,
    /// Its ports, which the other end has none of: RTP at even ones, RTCP above each.
    pub(crate) ports: RangeInclusive<u16>,
    /// Every so many packets to it one is lost.
    pub(crate) one_of: u64,
}

/// RTP packets to one port of one end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) lost: u64,
}

/// The path; it ends with this.
pub(crate) struct LossyPath {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    ends: [End; 2],
    /// By end and port.
    sockets: BTreeMap<(usize, u16), UdpSocket>,
    sent: Mutex<BTreeMap<(usize, u16), Sent>>,
    is_over: AtomicBool,
}

impl LossyPath {
    pub(crate) fn between(ends: [End; 2]) -> Self {
        let mut sockets = BTreeMap::new();
        for (at, end) in ends.iter().enumerate() {
            for port in end.ports.clone() {
                let address = format!("{}.5:{port}", end.net);
                let socket = UdpSocket::bind(&address).expect("an address of the path");
                socket.set_read_timeout(Some(A_MOMENT)).expect("a timeout");
                sockets.insert((at, port), socket);
            }
        }

        let sent = Mutex::default();
        let shared = Arc::new(Shared { ends, sockets, sent, is_over: AtomicBool::new(false) });
        let places: Vec<_> = shared.sockets.keys().copied().collect();
        let threads = places.into_iter().map(|(end, port)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.carry(end, port))
        });
        Self { threads: threads.collect(), shared }
    }

    /// What was sent to each port of that end.
    pub(crate) fn sent_to(&self, end: usize) -> Vec<Sent> {
        let sent = self.shared.sent.lock().expect("the counts");
        sent.iter().filter(|((to, _), _)| *to == end).map(|(_, sent)| *sent).collect()
    }
}

impl Shared {
    /// Carries what comes for a port of an end.
    fn carry(&self, end: usize, port: u16) {
        let to: SocketAddr =
            format!("{}.1:{port}", self.ends[end].net).parse().expect("an address");
        let mut packet = [0; 2048];

        while !self.is_over.load(Ordering::Relaxed) {
            let Ok((len, from)) = self.sockets[&(end, port)].recv_from(&mut packet) else {
                continue;
            };
            if port.is_multiple_of(2) && self.is_lost(end, port) {
                continue;
            }
            // From where the other end says that it sends from.
            let other = &self.sockets[&(1 - end, from.port())];
            let _ = other.send_to(&packet[..len], to);
        }
    }

    fn is_lost(&self, end: usize, port: u16) -> bool {
        let mut sent = self.sent.lock().expect("the counts");
        let sent = sent.entry((end, port)).or_default();
        sent.packets += 1;
        let is_lost = sent.packets.is_multiple_of(self.ends[end].one_of);
        sent.lost += u64::from(is_lost);
        is_lost
    }
}

impl Drop for LossyPath {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// After which a thread looks whether the path is over.
const A_MOMENT: Duration = Duration::from_millis(200);
