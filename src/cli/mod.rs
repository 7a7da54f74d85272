//! The command line: commands, flags and their help.

mod audit;
mod backfill;
mod examples;
mod help;
mod log;
mod setup;

use std::path::PathBuf;
use std::time::Duration;

pub use audit::{AuditArgs, Side};
pub use backfill::BackfillArgs;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
pub use examples::{Example, examples};
pub use log::{Level, LogArgs, LogFormat};
pub use setup::SetupArgs;

use crate::build_info::{LONG_VERSION, VERSION};
use crate::config;
use crate::metrics::Format;
use crate::version::Version;

/// Exact Prometheus metrics of the calls, queues and agents of Asterisk PBXs, read from their
/// manager interface.
///
/// Without a command it runs the exporter.
#[derive(Debug, Parser)]
#[command(
    name = "asterisk_exporter",
    version = VERSION,
    long_version = LONG_VERSION.as_str(),
    after_help = "Examples and more about a command: asterisk_exporter COMMAND --help",
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    subcommand_help_heading = "Commands",
    subcommand_value_name = "COMMAND"
)]
pub struct Cli {
    /// The command; `run` if left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `run`, without its name.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the metrics of the configured PBXs (the default).
    Run(RunArgs),
    /// Show everything on a simulated PBX, without any Asterisk.
    ///
    /// The PBX is inside this program, speaks the protocol of a real one, and writes a queue_log.
    Demo(DemoArgs),
    /// Write what a PBX sends into a capture that `replay` plays.
    ///
    /// Callers get pseudonyms.
    Record(RecordArgs),
    /// Play captures and print the metrics as after the last event.
    ///
    /// A capture is what a manager interface has sent, as `record` writes it.
    Replay(ReplayArgs),
    /// Compare Asterisk's queue_log with what was counted.
    ///
    /// Queue by queue and verb by verb, with a capture or with the metrics of a running exporter.
    /// Exit code 0: they agree, but for documented differences (METRICS.md).  1: they differ.  2:
    /// they could not be compared.
    Audit(AuditArgs),
    /// Write the metrics of the past from Asterisk's queue_log.
    ///
    /// One file of OpenMetrics with timestamps for each day, for `promtool tsdb create-blocks-from
    /// openmetrics` and for VictoriaMetrics.  What queue_log does not tell is absent
    /// (docs/backfill.md).
    Backfill(BackfillArgs),
    /// Check the configuration and print every mistake found.
    ///
    /// Exit code 1 if there is any.
    CheckConfig(CheckArgs),
    /// Print the configuration that is in force, secrets as `***`.
    ///
    /// It is made of the file, the environment, the flags and the defaults.
    PrintConfig(PrintArgs),
    /// Print the JSON Schema of the configuration, for editors.
    ///
    /// It has the keys, their kinds and defaults, and what they mean.  A configuration names it in its
    /// first line: `# yaml-language-server: $schema=asterisk_exporter.schema.json`.
    ConfigSchema,
    /// Say what each PBX lacks, and which line mends it.
    ///
    /// It connects to the configured PBXs, changes nothing, and asks for no more than `run` does.  Exit
    /// code 1 if numbers would be wrong or absent.
    Doctor(DoctorArgs),
    /// Ask for what a new PBX needs, and write all of it.
    ///
    /// The account for manager.conf with a random secret, the configuration, and the job for Prometheus;
    /// then it runs `doctor`.  Every question has a flag.  It replaces no file without --force, and
    /// changes none of the PBX without --install.
    Setup(SetupArgs),
    /// Ask the exporter on this machine whether it is healthy.
    ///
    /// For containers and monitoring: exit code 1 if it is not, or does not answer.  Needs no
    /// certificate and no password, but the same user, or root.
    Health(HealthArgs),
    /// Print the account for manager.conf with the least rights.
    ///
    /// Classes and event filters are those that the Asterisk version knows.
    ManagerConf(ManagerConfArgs),
    /// Print a manual page, or write all of them into a folder.
    Man(ManArgs),
    /// Print what a shell needs to complete commands and flags.
    Completions(CompletionsArgs),
}

/// Flags of `run`.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// The configuration file (YAML); the environment (ASTERISK_EXPORTER_…) and flags override it.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the metrics are served.
    #[command(flatten)]
    pub web: WebArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Where the metrics are served.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Web")]
pub struct WebArgs {
    /// Address to listen on, `:15038` by default; may be given several times.
    #[arg(long = "web.listen-address", value_name = "ADDRESS")]
    pub listen_address: Vec<String>,
    /// Path of the metrics, `/metrics` by default.
    #[arg(long = "web.telemetry-path", value_name = "PATH")]
    pub telemetry_path: Option<String>,
    /// File with TLS, users, headers and the limit of requests, in the format of exporter-toolkit.
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Listen on the sockets that systemd opens for a socket unit, and on no other.
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,
    /// Unix socket for `asterisk_exporter health`; by default health.sock in systemd's
    /// $RUNTIME_DIRECTORY, or in /run/asterisk_exporter if that is there.  An empty path is none.
    #[arg(
        long = "web.health-socket",
        value_name = "FILE",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
    )]
    pub health_socket: Option<PathBuf>,
    /// Answer `POST /-/reload`, which reads the configuration again as SIGHUP does.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
}

/// Flags of `health`.
#[derive(Args, Debug)]
pub struct HealthArgs {
    /// The socket of `run`'s --web.health-socket; by default the same as there.
    #[arg(long = "web.health-socket", value_name = "FILE")]
    pub socket: Option<PathBuf>,
    /// Ask whether every PBX is synchronised, instead of whether the program works.
    #[arg(long)]
    pub ready: bool,
}

