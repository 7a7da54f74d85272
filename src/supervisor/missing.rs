//! Reports what a PBX never sends: once in the log, and on the landing page for as long as it is
//! missing.

use tracing::{info, warn};

use super::target::Target;
use crate::correlator::{Missing, MissingSet, Word};
use crate::health::{Explanation, explain};

/// What was reported of a PBX.
#[derive(Debug, Default)]
pub(super) struct MissingNotices {
    /// Ever, in the log.
    logged: MissingSet,
    /// Now, on the landing page.
    shown: MissingSet,
}

impl MissingNotices {
    /// A session begins: nothing is known to be missing in it.
    pub(super) fn begin_session(&mut self) {
        self.shown = MissingSet::default();
    }

    /// Takes what is missing now, and reports the difference.
    pub(super) fn update(&mut self, target: &Target, missing: MissingSet) {
        if missing == self.shown {
            return;
        }

        for what in missing.without(self.logged).iter() {
            log(target, what);
            self.logged.insert(what);
        }
        for what in self.shown.without(missing).iter() {
            info!(pbx = %target.name, reason = what.word(), "is not missing any more");
        }

        self.shown = missing;
        target.health.set_missing(target.index, missing);
    }
}

fn log(target: &Target, missing: Missing) {
    let pbx = &target.name;
    let reason = missing.word();
    let Explanation { what, cost, line } = explain(missing);
    match missing {
        // Logged with the PBX's own words when they were refused.
        Missing::ListChannels | Missing::ListQueues => {}
        // Asterisk's default, and the loss is small.
        Missing::Timestamps => info!(%pbx, reason, manager_conf = %line, "{what}: {cost}"),
        _ => warn!(%pbx, reason, manager_conf = %line, "{what}: {cost}"),
    }
}
