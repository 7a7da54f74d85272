//! Calls by `Dial()`, to agents and over trunks, with what carriers answer.

use std::time::Duration;

use super::agenda::Job;
use super::calls::{Dial, DialOutcome, Route};
use super::channel::{ChannelState, Owner, Party};
use super::events::ChannelSpec;
use super::id::{AgentId, ChannelId, DialId, TrunkId};
use super::model::{DeviceState, World};
use super::scenario::{CARRIER_REFUSALS, TRUNKS};
use super::wire::Class;

impl World {
    /// Sends a transferred caller to a colleague.
    pub(super) fn dial_colleague(&mut self, from: ChannelId, colleague: AgentId) {
        let talk = self.talk_length();
        let by_leg = self.chance(40);
        self.dial(from, Route::Phone(colleague), DialOutcome::Answer { talk, by_leg });
    }

    /// Dials an agent, who may be busy or not answer.
    pub(super) fn dial_agent(&mut self, from: ChannelId, agent: AgentId) {
        let busy = self.device_state(agent) == DeviceState::Busy;
        let talk = self.talk_length();
        let outcome = match self.rng.u32(0..100) {
            _ if busy => DialOutcome::Refuse { cause: 17, tech: 486 },
            0..=64 => DialOutcome::Answer { talk, by_leg: talk.as_micros().is_multiple_of(2) },
            65..=79 => DialOutcome::NoAnswer,
            _ => DialOutcome::Cancel,
        };

        self.dial(from, Route::Phone(agent), outcome);
    }

    /// Dials a customer's number, over the first trunk.
    pub(super) fn dial_out(&mut self, from: ChannelId, number: &str) {
        let outcome = self.carrier_outcome();
        self.dial(from, Route::Trunk(TrunkId(0), number.to_owned()), outcome);
    }

    fn carrier_outcome(&mut self) -> DialOutcome {
        let talk = self.talk_length();

        match self.rng.u32(0..100) {
            0..=59 => DialOutcome::Answer { talk, by_leg: !talk.as_micros().is_multiple_of(3) },
            60..=67 => DialOutcome::NoAnswer,
            68..=75 => DialOutcome::Cancel,
            draw => {
                let mut left = draw - 76;
                let chosen = CARRIER_REFUSALS.iter().find(|(_, _, weight)| {
                    let hit = left < *weight;
                    left = left.saturating_sub(*weight);
                    hit
                });
                let &(cause, tech, _) = chosen.unwrap_or(&CARRIER_REFUSALS[0]);
                DialOutcome::Refuse { cause, tech }
            }
        }
    }

    fn talk_length(&mut self) -> Duration {
        Duration::from_secs_f64((4.0 + self.exponential(30.0)).min(150.0))
    }

    fn dial(&mut self, from: ChannelId, route: Route, outcome: DialOutcome) {
        let (owner, context, peer) = match &route {
            Route::Phone(agent) => {
                (Owner::Phone(*agent), "from-agents", self.agents[agent.0].exten.to_owned())
            }
            Route::Trunk(trunk, number) => {
                // Legs are counted, not calls: one call may try both trunks.
                *self.truth.trunk_attempts.entry(TRUNKS[trunk.0].to_owned()).or_default() += 1;
                (Owner::Trunk(*trunk), "from-trunk", format!("{number}@{}", TRUNKS[trunk.0]))
            }
        };

        self.application(from, "Dial", &format!("PJSIP/{peer},30"));
        self.clear_variables(from, &CLEARED);

        let exten =
            self.channels.get(&from).map(|channel| channel.exten.clone()).unwrap_or_default();
        let state = ChannelState::Down;
        let spec = ChannelSpec {
            owner,
            state,
            context,
            exten: "s",
            caller: Party::default(),
            requestor: Some(from),
        };
        let leg = self.new_channel(spec);

        self.prepare_leg(from, leg, &exten, &peer);

        let id = DialId(self.fresh_id());
        self.plan_dial(id, &route, outcome);
        self.dials.insert(id, Dial { from, leg, route, outcome, bridge: None });
    }

    fn plan_dial(&mut self, id: DialId, route: &Route, outcome: DialOutcome) {
        // Only 480 comes after the phone has rung; carriers send other refusals at once.
        let quick = matches!(outcome, DialOutcome::Refuse { cause, .. } if cause != NO_USER_ANSWER);
        if quick {
            return self.soon(60..600, Job::Resolve(id));
        }

        match route {
            Route::Phone(_) => self.soon(1..5, Job::Ring(id)),
            Route::Trunk(..) => self.soon(80..1_500, Job::Ring(id)),
        }

        match outcome {
            DialOutcome::Answer { .. } => self.soon(2_000..9_000, Job::Resolve(id)),
            DialOutcome::Refuse { .. } => self.soon(12_000..20_000, Job::Resolve(id)),
            DialOutcome::NoAnswer => self.later(Duration::from_secs(30), Job::Resolve(id)),
            DialOutcome::Cancel => self.soon(3_000..20_000, Job::Resolve(id)),
        }
    }

