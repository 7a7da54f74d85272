//! Writes a stream to a file, to measure with other tools.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use super::Failure;
use super::stream::{Mix, Shape, shares, write};
use super::table::Table;

/// How the stream should be.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The file to write
    out: PathBuf,
    /// Which calls
    #[arg(long, value_enum, default_value_t = Mix::Transcript)]
    mix: Mix,
    /// Calls at once
    #[arg(long, default_value_t = 1_000)]
    live: usize,
    /// No call begins behind so many bytes
    #[arg(long, default_value_t = 20_000_000)]
    bytes: u64,
    /// With the TestEvents by which recordings report their end
    #[arg(long)]
    recordings: bool,
    #[arg(long, default_value_t = 200)]
    agents: u32,
    #[arg(long, default_value_t = 20)]
    queues: u32,
}

/// Writes the stream, and prints what it has.
pub(crate) fn run(arguments: &Arguments, seed: u64) -> Result<(), Failure> {
    let &Arguments { mix, live, bytes, recordings, agents, queues, .. } = arguments;
    let shape = Shape { mix, live, bytes, recordings, agents, queues, seed };
    let mut file = BufWriter::new(File::create(&arguments.out)?);
    let sent = write(&shape, &mut file)?;
    file.flush()?;
    println!("{sent:?}, {} bytes an event\n", sent.bytes / sent.events.max(1));

    let mut table = Table::new("Events of the mix", &["event", "of a hundred"]);
    let mut names: Vec<(String, f64)> = shares(mix, recordings).into_iter().collect();
    names.sort_by(|one, other| other.1.total_cmp(&one.1));
    for (name, share) in names {
        table.row([name, format!("{:.1}", share * 100.0)]);
    }
    println!("{table}");
    Ok(())
}
