//! Bytes to events, and nothing else: decode, name, headers, time stamp.

use std::hint::black_box;

use asterisk_exporter::ami::frame::{Decoder, Item, Limits};
use asterisk_exporter::event::{Event, Name};

use super::Context;
use super::limits::split_rate;
use super::measure::cpu_seconds;
use super::stream::{Mix, Shape, generate};
use super::table::{Table, rate};

/// Prints the table.
pub(crate) fn run(context: &Context) {
    let stream = |mix| generate(&Shape { mix, seed: context.seed, ..Shape::default() }).0;
    let transcript = stream(Mix::Transcript);
    let real = stream(Mix::Full);
    let unneeded = unneeded(&real);

    let title = "Parse alone, per CPU-second of one core";
    let mut table = Table::new(title, &["stream", "bytes an event", "events", "of the split"]);
    for (name, bytes) in [
        ("the transcript's mix", transcript),
        ("a real PBX's mix", real),
        ("events that are not needed", unneeded),
    ] {
        let events = parse(&bytes);
        let found = events as f64 / cpu_seconds(context.runs, || parse(black_box(&bytes)));
        let ratio = format!("{:.2} ×", found / split_rate(context, &bytes, events));
        let mean = format!("{:.0}", bytes.len() as f64 / events as f64);
        table.row([name.to_owned(), mean, rate(found), ratio]);
    }
    println!("{table}");
}

/// Reads all events, by as much as a socket gives at once; the number of events.
fn parse(bytes: &[u8]) -> u64 {
    let mut decoder = Decoder::new(Limits::default());
    let mut events = 0;
    for chunk in bytes.chunks(CHUNK) {
        decoder.feed(chunk);
        while let Some(item) = decoder.next_item() {
            let Item::Frame(frame) = item else { continue };
            events += 1;
            if let Some((_, name)) = Name::find(frame.name) {
                let _ = black_box(&Event::parse(name, &frame));
            }
        }
    }
    events
}

/// What of a stream is dropped after it was recognised.
fn unneeded(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(Limits::default());
    let mut out = Vec::new();
    decoder.feed(bytes);
    while let Some(item) = decoder.next_item() {
        let Item::Frame(frame) = item else { continue };
        let needed = Name::find(frame.name).map(|(_, name)| Event::parse(name, &frame));
        if !matches!(needed, Some(Ok(Some(_)) | Err(_))) {
            frame.write_to(&mut out);
        }
    }
    out
}

const CHUNK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parse_reads_all_events_and_few_of_a_real_pbx_are_needed() {
        let shape = Shape { mix: Mix::Full, live: 10, bytes: 100_000, ..Shape::default() };
        let (bytes, sent) = generate(&shape);
        assert_eq!(parse(&bytes), sent.events);
        let rest = parse(&unneeded(&bytes));
        assert!(rest > sent.events / 4 && rest < sent.events, "{rest} of {}", sent.events);
    }
}
