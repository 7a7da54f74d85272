//! The whole path: a PBX sends as fast as it is read, through loopback TCP, to the real program.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use super::exporter::Exporter;
use super::limits::split_rate;
use super::measure::{median, now, wait_for};
use super::pbx::{Lists, Pbx};
use super::replay::STREAMS;
use super::stream::{Shape, Source, generate};
use super::table::{Table, rate, span};
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let mut table = Table::new(
        "Through loopback TCP to the counters of `run`, per CPU-second of the process",
        &["stream", "calls at once", "events", "of the split", "sender waited", "memory", "idle"],
    );
    for (name, mix, recordings) in STREAMS {
        let shape = Shape { mix, recordings, seed: context.seed, ..Shape::default() };
        let (bytes, sent) = generate(&shape);
        let split = split_rate(context, &bytes, sent.events);
        drop(bytes);
        for live in [1_000, 10_000, 100_000] {
            let runs = if live > 10_000 { 1 } else { context.runs };
            let shape = Shape { live, bytes: 60_000_000, ..shape };
            let all = (0..runs.max(1)).map(|_| once(context, &shape));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            let middle = |of: fn(&Found) -> f64| median(all.iter().map(of).collect());
            let events = middle(|found| found.rate);
            table.row([
                name.to_owned(),
                live.to_string(),
                rate(events),
                format!("{:.2} ×", events / split),
                span(middle(|found| found.waited)),
                format!("{:.1} MiB", middle(|found| found.resident)),
                format!("{:.1} MiB", middle(|found| found.idle)),
            ]);
        }
    }
    println!("{table}");
    Ok(())
}

struct Found {
    /// Events per CPU-second.
    rate: f64,
    /// The longest time that a write took, in seconds.
    waited: f64,
    /// MiB at the most, while events came.
    resident: f64,
    /// MiB before the first event.
    idle: f64,
}

fn once(context: &Context, shape: &Shape) -> Result<Found, Failure> {
    let pbx = Pbx::new(Lists::default())?;
    let exporter = Exporter::start(&context.exporter, &[pbx.port()?], &["ping_interval: 5m"])?;
    let mut session = pbx.accept()?;
    let is_ready = || exporter.get("/-/ready").is_ok().then_some(());
    wait_for(Duration::from_secs(60), is_ready).ok_or("the PBX was not synchronised")?;
    let mebibytes = || exporter.process.resident() as f64 / 1_048_576.0;
    let idle = mebibytes();

    // Made before, so that the sender is never late; but the largest has no room in memory.
    let mut source = Source::new(shape);
    let mut made = Vec::new();
    if shape.live <= 10_000 {
        source.read_to_end(&mut made)?;
    }
    let before = exporter.process.cpu_seconds();
    let (mut waited, mut resident) = (0.0_f64, idle);
    let mut send = |bytes: &[u8]| {
        for (at, chunk) in bytes.chunks(64 << 10).enumerate() {
            let begun = now();
            session.stream.write_all(chunk)?;
            waited = waited.max(begun.elapsed().as_secs_f64());
            if at % 64 == 0 {
                resident = resident.max(mebibytes());
            }
        }
        Ok::<_, std::io::Error>(())
    };
    send(&made)?;
    let mut buffer = vec![0; 4 << 20];
    loop {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        send(&buffer[..length])?;
    }

    // All of it was read when the answer to what was asked behind it comes: the last frame is
    // counted.  A scrape costs CPU of its own, so the process is left alone until it is idle.
    let spent = settled(&exporter) - before;
    source.sent().check(&exporter.scrape()?)?;
    Ok(Found { rate: source.sent().events as f64 / spent, waited, resident, idle })
}

/// CPU seconds once the process uses no more.
fn settled(exporter: &Exporter) -> f64 {
    let mut last = exporter.process.cpu_seconds();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let spent = exporter.process.cpu_seconds();
        if spent - last < 0.02 {
            return spent;
        }
        last = spent;
    }
}
