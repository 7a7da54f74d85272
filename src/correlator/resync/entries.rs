//! The callers of a QueueStatus list.

use hashbrown::HashSet;
use std::time::Duration;

use super::Taken;
use crate::correlator::Correlator;
use crate::correlator::deadline::{DOUBT, Task};
use crate::correlator::key::StayKey;
use crate::correlator::listing::Drift;
use crate::correlator::observation::{Anomaly, Observation, Observe, Phase as AdoptedPhase};
use crate::correlator::snapshot::{Entry, Snapshot};
use crate::correlator::stay::Phase;
use crate::correlator::time::Stamp;
use crate::event;

/// What a list makes of a stay that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    /// The list has this one.
    Same,
    /// The list has another one: this one is over.
    Over,
}

impl Correlator {
    pub(super) fn sync_entries(
        &mut self,
        at: Stamp,
        snapshot: &Snapshot,
        taken: Taken,
        out: &mut dyn Observe,
    ) {
        let mut listed = HashSet::new();
        let last = self.listing.next_drift();
        for entry in &snapshot.entries {
            // The list can be newer than the transfer that gives the place to somebody else.
            let from = snapshot.foreseen.moved.get(&entry.uid);
            let joins =
                |uid: &[u8]| snapshot.foreseen.joins.contains(&(uid.into(), entry.queue.clone()));
            let foreseen = joins(&entry.uid) || from.is_some_and(|from| joins(from));
            let known = from.filter(|from| self.channels.find(from).is_some());
            let entry = Entry { uid: known.unwrap_or(&entry.uid).clone(), ..entry.clone() };

            let key = match self.sync_known_entry(at, &entry, taken, out) {
                Some(key) => Some(key),
                // The Join behind the list makes the stay: adopted now, it would be no entry.
                None if foreseen => None,
                None => self.adopt_entry(at, &entry, taken, &last, out),
            };
            listed.extend(key);
        }

        self.doubt_unlisted_entries(at, &listed, taken, &last);
    }

    /// The stay of a listed caller, if it is known and goes on.
    fn sync_known_entry(
        &mut self,
        at: Stamp,
        entry: &Entry,
        taken: Taken,
        out: &mut dyn Observe,
    ) -> Option<StayKey> {
        let queue = self.ensure_queue(&entry.queue, out);
        let caller = self.channels.find(&entry.uid)?;
        let key = self.find_stay(caller, queue)?;

        let joined = joined(at, entry);
        let newer = self.listing.has_touched_stay(key);
        let stay = &mut self.stays[key];
        let known = match (&stay.phase, taken) {
            // A wait shorter than expected: the caller left and came back in the gap.
            (Phase::Waiting { .. }, Taken::AtLogin) if is_shorter(stay.joined, joined) => {
                Known::Over
            }
            (Phase::Waiting { .. }, Taken::AtLogin | Taken::InSession) => {
                stay.joined = stay.joined.or(joined);
                stay.doubted = false;
                Known::Same
            }
            // Events alone decide in mid-session: the caller has left since the list was made.
            (Phase::Leaving(_) | Phase::Talking(_), Taken::InSession) => Known::Same,
            (Phase::Leaving(_) | Phase::Talking(_), Taken::AtLogin) if newer => Known::Same,
            (Phase::Leaving(_) | Phase::Talking(_), Taken::AtLogin) => Known::Over,
            (Phase::Closed(_), Taken::AtLogin | Taken::InSession) if newer => Known::Same,
            (Phase::Closed(_), Taken::AtLogin | Taken::InSession) => Known::Over,
        };

        match known {
            Known::Same => Some(key),
            Known::Over => {
                self.lose_stay(key, at, out);
                None
            }
        }
    }

    /// Adopts a listed caller who is not known, with the wait.  In mid-session only if the list
    /// before had the caller as well: a PBX with too much to do sends a Join seconds after the list.
    fn adopt_entry(
        &mut self,
        at: Stamp,
        entry: &Entry,
        taken: Taken,
        last: &Drift,
        out: &mut dyn Observe,
    ) -> Option<StayKey> {
        let queue = self.ensure_queue(&entry.queue, out);
        match taken {
            Taken::AtLogin => {}
            Taken::InSession if self.listing.was_appearing(last, &entry.uid, queue) => {
                self.emit(Observation::Anomaly(Anomaly::CallerAppeared), out);
            }
            Taken::InSession => return None,
        }

        let block = event::Channel { uid: &entry.uid, name: &entry.channel, ..Default::default() };
        let caller = self.ensure_channel(&block, at, out);
        let key = self.adopt_stay(caller, queue, AdoptedPhase::Waiting, at, out);
        self.stays[key].joined = joined(at, entry);
        Some(key)
    }

    /// Callers known to wait who are not listed.
    fn doubt_unlisted_entries(
        &mut self,
        at: Stamp,
        listed: &HashSet<StayKey>,
        taken: Taken,
        last: &Drift,
    ) {
        self.settle_stays();
        let in_queues = self.stay_counts.queues().flat_map(|(_, stays)| stays.waiting());
        let is_missing = |key: &StayKey| {
            matches!(self.stays[*key].phase, Phase::Waiting { .. })
                && !listed.contains(key)
                && !self.listing.has_touched_stay(*key)
        };
        let missing: Vec<_> = in_queues.filter(is_missing).collect();

        for key in missing {
            match taken {
                Taken::InSession if !self.listing.was_missed(last, key) => {}
                Taken::InSession | Taken::AtLogin => self.doubt(key, at),
            }
        }
    }

    /// A list does not have the stay: it is lost, unless an event speaks of it soon.
    pub(super) fn doubt(&mut self, key: StayKey, at: Stamp) {
        self.stays[key].doubted = true;
        self.deadlines.add(at.read.after(DOUBT), Task::Doubt(key));
    }
}

/// When a listed caller joined, if the list has the wait.
fn joined(at: Stamp, entry: &Entry) -> Option<Stamp> {
    entry.wait.map(|wait| Stamp { read: at.read.before(wait), wire: None })
}

fn is_shorter(known: Option<Stamp>, listed: Option<Stamp>) -> bool {
    known.zip(listed).is_some_and(|(known, listed)| listed.read.since(known.read) > WAIT_SLACK)
}

/// Wait is whole seconds, and the list is a moment old.
const WAIT_SLACK: Duration = Duration::from_secs(2);
