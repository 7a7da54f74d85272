//! A simulated PBX: a call centre in virtual time, which speaks real AMI over a loopback
//! socket.
//!
//! `Simulation` makes the calls and writes the events that Asterisk 22 would send (captures of a
//! real one are the model, peculiarities included); it is pure, and the same seed gives the same
//! bytes.  [`DemoPbx`] paces it against the clock and answers logins and lists.  [`Truth`] counts
//! what the PBX's own `queue_log` would have, so that tests can compare the exporter with it.
//! Nothing here knows the exporter.
//!
//! | file | what it does |
//! |---|---|
//! | `scenario` | the configuration: queues, agents, trunks |
//! | `id`, `channel`, `calls`, `model` | the state: its keys, channels and bridges, what is going on, all of it |
//! | `wire`, `events`, `devices` | messages, and the small steps with the events that report them |
//! | `agenda`, `simulation`, `arrivals` | what is to happen, its run, and what kind of call comes next |
//! | `queueing`, `ringing`, `leaving`, `talking`, `transfers` | a stay in a queue, from Join to its end |
//! | `dialling`, `agents` | calls outside queues; pauses and disconnected phones |
//! | `history` | what a client that has been there since the opening was sent |
//! | `queue_log` | Asterisk's own log of all that |
//! | `lists`, `session`, `server` | answers to list actions, one client, all clients |
//!
//! `use` goes one way: from the state over its events to behaviour, from that to the simulation,
//! and from there to the server.

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
pub use self::server::{DemoPbx, Options};
pub use self::simulation::capture;
pub use self::truth::{QueueTruth, Truth};

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
