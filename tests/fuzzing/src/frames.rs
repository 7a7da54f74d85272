//! Bytes to frames: cutting a stream otherwise gives the same items, and memory is limited.

use asterisk_exporter::ami::frame::{Decoder, Frame, Item, Limits, Line, Rejection};
use fastrand::Rng;

/// The first three bytes are whether it is a file, the limits and how the stream is cut; the rest
/// is the stream.
pub(crate) fn check(input: &[u8]) {
    let Some((&[file, limits, seed], stream)) = input.split_first_chunk() else { return };
    let limits = match limits % 4 {
        0 => Limits { line: 64, frame: 256 },
        1 => Limits { line: 256, frame: 1024 },
        _ => Limits::default(),
    };
    let decoder = || match file % 2 {
        0 => Decoder::new(limits),
        _ => Decoder::of_file(limits),
    };

    let whole = Reading::of(decoder(), limits, [stream]);
    let pieces = Reading::of(decoder(), limits, pieces(stream, seed));
    // A command's output that is too long has no rule where the stream goes on.
    let is_command = stream.windows(7).any(|word| word == b"Follows");
    if !(is_command && whole.too_long + pieces.too_long > 0) {
        assert_eq!(whole.items, pieces.items, "other items of the same stream");
    }
}

/// What was read of a stream.
struct Reading {
    items: Vec<String>,
    /// Items that were over a limit.
    too_long: usize,
}

impl Reading {
    fn of<'a>(
        mut decoder: Decoder,
        limits: Limits,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let mut reading = Self { items: Vec::new(), too_long: 0 };
        for piece in pieces {
            decoder.feed(piece);
            while let Some(item) = decoder.next_item() {
                reading.take(&item, limits);
            }
            // And the beginning of a blank line.
            assert!(decoder.pending() <= limits.frame + 3, "{} bytes are kept", decoder.pending());
        }
        reading
    }

    fn take(&mut self, item: &Item<'_>, limits: Limits) {
        self.items.push(match item {
            Item::Banner(version) => {
                assert!(version.len() <= limits.line, "a long greeting");
                format!("banner {}", version.escape_ascii())
            }
            Item::Frame(frame) => written(frame, limits),
            Item::Rejected(Rejection::UnknownType) => "unknown".to_owned(),
            // Which limit is seen first is a matter of how much has come.
            Item::Rejected(Rejection::LineTooLong | Rejection::FrameTooLong) => {
                self.too_long += 1;
                "too long".to_owned()
            }
        });
    }
}

/// A frame as text, of its lines read in each of the ways there are.
fn written(frame: &Frame<'_>, limits: Limits) -> String {
    let lines: Vec<_> = frame.lines().map(Line::text).collect();
    let mut each = Vec::new();
    frame.lines().each(|line| each.push(line.text()));
    let mut backwards: Vec<_> = frame.lines().rev().map(Line::text).collect();
    backwards.reverse();
    assert_eq!(lines, each, "lines one by one and all at once");
    assert_eq!(lines, backwards, "lines forwards and backwards");

    assert!(lines.iter().all(|line| line.len() <= limits.line), "a long line");
    assert!(lines.iter().map(|line| line.len()).sum::<usize>() <= limits.frame, "a long frame");
    plain_headers(frame, &lines);

    let lines: Vec<_> = lines.iter().map(|line| line.escape_ascii().to_string()).collect();
    format!("{:?} {} {lines:?}", frame.kind, frame.name.escape_ascii())
}

/// Headers are what stands around the first colon, but for one space.
fn plain_headers(frame: &Frame<'_>, lines: &[&[u8]]) {
    let plain = lines.iter().filter_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let value = &line[colon + 1..];
        Some((&line[..colon], value.strip_prefix(b" ").unwrap_or(value)))
    });
    assert!(frame.headers().eq(plain), "headers of {lines:?}");
}

/// The stream in pieces, from single bytes to what a socket gives at once.
fn pieces(mut stream: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut rng = Rng::with_seed(seed.into());
    let longest = *rng.choice(&[1, 3, 64, 1000, 9000]).expect("lengths");
    let mut pieces = Vec::new();
    while !stream.is_empty() {
        let (piece, rest) = stream.split_at(rng.usize(1..=longest).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}
