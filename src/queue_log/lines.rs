//! Lines of bounded length out of any stream, as entries.

use std::io::{self, BufRead};

use super::entry::Entry;
use super::malformed::{LINE_MAX, Malformed};
use super::table::{Header, Row};

/// An entry with the number of its line.
pub(super) type Numbered<'a> = (u64, Result<Entry<'a>, Malformed>);

/// A stream of lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    line: Vec<u8>,
    number: u64,
    /// The stream is a table with a header, not a file of Asterisk's.
    header: Option<Header>,
    row: Row,
    begun: bool,
    /// A last line without its end is one that is being written.
    whole: bool,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `source`.
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            line: Vec::new(),
            number: 0,
            header: None,
            row: Row::default(),
            begun: false,
            whole: false,
        }
    }

    /// The same, but what has no line feed behind it is no line yet.
    pub(super) fn of_whole(source: R) -> Self {
        Self { whole: true, ..Self::new(source) }
    }

    /// The next line that is not blank as an entry, or why it is none, with its number from 1;
    /// `None` at the end.
    ///
    /// # Errors
    /// The stream cannot be read on.
    pub(super) fn next_entry(&mut self) -> io::Result<Option<Numbered<'_>>> {
        loop {
            match self.fill()? {
                Filled::End => return Ok(None),
                Filled::TooLong => return Ok(Some((self.number, Err(Malformed::TooLong)))),
                Filled::Line => {}
            }

            // Files that came from a Windows machine.
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }

            if !self.line.is_empty() && !self.is_form() {
                break;
            }
        }

        let entry = match &self.header {
            Some(header) => header.entry(&mut self.line, &mut self.row),
            None => Entry::of_bars(&self.line),
        };
        Ok(Some((self.number, entry)))
    }

    /// Whether the line belongs to the form of a table, and is no entry: its header, or what it is
    /// drawn with.
    fn is_form(&mut self) -> bool {
        if let Some(header) = &self.header {
            return header.is_drawing(&self.line);
        }
        if self.begun {
            return false;
        }

        // What a spreadsheet writes at the beginning.
        if self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        if self.line.starts_with(b"+-") {
            return true;
        }
        self.begun = true;
        self.header = Header::read(&self.line);
        self.header.is_some()
    }

    /// Reads up to the end of a line; of one that is too long no more is stored than of the others.
    fn fill(&mut self) -> io::Result<Filled> {
        self.line.clear();
        let mut begun = false;
        let mut too_long = false;
        loop {
            let buffer = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() && (!begun || self.whole) {
                return Ok(Filled::End);
            }
            if !std::mem::replace(&mut begun, true) {
                self.number += 1;
            }

            // A file may be anything, also gigabytes without a line feed: memory is bounded.
            let end = memchr::memchr(b'\n', buffer);
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            too_long |= self.line.len() + piece.len() > LINE_MAX;
            if !too_long {
                self.line.extend_from_slice(piece);
            }

            let whole = end.is_some() || buffer.is_empty();
            let used = piece.len() + usize::from(end.is_some());
            self.source.consume(used);
            if whole {
                return Ok(if too_long { Filled::TooLong } else { Filled::Line });
            }
        }
    }
}

/// What the stream had next.
enum Filled {
    Line,
    TooLong,
    End,
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// Number of each line, and its verb or what is wrong with it.
    fn read(text: &[u8], buffer: usize) -> Vec<(u64, Result<String, Malformed>)> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, text));
        let mut found = Vec::new();
        while let Some((number, entry)) = lines.next_entry().unwrap() {
            found.push((
                number,
                entry.map(|entry| String::from_utf8_lossy(entry.verb).into_owned()),
            ));
        }
        found
    }

    #[test]
    fn blank_lines_and_carriage_returns_are_no_lines() {
        let text = b"\n1|1.1|q|NONE|ABANDON\r\n\r\n\n2|1.2|q|NONE|PAUSE";
        for buffer in [1, 2, 7, 4096] {
            let found = read(text, buffer);
            assert_eq!(found, [(2, Ok("ABANDON".to_owned())), (5, Ok("PAUSE".to_owned()))]);
        }
    }

    #[test]
    fn a_header_and_what_a_table_is_drawn_with_are_no_lines() {
        let csv =
            b"\xef\xbb\xbftime,callid,queuename,agent,event\r\n1,1.1,q,Ann,PAUSE\r\nnothing\r\n2,1.1,q,Ann,UNPAUSE\r\n";
        let verbs = |found: &[(u64, Result<String, Malformed>)]| format!("{found:?}");
        let expected = [
            (2, Ok("PAUSE".to_owned())),
            (3, Err(Malformed::TooFewFields)),
            (4, Ok("UNPAUSE".to_owned())),
        ];
        assert_eq!(verbs(&read(csv, 7)), verbs(&expected));
        let mysql =
            b"+------+\n| time | callid | queuename | agent | event |\n+----+\n| 1 | 1.1 | q | Ann | PAUSE |\n+----+\n";
        assert_eq!(read(mysql, 7), [(4, Ok("PAUSE".to_owned()))]);
        let psql = b" time | callid | queuename | agent | event \n----+----\n 1 | 1.1 | q | Ann | PAUSE\n(1 row)\n\n";
        assert_eq!(read(psql, 7), [(3, Ok("PAUSE".to_owned()))]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_one_line_and_no_memory() {
        let mut text = b"1|1.1|q|NONE|".to_vec();
        text.resize(10 * LINE_MAX, b'X');
        text.extend(b"\n2|1.2|q|NONE|PAUSE\n");
        let mut lines = Lines::new(BufReader::with_capacity(100, &text[..]));
        assert_eq!(lines.next_entry().unwrap(), Some((1, Err(Malformed::TooLong))));
        assert_eq!(lines.next_entry().unwrap().unwrap().1.unwrap().verb, b"PAUSE");
        assert!(lines.line.capacity() <= 2 * LINE_MAX);
        assert_eq!(lines.next_entry().unwrap(), None);
    }

    proptest! {
        #[test]
        fn noise_is_read_to_its_end_however_it_is_cut(form in 0..6_usize, noise in "[\"|,;\t\\\\ 0-9:.NULA+()\\-\n\r\u{fffd}]{0,200}") {
            let header = ["", ",", ";", "\t", "|", "| "][form];
            let names = ["time", "callid", "queuename", "agent", "event", "data"].join(header);
            let drawn = if header == "| " { "|" } else { "" };
            for text in [format!("{drawn}{names}{drawn}\n{noise}"), noise.clone()] {
                let found = read(text.as_bytes(), 1);
                prop_assert_eq!(&found, &read(text.as_bytes(), 4096));
                prop_assert!(found.len() <= text.split('\n').count());
            }
        }
    }
}
