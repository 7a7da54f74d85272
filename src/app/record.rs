//! The command `record`: what a session receives, into a capture.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::info;

use super::Failure;
use super::configuration::{load, logged};
use super::logging::start_logging;
use super::progress::Bar;
use super::runtime::on_runtime;
use super::signals::stop_signal;
use crate::cli::{LogFormat, RecordArgs};
use crate::clock::Clock;
use crate::config::{Overrides, Pbx, Purpose};
use crate::error::with_causes;
use crate::metrics::Settings;
use crate::pbx::PbxName;
use crate::record::{CaptureFile, CaptureWriter, FileError, Key, Pseudonymizer, Totals};
use crate::supervisor::{Alone, NotBegun, Tap};

/// Records until a signal, or as long as asked.
pub(super) fn run(args: &RecordArgs) -> Result<(), Failure> {
    start_logging(&args.log)?;
    let config = logged(load(args.config.clone(), Overrides::default(), Purpose::Run)?);
    let pbx = choose(config.pbxs, args.pbx.as_deref())?;

    let pseudonymizer = if args.keep_numbers {
        None
    } else {
        Some(Pseudonymizer::new(key(args.salt_file.as_deref())?, pbx.rules.clone()))
    };

    // Before the connection: nothing is to be asked of the PBX if there is nowhere to write.
    let file = CaptureFile::create(&args.out, args.force).map_err(|error| with_causes(&error))?;
    // Machines that read the log want nothing between its lines.
    let shown = args.log.format == LogFormat::Logfmt;
    let bar = shown.then(|| Bar::of_recording(args.duration));
    let progress = bar.as_ref().map(Bar::progress).unwrap_or_default();
    let writer = CaptureWriter::new(file, pseudonymizer).with_progress(progress);

    on_runtime(async {
        let name = pbx.name.clone();
        let (began, written) = follow(pbx, writer, args.duration).await?;
        drop(bar);

        // The file first: if it cannot be written, how the session went does not matter.
        let totals = written.map_err(|error| with_causes(&error))?;
        began.map_err(|error| format!("pbx {name}: {error}"))?;
        summarise(&args.out, &name, totals)
    })
}

/// The chosen PBX: by name, or because there is no other.
fn choose(mut pbxs: Vec<Pbx>, name: Option<&str>) -> Result<Pbx, Failure> {
    let names: Vec<_> = pbxs.iter().map(|pbx| pbx.name.to_string()).collect();
    let names = names.join(", ");

    match name {
        Some(name) => pbxs.retain(|pbx| pbx.name.as_str() == name),
        None if pbxs.len() > 1 => {
            return Err(format!("which pbx? give --pbx with one of: {names}").into());
        }
        None => {}
    }

    pbxs.pop()
        .ok_or_else(|| format!("--pbx: the configuration has no such pbx, only: {names}").into())
}

fn key(salt_file: Option<&Path>) -> Result<Key, Failure> {
    let Some(path) = salt_file else { return Ok(Key::random()?) };
    let unreadable = |error| format!("{}: cannot be read: {error}", path.display());

    let mut salt = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SALT_MOST + 1).read_to_end(&mut salt))
        .map_err(unreadable)?;

    if salt.len() as u64 > SALT_MOST {
        return Err(format!("{}: a salt has at most {SALT_MOST} bytes", path.display()).into());
    }
    Key::of_salt(&salt)
        .ok_or_else(|| format!("{}: a salt has at least 16 characters", path.display()).into())
}

type Outcome = (Result<(), NotBegun>, Result<Totals, FileError>);

/// Records until a signal, the end of `duration`, or an error of the file.
async fn follow(
    pbx: Pbx,
    writer: CaptureWriter,
    duration: Option<Duration>,
) -> Result<Outcome, Failure> {
    let clock = Clock::start();
    let (tap, taken) = Tap::new();
    let (end, ended) = watch::channel(false);
    let mut stop = stop_signal()?;

    // Writing to a slow disk must not hold up the session.
    let mut writing = JoinSet::new();
    let writer_clock = clock.clone();
    writing.spawn_blocking(move || writer.run(taken, &writer_clock));

    let alone = Alone::new(pbx, Settings::default(), clock);
    let mut session = pin!(alone.follow(tap, ended));
    let mut written = None;
    let began = tokio::select! {
        began = &mut session => Some(began),
        _ = stop.wait_for(|&asked| asked) => None,
        () = after(duration) => None,
        done = writing.join_next() => {
            written = done;
            None
        }
    };

    // The session holds the tap: when it ends, the file ends as well.
    end.send_replace(true);
    let began = match began {
        Some(began) => began,
        None => session.await,
    };
    let written = match written {
        Some(done) => done,
        None => writing.join_next().await.ok_or("nothing writes the capture")?,
    };
    Ok((began, written?))
}

async fn after(duration: Option<Duration>) {
    match duration {
        Some(duration) => sleep(duration).await,
        None => std::future::pending().await,
    }
}

fn summarise(path: &Path, pbx: &PbxName, totals: Totals) -> Result<(), Failure> {
    let Totals { sessions, events, bytes, packed } = totals;
    info!(%pbx, sessions, events, bytes, "recorded");

    if sessions == 0 {
        return Err(format!("pbx {pbx}: nothing was recorded, there was no session yet").into());
    }

    let path = path.display();
    writeln!(
        io::stderr(),
        "{path}: {events} events of pbx {pbx}, {bytes} bytes, {packed} in the file"
    )?;
    Ok(())
}

/// Any file can be a salt, but one like `/dev/zero` has no end.
const SALT_MOST: u64 = 1 << 20;
