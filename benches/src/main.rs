//! Speed and memory of the exporter, beside what this machine can do at best.
//!
//! Machines differ, and a shared one differs from minute to minute.  So each figure is a median of
//! several runs, the limits are measured in the same run, and ratios are printed.  Where valgrind
//! is installed, instructions are counted beside seconds: they do not depend on the machine's mood.
//!
//! `make bench` runs everything and prints Markdown, for `docs/performance.md`.  Each bench has a
//! file of its own.

mod generate;
mod growth;
mod limits;
mod machine;
mod measure;
mod stream;
mod table;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Why a bench could not be run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(
    about = "Speed and memory of the exporter beside the limits of this machine, as Markdown"
)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
    #[command(flatten)]
    context: Context,
}

/// What all benches share.
#[derive(clap::Args)]
struct Context {
    /// The program that is measured; by default the one built with the same profile
    #[arg(long, global = true, default_value_os_t = built_beside())]
    exporter: PathBuf,
    /// How often each figure is taken; the median is printed
    #[arg(long, global = true, default_value_t = 5)]
    runs: usize,
    /// Seed of everything that is drawn
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
}

#[derive(Subcommand)]
enum Bench {
    /// Everything, one after the other
    All,
    /// Write a stream of calls to a file, to measure with other tools
    Generate(generate::Arguments),
    /// What this machine can do at best
    Limits,
    /// What an event costs among many calls, for every kind of event
    Growth,
}

fn main() -> Result<(), Failure> {
    let Arguments { bench, context } = Arguments::parse();
    if let Bench::Generate(arguments) = &bench {
        return generate::run(arguments, context.seed);
    }

    println!("{}\n", machine::describe(&context)?);
    match bench {
        Bench::Generate(_) => {}
        Bench::All => {
            limits::run(&context)?;
            growth::run(&context);
        }
        Bench::Limits => limits::run(&context)?,
        Bench::Growth => growth::run(&context),
    }
    Ok(())
}

/// Cargo puts all programs of a profile into one folder.
fn built_beside() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name(format!("asterisk_exporter{}", std::env::consts::EXE_SUFFIX))
}
