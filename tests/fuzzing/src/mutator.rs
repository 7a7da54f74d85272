//! Changes of recordings, as noise, faulty software and an attacker make them.

use fastrand::Rng;

/// Makes inputs of a corpus, the same ones for the same seed.
#[derive(Debug)]
pub struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    rng: Rng,
}

impl<'a> Mutator<'a> {
    /// A mutator of a corpus that is not empty.
    pub fn new(corpus: &'a [Vec<u8>], seed: u64) -> Self {
        Self { corpus, rng: Rng::with_seed(seed) }
    }

    /// The next input: a part of a recording, of `longest` bytes at most before it was changed.
    pub fn input(&mut self, longest: usize) -> Vec<u8> {
        let mut input = self.part(longest);
        for _ in 0..self.rng.usize(0..=CHANGES) {
            self.change(&mut input, longest);
        }
        input
    }

    /// A part of a recording, which begins at a line.
    fn part(&mut self, longest: usize) -> Vec<u8> {
        let whole = &self.corpus[self.rng.usize(0..self.corpus.len())];
        let from =
            if self.rng.bool() { 0 } else { line_at(whole, self.rng.usize(0..=whole.len())) };
        let end = whole.len().min(from + longest);
        whole[from..end].to_vec()
    }

    fn change(&mut self, input: &mut Vec<u8>, longest: usize) {
        match self.rng.u8(0..9) {
            0 => self.flip(input),
            1 => self.drop_line(input),
            2 => self.repeat_lines(input),
            3 => self.swap_lines(input),
            4 => self.splice(input, longest),
            5 => self.change_number(input),
            6 => self.cut(input),
            7 => self.insert(input),
            _ => self.lengthen(input),
        }
    }

    fn flip(&mut self, input: &mut [u8]) {
        if !input.is_empty() {
            let at = self.rng.usize(0..input.len());
            input[at] ^= 1 << self.rng.u8(0..8);
        }
    }

    fn drop_line(&mut self, input: &mut Vec<u8>) {
        let line = self.line(input);
        input.drain(line);
    }

    fn repeat_lines(&mut self, input: &mut Vec<u8>) {
        let first = self.line(input);
        let end = line_end(input, (first.end + self.rng.usize(0..400)).min(input.len()));
        let lines = input[first.start..end].to_vec();
        let to = self.line(input).start;
        input.splice(to..to, lines);
    }

    fn swap_lines(&mut self, input: &mut Vec<u8>) {
        let (one, other) = (self.line(input), self.line(input));
        if one.end <= other.start {
            let line = input[other.clone()].to_vec();
            input.drain(other);
            input.splice(one.start..one.start, line);
        }
    }

    /// Goes on as another recording.
    fn splice(&mut self, input: &mut Vec<u8>, longest: usize) {
        let at = self.line(input).start;
        let rest = self.part(longest.saturating_sub(at));
        if self.rng.bool() {
            input.truncate(at);
        }
        input.splice(at..at, rest);
    }

    /// Puts another number in the place of one.
    fn change_number(&mut self, input: &mut Vec<u8>) {
        let from = self.rng.usize(0..=input.len());
        let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else { return };
        let start = from + start;
        let digits = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = self.rng.choice(NUMBERS).expect("numbers");
        input.splice(start..start + digits, number.bytes());
    }

    fn cut(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.usize(0..=input.len());
        input.truncate(at.max(input.len() / 4));
    }

    fn insert(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.usize(0..=input.len());
        let token = self.rng.choice(TOKENS).expect("tokens");
        input.splice(at..at, token.iter().copied());
    }

    /// A value, key or line that is far too long.
    fn lengthen(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.usize(0..=input.len());
        let byte = *self.rng.choice(b"x9: \t\xff\n").expect("bytes");
        let length = self.rng.usize(0..3000);
        input.splice(at..at, std::iter::repeat_n(byte, length));
    }

    /// A line with its end.
    fn line(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let start = line_at(input, self.rng.usize(0..=input.len()));
        start..line_end(input, start)
    }
}

/// Where the line begins that `at` is in.
fn line_at(text: &[u8], at: usize) -> usize {
    text[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |feed| feed + 1)
}

/// Behind the end of the line that `at` is in.
fn line_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |feed| at + feed + 1)
}

/// The most changes of one input.
const CHANGES: usize = 6;

/// Where types and rules end.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "127",
    "128",
    "255",
    "256",
    "32768",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e999",
    "NaN",
    "inf",
    "0.0000000001",
    "00000000000000000000000001",
    "99999999999999999999999999999999999999999",
];

/// What the readers take for a sign of something.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b": ",
    b":",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"|",
    b",",
    b";",
    b"\"",
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"&a ",
    b"*a",
    b"<<: ",
    b"- ",
    b"# ",
    b"%",
    b"\t",
    b"Asterisk Call Manager/",
    b"Event: ",
    b"Response: Follows\r\n",
    b"--END COMMAND--\r\n\r\n",
    b"ActionID: ae-1-QueueStatus\r\n",
    b"Event: FullyBooted\r\n\r\n",
    b"Event: Shutdown\r\n\r\n",
    b"\x1f\x8b\x08\0\0\0\0\0",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"q=0.5",
    b"*/*",
    b"application/*",
];
