//! Devices and members: the events about their states.

use std::fmt::Display;

use super::channel::Owner;
use super::id::{AgentId, MemberId, QueueId, TrunkId};
use super::model::{DeviceState, World};
use super::scenario::TRUNKS;
use super::wire::{Class, seconds};

impl World {
    /// DeviceStateChange.
    pub(super) fn device(&mut self, device: impl Display, state: &str) {
        let message = self
            .event("DeviceStateChange", Class::Call)
            .with("Device", device)
            .with("State", state);
        self.send(Class::Call, message);
    }

    /// QueueMemberStatus, QueueMemberPause.
    pub(super) fn member_event(&mut self, name: &str, queue: QueueId, member: MemberId) {
        let message = self.event(name, Class::Agent);

        let Some(state) = self.queues[queue.0].members.get(member.0) else { return };
        let agent = &self.agents[state.agent.0];

        let message = message
            .with("Queue", self.queues[queue.0].spec.name)
            .with("MemberName", agent.name)
            .with("Interface", &state.interface)
            .with("StateInterface", &state.state_interface)
            .with("Membership", "static")
            .with("Penalty", state.penalty)
            .with("CallsTaken", state.calls_taken)
            .with("LastCall", seconds(state.last_call))
            .with("LastPause", seconds(state.last_pause))
            .with("LoginTime", seconds(Some(self.boot)))
            // Real Asterisk sends 0 here even while the member talks; QueueStatus has it right.
            .with("InCall", 0)
            .with("Status", agent.reported.status())
            .with("Paused", u8::from(state.paused.is_some()))
            .with("PausedReason", state.paused.unwrap_or_default())
            .with("Ringinuse", 0)
            .with("Wrapuptime", self.queues[queue.0].spec.wrapup);
        self.send(Class::Agent, message);
    }

    /// Reports every phone and trunk that changed, as the device state thread does a little later.
    pub(super) fn report_devices(&mut self) {
        for agent in (0..self.agents.len()).map(AgentId) {
            let state = self.device_state(agent);
            if state != self.agents[agent.0].reported {
                self.agents[agent.0].reported = state;
                self.report_phone(agent, state);
            }
        }

        for trunk in (0..TRUNKS.len()).map(TrunkId) {
            let in_use = self.channels.values().any(|channel| channel.owner == Owner::Trunk(trunk));
            if in_use != self.trunks_in_use[trunk.0] {
                self.trunks_in_use[trunk.0] = in_use;
                self.device(
                    format_args!("PJSIP/{}", TRUNKS[trunk.0]),
                    if in_use { "INUSE" } else { "NOT_INUSE" },
                );
            }
        }
    }

    fn report_phone(&mut self, agent: AgentId, state: DeviceState) {
        let (extension, text) = state.extension();
        let device = self.agents[agent.0].device.clone();
        let message =
            self.event("ExtensionStatus", Class::Call).with("Exten", self.agents[agent.0].exten);
        let message = message.with("Context", "ext-local").with("Hint", &device);
        self.send(Class::Call, message.with("Status", extension).with("StatusText", text));
        self.device(&device, state.word());

        // Each queue of the agent sends an event of its own.
        for queue in (0..self.queues.len()).map(QueueId) {
            if let Some(member) =
                self.queues[queue.0].members.iter().position(|member| member.agent == agent)
            {
                self.member_event("QueueMemberStatus", queue, MemberId(member));
                self.report_availability(queue);
            }
        }
    }

    /// `Queue:<name>_avail`, when the last member got busy or the first one free.
    pub(super) fn report_availability(&mut self, queue: QueueId) {
        let available = (0..self.queues[queue.0].members.len())
            .any(|member| self.is_callable(queue, MemberId(member)));
        if available != self.queues[queue.0].reported_available {
            self.queues[queue.0].reported_available = available;
            let name = self.queues[queue.0].spec.name;
            self.device(
                format_args!("Queue:{name}_avail"),
                if available { "NOT_INUSE" } else { "INUSE" },
            );
        }
    }
}
