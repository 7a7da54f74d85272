//! Where transferred calls go, and which way callers take from queue to queue.
//!
//! A blind transfer sends the other party on in the dialplan, so what that channel does next shows
//! where it goes: it joins a queue, or dials.

use super::Correlator;
use super::channel::{Channel, OnItsWay};
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::names::QueueId;
use super::observation::{FlowBy, Observation, Observe, TransferTo};

/// Where a call arrived.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrival {
    Queue(QueueId),
    Elsewhere(TransferTo),
}

/// Whom the transferer had on the other line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consulted {
    /// The places in queues that the other line has, and the other half of the Local channel it
    /// talks to.
    stays: [Option<(StayKey, QueueId)>; 2],
    device: TransferTo,
}

impl Consulted {
    /// Where the call of `stay` arrives: who transfers by a feature code has one line for both, whose
    /// own place is none to arrive in.
    pub(super) fn arrival_of(self, stay: StayKey) -> Arrival {
        let other = self.stays.into_iter().flatten().find(|&(other, _)| other != stay);
        match other {
            Some((_, queue)) => Arrival::Queue(queue),
            None => Arrival::Elsewhere(self.device),
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
        let stays = &self.channels.all[key].as_caller.stays;
        let newest = stays.last().filter(|&&newest| newest != stay).map(|&key| &self.stays[key]);
        if let Some(joined) = newest.filter(|newest| newest.is_waiting()) {
            // Whoever was in a queue before has flowed with the Join; an agent's leg was in none.
            match stays.len() {
                1 => self.arrive(queue, Arrival::Queue(joined.queue), out),
                _ => self.arrive(queue, Arrival::Elsewhere(TransferTo::Queue), out),
            }
            return;
        }

        self.resolve_arrival(key, Arrival::Elsewhere(TransferTo::Other), out);
        let on_its_way = OnItsWay { from: queue, session: self.session };
        self.channels.all[key].ensure_rare().transferred = Some(on_its_way);
    }

    /// A channel joins a queue: it may have been sent there, and have been in a queue before.
    pub(super) fn note_flow(&mut self, key: ChannelKey, to: QueueId, out: &mut dyn Observe) {
        if let Some(from) = self.take_transferred(key) {
            self.arrive(from, Arrival::Queue(to), out);
            return;
        }

        // Between a queue that was left before a gap, or in one, and this queue may be others.
        let last = self.channels.all[key].as_caller.stays.last().map(|&last| &self.stays[last]);
        let left = last.filter(|last| !last.is_waiting() && last.seen == Some(self.session));
        if let Some(left) = left {
            let queue = left.queue;
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
        if self.channels.all[key].rare().transferred.is_none() {
            return;
        }

        // The other half of a Local channel goes on in the dialplan in its place, if it is still there.
        let is_live =
            |peer: &ChannelKey| self.channels.all.get(*peer).is_some_and(Channel::is_live);
        let peer = self.channels.all[leg].rare().peer.filter(is_live);
        if let (Line::Local, Some(peer)) = (self.channels.all[leg].identity.line, peer) {
            let on_its_way = self.channels.all[key].ensure_rare().transferred.take();
            self.channels.all[peer].ensure_rare().transferred = on_its_way;
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
        if let Some(queue) = self.take_transferred(key) {
            self.arrive(queue, arrival, out);
        }
    }

    /// The queue whose call a channel is that was transferred and has not arrived; from now on it
    /// has.
    pub(super) fn take_transferred(&mut self, key: ChannelKey) -> Option<QueueId> {
        let on_its_way = self.channels.all.get_mut(key)?.rare_mut()?.transferred.take()?;
        (on_its_way.session == self.session).then_some(on_its_way.from)
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
        let stays = [line, peer].map(|channel| {
            let stays = &self.channels.all.get(channel?)?.as_caller.stays;
            let is_open =
                |key: &StayKey| self.stays[*key].is_waiting() || self.stays[*key].is_talking();
            let key = stays.iter().rev().copied().find(is_open)?;
            Some((key, self.stays[key].queue))
        });

        // Behind a Local channel it is who talks to the other half.
        let behind = peer.and_then(|peer| {
            let bridge = self.channels.all.get(peer)?.bridge.id()?;
            self.channels.inside(bridge).iter().copied().find(|&other| other != peer)
        });
        let device = behind.or(party).map_or(TransferTo::Other, |key| self.device_reached(key));
        Consulted { stays, device }
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
