//! The work that a release is optimised for: streams of calls, scraped as Prometheus does, and all
//! captures of the project, so that no kind of event is taken for one that never comes.
//!
//! The program is one that was built to write a profile (`make release`), which it does when it
//! ends by itself.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::exporter::Exporter;
use super::instructions::Scratch;
use super::measure::wait_for;
use super::pbx::{Lists, Pbx};
use super::stream::{Mix, Shape, Source, write};
use super::{Context, Failure};

/// Has the program do it all.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    // Not the calls that the benches measure with.
    let seed = context.seed.wrapping_add(1_000);
    for (mix, live, recordings) in STREAMS {
        let bytes = if live > 1_000 { 60_000_000 } else { 30_000_000 };
        let shape = Shape { mix, live, bytes, recordings, seed, ..Shape::default() };
        follow(context, &shape)?;

        let scratch = Scratch::new(&format!("{live}.ami"));
        let mut file = BufWriter::new(File::create(&scratch.0)?);
        write(&shape, &mut file)?;
        file.flush()?;
        replay(context, &scratch.0)?;
    }

    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for capture in captures(&fixtures)? {
        replay(context, &capture)?;
    }
    Ok(())
}

/// Sends a stream through TCP, with a scrape for each megabyte.
fn follow(context: &Context, shape: &Shape) -> Result<(), Failure> {
    let pbx = Pbx::new(Lists::default())?;
    let exporter = Exporter::start(&context.exporter, &[pbx.port()?], &["ping_interval: 5m"])?;
    let mut session = pbx.accept()?;
    let mut source = Source::new(shape);
    let mut buffer = vec![0; 1 << 20];
    for accept in ACCEPTED.into_iter().cycle() {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        session.stream.write_all(&buffer[..length])?;
        exporter.fetch("/metrics", &format!("Accept: {accept}\r\nAccept-Encoding: gzip\r\n"))?;
    }

    // What was sent is not yet read.
    let is_exact = || source.sent().check(&exporter.scrape().ok()?).ok();
    wait_for(Duration::from_secs(60), is_exact).ok_or("the counters did not become exact")?;
    exporter.end()
}

fn replay(context: &Context, capture: &Path) -> Result<(), Failure> {
    let mut command = Command::new(&context.exporter);
    command.arg("replay").arg(capture).stdout(Stdio::null());
    if command.status()?.success() {
        return Ok(());
    }
    Err(format!("{} was not replayed", capture.display()).into())
}

/// All captures below a folder, in the order of their names.
fn captures(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(captures(&path)?);
        } else if path.to_string_lossy().ends_with(".ami")
            || path.to_string_lossy().ends_with(".ami.gz")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Which calls, how many at once, and whether recordings report their end.
const STREAMS: [(Mix, usize, bool); 4] = [
    (Mix::Transcript, 1_000, false),
    (Mix::Transcript, 10_000, false),
    (Mix::Transcript, 1_000, true),
    (Mix::Full, 1_000, true),
];
/// What scrapers ask for: Prometheus by default and with native histograms, and the classic format.
const ACCEPTED: [&str; 3] = [
    "application/openmetrics-text;version=1.0.0",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "text/plain;version=0.0.4",
];
