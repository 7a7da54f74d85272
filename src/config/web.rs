//! The section `web`.

use std::collections::HashSet;
use std::net::{Ipv6Addr, SocketAddr};

use super::section::Section;
use super::{Web, checks};

pub(super) fn read(section: Section<'_>) -> Web {
    let web = Web {
        listen_address: listen_addresses(&section),
        telemetry_path: section
            .read("telemetry_path", checks::telemetry_path)
            .unwrap_or_else(|| "/metrics".to_owned()),
        config_file: section
            .read("config_file", checks::plain)
            .map(|path| section.beside_file("config_file", &path)),
    };
    section.finish();
    web
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

/// Ours by default: the range usual for exporters, 9100 to 9999, is full.
const PORT: u16 = 15_038;
