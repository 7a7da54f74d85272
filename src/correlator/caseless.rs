//! Names that Asterisk compares without case: queues, interfaces and devices (`strcasecmp` all over
//! app_queue.c).

/// Hands on a name in the form that all its spellings share.  Only ASCII letters fold, as `strcasecmp` does it
/// in the locale Asterisk runs in.
pub(super) fn folded<T>(name: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    if !name.iter().any(u8::is_ascii_uppercase) {
        return then(name);
    }

    // Each event of a queue looks its name up: the usual name needs no memory for that.
    let mut room = [0; USUAL];
    match room.get_mut(..name.len()) {
        Some(copy) => {
            copy.copy_from_slice(name);
            copy.make_ascii_lowercase();
            then(copy)
        }
        None => then(&name.to_ascii_lowercase()),
    }
}

/// A channel's name has at most 80 bytes, a queue's 128 (`AST_CHANNEL_NAME`, queues.conf).
const USUAL: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_letters_fold_and_nothing_else_does() {
        let text =
            |name: &str| folded(name.as_bytes(), |name| String::from_utf8(name.to_vec()).unwrap());
        assert_eq!(text("Support"), "support");
        assert_eq!(text("600"), "600");
        assert_eq!(text("VERKÄUFER"), "verkÄufer");
        let long = "A".repeat(300);
        assert_eq!(text(&long), "a".repeat(300));
    }
}
