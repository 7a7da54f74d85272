//! Uniqueids and Linkedids, kept small: there are two for each channel.
//!
//! Asterisk makes them of its start of the second and a count, `1606403878.1001`, behind the
//! system's name where one is configured.  So they are kept as numbers.  Whatever is not written
//! exactly so, such as `1606403878.01` or an id that an Originate chose, is kept as text: two
//! different ids are never one.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::DefaultHashBuilder;

/// A Uniqueid or a Linkedid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Uid {
    /// No id.
    None,
    Numbers {
        system: System,
        epoch: u32,
        count: u32,
    },
    /// In a box of a box, since that is half as large.
    Text(Box<Box<[u8]>>),
}

/// Which system's name is in front.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct System(u16);

/// An id as an event has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum UidRef<'a> {
    None,
    Numbers { system: System, epoch: u32, count: u32 },
    Text(&'a [u8]),
}

/// The names of systems that ids begin with: one a PBX, and those it had before.
#[derive(Debug, Default)]
pub(super) struct Systems(Vec<Box<[u8]>>);

/// Room to write an id.
pub(super) type Room = [u8; ROOM];
/// Such room, with nothing written in it.
pub(super) const EMPTY: Room = [0; ROOM];

impl Systems {
    /// Reads an id.  One that begins with a new name is text here, but [`Self::ensure`] may keep it as
    /// numbers, so it is no known id yet.
    pub(super) fn read<'a>(&self, id: &'a [u8]) -> UidRef<'a> {
        let Some((name, epoch, count)) = parts(id) else {
            return if id.is_empty() { UidRef::None } else { UidRef::Text(id) };
        };
        match self.find(name) {
            Some(system) => UidRef::Numbers { system, epoch, count },
            None => UidRef::Text(id),
        }
    }

    /// An id to keep.
    pub(super) fn ensure(&mut self, id: &[u8]) -> Uid {
        let Some((name, epoch, count)) = parts(id) else {
            return if id.is_empty() { Uid::None } else { Uid::text(id) };
        };
        // Once all places are taken no name is added any more, so an id is read alike for good.
        let mut system = self.find(name);
        if system.is_none() && self.0.len() < SYSTEMS && name.len() <= NAME_MAX {
            self.0.push(name.into());
            system = self.find(name);
        }
        system.map_or_else(|| Uid::text(id), |system| Uid::Numbers { system, epoch, count })
    }

    /// The id as Asterisk wrote it.
    pub(super) fn write<'w>(&self, id: &'w Uid, room: &'w mut Room) -> &'w [u8] {
        let (system, epoch, count) = match id {
            Uid::None => return b"",
            Uid::Text(text) => return text,
            Uid::Numbers { system, epoch, count } => (*system, *epoch, *count),
        };
        let name = system.index().map_or(&b""[..], |at| &self.0[at]);

        let mut digits = itoa::Buffer::new();
        let mut end = 0;
        let mut put = |text: &[u8]| {
            room[end..end + text.len()].copy_from_slice(text);
            end += text.len();
        };
        put(name);
        put(digits.format(epoch).as_bytes());
        put(b".");
        put(digits.format(count).as_bytes());
        &room[..end]
    }

    fn find(&self, name: &[u8]) -> Option<System> {
        if name.is_empty() {
            return Some(System::NAMELESS);
        }
        let at = self.0.iter().position(|known| **known == *name)?;
        u16::try_from(at + 1).ok().map(System)
    }
}

impl System {
    const NAMELESS: Self = Self(0);

    fn index(self) -> Option<usize> {
        usize::from(self.0).checked_sub(1)
    }
}

impl Uid {
    fn text(id: &[u8]) -> Self {
        Self::Text(Box::new(id.into()))
    }

