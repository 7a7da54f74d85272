//! Numbers inside text, replaced in place.
//!
//! Six digits in a row are a number, and so are eight in groups, as people write them. Two things
//! look like one and are none: a Uniqueid (`1795473976.130`), and the eight hex digits that end a
//! channel's name.

use super::key::Key;

/// Fewer digits are an internal extension, which a reader of the capture needs.
pub(super) const NUMBER_LEAST: usize = 6;

/// Digits of a number that is written in groups.
const GROUPED_LEAST: usize = 8;

/// Replaces every number in `text`, but for those that `stays` knows.
pub(super) fn replace_numbers(key: &Key, text: &mut [u8], stays: impl Fn(&[u8]) -> bool) {
    let mut group = Vec::new();
    let mut from = 0;

    while let Some((start, end)) = digits_from(text, from) {
        from = end;

        if let Some(after) = id_end(text, start, end).or_else(|| suffix_end(text, start)) {
            replace_group(key, text, &mut group, &stays);
            from = after;
        } else if end - start >= NUMBER_LEAST {
            replace_group(key, text, &mut group, &stays);
            if !stays(&text[start..end]) {
                key.number(&mut text[start..end]);
            }
        } else {
            // Another text in between: the group before is complete.
            if group.last().is_some_and(|&(_, before)| !is_separator(&text[before..start])) {
                replace_group(key, text, &mut group, &stays);
            }
            group.push((start, end));
        }
    }
    replace_group(key, text, &mut group, &stays);
}

/// Replaces the digits of a whole value that is a number, however it is written.
pub(super) fn replace_all_digits(key: &Key, text: &mut [u8], stays: impl Fn(&[u8]) -> bool) {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some((start, end)) = digits_from(text, from) {
        places.push((start, end));
        from = end;
    }
    replace_places(key, text, &places, NUMBER_LEAST, stays);
}

/// The next run of digits at or behind `from`.
fn digits_from(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = from + text[from..].iter().position(u8::is_ascii_digit)?;
    let length = text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some((start, start + length))
}

/// Where a Uniqueid ends that begins with this run: seconds since 1970, a dot, a count.
fn id_end(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let seconds = end - start == SECONDS && matches!(text[start], b'1' | b'2');
    let (next, last) = digits_from(text, end)?;
    (seconds && next == end + 1 && text[end] == b'.').then_some(last)
}

/// Where the end of a channel's name ends whose hex digits this run is a part of:
/// `PJSIP/a104-0000003f`.
fn suffix_end(text: &[u8], start: usize) -> Option<usize> {
    let dash =
        text[..start].iter().rposition(|byte| !is_hex(*byte)).filter(|&at| text[at] == b'-')?;
    let length = text[dash + 1..].iter().take_while(|byte| is_hex(**byte)).count();

    let end = dash + 1 + length;
    let ends = text.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let word =
        text[..dash].iter().rposition(|byte| b" ,&=|\"(".contains(byte)).map_or(0, |at| at + 1);

    (length == SUFFIX && ends && text[word..dash].contains(&b'/')).then_some(end)
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Whether the text between two groups of digits may be part of a number.
fn is_separator(between: &[u8]) -> bool {
    between.len() <= 2 && between.iter().all(|byte| b" -.()".contains(byte))
}

fn replace_group(
    key: &Key,
    text: &mut [u8],
    group: &mut Vec<(usize, usize)>,
    stays: &impl Fn(&[u8]) -> bool,
) {
    replace_places(key, text, group, GROUPED_LEAST, stays);
    group.clear();
}

fn replace_places(
    key: &Key,
    text: &mut [u8],
    places: &[(usize, usize)],
    least: usize,
    stays: impl Fn(&[u8]) -> bool,
) {
    let mut digits: Vec<u8> =
        places.iter().flat_map(|&(start, end)| text[start..end].iter().copied()).collect();
    if digits.len() < least || stays(&digits) {
        return;
    }

    key.number(&mut digits);
    let mut rest = &digits[..];
    for &(start, end) in places {
        let (here, behind) = rest.split_at(end - start);
        text[start..end].copy_from_slice(here);
        rest = behind;
    }
}

/// Digits of the seconds since 1970, until the year 2286.
const SECONDS: usize = 10;
/// Hex digits that end the name of a channel.
const SUFFIX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::of_salt(b"a salt that is long enough").unwrap()
    }

    fn replaced(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        replace_numbers(&key(), &mut bytes, |number| number == b"79161234567");
        String::from_utf8(bytes).unwrap()
    }

    fn pseudonym(digits: &str) -> String {
        let mut bytes = digits.as_bytes().to_vec();
        key().number(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_number_is_replaced_wherever_it_is() {
        let (other, short) = (pseudonym("12025550123"), pseudonym("555012"));
        for (before, after) in [
            ("12025550123", other.clone()),
            ("+12025550123", format!("+{other}")),
            ("Local/+12025550123@ctx-00000001;1", format!("Local/+{other}@ctx-00000001;1")),
            ("SIP/12025550123-0000001a", format!("SIP/{other}-0000001a")),
            ("PJSIP/12025550123@carrier,20,tT", format!("PJSIP/{other}@carrier,20,tT")),
            ("sip:12025550123@127.0.0.1:5070", format!("sip:{other}@127.0.0.1:5070")),
            (
                "PJSIP/a104-00000012&SIP/12025550123-00000013",
                format!("PJSIP/a104-00000012&SIP/{other}-00000013"),
            ),
            ("x555012y", format!("x{short}y")),
        ] {
            assert_eq!(replaced(before), after);
        }
    }

    #[test]
    fn a_number_in_groups_is_the_same_number() {
        let other = pseudonym("12025550123");
        let grouped = |text: &str| {
            text.bytes().filter(u8::is_ascii_digit).map(char::from).collect::<String>()
        };
        for text in ["1-202-555-0123", "+1 (202) 555-0123", "1.202.555.0123", "<1 202 555 0123>"] {
            assert_eq!(grouped(&replaced(text)), other, "{text}");
            assert_eq!(replaced(text).len(), text.len());
        }
        let mut value = b"+1/202/555 0123".to_vec();
        replace_all_digits(&key(), &mut value, |_| false);
        assert_eq!(grouped(&String::from_utf8(value).unwrap()), other);
    }

    #[test]
    fn extensions_ids_and_known_devices_stay() {
        for text in [
            "101",
            "12345",
            "from-queue,7010,1",
            "/var/spool/asterisk/monitor/lab-1795474056.161.wav",
            "support,1795473976.130,Alice Adams,ANSWER,2,9201",
            "PJSIP/a104-00000040",
            "Local/208@from-queue-00000010;2",
            "Local/79161234567@from-queue-00000010;2",
            "a 12 b 34 c 56",
            "12:34:56:78",
        ] {
            assert_eq!(replaced(text), text);
        }
    }

    #[test]
    fn what_only_looks_like_an_id_or_the_end_of_a_channel_is_replaced() {
        for text in
            ["120255501234.1", "3025550123.1", "fax-12345678", "PJSIP/x-123456789", "1795473976"]
        {
            assert_ne!(replaced(text), text);
        }
    }
}
