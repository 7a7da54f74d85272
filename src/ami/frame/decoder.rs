//! A stream of bytes, cut into frames.
//!
//! Any cut of the stream gives the same frames.  Frames borrow the decoder's buffer: nothing is
//! copied out, and a frame whose [`Frame::name`] is not needed costs no more than finding its end.
//!
//! Asterisk ends its lines with carriage return and line feed.  A capture that went through an
//! editor or a shell may have line feeds only: [`Decoder::of_file`] goes by the first line for all
//! of them.
//!
//! Three things do not follow the rule: the banner is one line without a blank line behind it, a
//! `Response: Follows` of Asterisk 13 and older holds raw output lines and ends with `--END
//! COMMAND--`, and input past the configured size is dropped up to the next blank line.

use memchr::{memchr, memchr_iter, memmem};

use super::lines::{BLOCK, Lines, line_feeds, line_feeds_of_rest};
use super::message::Frame;

/// How large input may be.  Asterisk itself sets no limit; its largest real event is about 1 kB.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Longest line in bytes, without its line end.
    pub line: usize,
    /// Longest frame in bytes.
    pub frame: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 65_536, frame: 1_048_576 }
    }
}

/// Cuts a stream into frames.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    line_ends: LineEnds,
    buffer: Vec<u8>,
    /// Where the frame that is being read begins in `buffer`.
    start: usize,
    /// Line feeds of that frame, [`BLOCK`] bytes a word: whole blocks that were searched for its
    /// end.
    marks: Vec<u64>,
    /// The marks are those of the frame that was given out last, which borrowed them.
    given_out: bool,
    /// The frame being read is over its limit: drop bytes up to the blank line.
    dropping: bool,
}

/// How lines end in a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LineEnds {
    /// A file whose first line has not ended yet.
    Unknown,
    /// Carriage return and line feed, as Asterisk writes them.
    CarriageReturns,
    /// Line feeds only.
    LineFeeds,
}

/// A part of a stream.
#[derive(Debug)]
pub enum Item<'a> {
    /// The greeting, with the AMI version: `5.0.4`.
    Banner(&'a [u8]),
    /// An event or a response.
    Frame(Frame<'a>),
    /// Input that was dropped.
    Rejected(Rejection),
}

/// Why input was dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// A line over [`Limits::line`].
    LineTooLong,
    /// A frame over [`Limits::frame`].
    FrameTooLong,
    /// The first line is neither `Event:` nor `Response:`.
    UnknownType,
}

impl Limits {
    /// What is too long in a frame, or in the beginning of one.
    fn exceeded_by(self, frame: &[u8]) -> Option<Rejection> {
        // Whichever comes first, however much has come: any cut of the stream gives the same reason.
        let whole = frame.len();
        let frame = &frame[..whole.min(self.frame)];
        let too_long = (whole > self.frame).then_some(Rejection::FrameTooLong);
        // A frame no longer than a line may be holds no line that is too long.
        if frame.len() <= self.line {
            return too_long;
        }

        let mut start = 0;
        for feed in memchr_iter(b'\n', frame).chain([frame.len()]) {
            let line = &frame[start..feed];
            if line.strip_suffix(b"\r").unwrap_or(line).len() > self.line {
                return Some(Rejection::LineTooLong);
            }
            start = feed + 1;
        }
        too_long
    }
}

impl Rejection {
    /// The label value.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LineTooLong => "line_too_long",
            Self::FrameTooLong => "frame_too_long",
            Self::UnknownType => "unknown_type",
        }
    }
}

