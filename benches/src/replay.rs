//! From bytes in memory to the counters, as `replay` does, against the split of the same bytes in
//! the same run.

use std::hint::black_box;
use std::io::Read;
use std::time::Duration;

use asterisk_exporter::ami::frame::Limits;
use asterisk_exporter::correlator::{Patterns, Rules};
use asterisk_exporter::metrics::{Format, Metrics, Settings};
use asterisk_exporter::pbx::PbxName;
use asterisk_exporter::replay::Replay;
use cpu_time::ThreadTime;

use super::instructions::instructions;
use super::limits::split_rate;
use super::measure::median;
use super::stream::{Mix, Sent, Shape, Source, TRUNKS, generate};
use super::table::{Table, rate};
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let mut table = Table::new(
        "From memory to the counters, per CPU-second of one core",
        &["stream", "calls at once", "events", "of the split", "instructions an event"],
    );
    for (name, mix, recordings) in STREAMS {
        let shape = Shape { mix, recordings, seed: context.seed, ..Shape::default() };
        let (bytes, sent) = generate(&shape);
        let split = split_rate(context, &bytes, sent.events);
        drop(bytes);
        for live in [1_000, 10_000, 100_000] {
            let shape = Shape { live, ..shape };
            // The largest takes long enough to be exact at once.
            let runs = if live > 10_000 { 1 } else { context.runs };
            let rates = (0..runs.max(1)).map(|_| once(&shape)).collect::<Result<_, _>>()?;
            let events = median(rates);
            let counted = if live > 10_000 { None } else { instructions(context, &shape)? };
            table.row([
                name.to_owned(),
                live.to_string(),
                rate(events),
                format!("{:.2} ×", events / split),
                counted.map_or_else(|| "–".to_owned(), |number| format!("{number:.0}")),
            ]);
        }
    }
    println!("{table}");
    Ok(())
}

/// Events per CPU-second of one replay, whose counters must be exact.
fn once(shape: &Shape) -> Result<f64, Failure> {
    let rules = Rules { trunks: Patterns::new([TRUNKS])?, ..Rules::default() };
    let metrics = Metrics::new(Settings::default());
    let mut replay = Replay::new(&PbxName::new("pbx"), rules, metrics, Limits::default());
    let mut source = Timed { source: Source::new(shape), spent: Duration::ZERO };

    let begun = ThreadTime::now();
    let (_, stopped) = black_box(replay.play(&mut source));
    let spent = begun.elapsed().saturating_sub(source.spent);
    if let Some(stopped) = stopped {
        return Err(format!("{stopped:?}").into());
    }
    let sent: Sent = source.source.sent();
    sent.check(&replay.exposition(Format::Text))?;
    Ok(sent.events as f64 / spent.as_secs_f64())
}

/// A source that knows how long it took to make what was read.
struct Timed {
    source: Source,
    spent: Duration,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let begun = ThreadTime::now();
        let read = self.source.read(buffer);
        self.spent += begun.elapsed();
        read
    }
}

/// What the streams are, and whether recordings report their end.
pub(crate) const STREAMS: [(&str, Mix, bool); 3] = [
    ("as the transcript, without TestEvents", Mix::Transcript, false),
    ("as the transcript, with them", Mix::Transcript, true),
    ("all classes of Asterisk 22", Mix::Full, true),
];