/// Flags of `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The same seed gives the same calls.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many times faster than real time the call centre works.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// How long the call centre has been open at the start.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = config::duration)]
    pub open_for: Duration,
    /// Where its queue_log is written, for `audit`; if left out, into a temporary file.
    #[arg(long, value_name = "FILE")]
    pub queue_log: Option<PathBuf>,
    /// Where the metrics are served.
    #[command(flatten)]
    pub web: WebArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
    if speed > 0.0 && speed <= 1000.0 {
        Ok(speed)
    } else {
        Err(format!("{text} is not above 0 and up to 1000"))
    }
}

/// Flags of `record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// The configuration file, as for `run`.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The capture to write, always gzipped, readable for its owner only.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Which PBX, by its name in the configuration; needed if there are several.
    #[arg(long, value_name = "NAME")]
    pub pbx: Option<String>,
    /// How long, such as 90s, 10m or 1h30m; if left out, until Ctrl-C.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    pub duration: Option<Duration>,
    /// Replace a file that exists.
    #[arg(long)]
    pub force: bool,
    /// Keep callers' numbers and names, and everything else, as the PBX sent it.
    #[arg(long, conflicts_with = "salt_file")]
    pub keep_numbers: bool,
    /// A file with a secret text of at least 16 characters: captures with the same one have the same
    /// pseudonyms.
    #[arg(long, value_name = "FILE")]
    pub salt_file: Option<PathBuf>,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Flags of `replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// Captures, plain or gzipped; several are played one after the other, as of one PBX.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The configuration file: its first pbx gives the name and the patterns; secrets are not
    /// needed.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How the metrics are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: OutputFormat,
}

/// How metrics are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum OutputFormat {
    /// OpenMetrics 1.0.
    #[default]
    Openmetrics,
    /// The classic text format, as promtool reads it.
    Text,
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Openmetrics => Self::OpenMetrics,
            OutputFormat::Text => Self::Text,
        }
    }
}

/// Flags of `check-config`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The configuration file.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Flags of `print-config`.
#[derive(Args, Debug)]
pub struct PrintArgs {
    /// The configuration file, as for `run`.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Flags of `run` that override it.
    #[command(flatten)]
    pub web: WebArgs,
}

/// Flags of `doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// The configuration file, as for `run`.
    #[arg(long = "config", alias = "config.file", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Only this PBX, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    pub pbx: Option<String>,
    /// How long events are watched: what happens meanwhile shows which of them come.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = config::duration)]
    pub watch: Duration,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Flags of `manager-conf`.
#[derive(Args, Debug)]
pub struct ManagerConfArgs {
    /// The PBX's version, as `asterisk -V` or `core show version` prints it: rights and event
    /// filters differ.
    #[arg(long, value_name = "VERSION")]
    pub asterisk: Version,
    /// Name of the account.
    #[arg(long, default_value = "exporter")]
    pub username: String,
    /// Network the exporter connects from.
    #[arg(long, default_value = "127.0.0.1/255.255.255.255", value_name = "NETWORK")]
    pub permit: String,
    /// Also print what encrypts the connection, with a certificate as in docs/tls.md.
    #[arg(long)]
    pub tls: bool,
}

/// Flags of `man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The command; without one, the page of the program.
    #[arg(conflicts_with = "out")]
    pub command: Option<String>,
    /// Write all pages into this folder, which is made if it is not there: asterisk_exporter.1, and
    /// one for each command.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Flags of `completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// The command line, as it is documented and completed.
pub fn command() -> clap::Command {
    help::with_examples(Cli::command())
}

/// Reads the arguments of this process; ends it after a mistake, and after `--help`.
pub fn parse() -> Cli {
    let matches = help::with_groups(command()).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_speed_is_a_number_above_zero() {
        assert!(["0", "-1", "nan", "inf", "fast"].iter().all(|text| speed(text).is_err()));
    }

    #[test]
    fn an_empty_path_of_the_health_socket_is_taken() {
        let cli = Cli::parse_from(["asterisk_exporter", "--web.health-socket", ""]);
        assert_eq!(cli.run.web.health_socket, Some(PathBuf::new()));
    }

    #[test]
    fn run_needs_no_name() {
        let short = Cli::parse_from([
            "asterisk_exporter",
            "--config",
            "a.yml",
            "--web.listen-address",
            ":1",
        ]);
        assert!(short.command.is_none());
        assert_eq!(short.run.config, Some(PathBuf::from("a.yml")));

        let long = Cli::parse_from(["asterisk_exporter", "run", "--config", "a.yml"]);
        assert!(matches!(long.command, Some(Command::Run(RunArgs { config: Some(_), .. }))));
    }

    #[test]
    fn every_command_that_takes_a_configuration_takes_it_by_the_name_that_prometheus_uses() {
        let takers = Cli::command();
        let takers = takers.get_subcommands().filter_map(|command| {
            let config = command.get_arguments().find(|argument| argument.get_id() == "config")?;
            assert_eq!(
                config.get_all_aliases(),
                Some(vec!["config.file"]),
                "{}",
                command.get_name()
            );
            Some(command.get_name().to_owned())
        });
        assert_eq!(
            takers.collect::<Vec<_>>(),
            [
                "run",
                "record",
                "replay",
                "audit",
                "backfill",
                "check-config",
                "print-config",
                "doctor"
            ]
        );
    }
}
