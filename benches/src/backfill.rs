//! A year of a call centre's queue_log: how fast `backfill` reads it and writes its metrics, and how
//! much memory that takes.
//!
//! Each file is removed as soon as it is complete: it is the program that is measured, and not a
//! disk, which a year fills by tens of gigabytes.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fastrand::Rng;

use super::measure::now;
use super::table::{Table, rate, span};
use super::{Context, Failure};

/// Prints the table; fails if the estimate is of no use.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("backfill-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let done = measure(context, &folder);
    fs::remove_dir_all(&folder)?;
    done
}

fn measure(context: &Context, folder: &Path) -> Result<(), Failure> {
    let log = folder.join("queue_log");
    write_year(&log, context.seed)?;
    let size = fs::metadata(&log)?.len();

    let mut table = Table::new(
        "A year of 5,000 calls a day, by `backfill`",
        &["what", "time", "samples", "samples/s", "bytes", "estimated", "memory at most"],
    );
    for (name, flags) in [
        ("the year by queue", &[][..]),
        ("a month with `--agents`", &["--agents", "--to", "2025-01-31"][..]),
    ] {
        let ran = backfill(context, folder, &log, flags)?;
        let close = ran.estimated * 2 > ran.bytes && ran.estimated < ran.bytes * 2;
        if !close {
            return Err(
                format!("{} bytes were estimated, {} written", ran.estimated, ran.bytes).into()
            );
        }
        table.row([
            name.to_owned(),
            span(ran.seconds),
            rate(ran.samples),
            rate(ran.samples / ran.seconds),
            format!("{:.1} GB", ran.bytes as f64 / 1e9),
            format!("{:.1} GB", ran.estimated as f64 / 1e9),
            format!("{:.0} MiB", ran.peak as f64 / 1_048_576.0),
        ]);
    }
    println!(
        "{table}\nThe log has {:.0} MB, {QUEUES} queues and {AGENTS} agents.\n",
        size as f64 / 1e6
    );
    Ok(())
}

/// What a run did.
struct Ran {
    seconds: f64,
    samples: f64,
    bytes: u64,
    estimated: u64,
    peak: u64,
}

fn backfill(context: &Context, folder: &Path, log: &Path, flags: &[&str]) -> Result<Ran, Failure> {
    let out = folder.join("out");
    let mut command = Command::new(&context.exporter);
    command.args(["backfill", "--pbx", "hq", "--queue-log"]).arg(log).arg("--out").arg(&out);
    command.args(flags).stderr(Stdio::piped());

    let begun = now();
    let mut child = command.spawn()?;
    let (mut bytes, mut peak) = (0, 0);
    while child.try_wait()?.is_none() {
        peak = peak.max(peak_of(&child));
        bytes += remove_files(&out)?;
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = begun.elapsed().as_secs_f64();
    bytes += remove_files(&out)?;

    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(said.into());
    }
    let number = |before: &str, after: &str| -> Result<f64, Failure> {
        let (_, rest) = said.split_once(before).ok_or("no summary")?;
        Ok(rest.split_once(after).ok_or("no summary")?.0.parse()?)
    };
    let samples = number(" lines counted, ", " samples")?;
    let estimated = (number(" samples, ", " MB")? * 1e6) as u64;
    Ok(Ran { seconds, samples, bytes, estimated, peak })
}

fn peak_of(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

/// Removes what is complete; how many bytes that were.
fn remove_files(out: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for file in fs::read_dir(out).into_iter().flatten() {
        let path = file?.path();
        if path.extension().is_some_and(|end| end == "om") {
            bytes += fs::metadata(&path)?.len();
            fs::remove_file(&path)?;
        }
    }
    Ok(bytes)
}

/// Writes the log: most calls come by day, and the lines of a day are in their order.
fn write_year(path: &Path, seed: u64) -> Result<(), Failure> {
    let mut random = Rng::with_seed(seed);
    let mut file = BufWriter::new(fs::File::create(path)?);
    let mut number = 0;
    for day in 0..DAYS {
        let mut lines = Vec::new();
        for _ in 0..CALLS {
            number += 1;
            let hour = if random.u8(..20) == 0 { random.u64(..24) } else { random.u64(8..20) };
            let at = BEGIN + day * 86_400 + hour * 3600 + random.u64(..3600);
            call(&mut random, at, number, &mut lines);
        }
        lines.sort();
        for (at, rest) in lines {
            writeln!(file, "{at}|{rest}")?;
        }
    }
    Ok(file.flush()?)
}

/// One caller: four of five are answered.
fn call(random: &mut Rng, at: u64, number: u64, lines: &mut Vec<(u64, String)>) {
    // Queues differ in size: the first has four times as many calls as the last.
    let queue = random.u64(..QUEUES).min(random.u64(..QUEUES));
    let head = format!("{at}.{number}|queue-{queue}");
    let position = random.u64(1..4);
    lines.push((at, format!("{head}|NONE|ENTERQUEUE||1202555{:04}|{position}", number % 10_000)));

    let (hold, talk) = (random.u64(1..90), random.u64(20..600));
    let agent = (queue * 7 + random.u64(..AGENTS / 3)) % AGENTS;
    let member = format!("{head}|Agent {agent}");
    match random.u8(..100) {
        0..10 => {
            lines.push((at + hold, format!("{head}|NONE|ABANDON|{position}|{position}|{hold}")));
        }
        10..16 => {
            lines.push((at + hold, format!("{head}|NONE|EXITWITHTIMEOUT|1|{position}|{hold}")));
        }
        16..20 => lines.push((at + hold, format!("{head}|NONE|EXITWITHKEY|1|1|{position}|{hold}"))),
        draw => {
            if draw < 30 {
                let other = (agent + 1) % AGENTS;
                lines.push((at + hold / 2, format!("{head}|Agent {other}|RINGNOANSWER|15000")));
            }
            lines.push((
                at + hold,
                format!("{member}|CONNECT|{hold}|{at}.9{number}|{}", hold.min(9)),
            ));
            let end = if draw % 2 == 0 { "COMPLETECALLER" } else { "COMPLETEAGENT" };
            lines.push((at + hold + talk, format!("{member}|{end}|{hold}|{talk}|{position}")));
        }
    }
}

const DAYS: u64 = 365;
const CALLS: u64 = 5_000;
const QUEUES: u64 = 8;
const AGENTS: u64 = 80;
/// Midnight, 2025-01-01 (UTC).
const BEGIN: u64 = 1_735_689_600;
