//! Numbers and names to pseudonyms, by a key.
//!
//! Without the key nobody can find the number of a pseudonym, even by trying all numbers: the
//! pseudonym depends on 128 secret bits through SipHash-2-4, a keyed hash that is made to hide its
//! key.  Nothing is remembered.

use std::hash::Hasher as _;

use md5::{Digest, Md5};
use siphasher::sip::SipHasher24;

/// What the pseudonyms of a capture depend on.
#[derive(Clone)]
pub struct Key([u8; 16]);

impl Key {
    /// A random key, gone with the process.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The key of a salt: captures with the same salt have the same pseudonyms.
    ///
    /// `None` if the salt is so short that it could be guessed.
    pub fn of_salt(salt: &[u8]) -> Option<Self> {
        let salt = salt.trim_ascii();
        (salt.len() >= SALT_LEAST).then(|| Self(Md5::digest(salt).into()))
    }

    /// Replaces a number, given as ASCII digits, by its pseudonym of the same length.
    ///
    /// Two numbers never become one: half the digits are shifted by a hash of the other half, in
    /// turns (a Feistel network), and each turn can be undone with the key.
    pub(super) fn number(&self, digits: &mut [u8]) {
        let length = digits.len();
        let (left, right) = digits.split_at_mut(length / 2);

        for round in 0..ROUNDS {
            // The halves swap roles in each round.
            let (shifted, by) =
                if round % 2 == 0 { (&mut *left, &*right) } else { (&mut *right, &*left) };
            for (block, piece) in shifted.chunks_mut(BLOCK).enumerate() {
                let place = [length as u64, block as u64].map(u64::to_le_bytes);
                let mut shift = self.hash(&[&[round], place.as_flattened(), by]);
                for digit in piece {
                    *digit = b'0' + (*digit - b'0' + (shift % 10) as u8) % 10;
                    shift /= 10;
                }
            }
        }
    }

    /// The pseudonym of a name: `Caller kbtrwofa`.
    pub(super) fn name(&self, name: &[u8]) -> String {
        let mut hash = self.hash(&[&[NAMES], name]);
        let letter = |_| {
            let letter = char::from(b'a' + (hash % 26) as u8);
            hash /= 26;
            letter
        };

        let letters: String = (0..LETTERS).map(letter).collect();
        format!("Caller {letters}")
    }

    fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        for part in parts {
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Even, so that both halves are shifted as often; FF1 of NIST SP 800-38G has ten as well.
const ROUNDS: u8 = 10;
/// Sets names apart from the rounds of numbers.
const NAMES: u8 = u8::MAX;
/// Decimal digits one hash gives without a bias worth mentioning.
const BLOCK: usize = 15;
/// 26 to the power of 8 names: among a thousand, two alike come once in 400,000 captures.
const LETTERS: usize = 8;
/// The fewest bytes of a salt.
const SALT_LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn number(key: &Key, digits: &str) -> String {
        let mut digits = digits.as_bytes().to_vec();
        key.number(&mut digits);
        String::from_utf8(digits).unwrap()
    }

    #[test]
    fn a_number_has_one_pseudonym_of_its_length_and_no_two_share_one() {
        let key = Key([7; 16]);
        let seen: HashSet<_> = (0..100_000).map(|n| number(&key, &format!("{n:06}"))).collect();
        assert_eq!(seen.len(), 100_000);
        assert!(
            seen.iter()
                .all(|text| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()))
        );
        for digits in
            ["", "1", "12", "12025550123", "123456789012345678901234567890123456789012345"]
        {
            assert_eq!(number(&key, digits).len(), digits.len());
            assert_eq!(number(&key, digits), number(&key, digits));
        }
    }

    #[test]
    fn numbers_that_are_alike_have_pseudonyms_that_are_not() {
        let key = Key([7; 16]);
        let agreeing = |a: &str, b: &str| a.bytes().zip(b.bytes()).filter(|(a, b)| a == b).count();
        let pairs = (0..1000).map(|n| (format!("1202555{n:04}"), format!("1202555{:04}", n + 1)));
        let same: usize = pairs.map(|(a, b)| agreeing(&number(&key, &a), &number(&key, &b))).sum();
        // 11,000 digits, of which a tenth agree by chance.
        assert!((900..1300).contains(&same), "{same}");
    }

    #[test]
    fn another_key_gives_other_pseudonyms() {
        let keys = [Key::random().unwrap(), Key::random().unwrap()];
        assert_ne!(number(&keys[0], "12025550123"), number(&keys[1], "12025550123"));
        assert_ne!(keys[0].name(b"Ivan"), keys[1].name(b"Ivan"));
        assert_eq!(format!("{:?}", keys[0]), "***");
    }

    #[test]
    fn a_salt_gives_the_same_key_again_and_a_short_one_none() {
        let key = |salt: &str| Key::of_salt(salt.as_bytes());
        let (once, again) = (key("sixteen letters!").unwrap(), key("sixteen letters!\n").unwrap());
        assert_eq!(number(&once, "12025550123"), number(&again, "12025550123"));
        assert!(key("too short").is_none() && key(" too short       ").is_none());
    }
}
