//! Where the log goes, and how it looks.

use std::io;
use std::panic::{Location, PanicHookInfo};

use tracing::{error, info};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Failure;
use super::progress::AboveBar;
use crate::build_info::{DATE, REVISION, VERSION};
use crate::cli::{LogArgs, LogFormat};

/// Logs to standard error from now on.
pub(super) fn start_logging(args: &LogArgs) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(args.level.as_str())?;
    let registry = tracing_subscriber::registry().with(filter);

    match args.format {
        LogFormat::Logfmt => {
            registry.with(tracing_logfmt::builder().layer().with_writer(|| AboveBar)).try_init()?;
        }
        LogFormat::Json => {
            registry
                .with(tracing_subscriber::fmt::layer().json().with_writer(io::stderr))
                .try_init()?;
        }
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The first line: which build this is.
pub(super) fn log_build() {
    info!(version = VERSION, revision = REVISION, build_date = *DATE, "starting");
}

/// A panic as a line of the log, and never with its text: that may hold what came from the wire.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(Location::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    error!(location, thread, "panic: please report this line with the version");
}