    /// The same without its text.
    pub(super) fn as_ref(&self) -> UidRef<'_> {
        match self {
            Self::None => UidRef::None,
            &Self::Numbers { system, epoch, count } => UidRef::Numbers { system, epoch, count },
            Self::Text(text) => UidRef::Text(text),
        }
    }

    /// Whether it is that id.
    pub(super) fn is(&self, id: UidRef<'_>) -> bool {
        match (self, id) {
            (Self::None, UidRef::None) => true,
            (
                Self::Numbers { system, epoch, count },
                UidRef::Numbers { system: its_system, epoch: its_epoch, count: its_count },
            ) => (*system, *epoch, *count) == (its_system, its_epoch, its_count),
            (Self::Text(text), UidRef::Text(its_text)) => ***text == *its_text,
            (Self::None | Self::Numbers { .. } | Self::Text(_), _) => false,
        }
    }

    /// Whether there is no id.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl UidRef<'_> {
    /// Its hash.
    pub(super) fn hash(self, hasher: &DefaultHashBuilder) -> u64 {
        let mut state = hasher.build_hasher();
        match self {
            Self::None => {}
            Self::Numbers { system, epoch, count } => {
                state.write_u64(u64::from(epoch) << 32 | u64::from(count));
                system.hash(&mut state);
            }
            Self::Text(text) => state.write(text),
        }
        state.finish()
    }
}

/// The name in front with its dash, and both numbers.  `None` if writing them again would not give
/// the same id.
fn parts(id: &[u8]) -> Option<(&[u8], u32, u32)> {
    // Nearly every PBX has no name.
    if let Some((epoch, count)) = numbers(id) {
        return Some((b"", epoch, count));
    }
    let dash = id.iter().rposition(|&byte| byte == b'-')?;
    let (name, rest) = id.split_at(dash + 1);
    let (epoch, count) = numbers(rest)?;
    Some((name, epoch, count))
}

fn numbers(text: &[u8]) -> Option<(u32, u32)> {
    // Nearly every id is as long as this one reads.
    if let Some(numbers) = usual_numbers(text) {
        return Some(numbers);
    }
    let (epoch, rest) = number(text)?;
    let (count, rest) = number(rest.strip_prefix(b".")?)?;
    rest.is_empty().then_some((epoch, count))
}

/// The same for a time of ten digits and a count of up to seven, which are read eight at once.
fn usual_numbers(text: &[u8]) -> Option<(u32, u32)> {
    let (epoch, count) = text.split_first_chunk::<10>()?;
    let (b'.', count) = count.split_first()? else { return None };
    let is_zero_first = epoch[0] == b'0' || count.len() > 1 && count[0] == b'0';
    if is_zero_first || !(1..=7).contains(&count.len()) {
        return None;
    }

    let [first @ .., ten, one] = epoch;
    let [ten, one] = [ten, one].map(|digit| digit.wrapping_sub(b'0'));
    if ten > 9 || one > 9 {
        return None;
    }
    let first = eight_digits(u64::from_le_bytes(*first))?;
    let epoch = 100 * first + 10 * u64::from(ten) + u64::from(one);

    // Of the last eight bytes, those in front of the count are read as zeros.
    let last = u64::from_le_bytes(*text.last_chunk()?);
    let in_front = u64::MAX >> (8 * count.len());
    let count = eight_digits((last & !in_front) | (all(b'0') & in_front))?;
    Some((u32::try_from(epoch).ok()?, u32::try_from(count).ok()?))
}

/// The number that a text begins with, in its only spelling, and what is behind it.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0;
    let mut digits = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // No more digits than a `u32` has.
        if digits == DIGITS {
            return None;
        }
        number = 10 * number + u64::from(digit);
        digits += 1;
    }

    let is_only_spelling = digits == 1 || digits > 1 && text[0] != b'0';
    let number = u32::try_from(number).ok().filter(|_| is_only_spelling)?;
    Some((number, &text[digits..]))
}

