//! What QueueStatus lists prove: what they show happened between two of them, and events must have
//! told it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::Correlator;
use super::key::MemberKey;
use super::member::place;
use super::missing::{Missing, MissingSet};
use super::names::QueueId;
use super::observation::Observe;
use super::snapshot::{Member, Snapshot};
use crate::clock::Moment;

/// What is kept of one list for the next.
#[derive(Debug, Default)]
pub(super) struct LastList {
    /// Holdtime of each queue: an average that only an answered caller changes, and a reset to
    /// zero.
    holds: HashMap<QueueId, u64>,
    /// Members that were added, not configured: events tell of each of their changes.
    dynamic: HashSet<MemberKey>,
}

impl Correlator {
    /// The snapshot of a session was applied.
    pub(super) fn note_snapshot(
        &mut self,
        now: Moment,
        snapshot: &Snapshot,
        out: &mut dyn Observe,
    ) {
        let channels = snapshot.no_channels.then_some(Missing::ListChannels);
        let queues = snapshot.no_queues.then_some(Missing::ListQueues);
        self.evidence.begin(now, channels.into_iter().chain(queues).collect());
        self.keep_list(snapshot, out);
    }

    /// A list was taken in mid-session, and nothing is changed by it yet.
    pub(super) fn note_list(&mut self, now: Moment, snapshot: &Snapshot, out: &mut dyn Observe) {
        let mut suspects = MissingSet::default();
        // whoever may read class system is told at the login
        suspects.insert(Missing::ClassSystem);
        self.suspect_by_entries(now, snapshot, &mut suspects);
        self.suspect_by_holds(snapshot, &mut suspects, out);
        self.suspect_by_members(snapshot, &mut suspects, out);
        self.evidence.suspect_by_list(suspects, now);
    }

    /// Keeps of an applied list what the next one is compared with.
    pub(super) fn keep_list(&mut self, snapshot: &Snapshot, out: &mut dyn Observe) {
        let holds = snapshot.queues.iter().zip(&snapshot.holds);
        self.last_list.holds =
            holds.map(|((name, _), &hold)| (self.ensure_queue(name, out), hold)).collect();

        let dynamic = snapshot.members.iter().filter(|member| member.dynamic);
        self.last_list.dynamic =
            dynamic.filter_map(|member| self.find_listed_place(member, out)).collect();
    }

    /// Somebody waits who came in this session.
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

    /// Somebody was answered since the last list: rung, taken out of the queue, and talked to.
    fn suspect_by_holds(
        &mut self,
        snapshot: &Snapshot,
        suspects: &mut MissingSet,
        out: &mut dyn Observe,
    ) {
        for ((name, _), &hold) in snapshot.queues.iter().zip(&snapshot.holds) {
            let queue = self.ensure_queue(name, out);
            let before = self.last_list.holds.get(&queue);
            if hold > 0 && before.is_some_and(|&before| before != hold) {
                for what in [Missing::ClassAgent, Missing::ClassCall, Missing::VarSet] {
                    suspects.insert(what);
                }
            }
        }
    }

    /// Members whose state differs from the one that is known, and no event of them was on its way.
    fn suspect_by_members(
        &mut self,
        snapshot: &Snapshot,
        suspects: &mut MissingSet,
        out: &mut dyn Observe,
    ) {
        let mut listed = HashSet::new();
        for member in &snapshot.members {
            let place = place(self.ensure_queue(&member.queue, out), &member.interface);
            let known = self.members.places.get(&place).copied();
            listed.extend(known);
            if self.touched_members.contains(&place) {
                continue;
            }
            match known.map(|key| (key, &self.members.all[key])) {
                Some((_, known)) if known.status != member.status => {
                    suspects.insert(Missing::QueueMemberStatus);
                }
                // a realtime member's pause may be written into the database
                Some((key, known))
                    if known.paused != member.paused && self.last_list.dynamic.contains(&key) =>
                {
                    suspects.insert(Missing::QueueMemberPause);
                }
                None if member.dynamic => suspects.insert(Missing::QueueMemberAdded),
                Some(_) | None => {}
            }
        }

        let queues: HashSet<QueueId> =
            snapshot.queues.iter().map(|(name, _)| self.ensure_queue(name, out)).collect();
        let gone = self.last_list.dynamic.iter().filter(|key| !listed.contains(*key));
        for member in gone.filter_map(|&key| self.members.all.get(key)) {
            let touched = self.touched_members.contains(&place(member.queue, &member.interface));
            // a queue that a reload took away takes its members along
            if !member.removed && !touched && queues.contains(&member.queue) {
                suspects.insert(Missing::QueueMemberRemoved);
            }
        }
    }

    fn find_listed_place(&mut self, member: &Member, out: &mut dyn Observe) -> Option<MemberKey> {
        let place = place(self.ensure_queue(&member.queue, out), &member.interface);
        self.members.places.get(&place).copied()
    }
}

/// Wait is whole seconds, and the list is a moment old.
const WAIT_SLACK: Duration = Duration::from_secs(2);
