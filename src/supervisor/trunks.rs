//! Says once that no trunk shows, in the log and on the landing page: without one most calls have
//! no direction.

use tracing::{info, warn};

use super::place::Place;
use crate::correlator::{Correlator, FirstCalls};

/// What was said of a PBX's trunks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trunks {
    NothingSaid,
    Missed,
}

/// What there is to say now.
#[derive(Debug)]
pub(super) enum Word {
    Missing { seen: FirstCalls, configured: bool },
    Found,
}

impl Trunks {
    /// What an earlier session has said.
    pub(super) fn of(place: &Place) -> Self {
        let pbxs = place.health.all();
        let said = pbxs.get(place.index).is_some_and(|pbx| pbx.notices.contains_key(SUBJECT));
        if said { Self::Missed } else { Self::NothingSaid }
    }

    /// Looks whether there is something to say; it is cheap, and done for each chunk that was read.
    pub(super) fn look(self, correlator: &Correlator) -> Option<Word> {
        match (self, correlator.without_trunk()) {
            (Self::NothingSaid, Some(seen)) => Some(Word::Missing {
                seen: seen.clone(),
                configured: correlator.knows_trunk_patterns(),
            }),
            (Self::Missed, None) => Some(Word::Found),
            (Self::NothingSaid, None) | (Self::Missed, Some(_)) => None,
        }
    }

    /// Says it.
    pub(super) fn say(&mut self, place: &Place, word: &Word) {
        let pbx = &place.name;
        match word {
            Word::Missing { seen, configured } => {
                *self = Self::Missed;
                let (technologies, contexts) = (list(&seen.technologies), list(&seen.contexts));
                let why = if *configured {
                    "`trunks` matches no channel"
                } else {
                    "`trunks` is not configured"
                };
                warn!(
                    %pbx, calls = seen.calls, technologies, contexts,
                    "no trunk seen: {why}, so no call is inbound or outbound but by context"
                );
                let notice = format!(
                    "No trunk was seen in {} calls: {why}. No call is inbound or outbound but by its context. The calls \
                     began on channels of {technologies} in {contexts}. Name the lines to your carriers in `trunks`, or \
                     the contexts in which their calls begin in `inbound_contexts`.",
                    seen.calls
                );
                place.health.notice(place.index, SUBJECT, Some(notice));
            }
            Word::Found => {
                *self = Self::NothingSaid;
                info!(%pbx, "a trunk was seen");
                place.health.notice(place.index, SUBJECT, None);
            }
        }
    }
}

fn list(words: &std::collections::BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What the notice is about.
const SUBJECT: &str = "trunks";
