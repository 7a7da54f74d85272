//! Many PBXs in one process, each with a few calls: what the waking up costs, and the memory.
//!
//! Each PBX sends 100 events a second in bursts of ten, as Asterisk writes what it has queued.  A
//! bare tokio reader, which takes the same bytes and drops them, is measured beside it.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use super::exporter::{Exporter, Process, sum};
use super::measure::{now, wait_for};
use super::pbx::{Lists, Pbx};
use super::stream::{Shape, generate};
use super::table::Table;
use super::{Context, Failure};

/// Prints the table.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let mut table = Table::new(
        "PBXs in one process, 100 events/s each in bursts of ten",
        &["PBXs", "calls each", "% of a core", "bare tokio reader", "ratio", "memory"],
    );
    for pbxs in [1, 100] {
        let small =
            Shape { live: 10, agents: 5, queues: 4, seed: context.seed, ..Shape::default() };
        let found = follow(context, pbxs, BURST, small)?;
        let bare = read_barely(pbxs, small)?;
        table.row([
            pbxs.to_string(),
            small.live.to_string(),
            format!("{:.2}", found.share * 100.0),
            format!("{:.2}", bare * 100.0),
            format!("{:.1} ×", found.share / bare),
            format!("{:.1} MiB", found.resident as f64 / 1_048_576.0),
        ]);
    }
    // The same calls at the same rate from one PBX, with as many pairs of an agent and a queue.
    let large = Shape { agents: 200, queues: 10, seed: context.seed, ..Shape::default() };
    let alone = follow(context, 1, 100 * BURST, large)?;
    table.row([
        "1, with all of it".into(),
        "1,000".into(),
        format!("{:.2}", alone.share * 100.0),
        String::new(),
        String::new(),
        format!("{:.1} MiB", alone.resident as f64 / 1_048_576.0),
    ]);
    println!("{table}");
    Ok(())
}

struct Found {
    /// Of one core.
    share: f64,
    resident: u64,
}

fn follow(context: &Context, pbxs: usize, burst: usize, shape: Shape) -> Result<Found, Failure> {
    let simulated = (0..pbxs).map(|_| Pbx::new(Lists::default())).collect::<Result<Vec<_>, _>>()?;
    let ports = simulated.iter().map(Pbx::port).collect::<Result<Vec<_>, _>>()?;
    // No Ping of its own falls into the measurement.
    let exporter = Exporter::start(&context.exporter, &ports, &["ping_interval: 5m"])?;
    let sessions = simulated.into_iter().map(Pbx::accept).collect::<Result<Vec<_>, _>>()?;
    let mut streams: Vec<TcpStream> =
        sessions.iter().map(|session| session.stream.try_clone()).collect::<Result<_, _>>()?;

    let bursts = bursts(pbxs, burst, shape);
    // The beginning makes labels and series; what is measured is what goes on for ever.
    send(&mut streams, &bursts, 0..WARM_UP)?;
    let before = exporter.process.cpu_seconds();
    let begun = now();
    send(&mut streams, &bursts, WARM_UP..WARM_UP + MEASURED)?;
    let spent = exporter.process.cpu_seconds() - before;
    let share = spent / begun.elapsed().as_secs_f64();
    let resident = exporter.process.resident();

    let expected = ((WARM_UP + MEASURED) * burst * pbxs) as f64;
    // A scrape is made when all was sent; each look-up is one.
    wait_for(Duration::from_secs(60), || {
        let page = exporter.scrape().ok()?;
        (sum(&page, "asterisk_exporter_events_total", "") >= expected).then_some(())
    })
    .ok_or("events were lost")?;
    Ok(Found { share, resident })
}

/// CPU share of a process of ours that drops what it reads.
fn read_barely(pbxs: usize, shape: Shape) -> Result<f64, Failure> {
    let listeners = (0..pbxs)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<Vec<_>, _>>()?;
    let ports = listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port().to_string()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    let mut command = Command::new(std::env::current_exe()?);
    let process = Process::start(command.arg("read-barely").args(ports))?;
    let mut streams = Vec::new();
    for listener in &listeners {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }

    let bursts = bursts(pbxs, BURST, shape);
    send(&mut streams, &bursts, 0..WARM_UP)?;
    let before = process.cpu_seconds();
    let begun = now();
    send(&mut streams, &bursts, WARM_UP..WARM_UP + MEASURED)?;
    Ok((process.cpu_seconds() - before) / begun.elapsed().as_secs_f64())
}

/// What the bare reader does: connects to all of them, reads, and drops.
pub(crate) fn read_and_drop(ports: &[u16]) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(async {
        let mut readers = tokio::task::JoinSet::new();
        for &port in ports {
            readers.spawn(async move {
                let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
                let mut buffer = vec![0; 64 << 10];
                while stream.read(&mut buffer).await? > 0 {}
                Ok::<_, std::io::Error>(())
            });
        }
        while let Some(ended) = readers.join_next().await {
            ended??;
        }
        Ok(())
    })
}

/// For each PBX its bursts.
fn bursts(pbxs: usize, burst: usize, shape: Shape) -> Vec<Vec<Vec<u8>>> {
    let of = |at: usize| {
        let needed = (WARM_UP + MEASURED) * burst;
        let seed = shape.seed + at as u64;
        let shape = Shape { seed, bytes: 600 * needed as u64, ..shape };
        let (bytes, _) = generate(&shape);
        let mut ends = memchr::memmem::find_iter(&bytes, b"\r\n\r\n").map(|end| end + 4);
        let mut start = 0;
        let cut = |_| {
            let end = ends.nth(burst - 1).expect("more events than are needed");
            let text = bytes[start..end].to_vec();
            start = end;
            text
        };
        (0..WARM_UP + MEASURED).map(cut).collect()
    };
    (0..pbxs).map(of).collect()
}

/// Sends some bursts to all, spread over each tenth of a second.
fn send(
    streams: &mut [TcpStream],
    bursts: &[Vec<Vec<u8>>],
    which: std::ops::Range<usize>,
) -> std::io::Result<()> {
    let begun = now();
    let apart = TENTH / u32::try_from(streams.len()).expect("few");
    let mut due = Duration::ZERO;
    for at in which {
        for (stream, bursts) in streams.iter_mut().zip(bursts) {
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            stream.write_all(&bursts[at])?;
            due += apart;
        }
    }
    Ok(())
}

const BURST: usize = 10;
const TENTH: Duration = Duration::from_millis(100);
/// In tenths of a second.
const WARM_UP: usize = 30;
const MEASURED: usize = 100;
