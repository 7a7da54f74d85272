//! A page that stands still until the test gives another one, for whoever scrapes it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) struct Standing {
    pub(crate) port: u16,
    page: Arc<Mutex<String>>,
}

impl Standing {
    /// A page in the classic text format.
    pub(crate) fn start(page: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = Arc::new(Mutex::new(page));
        let ours = Arc::clone(&page);

        std::thread::spawn(move || {
            for client in listener.incoming() {
                // A scraper that has given up scrapes again.
                let _ = client.and_then(|client| answer(client, &lock(&ours)));
            }
        });
        Self { port, page }
    }

    /// What the next scrape gets, and all that follow.
    pub(crate) fn show(&self, page: String) {
        *lock(&self.page) = page;
    }
}

fn answer(client: TcpStream, page: &str) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while client.read_line(&mut line)? > "\r\n".len() {
        line.clear();
    }

    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
    let length = page.len();
    write!(client.into_inner(), "{head}Content-Length: {length}\r\n\r\n{page}")
}

fn lock(page: &Mutex<String>) -> MutexGuard<'_, String> {
    page.lock().unwrap()
}
