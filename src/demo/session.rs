//! One client's connection: its requests, its login, its outgoing bytes.

use std::io;
use std::time::Duration;

use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

use super::lists::{AMI_VERSION, List};
use super::wire::{Class, Message};

/// Numbers the clients.
pub(super) type ClientId = u64;

/// The account that a client may log in with.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) secret: String,
}

/// A request that only the owner of the simulation can answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) client: ClientId,
    pub(super) action_id: Option<String>,
    pub(super) action: Action,
}

/// What a client requests; after its login all answers come from that owner, so that they stay in
/// order with events.
#[derive(Debug)]
pub(super) enum Action {
    /// Events of these classes, and answers, go into this channel from now on.
    Login(Mask, mpsc::Sender<Vec<u8>>),
    /// Other classes are wanted.
    Events(Mask),
    /// Ping.
    Ping,
    /// A list.
    List(List),
    /// An action that this PBX does not know.
    Unknown,
    /// Logoff.
    Logoff,
    /// The connection is gone.
    Gone,
}

/// The classes that a client reads.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Mask(Vec<Class>);

impl Mask {
    /// Reads `on`, `off`, or a list of classes.
    pub(super) fn parse(text: &str) -> Self {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        if words
            .iter()
            .any(|word| word.eq_ignore_ascii_case("on") || word.eq_ignore_ascii_case("all"))
        {
            return Self(Class::ALL.to_vec());
        }
        Self(Class::ALL.into_iter().filter(|class| words.contains(&class.word())).collect())
    }

    /// Whether events of that class are sent.
    pub(super) fn reads(&self, class: Class) -> bool {
        self.0.contains(&class)
    }

    /// Whether nothing is sent.
    pub(super) fn is_off(&self) -> bool {
        self.0.is_empty()
    }
}

/// One connection, from the banner to its end.
pub(super) struct Session {
    pub(super) client: ClientId,
    pub(super) challenge: String,
    pub(super) credentials: Credentials,
    pub(super) requests: mpsc::Sender<Request>,
}

impl Session {
    /// Serves the client until it goes, is refused, or reads too slowly.
    pub(super) async fn serve(self, stream: TcpStream) {
        let (read, write) = stream.into_split();
        let (outbox, inbox) = mpsc::channel(OUTBOX);

        let reading = async {
            // An unreadable client is a client that left.
            let _ = self.read(read, outbox).await;
            self.forward(None, Action::Gone).await;
            // The answers to its last actions are still to be written.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = write_all(write, inbox) => {}
            () = reading => {}
        }
        self.forward(None, Action::Gone).await;
    }

    async fn forward(&self, action_id: Option<String>, action: Action) {
        // During a shutdown the other end is gone.
        let _ = self.requests.send(Request { client: self.client, action_id, action }).await;
    }

    async fn read(&self, read: OwnedReadHalf, outbox: mpsc::Sender<Vec<u8>>) -> io::Result<()> {
        let mut lines = BufReader::new(read);
        let banner = format!("Asterisk Call Manager/{AMI_VERSION}\r\n");
        if outbox.send(banner.into_bytes()).await.is_err() {
            return Ok(());
        }
        if !self.log_in(&mut lines, outbox).await? {
            return Ok(());
        }

        while let Some(request) = ActionText::read(&mut lines).await? {
            let action = request.action();
            let last = matches!(action, Action::Logoff);
            self.forward(request.action_id(), action).await;
            if last {
                break;
            }
        }
        Ok(())
    }

    /// Whether the client has logged in; its outbox belongs to the owner of the simulation then.
    async fn log_in(
        &self,
        lines: &mut BufReader<OwnedReadHalf>,
        outbox: mpsc::Sender<Vec<u8>>,
    ) -> io::Result<bool> {
        while let Some(request) = ActionText::read(lines).await? {
            let id = request.action_id();
            let answer = match request.name().as_str() {
                "challenge" => {
                    Message::response("Success", id.as_deref()).with("Challenge", &self.challenge)
                }
                "login" if self.is_authentic(&request) => {
                    let mask = Mask::parse(request.get("Events").unwrap_or("on"));
                    self.forward(id, Action::Login(mask, outbox)).await;
                    return Ok(true);
                }
                "login" => {
                    let refusal = Message::response("Error", id.as_deref())
                        .with("Message", "Authentication failed");
                    let _ = outbox.send(refusal.finish()).await;
                    return Ok(false);
                }
                _ => Message::response("Error", id.as_deref()).with("Message", "Permission denied"),
            };

            if outbox.send(answer.finish()).await.is_err() {
                break;
            }
        }
        Ok(false)
    }

