//! Which events a QueueStatus list implies: what changed since the list before, an event must have
//! reported.

use hashbrown::{HashMap, HashSet};
use std::time::Duration;

use super::{Missing, MissingSet};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::key::MemberKey;
use crate::correlator::member::{Place, place};
use crate::correlator::names::QueueId;
use crate::correlator::snapshot::{Member, Queue, Snapshot};

/// What is kept of one list for the next.
#[derive(Debug, Default)]
pub(in crate::correlator) struct LastList {
    /// Holdtime of each queue: an average that only an answered caller changes, and a reset to
    /// zero.
    holds: HashMap<QueueId, u64>,
    /// Members that were added, not configured: each of their changes has an event.
    dynamic: HashSet<MemberKey>,
}

impl Correlator {
    /// The snapshot of a session was applied.
    pub(in crate::correlator) fn note_snapshot(&mut self, now: Moment, snapshot: &Snapshot) {
        let channels = snapshot.no_channels.then_some(Missing::ListChannels);
        let queues = snapshot.no_queues.then_some(Missing::ListQueues);
        self.evidence.begin(now, channels.into_iter().chain(queues).collect());
        self.keep_list(snapshot);
    }

    /// A list was taken in mid-session, and nothing is changed by it yet.
    pub(in crate::correlator) fn note_list(&mut self, now: Moment, snapshot: &Snapshot) {
        let mut suspects = MissingSet::default();
        // Every account with class system receives FullyBooted at the login.
        suspects.insert(Missing::ClassSystem);
        self.suspect_by_entries(now, snapshot, &mut suspects);
        self.suspect_by_holds(snapshot, &mut suspects);
        self.suspect_by_members(snapshot, &mut suspects);
        self.evidence.suspect_by_list(suspects, now);
    }

    /// Keeps of an applied list what the next one is compared with.
    pub(in crate::correlator) fn keep_list(&mut self, snapshot: &Snapshot) {
        let hold = |queue: &Queue| Some((self.find_queue(&queue.name)?, queue.hold));
        self.last_list.holds = snapshot.queues.iter().filter_map(hold).collect();

        let dynamic = snapshot.members.iter().filter(|member| member.dynamic);
        self.last_list.dynamic = dynamic.filter_map(|member| self.find_listed(member)).collect();
    }

    /// A caller waits who came in this session.
    fn suspect_by_entries(&self, now: Moment, snapshot: &Snapshot, suspects: &mut MissingSet) {
        let age = self.evidence.age(now);
        let is_new = |wait: Duration| wait.saturating_add(WAIT_SLACK) < age;
        for entry in snapshot.entries.iter().filter(|entry| entry.wait.is_some_and(is_new)) {
            suspects.insert(Missing::QueueCallerJoin);
            if self.evidence.channels_listed() && self.channels.find(&entry.uid).is_none() {
                suspects.insert(Missing::Newchannel);
            }
        }
    }

    /// A caller was answered since the last list: an agent was called, the caller taken out of the
    /// queue, and the two bridged.
    fn suspect_by_holds(&self, snapshot: &Snapshot, suspects: &mut MissingSet) {
        for listed in &snapshot.queues {
            let queue = self.find_queue(&listed.name);
            let before = queue.and_then(|queue| self.last_list.holds.get(&queue));
            if listed.hold > 0 && before.is_some_and(|&before| before != listed.hold) {
                for what in [Missing::ClassAgent, Missing::ClassCall, Missing::VarSet] {
                    suspects.insert(what);
                }
            }
        }
    }

    /// Members whose state differs from the one that is known, while no event of them was on its
    /// way.
    fn suspect_by_members(&self, snapshot: &Snapshot, suspects: &mut MissingSet) {
        let mut listed = HashSet::new();
        for member in &snapshot.members {
            let place = self.find_place(member);
            let known = place.as_ref().and_then(|place| self.members.find_at(place));
            listed.extend(known);
            // An event of it came meanwhile, and is newer.
            if !place.is_some_and(|place| self.listing.has_touched_member(&place)) {
                self.suspect_by_member(member, known, suspects);
            }
        }

        let queues: HashSet<QueueId> =
            snapshot.queues.iter().filter_map(|queue| self.find_queue(&queue.name)).collect();
        let gone = self.last_list.dynamic.iter().filter(|key| !listed.contains(*key));
        for member in gone.filter_map(|&key| self.members.get(key)) {
            let touched = self.listing.has_touched_member(&member.place());
            // A queue that a reload took away takes its members along.
            if !member.is_removed() && !touched && queues.contains(&member.queue()) {
                suspects.insert(Missing::QueueMemberRemoved);
            }
        }
    }

    fn suspect_by_member(
        &self,
        listed: &Member,
        known: Option<MemberKey>,
        suspects: &mut MissingSet,
    ) {
        match known.map(|key| (key, &self.members[key])) {
            Some((_, member)) if member.status() != listed.status => {
                suspects.insert(Missing::QueueMemberStatus);
            }
            // A realtime member's pause may be written into the database.
            Some((key, member))
                if member.is_paused() != listed.paused && self.last_list.dynamic.contains(&key) =>
            {
                suspects.insert(Missing::QueueMemberPause);
            }
            None if listed.dynamic => suspects.insert(Missing::QueueMemberAdded),
            Some(_) | None => {}
        }
    }

    fn find_listed(&self, member: &Member) -> Option<MemberKey> {
        self.members.find_at(&self.find_place(member)?)
    }

    fn find_place(&self, member: &Member) -> Option<Place> {
        Some(place(self.find_queue(&member.queue)?, &member.interface))
    }
}

/// Wait is whole seconds, and the list is a moment old.
const WAIT_SLACK: Duration = Duration::from_secs(2);