impl Decoder {
    /// An empty decoder of what a PBX sends.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            line_ends: LineEnds::CarriageReturns,
            buffer: Vec::new(),
            start: 0,
            marks: Vec::new(),
            given_out: false,
            dropping: false,
        }
    }

    /// An empty decoder of a file, whose lines may end with line feeds only.
    pub fn of_file(limits: Limits) -> Self {
        Self { line_ends: LineEnds::Unknown, ..Self::new(limits) }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        // What was read is dropped only here: the frame that was given out last borrowed it.
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole item, or `None` until more bytes come.
    pub fn next_item(&mut self) -> Option<Item<'_>> {
        if std::mem::take(&mut self.given_out) {
            self.marks.clear();
        }
        if self.line_ends == LineEnds::Unknown {
            self.detect_line_ends();
        }
        if self.dropping {
            self.drop_rest()?;
        }

        self.skip_blank_lines();
        if self.buffer[self.start..].starts_with(BANNER) {
            return self.banner();
        }

        let Some((end, next)) = self.frame_end() else {
            return self.refuse_endless().map(Item::Rejected);
        };

        // The frame is passed before it is looked at: one that cannot be read costs only itself.
        let text = &self.buffer[self.start..];
        self.start += next;
        self.given_out = true;
        if let Some(rejection) = self.limits.exceeded_by(&text[..end]) {
            return Some(Item::Rejected(rejection));
        }

        // The blank line is none of them.
        let lines = Lines::new(text, next - self.line_ends.line_end().len(), &self.marks);
        Some(match Frame::parse(lines) {
            Some(frame) => Item::Frame(frame),
            None => Item::Rejected(Rejection::UnknownType),
        })
    }

    /// Bytes of a frame that has not ended yet.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Decides how lines end, by the first line that has ended, behind the mark that some editors
    /// write before it.
    fn detect_line_ends(&mut self) {
        let Some(at) = memchr(b'\n', &self.buffer[self.start..]) else { return };
        let line = &self.buffer[self.start..self.start + at];
        self.line_ends =
            if line.ends_with(b"\r") { LineEnds::CarriageReturns } else { LineEnds::LineFeeds };

        if line.starts_with(BYTE_ORDER_MARK) {
            self.go_to(self.start + BYTE_ORDER_MARK.len());
        }
    }

    fn skip_blank_lines(&mut self) {
        while self.line_ends.begin(&self.buffer[self.start..]) {
            self.go_to(self.start + self.line_ends.line_end().len());
        }
    }

    fn banner(&mut self) -> Option<Item<'_>> {
        let mark = self.line_ends.line_end();
        let Some(length) = memmem::find(&self.buffer[self.start..], mark) else {
            return self.refuse_endless().map(Item::Rejected);
        };
        let (start, end) = (self.start, self.start + length);
        if let Some(rejection) = self.limits.exceeded_by(&self.buffer[start..end]) {
            // As if it had come in pieces: what is dropped has no end but a blank line.
            self.dropping = true;
            self.go_to(end);
            return Some(Item::Rejected(rejection));
        }

        self.go_to(end + mark.len());
        Some(Item::Banner(&self.buffer[start + BANNER.len()..end]))
    }

    /// Where the frame ends and where the next one may begin, counted from where it begins.
    fn frame_end(&mut self) -> Option<(usize, usize)> {
        let text = &self.buffer[self.start..];
        let mut from = self.marks.len() * BLOCK;
        let mut before = self.marks.last().copied().unwrap_or_default();

        // Two line feeds so near to each other may be a blank line.
        let apart = self.line_ends.blank_line().len() / 2;
        let near = |before: u64, feeds: u64| {
            feeds & (feeds << apart | before >> (u64::BITS as usize - apart))
        };

        let (blocks, rest) = text[from..].as_chunks();
        for block in blocks {
            let feeds = line_feeds(block);
            self.marks.push(feeds);
            let candidates = near(before, feeds);
            if candidates != 0
                && let Some(end) = self.line_ends.find_end(text, from, candidates)
            {
                return Some(end);
            }
            before = feeds;
            from += BLOCK;
        }

        // What is less than a block is looked at again when more has come.
        let feeds = line_feeds_of_rest(rest);
        let end = self.line_ends.find_end(text, from, near(before, feeds))?;
        self.marks.push(feeds);
        Some(end)
    }

    /// Gives up on a frame that is too long although its end has not come.
    fn refuse_endless(&mut self) -> Option<Rejection> {
        // What may be the beginning of its end is no part of it, as when it had come with the end.
        let text = &self.buffer[self.start..];
        let blank = self.line_ends.blank_line();
        let ending = (1..blank.len()).rev().find(|&length| text.ends_with(&blank[..length]));
        let frame = &text[..text.len() - ending.unwrap_or_default()];

        let rejection = self.limits.exceeded_by(frame)?;
        self.dropping = true;
        self.forget_searched();
        Some(rejection)
    }

    fn drop_rest(&mut self) -> Option<()> {
        let blank = self.line_ends.blank_line();
        if let Some(at) = memmem::find(&self.buffer[self.start..], blank) {
            self.go_to(self.start + at + blank.len());
            self.dropping = false;
            return Some(());
        }
        self.forget_searched();
        None
    }

    /// Forgets what was read, but for the beginning of a blank line that may be at its end.
    fn forget_searched(&mut self) {
        let blank = self.line_ends.blank_line().len();
        self.go_to(self.buffer.len().saturating_sub(blank - 1).max(self.start));
    }

    /// Lets the next frame begin at `start`.
    fn go_to(&mut self, start: usize) {
        self.start = start;
        self.marks.clear();
    }
}

