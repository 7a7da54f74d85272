//! What is followed no longer because a limit was reached: for the metric and for the log.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use crate::clock::Moment;
use crate::correlator::{GivenUp, Word};

/// Counters of one PBX, and what the log has of them.
#[derive(Debug)]
pub(super) struct GivenUps {
    /// In the order of [`GivenUp`]'s words.
    kinds: Box<[Kind]>,
    /// Whether any was counted since the log was asked for last.
    is_any_new: bool,
}

#[derive(Debug)]
struct Kind {
    kind: GivenUp,
    counter: Counter,
    logged: u64,
    logged_at: Option<Moment>,
}

impl GivenUps {
    pub(super) fn new(counter: impl Fn(GivenUp) -> Counter) -> Self {
        let kinds = GivenUp::ALL.iter().map(|&kind| Kind {
            kind,
            counter: counter(kind),
            logged: 0,
            logged_at: None,
        });
        Self { kinds: kinds.collect(), is_any_new: false }
    }

    pub(super) fn add(&mut self, kind: GivenUp) {
        self.kinds[kind as usize].counter.inc();
        self.is_any_new = true;
    }

    /// What the log lacks, and may have now: a limit that stays reached must not fill it.
    pub(super) fn take_new(&mut self, now: Moment) -> Vec<(GivenUp, u64)> {
        if !self.is_any_new {
            return Vec::new();
        }
        let new: Vec<_> = self.kinds.iter_mut().filter_map(|kind| kind.take_new(now)).collect();
        self.is_any_new = self.kinds.iter().any(Kind::is_new);
        new
    }
}

impl Kind {
    fn is_new(&self) -> bool {
        self.counter.get() > self.logged
    }

    fn take_new(&mut self, now: Moment) -> Option<(GivenUp, u64)> {
        let is_early = self.logged_at.is_some_and(|last| now.since(last) < APART);
        if !self.is_new() || is_early {
            return None;
        }
        let count = self.counter.get();
        let before = std::mem::replace(&mut self.logged, count);
        self.logged_at = Some(now);
        Some((self.kind, count - before))
    }
}

/// Lines about one kind are so far apart.
const APART: Duration = Duration::from_secs(60);
