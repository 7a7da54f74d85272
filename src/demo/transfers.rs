//! Transfers by agents: blind ones at once, attended ones after a consultation.

use super::agenda::Job;
use super::calls::{Consultation, Talk};
use super::channel::{ChannelState, Owner, Party};
use super::dialling::CLEARED;
use super::events::ChannelSpec;
use super::id::{AgentId, BridgeId, ChannelId, MemberId, QueueId, TalkId};
use super::model::World;
use super::wire::Class;
use crate::clock::Moment;

impl World {
    /// Sends the caller to a colleague or another queue; whether there was one.
    pub(super) fn transfer_blind(&mut self, id: TalkId, talk: &Talk) -> bool {
        let queue = self
            .chance(40)
            .then(|| self.rng.usize(0..self.queues.len()))
            .filter(|&queue| queue != talk.queue.0);

        let colleague = self.idle_agent(Some(talk.agent));

        let (context, exten) = match (queue, colleague) {
            (Some(queue), _) => ("internal", self.queues[queue].spec.did),
            (None, Some(colleague)) => ("internal", self.agents[colleague.0].exten),
            (None, None) => return false,
        };

        self.truth_of(talk.queue).blind_transfers += 1;
        let race = self.rng.u32(0..10);
        let left = self.blind_events(id, talk, context, exten, race < 3);
        self.truth_of(talk.queue).talk += left.since(talk.started);

        match (queue, colleague) {
            (Some(queue), _) => {
                self.goto(talk.caller, "queues", self.queues[queue].spec.name, 1);
                self.application(talk.caller, "Answer", "");
                self.enter_queue(talk.caller, QueueId(queue));
            }
            (None, Some(colleague)) => self.dial_colleague(talk.caller, colleague),
            (None, None) => {}
        }
        true
    }

    /// The events of a blind transfer; returns when the talk was over.
    fn blind_events(
        &mut self,
        id: TalkId,
        talk: &Talk,
        context: &str,
        exten: &str,
        late: bool,
    ) -> Moment {
        self.channel_event("Unhold", talk.leg.phone);
        let names = [talk.caller, talk.leg.phone]
            .map(|id| self.channels.get(&id).map(|channel| channel.name.clone()));
        let [caller_name, phone_name] = names.map(Option::unwrap_or_default);
        self.varset(talk.leg.phone, "BLINDTRANSFER", caller_name);
        self.varset(talk.caller, "BLINDTRANSFER", phone_name);

        // BlindTransfer is made before the caller moves on, and sent afterwards.
        let message = self.event("BlindTransfer", Class::Call).with("Result", "Success");
        let message = message.channel("Transferer", self.channels.get(&talk.leg.phone));
        let mut message = message.channel("Transferee", self.channels.get(&talk.caller));
        if let Some(bridge) = self.bridges.get(&talk.bridge) {
            message = message.bridge("", bridge);
        }
        let message =
            message.with("IsExternal", "Yes").with("Context", context).with("Extension", exten);

        self.goto(talk.caller, context, exten, 1);
        let data =
            self.channels.get(&talk.caller).map(|channel| channel.data.clone()).unwrap_or_default();
        self.application(talk.caller, "Queue", &data);

        self.bridge_leave(talk.bridge, talk.caller);
        self.send(Class::Call, message);

        let completion =
            self.completion(talk, "transfer", &format!("BLINDTRANSFER|{exten}|{context}"));

        // The caller has left for the dialplan, and the agent's leg may end before AgentComplete
        // comes.
        if late {
            let left = self.bridge_leave(talk.bridge, talk.leg.dialled);
            self.bridge_destroy(talk.bridge);
            self.hangup(talk.leg.dialled, 16, None);
            let bare = self.chance(50);
            self.complete_later(id, completion, bare);
            return left;
        }

        let completed = self.send_completion(&completion);
        self.bridge_leave(talk.bridge, talk.leg.dialled);
        self.bridge_destroy(talk.bridge);
        self.hangup(talk.leg.dialled, 16, None);
        completed
    }

