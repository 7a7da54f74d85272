//! The headers that events need, found in one pass over a frame.
//!
//! A line is recognised by its first bytes, in any case: keys vary in case between events and
//! versions (`UniqueID`, `Uniqueid`).  Nearly all lines are those that stood there in the last event
//! of that name ([`Layout`]), so that one comparison is enough.

use super::field::moment;
use super::layout::{Head, Layout, Recognised, WORDS};
use super::{Event, Kind};
use crate::ami::frame::{Frame, Line, Span};
use crate::clock::Moment;

/// The key of a header that some event needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Key {
    ActionId,
    AppData,
    Application,
    ApplicationData,
    BridgeId,
    BridgeTechnology,
    BridgeUniqueid,
    Cause,
    Channel,
    ChannelState,
    ChanVariable,
    Context,
    DestChannel,
    DestChannelState,
    DestChanVariable,
    DestContext,
    DestLinkedid,
    DestUniqueid,
    DialStatus,
    DialString,
    Exten,
    Extension,
    Forward,
    HoldTime,
    Interface,
    LastCall,
    LastPause,
    Linkedid,
    Location,
    LoginTime,
    MemberName,
    Membership,
    Name,
    Paused,
    PausedReason,
    Penalty,
    Queue,
    Reason,
    RingTime,
    StateInterface,
    Status,
    SwapUniqueid,
    TalkTime,
    Timestamp,
    Uniqueid,
    Value,
    Variable,
    WrapupTime,
}

/// The headers of one event; of several with one key the last.
pub(super) struct Headers<'a> {
    frame: Frame<'a>,
    /// Of each key, and a place for all lines that are not needed.
    spans: [Span; KEYS.len() + 1],
}

impl<'a> Headers<'a> {
    /// Those of a frame that was not read yet.
    pub(super) fn new(frame: &Frame<'a>) -> Self {
        Self { frame: *frame, spans: [Span::default(); KEYS.len() + 1] }
    }

    /// Reads the frame, whose lines may be laid out as in `layout`.
    pub(super) fn read(&mut self, layout: &mut Layout) {
        let mut at = 0;
        self.frame.lines().each(|line| {
            let Recognised { len, slot } = match layout.at(at) {
                Some(known) if known.begins(&Head::of(line)) => {
                    at += 1;
                    known.recognised
                }
                _ => {
                    let Some((found, next)) = self.recognise(line.span(), at, layout) else {
                        return;
                    };
                    at = next;
                    found
                }
            };
            // The place of what is not needed is written, too: a branch would cost more.
            self.spans[usize::from(slot)] = line.span_behind(usize::from(len) - 1);
        });
    }

    /// Recognises a line that was not expected at `at`, and what is expected next.  A channel variable
    /// is taken or left at once, as its value decides.
    #[cold]
    #[inline(never)]
    fn recognise(
        &mut self,
        line: Span,
        at: usize,
        layout: &mut Layout,
    ) -> Option<(Recognised, usize)> {
        let line = self.frame.lines().line(line);
        let head = Head::of(line);
        let found = match Spelling::of(&head) {
            None => Recognised { len: head.key_len(), slot: NOT_NEEDED },
            // Of all channel variables (channelvars of manager.conf) one is needed.
            Some(Spelling {
                key: key @ (Key::ChanVariable | Key::DestChanVariable), len, ..
            }) => {
                if line.value_behind(usize::from(*len)).starts_with(QUEUE_STATUS) {
                    self.spans[*key as usize] = line.span_behind(usize::from(*len));
                }
                return None;
            }
            Some(spelling) => Recognised { len: spelling.len + 1, slot: spelling.key as u8 },
        };
        Some((found, layout.go_on(at, &head, found)))
    }

    /// The event in which `kind` happened.
    #[inline]
    pub(super) fn event(&self, kind: Kind<'a>) -> Option<Event<'a>> {
        Some(Event { at: moment(self.get(Key::Timestamp)), kind })
    }

    /// The value of a header, if it is there; no more of it than [`LONGEST_VALUE`].
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<&'a [u8]> {
        self.frame.lines().value(self.spans[key as usize]).map(shortened)
    }

    /// The value of a header; empty if it is absent.
    pub(super) fn get(&self, key: Key) -> &'a [u8] {
        self.find(key).unwrap_or_default()
    }

    /// The first value of a header that is too rare for the pass.
    pub(super) fn search(&self, key: &str) -> Option<&'a [u8]> {
        self.frame.header(key)
    }

    /// All headers in order, in full.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.frame.headers()
    }
}

