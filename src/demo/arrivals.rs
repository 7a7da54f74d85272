//! What kind of call comes next, and when: a day's curve in ten minutes.

use std::time::Duration;

use super::agenda::Job;
use super::channel::{ChannelState, Owner, Party};
use super::events::ChannelSpec;
use super::id::{AgentId, ChannelId, QueueId, TrunkId};
use super::model::World;
use super::scenario::{ANNOUNCEMENT_NUMBER, CALLER_NAMES, DIRECT_NUMBER, QUEUES};

impl World {
    /// How long until the next call.
    pub(super) fn next_gap(&mut self, busy: f64) -> Duration {
        let day = self.clock.since(self.boot).as_secs_f64() / DAY_SECONDS;
        // The square of a sine has two peaks a period.
        let peaks = (std::f64::consts::TAU * day).sin().powi(2);
        let per_minute = busy * (QUIET_RATE + (PEAK_RATE - QUIET_RATE) * peaks);
        Duration::from_secs_f64(self.exponential(60.0 / per_minute).min(3_600.0))
    }

    /// Begins a call of some kind.
    pub(super) fn begin_call(&mut self) {
        let agent = self.idle_agent(None);
        // Without a free agent every call is one to a queue.
        match (self.rng.u32(0..100), agent) {
            (0..=67, _) | (_, None) => self.call_queue(),
            (68..=73, Some(_)) => self.call_agent(),
            (74..=76, Some(_)) => self.call_announcement(),
            (77..=89, Some(agent)) => self.call_out(agent),
            (90..=93, Some(agent)) => self.call_colleague(agent),
            (_, Some(agent)) => self.originate(agent),
        }
    }

    fn call_queue(&mut self) {
        self.truth.inbound_queued += 1;

        let mut draw = self.rng.u32(0..100);
        let queue = QUEUES.iter().position(|queue| {
            let hit = draw < queue.share;
            draw = draw.saturating_sub(queue.share);
            hit
        });

        let queue = queue.unwrap_or(0);
        let spec = &QUEUES[queue];

        let caller = self.inbound(spec.did);
        self.application(caller, "Goto", &format!("queues,{},1", spec.name));
        self.goto(caller, "queues", spec.name, 1);
        self.application(caller, "Answer", "");
        self.new_state(caller, ChannelState::Up);
        self.soon(400..900, Job::Enter(caller, QueueId(queue)));
    }

    fn call_agent(&mut self) {
        self.truth.inbound_direct += 1;
        let agent = AgentId(self.rng.usize(0..self.agents.len()));
        let caller = self.inbound(DIRECT_NUMBER);
        self.dial_agent(caller, agent);
    }

    fn call_announcement(&mut self) {
        self.truth.inbound_direct += 1;
        let caller = self.inbound(ANNOUNCEMENT_NUMBER);
        self.application(caller, "Answer", "");
        self.new_state(caller, ChannelState::Up);

        self.next_application(caller, "Playback", "opening-hours");
        let by_caller = self.chance(50);
        self.soon(4_000..12_000, Job::Leave(caller, by_caller));
    }

    fn call_out(&mut self, agent: AgentId) {
        self.truth.outbound += 1;
        let number = self.customer_number();
        let from = self.outgoing(agent, &number);
        self.dial_out(from, &number);
    }

    fn call_colleague(&mut self, agent: AgentId) {
        self.truth.internal += 1;
        let others = self.rng.usize(1..self.agents.len());
        let colleague = AgentId((agent.0 + others) % self.agents.len());
        let exten = self.agents[colleague.0].exten;
        let from = self.outgoing(agent, exten);
        self.dial_agent(from, colleague);
    }

    /// A call that comes in over a trunk.
    fn inbound(&mut self, number: &str) -> ChannelId {
        let trunk = TrunkId(usize::from(self.chance(40)));
        let name = CALLER_NAMES[self.rng.usize(0..CALLER_NAMES.len())];
        let caller = Party { number: Some(self.customer_number()), name: Some(name.to_owned()) };
        self.originator(Owner::Trunk(trunk), "from-trunk", number, caller)
    }

    /// A call that an agent's phone makes.
    fn outgoing(&mut self, agent: AgentId, number: &str) -> ChannelId {
        let caller = Party {
            number: Some(self.agents[agent.0].exten.to_owned()),
            name: Some(self.agents[agent.0].name.to_owned()),
        };
        self.originator(Owner::Phone(agent), "from-agents", number, caller)
    }

    fn originator(&mut self, owner: Owner, context: &str, exten: &str, caller: Party) -> ChannelId {
        let state = ChannelState::Ring;
        let id =
            self.new_channel(ChannelSpec { owner, state, context, exten, caller, requestor: None });
        self.varset(id, "SIPDOMAIN", "127.0.0.1");
        id
    }

    /// A customer's number; all of them are reserved for fiction.
    pub(super) fn customer_number(&mut self) -> String {
        format!("1202555{:04}", self.rng.u32(150..200))
    }
}

/// A day, compressed: two peaks.
const DAY_SECONDS: f64 = 600.0;

/// Calls a minute at night and at the peaks: more than the agents can take.
const QUIET_RATE: f64 = 5.0;
/// The rate at a peak.
const PEAK_RATE: f64 = 20.0;