    /// What `Dial()` does to a new leg, up to DialBegin.
    pub(super) fn prepare_leg(&mut self, from: ChannelId, leg: ChannelId, exten: &str, peer: &str) {
        self.varset(leg, "DIALEDPEERNUMBER", peer);
        self.change(leg, |channel| exten.clone_into(&mut channel.exten));
        self.application(leg, "AppDial", "(Outgoing Line)");
        self.new_callerid(leg, Party::number(exten));

        let caller = self.caller_of(from);
        self.new_connected_line(leg, caller);

        if let Some(cached) = self.channels.get(&leg).cloned() {
            self.dial_begin(Some(from), &cached, peer);
        }
        self.new_connected_line(from, Party::number(exten));
    }

    /// VarSet RINGTIME.
    pub(super) fn clear_ring_time(&mut self, from: ChannelId) {
        self.varset(from, "RINGTIME", 0);
        self.varset(from, "RINGTIME_MS", 1);
    }

    /// The variables that `Dial()` sets when a leg answers.
    pub(super) fn set_answered_variables(&mut self, from: ChannelId, leg: ChannelId) {
        let Some(channel) = self.channels.get(&leg) else { return };
        let name = channel.name.clone();
        let peer = name
            .trim_start_matches("PJSIP/")
            .rsplit_once('-')
            .map_or("", |(peer, _)| peer)
            .to_owned();

        self.varset(from, "DIALSTATUS", "ANSWER");
        self.varset(from, "DIALEDPEERNAME", name);
        self.varset(from, "DIALEDPEERNUMBER", peer);
    }

    /// The leg rings.
    pub(super) fn ring(&mut self, id: DialId) {
        let Some(&Dial { from, leg, .. }) = self.dials.get(&id) else { return };
        self.new_state(leg, ChannelState::Ringing);
        self.clear_ring_time(from);
        self.dial_state(Some(from), leg, "RINGING");
    }

    /// The leg is answered, refused or given up.
    pub(super) fn resolve(&mut self, id: DialId) {
        let Some(dial) = self.dials.remove(&id) else { return };
        match dial.outcome {
            DialOutcome::Answer { talk, .. } => self.answer_dial(id, dial, talk),
            DialOutcome::Refuse { cause, tech } => self.refuse_dial(&dial, cause, tech),
            DialOutcome::NoAnswer => self.let_ring_out(&dial),
            DialOutcome::Cancel => self.cancel_dial(&dial),
        }
    }

    fn answer_dial(&mut self, id: DialId, mut dial: Dial, talk: Duration) {
        self.new_state(dial.leg, ChannelState::Up);
        self.set_answered_variables(dial.from, dial.leg);
        self.dial_end(Some(dial.from), dial.leg, "ANSWER");

        // Dial() answers the caller's channel when the leg answers.
        if self.channels.get(&dial.from).is_some_and(|channel| channel.state != ChannelState::Up) {
            self.new_state(dial.from, ChannelState::Up);
        }

        let bridge = self.new_bridge();
        self.change(dial.leg, |channel| channel.exten.clear());
        self.application(dial.leg, "AppDial", "(Outgoing Line)");
        self.bridge_both(bridge, dial.leg, dial.from);

        dial.bridge = Some(bridge);
        self.dials.insert(id, dial);
        self.later(talk, Job::EndDial(id));
    }

    fn refuse_dial(&mut self, dial: &Dial, cause: u16, tech: u16) {
        let (leg_status, status) = match cause {
            17 => ("BUSY", "BUSY"),
            34 => ("CONGESTION", "CONGESTION"),
            19 => ("NOANSWER", "NOANSWER"),
            _ => ("NOANSWER", "CHANUNAVAIL"),
        };

        self.hangup_request(dial.leg, Some(cause), Some(tech));
        self.dial_end(Some(dial.from), dial.leg, leg_status);
        self.varset(dial.from, "DIALSTATUS", status);

        // A congested trunk is not the end: the dialplan tries the next one.
        if let (Route::Trunk(TrunkId(0), number), 34) = (&dial.route, cause) {
            self.hangup(dial.leg, cause, Some(tech));
            self.change(dial.from, |channel| channel.priority += 1);
            let outcome = self.carrier_outcome();
            return self.dial(dial.from, Route::Trunk(TrunkId(1), number.clone()), outcome);
        }

        self.end_undialled(dial, status, cause);
        self.hangup(dial.leg, cause, Some(tech));
        self.hangup(dial.from, cause, Some(tech));
    }

    fn let_ring_out(&mut self, dial: &Dial) {
        self.dial_end(Some(dial.from), dial.leg, "NOANSWER");
        self.varset(dial.from, "DIALSTATUS", "NOANSWER");
        self.end_undialled(dial, "NOANSWER", 0);
        self.hangup(dial.leg, 0, None);
        self.hangup(dial.from, 16, None);
    }

    fn end_undialled(&mut self, dial: &Dial, status: &str, cause: u16) {
        self.next_application(
            dial.from,
            "NoOp",
            &format!("DIALSTATUS={status} HANGUPCAUSE={cause}"),
        );
        self.next_application(dial.from, "Hangup", &cause.to_string());
        self.soft_hangup(dial.from);
    }

