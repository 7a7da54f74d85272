//! The lists of a session, in any form: the snapshot at its beginning, and the list of queues later.

use asterisk_exporter::ami::frame::{Decoder, Frame, Item, Limits, put};

use crate::replay;

/// The first byte is where the snapshot ends; the rest is a stream whose frames become items of our
/// lists, and events beside them.
pub(crate) fn check(input: &[u8]) {
    let Some((&at, stream)) = input.split_first() else { return };
    let frames = frames(stream);
    let (first, second) = frames.split_at(frames.len() * usize::from(at) / 255);

    let mut session = Session::default();
    session.answer("Login", &[]);
    session.list("CoreShowChannels", first);
    session.list("QueueStatus", first);
    session.barrier();
    session.text.extend(second.iter().flatten());
    session.list("QueueStatus", second);
    session.barrier();

    let mut replay = replay::new();
    let (_, stop) = replay.play(&session.text[..]);
    if stop.is_none() {
        assert_eq!(replay.sessions(), 1, "the login was not seen");
        replay::finish(replay);
    }
}

/// What a PBX sends to a session of ours.
#[derive(Default)]
struct Session {
    actions: u64,
    text: Vec<u8>,
}

impl Session {
    fn answer(&mut self, word: &str, headers: &[(&str, &str)]) -> String {
        self.actions += 1;
        let id = format!("ae-{}-{word}", self.actions);
        put(&mut self.text, b"Response", b"Success");
        put(&mut self.text, b"ActionID", id.as_bytes());
        for (key, value) in headers {
            put(&mut self.text, key.as_bytes(), value.as_bytes());
        }
        self.text.extend_from_slice(b"\r\n");
        id
    }

    fn list(&mut self, word: &str, items: &[Vec<u8>]) {
        let id = self.answer(word, &[("EventList", "start")]);
        for item in items {
            // The blank line is written again behind the id.
            self.text.extend_from_slice(&item[..item.len() - 2]);
            put(&mut self.text, b"ActionID", id.as_bytes());
            self.text.extend_from_slice(b"\r\n");
        }

        put(&mut self.text, b"Event", format!("{word}Complete").as_bytes());
        put(&mut self.text, b"ActionID", id.as_bytes());
        put(&mut self.text, b"EventList", b"Complete");
        self.text.extend_from_slice(b"\r\n");
    }

    fn barrier(&mut self) {
        for _ in 0..2 {
            self.answer("Barrier", &[("Ping", "Pong"), ("Timestamp", "1700000000.500000")]);
        }
    }
}

/// The frames of the input, without the ids of those who asked.
fn frames(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::of_file(Limits { line: 4096, frame: 8192 });
    decoder.feed(stream);
    let mut frames = Vec::new();
    while let Some(item) = decoder.next_item() {
        if let Item::Frame(frame) = item {
            frames.push(without_id(&frame));
        }
    }
    frames
}

fn without_id(frame: &Frame<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    put(&mut text, frame.kind.key().as_bytes(), frame.name);
    let headers = frame.headers().filter(|(key, _)| !key.eq_ignore_ascii_case(b"ActionID"));
    for (key, value) in headers {
        put(&mut text, key, value);
    }
    text.extend_from_slice(b"\r\n");
    text
}
