//! A PBX that sends what the test wants, as soon as the exporter has logged in.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// It takes one exporter at a time.
pub(crate) struct Pbx {
    pub(crate) port: u16,
    line: Arc<Mutex<Option<TcpStream>>>,
}

impl Pbx {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Mutex::new(None));
        let ours = Arc::clone(&line);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                *ours.lock().unwrap() = Some(stream.try_clone().unwrap());
                say(&ours, b"Asterisk Call Manager/11.0.0\r\n");
                answer_all(BufReader::new(stream), &ours);
            }
        });
        Self { port, line }
    }

    /// Sends events to the exporter, which must be up.
    pub(crate) fn say(&self, events: &[u8]) {
        say(&self.line, events);
    }
}

fn say(line: &Mutex<Option<TcpStream>>, bytes: &[u8]) {
    line.lock().unwrap().as_mut().expect("the exporter has connected").write_all(bytes).unwrap();
}

/// Grants every action, until the exporter goes.
fn answer_all(mut actions: BufReader<TcpStream>, line: &Mutex<Option<TcpStream>>) {
    let mut name = String::new();
    let mut id = String::new();
    let mut header = String::new();

    while actions.read_line(&mut header).is_ok_and(|read| read > 0) {
        match header.trim_end().split_once(": ") {
            Some(("Action", action)) => name = action.to_owned(),
            Some(("ActionID", action_id)) => id = action_id.to_owned(),
            Some(_) => {}
            None => say(line, answer(&name, &id).as_bytes()),
        }
        header.clear();
    }
}

fn answer(action: &str, id: &str) -> String {
    let granted = |rest: &str| format!("Response: Success\r\nActionID: {id}\r\n{rest}\r\n");
    let listed = |done: &str| {
        let end = format!(
            "Event: {done}\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 0\r\n\r\n"
        );
        granted("EventList: start\r\n") + &end
    };

    match action {
        "Challenge" => granted("Challenge: 840415273\r\n"),
        "Login" => granted("Message: Authentication accepted\r\n"),
        "CoreSettings" => granted("AsteriskVersion: 22.10.0\r\n"),
        "CoreShowChannels" => listed("CoreShowChannelsComplete"),
        "QueueStatus" => listed("QueueStatusComplete"),
        "Ping" => granted("Ping: Pong\r\n"),
        _ => granted(""),
    }
}
