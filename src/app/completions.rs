//! The command `completions`: what a shell needs to complete our commands and flags.

use clap_complete::generate;

use super::Failure;
use super::output::write_out;
use crate::cli::{self, CompletionsArgs};

/// Prints the script.
pub(super) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut command = cli::command();
    let name = command.get_name().to_owned();

    // Into memory, since the generator takes a reader that has seen enough for a panic.
    let mut script = Vec::new();
    generate(args.shell, &mut command, name, &mut script);
    write_out(&String::from_utf8(script)?)
}
