//! The idle timeout of a connection.
//!
//! One rule covers silent clients, headers sent a byte at a time, answers nobody reads and HTTP/2
//! windows that stay shut: what counts is neither bytes nor frames but whether a request is open,
//! and that lasts until the last byte of its answer has left our memory.

use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

/// Whether requests of one connection are open.
#[derive(Debug)]
pub(super) struct IdleTimeout(watch::Sender<Requests>);

/// The requests of one connection.
#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    open: usize,
    /// How often the last open one ended: an answer may begin and end between two looks.
    rests: u64,
}

/// One open request, or the answer to it that is still in memory.
#[derive(Debug)]
pub(super) struct OpenRequest(watch::Sender<Requests>);

impl IdleTimeout {
    pub(super) fn new() -> Self {
        Self(watch::Sender::default())
    }

    /// A request has come in whole.
    pub(super) fn open(&self) -> OpenRequest {
        self.0.send_modify(|requests| requests.open += 1);
        OpenRequest(self.0.clone())
    }

    /// Ends when the client has been idle for too long.
    pub(super) async fn expired(&self) {
        let mut changes = self.0.subscribe();
        loop {
            // Requests that overlap another start no new time: only the last one's end does.
            let before = *changes.borrow_and_update();
            let changed =
                |now: &Requests| now.rests != before.rests || (now.open > 0) != (before.open > 0);
            if timeout(before.limit(), changes.wait_for(changed)).await.is_err() {
                return;
            }
        }
    }
}

impl Requests {
    const fn limit(self) -> Duration {
        match (self.open, self.rests) {
            (0, 0) => FIRST_REQUEST,
            (0, _) => BETWEEN_REQUESTS,
            _ => ANSWER,
        }
    }
}

impl OpenRequest {
    /// The bytes of the answer; the request stays open until the last part of them is written or
    /// dropped.
    pub(super) fn answer(self, body: Bytes) -> Bytes {
        Bytes::from_owner(Held { body, _open: self })
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.send_modify(|requests| {
            requests.open -= 1;
            requests.rests += u64::from(requests.open == 0);
        });
    }
}

struct Held {
    body: Bytes,
    _open: OpenRequest,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// From the connection to its first whole request: a scraper sends it at once.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// From a request to the last byte of its answer; also the longest stretch of overlapping requests.
/// Prometheus itself gives up after 10 s by default and never waits past its scrape interval.
const ANSWER: Duration = Duration::from_secs(60);
/// From an answer to the next request: longer than any usual scrape interval, so that scrapers keep
/// their connection.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_given_up() {
        let clock = Clock::start();
        let before = clock.now();
        IdleTimeout::new().expired().await;
        assert_eq!(clock.now().since(before).as_secs(), FIRST_REQUEST.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_nobody_reads_is_given_up_whatever_else_is_asked_for() {
        let clock = Clock::start();
        let idle = IdleTimeout::new();
        let stuck = idle.open().answer(Bytes::from_static(&[0; 10]));
        let before = clock.now();
        let other_requests = async {
            for _ in 0..20 {
                let _other = idle.open();
                tokio::time::advance(Duration::from_secs(2)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = idle.expired() => {}
            () = other_requests => {}
        }
        assert_eq!(clock.now().since(before).as_secs(), ANSWER.as_secs());
        drop(stuck);
    }

    #[tokio::test(start_paused = true)]
    async fn a_scraper_keeps_its_connection() {
        let idle = IdleTimeout::new();
        let scrapes = async {
            for _ in 0..10 {
                drop(idle.open().answer(Bytes::from_static(&[1, 2, 3])).slice(1..2));
                tokio::time::advance(Duration::from_secs(240)).await;
            }
        };
        tokio::select! {
            biased;
            () = idle.expired() => panic!("the connection was given up"),
            () = scrapes => {}
        }
    }
}
