//! The command `check-config`: every mistake of a configuration, or that there is none.

use std::path::Path;

use super::configuration::{load, print_warnings, printed};
use super::output::write_out;
use super::{AlreadyPrinted, Failure};
use crate::cli::CheckArgs;
use crate::clock::Clock;
use crate::config::{Overrides, Purpose};
use crate::error::with_causes;
use crate::http::WebConfig;

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
    if let Some(path) = &config.web.config_file {
        check_web_config(path)?;
    }
    let names: Vec<_> =
        config.pbxs.iter().map(|pbx| format!("{} ({})", pbx.name, pbx.address)).collect();
    write_out(&format!("{place}: fine; {} pbx: {}\n", names.len(), names.join(", ")))
}

/// The web configuration file that the configuration names.
fn check_web_config(path: &Path) -> Result<(), Failure> {
    match WebConfig::open(path, Clock::start()) {
        Ok((_, warnings)) => {
            print_warnings(warnings);
            Ok(())
        }
        Err(mistakes) => {
            eprintln!("{}", with_causes(&mistakes));
            Err(AlreadyPrinted.into())
        }
    }
}
