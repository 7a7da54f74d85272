//! Speed and memory of the exporter, beside what this machine can do at best.
//!
//! Machines differ, and a shared one differs from minute to minute.  So each figure is a median of
//! several runs, the limits are measured in the same run, and ratios are printed.  Where valgrind
//! is installed, instructions are counted beside seconds: they do not depend on the machine's mood.
//!
//! `make bench` runs everything and prints Markdown, for `docs/performance.md`.  Each bench has a
//! file of its own.

mod attack;
mod backfill;
mod exporter;
mod generate;
mod growth;
mod instructions;
mod limits;
mod machine;
mod measure;
mod memory;
mod parse;
mod pbx;
mod pbxs;
mod replay;
mod resync;
mod scrape;
mod stall;
mod startup;
mod stream;
mod table;
mod tcp;
mod train;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use peak_alloc::PeakAlloc;

/// Counts what is allocated, which takes about a hundredth of a replay's time.
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

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
    /// Bytes to events, and nothing else
    Parse,
    /// What an event costs among many calls, for every kind of event
    Growth,
    /// From memory to the counters
    Replay,
    /// Through loopback TCP to the counters of the real program
    Tcp,
    /// What a call takes while it goes on
    Memory,
    /// How soon the program answers, and how large it is
    Startup,
    /// Many PBXs in one process
    Pbxs,
    /// The lists of a large PBX
    Resync,
    /// Have an instrumented exporter do what a release is optimised for
    #[command(hide = true)]
    Train,
    /// What many PBXs are compared with
    #[command(hide = true)]
    ReadBarely {
        /// Of the loopback
        ports: Vec<u16>,
    },
    /// The same events once, for callgrind
    #[command(hide = true)]
    GrowthMarked {
        /// How much goes on
        n: usize,
    },
    /// Fail if an event takes more instructions the more goes on
    #[command(hide = true)]
    GrowthCheck,
    /// What a scrape costs, and how long it makes events wait
    Scrape,
    /// A year of queue_log to metrics of the past
    Backfill,
    /// What hostile clients of the pages cost, and how long they make the reader of a PBX stand still
    Attack,
}

fn main() -> Result<(), Failure> {
    let Arguments { bench, context } = Arguments::parse();
    match &bench {
        Bench::Generate(arguments) => return generate::run(arguments, context.seed),
        Bench::ReadBarely { ports } => return pbxs::read_and_drop(ports),
        Bench::GrowthMarked { n } => {
            growth::run_marked(*n);
            return Ok(());
        }
        Bench::GrowthCheck => return growth::check(),
        Bench::Train => return train::run(&context),
        _ => {}
    }

    println!("{}\n", machine::describe(&context)?);
    match bench {
        Bench::Generate(_)
        | Bench::ReadBarely { .. }
        | Bench::GrowthMarked { .. }
        | Bench::GrowthCheck
        | Bench::Train => {}
        Bench::All => {
            limits::run(&context)?;
            parse::run(&context);
            replay::run(&context)?;
            tcp::run(&context)?;
            memory::run(&context)?;
            growth::run(&context)?;
            resync::run(&context)?;
            pbxs::run(&context)?;
            scrape::run(&context)?;
            attack::run(&context)?;
            startup::run(&context)?;
            backfill::run(&context)?;
        }
        Bench::Limits => limits::run(&context)?,
        Bench::Parse => parse::run(&context),
        Bench::Growth => growth::run(&context)?,
        Bench::Replay => replay::run(&context)?,
        Bench::Tcp => tcp::run(&context)?,
        Bench::Memory => memory::run(&context)?,
        Bench::Startup => startup::run(&context)?,
        Bench::Pbxs => pbxs::run(&context)?,
        Bench::Resync => resync::run(&context)?,
        Bench::Scrape => scrape::run(&context)?,
        Bench::Attack => attack::run(&context)?,
        Bench::Backfill => backfill::run(&context)?,
    }
    Ok(())
}

/// Cargo puts all programs of a profile into one folder.
fn built_beside() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name(format!("asterisk_exporter{}", std::env::consts::EXE_SUFFIX))
}
