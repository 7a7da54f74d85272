//! What `setup` writes: an account for the PBX, the configuration, and a job for Prometheus.
//!
//! Answers in, texts out.  It asks nobody and touches no file.

mod answers;
mod texts;

pub use texts::{ACCOUNT, CONFIGURATION, NAMES, NewFile, SCRAPE_JOB, Unready, files};

use crate::config::Address;
use crate::version::Version;

/// What is chosen; every value was checked.
#[derive(Clone, Debug)]
pub struct Answers {
    name: String,
    address: String,
    /// The same as it is connected to.
    endpoint: Address,
    username: String,
    /// The PBX's version: nothing is right for every one.
    asterisk: Option<Version>,
    permit: String,
    trunks: Vec<String>,
    service_level: String,
    listen_address: String,
}

/// What is chosen by one answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Topic {
    /// Where the manager interface listens.
    Address,
    /// The label `pbx`.
    Name,
    /// The PBX's version.
    Asterisk,
    /// Where the exporter connects from.
    Permit,
    /// The account's name.
    Username,
    /// The patterns of trunks.
    Trunks,
    /// Within which time a caller should be answered.
    ServiceLevel,
    /// Where the metrics are served.
    ListenAddress,
}
