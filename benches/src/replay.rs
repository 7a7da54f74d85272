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
use super::stream::{Mix, Shape, Source, TRUNKS, generate};
use super::table::{Table, rate};
use super::{ALLOCATED, Context, Failure};

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
        // A hundred thousand calls with all classes are 5 GB.
        let most = if matches!(mix, Mix::Full) { 10_000 } else { 100_000 };
        for live in [1_000, 10_000, 100_000].into_iter().filter(|&live| live <= most) {
            let shape = with_live(&shape, live);
            // The largest takes long enough to be exact at once.
            let runs = if live > 10_000 { 1 } else { context.runs };
            let steady = (0..runs.max(1)).map(|_| Ok(play(&shape)?.rate()));
            let events = median(steady.collect::<Result<_, Failure>>()?);
            let counted = if live > 1_000 { None } else { instructions(context, &shape)? };
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

/// Plays a stream, whose counters must be exact.
pub(crate) fn play(shape: &Shape) -> Result<Steady, Failure> {
    let rules = Rules { trunks: Patterns::new([TRUNKS])?, ..Rules::default() };
    let metrics = Metrics::new(Settings::default());
    let mut replay = Replay::new(&PbxName::new("pbx"), rules, metrics, Limits::default());
    let mut source = Observed::new(shape);
    let (_, stopped) = black_box(replay.play(&mut source));
    if let Some(stopped) = stopped {
        return Err(format!("{stopped:?}").into());
    }
    source.source.sent().check(&replay.exposition(Format::Text))?;
    source.steady.ok_or_else(|| "the stream is too short for so many calls".into())
}

/// The same stream with so many calls at once, as long as it takes until some of them have been
/// replaced, and 60 MB longer.
pub(crate) fn with_live(shape: &Shape, live: usize) -> Shape {
    let (bytes, sent) = generate(&Shape { live: 100, bytes: 2_000_000, ..*shape });
    let of_a_call = bytes.len() as u64 / sent.calls;
    Shape { live, bytes: live as u64 * of_a_call + 60_000_000, ..*shape }
}

/// The part of a replay in which as many calls begin as end.
#[derive(Clone, Copy)]
pub(crate) struct Steady {
    begun: Mark,
    ended: Mark,
}

impl Steady {
    /// Events per CPU-second.
    fn rate(&self) -> f64 {
        let spent = self.ended.spent.saturating_sub(self.begun.spent);
        (self.ended.events - self.begun.events) as f64 / spent.as_secs_f64()
    }

    /// Bytes that were allocated at its end.
    pub(crate) const fn allocated(&self) -> usize {
        self.ended.allocated
    }
}

/// How far a replay is.
#[derive(Clone, Copy)]
struct Mark {
    events: u64,
    spent: Duration,
    allocated: usize,
}

/// A source that notes how far its reader is, without what it takes to make the stream.
struct Observed {
    source: Source,
    shape: Shape,
    begun: ThreadTime,
    /// Making the stream took so long.
    making: Duration,
    steady: Option<Steady>,
}

impl Observed {
    fn new(shape: &Shape) -> Self {
        let source = Source::new(shape);
        Self {
            source,
            shape: *shape,
            begun: ThreadTime::now(),
            making: Duration::ZERO,
            steady: None,
        }
    }

    /// Notes where the reader is, from when a fifth of the calls has been replaced until no more
    /// begin.
    fn note(&mut self) {
        let sent = self.source.sent();
        let live = self.shape.live as u64;
        if sent.calls < live + live / 5 || sent.bytes >= self.shape.bytes {
            return;
        }
        let mark = Mark {
            events: sent.events,
            spent: self.begun.elapsed().saturating_sub(self.making),
            allocated: ALLOCATED.current_usage(),
        };
        let begun = self.steady.map_or(mark, |steady| steady.begun);
        self.steady = Some(Steady { begun, ended: mark });
    }
}

impl Read for Observed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.note();
        let begun = ThreadTime::now();
        let read = self.source.read(buffer);
        self.making += begun.elapsed();
        read
    }
}

/// What the streams are, and whether recordings report their end.
pub(crate) const STREAMS: [(&str, Mix, bool); 3] = [
    ("as the transcript, without TestEvents", Mix::Transcript, false),
    ("as the transcript, with them", Mix::Transcript, true),
    ("all classes of Asterisk 22", Mix::Full, true),
];
