//! Follows the events behind the snapshot: a chunk at a time, each under one short lock.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep_until;
use tracing::{debug, warn};

use super::end::End;
use super::keepalive::Keepalive;
use super::lag::Lag;
use super::listing::{Answer, Listing};
use super::lookout::Lookout;
use super::over;
use super::place::Place;
use super::session::barrier;
use super::trunks::Trunks;
use super::wire::Wire;
use crate::ami::action::Action;
use crate::ami::connection::Chunk;
use crate::ami::frame::{Frame, Item, Kind as FrameKind, Rejection};
use crate::clock::Moment;
use crate::config::Pbx;
use crate::event::{self, Kind};
use crate::intake;
use crate::metrics::Desk;
use crate::pbx::PbxName;

/// A session behind its snapshot.
pub(super) struct Pump<'a> {
    wire: &'a mut Wire,
    place: &'a Place,
    hose: Hose,
    trunks: Trunks,
    lookout: Lookout,
    stalls: u64,
}

/// What an item of the stream may change.
struct Hose {
    pbx: PbxName,
    keepalive: Keepalive,
    listing: Listing,
    extensions: Extensions,
    lag: Lag,
}

/// Whether the hints of the PBX were asked for: once a session, and only if a member is reached by
/// an extension.  What comes is taken as it comes; an account that may not ask has the same
/// numbers, but for whose some phones are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extensions {
    NotNeeded,
    Wanted,
    Asked,
}

impl<'a> Pump<'a> {
    /// Takes over a wire whose snapshot was just applied.
    pub(super) fn new(wire: &'a mut Wire, place: &'a Place, pbx: &Pbx, lists_queues: bool) -> Self {
        let now = wire.now();
        let hose = Hose {
            pbx: place.name.clone(),
            keepalive: Keepalive::new(pbx.ping_interval, pbx.ping_timeout, now),
            listing: Listing::new(pbx.queue_status_interval, lists_queues, now),
            extensions: Extensions::NotNeeded,
            lag: Lag::default(),
        };
        Self {
            wire,
            place,
            hose,
            trunks: Trunks::of(place),
            lookout: Lookout::default(),
            stalls: 0,
        }
    }

    /// Goes on until the session ends.
    pub(super) async fn run(
        mut self,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Result<Infallible, End> {
        // what came in one read with the end of the snapshot
        self.drain()?;
        let mut timer = pin!(sleep_until(self.due()));
        loop {
            self.tend().await?;
            let due = self.due();
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            // what was read goes before what is late: it may hold what is waited for
            tokio::select! {
                biased;
                () = over(shutdown) => return Err(End::Shutdown),
                chunk = self.wire.receive() => self.take(chunk?)?,
                () = &mut timer => self.idle()?,
            }
        }
    }

    /// Sends what is due.
    async fn tend(&mut self) -> Result<(), End> {
        let now = self.wire.now();
        let Hose { pbx, keepalive, listing, extensions, .. } = &mut self.hose;
        if keepalive.is_due(now) {
            let id = self.wire.send(&Action::Ping).await?;
            keepalive.sent(id, now);
        }
        if listing.wants_barrier() {
            let last = barrier(self.wire).await?;
            listing.barred(last);
        }
        if *extensions == Extensions::Wanted {
            *extensions = Extensions::Asked;
            self.wire.send(&Action::ExtensionStateList).await?;
        }
        if listing.is_due(now) {
            self.place.at_desk(|desk| desk.correlator.begin_listing(now));
            let id = self.wire.send(&Action::QueueStatus).await?;
            if listing.asked(id, now) {
                debug!(%pbx, "the list of queues did not end in time");
            }
        }
        Ok(())
    }

    fn take(&mut self, chunk: Chunk) -> Result<(), End> {
        if chunk.stalled {
            self.stalls += 1;
            if self.stalls == 1 {
                warn!(pbx = %self.place.name, "events come faster than they are handled: reading had to wait");
            }
        }
        self.wire.accept(chunk);
        self.drain()
    }

    /// Handles every whole item that was read.
    fn drain(&mut self) -> Result<(), End> {
        let Self { wire, place, hose, trunks, lookout, .. } = self;
        let read = wire.read();
        let (word, missing) = place.at_desk(|desk| {
            expire(desk, read);
            let mut lateness = Lateness::Untold;
            while let Some(item) = wire.next_item() {
                hose.item(desk, read, &item, &mut lateness);
            }
            if hose.extensions == Extensions::NotNeeded && desk.correlator.wants_hints() {
                hose.extensions = Extensions::Wanted;
            }
            if let Some(lag) = lateness.lag(&mut hose.lag, read) {
                desk.own.lag(lag);
            }
            (trunks.look(&desk.correlator), desk.correlator.missing(read))
        });
        if let Some(word) = word {
            trunks.say(place, &word);
        }
        lookout.look(place, missing);
        hose.check(read)
    }

    /// Nothing was read, and something is due.
    fn idle(&mut self) -> Result<(), End> {
        let now = self.wire.now();
        let missing = self.place.at_desk(|desk| {
            expire(desk, now);
            desk.correlator.missing(now)
        });
        self.lookout.look(self.place, missing);
        self.hose.check(now)
    }

    /// When something is due if nothing is read before.
    fn due(&self) -> tokio::time::Instant {
        let deadline = self.place.at_desk(|desk| desk.correlator.next_deadline());
        let others = [deadline, self.hose.listing.next()];
        let due = others.into_iter().flatten().fold(self.hose.keepalive.next(), Moment::min);
        self.wire.clock().instant(due)
    }
}

impl Hose {
    fn item(&mut self, desk: &mut Desk, read: Moment, item: &Item<'_>, lateness: &mut Lateness) {
        match item {
            Item::Frame(frame) if frame.kind == FrameKind::Event => {
                self.event(desk, read, frame, lateness);
            }
            Item::Frame(frame) => self.response(desk, read, frame, lateness),
            Item::Rejected(rejection) => intake::reject(&self.pbx, &mut desk.own, *rejection),
            Item::Banner(_) => intake::reject(&self.pbx, &mut desk.own, Rejection::UnknownType),
        }
    }