impl LineEnds {
    const fn line_end(self) -> &'static [u8] {
        match self {
            Self::Unknown | Self::CarriageReturns => b"\r\n",
            Self::LineFeeds => b"\n",
        }
    }

    const fn blank_line(self) -> &'static [u8] {
        match self {
            Self::Unknown | Self::CarriageReturns => b"\r\n\r\n",
            Self::LineFeeds => b"\n\n",
        }
    }

    /// Where the frame that `text` begins with ends, and where the next one may begin: behind one of
    /// the line feeds that are marked in the block at `from`.
    fn find_end(self, text: &[u8], from: usize, mut candidates: u64) -> Option<(usize, usize)> {
        while candidates != 0 {
            let next = from + candidates.trailing_zeros() as usize + 1;
            if self.end_frame(&text[..next]) {
                return Some((next - self.blank_line().len(), next));
            }
            candidates &= candidates - 1;
        }
        None
    }

    /// Whether `text` begins with a blank line.
    fn begin(self, text: &[u8]) -> bool {
        match self {
            Self::Unknown | Self::CarriageReturns => text.starts_with(b"\r\n"),
            Self::LineFeeds => text.starts_with(b"\n"),
        }
    }

    /// Whether `text` is a whole frame.
    fn end_frame(self, text: &[u8]) -> bool {
        let is_blank = match self {
            Self::Unknown | Self::CarriageReturns => text.ends_with(b"\r\n\r\n"),
            Self::LineFeeds => text.ends_with(b"\n\n"),
        };
        // A command's raw output may have blank lines.
        let (follows, end_command) = self.command_output();
        is_blank && (!text.starts_with(follows) || text.ends_with(end_command))
    }

    /// The beginning and the end of the output of a command.
    const fn command_output(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Unknown | Self::CarriageReturns => {
                (b"Response: Follows\r\n", b"--END COMMAND--\r\n\r\n")
            }
            Self::LineFeeds => (b"Response: Follows\n", b"--END COMMAND--\n\n"),
        }
    }
}

