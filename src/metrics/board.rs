//! What the wallboard shows: queues, agents and what happened lately, at one moment.
//!
//! It is a cut like that of a scrape, under the same lock and under the same labels, without the
//! counters: so a number that both show is the same number.

use std::collections::BTreeMap;
use std::time::Duration;

use hashbrown::HashMap;

use super::labels::QueueName;
use super::recent::{Counts, QueueCounts, Recent, minute_of, quarter_of};
use super::recorder::Recorder;
use super::state::{Agent, PbxState, Queue};
use crate::clock::Moment;
use crate::correlator::{AgentState, CallKind, Word};
use crate::pbx::PbxName;

/// Whether the quarters of an hour that ended are copied as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quarters {
    /// Those of the last 26 hours: they change only when a quarter ends.
    Ended,
    /// None.
    None,
}

/// The numbers of one moment.
#[derive(Debug)]
pub struct BoardCut {
    pub(super) at: Moment,
    pub(super) pbxs: Vec<PbxCut>,
}

/// The numbers of one PBX.
#[derive(Debug)]
pub(super) struct PbxCut {
    state: PbxState,
    counted: Option<Moment>,
    counts: HashMap<QueueName, QueueCounts>,
    quarters: Vec<(QueueName, Vec<(u64, Counts)>)>,
}

/// What the wallboard shows at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// The moment.
    pub at: Moment,
    /// The number of its quarter of an hour since the Unix epoch.
    pub quarter: u64,
    /// Each PBX, in the order in which they were added.
    pub pbxs: Vec<PbxRows>,
}

/// One PBX.
#[derive(Clone, Debug, PartialEq)]
pub struct PbxRows {
    /// The label `pbx`.
    pub name: PbxName,
    /// Since when its callers are counted.
    pub counted: Option<Moment>,
    /// Its queues by name.
    pub queues: Vec<QueueRow>,
    /// Its agents by name, each with a label of its own.
    pub agents: Vec<AgentRow>,
    /// How many agents are in each state, of those without a label of their own.
    pub more_agents: Vec<(AgentState, u64)>,
    /// By queue the quarters that ended, each by its number; none unless they are wanted.
    pub quarters: BTreeMap<String, Vec<(u64, Counts)>>,
}

/// One queue; those that share a label are one.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueRow {
    /// The label `queue`.
    pub name: String,
    /// The service level target in effect.
    pub target: Option<Duration>,
    /// Callers waiting.
    pub waiting: u64,
    /// Callers talking.
    pub talking: u64,
    /// The longest current wait.
    pub longest_wait: Duration,
    /// Members by state, in the order of [`AgentState`]'s words.
    pub members: Vec<(AgentState, u64)>,
    /// What happened lately.
    pub counts: QueueCounts,
}

/// One agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AgentRow {
    /// The label `agent`.
    pub name: String,
    /// What the agent is doing.
    pub state: AgentState,
    /// When that began, if it is known.
    pub since: Option<Moment>,
    /// When the talk began that goes on, hold included.
    pub talk_since: Option<Moment>,
    /// The reason of the pause that is on, which may be empty.
    pub pause: Option<String>,
    /// The kind of call of an agent who is busy.
    pub busy: Option<CallKind>,
}

impl PbxCut {
    pub(super) fn new(now: Moment, wanted: Quarters, state: PbxState, recorder: &Recorder) -> Self {
        let minute = minute_of(now.as_micros());
        let recent = recorder.recent.as_ref();
        let counts = recent.map(|recent| recent.counts(minute).collect()).unwrap_or_default();
        let quarters = recent
            .filter(|_| wanted == Quarters::Ended)
            .map(|recent| recent.quarters(minute).collect())
            .unwrap_or_default();
        Self { state, counted: recent.and_then(Recent::since), counts, quarters }
    }

    fn named(self) -> PbxRows {
        let Self { state, counted, counts, quarters } = self;
        let mut queues: BTreeMap<QueueName, QueueRow> = BTreeMap::new();
        for queue in state.queues {
            match queues.get_mut(&queue.name) {
                Some(row) => row.add(&queue),
                None => {
                    let row = QueueRow::new(&queue, counts.get(&queue.name).copied());
                    queues.insert(queue.name, row);
                }
            }
        }
        let quarters = quarters.into_iter().filter(|(name, _)| queues.contains_key(name));
        let quarters = quarters.map(|(name, all)| (name.text().into_owned(), all)).collect();

        let (shared, alone): (Vec<_>, Vec<_>) =
            state.agents.into_iter().partition(|agent| agent.shared);
        let mut agents: Vec<_> = alone.into_iter().map(AgentRow::from).collect();
        agents.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let in_state =
            |state| shared.iter().filter(|agent| agent.now.state == state).count() as u64;
        let more_agents = AgentState::ALL.iter().map(|&state| (state, in_state(state))).collect();

        let queues = queues.into_values().collect();
        PbxRows { name: state.pbx, counted, queues, agents, more_agents, quarters }
    }
}

impl BoardCut {
    /// The numbers as they are shown; to be called behind the lock.
    pub fn named(self) -> Board {
        let quarter = quarter_of(minute_of(self.at.as_micros()));
        Board { at: self.at, quarter, pbxs: self.pbxs.into_iter().map(PbxCut::named).collect() }
    }
}

impl QueueRow {
    fn new(Queue { name, target, state, .. }: &Queue, counts: Option<QueueCounts>) -> Self {
        Self {
            name: name.text().into_owned(),
            target: *target,
            waiting: state.waiting,
            talking: state.talking,
            longest_wait: state.longest_wait,
            members: state.members.clone(),
            counts: counts.unwrap_or_default(),
        }
    }

    /// One more queue with the same label; what happened lately is counted by label already.
    fn add(&mut self, Queue { name: _, target, state, .. }: &Queue) {
        self.target = target.or(self.target);
        self.waiting += state.waiting;
        self.talking += state.talking;
        self.longest_wait = self.longest_wait.max(state.longest_wait);
        for (sum, count) in self.members.iter_mut().zip(&state.members) {
            sum.1 += count.1;
        }
    }
}

impl From<Agent> for AgentRow {
    fn from(Agent { name, pause, now, .. }: Agent) -> Self {
        Self {
            name: name.text().into_owned(),
            state: now.state,
            since: now.since,
            talk_since: now.talk_since,
            pause: pause.map(|reason| reason.text().into_owned()),
            busy: now.busy,
        }
    }
}
