//! Gauges of the state now, made for each scrape, so that a removed queue disappears.
//!
//! Under the lock each name gets its label, which only the recorder knows.  The series are made
//! behind it: an agent alone has one for each state.

use std::time::Duration;

use super::catalogue::{Entry, entry};
use super::endpoints::Endpoints;
use super::family::Places;
use super::labels::{
    AgentCallLabels, AgentInfoLabels, AgentLabels, AgentName, AgentPauseLabels, AgentStateLabels,
    DegradedLabels, DirectionLabels, EndpointLabels, GroupName, Labels, PbxLabels,
    QueueAgentsLabels, QueueInfoLabels, QueueLabels, QueueName, ReasonName, TeamName, Tracked,
    TrackedLabels, TrunkLabels, TrunkName,
};
use super::recorder::Recorder;
use super::snapshot::{Samples, Values};
use crate::clock::Moment;
use crate::correlator::{AgentNow, AgentState, Direction, Missing, Names, QueueState, State, Word};
use crate::pbx::PbxName;

/// The state of one PBX, under the labels its recorder counts with.
#[derive(Debug)]
pub(super) struct PbxState {
    pub(super) pbx: PbxName,
    pub(super) queues: Vec<Queue>,
    pub(super) agents: Vec<Agent>,
    trunks: Vec<(TrunkName, u64)>,
    endpoints: Endpoints,
    /// What needs no names.
    rest: State,
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: QueueName,
    pub(super) target: Option<Duration>,
    group: GroupName,
    needed: Option<u32>,
    pub(super) state: QueueState,
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) name: AgentName,
    /// Others have the label, too: of those there is no one moment.
    pub(super) shared: bool,
    /// Why the agent is paused; none in any other state.
    pub(super) pause: Option<ReasonName>,
    team: TeamName,
    pub(super) now: AgentNow,
}

impl PbxState {
    pub(super) fn new(mut state: State, names: &Names, recorder: &mut Recorder) -> Self {
        let queues = std::mem::take(&mut state.queues);
        let queues = queues.into_iter().filter_map(|state| {
            let queue = recorder.naming.queue(names, state.queue)?;
            // Queues that share a label may have different targets: none is exported then.
            let target = recorder.target(names, state.queue).filter(|_| !queue.folded);
            let group = recorder.group(names, state.queue, &queue);
            let needed = target.and_then(|target| recorder.agents_needed(queue.id, target));
            Some(Queue { name: queue.name, target, group, needed, state })
        });
        let queues = queues.collect();

        let agents = std::mem::take(&mut state.agents);
        let agents = agents.into_iter().filter_map(|now| Agent::new(now, names, recorder));
        let agents = agents.collect();

        let trunks = std::mem::take(&mut state.trunks);
        let trunks = trunks
            .into_iter()
            .filter_map(|(trunk, calls)| Some((recorder.naming.trunk(names, trunk)?.name, calls)));
        let trunks = trunks.collect();

        let registered = std::mem::take(&mut state.registered);
        let reachable = std::mem::take(&mut state.reachable);
        let endpoints = Endpoints::new(registered, reachable, names, &mut recorder.naming);

        Self { pbx: recorder.pbx.clone(), queues, agents, trunks, endpoints, rest: state }
    }
}

impl Agent {
    fn new(now: AgentNow, names: &Names, recorder: &mut Recorder) -> Option<Self> {
        let agent = recorder.naming.agent(names, now.agent)?;
        let paused = now.state == AgentState::Paused;
        let pause = match paused {
            true => Some(recorder.naming.reason(names, now.reason)?.name),
            false => None,
        };
        let shared = agent.folded || agent.id.is_none();
        let team = match shared {
            true => TeamName::new(""),
            false => recorder.team(names, now.agent),
        };
        Some(Self { name: agent.name, shared, pause, team, now })
    }
}

/// The gauges of all PBXs.
pub(super) fn gauges(states: &[PbxState]) -> Vec<Samples> {
    let mut gauges = Gauges::default();
    for state in states {
        gauges.add(state);
    }
    gauges.into_samples()
}