/// The `Timestamp` header of a frame.  It is the second header or near it.
pub fn timestamp(frame: &Frame<'_>) -> Option<Moment> {
    moment(first(frame, Key::Timestamp)?)
}

/// The value of the first header with that key.
fn first<'a>(frame: &Frame<'a>, key: Key) -> Option<&'a [u8]> {
    SPELLINGS[key as usize].find_in(frame.lines())
}

/// The value of the last header with that key.
pub(super) fn last<'a>(frame: &Frame<'a>, key: Key) -> Option<&'a [u8]> {
    SPELLINGS[key as usize].find_in(frame.lines().rev())
}

/// A key as it is compared: in lower case, with its colon.
#[derive(Clone, Copy)]
struct Spelling {
    key: Key,
    /// Length without the colon.
    len: u8,
    /// The next key with the same beginning; none if it is out of range.
    next: u8,
    /// Eight bytes each: what they are, and which of them count.
    words: [(u64, u64); WORDS],
}

impl Spelling {
    const fn new((spelling, key): (&str, Key)) -> Self {
        let bytes = spelling.as_bytes();
        let mut words = [(0, 0); WORDS];
        let mut at = 0;
        while at < bytes.len() {
            let shift = 8 * (at % 8);
            words[at / 8].0 |= (bytes[at] as u64) << shift;
            words[at / 8].1 |= 0xff << shift;
            at += 1;
        }
        Self { key, len: bytes.len() as u8 - 1, next: NONE, words }
    }

    /// The key that a line begins with, if it is one of these.
    fn of(head: &Head) -> Option<&'static Self> {
        let beginning = (head.words()[0] | LOWER) & BEGINNING;
        let slot = &SLOTS[slot(beginning)];
        let mut at = if slot.beginning == beginning { slot.first } else { NONE };
        while let Some(spelling) = SPELLINGS.get(usize::from(at)) {
            if spelling.is_key_of(head) {
                return Some(spelling);
            }
            at = spelling.next;
        }
        None
    }

    /// The value of the first of these lines with that key.
    #[inline]
    fn find_in<'a>(&self, mut lines: impl Iterator<Item = Line<'a>>) -> Option<&'a [u8]> {
        let line = lines.find(|&line| self.is_key_of(&Head::of(line)))?;
        Some(line.value_behind(usize::from(self.len)))
    }

    /// Letters are compared in lower case, the colon as it is: another byte becomes one, too.
    #[inline]
    fn is_key_of(&self, head: &Head) -> bool {
        let words = head.words();
        let mut pairs = self.words.iter().zip(words);
        pairs.all(|((word, mask), found)| (found | LOWER) & mask == *word)
            && head.byte(usize::from(self.len)) == b':'
    }
}

/// Where keys with one beginning are.
#[derive(Clone, Copy)]
struct Slot {
    /// Their first five bytes, in lower case; zero if there is no such key.
    beginning: u64,
    /// The first of them.
    first: u8,
}

const fn slot(head: u64) -> usize {
    ((head & BEGINNING).wrapping_mul(FACTOR) >> SLOT_SHIFT) as usize
}

/// The slots, and the keys chained from them.
const LAYOUT: ([Slot; SLOT_COUNT], [Spelling; KEYS.len()]) = {
    let mut slots = [Slot { beginning: 0, first: NONE }; SLOT_COUNT];
    let mut spellings = [Spelling::new(KEYS[0]); KEYS.len()];
    let mut at = 0;
    while at < KEYS.len() {
        let mut spelling = Spelling::new(KEYS[at]);
        assert!(spelling.key as usize == at, "keys are in the order of their declaration");
        let beginning = spelling.words[0].0 & BEGINNING;
        let slot = &mut slots[slot(beginning)];
        let is_free = slot.beginning == 0 || slot.beginning == beginning;
        assert!(is_free, "two beginnings have one slot: choose another factor");
        spelling.next = slot.first;
        *slot = Slot { beginning, first: at as u8 };
        spellings[at] = spelling;
        at += 1;
    }
    (slots, spellings)
};

static SLOTS: [Slot; SLOT_COUNT] = LAYOUT.0;
static SPELLINGS: [Spelling; KEYS.len()] = LAYOUT.1;

