//! Reports once that no trunk was recognised, in the log and on the landing page: without one most
//! calls have no direction.

use tracing::{info, warn};

use super::target::Target;
use crate::correlator::{Correlator, FirstCalls};

/// What was reported of a PBX's trunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TrunkNotice {
    /// Nothing.
    None,
    /// That there is none.
    Missing,
}

/// What there is to report now.
#[derive(Debug)]
pub(super) enum Change {
    /// No trunk was recognised in the first calls.
    Missing { calls: FirstCalls, configured: bool },
    /// A trunk was recognised after all.
    Found,
}

impl TrunkNotice {
    /// What an earlier session reported.
    pub(super) fn of(target: &Target) -> Self {
        let is_shown = target.health.has_notice(target.index, SUBJECT);
        if is_shown { Self::Missing } else { Self::None }
    }

    /// Whether there is something to report; it is cheap, and done for each chunk that was read.
    pub(super) fn check(self, correlator: &Correlator) -> Option<Change> {
        match (self, correlator.without_trunk()) {
            (Self::None, Some(calls)) => Some(Change::Missing {
                calls: calls.clone(),
                configured: correlator.knows_trunk_patterns(),
            }),
            (Self::Missing, None) => Some(Change::Found),
            (Self::None, None) | (Self::Missing, Some(_)) => None,
        }
    }

    /// Reports it.
    pub(super) fn report(&mut self, target: &Target, change: &Change) {
        let pbx = &target.name;
        match change {
            Change::Missing { calls, configured } => {
                *self = Self::Missing;
                let technologies = list(&calls.technologies);
                let contexts = list(&calls.contexts);
                let why = if *configured {
                    "`trunks` matches no channel"
                } else {
                    "`trunks` is not configured"
                };

                warn!(
                    %pbx, calls = calls.calls, technologies, contexts,
                    "no trunk recognised: {why}, so calls have a direction only by their context"
                );
                let notice = format!(
                    "No trunk was recognised in {} calls: {why}. Calls have a direction only by their context. They \
                     began on channels of {technologies} in {contexts}. Name the trunks in `trunks`, or the contexts \
                     of inbound calls in `inbound_contexts`.",
                    calls.calls
                );
                target.health.notice(target.index, SUBJECT, Some(notice));
            }
            Change::Found => {
                *self = Self::None;
                info!(%pbx, "a trunk was recognised");
                target.health.notice(target.index, SUBJECT, None);
            }
        }
    }
}

fn list(words: &std::collections::BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What the notice is about.
const SUBJECT: &str = "trunks";
