//! The command `print-config`: the configuration that is in force, without its secrets.

use super::Failure;
use super::configuration::{load, overrides, printed};
use super::output::write_out;
use crate::cli::PrintArgs;
use crate::config::Purpose;

/// Prints it as YAML, which is a configuration again.
pub(super) fn run(args: PrintArgs) -> Result<(), Failure> {
    let overrides = overrides(&args.web);
    let config = printed(load(args.config, overrides, Purpose::Run)?);
    write_out(&config.print()?)
}
