//! What became `other`: by the limit that it was beyond, for the metric and for the log.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;

use crate::correlator::{Beyond, Word};

/// A limit of the configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Limit {
    /// Queues.
    Queue,
    /// Agents who are members of queues.
    Agent,
    /// Devices outside queues.
    Device,
    /// Trunks.
    Trunk,
    /// Pause reasons.
    Reason,
    /// Places of agents in queues.
    Member,
    /// All series of the PBX.
    Series,
}

impl Word for Limit {
    const ALL: &'static [Self] = &[
        Self::Queue,
        Self::Agent,
        Self::Device,
        Self::Trunk,
        Self::Reason,
        Self::Member,
        Self::Series,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Agent => "agent",
            Self::Device => "device",
            Self::Trunk => "trunk",
            Self::Reason => "reason",
            Self::Member => "member",
            Self::Series => "series",
        }
    }
}

impl Limit {
    /// Its key in the configuration.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Queue => "limits.queues",
            Self::Agent => "limits.agents",
            Self::Device => "limits.devices",
            Self::Trunk => "limits.trunks",
            Self::Reason => "limits.pause_reasons",
            Self::Member => "limits.members",
            Self::Series => "limits.series",
        }
    }
}

/// What one PBX had beyond each limit; its copies are the same.
#[derive(Clone, Debug)]
pub(super) struct Overflows(Arc<Mutex<Vec<Overflow>>>);

#[derive(Debug)]
struct Overflow {
    limit: Limit,
    /// How many became `other`.
    counter: Counter,
    /// Of what is not counted by its name.
    beyond: Beyond,
    reported: bool,
}

impl Overflows {
    /// Nothing yet, with a counter for each limit.
    pub(super) fn new(counter: impl Fn(Limit) -> Counter) -> Self {
        let overflows = Limit::ALL.iter().map(|&limit| Overflow {
            limit,
            counter: counter(limit),
            beyond: Beyond::default(),
            reported: false,
        });
        Self(Arc::new(Mutex::new(overflows.collect())))
    }

    /// One that is counted once, however often it comes.
    pub(super) fn note(&self, limit: Limit, what: impl Hash) {
        let mut all = self.lock();
        let overflow = &mut all[limit as usize];
        if overflow.beyond.note(what) {
            overflow.counter.inc();
        }
    }

    /// One more.
    pub(super) fn add(&self, limit: Limit) {
        self.lock()[limit as usize].counter.inc();
    }

    /// There were `count` in all.
    pub(super) fn raise_to(&self, limit: Limit, count: usize) {
        let all = self.lock();
        let counter = &all[limit as usize].counter;
        counter.inc_by((count as u64).saturating_sub(counter.get()));
    }

    /// The limits that something was beyond and that were not asked for before.
    pub(super) fn take_new(&self) -> Vec<Limit> {
        let mut all = self.lock();
        let new =
            all.iter_mut().filter(|overflow| !overflow.reported && overflow.counter.get() > 0);
        new.map(|overflow| {
            overflow.reported = true;
            overflow.limit
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Overflow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
