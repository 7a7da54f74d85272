//! Evidence that something never comes in a session, and when it is enough.
//!
//! What came once in a session is never suspected again in it: classes and filters are an
//! account's, and Asterisk copies both into the session at the login.  What has not come is
//! suspected by events and lists that imply it (`events`, `lists`), and is taken for missing once
//! enough of these came, the first of them long enough ago.  So a PBX on which nothing happens lacks
//! nothing, and a suspicion ends with the first such event.

use std::time::Duration;

use super::{Missing, MissingSet};
use crate::clock::Moment;
use crate::correlator::observation::Word;

/// What came in one session, and what speaks for the rest never coming.
#[derive(Debug, Default)]
pub(in crate::correlator) struct Evidence {
    /// Since when events are received: from the snapshot on, in a recording without one from the first
    /// event.
    begun: Option<Moment>,
    /// All channels that were up then are known.
    channels_listed: bool,
    came: MissingSet,
    refused: MissingSet,
    suspicions: [Suspicion; Missing::ALL.len()],
}

/// What speaks for one thing being missing.
#[derive(Clone, Copy, Debug, Default)]
struct Suspicion {
    /// Events that imply it.
    events: u8,
    /// Lists that imply it.
    lists: u8,
    since: Option<Moment>,
}

impl Evidence {
    /// A snapshot was taken, without the lists that were refused.
    pub(super) fn begin(&mut self, now: Moment, refused: MissingSet) {
        self.begun = Some(now);
        self.channels_listed = !refused.contains(Missing::ListChannels);
        self.refused = refused;
    }

    /// Something was read: without a snapshot, the session begins with it.
    pub(super) fn read(&mut self, now: Moment) {
        self.begun = self.begun.or(now.dated());
    }

    /// For how long events have been received.
    pub(super) fn age(&self, now: Moment) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| now.since(begun))
    }

    /// Whether the snapshot had every channel that was up.
    pub(super) const fn channels_listed(&self) -> bool {
        self.channels_listed
    }

    /// It came.
    pub(super) fn came(&mut self, what: Missing) {
        self.came.insert(what);
        if let Some(class) = what.class() {
            self.came.insert(class);
        }
    }

    /// Whether it has not come yet.
    pub(super) const fn lacks(&self, what: Missing) -> bool {
        !self.came.contains(what)
    }

    /// One event implies these and their classes.
    pub(super) fn suspect(&mut self, suspects: MissingSet, now: Moment) {
        // Whatever came, its class came with it.
        let suspects = suspects.without(self.came);
        for what in suspects.with_classes().without(self.came).iter() {
            let suspicion = &mut self.suspicions[what as usize];
            suspicion.events = suspicion.events.saturating_add(1);
            suspicion.date(now);
        }
    }

    /// One list implies these and their classes.
    pub(super) fn suspect_by_list(&mut self, suspects: MissingSet, now: Moment) {
        for what in suspects.with_classes().without(self.came).iter() {
            let suspicion = &mut self.suspicions[what as usize];
            suspicion.lists = suspicion.lists.saturating_add(1);
            suspicion.date(now);
        }
    }

    /// What is missing, as far as that is proven at `now`.
    pub(in crate::correlator) fn missing(&self, now: Moment) -> MissingSet {
        let open = Missing::ALL.iter().copied().filter(|&what| self.lacks(what));
        let proven = open.filter(|&what| self.suspicions[what as usize].is_proven(what, now));
        let mut missing: MissingSet = proven.chain(self.refused.iter()).collect();

        // A missing class is reported as one, not as each of its events.
        let of_missing_class =
            |what: &Missing| what.class().is_some_and(|class| missing.contains(class));
        let repeated: MissingSet = missing.iter().filter(of_missing_class).collect();
        missing = missing.without(repeated);
        missing
    }
}

impl Suspicion {
    /// A capture without time stamps has no clock: nothing is proven there by having waited.
    fn date(&mut self, now: Moment) {
        self.since = self.since.or(now.dated());
    }

    fn is_proven(&self, what: Missing, now: Moment) -> bool {
        let often = self.events >= events_needed(what) || self.lists >= LISTS_NEEDED;
        // All events have a time stamp or none, so there is nothing to wait for.
        let is_old = what == Missing::Timestamps
            || self.since.is_some_and(|since| now.since(since) >= SETTLING);
        often && is_old
    }
}

/// How many events must imply it.  Each of them is a proof but for what a login cut in half.
const fn events_needed(what: Missing) -> u8 {
    match what {
        // Calls that a dialler or a supervisor ends by AMI have a SoftHangupRequest instead.
        Missing::HangupRequest => 20,
        // Agents who leave by a feature code have none until their caller hangs up.
        Missing::AgentComplete => 10,
        // FullyBooted at the login has none in any case, nor have a few others.
        Missing::Timestamps => 10,
        _ => 3,
    }
}

/// A PBX under load may send an event seconds behind the list that shows its effect, never so late
/// as the next list.
const LISTS_NEEDED: u8 = 2;

/// What must come comes within milliseconds; under load, and from other threads of Asterisk, within
/// seconds.
const SETTLING: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn one(what: Missing) -> MissingSet {
        [what].into_iter().collect()
    }

    fn at(second: u64) -> Moment {
        Moment::from_secs(1000 + second)
    }

    fn words(evidence: &Evidence, second: u64) -> Vec<&'static str> {
        evidence.missing(at(second)).iter().map(Word::word).collect()
    }

    #[test]
    fn three_events_and_thirty_seconds_are_a_proof() {
        let mut evidence = Evidence::default();
        evidence.came(Missing::DialEnd);
        evidence.suspect(one(Missing::Hangup), at(0));
        evidence.suspect(one(Missing::Hangup), at(1));
        assert_eq!(words(&evidence, 90), [""; 0]);
        evidence.suspect(one(Missing::Hangup), at(2));
        assert_eq!(words(&evidence, 29), [""; 0]);
        assert_eq!(words(&evidence, 30), ["event_hangup"]);
        evidence.came(Missing::Hangup);
        assert_eq!(words(&evidence, 90), [""; 0]);
    }

    #[test]
    fn two_lists_are_a_proof() {
        let mut evidence = Evidence::default();
        evidence.suspect_by_list(one(Missing::QueueCallerJoin), at(0));
        assert_eq!(words(&evidence, 59), [""; 0]);
        evidence.suspect_by_list(one(Missing::QueueCallerJoin), at(60));
        assert_eq!(words(&evidence, 60), ["class_agent"]);
    }

    #[test]
    fn a_class_is_missing_only_if_none_of_its_events_comes() {
        let mut evidence = Evidence::default();
        for second in 0..3 {
            let both = [Missing::DialBegin, Missing::BridgeEnter].into_iter().collect();
            evidence.suspect(both, at(second));
        }
        assert_eq!(words(&evidence, 40), ["class_call"]);
        evidence.came(Missing::BridgeEnter);
        assert_eq!(words(&evidence, 40), ["event_dial_begin"]);
        evidence.came(Missing::DialBegin);
        assert_eq!(words(&evidence, 40), [""; 0]);
    }

    #[test]
    fn a_refused_list_needs_no_proof() {
        let mut evidence = Evidence::default();
        evidence.begin(at(0), one(Missing::ListChannels));
        assert!(!evidence.channels_listed());
        assert_eq!(words(&evidence, 0), ["list_channels"]);
    }
}
