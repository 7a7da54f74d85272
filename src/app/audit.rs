//! The command `audit`: opens what is compared, and prints the result.

use std::fs::File;
use std::io::BufReader;
use std::time::UNIX_EPOCH;

use super::configuration::for_replay;
use super::fetch::fetch;
use super::output::write_out;
use super::progress::Bar;
use super::replay::play;
use super::{AlreadyPrinted, Failure, Undecided};
use crate::audit::{Audit, Bounds, Exposition, Report, Table};
use crate::cli::AuditArgs;
use crate::clock::{Clock, Moment};
use crate::config::Config;
use crate::error::with_causes;
use crate::progress::Progress;
use crate::queue_log::QueueLog;

/// Audits, and fails if the two sides differ.
pub(super) fn run(args: &AuditArgs) -> Result<(), Failure> {
    let (report, files) = compare(args).map_err(Undecided)?;
    if let Some(why) = report.nothing() {
        return Err(Undecided(why.into()).into());
    }

    let text = match args.json {
        true => format!("{:#}\n", report.json(&files)),
        false => Table { report: &report, files: &files, all: args.all }.to_string(),
    };
    write_out(&text).map_err(Undecided)?;
    if report.agrees() { Ok(()) } else { Err(AlreadyPrinted.into()) }
}

fn compare(args: &AuditArgs) -> Result<(Report, Vec<String>), Failure> {
    // The cheap questions first: a long capture is played for minutes.
    let bounds = Bounds { since: args.since, until: args.until };
    bounds.check()?;
    let log =
        QueueLog::open(&args.queue_log, args.log_offset).map_err(|error| with_causes(&error))?;
    let config = for_replay(args.config.as_deref())?;
    let bar = Bar::of_files(args.side.capture.iter().chain(&args.queue_log));
    let log = log.with_progress(&bar.progress());

    // The exporter's side is taken whole, and queue_log streams past it.
    let mut audit = match &args.side.metrics {
        Some(place) => of_metrics(args, bounds, config, place)?,
        None => of_capture(args, bounds, config, bar.progress())?,
    };
    log.read(|file, number, line| audit.line(file, number, line))
        .map_err(|error| with_causes(&error))?;

    let files = log.files().iter().map(|path| path.display().to_string()).collect();
    let mut report = audit.report();
    report.notes.extend(zones(&log));
    Ok((report, files))
}

/// What was found out about the zones of local times, for readers who know better.
fn zones(log: &QueueLog) -> impl Iterator<Item = String> {
    log.zones().map(|(path, zones)| {
        let zones: Vec<_> = zones.iter().map(ToString::to_string).collect();
        format!(
            "{}: its local times are {}, according to its Uniqueids",
            path.display(),
            zones.join(", then ")
        )
    })
}

fn of_metrics(
    args: &AuditArgs,
    bounds: Bounds,
    config: Config,
    place: &str,
) -> Result<Audit, Failure> {
    let (exposition, scraped) = read_metrics(place, args.pbx.as_deref())?;
    let window = bounds.of_scrape(&exposition, scraped)?;
    Ok(Audit::of_scrape(&exposition, config.metrics, window))
}

fn of_capture(
    args: &AuditArgs,
    bounds: Bounds,
    config: Config,
    progress: Progress,
) -> Result<Audit, Failure> {
    let audit = Audit::of_capture(config.metrics.clone(), bounds.of_events());
    let replay = play(config, &args.side.capture, audit, progress)?;

    let lines = bounds.of_lines(replay.span())?;
    let gaps = replay.sessions().saturating_sub(1);
    Ok(replay.finish().with_lines(lines).with_gaps(gaps))
}

/// A scrape, and when it was made: now, or when the file was written.
fn read_metrics(place: &str, pbx: Option<&str>) -> Result<(Exposition, Moment), Failure> {
    let (exposition, scraped) = if place.contains("://") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let page = runtime.block_on(fetch(place)).map_err(|error| with_causes(&error))?;
        runtime.shutdown_background();
        (Exposition::read(&page[..], pbx), Clock::start().now())
    } else {
        let unreadable = |error: std::io::Error| format!("{place}: cannot be read: {error}");
        let file = File::open(place).map_err(unreadable)?;
        let written = file.metadata().and_then(|about| about.modified()).map_err(unreadable)?;
        let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        (Exposition::read(BufReader::new(file), pbx), Moment::EPOCH.after(written))
    };

    let exposition = exposition.map_err(|error| format!("{place}: {}", with_causes(&error)))?;
    Ok((exposition, scraped))
}
