//! A tap on the wire: passes on what a PBX sends, frame by frame, to whoever keeps it.

use tokio::sync::mpsc;

use crate::ami::frame::{BANNER, Item};

/// The near end; each session has a clone of its own.
#[derive(Clone, Debug)]
pub struct Tap {
    batches: mpsc::Sender<Vec<u8>>,
    batch: Vec<u8>,
}

impl Tap {
    /// A tap, and the receiver of what it takes: batches of whole frames, a greeting in front of
    /// those of each session.
    pub fn new() -> (Self, mpsc::Receiver<Vec<u8>>) {
        let (batches, taken) = mpsc::channel(BATCHES);
        (Self { batches, batch: Vec::new() }, taken)
    }

    /// Takes an item; what is no frame is left out, since it may hold anything.
    pub(super) fn take(&mut self, item: &Item<'_>) {
        match item {
            // It has a password of the PBX's, and nobody needs it.
            Item::Frame(frame) if frame.is_event("AuthDetail") => {}
            Item::Frame(frame) => frame.write_to(&mut self.batch),
            Item::Banner(version) => {
                for part in [BANNER, version, b"\r\n"] {
                    self.batch.extend_from_slice(part);
                }
            }
            Item::Rejected(_) => {}
        }
    }

    /// Hands on what was taken; waits if the far end is behind.  May be cancelled without losing
    /// any.
    pub(super) async fn hand_on(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        match self.batches.reserve().await {
            Ok(target) => target.send(std::mem::take(&mut self.batch)),
            // The receiver is gone, and reports why itself.
            Err(_) => self.batch.clear(),
        }
    }
}

/// Batches that may wait at the far end; each holds what was read at once.
const BATCHES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::frame::{Decoder, Limits};

    #[tokio::test]
    async fn whole_frames_come_out_as_they_went_in() {
        let (mut tap, mut taken) = Tap::new();
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(b"Asterisk Call Manager/5.0.4\r\nEvent: A\r\nX: 1\r\n\r\nWhat\r\n\r\nEvent: B\r\n\r\nEvent: C");
        while let Some(item) = decoder.next_item() {
            tap.take(&item);
        }
        tap.hand_on().await;
        tap.hand_on().await;
        drop(tap);
        let text = b"Asterisk Call Manager/5.0.4\r\nEvent: A\r\nX: 1\r\n\r\nEvent: B\r\n\r\n";
        assert_eq!(taken.recv().await.as_deref(), Some(&text[..]));
        assert_eq!(taken.recv().await, None);
    }

    #[tokio::test]
    async fn passwords_of_the_pbx_s_own_are_left_out() {
        let (mut tap, mut taken) = Tap::new();
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(
            b"Event: OutboundRegistrationDetail\r\nObjectName: a\r\n\r\n\
              Event: AuthDetail\r\nActionID: ae-9-PJSIPShowRegistrationsOutbound\r\nPassword: hush\r\n\r\n",
        );
        while let Some(item) = decoder.next_item() {
            tap.take(&item);
        }
        tap.hand_on().await;
        let text = b"Event: OutboundRegistrationDetail\r\nObjectName: a\r\n\r\n";
        assert_eq!(taken.recv().await.as_deref(), Some(&text[..]));
    }
}
