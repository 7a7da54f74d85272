//! The idle timeout of a connection, and what is known of it when others need its place.
//!
//! One rule covers silent clients, headers sent a byte at a time, answers nobody reads and HTTP/2
//! windows that stay shut: what counts is neither bytes nor frames but whether a request is open,
//! and that lasts until the last byte of its answer has left our memory.
//!
//! An event stream never ends by itself.  It counts as read as long as it takes its events.

use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::{Clock, Moment};

/// Whether requests of one connection are open.
#[derive(Debug)]
pub(super) struct IdleTimeout {
    requests: watch::Sender<Requests>,
    clock: Clock,
}

/// The requests of one connection.
#[derive(Clone, Copy, Debug)]
struct Requests {
    open: usize,
    /// Those of them whose client has not shown yet that it may ask.
    asking: usize,
    /// Those of them whose answer is ready, and is read by the client or not.
    sending: usize,
    /// Event streams; none of them is among those that are open.
    streams: usize,
    /// How often streams took events after a while.
    beats: u64,
    /// How often the last open one ended: an answer may begin and end between two looks.
    rests: u64,
    /// Since when no request is open, or since when the first of them is, or since when answers are
    /// sent.
    since: Moment,
    /// Why the connection has to end for others, if it has.
    displaced: Option<End>,
}

/// What a connection does, from what others may end first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Doing {
    /// Nothing: no request is open since then.
    Idle(Moment),
    /// Only asking, since then: whether the client may is being checked, which takes long for a
    /// password.
    Asking(Moment),
    /// Sending, or rather waiting for the client to read, since then.
    Sending(Moment),
    /// Working for a request.
    Working,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// The client did not send a whole request in time.
    NoRequest,
    /// The client did not read the answer in time, or others need its memory.
    Unread,
    /// The client has had nothing to ask for for long.
    Idle,
    /// Others need its place.
    Displaced,
}

/// One open request, or the answer to it that is still in memory.
#[derive(Debug)]
pub(super) struct OpenRequest {
    requests: watch::Sender<Requests>,
    clock: Clock,
    stage: Stage,
}

/// One stream of events.
#[derive(Debug)]
pub(super) struct OpenStream {
    requests: watch::Sender<Requests>,
    clock: Clock,
    last: Moment,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Asking,
    Working,
    Sending,
}

impl IdleTimeout {
    pub(super) fn new(clock: Clock) -> Self {
        let since = clock.now();
        let requests = Requests {
            since,
            open: 0,
            asking: 0,
            sending: 0,
            streams: 0,
            beats: 0,
            rests: 0,
            displaced: None,
        };
        Self { requests: watch::Sender::new(requests), clock }
    }

    /// A request has come in whole.
    pub(super) fn open(&self) -> OpenRequest {
        let now = self.clock.now();
        self.requests.send_modify(|requests| {
            if requests.open == 0 {
                requests.since = now;
            }
            requests.open += 1;
            requests.asking += 1;
        });
        let (requests, clock) = (self.requests.clone(), self.clock.clone());
        OpenRequest { requests, clock, stage: Stage::Asking }
    }

    /// What the connection does now.
    pub(super) fn doing(&self) -> Doing {
        let requests = *self.requests.borrow();
        match requests {
            Requests { open: 0, since, .. } => Doing::Idle(since),
            Requests { open, asking, since, .. } if open == asking => Doing::Asking(since),
            Requests { open, sending, since, .. } if open == sending => Doing::Sending(since),
            _ => Doing::Working,
        }
    }

    /// Ends the connection for others.
    pub(super) fn displace(&self, why: End) {
        self.requests.send_modify(|requests| requests.displaced = Some(why));
    }

    /// Ends when the client has been idle for too long, or is in the way of others.
    pub(super) async fn expired(&self) -> End {
        let mut changes = self.requests.subscribe();
        loop {
            // Requests that overlap another start no new time: only the last one's end does.
            let before = *changes.borrow_and_update();
            if let Some(end) = before.displaced {
                return end;
            }
            let changed = |now: &Requests| {
                now.displaced.is_some()
                    || now.rests != before.rests
                    || (now.open > 0) != (before.open > 0)
                    || (now.streams > 0) != (before.streams > 0)
                    // A stream that is read does not excuse an answer that is not.
                    || (now.open == 0 && now.beats != before.beats)
            };
            let (limit, end) = before.limit();
            if timeout(limit, changes.wait_for(changed)).await.is_err() {
                return end;
            }
        }
    }
}

impl Requests {
    const fn limit(self) -> (Duration, End) {
        match (self.open + self.streams, self.rests) {
            (0, 0) => (FIRST_REQUEST, End::NoRequest),
            (0, _) => (BETWEEN_REQUESTS, End::Idle),
            _ => (ANSWER, End::Unread),
        }
    }

    /// Something ended: maybe it was the last of what is open.
    fn rest(&mut self, now: Moment) {
        if self.open == 0 {
            self.rests += 1;
            self.since = now;
        }
    }
}

impl OpenRequest {
    /// The client may ask: from now on it waits for us.
    pub(super) fn admit(&mut self) {
        if self.stage == Stage::Asking {
            self.stage = Stage::Working;
            self.requests.send_modify(|requests| requests.asking -= 1);
        }
    }

