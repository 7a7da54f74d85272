//! The sound of trunks' and agents' channels: what the PBX measured of it, counted once as a channel
//! ends.

use std::time::Duration;

use hashbrown::HashMap;

use super::Correlator;
use super::key::ChannelKey;
use super::line::Line;
use super::observation::{EndpointOf, Observation, Observe, StreamOf, VoiceMeasure};
use super::time::Stamp;
use crate::clock::Moment;
use crate::event::{Stream, Voice, VoiceReport};

/// What is known of the sound of channels until they end.
#[derive(Debug, Default)]
pub(super) struct Voices {
    /// What was reported last of channels that are about to end.  chan_sip of 16 reports it up to three
    /// times, also of a channel whose peer hangs up and that goes on: the last one is of all of it.
    reports: HashMap<ChannelKey, Voice>,
    /// When legs answered that are in no bridge yet, or are behind a Local channel.
    answered: HashMap<ChannelKey, Moment>,
}

impl Voices {
    /// What is known of a channel, which is forgotten with it.
    pub(super) fn take(&mut self, channel: ChannelKey) -> Option<Voice> {
        // Most channels have been in a bridge, and those of a PBX without RTP have no report.
        if !self.answered.is_empty() {
            self.answered.remove(&channel);
        }
        if self.reports.is_empty() { None } else { self.reports.remove(&channel) }
    }

    /// A dialled leg has answered.
    pub(super) fn leg_answered(&mut self, leg: ChannelKey, at: Stamp) {
        self.answered.insert(leg, at.read);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.reports.is_empty() && self.answered.is_empty()
    }
}

impl Correlator {
    pub(super) fn on_voice(&mut self, at: Stamp, report: &VoiceReport<'_>, out: &mut dyn Observe) {
        let key = self.ensure_channel(&report.channel, at, out);
        if self.channels.all[key].is_live() {
            self.voices.reports.insert(key, report.voice);
        }
    }

    /// A channel enters a bridge: from now on Asterisk sends it sound under another SSRC (chan_sip, and
    /// PJSIP from 20.16, 21.11 and 22.6 on: `AST_CONTROL_SRCCHANGE`).  The far end then counts its losses
    /// from zero, and Asterisk its packets from the answer.
    pub(super) fn note_new_ssrc(&mut self, key: ChannelKey, at: Stamp) {
        let answered = self.voices.answered.get(&key);
        let at_once = answered.is_some_and(|&answered| at.read.since(answered) <= AT_ONCE);
        // A phone behind a Local channel soon takes its place in the other bridge.
        if !(at_once && self.is_dialled_by_local(key)) {
            self.voices.answered.remove(&key);
        }
        self.channels.all[key].bridge.ssrc_changed |= !at_once;
    }

    fn is_dialled_by_local(&self, key: ChannelKey) -> bool {
        let by = self.channels.all[key].dialled.and_then(|dialled| dialled.by);
        let by = by.and_then(|by| self.channels.all.get(by));
        by.is_some_and(|by| by.identity.line == Line::Local)
    }

    /// A channel that is transferred blindly leaves its bridge, which is a change, too.
    pub(super) fn note_ssrc_of_transferee(&mut self, transferee: &[u8]) {
        if let Some(key) = self.channels.find(transferee) {
            self.channels.all[key].bridge.ssrc_changed = true;
        }
    }

    /// The channel has hung up.
    pub(super) fn count_voice(&mut self, key: ChannelKey, out: &mut dyn Observe) {
        let Some(voice) = self.voices.take(key) else { return };
        let Some(of) = self.voice_of(key) else { return };
        let channel = &self.channels.all[key];
        let is_whole = channel.life.is_born && !channel.bridge.ssrc_changed;

        let sent = Stream { loss: voice.sent.loss.filter(|_| is_whole), ..voice.sent };
        let streams = [(StreamOf::Received, voice.received), (StreamOf::Sent, sent)];
        let measured = streams.into_iter().flat_map(|(stream, measured)| {
            [
                measured.jitter.map(|jitter| VoiceMeasure::Jitter(stream, jitter)),
                measured.loss.map(|loss| VoiceMeasure::Loss(stream, loss)),
            ]
        });
        let of_both =
            [voice.round_trip.map(VoiceMeasure::RoundTrip), voice.score.map(VoiceMeasure::Score)];
        for measure in measured.chain(of_both).flatten() {
            self.emit(Observation::VoiceMeasured { of, measure }, out);
        }
    }

    /// Whose the channel is, if it is a trunk's or an agent's.
    fn voice_of(&mut self, key: ChannelKey) -> Option<EndpointOf> {
        match self.channels.all[key].identity.line {
            Line::Trunk(trunk) => Some(EndpointOf::Trunk(trunk)),
            Line::Local | Line::Media => None,
            Line::Agent | Line::Other => {
                let agent = self.ensure_agent_on(key);
                (!agent.is_none()).then_some(EndpointOf::Agent(agent))
            }
        }
    }
}

/// So few packets are sent before the bridge that they change no loss; after an announcement to the
/// agent they may.
const AT_ONCE: Duration = Duration::from_secs(1);