/// What shares a label is added up.
#[derive(Default)]
struct Gauges {
    started: Gauge<f64>,
    target: Gauge<f64>,
    needed: Gauge<u64>,
    waiting: Gauge<u64>,
    talking: Gauge<u64>,
    longest_wait: Gauge<f64>,
    members: Gauge<u64>,
    agents: Gauge<u64>,
    queue_info: Gauge<u64>,
    agent_info: Gauge<u64>,
    agent_since: Gauge<f64>,
    agent_talk_since: Gauge<f64>,
    agent_pause: Gauge<u64>,
    agent_busy: Gauge<u64>,
    agent_login: Gauge<f64>,
    agent_last_call: Gauge<f64>,
    calls: Gauge<u64>,
    trunks: Gauge<u64>,
    registered: Gauge<u64>,
    reachable: Gauge<u64>,
    round_trip: Gauge<f64>,
    tracked: Gauge<u64>,
    degraded: Gauge<u64>,
}

impl Gauges {
    fn add(&mut self, PbxState { pbx, queues, agents, trunks, endpoints, rest }: &PbxState) {
        if let Some(started) = rest.started {
            let labels = PbxLabels { pbx: pbx.clone() };
            *self.started.at(&labels) = unix_time(started);
        }

        for queue in queues {
            self.add_queue(pbx, queue);
        }
        for agent in agents {
            self.add_agent(pbx, agent);
        }

        // Several trunks have one name where the limit of labels folds them.
        for (trunk, calls) in trunks {
            *self.trunks.at(&TrunkLabels { pbx: pbx.clone(), trunk: trunk.clone() }) += calls;
        }
        self.add_endpoints(pbx, endpoints);
        self.add_rest(pbx, rest);
    }

    fn add_queue(&mut self, pbx: &PbxName, Queue { name, target, group, needed, state }: &Queue) {
        let labels = || QueueLabels { pbx: pbx.clone(), queue: name.clone() };
        *self.waiting.at(&labels()) += state.waiting;
        *self.talking.at(&labels()) += state.talking;
        let longest = self.longest_wait.at(&labels());
        *longest = longest.max(state.longest_wait.as_secs_f64());
        if let Some(target) = target {
            *self.target.at(&labels()) = target.as_secs_f64();
        }

        if let Some(needed) = needed {
            *self.needed.at(&labels()) = u64::from(*needed);
        }

        let (queue, group) = (name.clone(), group.clone());
        *self.queue_info.at(&QueueInfoLabels { pbx: pbx.clone(), queue, group }) = 1;

        for &doing in AgentState::ALL {
            let count = total(&state.members, doing);
            let labels = QueueAgentsLabels { pbx: pbx.clone(), queue: name.clone(), state: doing };
            *self.members.at(&labels) += count;
        }
    }

    fn add_agent(&mut self, pbx: &PbxName, Agent { name, shared, pause, team, now }: &Agent) {
        let (agent, team) = (name.clone(), team.clone());
        *self.agent_info.at(&AgentInfoLabels { pbx: pbx.clone(), agent, team }) = 1;
        for &state in AgentState::ALL {
            let labels = AgentStateLabels { pbx: pbx.clone(), agent: name.clone(), state };
            *self.agents.at(&labels) += u64::from(state == now.state);
        }
        if let Some(reason) = pause {
            let (pbx, agent, reason) = (pbx.clone(), name.clone(), reason.clone());
            *self.agent_pause.at(&AgentPauseLabels { pbx, agent, reason }) += 1;
        }

        if let Some(kind) = now.busy {
            let labels = AgentCallLabels { pbx: pbx.clone(), agent: name.clone(), kind };
            *self.agent_busy.at(&labels) += 1;
        }

        if *shared {
            return;
        }
        let labels = AgentLabels { pbx: pbx.clone(), agent: name.clone() };
        for (gauge, moment) in [
            (&mut self.agent_since, now.since),
            (&mut self.agent_talk_since, now.talk_since),
            (&mut self.agent_login, now.login),
            (&mut self.agent_last_call, now.last_call),
        ] {
            if let Some(moment) = moment {
                *gauge.at(&labels) = unix_time(moment);
            }
        }
    }