/// The number that eight digits are, the first in the lowest byte, if all of them are digits.
fn eight_digits(text: u64) -> Option<u64> {
    // A digit's upper half is 3, and with 6 more it still is.  Where all upper halves are 3 no sum is
    // carried into the next byte.
    let upper = all(0xf0);
    if text & upper != all(0x30) || (text + all(6)) & upper != all(0x30) {
        return None;
    }

    // Neighbours are added, the first of them ten times: two digits a place, then four, then eight.
    let ones = text & all(0x0f);
    let twos = (10 * ones + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (100 * twos + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    Some(10_000 * (fours & 0xffff_ffff) + (fours >> 32))
}

/// The same byte in each place.
const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Of the largest `u32`.
const DIGITS: usize = 10;
/// A PBX has one name, and another after somebody has changed it.
const SYSTEMS: usize = 8;
/// A longer name is left in the text.
const NAME_MAX: usize = 64;
/// A name, two numbers and a dot.
const ROOM: usize = NAME_MAX + 2 * 10 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(systems: &Systems, id: &Uid) -> Vec<u8> {
        systems.write(id, &mut EMPTY.clone()).to_vec()
    }

    fn is_numbers(id: &Uid) -> bool {
        matches!(id, Uid::Numbers { .. })
    }

    #[test]
    fn an_id_of_asterisk_is_numbers_and_is_written_as_it_was() {
        let mut systems = Systems::default();
        for id in ["1606403878.1001", "0.0", "4294967295.4294967295", "pbx1-1606403878.1", "-1.2"] {
            let kept = systems.ensure(id.as_bytes());
            assert!(is_numbers(&kept), "{id}");
            assert_eq!(written(&systems, &kept), id.as_bytes());
        }
        assert_eq!(size_of::<Uid>(), 16);
    }

    #[test]
    fn whatever_is_written_otherwise_is_text_and_another_id() {
        let mut systems = Systems::default();
        let ids = [
            "1.1",
            "01.1",
            "1.01",
            "1.1 ",
            " 1.1",
            "+1.1",
            "1.+1",
            "1..1",
            "1.1.1",
            "1.",
            ".1",
            "1",
            "1,1",
            "00.1",
            "0.1",
            "0.01",
            "1.00",
            "1.0",
            "a1.1",
            "a-1.1",
            "a--1.1",
            "A-1.1",
            "4294967296.1",
            "1.4294967296",
            "0x1.1",
            "\u{0661}.1",
            "",
        ];
        let kept: Vec<_> = ids.iter().map(|id| systems.ensure(id.as_bytes())).collect();
        for (id, one) in ids.iter().zip(&kept) {
            assert_eq!(written(&systems, one), id.as_bytes());
            // Each finds itself and no other.
            let found: Vec<_> =
                kept.iter().filter(|other| other.is(systems.read(id.as_bytes()))).collect();
            assert_eq!(found, [one], "{id:?}");
        }
    }

    #[test]
    fn whatever_byte_is_in_whatever_place_only_the_usual_spelling_is_numbers() {
        let number =
            |text: &str| text.parse::<u32>().ok().filter(|number| number.to_string() == text);
        let spelled = |id: &str| {
            let (epoch, count) = id.split_once('.')?;
            Some((number(epoch)?, number(count)?))
        };
        for id in [
            "1606403878.1001",
            "1606403878.5",
            "1606403878.1234567",
            "1606403878.12345678",
            "12345678.87654321",
            "1.4294967295",
            "4294967295.1234567",
        ] {
            assert_eq!(numbers(id.as_bytes()), spelled(id));
            for place in 0..id.len() {
                for byte in 0..=u8::MAX {
                    let mut id = id.as_bytes().to_vec();
                    id[place] = byte;
                    let expected = str::from_utf8(&id).ok().and_then(spelled);
                    assert_eq!(numbers(&id), expected, "{:?}", id.escape_ascii().to_string());
                }
            }
        }
    }

    #[test]
    fn names_of_systems_are_few_and_further_ones_stay_text() {
        let mut systems = Systems::default();
        let ids: Vec<_> = (0..100).map(|name| format!("pbx{name}-1.1")).collect();
        let kept: Vec<_> = ids.iter().map(|id| systems.ensure(id.as_bytes())).collect();
        assert_eq!(kept.iter().filter(|id| is_numbers(id)).count(), SYSTEMS);
        assert_eq!(systems.0.len(), SYSTEMS);
        for (id, one) in ids.iter().zip(&kept) {
            assert!(one.is(systems.read(id.as_bytes())), "{id}");
            assert_eq!(written(&systems, one), id.as_bytes());
        }

        let mut systems = Systems::default();
        let long = format!("{}-1.1", "n".repeat(NAME_MAX));
        assert!(!is_numbers(&systems.ensure(long.as_bytes())));
        assert!(is_numbers(&systems.ensure(&long.as_bytes()[1..])));
    }

    #[test]
    fn an_id_has_one_hash_as_it_is_kept_and_as_it_is_read() {
        let mut systems = Systems::default();
        let hasher = DefaultHashBuilder::default();
        for id in ["1606403878.1001", "pbx1-1606403878.1", "custom", ""] {
            let kept = systems.ensure(id.as_bytes());
            let read = systems.read(id.as_bytes());
            assert_eq!(kept.as_ref().hash(&hasher), read.hash(&hasher));
        }
    }
}
