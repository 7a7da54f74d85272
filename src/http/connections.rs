//! The connections that are open, and which of them gives way when there is no place for another.
//!
//! A client may have some, and all clients together some more.  Where they are taken, the one that has
//! been idle for longest is ended: a scraper that lost its connection opens another, while one that is
//! kept out sees nothing.  Of many clients it is one of those that has the most connections, so that a
//! client with hundreds ends its own.
//!
//! A connection that follows the wallboard takes no such place: it has one of the wallboard's, and never
//! keeps a scraper out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use super::idle_timeout::{Doing, End, IdleTimeout};
use crate::metrics::HttpRefusal;

/// The open connections of all listeners.
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    /// The number of the latest one.
    latest: u64,
    open: HashMap<u64, Connection>,
    /// How many of them have a place.
    seated: usize,
    clients: HashMap<IpAddr, Known>,
}

#[derive(Debug)]
struct Connection {
    address: IpAddr,
    idle: Arc<IdleTimeout>,
    /// How many event streams it has; with one it has no place.
    streams: usize,
}

#[derive(Debug)]
struct Known {
    /// With a place.
    connections: usize,
    /// Without one.
    watching: usize,
    client: Arc<Client>,
}

/// What all connections of one client share.
#[derive(Debug)]
pub(super) struct Client {
    /// How many scrapes are worked for at once; others wait.
    pub(super) scrapes: Arc<Semaphore>,
    /// One password is checked at a time, so that no client keeps others from having theirs checked.
    pub(super) password: AsyncMutex<()>,
}

/// A connection that follows the wallboard, until it is dropped.
#[derive(Debug)]
pub(super) struct Watching {
    connections: Connections,
    number: u64,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    connections: Connections,
    pub(super) number: u64,
    pub(super) idle: Arc<IdleTimeout>,
    pub(super) client: Arc<Client>,
}

impl Connections {
    /// A place for one more connection from `address`.
    pub(super) fn take(&self, address: IpAddr, idle: IdleTimeout) -> Result<Seat, HttpRefusal> {
        let address = of_client(address);
        let mut table = self.lock();
        if table.count(address) >= CONNECTIONS_EACH {
            let victim = table.most_idle(|connection| connection.address == address);
            table.displace(victim.ok_or(HttpRefusal::ClientConnections)?, End::Displaced);
        } else if table.seated >= MAX_CONNECTIONS {
            let most = table.clients.values().map(|known| known.connections).max();
            let has_most = |connection: &Connection| Some(table.count(connection.address)) == most;
            let victim = table.most_idle(has_most).or_else(|| table.most_idle(|_| true));
            table.displace(victim.ok_or(HttpRefusal::Connections)?, End::Displaced);
        }

        let idle = Arc::new(idle);
        let (number, client) = table.add(address, Arc::clone(&idle));
        drop(table);
        Ok(Seat { connections: self.clone(), number, idle, client })
    }

    /// The connection of that number follows the wallboard: its place is free for others.
    pub(super) fn watch(&self, number: u64) -> Watching {
        self.lock().watch(number);
        Watching { connections: self.clone(), number }
    }

