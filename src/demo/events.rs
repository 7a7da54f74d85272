//! The small steps of Asterisk's core, each with the event that reports it.

use std::fmt::Display;
use std::time::Duration;

use super::channel::{Bridge, Channel, ChannelState, Owner, Party};
use super::id::{BridgeId, ChannelId};
use super::model::World;
use super::scenario::TRUNKS;
use super::wire::{Class, Message, Wire};
use crate::clock::Moment;

/// A channel to be created.
pub(super) struct ChannelSpec<'a> {
    pub(super) owner: Owner,
    pub(super) state: ChannelState,
    pub(super) context: &'a str,
    pub(super) exten: &'a str,
    pub(super) caller: Party,
    /// The channel on whose behalf it was requested.
    pub(super) requestor: Option<ChannelId>,
}

impl World {
    /// Begins an event, a moment after the last one.
    pub(super) fn event(&mut self, name: &str, class: Class) -> Message {
        // No two events have the same time stamp: their order can be read off.
        self.clock = self.clock.after(Duration::from_micros(self.rng.u64(12..240)));
        Message::live(name, class, self.clock)
    }

    /// Sends an event and returns its time stamp.
    pub(super) fn send(&mut self, class: Class, message: Message) -> Moment {
        self.events.push(Wire { class, bytes: message.finish() });
        self.clock
    }

    /// An event that consists of a channel's block.
    pub(super) fn channel_event(&mut self, name: &str, id: ChannelId) {
        let message = self.event(name, Class::Call).channel("", self.channels.get(&id));
        self.send(Class::Call, message);
    }

    /// Newchannel.
    pub(super) fn new_channel(&mut self, spec: ChannelSpec<'_>) -> ChannelId {
        let device = match spec.owner {
            Owner::Phone(agent) => self.agents[agent.0].device.clone(),
            Owner::Trunk(trunk) => format!("PJSIP/{}", TRUNKS[trunk.0]),
            Owner::Local => String::new(),
        };
        let name = format!("{device}-{:08x}", self.next_device);
        self.next_device += 1;
        self.named_channel(spec, name)
    }

    /// Both halves of a Local channel.
    pub(super) fn new_local_pair(
        &mut self,
        exten: &str,
        context: &str,
        requestor: ChannelId,
    ) -> (ChannelId, ChannelId) {
        let number = self.next_local;
        self.next_local += 1;
        // The first half belongs to the channel that dials, the second one runs the dialplan.
        let mut half = |which: u8, state| {
            let spec = ChannelSpec {
                owner: Owner::Local,
                state,
                context,
                exten,
                caller: Party::default(),
                requestor: Some(requestor),
            };
            self.named_channel(spec, format!("Local/{exten}@{context}-{number:08x};{which}"))
        };
        (half(1, ChannelState::Down), half(2, ChannelState::Ring))
    }

    fn named_channel(&mut self, spec: ChannelSpec<'_>, name: String) -> ChannelId {
        let id = ChannelId(self.next_channel);
        self.next_channel += 1;
        let message = self.event("Newchannel", Class::Call);

        let uniqueid = format!("{}.{}", self.clock.as_micros() / 1_000_000, id.0);
        // A channel that was requested for another one has its Linkedid.
        let requestor = spec.requestor.and_then(|requestor| self.channels.get(&requestor));

        let channel = Channel {
            name,
            owner: spec.owner,
            state: spec.state,
            caller: spec.caller,
            connected: Party::default(),
            context: spec.context.to_owned(),
            exten: spec.exten.to_owned(),
            priority: 1,
            linkedid: requestor
                .map_or_else(|| uniqueid.clone(), |requestor| requestor.linkedid.clone()),
            uniqueid,
            application: String::new(),
            data: String::new(),
            created: self.clock,
            bridge: None,
        };

        let message = message.channel("", Some(&channel));
        self.channels.insert(id, channel);
        self.send(Class::Call, message);
        id
    }

    /// Newstate.
    pub(super) fn new_state(&mut self, id: ChannelId, state: ChannelState) {
        self.change(id, |channel| channel.state = state);
        self.channel_event("Newstate", id);
    }