    /// The bytes of the answer; the request stays open until the last part of them is written or
    /// dropped.
    pub(super) fn answer(mut self, body: Bytes) -> Bytes {
        // A refusal is an answer as well.
        self.admit();
        let now = self.clock.now();
        self.requests.send_modify(|requests| {
            if requests.sending == 0 {
                requests.since = now;
            }
            requests.sending += 1;
        });
        self.stage = Stage::Sending;
        Bytes::from_owner(Held { body, _open: self })
    }

    /// The answer is a stream of events: it stays open for as long as it takes them.
    pub(super) fn stream(mut self) -> OpenStream {
        self.admit();
        self.requests.send_modify(|requests| requests.streams += 1);
        let (requests, clock) = (self.requests.clone(), self.clock.clone());
        OpenStream { requests, last: clock.now(), clock }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.requests.send_modify(|requests| {
            requests.open -= 1;
            requests.asking -= usize::from(self.stage == Stage::Asking);
            requests.sending -= usize::from(self.stage == Stage::Sending);
            requests.rest(now);
        });
    }
}

impl OpenStream {
    /// Some of it was taken.
    pub(super) fn beat(&mut self) {
        let now = self.clock.now();
        if now.since(self.last) >= BEAT {
            self.last = now;
            self.requests.send_modify(|requests| requests.beats += 1);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.requests.send_modify(|requests| {
            requests.streams -= 1;
            requests.rest(now);
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
/// From one look at whether a stream is read to the next: events come each second, and each look wakes the
/// task of the connection.
const BEAT: Duration = Duration::from_secs(10);
/// From an answer to the next request: longer than any usual scrape interval, so that scrapers keep
/// their connection.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_given_up() {
        let clock = Clock::start();
        let before = clock.now();
        let end = IdleTimeout::new(clock.clone()).expired().await;
        assert_eq!(end, End::NoRequest);
        assert_eq!(clock.now().since(before).as_secs(), FIRST_REQUEST.as_secs());
    }

    /// Takes an event of the stream each second for so many seconds, and goes on without taking any.
    async fn read(mut stream: OpenStream, seconds: u64) {
        for _ in 0..seconds {
            tokio::time::advance(Duration::from_secs(1)).await;
            stream.beat();
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_goes_on_for_as_long_as_it_is_read() {
        let clock = Clock::start();
        let idle = IdleTimeout::new(clock.clone());
        let stream = idle.open().stream();
        let before = clock.now();
        tokio::select! {
            biased;
            end = idle.expired() => assert_eq!(end, End::Unread),
            () = read(stream, 1000) => {}
        }
        assert_eq!(clock.now().since(before).as_secs(), 1000 + ANSWER.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_read_does_not_excuse_an_answer_that_is_not() {
        let clock = Clock::start();
        let idle = IdleTimeout::new(clock.clone());
        let stream = idle.open().stream();
        let stuck = idle.open().answer(Bytes::from_static(&[0; 10]));
        let before = clock.now();
        tokio::select! {
            biased;
            end = idle.expired() => assert_eq!(end, End::Unread),
            () = read(stream, 1000) => {}
        }
        assert_eq!(clock.now().since(before).as_secs(), ANSWER.as_secs());
        assert!(matches!(idle.doing(), Doing::Sending(_)), "its page may be freed for others");
        drop(stuck);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_nobody_reads_is_given_up_whatever_else_is_asked_for() {
        let clock = Clock::start();
        let idle = IdleTimeout::new(clock.clone());
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
            end = idle.expired() => assert_eq!(end, End::Unread),
            () = other_requests => {}
        }
        assert_eq!(clock.now().since(before).as_secs(), ANSWER.as_secs());
        drop(stuck);
    }

    #[tokio::test(start_paused = true)]
    async fn a_scraper_keeps_its_connection() {
        let idle = IdleTimeout::new(Clock::start());
        let scrapes = async {
            for _ in 0..10 {
                drop(idle.open().answer(Bytes::from_static(&[1, 2, 3])).slice(1..2));
                tokio::time::advance(Duration::from_secs(240)).await;
            }
        };
        tokio::select! {
            biased;
            _ = idle.expired() => panic!("the connection was given up"),
            () = scrapes => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_or_sends_since_a_moment_or_works() {
        let clock = Clock::start();
        let second = Duration::from_secs(1);
        let begin = clock.now();
        let idle = IdleTimeout::new(clock.clone());
        assert_eq!(idle.doing(), Doing::Idle(begin));

        tokio::time::advance(second).await;
        let (mut first, mut other) = (idle.open(), idle.open());
        assert_eq!(idle.doing(), Doing::Asking(begin.after(second)));
        first.admit();
        assert_eq!(idle.doing(), Doing::Working);
        other.admit();
        let first = first.answer(Bytes::from_static(b"1"));
        assert_eq!(idle.doing(), Doing::Working);
        tokio::time::advance(second).await;
        let other = other.answer(Bytes::from_static(b"2"));
        assert_eq!(idle.doing(), Doing::Sending(begin.after(second)));

        drop((first, other));
        assert_eq!(idle.doing(), Doing::Idle(begin.after(second * 2)));
        idle.displace(End::Displaced);
        assert_eq!(idle.expired().await, End::Displaced);
    }
}
