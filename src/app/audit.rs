//! The command `audit`: opens what is compared, and prints what came of it.

use std::fs::File;
use std::io::BufReader;
use std::time::{Duration, UNIX_EPOCH};

use super::{Failure, Told, Undecided, chain, play, replay_config, write_out};
use crate::audit::{Audit, Edge, Exposition, Report, Table, Window};
use crate::calendar::utc;
use crate::cli::AuditArgs;
use crate::clock::{Clock, Moment};
use crate::config::Config;
use crate::http;
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
    if report.agrees() { Ok(()) } else { Err(Told.into()) }
}

fn compare(args: &AuditArgs) -> Result<(Report, Vec<String>), Failure> {
    if let Some((since, until)) = args.since.zip(args.until) {
        forward(since, until)?;
    }
    let log = QueueLog::open(&args.queue_log, args.log_offset).map_err(|error| chain(&error))?;
    let config = replay_config(args.config.as_deref())?;
    let mut audit = match &args.side.metrics {
        Some(place) => with_metrics(args, config, place)?,
        None => with_recording(args, config)?,
    };
    log.read(|file, number, line| audit.line(file, number, line)).map_err(|error| chain(&error))?;
    let files = log.files().iter().map(|path| path.display().to_string()).collect();
    let mut report = audit.report();
    report.notes.extend(zones(&log));
    Ok((report, files))
}

/// What was found out of the zones of local times: whoever knows better sees it.
fn zones(log: &QueueLog) -> impl Iterator<Item = String> {
    log.zones().map(|(path, zones)| {
        let zones: Vec<_> = zones.iter().map(ToString::to_string).collect();
        format!(
            "{}: its local times are {}, as the Uniqueids in it tell",
            path.display(),
            zones.join(", then ")
        )
    })
}

/// Counters began when the exporter started, and stand as they were at the scrape.
fn with_metrics(args: &AuditArgs, config: Config, place: &str) -> Result<Audit, Failure> {
    let (exposition, scraped) = read_metrics(place, args.pbx.as_deref())?;
    let since = args.since.map(|at| Edge::around(at, CLOCKS)).or_else(|| began(&exposition));
    let until = Edge { at: args.until.unwrap_or(scraped), before: LATE, after: CLOCKS };
    if let Some(since) = since {
        forward(since.at, until.at)?;
    }
    Ok(Audit::of_scrape(&exposition, config.metrics, Window { since, until: Some(until) }))
}

/// A recording is compared from its first event to its last.
fn with_recording(args: &AuditArgs, config: Config) -> Result<Audit, Failure> {
    let chosen = |at: Option<Moment>| at.map(|at| Edge::around(at, LATE));
    let counts = Window { since: chosen(args.since), until: chosen(args.until) };
    let audit = Audit::of_recording(config.metrics.clone(), counts);
    let replay = play(config, &args.side.recording, audit)?;
    if replay.span().is_none() && (args.since.is_some() || args.until.is_some()) {
        return Err("the recording has no time stamps: --since and --until need them".into());
    }
    let own = replay
        .span()
        .map(|(first, last)| (Edge::around(first, SECOND), Edge::around(last, SECOND)));
    let (begins, ends) = own.unzip();
    let lines = Window { since: counts.since.or(begins), until: counts.until.or(ends) };
    let gaps = replay.sessions().saturating_sub(1);
    Ok(replay.finish().with_lines(lines).with_gaps(gaps))
}

/// Time goes forward: whoever mixes up two ends would see two empty sides agree.
fn forward(since: Moment, until: Moment) -> Result<(), Failure> {
    if since < until {
        return Ok(());
    }
    Err(format!("there is no time to compare: {} is not before {}", utc(since), utc(until)).into())
}

/// The exporter counts from when it is synchronised for the first time, which is within its first
/// blind time.
fn began(exposition: &Exposition) -> Option<Edge> {
    let at = exposition.started?;
    let blind = if exposition.gaps() == 0 {
        Duration::try_from_secs_f64(exposition.blind).ok()?
    } else {
        CLOCKS
    };
    Some(Edge { at, before: CLOCKS, after: blind + CLOCKS })
}

/// A scrape, and when it was made: now, or when the file was written.
fn read_metrics(place: &str, pbx: Option<&str>) -> Result<(Exposition, Moment), Failure> {
    let (exposition, scraped) = if place.contains("://") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let page = runtime.block_on(http::fetch(place)).map_err(|error| chain(&error))?;
        runtime.shutdown_background();
        (Exposition::read(&page[..], pbx), Clock::start().now())
    } else {
        let unreadable = |error: std::io::Error| format!("{place}: cannot be read: {error}");
        let file = File::open(place).map_err(unreadable)?;
        let written = file.metadata().and_then(|about| about.modified()).map_err(unreadable)?;
        let written = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        (Exposition::read(BufReader::new(file), pbx), Moment::default().after(written))
    };
    Ok((exposition.map_err(|error| format!("{place}: {}", chain(&error)))?, scraped))
}

/// What lies between an event and its line is far less, but they may fall into two seconds.
const SECOND: Duration = Duration::from_secs(1);
/// An exporter's start is known to the second, and its clock may not be the PBX's.
const CLOCKS: Duration = Duration::from_secs(2);
/// What tells an end may come five seconds late (METRICS.md, Talk).
const LATE: Duration = Duration::from_secs(6);
