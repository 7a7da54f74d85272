//! Frames to events: a reader that has learned where headers stand reads what a new one reads.

use asterisk_exporter::ami::frame::{Decoder, Item, Kind, Limits};
use asterisk_exporter::event::{Event, Name, Reader, timestamp};

/// The input is the stream of one PBX.
pub(crate) fn check(input: &[u8]) {
    let mut decoder = Decoder::of_file(Limits::default());
    let mut reader = Reader::default();
    decoder.feed(input);

    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { continue };
        let stamp = timestamp(&frame);
        let Some((_, name)) = Name::find(frame.name) else { continue };
        if frame.kind != Kind::Event {
            continue;
        }

        let learned = reader.read(name, &frame);
        assert_eq!(learned, Event::parse(name, &frame), "read otherwise: {frame:?}");
        // A header that stands twice is one that no Asterisk sends, and has no rule.
        let stamps = frame.headers().filter(|(key, _)| key.eq_ignore_ascii_case(b"Timestamp"));
        if let Ok(Some(event)) = learned
            && stamps.count() <= 1
        {
            assert_eq!(event.at, stamp, "dated otherwise: {frame:?}");
        }
    }
}
