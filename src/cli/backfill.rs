//! The flags of `backfill`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::calendar::{self, Offset};
use crate::clock::Moment;
use crate::config;

/// Flags of `backfill`.
#[derive(Args, Debug)]
pub struct BackfillArgs {
    /// A queue_log, plain or compressed (gz, bz2, xz, zst), or an export of the database's table
    /// queue_log: as CSV with a header, or as mysql and psql print it.  Again for each rotated
    /// file, in any order.
    #[arg(long = "queue-log", required = true, num_args = 1.., value_name = "FILE")]
    pub queue_log: Vec<PathBuf>,
    /// The folder for the files, one for each day (UTC); it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The configuration file, for targets, buckets, aliases and which queues are exported; secrets
    /// are not needed.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The PBX's name, the label `pbx`; needed without a configuration, or if it has several.
    #[arg(long, value_name = "NAME")]
    pub pbx: Option<String>,
    /// From the lines of this second on: 2026-11-24T10:00:00Z, 2026-11-24 10:00 (UTC) or seconds since
    /// 1970.  Counters are zero there.  Otherwise from the first line.
    #[arg(long, value_name = "TIME", value_parser = calendar::moment)]
    pub from: Option<Moment>,
    /// Up to the lines of this second, exclusive: when the exporter began to count.  Otherwise up to
    /// the last line.
    #[arg(long, value_name = "TIME", value_parser = calendar::moment)]
    pub to: Option<Moment>,
    /// How exact the times of samples are: a number of seconds up to 4m, as a store forgets a series
    /// after five.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = step)]
    pub step: u64,
    /// Have series by agent, as the exporter has; otherwise the agents of a queue are one series with
    /// an empty label `agent`.
    #[arg(long)]
    pub agents: bool,
    /// The zone of local times in an export of a database, such as +02:00; otherwise it
    /// follows from the calls' Uniqueids.
    #[arg(long, value_name = "OFFSET", value_parser = calendar::offset, allow_hyphen_values = true)]
    pub log_offset: Option<Offset>,
    /// The label `job`, as Prometheus gives it to the exporter.
    #[arg(long, value_name = "NAME", default_value = "asterisk")]
    pub job: String,
    /// The label `instance`, as Prometheus gives it to the exporter.
    #[arg(long, value_name = "ADDRESS", default_value = "localhost:15038")]
    pub instance: String,
    /// Replace files of a run before.
    #[arg(long)]
    pub force: bool,
}

fn step(text: &str) -> Result<u64, String> {
    let step = config::duration(text)?;
    let is_whole = step.subsec_nanos() == 0;
    match is_whole && (SHORTEST..=LONGEST).contains(&step) {
        true => Ok(step.as_secs()),
        false => Err(format!("{text} is not a whole number of seconds from 1s to 4m")),
    }
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(240);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_whole_seconds_that_no_store_forgets() {
        assert_eq!(["1s", "60", "1m", "4m"].map(step), [Ok(1), Ok(60), Ok(60), Ok(240)]);
        assert!(["0s", "500ms", "1.5", "5m", "soon"].iter().all(|text| step(text).is_err()));
    }
}