    /// The agent rings a colleague while the caller waits; whether one was free.
    pub(super) fn begin_consultation(&mut self, id: TalkId, talk: &Talk) -> bool {
        let Some(colleague) = self.idle_agent(Some(talk.agent)) else { return false };
        let exten = self.agents[colleague.0].exten;
        let phone = talk.leg.phone;
        self.varset(phone, "TRANSFER_CONTEXT", "internal");
        self.press(phone, "*2");
        self.channel_event("Hold", phone);
        self.press(phone, exten);

        let (near, far) = self.new_local_pair(exten, "internal", phone);
        let name =
            self.channels.get(&phone).map(|channel| channel.name.clone()).unwrap_or_default();
        for half in [near, far] {
            self.varset(half, "TRANSFERERNAME", &name);
            self.varset(half, "ATTENDEDTRANSFER", &name);
        }
        let bridge = self.new_bridge();
        let agent_number = self.caller_of(phone);
        self.new_callerid(far, agent_number);
        self.local_bridge(near, far, "internal", exten, "Yes");
        let leg = self.consult(talk, near, far, bridge, colleague);
        let consultation = Consultation {
            talk: talk.clone(),
            near,
            far,
            colleague: leg,
            bridge,
            far_bridge: None,
        };
        self.consultations.insert(id, consultation);
        self.soon(1_500..5_000, Job::Consulted(id));
        true
    }

    fn consult(
        &mut self,
        talk: &Talk,
        near: ChannelId,
        far: ChannelId,
        bridge: BridgeId,
        colleague: AgentId,
    ) -> ChannelId {
        let exten = self.agents[colleague.0].exten;
        let connected = self.caller_of(far);
        self.new_connected_line(near, connected);
        self.bridge_enter(bridge, near);
        self.varset(near, "ATTENDEDTRANSFER", "");

        self.bridge_leave(talk.bridge, talk.leg.phone);
        self.bridge_enter(bridge, talk.leg.phone);

        let leg = self.inner_dial(far, colleague);
        self.new_connected_line(talk.leg.phone, Party::number(exten));
        self.new_state(leg, ChannelState::Ringing);
        self.new_state(near, ChannelState::Ringing);
        self.new_callerid(near, Party::number(exten));
        self.clear_ring_time(far);
        self.dial_state(Some(far), leg, "RINGING");
        self.dial_state(None, near, "RINGING");
        leg
    }

    /// `Dial()` of a Local channel's second half, up to DialBegin.
    pub(super) fn inner_dial(&mut self, far: ChannelId, agent: AgentId) -> ChannelId {
        let exten = self.agents[agent.0].exten;
        self.application(far, "Dial", &format!("PJSIP/{exten},20"));
        self.clear_variables(far, &CLEARED);

        let leg = self.new_channel(ChannelSpec {
            owner: Owner::Phone(agent),
            state: ChannelState::Down,
            context: "from-agents",
            exten: "s",
            caller: Party::default(),
            requestor: Some(far),
        });
        self.prepare_leg(far, leg, exten, exten);
        leg
    }

    /// The colleague answers.
    pub(super) fn consulted(&mut self, id: TalkId) {
        let Some(mut consultation) = self.consultations.remove(&id) else { return };
        let Consultation { near, far, colleague, .. } = consultation;
        self.new_state(colleague, ChannelState::Up);
        self.set_answered_variables(far, colleague);
        self.dial_end(Some(far), colleague, "ANSWER");
        self.new_state(far, ChannelState::Up);

        let bridge = self.new_bridge();
        self.new_state(near, ChannelState::Up);
        self.dial_end(None, near, "ANSWER");

        self.application(colleague, "AppDial", "(Outgoing Line)");
        self.bridge_enter(bridge, colleague);
        self.bridge_enter(bridge, far);
        self.varset(far, "ATTENDEDTRANSFER", "");

        consultation.far_bridge = Some(bridge);
        self.consultations.insert(id, consultation);
        self.soon(2_000..9_000, Job::HandOver(id));
    }