    /// Ends the connection that has been sending for longest; false if none is.
    pub(super) fn displace_slowest(&self) -> bool {
        let mut table = self.lock();
        let sending =
            table.open.iter().filter_map(|(&number, connection)| match connection.idle.doing() {
                Doing::Sending(since) => Some((since, number)),
                Doing::Idle(_) | Doing::Asking(_) | Doing::Working => None,
            });
        let Some((_, number)) = sending.min() else { return false };
        table.displace(number, End::Unread);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn count(&self, address: IpAddr) -> usize {
        self.clients.get(&address).map_or(0, |known| known.connections)
    }

    /// Of the connections that may be ended, the one that has been idle for longest, or else has been
    /// asking for longest without having been let in, or else sending for longest.  None that is worked for: its client waits for us.
    fn most_idle(&self, may_be: impl Fn(&Connection) -> bool) -> Option<u64> {
        let seated = self.open.iter().filter(|(_, connection)| connection.streams == 0);
        let all = seated.filter(|(_, connection)| may_be(connection));
        let all = all.map(|(&number, connection)| (connection.idle.doing(), number));
        all.filter(|(doing, _)| *doing != Doing::Working).min().map(|(_, number)| number)
    }

    fn add(&mut self, address: IpAddr, idle: Arc<IdleTimeout>) -> (u64, Arc<Client>) {
        self.latest += 1;
        self.open.insert(self.latest, Connection { address, idle, streams: 0 });
        self.seated += 1;
        let known = self.clients.entry(address).or_insert_with(|| Known {
            connections: 0,
            watching: 0,
            client: Arc::new(Client {
                scrapes: Arc::new(Semaphore::new(SCRAPES_EACH)),
                password: AsyncMutex::default(),
            }),
        });
        known.connections += 1;
        (self.latest, Arc::clone(&known.client))
    }

    /// Its task ends as soon as it runs; its place is free at once.
    fn displace(&mut self, number: u64, why: End) {
        if let Some(connection) = self.remove(number) {
            connection.idle.displace(why);
        }
    }

    fn remove(&mut self, number: u64) -> Option<Connection> {
        let connection = self.open.remove(&number)?;
        let watching = usize::from(connection.streams > 0);
        self.seated -= 1 - watching;
        if let Some(known) = self.clients.get_mut(&connection.address) {
            known.watching -= watching;
            known.connections -= 1 - watching;
            if known.connections + known.watching == 0 {
                self.clients.remove(&connection.address);
            }
        }
        Some(connection)
    }

    /// One more stream of a connection, which gives its place up with the first one.
    fn watch(&mut self, number: u64) {
        // One that has been displaced is about to end.
        let Some(connection) = self.open.get_mut(&number) else { return };
        connection.streams += 1;
        if connection.streams == 1 {
            self.seated -= 1;
            if let Some(known) = self.clients.get_mut(&connection.address) {
                known.connections -= 1;
                known.watching += 1;
            }
        }
    }

    /// One stream less.  After the last one the connection takes a place again, and ends if there is none:
    /// nobody else gives way for it.
    fn unwatch(&mut self, number: u64) {
        let Some(connection) = self.open.get_mut(&number) else { return };
        if connection.streams > 1 {
            connection.streams -= 1;
            return;
        }

        let Some(known) = self.clients.get_mut(&connection.address) else { return };
        if known.connections >= CONNECTIONS_EACH || self.seated >= MAX_CONNECTIONS {
            self.displace(number, End::Idle);
            return;
        }
        connection.streams = 0;
        known.connections += 1;
        known.watching -= 1;
        self.seated += 1;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.connections.lock().unwatch(self.number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.lock().remove(self.number);
    }
}

/// The client of an address: with IPv6 one machine has a whole /64.
fn of_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Far more than scrapers and readers need, and with the default limit of 1024 descriptors enough
/// is left for the PBXs.
pub(super) const MAX_CONNECTIONS: usize = 256;
/// Above the default of 40 scrapes at once, of which all may come through one proxy.
pub(super) const CONNECTIONS_EACH: usize = 64;
/// A fifth of all that are worked for at once; a scrape takes milliseconds.
pub(super) const SCRAPES_EACH: usize = 8;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::body::Bytes;
    use tokio::time::advance;

    use super::*;
    use crate::clock::Clock;
    use crate::http::idle_timeout::OpenRequest;

    fn take(all: &Connections, clock: &Clock, address: &str) -> Result<Seat, HttpRefusal> {
        all.take(address.parse().unwrap(), IdleTimeout::new(clock.clone()))
    }

    /// As many connections as one client may have, a second after each other.
    async fn fill(all: &Connections, clock: &Clock, address: &str) -> Vec<Seat> {
        let mut seats = Vec::new();
        for _ in 0..CONNECTIONS_EACH {
            seats.push(take(all, clock, address).unwrap());
            advance(Duration::from_secs(1)).await;
        }
        seats
    }

    fn is_displaced(seat: &Seat) -> bool {
        !seat.connections.lock().open.contains_key(&seat.number)
    }

    fn displaced(seats: &[Seat]) -> Vec<usize> {
        (0..seats.len()).filter(|&at| is_displaced(&seats[at])).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_with_too_many_ends_the_one_that_is_idle_for_longest() {
        let (all, clock) = (Connections::default(), Clock::start());
        let seats = fill(&all, &clock, "192.0.2.1").await;
        // The first two asked for something since.
        drop((seats[0].idle.open(), seats[1].idle.open()));

        let _more = take(&all, &clock, "::ffff:192.0.2.1").unwrap();
        assert_eq!(displaced(&seats), [2]);
        // Others have nothing to do with it.
        let _other = take(&all, &clock, "192.0.2.2").unwrap();
        assert_eq!(displaced(&seats), [2]);
        assert_eq!(all.lock().open.len(), CONNECTIONS_EACH + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_most_gives_way_when_all_are_taken() {
        let (all, clock) = (Connections::default(), Clock::start());
        let scraper = take(&all, &clock, "10.0.0.1").unwrap();
        advance(Duration::from_secs(60)).await;
        let mut hostile = Vec::new();
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            hostile.extend(fill(&all, &clock, address).await);
        }
        let mut fourth = Vec::new();
        while all.lock().open.len() < MAX_CONNECTIONS {
            fourth.push(take(&all, &clock, "192.0.2.4").unwrap());
        }

        let reader = take(&all, &clock, "10.0.0.2").unwrap();
        assert!(!is_displaced(&scraper) && !is_displaced(&reader));
        assert_eq!(displaced(&hostile), [0]);
        assert!(displaced(&fourth).is_empty());
        assert_eq!(all.lock().open.len(), MAX_CONNECTIONS);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_nobody_reads_give_way_and_work_does_not() {
        let (all, clock) = (Connections::default(), Clock::start());
        let seats = fill(&all, &clock, "192.0.2.1").await;
        let mut open: Vec<_> = seats.iter().map(|seat| seat.idle.open()).collect();
        open.iter_mut().for_each(OpenRequest::admit);
        let refused = take(&all, &clock, "192.0.2.1");
        assert_eq!(refused.err(), Some(HttpRefusal::ClientConnections));

        let page = Bytes::from_static(b"page");
        let _late = open.remove(9).answer(page.clone());
        advance(Duration::from_secs(1)).await;
        let _later = open.remove(3).answer(page);
        assert!(all.displace_slowest());
        assert_eq!(displaced(&seats), [9]);
        assert!(all.displace_slowest());
        assert!(!all.displace_slowest());
        assert_eq!(displaced(&seats), [3, 9]);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_whose_password_is_not_checked_yet_give_way_to_who_comes() {
        let (all, clock) = (Connections::default(), Clock::start());
        let mut hostile = Vec::new();
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
            hostile.extend(fill(&all, &clock, address).await);
        }
        assert_eq!(hostile.len(), MAX_CONNECTIONS);
        let mut asking = Vec::new();
        for seat in &hostile {
            asking.push(seat.idle.open());
            advance(Duration::from_millis(1)).await;
        }
        asking[0].admit();

        // The first one is worked for, and the second has been asking for longest.
        let _scraper = take(&all, &clock, "10.0.0.1").unwrap();
        assert_eq!(displaced(&hostile), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_of_one_ipv6_network_are_one_client() {
        let (all, clock) = (Connections::default(), Clock::start());
        let seats = fill(&all, &clock, "2001:db8:1:2::1").await;
        let _same = take(&all, &clock, "2001:db8:1:2:ffff::9").unwrap();
        let _other = take(&all, &clock, "2001:db8:1:3::1").unwrap();
        assert_eq!(displaced(&seats), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_given_back_once() {
        let (all, clock) = (Connections::default(), Clock::start());
        let seats = fill(&all, &clock, "192.0.2.1").await;
        // The first one gives way, and is dropped later.
        let more = take(&all, &clock, "192.0.2.1").unwrap();
        drop(seats);
        assert_eq!(all.lock().count("192.0.2.1".parse().unwrap()), 1);
        drop(more);
        assert!(all.lock().open.is_empty() && all.lock().clients.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn viewers_take_no_place_and_do_not_give_way() {
        let (all, clock) = (Connections::default(), Clock::start());
        let viewers = fill(&all, &clock, "192.0.2.1").await;
        let streams: Vec<_> = viewers.iter().map(|seat| all.watch(seat.number)).collect();
        let scrapers = fill(&all, &clock, "192.0.2.1").await;
        assert_eq!((displaced(&viewers), displaced(&scrapers)), (vec![], vec![]));
        let client = &viewers[0].client;
        assert!(
            scrapers.iter().all(|seat| Arc::ptr_eq(&seat.client, client)),
            "they are one client"
        );

        // The oldest of those with a place gives way, though all viewers are older.
        let _more = take(&all, &clock, "192.0.2.1").unwrap();
        assert_eq!((displaced(&viewers), displaced(&scrapers)), (vec![], vec![0]));
        drop((streams, viewers, scrapers, _more));
        let table = all.lock();
        assert_eq!((table.open.len(), table.seated, table.clients.len()), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_last_stream_a_connection_has_a_place_again_or_ends() {
        let (all, clock) = (Connections::default(), Clock::start());
        let seat = take(&all, &clock, "192.0.2.1").unwrap();
        let streams = [all.watch(seat.number), all.watch(seat.number)];
        assert_eq!(all.lock().seated, 0);
        let [one, other] = streams;
        drop(one);
        assert_eq!(all.lock().seated, 0);
        drop(other);
        assert_eq!(all.lock().seated, 1);
        assert!(!is_displaced(&seat));

        let stream = all.watch(seat.number);
        let scrapers = fill(&all, &clock, "192.0.2.1").await;
        drop(stream);
        assert!(is_displaced(&seat));
        assert_eq!(all.lock().seated, CONNECTIONS_EACH);
        assert!(displaced(&scrapers).is_empty());
    }
}