    fn cancel_dial(&mut self, dial: &Dial) {
        // A caller whose channel is up sends BYE, another one CANCEL.
        let up =
            self.channels.get(&dial.from).is_some_and(|channel| channel.state == ChannelState::Up);
        let (cause, tech) = if up { (16, None) } else { (127, Some(487)) };

        self.hangup_request(dial.from, Some(cause), tech);
        self.dial_end(Some(dial.from), dial.leg, "CANCEL");
        self.hangup(dial.leg, 0, None);

        self.varset(dial.from, "DIALSTATUS", "CANCEL");
        self.soft_hangup(dial.from);
        self.hangup(dial.from, cause, tech);
    }

    /// The talk is over.
    pub(super) fn end_dial(&mut self, id: DialId) {
        let Some(dial) = self.dials.remove(&id) else { return };
        let by_leg = matches!(dial.outcome, DialOutcome::Answer { by_leg: true, .. });
        let order = if by_leg { [dial.leg, dial.from] } else { [dial.from, dial.leg] };
        self.hangup_request(order[0], Some(16), None);

        if let Some(bridge) = dial.bridge {
            self.bridge_leave(bridge, order[0]);
            self.bridge_leave(bridge, order[1]);
            self.bridge_destroy(bridge);
        }

        self.varset(dial.from, "DIALSTATUS", "ANSWER");
        self.soft_hangup(dial.from);
        self.hangup(dial.leg, 16, None);
        self.hangup(dial.from, 16, None);
    }

    /// Click-to-call: rings the agent's own phone first.
    pub(super) fn originate(&mut self, agent: AgentId) {
        let leg = self.new_channel(ChannelSpec {
            owner: Owner::Phone(agent),
            state: ChannelState::Down,
            context: "from-agents",
            exten: "s",
            caller: Party::default(),
            requestor: None,
        });

        self.change(leg, |channel| channel.exten.clear());
        self.application(leg, "AppDial2", "(Outgoing Line)");
        self.new_callerid(leg, Party::number(self.agents[agent.0].exten));
        self.new_connected_line(leg, Party::number(self.agents[agent.0].exten));

        // No channel dials the first leg of an Originate, so DialBegin has no caller.
        if let Some(cached) = self.channels.get(&leg).cloned() {
            self.dial_begin(None, &cached, self.agents[agent.0].exten);
        }
        self.new_state(leg, ChannelState::Ringing);
        self.dial_state(None, leg, "RINGING");

        let taken = self.chance(88);
        if taken {
            self.soon(900..4_000, Job::Originated(leg, agent, true));
        } else {
            self.later(Duration::from_secs(15), Job::Originated(leg, agent, false));
        }
    }

    /// The agent answers the first leg, or the Originate times out: then there is no DialEnd at
    /// all.
    pub(super) fn originated(&mut self, leg: ChannelId, agent: AgentId, taken: bool) {
        let number = self.customer_number();
        if !taken {
            self.truth.originate_failed += 1;
            self.hangup(leg, 0, None);
            let device = self.agents[agent.0].device.clone();
            // A failed one reports what was to be called, and no Uniqueid.
            return self.originate_response("Failure", &device, &number, 3, "<unknown>");
        }

        self.truth.outbound += 1;
        self.new_state(leg, ChannelState::Up);
        self.dial_end(None, leg, "ANSWER");
        self.goto(leg, "outbound", &number, 1);

        let Some((name, uniqueid)) =
            self.channels.get(&leg).map(|channel| (channel.name.clone(), channel.uniqueid.clone()))
        else {
            return;
        };
        self.originate_response("Success", &name, &number, 4, &uniqueid);
        self.dial_out(leg, &number);
    }

    fn originate_response(
        &mut self,
        response: &str,
        channel: &str,
        exten: &str,
        reason: u8,
        uniqueid: &str,
    ) {
        let action = format!("crm-{}", self.rng.u32(1_000..10_000));
        let message = self.event("OriginateResponse", Class::Call).with("ActionID", action);
        let message =
            message.with("Response", response).with("Channel", channel).with("Context", "outbound");
        let message =
            message.with("Exten", exten).with("Reason", reason).with("Uniqueid", uniqueid);
        let message = message.with("CallerIDNum", "12025550100").with("CallerIDName", "Demo");
        self.send(Class::Call, message);
    }
}

/// What `Dial()` clears as it begins.
pub(super) const CLEARED: [&str; 11] = [
    "DIALSTATUS",
    "DIALEDPEERNUMBER",
    "DIALEDPEERNAME",
    "ANSWEREDTIME",
    "ANSWEREDTIME_MS",
    "DIALEDTIME",
    "DIALEDTIME_MS",
    "RINGTIME",
    "RINGTIME_MS",
    "PROGRESSTIME",
    "PROGRESSTIME_MS",
];

/// The cause that a carrier sends after it has let the phone ring.
const NO_USER_ANSWER: u16 = 19;
