//! What this machine can do at best with such a stream: read it, find its frames, split it into
//! names and values, take it from a socket.
//!
//! All figures of the exporter are compared with the split: each event's every line is found and
//! cut at its colon, and nothing is kept.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use cpu_time::ThreadTime;
use memchr::{memchr, memmem};

use super::measure::{cpu_seconds, median};
use super::stream::{Shape, generate};
use super::table::{Table, rate};
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let (bytes, sent) = generate(&Shape { seed: context.seed, ..Shape::default() });
    let (events, size) = (sent.events as f64, sent.bytes as f64);
    let reference = split_rate(context, &bytes, sent.events);
    let words = events / cpu_seconds(context.runs, || read_words(black_box(&bytes)));
    let frames = events / cpu_seconds(context.runs, || find_frames(black_box(&bytes)));
    let mut rows = vec![
        ("memory read, a word at a time".to_owned(), words),
        ("ends of frames, by memmem".to_owned(), frames),
        ("split: memchr for each line and its ':'".to_owned(), reference),
    ];
    for kib in [64, 256] {
        let seconds = receive(&bytes, kib << 10, context.runs)?;
        rows.push((format!("loopback TCP, {kib} KiB a read, nothing else"), events / seconds));
    }

    let mean = size / events;
    let title = format!("Limits, per CPU-second of one core ({mean:.0} bytes an event)");
    let mut table = Table::new(&title, &["limit", "events", "bytes", "of the split"]);
    for (name, found) in rows {
        let ratio = format!("{:.2} ×", found / reference);
        table.row([name, rate(found), rate(found * mean), ratio]);
    }
    println!("{table}");
    Ok(())
}

/// Events per CPU-second that the split takes; what ratios are made with.
pub(crate) fn split_rate(context: &Context, bytes: &[u8], events: u64) -> f64 {
    events as f64 / cpu_seconds(context.runs, || split(black_box(bytes)))
}

fn read_words(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(0, |all, word| all ^ u64::from_le_bytes(*word)) as usize
}

fn find_frames(bytes: &[u8]) -> usize {
    memmem::find_iter(bytes, b"\r\n\r\n").count()
}

/// Splits all lines at their colons; the number of events.
pub(crate) fn split(bytes: &[u8]) -> usize {
    let (mut at, mut events, mut sizes) = (0, 0, 0_usize);
    while let Some(length) = memchr(b'\n', &bytes[at..]) {
        let line = &bytes[at..at + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += length + 1;

        if line.is_empty() {
            events += 1;
        } else if let Some(colon) = memchr(b':', line) {
            let (key, value) = (&line[..colon], line.get(colon + 2..).unwrap_or_default());
            sizes = sizes.wrapping_add(key.len() ^ value.len());
        }
    }
    black_box(sizes);
    events
}

/// Median CPU seconds of a reader that takes all of it from a socket and drops it.
fn receive(bytes: &[u8], size: usize, runs: usize) -> std::io::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let once = |_| {
        std::thread::scope(|scope| {
            let sender = scope.spawn(move || TcpStream::connect(address)?.write_all(bytes));
            let (mut stream, _) = listener.accept()?;
            let mut buffer = vec![0; size];
            let begun = ThreadTime::now();
            while stream.read(&mut buffer)? > 0 {}
            let seconds = begun.elapsed().as_secs_f64();
            sender.join().expect("the sender does not panic")?;
            Ok(seconds)
        })
    };
    (0..runs.max(1)).map(once).collect::<std::io::Result<Vec<f64>>>().map(median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_finds_all_events() {
        let (bytes, sent) = generate(&Shape { live: 10, bytes: 50_000, ..Shape::default() });
        assert_eq!(split(&bytes) as u64, sent.events);
        assert_eq!(find_frames(&bytes) as u64, sent.events);
    }
}
