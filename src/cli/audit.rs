//! The flags of `audit`.

use std::path::PathBuf;

use clap::Args;

use crate::calendar::{self, Offset};
use crate::clock::Moment;

/// Flags of `audit`.
#[derive(Args, Debug)]
pub struct AuditArgs {
    /// A queue_log, plain or compressed (gz, bz2, xz, zst), or an export of the database's table
    /// queue_log: as CSV with a header, or as mysql and psql print it.  Again for each rotated
    /// file, in any order.
    #[arg(long = "queue-log", required = true, num_args = 1.., value_name = "FILE")]
    pub queue_log: Vec<PathBuf>,
    /// The exporter's side.
    #[command(flatten)]
    pub side: Side,
    /// Compare from here on: 2026-11-24T10:00:00Z, 2026-11-24 10:00 (UTC) or seconds since 1970.
    /// Otherwise from the start of the capture, or of the exporter.
    #[arg(long, value_name = "TIME", value_parser = calendar::moment)]
    pub since: Option<Moment>,
    /// Compare up to here; otherwise up to the end of the capture, or to now (a file of metrics: to
    /// when it was written).
    #[arg(long, value_name = "TIME", value_parser = calendar::moment)]
    pub until: Option<Moment>,
    /// The zone of local times in an export of a database, such as +02:00; otherwise it
    /// follows from the calls' Uniqueids.
    #[arg(long, value_name = "OFFSET", value_parser = calendar::offset, allow_hyphen_values = true)]
    pub log_offset: Option<Offset>,
    /// The pbx to compare, where the metrics are of several.
    #[arg(long, value_name = "NAME", conflicts_with = "capture")]
    pub pbx: Option<String>,
    /// The configuration file: patterns and limits for the capture, and which queues are
    /// exported; secrets are not needed.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show figures that are equal, too.
    #[arg(long)]
    pub all: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What queue_log is compared with.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct Side {
    /// A capture of the manager interface, plain or gzipped; with it, single calls are compared.
    #[arg(long, alias = "recording", num_args = 1.., value_name = "FILE")]
    pub capture: Vec<PathBuf>,
    /// The metrics of a running exporter (http://…/metrics or https), or a file of them.
    #[arg(long, value_name = "URL|FILE")]
    pub metrics: Option<String>,
}
