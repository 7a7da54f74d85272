//! The time before the first client: what one that has been there since the opening was sent.

use super::lists::{self, AMI_VERSION, List};
use super::simulation::{Simulation, fully_booted};
use super::truth::Truth;
use super::wire::{Message, Stamp};

/// The ActionIDs of a client's session, in the order in which it sends them.
#[derive(Clone, Debug)]
pub struct SessionIds {
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
    /// All that a client receives which logs in now, `uptime` seconds after the opening: up to the
    /// end of its lists.
    pub(super) fn session(&self, ids: &SessionIds, uptime: u64) -> Vec<u8> {
        let now = self.world().clock;
        let mut bytes = format!("Asterisk Call Manager/{AMI_VERSION}\r\n").into_bytes();
        let welcome = Message::response("Success", Some(&ids.login));
        bytes.extend(welcome.with("Message", "Authentication accepted").finish());
        bytes.extend(fully_booted(uptime, None));

        // Channels come before queues, as the exporter asks: an entry of a queue needs its channel.
        for (list, id) in [
            (List::CoreSettings, &ids.version),
            (List::CoreShowChannels, &ids.channels),
            (List::QueueStatus, &ids.queues),
        ] {
            bytes.extend(lists::answer(self.world(), now, &list, Some(id)));
        }

        for id in &ids.pings {
            let pong = Message::response("Success", Some(id))
                .with("Ping", "Pong")
                .with("Timestamp", Stamp(now));
            bytes.extend(pong.finish());
        }
        bytes
    }
}

/// A capture of `calls` calls by a client that is there from the opening, and logs in once more
/// after `steps` steps, between two events; with the queue_log of all of it.
pub fn capture_of_two_sessions(
    seed: u64,
    calls: usize,
    ids: &SessionIds,
    steps: usize,
) -> (Vec<u8>, Truth, String) {
    let mut simulation = Simulation::new(seed).with_calls(calls);
    let mut bytes = simulation.session(ids, 0);

    let mut step = 0;
    while !simulation.is_over() {
        let Some((_, events)) = simulation.next() else { break };
        bytes.extend(events.into_iter().flat_map(|event| event.bytes));
        step += 1;
        if step == steps {
            bytes.extend(simulation.session(ids, simulation.uptime().as_secs()));
        }
    }

    let log = simulation.take_log();
    (bytes, simulation.truth().clone(), log)
}
