//! What a queue had to do in its last interval, and how many agents that needs.

use std::time::Duration;

use hashbrown::HashMap;

use super::erlang::{Work, agents_needed};
use crate::clock::Moment;
use crate::correlator::QueueId;

/// What the queues of one PBX have to do.
#[derive(Debug, Default)]
pub(super) struct Demands {
    queues: HashMap<QueueId, Demand>,
    /// When the interval began that goes on, and whether all of it was seen so far.
    since: Option<Moment>,
    whole: bool,
    /// The session of the scrape before.
    session: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    running: Totals,
    last: Option<Last>,
}

/// What was counted in an interval.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    offered: u64,
    handled: u64,
    talk: Duration,
    wrap_up: Duration,
}

/// The interval before, and what it needs by which goal: calculated once.
#[derive(Clone, Copy, Debug)]
struct Last {
    calls: f64,
    handle: f64,
    needed: Option<((Duration, f64), Option<u32>)>,
}

impl Demands {
    /// A queue is there, with callers or without.
    pub(super) fn known(&mut self, queue: QueueId) {
        self.running(queue);
    }

    /// A caller joined.
    pub(super) fn offered(&mut self, queue: QueueId) {
        self.running(queue).offered += 1;
    }

    /// A talk ended whose length is known.
    pub(super) fn handled(&mut self, queue: QueueId, talk: Duration) {
        let running = self.running(queue);
        running.handled += 1;
        running.talk += talk;
    }

    /// Somebody was in wrap-up.
    pub(super) fn wrapped_up(&mut self, queue: QueueId, spent: Duration) {
        self.running(queue).wrap_up += spent;
    }

    /// Time goes on up to a scrape: the first one in each half hour ends the interval before.  `session`
    /// is none while there is no synchronised one.
    pub(super) fn pass(&mut self, now: Moment, session: Option<u32>) {
        let since = *self.since.get_or_insert(now);
        let before = std::mem::replace(&mut self.session, session);
        self.whole &= session.is_some() && session == before;
        if half_hour(now) == half_hour(since) {
            return;
        }

        // What was not seen from its beginning to its end says too little.
        let length = now.since(since);
        let is_one = half_hour(now) == half_hour(since) + 1;
        let is_whole = self.whole && is_one && late(since) <= LATEST && late(now) <= LATEST;
        for demand in self.queues.values_mut() {
            demand.last = demand.running.last(length).filter(|_| is_whole);
            demand.running = Totals::default();
        }
        self.since = Some(now);
        self.whole = session.is_some();
    }

    /// The agents that the last interval needed; `None` if it is not known.
    pub(super) fn needed(&mut self, queue: QueueId, target: Duration, share: f64) -> Option<u32> {
        let last = self.queues.get_mut(&queue)?.last.as_mut()?;
        let goal = (target, share);
        if let Some((known, needed)) = last.needed
            && known == goal
        {
            return needed;
        }
        let Last { calls, handle, .. } = *last;
        let needed = agents_needed(Work { calls, handle, target, share });
        last.needed = Some((goal, needed));
        needed
    }

    fn running(&mut self, queue: QueueId) -> &mut Totals {
        &mut self.queues.entry(queue).or_default().running
    }
}

impl Totals {
    /// As an interval of that length; `None` if calls came and none of them ended, so that nobody knows
    /// how long one takes.
    fn last(self, length: Duration) -> Option<Last> {
        let Self { offered, handled, talk, wrap_up } = self;
        let calls = offered as f64 / length.as_secs_f64();
        let handle = match handled {
            0 if offered > 0 => return None,
            0 => 0.0,
            handled => (talk + wrap_up).as_secs_f64() / handled as f64,
        };
        Some(Last { calls, handle, needed: None })
    }
}

/// Which half hour it is, by the clock.
fn half_hour(moment: Moment) -> u64 {
    moment.since(Moment::EPOCH).as_secs() / INTERVAL.as_secs()
}

/// How long after the beginning of its half hour a moment is.
fn late(moment: Moment) -> Duration {
    Duration::from_secs(moment.since(Moment::EPOCH).as_secs() % INTERVAL.as_secs())
}

const INTERVAL: Duration = Duration::from_secs(1800);
/// An interval begins and ends with a scrape within so much of the half hour's edge.
const LATEST: Duration = Duration::from_secs(300);