    /// NewCallerid.
    pub(super) fn new_callerid(&mut self, id: ChannelId, caller: Party) {
        self.change(id, |channel| channel.caller = caller);
        let message = self.event("NewCallerid", Class::Call).channel("", self.channels.get(&id));
        self.send(
            Class::Call,
            message.with("CID-CallingPres", "0 (Presentation Allowed, Not Screened)"),
        );
    }

    /// NewConnectedLine.
    pub(super) fn new_connected_line(&mut self, id: ChannelId, connected: Party) {
        self.change(id, |channel| channel.connected = connected);
        self.channel_event("NewConnectedLine", id);
    }

    /// Changes a channel, if it is still there.
    pub(super) fn change(&mut self, id: ChannelId, change: impl FnOnce(&mut Channel)) {
        if let Some(channel) = self.channels.get_mut(&id) {
            change(channel);
        }
    }

    /// Moves a channel in the dialplan; no event reports it before the next Newexten.
    pub(super) fn goto(&mut self, id: ChannelId, context: &str, exten: &str, priority: u32) {
        self.change(id, |channel| {
            context.clone_into(&mut channel.context);
            exten.clone_into(&mut channel.exten);
            channel.priority = priority;
        });
    }

    /// Newexten.
    pub(super) fn application(&mut self, id: ChannelId, application: &str, data: &str) {
        self.change(id, |channel| {
            application.clone_into(&mut channel.application);
            data.clone_into(&mut channel.data);
        });

        let channel = self.channels.get(&id);
        let exten = channel.map(|channel| channel.exten.clone()).unwrap_or_default();

        let message = self.event("Newexten", Class::Dialplan).channel("", self.channels.get(&id));
        let message =
            message.with("Extension", exten).with("Application", application).with("AppData", data);
        self.send(Class::Dialplan, message);
    }

    /// Newexten of the next line of the dialplan.
    pub(super) fn next_application(&mut self, id: ChannelId, application: &str, data: &str) {
        self.change(id, |channel| channel.priority += 1);
        self.application(id, application, data);
    }

    /// VarSet.
    pub(super) fn varset(&mut self, id: ChannelId, variable: &str, value: impl Display) {
        let message = self.event("VarSet", Class::Dialplan).channel("", self.channels.get(&id));
        self.send(Class::Dialplan, message.with("Variable", variable).with("Value", value));
    }

    /// VarSet of each, to nothing.
    pub(super) fn clear_variables(&mut self, id: ChannelId, variables: &[&str]) {
        for variable in variables {
            self.varset(id, variable, "");
        }
    }

    /// DialBegin; `cached` is what the cache still holds of the dialled leg.
    pub(super) fn dial_begin(
        &mut self,
        from: Option<ChannelId>,
        cached: &Channel,
        dial_string: &str,
    ) {
        let message = self.event("DialBegin", Class::Call);
        let message = message
            .channel("", from.and_then(|from| self.channels.get(&from)))
            .channel("Dest", Some(cached));
        self.send(Class::Call, message.with("DialString", dial_string));
    }

    /// DialState.
    pub(super) fn dial_state(&mut self, from: Option<ChannelId>, leg: ChannelId, status: &str) {
        self.dial_status("DialState", from, leg, status);
    }

    /// DialEnd.
    pub(super) fn dial_end(&mut self, from: Option<ChannelId>, leg: ChannelId, status: &str) {
        self.dial_status("DialEnd", from, leg, status);
    }

    fn dial_status(&mut self, name: &str, from: Option<ChannelId>, leg: ChannelId, status: &str) {
        let message = self.event(name, Class::Call);
        let message = message.channel("", from.and_then(|from| self.channels.get(&from)));
        let message = message.channel("Dest", self.channels.get(&leg)).with("DialStatus", status);
        self.send(Class::Call, message);
    }

    /// HangupRequest, with Q.850 cause and SIP code where the far end gave them.
    pub(super) fn hangup_request(&mut self, id: ChannelId, cause: Option<u16>, tech: Option<u16>) {
        let mut message =
            self.event("HangupRequest", Class::Call).channel("", self.channels.get(&id));

        if let Some(cause) = cause {
            message = message.with("Cause", cause);
        }
        if let Some(tech) = tech {
            message = message.with("TechCause", tech);
        }
        self.send(Class::Call, message);
    }

