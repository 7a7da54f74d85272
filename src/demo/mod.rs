//! A make-believe PBX: a call centre that is simulated, and spoken in real AMI over a loopback
//! socket.
//!
//! [`Simulation`] invents the calls and writes the events that Asterisk 22 would send (recordings
//! of a real one are the model, oddities included); it is pure, and the same seed gives the same
//! bytes.  [`DemoPbx`] paces it against the clock and answers logins and lists.  [`Truth`] counts
//! what the PBX's own `queue_log` would say, so that tests can hold the exporter against it.
//! Nothing here knows the exporter.
//!
//! | file | what it does |
//! |---|---|
//! | `scenario` | who works where: queues, agents, trunks |
//! | `model`, `events` | channels, bridges, members, and the events that tell of them |
//! | `simulation`, `arrivals` | the agenda, and what kind of call comes next |
//! | `queueing`, `ringing`, `leaving`, `talking`, `transfers` | a stay in a queue, from Join to its end |
//! | `dialling`, `people` | calls outside queues; pauses and lost phones |
//! | `past` | what a client was told that has been there since the opening |
//! | `queue_log` | Asterisk's own log of all that |
//! | `lists`, `session`, `server` | snapshots, one client, all clients |

mod agenda;
mod agents;
mod arrivals;
mod calls;
mod channel;
mod devices;
mod dialling;
mod events;
mod history;
mod id;
mod leaving;
mod lists;
mod model;
mod queue_log;
mod queueing;
mod ringing;
mod scenario;
mod server;
mod session;
mod simulation;
mod talking;
mod transfers;
mod truth;
mod wire;

pub use self::history::{SessionIds, capture_of_two_sessions};
pub use self::scenario::{agent_names, queue_names, trunk_names};
pub use self::server::{DemoPbx, Options};
pub use self::simulation::{Simulation, capture};
pub use self::truth::{QueueTruth, Truth};
pub use self::wire::{Class, Wire};

/// The configuration an exporter needs to read the PBX at `address`, as a user would write it.
pub fn configuration(address: std::net::SocketAddr, username: &str, secret: &str) -> String {
    format!(
        "pbx:\n\
         \x20 - name: demo\n\
         \x20   address: '{address}'\n\
         \x20   username: {username}\n\
         \x20   secret: '{secret}'\n\
         \x20   trunks: ['^PJSIP/carrier-']\n\
         service_level:\n\
         \x20 default: 20s\n"
    )
}

#[cfg(test)]
mod tests;
