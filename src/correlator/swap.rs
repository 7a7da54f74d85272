//! Talks that go on with another channel in a bridge (SwapUniqueid): behind a Local channel that is
//! optimised away, and taken along to another phone.

use super::Correlator;
use super::hold::Occasion;
use super::key::{ChannelKey, StayKey};
use super::line::Line;
use super::observation::Observe;
use super::stay::Stay;
use super::time::Stamp;

impl Correlator {
    /// A channel takes the place of half a Local channel in a bridge: what was behind that half
    /// is there itself now.
    ///
    /// Whoever takes the place of a phone may be somebody else, the other party of a transfer, or
    /// the same person on another phone (INVITE with Replaces): what follows decides.
    pub(super) fn swap(
        &mut self,
        swapped: ChannelKey,
        by: ChannelKey,
        at: Stamp,
        out: &mut dyn Observe,
    ) {
        let Some(old) = self.channels.all.get_mut(swapped) else { return };
        old.ensure_rare().swapped_by = Some(by);
        let line = old.identity.line;
        let as_agent = old.as_agent.talk;
        if line != Line::Local || !self.came_through(swapped, by) {
            return;
        }

        // A caller who waits is in no bridge, so only one who talks can be swapped.
        let as_caller = self.find_talking_stay(swapped);
        if let Some(key) = as_agent
            && let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut)
            && talk.leg == Some(swapped)
        {
            talk.leg = Some(by);
            talk.phone = None;
            self.channels.all[by].as_agent.talk = Some(key);

            // The half that is gone asks for its own hangup: that is nobody's wish to end the talk.
            self.channels.all[swapped].as_agent.talk = None;
        }
        if let Some(key) = as_caller {
            self.move_stay(key, by, at, out);
        }
    }

    /// Whether `by` was in the bridge of the other half, as far as that is known.
    fn came_through(&self, swapped: ChannelKey, by: ChannelKey) -> bool {
        let last_bridge =
            |key: ChannelKey| self.channels.all.get(key).and_then(|channel| channel.bridge.last);
        let other_half = self.channels.all[swapped].rare().peer.and_then(last_bridge);
        match (other_half, last_bridge(by)) {
            (Some(behind), Some(before)) => behind == before,
            _ => true,
        }
    }

    /// No AgentComplete came although the agent's channel is gone: the agent took the call along to
    /// another phone, if one has the channel's place beside the caller and no transfer was
    /// reported.
    pub(super) fn keep_talking(&mut self, key: StayKey, at: Stamp) -> bool {
        let Some(stay) = self.stays.get(key) else { return false };
        let Some(talk) = stay.talk().filter(|talk| !talk.transferred) else { return false };
        let bridge =
            |key: ChannelKey| self.channels.all.get(key).and_then(|channel| channel.bridge.id());
        let by = talk
            .leg
            .and_then(|leg| self.channels.all.get(leg))
            .and_then(|leg| leg.rare().swapped_by);
        let beside = by.filter(|&by| bridge(by).is_some() && bridge(by) == bridge(stay.caller));
        let (Some(by), Some(old)) = (beside, talk.leg) else { return false };

        self.channels.all[by].as_agent.talk = Some(key);
        self.channels.all[old].as_agent.talk = None;
        if let Some(talk) = self.stays.get_mut(key).and_then(Stay::talk_mut) {
            talk.leg = Some(by);
            talk.phone = None;

            // Nobody takes the call back on the phone that put it on hold.
            let end = Occasion { at: talk.over.unwrap_or(at), session: self.session };
            if talk.holds.end(end, self.timing) {
                self.members.hold(talk.member, false);
            }
        }
        self.follow_talk(key, at);
        true
    }
}
