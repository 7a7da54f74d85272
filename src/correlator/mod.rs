//! The state machine.  (dispatcher: being written)
pub mod cause;
pub mod names;
pub mod observation;
pub mod rules;
pub mod state;
pub use cause::Cause;
pub use names::{AgentId, Id, Names, PbxName, QueueId, ReasonId, TrunkId};
pub use observation::*;
pub use rules::{Identity, Patterns, Rules};
pub use state::{QueueState, State, Tracked};

/// The correlator of one PBX.
#[derive(Default)]
pub struct Correlator {
    names: Names,
}
impl Correlator {
    /// Flush running times (agent states, wrap-up) up to `now` as observations.
    pub fn flush(&mut self, _now: crate::clock::Moment, _seen: &mut impl Observe) {}
    /// The picture for gauges.
    pub fn state(&self, _now: crate::clock::Moment) -> State {
        State::default()
    }
    /// The names behind its ids.
    pub fn names(&self) -> &Names {
        &self.names
    }
}
