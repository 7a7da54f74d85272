//! What is going on right now, for gauges: a copy that is made at the scrape.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Correlator;
use super::missing::MissingSet;
use super::names::{AgentId, QueueId, TrunkId};
use super::observation::{AgentState, Direction, Word};
use super::stay::Stay;
use crate::clock::Moment;

/// A moment's picture of one PBX.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// When the PBX was started, to the second, as far as it reports that; the same moment for as
    /// long as it runs.
    pub started: Option<Moment>,
    /// Every known queue.
    pub queues: Vec<QueueState>,
    /// Every agent who is a member of a queue.
    pub agents: Vec<(AgentId, AgentState)>,
    /// Calls going on.
    pub calls: Vec<(Direction, u64)>,
    /// Calls going on over each known trunk.
    pub trunks: Vec<(TrunkId, u64)>,
    /// What is held in memory.
    pub tracked: Tracked,
    /// What never comes in this session, as far as that is proven.
    pub missing: MissingSet,
}

/// One queue's part of it.
#[derive(Clone, Debug)]
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
    /// The picture at `now`.
    pub fn state(&self, now: Moment) -> State {
        let queues = self.queue_states(now);
        let open = |stay: &&Stay| stay.is_waiting() || stay.is_talking();
        let tracked = Tracked {
            channels: self.channels.live(),
            stays: self.stays.values().filter(open).count() as u64,
            calls: self.calls.len() as u64,
        };

        State {
            started: self.boot.started(),
            queues,
            agents: self.members.agent_states(),
            calls: self.calls_by_direction(),
            trunks: self.calls_by_trunk(),
            tracked,
            missing: self.missing(now),
        }
    }

    fn queue_states(&self, now: Moment) -> Vec<QueueState> {
        let mut queues: BTreeMap<QueueId, QueueState> =
            self.queues.ids().map(|queue| (queue, QueueState::idle(queue))).collect();
        // A member of a queue that a reload took away is in no gauge.
        for member in self.members.present() {
            let members = queues.get_mut(&member.queue()).map(|queue| &mut queue.members);
            add_one(members.into_iter().flatten(), member.state(self.synchronised));
        }

        // A caller is, as long as the stay is open: entries and exits must add up in every scrape.
        for stay in self.stays.values() {
            let queue = queues.entry(stay.queue).or_insert_with(|| QueueState::idle(stay.queue));
            if stay.is_waiting() {
                queue.waiting += 1;
                // A part of a capture that has no time shows no age.
                let joined = stay.joined.and_then(|joined| joined.read.dated());
                let age = joined.map_or(Duration::ZERO, |joined| now.since(joined));
                queue.longest_wait = queue.longest_wait.max(age);
            }
            queue.talking += u64::from(stay.is_talking());
        }
        queues.into_values().collect()
    }

    fn calls_by_direction(&self) -> Vec<(Direction, u64)> {
        let mut calls: Vec<_> = Direction::ALL.iter().map(|&direction| (direction, 0)).collect();
        for call in self.calls.values().filter(|call| call.ended.is_none()) {
            add_one(&mut calls, self.direction(call));
        }
        calls
    }

    fn calls_by_trunk(&self) -> Vec<(TrunkId, u64)> {
        let mut trunks: BTreeMap<TrunkId, u64> =
            self.trunks.iter().map(|&trunk| (trunk, 0)).collect();
        for channel in self.channels.all.values().filter(|channel| channel.is_live()) {
            if let Some(count) = trunks.get_mut(&channel.trunk()) {
                *count += 1;
            }
        }
        trunks.into_iter().collect()
    }
}

impl QueueState {
    fn idle(queue: QueueId) -> Self {
        let members = AgentState::ALL.iter().map(|&state| (state, 0)).collect();
        Self { queue, waiting: 0, talking: 0, longest_wait: Duration::ZERO, members }
    }
}

fn add_one<'c, W: Word + PartialEq>(counts: impl IntoIterator<Item = &'c mut (W, u64)>, word: W) {
    if let Some((_, count)) = counts.into_iter().find(|(other, _)| *other == word) {
        *count += 1;
    }
}
