//! A manager session of the test's own: it acts on the PBX, and keeps every event to wait for.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// An event or a response, by header; of a repeated header the first.
pub(crate) type Message = HashMap<String, String>;

/// What has come so far.
#[derive(Default)]
struct Inbox {
    /// The latest ones.
    events: VecDeque<Arc<Message>>,
    /// How many came before them.
    gone: usize,
    responses: HashMap<String, Message>,
    closed: bool,
}

impl Inbox {
    /// The event at a place, or the first one behind it that is still there.
    fn at(&self, place: &mut usize) -> Option<&Arc<Message>> {
        *place = (*place).max(self.gone);
        self.events.get(*place - self.gone)
    }
}

/// A session.  Shared by threads.
#[derive(Clone)]
pub(crate) struct Ami {
    stream: Arc<Mutex<(TcpStream, u64)>>,
    inbox: Arc<(Mutex<Inbox>, Condvar)>,
}

impl Ami {
    /// Logs in with all events on.
    pub(crate) fn open(address: &str, username: &str, secret: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        let inbox = Arc::new((Mutex::new(Inbox::default()), Condvar::new()));
        let reader = BufReader::new(stream.try_clone()?);
        let shared = Arc::clone(&inbox);
        std::thread::spawn(move || read(reader, &shared));
        let ami = Self { stream: Arc::new(Mutex::new((stream, 0))), inbox };
        let reply = ami.act("Login", &[("Username", username), ("Secret", secret)]);
        match reply.get("Response").map(String::as_str) {
            Some("Success") => Ok(ami),
            other => Err(std::io::Error::other(format!("login of {username}: {other:?}"))),
        }
    }

    /// Sends an action and waits for its response: empty if the PBX closed instead.
    pub(crate) fn act(&self, action: &str, headers: &[(&str, &str)]) -> Message {
        let id = self.send(action, headers);
        self.until(&format!("an answer to {action}"), |inbox| {
            inbox.responses.remove(&id).or_else(|| inbox.closed.then(Message::new))
        })
    }

    /// Sends an action whose response nobody waits for.
    pub(crate) fn send(&self, action: &str, headers: &[(&str, &str)]) -> String {
        let (stream, sent) = &mut *self.stream.lock().expect("the stream");
        *sent += 1;
        let id = format!("t-{sent}");
        let mut text = format!("Action: {action}\r\nActionID: {id}\r\n");
        for (key, value) in headers {
            text.push_str(&format!("{key}: {value}\r\n"));
        }
        text.push_str("\r\n");
        // A PBX that is being restarted may be gone: whoever waits for the response is answered.
        let _ = stream.write_all(text.as_bytes());
        id
    }

    /// Waits for an event of that name, at or after place `from`, whose headers begin with these
    /// values.
    pub(crate) fn wait(&self, from: usize, event: &str, headers: &[(&str, &str)]) -> Arc<Message> {
        self.wait_for(&format!("{event} {headers:?}"), from, |message| {
            message["Event"] == event
                && headers
                    .iter()
                    .all(|(key, value)| message.get(*key).is_some_and(|v| v.starts_with(value)))
        })
    }

    /// Waits for an event that fits, at or after place `from`.
    pub(crate) fn wait_for(
        &self,
        what: &str,
        from: usize,
        fits: impl Fn(&Message) -> bool,
    ) -> Arc<Message> {
        self.wait_nth(what, from, 0, fits)
    }

    /// The same, but for the one behind `nth` others.
    pub(crate) fn wait_nth(
        &self,
        what: &str,
        from: usize,
        nth: usize,
        fits: impl Fn(&Message) -> bool,
    ) -> Arc<Message> {
        let mut next = from;
        let mut skip = nth;
        self.until(what, |inbox| {
            while let Some(event) = inbox.at(&mut next) {
                next += 1;
                if fits(event) {
                    if skip == 0 {
                        return Some(Arc::clone(event));
                    }
                    skip -= 1;
                }
            }
            assert!(!inbox.closed, "the PBX closed before {what}");
            None
        })
    }

    /// Waits a while for an event that may never come.
    pub(crate) fn seen(
        &self,
        from: usize,
        fits: impl Fn(&Message) -> bool,
    ) -> Option<Arc<Message>> {
        let mut next = from;
        let mut found = None;
        let waiting = |inbox: &mut Inbox| {
            while let Some(event) = inbox.at(&mut next) {
                next += 1;
                if fits(event) {
                    found = Some(Arc::clone(event));
                    return false;
                }
            }
            !inbox.closed
        };
        drop(self.inbox.1.wait_timeout_while(self.inbox(), A_WHILE, waiting).expect("the inbox"));
        found
    }

    /// Waits until the PBX closes the session.
    pub(crate) fn wait_closed(&self) {
        self.until("the PBX to close", |inbox| inbox.closed.then_some(()));
    }

    /// The place behind the last event so far.
    pub(crate) fn here(&self) -> usize {
        let inbox = self.inbox();
        inbox.gone + inbox.events.len()
    }

    /// Everything that has come at or after that place.
    pub(crate) fn since(&self, from: usize) -> Vec<Arc<Message>> {
        let inbox = self.inbox();
        inbox.events.iter().skip(from.saturating_sub(inbox.gone)).cloned().collect()
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.0.lock().expect("the inbox")
    }

    fn until<T>(&self, what: &str, mut ask: impl FnMut(&mut Inbox) -> Option<T>) -> T {
        let mut answer = None;
        let waiting = |inbox: &mut Inbox| {
            answer = ask(inbox);
            answer.is_none()
        };
        drop(self.inbox.1.wait_timeout_while(self.inbox(), PATIENCE, waiting).expect("the inbox"));
        answer.unwrap_or_else(|| panic!("waited in vain for {what}"))
    }
}

impl Drop for Ami {
    fn drop(&mut self) {
        // The reader's copy of the inbox and the last session's.
        if Arc::strong_count(&self.stream) == 1 {
            let _ = self.stream.lock().map(|stream| stream.0.shutdown(Shutdown::Both));
        }
    }
}

fn read(mut lines: BufReader<TcpStream>, shared: &(Mutex<Inbox>, Condvar)) {
    let mut message = Message::new();
    let mut line = Vec::new();

    loop {
        line.clear();
        if !matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        if let Some((key, value)) = text.split_once(':') {
            message.entry(key.to_owned()).or_insert_with(|| value.trim_start().to_owned());
        }
        if text.is_empty() && !message.is_empty() {
            file(std::mem::take(&mut message), &mut shared.0.lock().expect("the inbox"));
            shared.1.notify_all();
        }
    }

    shared.0.lock().expect("the inbox").closed = true;
    shared.1.notify_all();
}

fn file(message: Message, inbox: &mut Inbox) {
    if message.contains_key("Event") {
        inbox.events.push_back(Arc::new(message));
        if inbox.events.len() > KEPT {
            inbox.events.pop_front();
            inbox.gone += 1;
        }
    } else if let Some(id) = message.get("ActionID") {
        inbox.responses.insert(id.clone(), message);
    }
}

/// Far more than anything takes, even on a slow machine: only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long something is waited for that need not come.
const A_WHILE: Duration = Duration::from_secs(10);
/// Far more events than come while somebody waits for one: a long load must not fill the memory.
const KEPT: usize = 200_000;
