//! Tells what a PBX never sends: once a session in the log, and on the landing page for as long as
//! it holds.

use tracing::{info, warn};

use super::place::Place;
use crate::correlator::{Missing, MissingSet, Word};
use crate::health::{Explanation, explain};

/// What was told in this session.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    told: MissingSet,
    shown: MissingSet,
}

impl Lookout {
    /// Takes what is missing now.
    pub(super) fn look(&mut self, place: &Place, missing: MissingSet) {
        if missing == self.shown {
            return;
        }
        for what in missing.without(self.told).iter() {
            tell(place, what);
            self.told.insert(what);
        }
        for what in self.shown.without(missing).iter() {
            info!(pbx = %place.name, reason = what.word(), "is not missing any more");
        }
        self.shown = missing;
        place.health.set_missing(place.index, missing);
    }
}

fn tell(place: &Place, missing: Missing) {
    let (pbx, reason) = (&place.name, missing.word());
    let Explanation { what, cost, line } = explain(missing);
    match missing {
        // said with the PBX's own words when they were refused
        Missing::ListChannels | Missing::ListQueues => {}
        // Asterisk's default, and the loss is small
        Missing::Timestamps => info!(%pbx, reason, manager_conf = %line, "{what}: {cost}"),
        _ => warn!(%pbx, reason, manager_conf = %line, "{what}: {cost}"),
    }
}