/// All keys in lower case with their colon, in the order of [`Key`].  They consist of letters, so
/// that one bit makes any spelling lower case.
const KEYS: [(&str, Key); 48] = [
    ("actionid:", Key::ActionId),
    ("appdata:", Key::AppData),
    ("application:", Key::Application),
    ("applicationdata:", Key::ApplicationData),
    ("bridgeid:", Key::BridgeId),
    ("bridgetechnology:", Key::BridgeTechnology),
    ("bridgeuniqueid:", Key::BridgeUniqueid),
    ("cause:", Key::Cause),
    ("channel:", Key::Channel),
    ("channelstate:", Key::ChannelState),
    ("chanvariable:", Key::ChanVariable),
    ("context:", Key::Context),
    ("destchannel:", Key::DestChannel),
    ("destchannelstate:", Key::DestChannelState),
    ("destchanvariable:", Key::DestChanVariable),
    ("destcontext:", Key::DestContext),
    ("destlinkedid:", Key::DestLinkedid),
    ("destuniqueid:", Key::DestUniqueid),
    ("dialstatus:", Key::DialStatus),
    ("dialstring:", Key::DialString),
    ("exten:", Key::Exten),
    ("extension:", Key::Extension),
    ("forward:", Key::Forward),
    ("holdtime:", Key::HoldTime),
    ("interface:", Key::Interface),
    ("lastcall:", Key::LastCall),
    ("lastpause:", Key::LastPause),
    ("linkedid:", Key::Linkedid),
    ("location:", Key::Location),
    ("logintime:", Key::LoginTime),
    ("membername:", Key::MemberName),
    ("membership:", Key::Membership),
    ("name:", Key::Name),
    ("paused:", Key::Paused),
    ("pausedreason:", Key::PausedReason),
    ("penalty:", Key::Penalty),
    ("queue:", Key::Queue),
    ("reason:", Key::Reason),
    ("ringtime:", Key::RingTime),
    ("stateinterface:", Key::StateInterface),
    ("status:", Key::Status),
    ("swapuniqueid:", Key::SwapUniqueid),
    ("talktime:", Key::TalkTime),
    ("timestamp:", Key::Timestamp),
    ("uniqueid:", Key::Uniqueid),
    ("value:", Key::Value),
    ("variable:", Key::Variable),
    ("wrapuptime:", Key::WrapupTime),
];

/// The only channel variable that is needed.
pub(super) const QUEUE_STATUS: &[u8] = b"QUEUESTATUS=";
/// The shortest key and its colon have five bytes.
const BEGINNING: u64 = 0xff_ffff_ffff;
/// With it no two beginnings have the same slot.
const FACTOR: u64 = 0xf9bd_dea5_d129_82e5;
/// The bit that makes a letter lower case, in each byte; a colon has it already.
const LOWER: u64 = 0x2020_2020_2020_2020;
/// The place of all lines that are not needed.
const NOT_NEEDED: u8 = KEYS.len() as u8;
const SLOT_COUNT: usize = 128;
const SLOT_SHIFT: u32 = 64 - SLOT_COUNT.ilog2();
/// No key has that place.
const NONE: u8 = u8::MAX;

/// No more of a value than is kept: ids and names of Asterisk have less than 150 bytes, so that what is
/// tracked has a bound in bytes, too.
#[inline]
pub(super) fn shortened(value: &[u8]) -> &[u8] {
    &value[..value.len().min(LONGEST_VALUE)]
}

