//! The section `web`.

use std::collections::HashSet;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::section::Section;
use super::{PREFIX, Web, checks};

pub(super) fn read(section: Section<'_>) -> Web {
    let web = Web {
        listen_address: listen_addresses(&section),
        telemetry_path: section
            .read("telemetry_path", checks::telemetry_path)
            .unwrap_or_else(|| "/metrics".to_owned()),
        config_file: section.path("config_file").map(|file| file.path),
        systemd_socket: section.read("systemd_socket", checks::boolean).unwrap_or(false),
        health_socket: health_path(&section),
        enable_lifecycle: section.read("enable_lifecycle", checks::boolean).unwrap_or(false),
        wallboard: section.read("wallboard", checks::boolean).unwrap_or(true),
        wallboard_viewers: section
            .read("wallboard_viewers", checks::count(VIEWERS))
            .unwrap_or(DEFAULT_VIEWERS),
    };
    section.finish();
    web
}

/// Where the Unix socket for health checks is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HealthPath {
    /// The path.
    pub path: PathBuf,
    /// Whether somebody chose it: otherwise it is no mistake if there is no such directory.
    pub chosen: bool,
}

fn health_path(section: &Section<'_>) -> Option<HealthPath> {
    match section.read("health_socket", |text| Ok(text.to_owned())) {
        Some(text) if text.is_empty() => None,
        Some(text) => {
            let path = section.beside_file("health_socket", &text);
            Some(HealthPath { path, chosen: true })
        }
        None => Some(HealthPath { path: default_health_socket(), chosen: false }),
    }
}

/// Where `health` finds the socket without a flag: at the variable that configures `run`, or else where
/// `run` has it by default.
pub fn health_socket() -> PathBuf {
    let chosen = std::env::var_os(format!("{PREFIX}WEB__HEALTH_SOCKET"));
    chosen.map_or_else(default_health_socket, PathBuf::from)
}

/// Where systemd or whoever packs a container has made a directory for us.
fn default_health_socket() -> PathBuf {
    let given = std::env::var("RUNTIME_DIRECTORY").ok();
    // systemd separates several by colons.
    let first = given.as_deref().and_then(|paths| paths.split(':').next());
    PathBuf::from(first.unwrap_or("/run/asterisk_exporter")).join("health.sock")
}

fn listen_addresses(section: &Section<'_>) -> Vec<SocketAddr> {
    let Some(addresses) = section.list("listen_address", checks::listen_address) else {
        return vec![(Ipv6Addr::UNSPECIFIED, PORT).into()];
    };
    if addresses.is_empty() {
        section.mistake("listen_address", "is empty: leave it out for the default");
    }

    // Two names may stand for one address, which can be bound once only.  Port 0 is another port
    // each time.
    let mut addresses = addresses.concat();
    let mut distinct = HashSet::new();
    addresses.retain(|&address| address.port() == 0 || distinct.insert(address));
    addresses
}

/// Each is an open connection, so a process needs that many descriptors.
pub(super) const VIEWERS: RangeInclusive<usize> = 1..=10_000;
/// A screen in each room of a large call centre; with the connections of scrapers, half of the 1024
/// descriptors that a process has by default.
const DEFAULT_VIEWERS: usize = 200;
/// Ours by default: the range usual for exporters, 9100 to 9999, is full.
const PORT: u16 = 15_038;
