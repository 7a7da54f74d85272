//! Parameters of a request's query; pure.

/// The first value of a parameter, decoded; `None` if it is not there.
pub(super) fn parameter(query: Option<&str>, wanted: &str) -> Option<String> {
    let pairs = query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(name, _)| decoded(name) == wanted).map(|(_, value)| value);
    values.next().map(decoded)
}

/// Text as browsers and scrapers send it: `+` is a space, and `%41` is `A`.  What is no such code
/// stays as it is, and bytes that are no UTF-8 are replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_and_decoded() {
        for (query, value) in [
            (None, None),
            (Some(""), None),
            (Some("x=1"), None),
            (Some("pbxs=hq"), None),
            (Some("pbx"), Some("")),
            (Some("x=1&pbx=hq&pbx=branch"), Some("hq")),
            (Some("pbx=head+office%20%2B%c3%a9"), Some("head office +é")),
            (Some("p%62x=100%"), Some("100%")),
            (Some("pbx=%zz%4"), Some("%zz%4")),
        ] {
            assert_eq!(parameter(query, "pbx").as_deref(), value, "{query:?}");
        }
    }
}
