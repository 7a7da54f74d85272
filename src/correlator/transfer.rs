//! Transfers of a queue's bridge.

use super::Correlator;
use super::key::{ChannelKey, StayKey};
use super::observation::{Observation, Observe, TransferBy, TransferKind};
use super::stay::{Phase, Stay};
use super::time::Stamp;
use crate::event;

impl Correlator {
    pub(super) fn on_blind_transfer(
        &mut self,
        transfer: &event::BlindTransfer<'_>,
        out: &mut dyn Observe,
    ) {
        if !transfer.success {
            return;
        }
        self.note_ssrc_of_transferee(transfer.transferee);
        let kind = TransferKind::Blind;
        let counted = self.count_transfer(transfer.transferer, transfer.bridge, kind, out);
        if let Some(key) = counted {
            let queue = self.stays[key].queue;
            self.await_arrival(key, queue, self.channels.find(transfer.transferee), out);
        }
    }

    pub(super) fn on_attended_transfer(
        &mut self,
        at: Stamp,
        transfer: &event::AttendedTransfer<'_>,
        out: &mut dyn Observe,
    ) {
        if !transfer.success {
            return;
        }

        // Before anybody's place goes over: the line that waits or talks in a queue is still the
        // transferer's.
        let [first, second] = [transfer.first, transfer.second];
        let [transferee, target] = transfer.parties;
        let consulted = [(second.0, target), (first.0, transferee)]
            .map(|(line, party)| self.find_consulted(line, party));
        if let Some(into) = &transfer.into_queue {
            self.hand_over_place(at, into, out);
        }

        // Either of the transferer's legs may be the one in the queue's bridge.
        for ((transferer, bridge), consulted) in [first, second].into_iter().zip(consulted) {
            let counted = self.count_transfer(transferer, bridge, TransferKind::Attended, out);
            if let Some(key) = counted {
                let queue = self.stays[key].queue;
                self.arrive(queue, consulted.arrival_of(key), out);
                return;
            }
        }
    }

    /// Counts a transfer of a queue's bridge, and gives its stay; `None` for any other.
    fn count_transfer(
        &mut self,
        uid: &[u8],
        bridge: &[u8],
        kind: TransferKind,
        out: &mut dyn Observe,
    ) -> Option<StayKey> {
        let transferer = self.channels.find(uid)?;
        let (key, by) = self.find_transfer_role(transferer)?;

        // A caller who was served before may transfer calls that are none of this queue's.
        let stay = &self.stays[key];
        let (ours, phone) = match &stay.phase {
            Phase::Talking(talk) => (talk.bridge, talk.phone),
            // The event may come after AgentComplete; the phone behind a Local channel has no other
            // call.
            Phase::Closed(closed) if by == TransferBy::Caller => (closed.bridge, None),
            Phase::Closed(_) | Phase::Waiting { .. } | Phase::Leaving(_) => (None, None),
        };
        if phone != Some(transferer)
            && ours.is_some_and(|ours| ours != self.channels.bridge_id(bridge))
        {
            return None;
        }

        let queue = stay.queue;
        let agent = stay.taken_by;
        if let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) {
            talk.transferred = true;
        }
        self.emit_of(key, Observation::Transferred { queue, agent, kind, by }, out);
        Some(key)
    }

    /// Whose the transferer is: an agent's leg or phone, or a caller who is talking.
    ///
    /// The transfer's event and AgentComplete come from two threads: the stay may be counted
    /// already.
    fn find_transfer_role(&self, transferer: ChannelKey) -> Option<(StayKey, TransferBy)> {
        let channel = self.channels.all.get(transferer)?;
        if let Some(key) = channel.as_agent.talk.filter(|&key| self.stays.contains_key(key)) {
            return Some((key, TransferBy::Agent));
        }
        let served = |key: &StayKey| !self.stays[*key].taken_by.is_none();
        let key = channel.as_caller.stays.iter().rev().copied().find(served)?;
        Some((key, TransferBy::Caller))
    }
}
