//! Where transferred calls go, and which way callers take from queue to queue.
//!
//! A blind transfer sends the other party on in the dialplan, so what that channel does next shows
//! where it goes: it joins a queue, or dials.

use super::Correlator;
use super::channel::Channel;
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::names::QueueId;
use super::observation::{FlowBy, Observation, Observe, TransferTo};
use super::stay::Stay;

/// Where a call arrived.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrival {
    Queue(QueueId),
    Elsewhere(TransferTo),
}

/// Whom the transferer had on the other line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consulted {
    /// The place in a queue that the other line has.
    stay: Option<(StayKey, QueueId)>,
    device: TransferTo,
}

impl Consulted {
    /// Where the call of `stay` arrives, whose own line may be the only one.
    pub(super) fn arrival_of(self, stay: StayKey) -> Arrival {
        match self.stay {
            Some((other, queue)) if other != stay => Arrival::Queue(queue),
            Some(_) | None => Arrival::Elsewhere(self.device),
        }
    }
}

impl Correlator {
    /// A call of a queue was transferred, and the channel that goes on shows where to.
    pub(super) fn await_arrival(
        &mut self,
        stay: StayKey,
        queue: QueueId,
        transferee: Option<ChannelKey>,
        out: &mut dyn Observe,
    ) {
        // Several parties are sent on by a Local channel that no header names.
        let Some(key) = transferee.filter(|&key| self.channels.all[key].is_live()) else {
            self.arrive(queue, Arrival::Elsewhere(TransferTo::Other), out);
            return;
        };

        // The channel's next Join may come before the transfer's event, from another thread.
        let newest = self.channels.all[key].as_caller.stays.last().copied();
        let joined = newest.filter(|&newest| newest != stay && self.stays[newest].is_waiting());
        if joined.is_some() {
            self.emit(Observation::TransferArrived { queue, to: TransferTo::Queue }, out);
            return;
        }

        self.resolve_arrival(key, Arrival::Elsewhere(TransferTo::Other), out);
        self.channels.all[key].ensure_rare().transferred_from = Some(queue);
    }

    /// A channel joins a queue: it may have been sent there, and have been in a queue before.
    pub(super) fn note_flow(&mut self, key: ChannelKey, to: QueueId, out: &mut dyn Observe) {
        if self.channels.all[key].rare().transferred_from.is_some() {
            self.resolve_arrival(key, Arrival::Queue(to), out);
            return;
        }
        let last = self.channels.all[key].as_caller.stays.last();
        let last = last.map(|&last| &self.stays[last]).filter(|stay| !stay.is_waiting());
        if let Some(&Stay { queue, .. }) = last {
            self.emit(Observation::Flowed { queue, to, by: FlowBy::Dialplan }, out);
        }
    }

    /// A channel that may have been transferred dials a leg: the first one shows where it goes.
    pub(super) fn note_dialled_on(
        &mut self,
        key: ChannelKey,
        leg: ChannelKey,
        out: &mut dyn Observe,
    ) {
        if self.channels.all[key].rare().transferred_from.is_none() {
            return;
        }

        // The other half of a Local channel goes on in the dialplan in its place, if it is still there.
        let is_live =
            |peer: &ChannelKey| self.channels.all.get(*peer).is_some_and(Channel::is_live);
        let peer = self.channels.all[leg].rare().peer.filter(is_live);
        if let (Line::Local, Some(peer)) = (self.channels.all[leg].identity.line, peer) {
            let from = self.channels.all[key].ensure_rare().transferred_from.take();
            self.channels.all[peer].ensure_rare().transferred_from = from;
            return;
        }
        let to = self.device_reached(leg);
        self.resolve_arrival(key, Arrival::Elsewhere(to), out);
    }

    /// A transferred channel arrived, or ended on its way.
    pub(super) fn resolve_arrival(
        &mut self,
        key: ChannelKey,
        arrival: Arrival,
        out: &mut dyn Observe,
    ) {
        let rare = self.channels.all.get_mut(key).and_then(|channel| channel.rare_mut());
        if let Some(queue) = rare.and_then(|rare| rare.transferred_from.take()) {
            self.arrive(queue, arrival, out);
        }
    }

    pub(super) fn arrive(&self, queue: QueueId, arrival: Arrival, out: &mut dyn Observe) {
        let to = match arrival {
            Arrival::Queue(to) => {
                self.emit(Observation::Flowed { queue, to, by: FlowBy::Transfer }, out);
                TransferTo::Queue
            }
            Arrival::Elsewhere(to) => to,
        };
        self.emit(Observation::TransferArrived { queue, to }, out);
    }

    /// What an attended transfer leads to: `line` is the transferer's other line, `party` who is behind
    /// it.
    pub(super) fn find_consulted(&self, line: &[u8], party: &[u8]) -> Consulted {
        // The other line waits or talks in a queue itself, or through a Local channel.
        let [line, party] = [line, party].map(|uid| self.channels.find(uid));
        let peer = party.and_then(|party| self.channels.all.get(party)?.rare().peer);
        let stay = [line, peer].into_iter().flatten().find_map(|key| {
            let stays = &self.channels.all.get(key)?.as_caller.stays;
            let is_open =
                |key: &StayKey| self.stays[*key].is_waiting() || self.stays[*key].is_talking();
            stays.iter().rev().copied().find(is_open)
        });

        // Behind a Local channel it is who talks to the other half.
        let behind = peer.and_then(|peer| {
            let bridge = self.channels.all.get(peer)?.bridge.id()?;
            self.channels.inside(bridge).iter().copied().find(|&other| other != peer)
        });
        let device = behind.or(party).map_or(TransferTo::Other, |key| self.device_reached(key));
        Consulted { stay: stay.map(|key| (key, self.stays[key].queue)), device }
    }

    /// Whose a channel is that was called.
    fn device_reached(&self, key: ChannelKey) -> TransferTo {
        let Some(channel) = self.channels.all.get(key) else { return TransferTo::Other };
        match channel.identity.line {
            Line::Trunk(_) => TransferTo::Trunk,
            _ if channel.owner(self.members.owners()).is_some() => TransferTo::Agent,
            Line::Agent | Line::Local | Line::Media | Line::Other => TransferTo::Other,
        }
    }
}