/// In bytes.  What may be longer, as the path of a recording, is read by [`Headers::search`].
const LONGEST_VALUE: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::TestCaseResult;

    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};

    /// A key as an event might have it: one that is read, nearly one, or another.
    fn key() -> impl Strategy<Value = String> {
        let known = (0..KEYS.len(), any::<u32>()).prop_map(|(at, upper)| {
            let letters = KEYS[at].0.trim_end_matches(':').char_indices();
            letters
                .map(|(i, c)| if upper >> i & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect()
        });
        let near = (known.clone(), "[a-zA-Z -]{0,2}", 0..3usize).prop_map(|(key, more, less)| {
            let key: String = key;
            format!("{}{more}", &key[..key.len() - less])
        });
        prop_oneof![4 => known, 2 => near, 1 => "[ -9;-~]{0,20}"]
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[ -~]{0,40}", 1 => "QUEUESTATUS=[A-Z]{0,8}", 1 => " {0,3}: ?[a-z]{0,90}"]
    }

    /// Key and value as Asterisk means them, without a thought of speed.
    fn split(line: &str) -> Option<(&str, &str)> {
        let (key, value) = line.split_once(':')?;
        Some((key, value.strip_prefix(' ').unwrap_or(value)))
    }

    /// The headers that are found in a frame of these lines are those of a plain reader, whatever
    /// `layout` has learned.
    fn check(frame: &Frame<'_>, lines: &[String], layout: &mut Layout) -> TestCaseResult {
        let expected: Vec<_> = lines.iter().filter_map(|line| split(line)).collect();
        let found: Vec<_> = frame.headers().collect();
        let wanted: Vec<_> =
            expected.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
        prop_assert_eq!(found, wanted);

        let mut headers = Headers::new(frame);
        headers.read(layout);
        for (spelling, key) in KEYS {
            let of_key = || {
                expected
                    .iter()
                    .filter(|(found, _)| found.eq_ignore_ascii_case(spelling.trim_end_matches(':')))
            };
            let values = || of_key().map(|(_, value)| value.as_bytes());
            prop_assert_eq!(first(frame, key), values().next());
            prop_assert_eq!(last(frame, key), values().next_back());
            prop_assert_eq!(frame.header(spelling.trim_end_matches(':')), values().next());
            let is_variable = matches!(key, Key::ChanVariable | Key::DestChanVariable);
            let needed = |value: &&[u8]| !is_variable || value.starts_with(QUEUE_STATUS);
            prop_assert_eq!(headers.find(key), values().rfind(needed));
        }
        Ok(())
    }

    /// The lines of a next event of the same name: some are absent, one is elsewhere, one is new.
    fn next_lines(
        lines: &[String],
        (absent, many, from, to, new): (usize, usize, usize, usize, String),
    ) -> Vec<String> {
        let mut next = lines.to_vec();
        let absent = absent % next.len();
        next.drain(absent..(absent + many).min(lines.len()));
        if !next.is_empty() {
            let moved = next.remove(from % next.len());
            next.insert(to % (next.len() + 1), moved);
        }
        next.insert(to % (next.len() + 1), new);
        next
    }

    proptest! {
        #[test]
        fn headers_are_those_of_a_plain_reader(
            lines in proptest::collection::vec((key(), any::<bool>(), value()), 0..40),
            feeds_only in any::<bool>(),
            cuts in proptest::collection::vec(0..2000usize, 0..5),
            next in proptest::collection::vec(
                (0..40usize, 0..4usize, 0..40usize, 0..40usize, (key(), value())),
                0..12,
            ),
        ) {
            let lines: Vec<String> = lines
                .into_iter()
                .map(|(key, space, value)| format!("{key}:{}{value}", if space { " " } else { "" }))
                .chain(["Raw line".to_owned()])
                .collect();
            let end = if feeds_only { "\n" } else { "\r\n" };
            let text_of = |lines: &[String]| {
                format!("Event: Some{end}{}{end}{end}Event: Next{end}{end}", lines.join(end))
            };
            let text = text_of(&lines);

            let mut decoder = Decoder::of_file(Limits::default());
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut < text.len()).collect();
            cuts.sort_unstable();
            // The frame is complete with the last piece at the latest, and borrows it.
            let mut from = 0;
            for cut in cuts {
                decoder.feed(&text.as_bytes()[from..cut]);
                from = cut;
                if text[..cut].contains(&format!("{end}{end}")) {
                    break;
                }
                prop_assert!(decoder.next_item().is_none());
            }
            decoder.feed(&text.as_bytes()[from..]);
            let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
            let mut layout = Layout::default();
            check(&frame, &lines, &mut layout)?;

            // Each event is much like the one before it, or like the first one again.
            let mut before = lines.clone();
            for (absent, many, from, to, (key, value)) in next {
                let new = format!("{key}:{value}");
                before = next_lines(&before, (absent, many, from, to, new));
                if before.is_empty() { continue }
                for lines in [&before, &lines] {
                    let mut decoder = Decoder::of_file(Limits::default());
                    decoder.feed(text_of(lines).as_bytes());
                    let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
                    check(&frame, lines, &mut layout)?;
                }
            }
        }
    }

    #[test]
    fn a_byte_that_looks_like_a_colon_in_lower_case_ends_no_key() {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(b"Event: A\r\nQueue\x1a 1: x\r\nUniqueid: 2\r\n\r\n");
        let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
        let mut headers = Headers::new(&frame);
        headers.read(&mut Layout::default());
        assert_eq!(headers.find(Key::Queue), None);
        assert_eq!(headers.find(Key::Uniqueid), Some(&b"2"[..]));
    }
}
