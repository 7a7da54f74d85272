//! What a PBX holds: channels, bridges, phones, queues.  All state of the simulation, and the small
//! steps on it.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::dialling::{Dial, DialId};
use super::queueing::{Stay, StayId};
use super::scenario::{AGENTS, QUEUES, QueueSpec, TRUNKS};
use super::simulation::Agenda;
use super::talking::{Completion, Talk, TalkId};
use super::transfers::Consultation;
use super::truth::Truth;
use super::wire::Wire;
use crate::clock::Moment;

/// Counts channels from the start of the PBX; the second half of a Uniqueid.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct ChannelId(pub(super) u32);

/// Counts bridges.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct BridgeId(pub(super) u32);

/// A place in [`AGENTS`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct AgentId(pub(super) usize);

/// A place in [`QUEUES`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct QueueId(pub(super) usize);

/// A place in [`TRUNKS`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct TrunkId(pub(super) usize);

/// A place in a queue's members.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct MemberId(pub(super) usize);

/// Where a channel leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    Phone(AgentId),
    Trunk(TrunkId),
    Local,
}

/// What a channel does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChannelState {
    Down,
    /// It calls us.
    Ring,
    /// We call it.
    Ringing,
    Up,
}

impl ChannelState {
    /// ChannelState.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Down => 0,
            Self::Ring => 4,
            Self::Ringing => 5,
            Self::Up => 6,
        }
    }

    /// ChannelStateDesc.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Ring => "Ring",
            Self::Ringing => "Ringing",
            Self::Up => "Up",
        }
    }
}

/// A number and a name; Asterisk prints `<unknown>` for what it does not know.
#[derive(Clone, Debug, Default)]
pub(super) struct Party {
    pub(super) number: Option<String>,
    pub(super) name: Option<String>,
}

impl Party {
    /// A number without a name.
    pub(super) fn number(number: &str) -> Self {
        Self { number: Some(number.to_owned()), name: None }
    }

    /// Both, as headers have them.
    pub(super) fn texts(&self) -> (&str, &str) {
        (self.number.as_deref().unwrap_or("<unknown>"), self.name.as_deref().unwrap_or("<unknown>"))
    }
}

/// A channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) owner: Owner,
    pub(super) state: ChannelState,
    pub(super) caller: Party,
    pub(super) connected: Party,
    pub(super) context: String,
    pub(super) exten: String,
    pub(super) priority: u32,
    pub(super) uniqueid: String,
    pub(super) linkedid: String,
    pub(super) application: String,
    pub(super) data: String,
    pub(super) created: Moment,
    pub(super) bridge: Option<BridgeId>,
}

/// A bridge.
#[derive(Clone, Debug)]
pub(super) struct Bridge {
    pub(super) uniqueid: String,
    pub(super) channels: Vec<ChannelId>,
}

/// What a phone does, as the device states of a PJSIP endpoint with `device_state_busy_at=1` say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DeviceState {
    NotInUse,
    Busy,
    Unavailable,
}

impl DeviceState {
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
    /// What the last DeviceStateChange said.
    pub(super) told: DeviceState,
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
    /// Where round robin goes on.
    pub(super) next: usize,
    pub(super) completed: u32,
    /// Asterisk's counter, which holds timeouts too.
    pub(super) abandoned: u32,
    pub(super) hold_average: u64,
    pub(super) talk_average: u64,
    /// What the last `Queue:<name>_avail` said.
    pub(super) told_available: bool,
}

/// Everything.
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
    /// Lines of queue_log that nobody has taken yet.
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
            told: DeviceState::NotInUse,
        });
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

    /// A fresh number for a stay, a talk, a dial or a bridge.
    pub(super) fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// Whether that share of all throws, in percent, is hit.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// What the phone does now.
    pub(super) fn device_state(&self, agent: AgentId) -> DeviceState {
        if self.channels.values().any(|channel| channel.owner == Owner::Phone(agent)) {
            DeviceState::Busy
        } else if self.agents[agent.0].reachable {
            DeviceState::NotInUse
        } else {
            DeviceState::Unavailable
        }
    }

    /// Somebody at a free phone, but for `except`.
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
        let rested =
            member.last_call.is_none_or(|last| self.clock.since(last).as_secs() >= spec.wrapup);
        member.paused.is_none()
            && rested
            && self.device_state(member.agent) == DeviceState::NotInUse
    }

    /// What is counted of a queue.
    pub(super) fn truth_of(&mut self, queue: QueueId) -> &mut super::truth::QueueTruth {
        self.truth.queues.entry(QUEUES[queue.0].name.to_owned()).or_default()
    }
}

impl Queue {
    fn new(spec: &'static QueueSpec) -> Self {
        let members = spec.members.iter().map(|&(agent, penalty)| {
            let exten = AGENTS[agent].0;
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
            told_available: true,
        }
    }
}
