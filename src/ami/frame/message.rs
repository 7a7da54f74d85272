//! One frame: what it is, and its headers.  It borrows the bytes that it was cut from.

use memchr::memchr;

use super::lines::Lines;

/// Whether a frame is an event or answers an action.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `Event: <name>`.
    Event,
    /// `Response: <Success|Error|Goodbye|Follows>`.
    Response,
}

/// One message.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Event or response.
    pub kind: Kind,
    /// The event's name, or the response's word.
    pub name: &'a [u8],
    /// All lines behind the first.
    body: Lines<'a>,
}

impl<'a> Frame<'a> {
    /// Reads the first of these lines; `None` if it is neither `Event:` nor `Response:`.
    pub(super) fn parse(mut lines: Lines<'a>) -> Option<Self> {
        let first = lines.next()?;
        // Every event of Asterisk begins so.
        if let Some(name) = first.text().strip_prefix(b"Event: ") {
            return Some(Self { kind: Kind::Event, name, body: lines });
        }
        let named = |kind: Kind| Some((kind, first.value_of(kind.key())?));
        let (kind, name) = named(Kind::Event).or_else(|| named(Kind::Response))?;
        Some(Self { kind, name, body: lines })
    }

    /// Writes the frame out again, but for lines without a colon.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        put(out, self.kind.key().as_bytes(), self.name);
        for (key, value) in self.headers() {
            put(out, key, value);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// All lines behind the first, in order, whatever they hold.
    pub fn lines(&self) -> Lines<'a> {
        self.body
    }

    /// All headers behind the first, in order; a line without a colon (raw command output) is left
    /// out.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.body.filter_map(|line| {
            let text = line.text();
            // At the first colon: values may hold `: ` themselves.
            let key = memchr(b':', text)?;
            Some((&text[..key], line.value_behind(key)))
        })
    }

    /// The first header of that name, in any case.
    pub fn header(&self, key: &str) -> Option<&'a [u8]> {
        self.lines().find_map(|line| line.value_of(key))
    }

    /// Whether this is a response to an action that was carried out.
    pub fn is_accepted(&self) -> bool {
        self.kind == Kind::Response && !self.name.eq_ignore_ascii_case(b"Error")
    }

    /// Whether this is an event, and of that name.
    pub fn is_event(&self, name: &str) -> bool {
        self.kind == Kind::Event && self.name == name.as_bytes()
    }
}

impl Kind {
    /// The key of a frame's first line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Event => "Event",
            Self::Response => "Response",
        }
    }
}

/// Writes a header.
pub fn put(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    for part in [key, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Text of the far end for a log line or a web page: escaped and short.
pub fn quoted(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(QUOTED)].escape_ascii().to_string()
}

/// Enough to recognise an SSH or HTTP server, or to read Asterisk's longest refusal.
const QUOTED: usize = 120;

#[cfg(test)]
mod tests {
    use super::super::{Decoder, Item, Limits};
    use super::*;

    #[test]
    fn keys_are_found_in_any_case() {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(b"Event: X\r\nDestUniqueId: 7\r\n\r\n");
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
        assert_eq!(frame.header("DestUniqueid"), Some(&b"7"[..]));
        assert_eq!(frame.header("Nothing"), None);
    }

    #[test]
    fn text_of_the_far_end_is_quoted_short_and_in_one_line() {
        assert_eq!(quoted(b"SSH-2.0\r\n\xff"), "SSH-2.0\\r\\n\\xff");
        assert_eq!(quoted(&[b'x'; 1000]).len(), QUOTED);
    }

    #[test]
    fn a_frame_written_out_is_the_frame() {
        let mut decoder = Decoder::new(Limits::default());
        let text = b"Event: Newchannel\r\nExten: \r\nX:  a: b\r\nX: \xff\r\n\r\n";
        decoder.feed(text);
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
        let mut out = Vec::new();
        frame.write_to(&mut out);
        assert_eq!(out, text);
    }
}
