//! Follows the events behind the snapshot: a chunk at a time, each under one short lock.

use std::convert::Infallible;
use std::pin::pin;

use tokio::time::sleep_until;
use tracing::{info, warn};

use super::backoff::LASTING;
use super::control::{Asked, Control};
use super::dialogue::{Dialogue, sink};
use super::end::End;
use super::endpoint_lists::EndpointLists;
use super::keepalive::Keepalive;
use super::lag::Lag;
use super::missing::MissingNotices;
use super::schedule::Schedule;
use super::trunk_notice::TrunkNotice;
use super::warnings::{given_up_some, limit_reached, list_suspected};
use crate::ami::action::Action;
use crate::ami::connection::Chunk;
use crate::clock::Moment;
use crate::config::Pbx;
use crate::correlator::EndpointList;
use crate::intake::{Answer, Step, action_for};
use crate::metrics::Monitor;

/// A session behind its snapshot.
pub(super) struct Follower<'a, 'p> {
    dialogue: &'a mut Dialogue<'p>,
    /// What the connection was made by.
    pbx: &'a Pbx,
    timers: Timers,
    trunk_notice: TrunkNotice,
    missing_notices: &'a mut MissingNotices,
    endpoint_lists: &'a mut EndpointLists,
    stalls: u64,
    /// When a session that began quietly is worth a line after all, because it lasts.
    lasts: Option<Moment>,
}

/// What is different from session to session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Whether the PBX lists its queues.
    pub(super) lists_queues: bool,
    /// Whether the log was silent about its beginning.
    pub(super) is_quiet: bool,
}

/// When what is sent, and how late we read.
struct Timers {
    keepalive: Keepalive,
    schedule: Schedule,
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

impl<'a, 'p> Follower<'a, 'p> {
    /// Takes over a session whose snapshot was just applied.
    pub(super) fn new(
        dialogue: &'a mut Dialogue<'p>,
        pbx: &'a Pbx,
        (missing_notices, endpoint_lists): (&'a mut MissingNotices, &'a mut EndpointLists),
        manner: Manner,
    ) -> Self {
        let now = dialogue.wire.now();
        let allowed =
            |list| list != EndpointList::EndpointRegistrations || pbx.lists_registrations();
        if let Some((action, pause)) = endpoint_lists.begin_session(allowed, now) {
            list_suspected(&dialogue.target.name, action, pause);
        }

        let timers = Timers {
            keepalive: Keepalive::new(pbx.ping_interval, pbx.ping_timeout, now),
            schedule: Schedule::new(pbx.queue_status_interval, manner.lists_queues, now),
            extensions: Extensions::NotNeeded,
            lag: Lag::default(),
        };
        let trunk_notice = TrunkNotice::of(dialogue.target);
        missing_notices.begin_session();
        let lasts = manner.is_quiet.then(|| now.after(LASTING));
        Self {
            dialogue,
            pbx,
            timers,
            trunk_notice,
            missing_notices,
            endpoint_lists,
            stalls: 0,
            lasts,
        }
    }

    /// Goes on until the session ends.
    pub(super) async fn run(mut self, control: &mut Control) -> Result<Infallible, End> {
        // The session may have begun by an older configuration.
        self.change(&control.pbx())?;
        // What came in one read with the end of the snapshot.
        self.drain()?;
        let mut timer = pin!(sleep_until(self.due()));
        loop {
            self.send_due().await?;

            // A timer that is moved only when it must: most chunks change no deadline.
            let due = self.due();
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            // What was read goes before what is late: it may hold what is waited for.
            tokio::select! {
                biased;
                asked = control.asked() => match asked {
                    Asked::Stop => return Err(End::Shutdown),
                    Asked::Change => self.change(&control.pbx())?,
                },
                chunk = self.dialogue.wire.receive() => self.take(chunk?)?,
                () = &mut timer => self.idle()?,
            }
        }
    }

    /// Goes by another configuration, if the connection can stay.
    fn change(&mut self, pbx: &Pbx) -> Result<(), End> {
        if self.pbx.connects_otherwise(pbx) {
            return Err(End::Changed);
        }

        let wire = &mut self.dialogue.wire;
        let now = wire.now();
        wire.set_limit(pbx.ping_timeout);
        self.timers.keepalive.change(pbx.ping_interval, pbx.ping_timeout, now);
        self.timers.schedule.change(pbx.queue_status_interval, now);
        Ok(())
    }

