//! The command `run`: follows the configured PBXs and serves their metrics.

use std::fs::File;
use std::path::Path;

use super::configuration::{Origin, logged, overrides};
use super::logging::{log_build, start_logging};
use super::runtime::on_runtime;
use super::service::{Service, listen, new_exporter, web_config};
use super::signals::signals;
use super::{Failure, Misconfigured};
use crate::cli::RunArgs;
use crate::clock::Clock;

/// Runs until a signal.
pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    start_logging(&args.log)?;
    log_build();
    let origin = Origin { config: args.config.clone(), overrides: overrides(&args.web) };
    let loaded = origin.load().map_err(|error| match &args.config {
        Some(path) => never_or_not_now(error, path),
        None => Misconfigured(format!("{error}\n{NO_FILE}").into()).into(),
    })?;
    let config = logged(loaded);

    on_runtime(async {
        // Before anything else: a port that is taken is the most likely mistake.
        let listeners = listen(&config, OTHER_PORT).await?;
        let clock = Clock::start();
        let web = web_config(&config, &clock).map_err(|error| match &config.web.config_file {
            Some(path) => never_or_not_now(error, path),
            None => error,
        })?;
        let exporter = new_exporter(&config, clock.now());
        let origin = Some(origin);
        Service { config, clock, exporter, listeners, web, origin }.run(signals()?).await
    })
}

/// A file that is wrong stays wrong; one that cannot be read may be there at the next start.
fn never_or_not_now(error: Failure, file: &Path) -> Failure {
    if File::open(file).is_ok() { Misconfigured(error).into() } else { error }
}

const NO_FILE: &str = "give --config FILE, or look at `asterisk_exporter demo` first";
const OTHER_PORT: &str =
    "choose another with --web.listen-address, :15039 say, or web.listen_address";
