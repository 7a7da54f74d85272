//! ActionIDs: by them a session, and a reader of a capture, recognises what is answered.

use super::frame::Frame;

/// The ActionID of an action of the exporter: `ae-7-QueueStatus`.
///
/// The prefix distinguishes our lists from those of others, the word is the action: a capture holds
/// answers only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionId(String);

impl ActionId {
    /// The `number`th action of a session, which asks for `word`.
    pub fn new(number: u64, word: &str) -> Self {
        Self(format!("ae-{number}-{word}"))
    }

    /// The id in an answer or an item of a list, if it is one of ours.
    pub fn of(frame: &Frame<'_>) -> Option<Self> {
        let text = std::str::from_utf8(frame.header("ActionID")?).ok()?;
        let (number, word) = text.strip_prefix("ae-")?.split_once('-')?;
        Some(Self::new(number.parse().ok()?, word)).filter(|id| id.0 == text)
    }

    /// The id as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The word of the action.
    pub fn word(&self) -> &str {
        self.0.splitn(3, '-').nth(2).unwrap_or_default()
    }

    /// Whether `text` is this id.
    pub fn is(&self, text: &[u8]) -> bool {
        self.0.as_bytes() == text
    }

    /// Whether the frame carries this id.
    pub fn marks(&self, frame: &Frame<'_>) -> bool {
        frame.header("ActionID").is_some_and(|id| self.is(id))
    }
}

/// The word of the two Pings of a barrier: once the second is answered, everything queued before is
/// read.
pub const BARRIER: &str = "Barrier";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Item, Limits};

    #[test]
    fn ours_are_distinguished_from_those_of_others() {
        let read = |id: &str| {
            let mut decoder = Decoder::new(Limits::default());
            decoder.feed(format!("Response: Success\r\nActionID: {id}\r\n\r\n").as_bytes());
            let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
            ActionId::of(&frame)
        };
        let id = read("ae-7-QueueStatus").unwrap();
        assert_eq!((id.word(), &id), ("QueueStatus", &ActionId::new(7, "QueueStatus")));
        for other in ["ae-7", "ae-x-Ping", "ae-07-Ping", "lab-1", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
