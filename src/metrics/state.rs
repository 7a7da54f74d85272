//! Gauges of what is going on, filled anew at each scrape, so that a removed queue simply
//! disappears.

use std::time::Duration;

use prometheus_client::metrics::family::Family;

use super::catalogue::entry;
use super::labels::{
    AgentStateLabels, DegradedLabels, DirectionLabels, Held, HeldLabels, PbxLabels,
    QueueAgentsLabels, QueueLabels, TrunkLabels,
};
use super::recorder::Recorder;
use super::shelf::{Level, Shelf, Span};
use crate::clock::Moment;
use crate::correlator::{
    AgentId, AgentState, Direction, Missing, Names, QueueState, State, TrunkId, Word,
};

/// The gauges of all PBXs.
#[derive(Debug)]
pub(super) struct StateMetrics {
    started: Family<PbxLabels, Span>,
    target: Family<QueueLabels, Span>,
    waiting: Family<QueueLabels, Level>,
    talking: Family<QueueLabels, Level>,
    longest_wait: Family<QueueLabels, Span>,
    members: Family<QueueAgentsLabels, Level>,
    agents: Family<AgentStateLabels, Level>,
    calls: Family<DirectionLabels, Level>,
    trunks: Family<TrunkLabels, Level>,
    tracked: Family<HeldLabels, Level>,
    degraded: Family<DegradedLabels, Level>,
}

impl StateMetrics {
    pub(super) fn new(shelf: &mut Shelf) -> Self {
        Self {
            started: shelf.family(const { entry("asterisk_start_time_seconds") }),
            target: shelf.family(const { entry("asterisk_queue_service_level_target_seconds") }),
            waiting: shelf.family(const { entry("asterisk_queue_callers_waiting") }),
            talking: shelf.family(const { entry("asterisk_queue_callers_talking") }),
            longest_wait: shelf.family(const { entry("asterisk_queue_longest_wait_seconds") }),
            members: shelf.family(const { entry("asterisk_queue_agents") }),
            agents: shelf.family(const { entry("asterisk_agent_state") }),
            calls: shelf.family(const { entry("asterisk_calls_active") }),
            trunks: shelf.family(const { entry("asterisk_trunk_calls_active") }),
            tracked: shelf.family(const { entry("asterisk_exporter_tracked_objects") }),
            degraded: shelf.family(const { entry("asterisk_exporter_degraded") }),
        }
    }

    /// Forgets the last scrape.
    pub(super) fn clear(&self) {
        self.started.clear();
        self.target.clear();
        self.waiting.clear();
        self.talking.clear();
        self.longest_wait.clear();
        self.members.clear();
        self.agents.clear();
        self.calls.clear();
        self.trunks.clear();
        self.tracked.clear();
    }

    /// Adds one PBX's picture, under the labels its recorder counts with.  What shares a label is
    /// added up.
    pub(super) fn fill(&self, state: &State, names: &Names, recorder: &mut Recorder) {
        if let Some(started) = state.started {
            let labels = PbxLabels { pbx: recorder.pbx.clone() };
            self.started
                .get_or_create_owned(&labels)
                .set(started.since(Moment::default()).as_secs_f64());
        }
        for queue in &state.queues {
            self.fill_queue(queue, names, recorder);
        }
        for &(agent, doing) in &state.agents {
            self.fill_agent(agent, doing, names, recorder);
        }
        self.fill_calls(&state.calls, recorder);
        for &(trunk, count) in &state.trunks {
            self.fill_trunk(trunk, count, names, recorder);
        }
        let tracked = state.tracked;
        for (kind, count) in [
            (Held::Channel, tracked.channels),
            (Held::Stay, tracked.stays),
            (Held::Call, tracked.calls),
        ] {
            self.tracked
                .get_or_create_owned(&HeldLabels { pbx: recorder.pbx.clone(), kind })
                .set(count);
        }
        for &reason in Missing::ALL {
            let labels = DegradedLabels { pbx: recorder.pbx.clone(), reason };
            self.degraded
                .get_or_create_owned(&labels)
                .set(u64::from(state.missing.contains(reason)));
        }
    }

    fn fill_queue(&self, queue: &QueueState, names: &Names, recorder: &mut Recorder) {
        let Some(shown) = recorder.naming.queue(names, queue.queue) else { return };
        let labels = QueueLabels { pbx: recorder.pbx.clone(), queue: shown.name };
        self.waiting.get_or_create_owned(&labels).inc_by(queue.waiting);
        self.talking.get_or_create_owned(&labels).inc_by(queue.talking);
        raise(&self.longest_wait.get_or_create_owned(&labels), queue.longest_wait);
        // Queues folded together may have different targets: none is shown then.
        if let Some(target) = recorder.target(names, queue.queue).filter(|_| !shown.folded) {
            self.target.get_or_create_owned(&labels).set(target.as_secs_f64());
        }
        for &state in AgentState::ALL {
            let count = queue
                .members
                .iter()
                .filter(|member| member.0 == state)
                .map(|member| member.1)
                .sum();
            let labels =
                QueueAgentsLabels { pbx: labels.pbx.clone(), queue: labels.queue.clone(), state };
            self.members.get_or_create_owned(&labels).inc_by(count);
        }
    }

    fn fill_agent(
        &self,
        agent: AgentId,
        doing: AgentState,
        names: &Names,
        recorder: &mut Recorder,
    ) {
        let Some(shown) = recorder.naming.agent(names, agent) else { return };
        for &state in AgentState::ALL {
            let labels =
                AgentStateLabels { pbx: recorder.pbx.clone(), agent: shown.name.clone(), state };
            self.agents.get_or_create_owned(&labels).inc_by(u64::from(state == doing));
        }
    }

    /// All directions are there, whether or not there are calls.
    fn fill_calls(&self, calls: &[(Direction, u64)], recorder: &Recorder) {
        for &direction in Direction::ALL {
            let count = calls.iter().filter(|call| call.0 == direction).map(|call| call.1).sum();
            self.calls
                .get_or_create_owned(&DirectionLabels { pbx: recorder.pbx.clone(), direction })
                .set(count);
        }
    }

    fn fill_trunk(&self, trunk: TrunkId, count: u64, names: &Names, recorder: &mut Recorder) {
        let Some(shown) = recorder.naming.trunk(names, trunk) else { return };
        self.trunks
            .get_or_create_owned(&TrunkLabels { pbx: recorder.pbx.clone(), trunk: shown.name })
            .inc_by(count);
    }
}

fn raise(gauge: &Span, wait: Duration) {
    if gauge.get() < wait.as_secs_f64() {
        gauge.set(wait.as_secs_f64());
    }
}
