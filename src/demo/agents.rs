//! What agents do between calls: pauses, a meeting, a phone without network.

use super::agenda::Job;
use super::id::{AgentId, MemberId, QueueId};
use super::model::{DeviceState, World};
use super::queue_log::NONE;
use super::scenario::{PAUSE_REASONS, QUEUES};
use super::wire::Class;

impl World {
    /// Puts each agent's first pause on the agenda.
    pub(super) fn schedule_agents(&mut self) {
        for agent in (0..self.agents.len()).map(AgentId) {
            self.soon(30_000..400_000, Job::Pause(agent));
        }
        self.soon(60_000..120_000, Job::Meet);
        self.soon(90_000..200_000, Job::DisconnectPhone);
    }

    /// A pause in all queues: one event per queue.
    pub(super) fn pause(&mut self, agent: AgentId) {
        let (reason, shortest, longest) = PAUSE_REASONS[self.rng.usize(0..PAUSE_REASONS.len())];
        self.set_everywhere(agent, Some(reason));
        self.soon(shortest * 1000..longest * 1000, Job::Resume(agent));
    }

    /// The pause ends.
    pub(super) fn resume(&mut self, agent: AgentId) {
        self.set_everywhere(agent, None);
        self.soon(150_000..600_000, Job::Pause(agent));
    }

    fn set_everywhere(&mut self, agent: AgentId, reason: Option<&'static str>) {
        for queue in (0..self.queues.len()).map(QueueId) {
            if let Some(at) =
                self.queues[queue.0].members.iter().position(|member| member.agent == agent)
            {
                self.set_pause(queue, MemberId(at), reason);
            }
        }
    }

    fn set_pause(&mut self, queue: QueueId, member: MemberId, reason: Option<&'static str>) {
        let now = self.clock;
        let name = self.queues[queue.0].spec.name;
        let state = &mut self.queues[queue.0].members[member.0];
        state.paused = reason;
        if reason.is_some() {
            state.last_pause = Some(now);
        }

        let device = format!("Queue:{name}_pause_{}", state.interface);
        self.device(device, if reason.is_some() { "INUSE" } else { "NOT_INUSE" });
        self.member_event("QueueMemberPause", queue, member);

        // queue_log has a line for each queue, as there is an event for each.
        match reason {
            Some(reason) => self.log_member(NONE, queue, member, format_args!("PAUSE|{reason}")),
            None => self.log_member(NONE, queue, member, "UNPAUSE|"),
        }

        self.report_availability(queue);
    }

    /// The queue pauses a member who did not answer.
    pub(super) fn autopause(&mut self, queue: QueueId, member: MemberId) {
        self.set_pause(queue, member, Some(AUTO_PAUSE));
        self.soon(15_000..45_000, Job::ResumeIn(queue, member));
    }

    /// The member notices, and comes back.
    pub(super) fn resume_in(&mut self, queue: QueueId, member: MemberId) {
        if self.queues[queue.0].members[member.0].paused == Some(AUTO_PAUSE) {
            self.set_pause(queue, member, None);
        }
    }

    /// The whole team of the strict queue pauses at once, so that its callers are sent away.
    pub(super) fn meet(&mut self) {
        for (queue, member) in strict_members() {
            self.set_pause(queue, member, Some("meeting"));
        }
        self.soon(30_000..60_000, Job::MeetingOver);
    }

    /// The team comes back.
    pub(super) fn meeting_over(&mut self) {
        for (queue, member) in strict_members() {
            self.set_pause(queue, member, None);
        }
        self.soon(150_000..300_000, Job::Meet);
    }

    /// A free phone loses its network.
    pub(super) fn disconnect_phone(&mut self) {
        if let Some(agent) = self.idle_agent(None) {
            self.set_reachable(agent, false);
            self.soon(20_000..45_000, Job::ReconnectPhone(agent));
        }
        self.soon(150_000..400_000, Job::DisconnectPhone);
    }

    /// The phone is back.
    pub(super) fn reconnect_phone(&mut self, agent: AgentId) {
        self.set_reachable(agent, true);
    }

    fn set_reachable(&mut self, agent: AgentId, reachable: bool) {
        self.agents[agent.0].reachable = reachable;

        let message = self.event("PeerStatus", Class::System).with("ChannelType", "PJSIP");
        let message = message.with("Peer", &self.agents[agent.0].device);
        let message =
            message.with("PeerStatus", if reachable { "Reachable" } else { "Unreachable" });
        self.send(Class::System, message);
        debug_assert!(reachable || self.device_state(agent) == DeviceState::Unavailable);
    }
}

fn strict_members() -> impl Iterator<Item = (QueueId, MemberId)> {
    let strict = QUEUES.iter().enumerate().filter(|(_, queue)| queue.strict);
    strict.flat_map(|(at, queue)| {
        (0..queue.members.len()).map(move |member| (QueueId(at), MemberId(member)))
    })
}

/// The reason that Asterisk gives.
const AUTO_PAUSE: &str = "Auto-Pause";
