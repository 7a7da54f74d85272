//! The queues and members of a QueueStatus list.

use hashbrown::HashSet;

use super::Taken;
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::deadline::{DOUBT, Task};
use crate::correlator::member::{Described, Place, place};
use crate::correlator::names::QueueId;
use crate::correlator::observation::{Anomaly, Observation, Observe};
use crate::correlator::snapshot::{Member, Snapshot};
use crate::correlator::time::Stamp;

impl Correlator {
    pub(super) fn sync_members(
        &mut self,
        at: Stamp,
        snapshot: &Snapshot,
        taken: Taken,
        out: &mut dyn Observe,
    ) {
        // Queues come first: a member of a queue that a reload has just made is no member of an
        // unknown one.
        for listed in &snapshot.queues {
            let queue = self.ensure_queue(&listed.name, out);
            let service_level = Some(listed.service_level).filter(|level| !level.is_zero());
            if self.queues.set_level(queue, service_level) {
                self.emit(Observation::QueueKnown { queue, service_level }, out);
            }
        }

        let mut listed = HashSet::new();
        for member in &snapshot.members {
            let queue = self.ensure_queue(&member.queue, out);
            let place = place(queue, &member.interface);
            match taken {
                // The event that came meanwhile is newer than the list.
                Taken::InSession if self.listing.has_touched_member(&place) => {}
                Taken::InSession | Taken::AtLogin => {
                    // In mid-session an event reports the end of each call.
                    let sent = snapshot.sent.filter(|_| taken == Taken::AtLogin);
                    self.sync_member(at, &place, member, sent, taken, out);
                }
            }
            listed.insert(place);
        }
        self.remove_unlisted_members(at, &listed, taken, out);

        if self.listing.has_unreported() {
            self.deadlines.add(at.read.after(DOUBT), Task::Drift);
        }
        self.drop_unlisted_queues(snapshot);
    }

    fn sync_member(
        &mut self,
        at: Stamp,
        place: &Place,
        listed: &Member,
        sent: Option<Moment>,
        taken: Taken,
        out: &mut dyn Observe,
    ) {
        let described = self.describe_member(at.read, &listed.described(), out);
        self.sync_wrap_up(at.read, place, listed, sent, out);
        match (taken, described) {
            (Taken::InSession, Described::Appeared) => {
                self.listing.note_unreported(place.clone(), Anomaly::MemberAppeared);
            }
            (Taken::InSession, Described::Changed) => {
                self.listing.note_unreported(place.clone(), Anomaly::MemberDrifted);
            }
            (Taken::AtLogin, _) | (Taken::InSession, Described::Same) => {}
        }
    }

    fn remove_unlisted_members(
        &mut self,
        at: Stamp,
        listed: &HashSet<Place>,
        taken: Taken,
        out: &mut dyn Observe,
    ) {
        for place in self.members.places_without(listed) {
            if taken == Taken::InSession && self.listing.has_touched_member(&place) {
                continue;
            }
            let (queue, interface) = &place;
            self.remove_member(*queue, interface, at.read, out);
            if taken == Taken::InSession {
                self.listing.note_unreported(place, Anomaly::MemberVanished);
            }
        }
    }

    /// No event of these members came behind the list: what it showed of them was never sent.
    pub(in crate::correlator) fn drift_due(&mut self, out: &mut dyn Observe) {
        for anomaly in self.listing.take_unreported() {
            self.emit(Observation::Anomaly(anomaly), out);
        }
    }

    /// When the last call of a listed member ended: the wrap-up after one that was not reported, or
    /// that was reset.
    fn sync_wrap_up(
        &mut self,
        now: Moment,
        place: &Place,
        listed: &Member,
        sent: Option<Moment>,
        out: &mut dyn Observe,
    ) {
        let Some(key) = self.members.find_at(place) else { return };

        match (listed.last_call, sent) {
            // QueueReset and `queue reset stats` send no event, and the next second the agent is
            // called.
            (Some(last), _) if last == Moment::EPOCH => {
                let agent = self.members[key].agent();
                self.members.end_wrap_up(key, now, &self.names, out);
                self.refresh_agent(agent, now, out);
            }
            // Both are of the PBX's clock: only how long ago it was may be taken over to ours.
            (Some(last), Some(sent)) => self.adopt_wrap_up(key, now.before(sent.since(last)), now),
            (Some(_), None) | (None, _) => {}
        }
    }

    /// A queue that a reload took away disappears from the gauges once no caller is in it.
    fn drop_unlisted_queues(&mut self, snapshot: &Snapshot) {
        let listed: HashSet<QueueId> =
            snapshot.queues.iter().filter_map(|queue| self.find_queue(&queue.name)).collect();
        self.settle_stays();
        let stays = &self.stay_counts;
        self.queues.retain(|queue| listed.contains(&queue) || stays.has_any(queue));
    }
}
