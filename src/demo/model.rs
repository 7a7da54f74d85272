//! All state of the simulation: channels, bridges, phones, queues and what is going on, with the
//! small steps on it.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;

use super::agenda::{Agenda, Job};
use super::calls::{Completion, Consultation, Dial, Stay, Talk};
use super::channel::{Bridge, Channel, Owner};
use super::id::{AgentId, BridgeId, ChannelId, DialId, MemberId, QueueId, StayId, TalkId};
use super::scenario::{AGENTS, QUEUES, QueueSpec, TRUNKS};
use super::truth::{QueueTruth, Truth};
use super::wire::Wire;
use crate::clock::Moment;

/// The device state of a phone, as PJSIP has it for an endpoint with `device_state_busy_at=1`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DeviceState {
    NotInUse,
    Busy,
    Unavailable,
}

impl DeviceState {
    /// The word of DeviceStateChange.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::NotInUse => "NOT_INUSE",
            Self::Busy => "BUSY",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// A member's Status.
    pub(super) const fn status(self) -> u8 {
        match self {
            Self::NotInUse => 1,
            Self::Busy => 3,
            Self::Unavailable => 5,
        }
    }

    /// An extension's Status, and its text.
    pub(super) const fn extension(self) -> (u8, &'static str) {
        match self {
            Self::NotInUse => (0, "Idle"),
            Self::Busy => (2, "Busy"),
            Self::Unavailable => (4, "Unavailable"),
        }
    }
}

/// A person with a phone.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) exten: &'static str,
    pub(super) name: &'static str,
    /// `PJSIP/101`.
    pub(super) device: String,
    pub(super) reachable: bool,
    /// The state in the last DeviceStateChange.
    pub(super) reported: DeviceState,
}

/// An agent's place in a queue.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) agent: AgentId,
    pub(super) penalty: u32,
    pub(super) interface: String,
    pub(super) state_interface: String,
    /// The reason, while paused.
    pub(super) paused: Option<&'static str>,
    pub(super) calls_taken: u32,
    pub(super) last_call: Option<Moment>,
    pub(super) last_pause: Option<Moment>,
}

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) spec: &'static QueueSpec,
    pub(super) members: Vec<Member>,
    pub(super) waiting: Vec<StayId>,
    /// The member that round robin rings next.
    pub(super) next: usize,
    pub(super) completed: u32,
    /// Asterisk's counter, which includes timeouts.
    pub(super) abandoned: u32,
    pub(super) hold_average: u64,
    pub(super) talk_average: u64,
    /// The state in the last `Queue:<name>_avail`.
    pub(super) reported_available: bool,
}

/// The whole state.
#[derive(Debug)]
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) boot: Moment,
    /// The time stamp of the last event.
    pub(super) clock: Moment,
    pub(super) agenda: Agenda,
    pub(super) channels: BTreeMap<ChannelId, Channel>,
    pub(super) bridges: BTreeMap<BridgeId, Bridge>,
    pub(super) agents: Vec<Agent>,
    pub(super) queues: Vec<Queue>,
    pub(super) trunks_in_use: [bool; TRUNKS.len()],
    pub(super) stays: BTreeMap<StayId, Stay>,
    pub(super) talks: BTreeMap<TalkId, Talk>,
    pub(super) consultations: BTreeMap<TalkId, Consultation>,
    pub(super) completions: BTreeMap<TalkId, Completion>,
    pub(super) dials: BTreeMap<DialId, Dial>,
    pub(super) truth: Truth,
    pub(super) events: Vec<Wire>,
    /// Lines of queue_log that were not taken yet.
    pub(super) logged: String,
    pub(super) next_channel: u32,
    pub(super) next_device: u32,
    pub(super) next_local: u32,
    pub(super) next_id: u32,
}