    fn add_endpoints(&mut self, pbx: &PbxName, endpoints: &Endpoints) {
        for (trunk, is_registered) in &endpoints.registered {
            let labels = TrunkLabels { pbx: pbx.clone(), trunk: trunk.clone() };
            *self.registered.at(&labels) = u64::from(*is_registered);
        }
        for ((agent, trunk), reach) in &endpoints.reachable {
            let (agent, trunk) = (agent.clone(), trunk.clone());
            let labels = EndpointLabels { pbx: pbx.clone(), agent, trunk };
            *self.reachable.at(&labels) = u64::from(reach.is_reachable);
            if let Some(round_trip) = reach.round_trip {
                *self.round_trip.at(&labels) = round_trip.as_secs_f64();
            }
        }
    }

    /// Directions, kinds and reasons are all there, whether or not there is anything to count.
    fn add_rest(&mut self, pbx: &PbxName, state: &State) {
        for &direction in Direction::ALL {
            let labels = DirectionLabels { pbx: pbx.clone(), direction };
            *self.calls.at(&labels) = total(&state.calls, direction);
        }

        for &kind in Tracked::ALL {
            *self.tracked.at(&TrackedLabels { pbx: pbx.clone(), kind }) = match kind {
                Tracked::Channel => state.tracked.channels,
                Tracked::Stay => state.tracked.stays,
                Tracked::Call => state.tracked.calls,
            };
        }

        for &reason in Missing::ALL {
            let labels = DegradedLabels { pbx: pbx.clone(), reason };
            *self.degraded.at(&labels) = u64::from(state.missing.contains(reason));
        }
    }

    fn into_samples(self) -> Vec<Samples> {
        let all = [
            self.started.samples(const { entry("asterisk_start_time_seconds") }),
            self.target.samples(const { entry("asterisk_queue_service_level_target_seconds") }),
            self.needed.samples(const { entry("asterisk_queue_agents_needed") }),
            self.waiting.samples(const { entry("asterisk_queue_callers_waiting") }),
            self.talking.samples(const { entry("asterisk_queue_callers_talking") }),
            self.longest_wait.samples(const { entry("asterisk_queue_longest_wait_seconds") }),
            self.members.samples(const { entry("asterisk_queue_agents") }),
            self.queue_info.samples(const { entry("asterisk_queue_info") }),
            self.agent_info.samples(const { entry("asterisk_agent_info") }),
            self.agents.samples(const { entry("asterisk_agent_state") }),
            self.agent_since
                .samples(const { entry("asterisk_agent_state_since_timestamp_seconds") }),
            self.agent_talk_since
                .samples(const { entry("asterisk_agent_talk_since_timestamp_seconds") }),
            self.agent_pause.samples(const { entry("asterisk_agent_pause_reason") }),
            self.agent_busy.samples(const { entry("asterisk_agent_busy_call") }),
            self.agent_login.samples(const { entry("asterisk_agent_login_timestamp_seconds") }),
            self.agent_last_call
                .samples(const { entry("asterisk_agent_last_call_timestamp_seconds") }),
            self.calls.samples(const { entry("asterisk_calls_active") }),
            self.trunks.samples(const { entry("asterisk_trunk_calls_active") }),
            self.registered.samples(const { entry("asterisk_trunk_registered") }),
            self.reachable.samples(const { entry("asterisk_endpoint_reachable") }),
            self.round_trip.samples(const { entry("asterisk_endpoint_round_trip_seconds") }),
            self.tracked.samples(const { entry("asterisk_exporter_tracked_objects") }),
            self.degraded.samples(const { entry("asterisk_exporter_degraded") }),
        ];
        all.into()
    }
}

/// One gauge, whose series are made as they come.
#[derive(Default)]
struct Gauge<V> {
    places: Places,
    values: Vec<V>,
}

impl<V: Default> Gauge<V> {
    /// The value with these labels, zero if it is new.
    fn at(&mut self, labels: &impl Labels) -> &mut V {
        let (at, new) = self.places.ensure(labels);
        if new {
            self.values.push(V::default());
        }
        &mut self.values[at as usize]
    }

    fn samples(self, entry: &'static Entry) -> Samples
    where
        Values: From<Vec<V>>,
    {
        Samples::undated(entry, self.places.into_labels(), self.values.into())
    }
}

/// Seconds since the Unix epoch.
fn unix_time(moment: Moment) -> f64 {
    moment.since(Moment::EPOCH).as_secs_f64()
}

fn total<K: Eq + Copy>(counts: &[(K, u64)], key: K) -> u64 {
    counts.iter().filter(|count| count.0 == key).map(|count| count.1).sum()
}