    /// SoftHangupRequest, as the dialplan's end sends it.
    pub(super) fn soft_hangup(&mut self, id: ChannelId) {
        let message =
            self.event("SoftHangupRequest", Class::Call).channel("", self.channels.get(&id));
        self.send(Class::Call, message.with("Cause", 16));
    }

    /// Hangup.
    pub(super) fn hangup(&mut self, id: ChannelId, cause: u16, tech: Option<u16>) {
        // A list must not have a channel whose Hangup was sent.
        let Some(channel) = self.channels.remove(&id) else { return };
        let message = self.event("Hangup", Class::Call).channel("", Some(&channel));
        let mut message = message.with("Cause", cause).with("Cause-txt", cause_text(cause));
        if let Some(tech) = tech {
            message = message.with("TechCause", tech);
        }
        self.send(Class::Call, message);
    }

    /// BridgeCreate.
    pub(super) fn new_bridge(&mut self) -> BridgeId {
        let id = BridgeId(self.fresh_id());
        let bits = self.rng.u128(..);

        // A UUID of version 4, as Asterisk makes it, but out of the seed.
        let uniqueid = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            bits as u32,
            (bits >> 32) as u16,
            (bits >> 48) & 0xfff,
            (bits >> 60) & 0xfff,
            (bits >> 72) & 0xffff_ffff_ffff
        );

        let bridge = Bridge { uniqueid, channels: Vec::new() };
        let message = self.event("BridgeCreate", Class::Call).bridge("", &bridge);
        self.bridges.insert(id, bridge);
        self.send(Class::Call, message);
        id
    }

    /// BridgeEnter.
    pub(super) fn bridge_enter(&mut self, bridge: BridgeId, id: ChannelId) -> Moment {
        if let Some(entered) = self.bridges.get_mut(&bridge) {
            entered.channels.push(id);
        }
        self.change(id, |channel| channel.bridge = Some(bridge));
        self.bridge_event("BridgeEnter", bridge, Some(id))
    }

    /// BridgeLeave.
    pub(super) fn bridge_leave(&mut self, bridge: BridgeId, id: ChannelId) -> Moment {
        // BridgeNumChannels in the event is without the channel.
        if let Some(left) = self.bridges.get_mut(&bridge) {
            left.channels.retain(|&inside| inside != id);
        }
        self.change(id, |channel| channel.bridge = None);
        self.bridge_event("BridgeLeave", bridge, Some(id))
    }

    /// BridgeDestroy.
    pub(super) fn bridge_destroy(&mut self, bridge: BridgeId) {
        self.bridge_event("BridgeDestroy", bridge, None);
        self.bridges.remove(&bridge);
    }

    fn bridge_event(&mut self, name: &str, bridge: BridgeId, id: Option<ChannelId>) -> Moment {
        let mut message = self.event(name, Class::Call);
        if let Some(bridge) = self.bridges.get(&bridge) {
            message = message.bridge("", bridge);
        }
        let message = message.channel("", id.and_then(|id| self.channels.get(&id)));
        self.send(Class::Call, message)
    }

    /// Key presses of a party.
    pub(super) fn press(&mut self, id: ChannelId, digits: &str) {
        for digit in digits.chars() {
            let message = self.event("DTMFEnd", Class::Dtmf).channel("", self.channels.get(&id));
            let message =
                message.with("Digit", digit).with("DurationMs", 160).with("Direction", "Received");
            self.send(Class::Dtmf, message);
        }
    }
}

/// Asterisk's `Cause-txt`.
fn cause_text(cause: u16) -> &'static str {
    match cause {
        1 => "Unallocated (unassigned) number",
        16 => "Normal Clearing",
        17 => "User busy",
        19 => "User alerting, no answer",
        26 => "Answered elsewhere",
        34 => "Circuit/channel congestion",
        127 => "Interworking, unspecified",
        _ => "Unknown",
    }
}