    fn is_authentic(&self, request: &ActionText) -> bool {
        let Credentials { username, secret } = &self.credentials;
        let known = request.get("Username") == Some(username.as_str());
        let proven = match request.get("Key") {
            Some(key) => key == md5_hex(&[&self.challenge, secret]),
            None => request.get("Secret") == Some(secret.as_str()),
        };
        known && proven
    }
}

async fn write_all(
    mut write: OwnedWriteHalf,
    mut inbox: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    while let Some(bytes) = inbox.recv().await {
        tokio::time::timeout(WRITE_TIMEOUT, write.write_all(&bytes)).await??;
    }
    write.shutdown().await
}

/// An action with its headers.
#[derive(Debug, Default)]
struct ActionText {
    headers: Vec<(String, String)>,
}

impl ActionText {
    /// The next one, or `None` when the client has left, or what it sends is no action.
    async fn read(lines: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Self>> {
        let mut request = Self::default();
        loop {
            let mut line = Vec::new();
            let read = (&mut *lines).take(MAX_LINE).read_until(b'\n', &mut line).await?;
            if read == 0 || line.last() != Some(&b'\n') || request.headers.len() > MAX_HEADERS {
                return Ok(None);
            }

            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                if request.headers.is_empty() {
                    continue;
                }
                return Ok(Some(request));
            }
            if let Some((key, value)) = text.split_once(':') {
                request.headers.push((key.trim().to_owned(), value.trim_start().to_owned()));
            }
        }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    fn name(&self) -> String {
        self.get("Action").unwrap_or_default().to_ascii_lowercase()
    }

    fn action_id(&self) -> Option<String> {
        self.get("ActionID").map(str::to_owned)
    }

    fn action(&self) -> Action {
        match self.name().as_str() {
            "events" => Action::Events(Mask::parse(self.get("EventMask").unwrap_or("off"))),
            "ping" => Action::Ping,
            "logoff" => Action::Logoff,
            "coresettings" => Action::List(List::CoreSettings),
            "corestatus" => Action::List(List::CoreStatus),
            "coreshowchannels" => Action::List(List::CoreShowChannels),
            "devicestatelist" => Action::List(List::Devices),
            "pjsipshowregistrationsoutbound" => Action::List(List::Registrations),
            "extensionstatelist" => Action::List(List::ExtensionStates),
            "queuestatus" => Action::List(List::QueueStatus),
            "bridgelist" => Action::List(List::Bridges),
            "bridgeinfo" => Action::List(List::Bridge(
                self.get("BridgeUniqueid").unwrap_or_default().to_owned(),
            )),
            _ => Action::Unknown,
        }
    }
}

/// Lower-case hex of the MD5 of the parts, one after the other.
pub(super) fn md5_hex(parts: &[&str]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Batches of events a client may be behind before it is dropped; a batch is some 5 kB.
const OUTBOX: usize = 2_048;

/// `writetimeout` of manager.conf: how long a client may take no byte.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asterisk's own limits.
const MAX_LINE: u64 = 1_024;
const MAX_HEADERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_on_off_or_a_list() {
        assert!(Mask::parse("on").reads(Class::Dtmf));
        assert!(Mask::parse("off").is_off());
        let mask = Mask::parse("call, agent");
        assert!(
            mask.reads(Class::Call) && mask.reads(Class::Agent) && !mask.reads(Class::Dialplan)
        );
    }

    #[test]
    fn the_key_is_the_hash_of_challenge_and_secret() {
        assert_eq!(md5_hex(&["a", "bc"]), "900150983cd24fb0d6963f7d28e17f72");
    }
}
