//! The time before anybody looked: what a client was told that has been there since the opening.

use super::lists::{self, AMI_VERSION, List};
use super::simulation::{Simulation, fully_booted};
use super::truth::Truth;
use super::wire::{Message, Stamp};

/// The ActionIDs under which a client asked, in the order of its session.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Login.
    pub login: String,
    /// CoreSettings.
    pub version: String,
    /// CoreShowChannels.
    pub channels: String,
    /// QueueStatus.
    pub queues: String,
    /// The Pings behind the lists.
    pub pings: [String; 2],
}

impl Simulation {
    /// All that a client is told which logs in now, `uptime` seconds after the opening: up to the
    /// end of its lists.
    pub(super) fn session(&self, asked: &Asked, uptime: u64) -> Vec<u8> {
        let now = self.world().clock;
        let mut told = format!("Asterisk Call Manager/{AMI_VERSION}\r\n").into_bytes();
        let welcome = Message::response("Success", Some(&asked.login));
        told.extend(welcome.with("Message", "Authentication accepted").finish());
        told.extend(fully_booted(uptime, None));

        for (list, id) in [
            (List::CoreSettings, &asked.version),
            (List::CoreShowChannels, &asked.channels),
            (List::QueueStatus, &asked.queues),
        ] {
            told.extend(lists::answer(self.world(), now, &list, Some(id)));
        }
        for id in &asked.pings {
            let pong = Message::response("Success", Some(id))
                .with("Ping", "Pong")
                .with("Timestamp", Stamp(now));
            told.extend(pong.finish());
        }
        told
    }
}

/// A run of `calls` calls as a client records it that is there from the opening, and logs in once
/// more after `steps` steps, between two events; with the queue_log of all of it.
pub fn recording_of_two_sessions(
    seed: u64,
    calls: usize,
    asked: &Asked,
    steps: usize,
) -> (Vec<u8>, Truth, String) {
    let mut simulation = Simulation::new(seed).with_calls(calls);
    let mut bytes = simulation.session(asked, 0);
    let mut step = 0;
    while !simulation.is_over() {
        let Some((_, events)) = simulation.next() else { break };
        bytes.extend(events.into_iter().flat_map(|event| event.bytes));
        step += 1;
        if step == steps {
            bytes.extend(simulation.session(asked, simulation.uptime().as_secs()));
        }
    }
    let log = simulation.take_log();
    (bytes, simulation.truth().clone(), log)
}
