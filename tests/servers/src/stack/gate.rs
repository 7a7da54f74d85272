//! What stands between a scraper and the exporter: the test decides whether a scrape gets through.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// Has a port to scrape, and passes each scrape on to the exporter's.
pub(crate) struct Gate {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    open: bool,
    exporter: u16,
    /// How many scrapes got an answer.
    passed: usize,
    /// How many got none.
    refused: usize,
}

impl Gate {
    /// A gate that is shut, in front of the exporter at this port.
    pub(crate) fn new(exporter: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { open: false, exporter, passed: 0, refused: 0 };
        let state = Arc::new(Mutex::new(state));
        let ours = Arc::clone(&state);

        std::thread::spawn(move || {
            for client in listener.incoming() {
                // A scraper that has given up meanwhile is nobody's loss.
                let _ = client.and_then(|client| pass(client, &ours));
            }
        });
        Self { port, state }
    }

    /// From now on scrapes get through.
    pub(crate) fn open(&self) {
        lock(&self.state).open = true;
    }

    /// From now on scrapes get no answer.  One that is under way is over when this returns.
    pub(crate) fn shut(&self) {
        lock(&self.state).open = false;
    }

    pub(crate) fn passed(&self) -> usize {
        lock(&self.state).passed
    }

    pub(crate) fn refused(&self) -> usize {
        lock(&self.state).refused
    }
}

/// One request, one answer: the lock is held while a scrape is under way.
fn pass(mut client: TcpStream, shared: &Mutex<State>) -> io::Result<()> {
    let head = head(&mut client)?;
    let mut state = lock(shared);
    let passed = if state.open {
        forward(&head, state.exporter, &mut client)
    } else {
        Err(io::ErrorKind::ConnectionRefused.into())
    };

    match passed {
        Ok(()) => state.passed += 1,
        Err(_) => state.refused += 1,
    }
    passed
}

fn forward(head: &str, exporter: u16, client: &mut TcpStream) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", exporter))?;

    // So the end of the answer is the end of the connection.
    server.write_all(head.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes())?;
    io::copy(&mut server, client)?;
    Ok(())
}

/// The head of a request, with the empty line.
fn head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap()
}
