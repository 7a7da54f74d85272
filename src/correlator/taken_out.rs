//! Callers who are taken out of a queue while they wait.

use super::Correlator;
use super::key::{ChannelKey, StayKey};
use super::observation::{Observe, Outcome};
use super::stay::{Closed, Phase};
use super::time::Stamp;

impl Correlator {
    /// A waiting caller is in no bridge before AgentConnect.  Who enters one was taken out of the
    /// queue: AMI Bridge, Park, the application Bridge.  The rest of it happens to a Surrogate
    /// channel, which is in no event (16 and 22).
    pub(super) fn taken_by_bridge(&mut self, caller: ChannelKey, at: Stamp, out: &mut dyn Observe) {
        let Some(key) = self.find_waiting_stay(caller) else { return };

        // Once a leg has answered, the bridge may be the queue's own: AgentConnect may be late.
        if matches!(self.stays[key].phase, Phase::Waiting { answered: false }) {
            self.exit_unreported(key, Outcome::Redirected, at, Closed::default(), out);
        }
    }

    /// A leg that had answered is gone before Leave and AgentConnect: it was in the announcement.
    /// If the caller is in a bridge by now, it is another's.
    pub(super) fn lose_answered_leg(&mut self, key: StayKey, at: Stamp, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        let caller = stay.caller;
        if let Phase::Waiting { answered } = &mut stay.phase {
            *answered = false;
            if self.channels.all.get(caller).is_some_and(|caller| caller.bridge.id().is_some()) {
                self.taken_by_bridge(caller, at, out);
            }
        }
    }
}
