//! Originates: which leg an OriginateResponse speaks of.

use hashbrown::HashMap;

use super::Correlator;
use super::channels::Channels;
use super::key::{ChannelKey, Shortlist};
use super::observation::Observe;
use super::time::Stamp;
use crate::event;

/// Originated legs that nothing has reported on yet, by technology and dial string.
#[derive(Debug, Default)]
pub(super) struct Originates(HashMap<Box<[u8]>, Shortlist<ChannelKey>>);

impl Correlator {
    /// An Originate dials a leg.
    pub(super) fn note_originate(&mut self, leg: ChannelKey) {
        let Some(string) = &self.channels.all[leg].rare().dial_string else { return };
        let list = self.originates.0.entry(string.clone()).or_default();
        list.add(leg, |leg| waits_for_response(&self.channels, leg));
    }

    pub(super) fn on_originate_response(
        &mut self,
        at: Stamp,
        response: &event::OriginateResponse<'_>,
        out: &mut dyn Observe,
    ) {
        let Some(reason) = response.reason else { return };

        let by_uid = response.uid.and_then(|uid| self.channels.find(uid));
        // A failure names no channel: it is the oldest originated leg to that destination that
        // nothing has reported on yet.
        let leg = by_uid.or_else(|| {
            let list = self.originates.0.get_mut(response.channel)?;
            list.oldest(|leg| waits_for_response(&self.channels, leg))
        });
        if let Some(leg) = leg {
            self.originate_answered(leg, reason, at, out);
        }
    }

    /// A channel that was dialled with that string was forgotten.
    pub(super) fn forget_originate(&mut self, string: &[u8]) {
        if let Some(list) = self.originates.0.get_mut(string)
            && list.oldest(|leg| waits_for_response(&self.channels, leg)).is_none()
        {
            self.originates.0.remove(string);
        }
    }
}

fn waits_for_response(channels: &Channels, leg: ChannelKey) -> bool {
    let dialled = channels
        .all
        .get(leg)
        .filter(|channel| !channel.life.up)
        .and_then(|channel| channel.dialled.as_ref());
    dialled.is_some_and(|dialled| dialled.by.is_none() && dialled.reason.is_none())
}
