//! The sound of trunks' and agents' channels: what the PBX measured of it, counted once as a channel
//! ends.

use hashbrown::HashMap;

use super::Correlator;
use super::key::ChannelKey;
use super::line::Line;
use super::observation::{EndpointOf, Observation, Observe, StreamOf, VoiceMeasure};
use super::time::Stamp;
use crate::event::{Voice, VoiceReport};

/// What was reported last of channels that are about to end.  chan_sip of 16 reports it up to three
/// times, also of a channel whose peer hangs up and that goes on: the last one is of all of it.
#[derive(Debug, Default)]
pub(super) struct Voices(HashMap<ChannelKey, Voice>);

impl Voices {
    /// What is known of a channel, which is forgotten with it.
    pub(super) fn take(&mut self, channel: ChannelKey) -> Option<Voice> {
        // Most channels of a PBX without RTP have none.
        if self.0.is_empty() { None } else { self.0.remove(&channel) }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Correlator {
    pub(super) fn on_voice(&mut self, at: Stamp, report: &VoiceReport<'_>, out: &mut dyn Observe) {
        let key = self.ensure_channel(&report.channel, at, out);
        if self.channels.all[key].is_live() {
            self.voices.0.insert(key, report.voice);
        }
    }

    /// The channel has hung up.
    pub(super) fn count_voice(&mut self, key: ChannelKey, out: &mut dyn Observe) {
        let Some(voice) = self.voices.take(key) else { return };
        let Some(of) = self.voice_of(key) else { return };

        let streams = [(StreamOf::Received, voice.received), (StreamOf::Sent, voice.sent)];
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