/// The beginning of the greeting; the version of the manager interface follows.
pub const BANNER: &[u8] = b"Asterisk Call Manager/";
/// The mark that Windows editors write before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(decoder: &mut Decoder) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(item) = decoder.next_item() {
            found.push(match item {
                Item::Frame(frame) => {
                    format!("{:?} {:?} {:?}", frame.kind, text(frame.name), pairs(&frame))
                }
                Item::Banner(version) => format!("banner {:?}", text(version)),
                Item::Rejected(why) => format!("{why:?}"),
            });
        }
        found
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn pairs(frame: &Frame<'_>) -> Vec<(String, String)> {
        frame.headers().map(|(key, value)| (text(key), text(value))).collect()
    }

    fn whole(stream: &[u8], limits: Limits) -> Vec<String> {
        let mut decoder = Decoder::new(limits);
        decoder.feed(stream);
        items(&mut decoder)
    }

    const STREAM: &[u8] = b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nMessage: a: b:c\r\n\r\n\
        Event: Newchannel\r\nAccountCode:\r\nExten: \r\nUniqueID: 1.1\r\nX: \xff\r\nX: 2\r\n\r\n\r\n\
        Greeting: no\r\n\r\nResponse: Follows\r\nPrivilege: Command\r\nraw line\n\na: b\n--END COMMAND--\r\n\r\n\
        event: Hangup\r\nCause-txt: Normal Clearing\r\n\r\n";

    #[test]
    fn frames_are_read_as_they_were_sent() {
        assert_eq!(
            whole(STREAM, Limits::default()),
            [
                r#"banner "5.0.4""#,
                r#"Response "Success" [("Message", "a: b:c")]"#,
                r#"Event "Newchannel" [("AccountCode", ""), ("Exten", ""), ("UniqueID", "1.1"), ("X", "�"), ("X", "2")]"#,
                "UnknownType",
                r#"Response "Follows" [("Privilege", "Command"), ("a", "b")]"#,
                r#"Event "Hangup" [("Cause-txt", "Normal Clearing")]"#,
            ]
        );
    }

    fn with_line_feeds(stream: &[u8]) -> Vec<u8> {
        let mut text = stream.to_vec();
        text.retain(|&byte| byte != b'\r');
        text
    }

    fn whole_file(stream: &[u8]) -> Vec<String> {
        let mut decoder = Decoder::of_file(Limits::default());
        decoder.feed(stream);
        items(&mut decoder)
    }

    #[test]
    fn a_file_with_line_feeds_only_has_the_same_frames() {
        let expected = whole(STREAM, Limits::default());
        let marked = [BYTE_ORDER_MARK, STREAM].concat();
        for file in [STREAM, &with_line_feeds(STREAM), &marked, &with_line_feeds(&marked)] {
            assert_eq!(whole_file(file), expected);
        }
        // What a PBX sends is never read so: a value may hold a line feed.
        let frame = b"Event: A\r\nValue: 1\n\n2\r\n\r\n";
        assert_eq!(whole(frame, Limits::default()), [r#"Event "A" [("Value", "1")]"#]);
        assert_eq!(whole_file(frame), [r#"Event "A" [("Value", "1")]"#]);
        assert!(whole(&with_line_feeds(STREAM), Limits::default()).is_empty());
    }

    #[test]
    fn a_line_over_the_limit_costs_its_frame_only() {
        let limits = Limits { line: 20, frame: 1000 };
        let stream = b"Event: A\r\nK: 0123456789012345678901234567890\r\n\r\nEvent: B\r\n\r\n";
        assert_eq!(whole(stream, limits), ["LineTooLong", r#"Event "B" []"#]);
    }

    #[test]
    fn a_frame_over_the_limit_is_dropped_before_its_end_comes() {
        let limits = Limits { line: 20, frame: 40 };
        let mut decoder = Decoder::new(limits);
        decoder.feed(b"Event: A\r\n");
        for _ in 0..1000 {
            decoder.feed(b"Key: 0123456789\r\n");
            items(&mut decoder);
            assert!(decoder.pending() < 64);
        }
        decoder.feed(b"\r\nEvent: B\r\n\r\n");
        assert_eq!(items(&mut decoder), [r#"Event "B" []"#]);
    }

    #[test]
    fn a_greeting_over_the_limit_is_dropped_before_its_end_comes() {
        let limits = Limits { line: 30, frame: 2000 };
        let rest = b"\r\nEvent: A\r\n\r\nEvent: B\r\n\r\n";
        let stream = [BANNER, &[b'5'; 1000], rest].concat();
        let expected = ["LineTooLong", r#"Event "B" []"#];
        assert_eq!(whole(&stream, limits), expected);

        let mut decoder = Decoder::new(limits);
        let mut found = Vec::new();
        for byte in &stream {
            decoder.feed(&[*byte]);
            found.extend(items(&mut decoder));
            assert!(decoder.pending() <= 31);
        }
        assert_eq!(found, expected);

        let longest = [BANNER, &[b'5'; 8], b"\r\n"].concat();
        assert_eq!(whole(&longest, limits), [r#"banner "55555555""#]);
    }

    #[test]
    fn a_frame_of_exactly_the_limit_is_fine_however_it_is_cut() {
        let limits = Limits { line: 20, frame: 20 };
        let stream = b"Event: A\r\nKey: 12345\r\n\r\n";
        let longer = b"Event: A\r\nKey: 123456\r\n\r\n";
        for cut in 0..stream.len() {
            let found = in_pieces(stream, &[cut], Decoder::new(limits));
            assert_eq!(found, [r#"Event "A" [("Key", "12345")]"#], "cut at {cut}");
            let found = in_pieces(longer, &[cut], Decoder::new(limits));
            assert_eq!(found, ["FrameTooLong"], "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_over_both_limits_is_refused_for_the_first_however_it_is_cut() {
        let limits = Limits { line: 20, frame: 50 };
        let long_line =
            [&b"Event: A\r\nK: "[..], &[b'v'; 30], b"\r\nKey: 0123456789\r\n\r\n"].concat();
        let long_frame = [
            &b"Event: A\r\n"[..],
            &b"K: 0123456789\r\n".repeat(4),
            b"K: ",
            &[b'v'; 30],
            b"\r\n\r\n",
        ]
        .concat();
        for (stream, reason) in [(long_line, "LineTooLong"), (long_frame, "FrameTooLong")] {
            assert!(stream.len() > limits.frame + 4);
            for cut in 0..stream.len() {
                let found = in_pieces(&stream, &[cut], Decoder::new(limits));
                assert_eq!(found, [reason], "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_fine() {
        let limits = Limits { line: 10, frame: 1000 };
        assert_eq!(
            whole(b"Event: ABC\r\nK: 0123456\r\n\r\n", limits),
            [r#"Event "ABC" [("K", "0123456")]"#]
        );
        assert_eq!(whole(b"Event: ABC\r\nK: 01234567\r\n\r\n", limits), ["LineTooLong"]);
    }

    fn in_pieces(stream: &[u8], cuts: &[usize], mut decoder: Decoder) -> Vec<String> {
        let mut found = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().map(|&cut| cut.min(stream.len())).chain([stream.len()]) {
            decoder.feed(&stream[from..cut]);
            found.extend(items(&mut decoder));
            from = cut;
        }
        found
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_frames(cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let found = in_pieces(STREAM, &cuts, Decoder::new(Limits::default()));
            prop_assert_eq!(&in_pieces(STREAM, &cuts, Decoder::of_file(Limits::default())), &found);
            let unix = with_line_feeds(STREAM);
            prop_assert_eq!(&in_pieces(&unix, &cuts, Decoder::of_file(Limits::default())), &found);
            prop_assert_eq!(found, whole(STREAM, Limits::default()));
        }

        #[test]
        fn noise_never_panics_and_never_grows(noise in proptest::collection::vec(any::<u8>(), 0..4000), step in 1..300usize) {
            let mut decoder = Decoder::new(Limits { line: 50, frame: 200 });
            for piece in noise.chunks(step) {
                decoder.feed(piece);
                items(&mut decoder);
                prop_assert!(decoder.pending() <= 200 + step);
            }
        }
    }
}
