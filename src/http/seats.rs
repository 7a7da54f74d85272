//! How many connections one client may have, so that no client takes all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections of each client that has any.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of one client, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    client: IpAddr,
}

impl Seats {
    /// A seat for one more connection from `address`, if its client may have one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let client = client(address);
        let mut taken = self.lock();
        let count = taken.entry(client).or_default();
        if *count >= SEATS_EACH {
            return None;
        }
        *count += 1;
        Some(Seat { seats: self.clone(), client })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

/// Whom an address stands for: with IPv6 one machine has a whole /64.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Above the default of 40 scrapes at once, of which all may come through one proxy.
pub(super) const SEATS_EACH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(seats: &Seats, address: &str) -> Vec<Seat> {
        let address = address.parse().unwrap();
        std::iter::from_fn(|| seats.take(address)).collect()
    }

    #[test]
    fn a_client_cannot_take_the_seats_of_others() {
        let seats = Seats::default();
        let _hostile = fill(&seats, "192.0.2.1");
        assert_eq!(fill(&seats, "192.0.2.2").len(), SEATS_EACH);
        assert!(fill(&seats, "::ffff:192.0.2.1").is_empty());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let seats = Seats::default();
        let _hostile = fill(&seats, "2001:db8:1:2::1");
        assert!(fill(&seats, "2001:db8:1:2:ffff::9").is_empty());
        assert_eq!(fill(&seats, "2001:db8:1:3::1").len(), SEATS_EACH);
    }

    #[test]
    fn a_seat_is_given_back() {
        let seats = Seats::default();
        drop(fill(&seats, "192.0.2.1"));
        assert!(seats.lock().is_empty());
        assert_eq!(fill(&seats, "192.0.2.1").len(), SEATS_EACH);
    }
}
