//! Lines of bounded length out of any stream.

use std::io::{self, BufRead};

use super::line::{Line, Malformed};

/// A line with its number.
pub type Numbered<'a> = (u64, Result<Line<'a>, Malformed>);

/// A stream of lines.
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `source`.
    pub const fn new(source: R) -> Self {
        Self { source, line: Vec::new(), number: 0 }
    }

    /// The next line that is not blank, or why it is none, with its number from 1; `None` at the end.
    ///
    /// # Errors
    /// The stream cannot be read on.
    pub fn next_line(&mut self) -> io::Result<Option<Numbered<'_>>> {
        loop {
            match self.fill()? {
                Filled::End => return Ok(None),
                Filled::TooLong => return Ok(Some((self.number, Err(Malformed::TooLong)))),
                Filled::Line => {}
            }
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
            if !self.line.is_empty() {
                break;
            }
        }
        Ok(Some((self.number, Line::parse(&self.line))))
    }

    /// Reads up to the end of a line; of one that is too long no more is kept than of the others.
    fn fill(&mut self) -> io::Result<Filled> {
        self.line.clear();
        let (mut begun, mut too_long) = (false, false);
        loop {
            let buffer = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() && !begun {
                return Ok(Filled::End);
            }
            if !std::mem::replace(&mut begun, true) {
                self.number += 1;
            }
            let end = memchr::memchr(b'\n', buffer);
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            too_long |= self.line.len() + piece.len() > LINE_MAX;
            if !too_long {
                self.line.extend_from_slice(piece);
            }
            let (whole, used) = (end.is_some() || buffer.is_empty(), piece.len() + usize::from(end.is_some()));
            self.source.consume(used);
            if whole {
                return Ok(if too_long { Filled::TooLong } else { Filled::Line });
            }
        }
    }
}

enum Filled {
    Line,
    TooLong,
    End,
}

/// The longest line that is read.  Asterisk writes it from a buffer of 8 KiB.
pub const LINE_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::queue_log::Verb;

    /// Number of each line, and its verb or what is wrong with it.
    fn read(text: &[u8], buffer: usize) -> Vec<(u64, Result<String, Malformed>)> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, text));
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next_line().unwrap() {
            found.push((number, line.map(|line| format!("{:?}", line.verb))));
        }
        found
    }

    #[test]
    fn blank_lines_and_carriage_returns_are_no_lines() {
        let text = b"\n1|1.1|q|NONE|ABANDON\r\n\r\n\n2|1.2|q|NONE|PAUSE";
        for buffer in [1, 2, 7, 4096] {
            let found = read(text, buffer);
            assert_eq!(found, [(2, Ok("Abandoned".to_owned())), (5, Ok("Paused".to_owned()))]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_costs_one_line_and_no_memory() {
        let mut text = b"1|1.1|q|NONE|".to_vec();
        text.resize(10 * LINE_MAX, b'X');
        text.extend(b"\n2|1.2|q|NONE|PAUSE\n");
        let mut lines = Lines::new(BufReader::with_capacity(100, &text[..]));
        assert_eq!(lines.next_line().unwrap(), Some((1, Err(Malformed::TooLong))));
        assert_eq!(lines.next_line().unwrap().unwrap().1.unwrap().verb, Verb::Paused);
        assert!(lines.line.capacity() <= 2 * LINE_MAX);
        assert_eq!(lines.next_line().unwrap(), None);
    }
}
