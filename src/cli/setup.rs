//! The flags of setup.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config;

/// Flags of `setup`.  The values of the answers are checked as those of the configuration.
#[derive(Args, Clone, Debug)]
pub struct SetupArgs {
    /// Where the PBX's manager interface listens, as host or host:port.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Name of the PBX, the label `pbx`.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The PBX's version, as `asterisk -V` or `core show version` prints it.
    #[arg(long, value_name = "VERSION")]
    pub asterisk: Option<String>,
    /// Address or network that the exporter connects from, as address/mask.
    #[arg(long, value_name = "NETWORK")]
    pub permit: Option<String>,
    /// Name of the manager account, `exporter` by default.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Which channels are trunks, a regular expression over channel names; may be given several times;
    /// `none` for none.
    #[arg(long, value_name = "PATTERN")]
    pub trunks: Vec<String>,
    /// Within which time a caller should be answered, such as 20s.
    #[arg(long, value_name = "TIME")]
    pub service_level: Option<String>,
    /// Where the metrics are served, such as `:15038`.
    #[arg(long = "web.listen-address", value_name = "ADDRESS")]
    pub listen_address: Option<String>,
    /// Ask nothing: what has no flag is found on this machine, or is the default.
    #[arg(long)]
    pub defaults: bool,
    /// The folder of the new files; by default /etc/asterisk_exporter for root, for others the
    /// current one.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
    /// Also add the account to the PBX on this machine, in manager.d or manager_custom.conf, and have
    /// Asterisk load it.
    #[arg(long)]
    pub install: bool,
    /// The folder of Asterisk's configuration on this machine.
    #[arg(long, value_name = "FOLDER", default_value = "/etc/asterisk")]
    pub asterisk_etc: PathBuf,
    /// Do not run `doctor` at the end.
    #[arg(long)]
    pub no_doctor: bool,
    /// How long `doctor` watches events.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = config::duration)]
    pub watch: Duration,
}
