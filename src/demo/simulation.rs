//! The run of the agenda: a call centre in virtual time.

use std::time::Duration;

use super::agenda::Job;
use super::model::World;
use super::truth::Truth;
use super::wire::{Class, Message, Wire};
use crate::clock::Moment;

/// A call centre in virtual time: an endless run of moments and the events they bring.
#[derive(Debug)]
pub(super) struct Simulation {
    world: World,
    busy: f64,
    /// Calls still to come; `None` for ever.
    arrivals: Option<usize>,
}

impl Simulation {
    /// A call centre that opens at a fixed moment.
    pub(super) fn new(seed: u64) -> Self {
        Self::opening_at(seed, Moment::from_secs(1_795_000_000), 1.0)
    }

    /// A call centre that opens at `boot`, with `busy` times the usual calls.
    pub(super) fn opening_at(seed: u64, boot: Moment, busy: f64) -> Self {
        let mut world = World::new(seed, boot);
        world.log_start();
        world.later(Duration::from_millis(400), Job::Arrive);
        world.schedule_agents();
        Self {
            world,
            busy: if busy.is_finite() { busy.clamp(0.01, 100.0) } else { 1.0 },
            arrivals: None,
        }
    }

    /// The true counts so far.
    pub(super) fn truth(&self) -> &Truth {
        &self.world.truth
    }

    /// Ends after `calls` calls.
    pub(super) fn with_calls(self, calls: usize) -> Self {
        Self { arrivals: Some(calls), ..self }
    }

    /// Whether the last of these calls has ended.
    pub(super) fn is_over(&self) -> bool {
        self.arrivals == Some(0) && self.is_idle()
    }

    /// How long the call centre has been open.
    pub(super) fn uptime(&self) -> Duration {
        self.world.clock.since(self.world.boot)
    }

    /// The lines of queue_log since the last call of this.
    pub(super) fn take_log(&mut self) -> String {
        std::mem::take(&mut self.world.logged)
    }

    /// When the next thing happens.
    pub(super) fn due(&self) -> Option<Moment> {
        self.world.agenda.due()
    }

    /// The state, for lists.
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Whether there is no call.
    pub(super) fn is_idle(&self) -> bool {
        self.world.channels.is_empty() && self.world.completions.is_empty()
    }

    fn run(&mut self, job: Job) {
        let world = &mut self.world;
        match job {
            Job::Arrive => self.arrive(),
            Job::Enter(caller, queue) => world.enter_queue(caller, queue),
            Job::Try(stay) => world.try_agents(stay),
            Job::Take(stay, leg) => world.take_call(stay, leg),
            Job::RingOut(stay, attempt) => world.ring_out(stay, attempt),
            Job::GiveUp(stay) => world.give_up(stay),
            Job::Expire(stay) => world.expire_stay(stay),
            Job::Press(stay) => world.press_exit_key(stay),
            Job::Hold(talk) => world.hold(talk),
            Job::Unhold(talk) => world.unhold(talk),
            Job::EndTalk(talk) => world.end_talk(talk),
            Job::Complete(talk) => world.complete(talk),
            Job::Consulted(talk) => world.consulted(talk),
            Job::HandOver(talk) => world.hand_over(talk),
            Job::EndHandedOver(talk) => world.end_handed_over(talk),
            Job::Ring(dial) => world.ring(dial),
            Job::Resolve(dial) => world.resolve(dial),
            Job::EndDial(dial) => world.end_dial(dial),
            Job::Originated(leg, agent, taken) => world.originated(leg, agent, taken),
            Job::Leave(caller, by_caller) => world.leave_application(caller, by_caller),
            Job::Pause(agent) => world.pause(agent),
            Job::Resume(agent) => world.resume(agent),
            Job::ResumeIn(queue, member) => world.resume_in(queue, member),
            Job::Meet => world.meet(),
            Job::MeetingOver => world.meeting_over(),
            Job::DisconnectPhone => world.disconnect_phone(),
            Job::ReconnectPhone(agent) => world.reconnect_phone(agent),
        }
    }

    fn arrive(&mut self) {
        if self.arrivals == Some(0) {
            return;
        }
        self.arrivals = self.arrivals.map(|left| left - 1);
        self.world.begin_call();
        let gap = self.world.next_gap(self.busy);
        self.world.later(gap, Job::Arrive);
    }
}

impl Iterator for Simulation {
    /// When, and what events it brings (often none).
    type Item = (Moment, Vec<Wire>);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, job) = self.world.agenda.pop()?;
        // Each event moves the clock on a little, so a job may be due before now.
        self.world.clock = self.world.clock.max(at);
        self.run(job);
        // The thread of device states comes after the steps of the core.
        self.world.report_devices();
        Some((at, std::mem::take(&mut self.world.events)))
    }
}

/// A capture of `calls` calls to the end of the last one, by a client that reads all
/// classes.
pub fn capture(seed: u64, calls: usize) -> (Vec<u8>, Truth) {
    let mut simulation = Simulation::new(seed).with_calls(calls);
    let mut bytes = fully_booted(0, None);

    while !simulation.is_over() {
        let Some((_, events)) = simulation.next() else { break };
        bytes.extend(events.into_iter().flat_map(|event| event.bytes));
    }
    (bytes, simulation.world.truth)
}

/// FullyBooted, as it follows a login: without a time stamp.
pub(super) fn fully_booted(uptime: u64, action_id: Option<&str>) -> Vec<u8> {
    let message = Message::listed("FullyBooted")
        .with("Privilege", format_args!("{},all", Class::System.word()));
    let message =
        message.with("Uptime", uptime).with("LastReload", uptime).with("Status", "Fully Booted");
    message.action_id(action_id).finish()
}
