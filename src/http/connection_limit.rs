//! The limit of connections for each client, so that no client takes all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections of each client that has any.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionLimit(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of one client, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limit: ConnectionLimit,
    client: IpAddr,
}

impl ConnectionLimit {
    /// A permit for one more connection from `address`, if its client may have one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Permit> {
        let client = client(address);
        let mut taken = self.lock();
        let count = taken.entry(client).or_default();
        if *count >= CONNECTIONS_EACH {
            return None;
        }
        *count += 1;
        Some(Permit { limit: self.clone(), client })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.limit.lock();
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

/// The client of an address: with IPv6 one machine has a whole /64.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Above the default of 40 scrapes at once, of which all may come through one proxy.
pub(super) const CONNECTIONS_EACH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(limit: &ConnectionLimit, address: &str) -> Vec<Permit> {
        let address = address.parse().unwrap();
        std::iter::from_fn(|| limit.take(address)).collect()
    }

    #[test]
    fn a_client_cannot_take_the_seats_of_others() {
        let limit = ConnectionLimit::default();
        let _hostile = fill(&limit, "192.0.2.1");
        assert_eq!(fill(&limit, "192.0.2.2").len(), CONNECTIONS_EACH);
        assert!(fill(&limit, "::ffff:192.0.2.1").is_empty());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let limit = ConnectionLimit::default();
        let _hostile = fill(&limit, "2001:db8:1:2::1");
        assert!(fill(&limit, "2001:db8:1:2:ffff::9").is_empty());
        assert_eq!(fill(&limit, "2001:db8:1:3::1").len(), CONNECTIONS_EACH);
    }

    #[test]
    fn a_seat_is_given_back() {
        let limit = ConnectionLimit::default();
        drop(fill(&limit, "192.0.2.1"));
        assert!(limit.lock().is_empty());
        assert_eq!(fill(&limit, "192.0.2.1").len(), CONNECTIONS_EACH);
    }
}
