//! What is going on right now, for gauges: a copy that is made at the scrape.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Correlator;
use super::agent_now::AgentNow;
use super::endpoints::Reachable;
use super::missing::MissingSet;
use super::names::{QueueId, TrunkId};
use super::observation::{AgentState, Direction, Word};
use crate::clock::Moment;

/// A moment's picture of one PBX.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// When the PBX was started, to the second, as far as it reports that; the same moment for as
    /// long as it runs.
    pub started: Option<Moment>,
    /// Every known queue.
    pub queues: Vec<QueueState>,
    /// Every agent who is a member of a queue, or was.
    pub agents: Vec<AgentNow>,
    /// Calls going on.
    pub calls: Vec<(Direction, u64)>,
    /// Calls going on over each known trunk.
    pub trunks: Vec<(TrunkId, u64)>,
    /// Of each outbound registration that a list of this session has: its trunk, and whether it is in
    /// force.
    pub registered: Vec<(TrunkId, bool)>,
    /// Of each trunk and agent's phone that a list of this session has, whether it can be reached.
    pub reachable: Vec<Reachable>,
    /// What is held in memory.
    pub tracked: Tracked,
    /// What never comes in this session, as far as that is proven.
    pub missing: MissingSet,
}

/// One queue's part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueState {
    /// Which queue.
    pub queue: QueueId,
    /// Callers whose outcome is not counted yet.
    pub waiting: u64,
    /// Connected calls whose completion is not counted yet.
    pub talking: u64,
    /// Age of the oldest wait, zero if nobody waits.
    pub longest_wait: Duration,
    /// Members by state, in the order of [`AgentState`]'s words.
    pub members: Vec<(AgentState, u64)>,
}

/// What the correlator holds: live things only; ended ones are kept up to 30 s more for late
/// events.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tracked {
    /// Channels that are up.
    pub channels: u64,
    /// Stays whose outcome or completion is open.
    pub stays: u64,
    /// Calls whose end is open.
    pub calls: u64,
}

impl Correlator {
    /// The picture at `now`, from counts that are kept as things change: it costs as much as there
    /// are queues, agents and trunks, whatever goes on in them.
    pub fn state(&self, now: Moment) -> State {
        let tracked = Tracked {
            channels: self.channels.live(),
            stays: self.stay_counts.open(),
            calls: self.calls.len() as u64,
        };
        let calls = Direction::ALL.iter().map(|&way| (way, self.call_counts.of(way)));

        let state = State {
            started: self.boot.started(),
            queues: self.queue_states(now),
            agents: self.agents_now(),
            calls: calls.collect(),
            trunks: self.calls_by_trunk(),
            registered: self.registered_trunks(),
            reachable: self.reachable(),
            tracked,
            missing: self.missing(now),
        };
        #[cfg(test)]
        super::tests::recount::assert_same(self, now, &state);
        state
    }

    fn queue_states(&self, now: Moment) -> Vec<QueueState> {
        // A member of a queue that a reload took away is in no gauge.
        let known = self.queues.ids().map(|queue| (queue, self.members_by_state(queue)));
        let mut queues: BTreeMap<QueueId, QueueState> =
            known.map(|(queue, members)| (queue, QueueState::idle(queue, members))).collect();

        // A caller is, as long as the stay is open: entries and exits must add up in every scrape.
        for (queue, stays) in self.stay_counts.queues() {
            let idle = || QueueState::idle(queue, in_words(|_| 0));
            let state = queues.entry(queue).or_insert_with(idle);
            state.waiting = stays.waiting_count();
            state.talking = stays.talking_count();
            state.longest_wait =
                stays.oldest_wait().map_or(Duration::ZERO, |since| now.since(since));
        }
        queues.into_values().collect()
    }

    fn members_by_state(&self, queue: QueueId) -> Vec<(AgentState, u64)> {
        let members = self.members.states(queue);
        match self.synchronised {
            true => in_words(|state| members.of(state)),
            false => in_words(|state| match state {
                AgentState::Unknown => members.total(),
                _ => 0,
            }),
        }
    }

    fn calls_by_trunk(&self) -> Vec<(TrunkId, u64)> {
        let calls = |&trunk: &TrunkId| (trunk, self.channels.live_devices.of_trunk(trunk));
        let mut trunks: Vec<_> = self.trunks.iter().map(calls).collect();
        trunks.sort_unstable();
        trunks
    }
}

impl QueueState {
    const fn idle(queue: QueueId, members: Vec<(AgentState, u64)>) -> Self {
        Self { queue, waiting: 0, talking: 0, longest_wait: Duration::ZERO, members }
    }
}

fn in_words<W: Word>(count: impl Fn(W) -> u64) -> Vec<(W, u64)> {
    W::ALL.iter().map(|&word| (word, count(word))).collect()
}