    /// Sends what is due.
    async fn send_due(&mut self) -> Result<(), End> {
        let wire = &mut self.dialogue.wire;
        let now = wire.now();
        let Timers { keepalive, schedule, extensions, .. } = &mut self.timers;
        if keepalive.is_due(now) {
            if self.lasts.take_if(|lasts| *lasts <= now).is_some() {
                info!(pbx = %self.dialogue.target.name, "synchronised, and for a minute by now");
            }
            let id = wire.send(&Action::Ping).await?;
            keepalive.sent(id, now);
        }
        // The PBX has to wait for it: only then it sends the events that it had queued.
        if schedule.take_second() {
            wire.send_barrier().await?;
        }
        // What is answered with many events comes last: a Ping behind it would wait for all of them.
        if *extensions == Extensions::Wanted {
            *extensions = Extensions::Asked;
            wire.send(&Action::ExtensionStateList).await?;
        }
        if let Some(list) = self.endpoint_lists.take_due(now) {
            let id = wire.send(&action_for(list)).await?;
            self.endpoint_lists.asked(list, id, now);
        }
        if schedule.is_due(now) {
            let list = wire.send(&Action::QueueStatus).await?;
            let ping = wire.send_barrier().await?;
            schedule.asked(list, ping, now);
        }
        Ok(())
    }

    fn take(&mut self, chunk: Chunk) -> Result<(), End> {
        if chunk.stalled {
            self.stalls += 1;
            if self.stalls == 1 && self.lasts.is_none() {
                let pbx = &self.dialogue.target.name;
                warn!(%pbx, "events come faster than they are handled: reading had to wait");
            }
        }
        self.dialogue.wire.accept(chunk);
        self.drain()
    }

    /// Handles every whole item that was read.
    fn drain(&mut self) -> Result<(), End> {
        let Self { dialogue, timers, trunk_notice, missing_notices, endpoint_lists, .. } = self;
        let Dialogue { wire, stream, target } = &mut **dialogue;
        let read = wire.read();

        // One lock for a whole chunk: a scrape sees all of what was read at once, or nothing of it.
        let ends_list = stream.is_listing();
        let apply = |monitor: &mut Monitor| {
            expire(monitor, read);
            while let Some(item) = wire.next_item() {
                let step = stream.take(read, &item, &mut sink(monitor))?;
                endpoint_lists.note(&step, read);
                timers.note(step);
            }
            if timers.extensions == Extensions::NotNeeded && monitor.correlator.wants_hints() {
                timers.extensions = Extensions::Wanted;
            }
            if let Some(lag) = timers.lag.take(read) {
                monitor.self_metrics.lag(lag);
            }
            Ok::<_, End>((
                trunk_notice.check(&monitor.correlator),
                monitor.correlator.missing(read),
                monitor.recorder.take_overflows(),
                monitor.recorder.take_given_up(read),
            ))
        };
        // A list is as long as the PBX is large, and is applied behind its last item.
        let done = if ends_list {
            target.with_monitor_for_long(apply)
        } else {
            target.with_monitor(apply)
        };
        let (change, missing, overflows, given_up) = done?;

        if let Some(change) = change {
            trunk_notice.report(target, &change);
        }
        missing_notices.update(target, missing);
        for limit in overflows {
            limit_reached(&target.name, limit);
        }
        for (kind, count) in given_up {
            given_up_some(&target.name, kind, count);
        }
        timers.check(read)
    }

    /// Nothing was read, and something is due.
    fn idle(&mut self) -> Result<(), End> {
        let now = self.dialogue.wire.now();
        let target = self.dialogue.target;
        let missing = target.with_monitor(|monitor| {
            expire(monitor, now);
            monitor.correlator.missing(now)
        });
        self.missing_notices.update(target, missing);
        self.timers.check(now)
    }

    /// When something is due if nothing is read before.
    fn due(&self) -> tokio::time::Instant {
        let deadline =
            self.dialogue.target.with_monitor(|monitor| monitor.correlator.next_deadline());
        let now = self.dialogue.wire.now();
        let others = [deadline, self.timers.schedule.next(), self.endpoint_lists.next(now)];
        let due = others.into_iter().flatten().fold(self.timers.keepalive.next(), Moment::min);
        self.dialogue.wire.clock().instant(due)
    }
}

impl Timers {
    fn note(&mut self, step: Step) {
        match step {
            Step::Stamped(stamped) => self.lag.note(stamped),
            Step::Answer(answer) => self.answered(&answer),
            Step::ListTooLong => self.schedule.stop(),
            Step::Nothing
            | Step::Synchronised(_)
            | Step::EndpointsListed(_)
            | Step::FullyBooted => {}
        }
    }

    fn answered(&mut self, answer: &Answer) {
        if let Some(sent) = self.keepalive.answered(answer.id()) {
            self.lag.answered(answer.stamped(), sent);
        }
        self.schedule.answered(answer);
    }

    /// Whether an answer is overdue, everything read until `now` considered.
    fn check(&self, now: Moment) -> Result<(), End> {
        if !self.keepalive.is_overdue(now) {
            return Ok(());
        }
        Err(End::Timeout { what: "answer to a ping", limit: self.keepalive.limit() })
    }
}

/// Ends what waited long enough before what was read at `now` is handled.
fn expire(monitor: &mut Monitor, now: Moment) {
    if monitor.correlator.next_deadline().is_some_and(|deadline| deadline <= now) {
        monitor.correlator.expire(now, &mut monitor.recorder);
    }
}
