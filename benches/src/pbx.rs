//! A PBX as far as the manager interface shows it: it answers a login, gives lists, and then sends
//! what it is told to.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem;

/// A PBX that waits for its one client.
pub(crate) struct Pbx {
    listener: TcpListener,
    lists: Lists,
}

/// The items of its lists, each a frame whose ActionID is still to be written.
#[derive(Clone, Default)]
pub(crate) struct Lists {
    pub(crate) channels: Vec<String>,
    pub(crate) queues: Vec<String>,
}

/// A client that is logged in and has its snapshot.
pub(crate) struct Session {
    pub(crate) stream: TcpStream,
    /// Bytes that were sent.
    pub(crate) sent: Arc<AtomicU64>,
    lists: Lists,
    read: Vec<u8>,
    /// Pings of barriers that were answered.
    barriers: u32,
}

impl Pbx {
    /// A PBX on a free port.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn new(lists: Lists) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0")?, lists })
    }

    /// Its port.
    ///
    /// # Errors
    /// The system does not say.
    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Waits for the client, and serves it up to its snapshot.
    ///
    /// # Errors
    /// The client has gone.
    pub(crate) fn accept(self) -> io::Result<Session> {
        let mut session = self.greet()?;
        while session.barriers < 2 {
            session.answer()?;
        }
        Ok(session)
    }

    /// Waits for the client and greets it.
    ///
    /// # Errors
    /// The client has gone.
    pub(crate) fn greet(self) -> io::Result<Session> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nodelay(true)?;
        let (sent, read) = (Arc::default(), Vec::new());
        let mut session = Session { stream, sent, lists: self.lists, read, barriers: 0 };
        session.send(b"Asterisk Call Manager/9.0.0\r\n")?;
        Ok(session)
    }
}

impl Session {
    /// Barriers whose second Ping was answered.
    pub(crate) const fn barriers(&self) -> u32 {
        self.barriers / 2
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// The client has gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::Release);
        Ok(())
    }

    /// Waits for an action, and answers all that were read.
    ///
    /// # Errors
    /// The client has gone.
    pub(crate) fn answer(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let length = self.stream.read(&mut buffer)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read.extend_from_slice(&buffer[..length]);

        while let Some(end) = memmem::find(&self.read, b"\r\n\r\n") {
            let action = String::from_utf8_lossy(&self.read[..end]).into_owned();
            self.read.drain(..end + 4);
            let answer = self.answer_to(&action);
            self.send(answer.as_bytes())?;
        }
        Ok(())
    }

    fn answer_to(&mut self, action: &str) -> String {
        let header = |key: &str| {
            let of = |line: &str| line.strip_prefix(key)?.strip_prefix(": ").map(str::to_owned);
            action.lines().find_map(of).unwrap_or_default()
        };
        let id = header("ActionID");
        let success = format!("Response: Success\r\nActionID: {id}\r\n");
        match header("Action").to_ascii_lowercase().as_str() {
            "challenge" => format!("{success}Challenge: 123456789\r\n\r\n"),
            "login" => format!(
                "{success}Message: Authentication accepted\r\n\r\nEvent: FullyBooted\r\nPrivilege: \
                 system,all\r\nUptime: 99999\r\nLastReload: 99999\r\nStatus: Fully Booted\r\n\r\n"
            ),
            "coresettings" => {
                format!("{success}AMIversion: 9.0.0\r\nAsteriskVersion: 20.11.0\r\n\r\n")
            }
            "coreshowchannels" => {
                list(&success, &id, &self.lists.channels, "CoreShowChannelsComplete")
            }
            "queuestatus" => list(&success, &id, &self.lists.queues, "QueueStatusComplete"),
            "ping" => {
                self.barriers += u32::from(id.contains("Barrier"));
                format!("{success}Ping: Pong\r\n\r\n")
            }
            _ => format!("{success}\r\n"),
        }
    }
}

fn list(success: &str, id: &str, items: &[String], end: &str) -> String {
    let mut text = format!("{success}EventList: start\r\nMessage: will follow\r\n\r\n");
    for item in items {
        let (first, rest) = item.split_once("\r\n").unwrap_or((item, ""));
        text.push_str(first);
        text.push_str("\r\nActionID: ");
        text.push_str(id);
        text.push_str("\r\n");
        text.push_str(rest);
    }
    let count = items.len();
    text + &format!(
        "Event: {end}\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: {count}\r\n\r\n"
    )
}
