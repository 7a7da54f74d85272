//! Events that came before the snapshot they have to follow, as they stood on the wire.

use crate::ami::frame::{Decoder, Frame, Item, Limits};
use crate::clock::Moment;
use crate::event::{Event, Name, Reader};

/// Events in the order they came, each with its reading moment.
#[derive(Debug, Default)]
pub(super) struct Held {
    text: Vec<u8>,
    /// When each was read, and where in `text` it ends.
    marks: Vec<(Moment, usize)>,
}

impl Held {
    /// Keeps an event.
    pub(super) fn push(&mut self, read: Moment, frame: &Frame<'_>) {
        frame.write_to(&mut self.text);
        self.marks.push((read, self.text.len()));
    }

    /// Bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.marks.len() * size_of::<(Moment, usize)>()
    }

    /// Hands out each event in order.
    pub(super) fn each(&self, mut take: impl FnMut(Moment, &Event<'_>)) {
        let mut decoder = Decoder::new(Limits { line: usize::MAX, frame: usize::MAX });
        let mut reader = Reader::default();
        let mut start = 0;
        for &(read, end) in &self.marks {
            decoder.feed(&self.text[start..end]);
            start = end;
            if let Some(Item::Frame(frame)) = decoder.next_item()
                && let Some((_, name)) = Name::find(frame.name)
                && let Ok(Some(event)) = reader.read(name, &frame)
            {
                take(read, &event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    #[test]
    fn events_come_back_in_order_with_their_moments() {
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(
            b"Event: FullyBooted\r\nStatus:\r\nUptime: 7\r\n\r\nEvent: Shutdown\r\nX:  y\r\n\r\n",
        );
        let mut held = Held::default();
        for second in [3, 4] {
            let Some(Item::Frame(frame)) = decoder.next_item() else { panic!("no frame") };
            held.push(Moment::from_secs(second), &frame);
        }
        let mut events = Vec::new();
        held.each(|read, event| events.push((read, format!("{:?}", event.kind))));
        let booted = Kind::FullyBooted { uptime: Some(7) };
        assert_eq!(
            events,
            [
                (Moment::from_secs(3), format!("{booted:?}")),
                (Moment::from_secs(4), format!("{:?}", Kind::Shutdown))
            ]
        );
        assert!(held.size() > 60);
    }
}
