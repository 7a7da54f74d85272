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

/// The correlator of one PBX.  (signatures that stand; bodies being written)
#[derive(Default)]
pub struct Correlator {
    names: Names,
}

/// Where durations come from when events carry no `Timestamp`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timing {
    /// From the moments at which the events were read.
    Live,
    /// From Asterisk's own fields: a recording does not say when it was read.
    Recorded,
}

/// What the lists of a connection said; filled item by item.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {}

impl Snapshot {
    /// Takes an item of a list.
    pub fn add(&mut self, _item: &crate::event::Listed<'_>) {}
    /// Takes note of an event that came while the lists did and will be handled after them.
    pub fn foresee(&mut self, _event: &crate::event::Event<'_>) {}
}

impl Correlator {
    /// An empty correlator.
    pub fn new(_rules: Rules, _timing: Timing) -> Self {
        Self::default()
    }
    /// One event, read at `now`.
    pub fn handle(&mut self, _now: crate::clock::Moment, _event: &crate::event::Event<'_>, _seen: &mut impl Observe) {}
    /// When [`Self::expire`] wants to be called.
    pub fn next_deadline(&self) -> Option<crate::clock::Moment> {
        None
    }
    /// Ends what waited long enough.
    pub fn expire(&mut self, _now: crate::clock::Moment, _seen: &mut impl Observe) {}
    /// The link is gone: what happens from now on is hidden.
    pub fn disconnected(&mut self, _now: crate::clock::Moment, _seen: &mut impl Observe) {}
    /// A whole snapshot (channels and queues) was taken behind a barrier after login.
    pub fn resync(&mut self, _now: crate::clock::Moment, _snapshot: &Snapshot, _seen: &mut impl Observe) {}
    /// A QueueStatus list begins in the middle of a session: from now on note what events change.
    pub fn begin_listing(&mut self, _now: crate::clock::Moment) {}
    /// That list has ended and a barrier has passed: mend drift.
    pub fn reconcile(&mut self, _now: crate::clock::Moment, _snapshot: &Snapshot, _seen: &mut impl Observe) {}
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
