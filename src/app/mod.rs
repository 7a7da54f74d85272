//! What the commands do: a file each, and what several of them need.

mod audit;
mod backfill;
mod check_config;
mod completions;
mod configuration;
mod demo;
mod doctor;
mod fetch;
mod health;
mod http_threads;
mod logging;
mod man;
mod manager_conf;
mod notify;
mod output;
mod print_config;
mod progress;
mod record;
mod reload;
mod replay;
mod run;
mod runtime;
mod service;
mod setup;
mod signals;

use std::error::Error;

use crate::cli::{Cli, Command};
use crate::config::SCHEMA;

/// What ends a command early: a text for a person, and its [`exit_code`].
pub type Failure = Box<dyn Error + Send + Sync>;

/// A failure whose text was already printed.
#[derive(Debug, thiserror::Error)]
#[error("")]
struct AlreadyPrinted;

/// An audit that did not come to a verdict.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Undecided(Failure);

/// A configuration that was read and is wrong, so that starting the exporter again is of no use.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misconfigured(Failure);

/// Does what the command line asks for.
///
/// # Errors
/// Whatever stopped it, as a text that names the thing and the place.
pub fn execute(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Backfill(args) => backfill::run(&args),
        Command::CheckConfig(args) => check_config::run(args),
        Command::ConfigSchema => output::write_out(SCHEMA),
        Command::PrintConfig(args) => print_config::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Setup(args) => setup::run(&args),
        Command::Health(args) => health::run(&args),
        Command::ManagerConf(args) => manager_conf::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

/// The exit code of a failure.
pub fn exit_code(failure: &Failure) -> u8 {
    if failure.is::<Undecided>() {
        UNDECIDED
    } else if failure.is::<setup::WrongAnswer>() {
        WRONG_ANSWER
    } else if failure.is::<Misconfigured>() {
        MISCONFIGURED
    } else {
        FAILED
    }
}

/// Anything else; also the verdict of an audit that found differences.
const FAILED: u8 = 1;
/// Of `setup`; the same as clap has for a flag.
const WRONG_ANSWER: u8 = 2;
/// An audit without a verdict.
const UNDECIDED: u8 = 2;
/// EX_CONFIG of sysexits.h, which systemd calls CONFIG.
const MISCONFIGURED: u8 = 78;