    /// The agent hangs up, so that caller and colleague are connected.
    pub(super) fn hand_over(&mut self, id: TalkId) {
        let Some(consultation) = self.consultations.remove(&id) else { return };
        let Consultation { ref talk, near, bridge, .. } = consultation;
        let phone = talk.leg.phone;
        self.hangup_request(phone, None, None);

        self.bridge_merge(talk.bridge, bridge);
        self.bridge_leave(bridge, near);
        self.bridge_enter(talk.bridge, near);
        let left = self.bridge_leave(bridge, phone);

        // The agent has left: the queue's talk is over, and the caller talks on.
        let truth = self.truth_of(talk.queue);
        truth.attended_transfers += 1;
        truth.talk += left.since(talk.started);

        self.attended_transfer(&consultation);

        let remaining = self
            .bridges
            .get(&talk.bridge)
            .map(|bridge| bridge.uniqueid.clone())
            .unwrap_or_default();
        let completion =
            self.completion(talk, "transfer", &format!("ATTENDEDTRANSFER|BRIDGE|{remaining}"));
        self.send_completion(&completion);

        let colleague_number = self.caller_of(near);
        self.new_connected_line(talk.caller, colleague_number);
        let caller = self.caller_of(talk.caller);
        self.new_connected_line(near, caller);

        self.bridge_destroy(bridge);
        self.hangup(phone, 16, None);
        self.consultations.insert(id, consultation);
        self.soon(4_000..30_000, Job::EndHandedOver(id));
    }

    /// Whether the member is transferring a call of that queue.
    pub(super) fn is_consulting(&self, queue: QueueId, member: MemberId) -> bool {
        self.consultations.values().any(|Consultation { talk, .. }| {
            talk.queue == queue
                && talk.leg.member == member
                && self.channels.contains_key(&talk.leg.phone)
        })
    }

    fn bridge_merge(&mut self, to: BridgeId, from: BridgeId) {
        let mut message = self.event("BridgeMerge", Class::Call);
        if let (Some(to), Some(from)) = (self.bridges.get(&to), self.bridges.get(&from)) {
            message = message.bridge("To", to).bridge("From", from);
        }
        self.send(Class::Call, message);
    }

    fn attended_transfer(&mut self, consultation: &Consultation) {
        let talk = &consultation.talk;
        let phone = self.channels.get(&talk.leg.phone).cloned();
        let mut message = self.event("AttendedTransfer", Class::Call).with("Result", "Success");

        let bridge = self.bridges.get(&talk.bridge);
        message = message.channel("OrigTransferer", phone.as_ref());
        if let Some(bridge) = bridge {
            message = message.bridge("Orig", bridge);
        }

        message = message.channel("SecondTransferer", phone.as_ref());
        if let Some(second) = self.bridges.get(&consultation.bridge) {
            message = message.bridge("Second", second);
        }

        message = message.channel("Transferee", self.channels.get(&talk.caller));
        message = message.channel("TransferTarget", self.channels.get(&consultation.near));
        message = message.with("IsExternal", "No").with("DestType", "Bridge");
        if let Some(bridge) = bridge {
            message = message.with("DestBridgeUniqueid", &bridge.uniqueid);
        }
        self.send(Class::Call, message);
    }

    /// The caller hangs up; the whole chain ends.
    pub(super) fn end_handed_over(&mut self, id: TalkId) {
        let Some(consultation) = self.consultations.remove(&id) else { return };
        let Consultation { talk, near, far, colleague, far_bridge, .. } = consultation;
        self.hangup_request(talk.caller, None, None);
        self.bridge_leave(talk.bridge, talk.caller);
        self.bridge_leave(talk.bridge, near);

        self.hangup_request(far, Some(16), None);
        self.soft_hangup(talk.caller);
        self.hangup(near, 16, None);
        self.bridge_destroy(talk.bridge);

        if let Some(bridge) = far_bridge {
            self.bridge_leave(bridge, far);
            self.varset(far, "DIALSTATUS", "ANSWER");
            self.soft_hangup(far);
            self.hangup(far, 16, None);
            self.bridge_leave(bridge, colleague);
            self.bridge_destroy(bridge);
        }

        self.hangup(talk.caller, 16, None);
        self.hangup(colleague, 16, None);
    }
}