impl World {
    /// An idle PBX that booted at `boot`.
    pub(super) fn new(seed: u64, boot: Moment) -> Self {
        let agents = AGENTS.iter().map(|&(exten, name)| Agent {
            exten,
            name,
            device: format!("PJSIP/{exten}"),
            reachable: true,
            reported: DeviceState::NotInUse,
        });

        // Queues without a call must be compared, too.
        let mut truth = Truth::default();
        for queue in &QUEUES {
            truth.queues.entry(queue.name.to_owned()).or_default();
        }

        Self {
            rng: Rng::with_seed(seed),
            boot,
            clock: boot,
            agenda: Agenda::default(),
            channels: BTreeMap::new(),
            bridges: BTreeMap::new(),
            agents: agents.collect(),
            queues: QUEUES.iter().map(Queue::new).collect(),
            trunks_in_use: [false; TRUNKS.len()],
            stays: BTreeMap::new(),
            talks: BTreeMap::new(),
            consultations: BTreeMap::new(),
            completions: BTreeMap::new(),
            dials: BTreeMap::new(),
            truth,
            events: Vec::new(),
            logged: String::new(),
            next_channel: 0,
            next_device: 0,
            next_local: 0,
            next_id: 0,
        }
    }

    /// Puts something on the agenda.
    pub(super) fn later(&mut self, span: Duration, job: Job) {
        self.agenda.add(self.clock.after(span), job);
    }

    /// Puts something on the agenda, between so many milliseconds from now.
    pub(super) fn soon(&mut self, milliseconds: std::ops::Range<u64>, job: Job) {
        let span = Duration::from_millis(self.rng.u64(milliseconds));
        self.later(span, job);
    }

    /// A fresh number for a stay, a talk, a dial or a bridge.
    pub(super) fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// True in that percentage of cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// The state of a phone now.
    pub(super) fn device_state(&self, agent: AgentId) -> DeviceState {
        // `device_state_busy_at=1`: one call makes a phone busy.
        if self.channels.values().any(|channel| channel.owner == Owner::Phone(agent)) {
            DeviceState::Busy
        } else if self.agents[agent.0].reachable {
            DeviceState::NotInUse
        } else {
            DeviceState::Unavailable
        }
    }

    /// An agent with a free phone, but for `except`.
    pub(super) fn idle_agent(&mut self, except: Option<AgentId>) -> Option<AgentId> {
        let idle: Vec<AgentId> = (0..self.agents.len())
            .map(AgentId)
            .filter(|&agent| {
                Some(agent) != except && self.device_state(agent) == DeviceState::NotInUse
            })
            .collect();

        self.rng.choice(idle)
    }

    /// Whether the member of that queue could be rung.
    pub(super) fn is_callable(&self, queue: QueueId, member: MemberId) -> bool {
        let Queue { spec, members, .. } = &self.queues[queue.0];
        let member = &members[member.0];
        let wrapped_up =
            member.last_call.is_none_or(|last| self.clock.since(last).as_secs() >= spec.wrapup);

        member.paused.is_none()
            && wrapped_up
            && self.device_state(member.agent) == DeviceState::NotInUse
    }

    /// The counts of a queue.
    pub(super) fn truth_of(&mut self, queue: QueueId) -> &mut QueueTruth {
        self.truth.queues.entry(QUEUES[queue.0].name.to_owned()).or_default()
    }
}

impl Queue {
    fn new(spec: &'static QueueSpec) -> Self {
        let members = spec.members.iter().map(|&(agent, penalty)| {
            let exten = AGENTS[agent].0;
            // FreePBX names members like the first two, everybody else like the last.
            let (interface, state_interface) = if spec.local_members {
                (format!("Local/{exten}@from-queue/n"), format!("hint:{exten}@ext-local"))
            } else {
                (format!("PJSIP/{exten}"), format!("PJSIP/{exten}"))
            };

            Member {
                agent: AgentId(agent),
                penalty,
                interface,
                state_interface,
                paused: None,
                calls_taken: 0,
                last_call: None,
                last_pause: None,
            }
        });

        Self {
            spec,
            members: members.collect(),
            waiting: Vec::new(),
            next: 0,
            completed: 0,
            abandoned: 0,
            hold_average: 0,
            talk_average: 0,
            reported_available: true,
        }
    }
}