    fn event(&mut self, desk: &mut Desk, read: Moment, frame: &Frame<'_>, lateness: &mut Lateness) {
        let Some(name) = intake::count(&self.pbx, &mut desk.own, frame) else {
            self.listing.event(frame);
            return;
        };
        let Some(event) = intake::parse(&self.pbx, &mut desk.own, name, frame) else { return };
        if let Kind::Listed { action_id, item } = &event.kind {
            if self.listing.item(action_id, item, frame) {
                desk.correlator.give_up_listing();
            }
            return;
        }
        if let Some(at) = event.at {
            *lateness = Lateness::Stamped(at);
        }
        desk.correlator.handle(read, &event, &mut desk.recorder);
    }

    fn response(
        &mut self,
        desk: &mut Desk,
        read: Moment,
        frame: &Frame<'_>,
        lateness: &mut Lateness,
    ) {
        if let Some(sent) = self.keepalive.answered(frame.header("ActionID").unwrap_or_default()) {
            *lateness = Lateness::Answered;
            if let Some(stamped) = event::timestamp(frame) {
                self.lag.answered(stamped, sent);
            }
        }
        match self.listing.response(frame) {
            Answer::Nothing => {}
            Answer::Refused => desk.correlator.give_up_listing(),
            Answer::Whole(snapshot) => {
                desk.correlator.reconcile(read, &snapshot, &mut desk.recorder);
            }
        }
    }

    /// Whether an answer is overdue, everything read until `now` considered.
    fn check(&self, now: Moment) -> Result<(), End> {
        if !self.keepalive.is_overdue(now) {
            return Ok(());
        }
        Err(End::Timeout { what: "answer to a ping", limit: self.keepalive.limit() })
    }
}

/// What the last telling item of a chunk says of how late we read.
enum Lateness {
    Untold,
    Stamped(Moment),
    /// A Ping came back in time: nothing lies before it.
    Answered,
}

impl Lateness {
    fn lag(&self, lag: &mut Lag, read: Moment) -> Option<Duration> {
        match *self {
            Self::Untold => None,
            Self::Stamped(at) => Some(lag.of(at, read)),
            Self::Answered => Some(Duration::ZERO),
        }
    }
}

/// Ends what waited long enough before what was read at `now` is handled.
fn expire(desk: &mut Desk, now: Moment) {
    if desk.correlator.next_deadline().is_some_and(|deadline| deadline <= now) {
        desk.correlator.expire(now, &mut desk.recorder);
    }
}
