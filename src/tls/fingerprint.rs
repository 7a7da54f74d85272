//! The SHA-256 of a certificate.

use std::fmt;

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// The SHA-256 of a whole certificate in DER, as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint([u8; SHA256_OUTPUT_LEN]);

impl Fingerprint {
    /// That of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        Self::of_all([certificate])
    }

    /// That of several in a row; DER says where each ends.
    pub(super) fn of_all<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Context::new(&SHA256);
        for certificate in certificates {
            digest.update(certificate);
        }
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest.finish().as_ref());
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits, with or without colons between the bytes.
    ///
    /// # Errors
    /// The end of a message: why `text` is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        // The whole line that openssl prints may be pasted.
        let digits = text.rsplit('=').next().unwrap_or(text).trim();
        let not = || format!("{text} is not a SHA-256 fingerprint: 64 hexadecimal digits");
        let pairs: Vec<&str> = if digits.contains(':') {
            digits.split(':').collect()
        } else {
            (0..digits.len()).step_by(2).map_while(|at| digits.get(at..at + 2)).collect()
        };

        if pairs.len() == SHA1_LEN && pairs.iter().all(|pair| byte(pair).is_some()) {
            return Err(format!(
                "{text} is a SHA-1 fingerprint: openssl prints the SHA-256 with -sha256"
            ));
        }
        // An odd digit at the end is in no pair.
        if !digits.contains(':') && digits.len() != 2 * SHA256_OUTPUT_LEN {
            return Err(not());
        }
        let bytes: Option<Vec<u8>> = pairs.into_iter().map(byte).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(not)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

/// Two digits; `from_str_radix` alone would also read a sign.
fn byte(pair: &str) -> Option<u8> {
    let digits = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
}

const SHA1_LEN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's example `abc`.
    const ABC: &str = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

    #[test]
    fn it_is_printed_as_openssl_does_and_read_in_every_usual_form() {
        let of = Fingerprint::of(b"abc");
        assert_eq!(of.to_string(), ABC);
        let bare = ABC.replace(':', "");
        for text in [ABC, &bare, &bare.to_lowercase(), &format!("sha256 Fingerprint={ABC}")] {
            assert_eq!(Fingerprint::parse(text), Ok(of), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let not =
            |text: &str| format!("{text} is not a SHA-256 fingerprint: 64 hexadecimal digits");
        let long = format!("{ABC}:00");
        let odd = format!("{}0", ABC.replace(':', ""));
        let signed = ABC.replace("BA", "+A");
        let gap = ABC.replacen(':', "", 1);
        for text in ["", "ab", &long, &odd, &signed, &gap, &ABC.replace('F', "G"), "ä"] {
            assert_eq!(Fingerprint::parse(text), Err(not(text)));
        }

        let sha1 = "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D";
        assert_eq!(
            Fingerprint::parse(sha1),
            Err(format!("{sha1} is a SHA-1 fingerprint: openssl prints the SHA-256 with -sha256"))
        );
    }
}
