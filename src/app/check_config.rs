//! The command `check-config`: every mistake of a configuration, or that there is none.

use super::configuration::{load, printed};
use super::output::write_out;
use super::{AlreadyPrinted, Failure};
use crate::cli::CheckArgs;
use crate::config::{Overrides, Purpose};

/// Fails if there is any mistake.
pub(super) fn run(args: CheckArgs) -> Result<(), Failure> {
    let place = args
        .config
        .as_deref()
        .map_or("the environment".to_owned(), |path| path.display().to_string());

    // One line a mistake, beginning with its place: editors and CI read it.
    let loaded = load(args.config, Overrides::default(), Purpose::Run).map_err(|mistakes| {
        eprintln!("{mistakes}");
        AlreadyPrinted
    })?;

    let config = printed(loaded);
    let names: Vec<_> =
        config.pbxs.iter().map(|pbx| format!("{} ({})", pbx.name, pbx.address)).collect();
    write_out(&format!("{place}: fine; {} pbx: {}\n", names.len(), names.join(", ")))
}
