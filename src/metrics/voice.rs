//! Histograms of the sound of trunks' and agents' channels.
//!
//! They begin with the first measurement: where a PBX reports none, there are none.

use std::hash::Hash;

use super::budget::Budget;
use super::catalogue::entry;
use super::family::{Family, Handles};
use super::histogram::{Distributions, Layout};
use super::labels::{AgentLabels, AgentStreamLabels, Labels, TrunkLabels, TrunkStreamLabels};
use super::members::{NOBODY_AND_OTHER, in_histograms};
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::{AgentHistograms, Settings};
use crate::correlator::{AgentId, Id, StreamOf, TrunkId, VoiceMeasure, Word};
use crate::pbx::PbxName;

/// The sound of all PBXs.
#[derive(Debug)]
pub(super) struct VoiceFamilies {
    histograms: AgentHistograms,
    trunks: Families<TrunkStreamLabels, TrunkLabels>,
    agents: Families<AgentStreamLabels, AgentLabels>,
}

/// The sound of one PBX.
#[derive(Debug)]
pub(super) struct VoiceMetrics {
    pbx: PbxName,
    budget: Budget,
    histograms: AgentHistograms,
    trunks: Measured<TrunkId, TrunkStreamLabels, TrunkLabels>,
    agents: Measured<AgentId, AgentStreamLabels, AgentLabels>,
}

/// What is measured, with labels `S` of a stream and `L` of both.
#[derive(Debug)]
struct Families<S, L> {
    jitter: Family<S, Distributions>,
    loss: Family<S, Distributions>,
    score: Family<L, Distributions>,
    round_trip: Family<L, Distributions>,
}

/// The same of one PBX, by the id of whose it is.
#[derive(Debug)]
struct Measured<I, S, L> {
    jitter: Handles<(I, StreamOf), S, Distributions>,
    loss: Handles<(I, StreamOf), S, Distributions>,
    score: Handles<I, L, Distributions>,
    round_trip: Handles<I, L, Distributions>,
}

impl VoiceFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        let detail = settings.detail.without_exemplars();
        let full = |bounds: &[f64]| Layout::new(bounds.to_vec(), detail);
        let of_agents = |bounds: &[f64]| Layout::new(settings.agent_bounds(bounds), detail);
        let trunks = Families {
            jitter: registrar
                .histograms(const { entry("asterisk_trunk_voice_jitter_seconds") }, full(&JITTER)),
            loss: registrar
                .histograms(const { entry("asterisk_trunk_voice_loss_ratio") }, full(&LOSS)),
            score: registrar
                .histograms(const { entry("asterisk_trunk_voice_score") }, full(&SCORE)),
            round_trip: registrar.histograms(
                const { entry("asterisk_trunk_voice_round_trip_seconds") },
                full(&ROUND_TRIP),
            ),
        };
        let agents = Families {
            jitter: registrar.histograms(
                const { entry("asterisk_agent_voice_jitter_seconds") },
                of_agents(&JITTER),
            ),
            loss: registrar
                .histograms(const { entry("asterisk_agent_voice_loss_ratio") }, of_agents(&LOSS)),
            score: registrar
                .histograms(const { entry("asterisk_agent_voice_score") }, of_agents(&SCORE)),
            round_trip: registrar.histograms(
                const { entry("asterisk_agent_voice_round_trip_seconds") },
                of_agents(&ROUND_TRIP),
            ),
        };
        Self { histograms: settings.agent_histograms, trunks, agents }
    }

    /// The lines of the trunks and agents that there is no room for, and of agents without a name.
    pub(super) fn kept(&self) -> usize {
        self.trunks.lines() + NOBODY_AND_OTHER * self.agents.lines()
    }

    /// The metrics of `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName, budget: &Budget) -> VoiceMetrics {
        VoiceMetrics {
            pbx: pbx.clone(),
            budget: budget.clone(),
            histograms: self.histograms,
            trunks: self.trunks.of_pbx(),
            agents: self.agents.of_pbx(),
        }
    }
}

impl VoiceMetrics {
    pub(super) fn of_trunk(&mut self, trunk: &Labelled<TrunkId>, measure: VoiceMeasure) {
        let of_stream = |trunk: &Labelled<TrunkId>, stream| TrunkStreamLabels {
            pbx: self.pbx.clone(),
            trunk: trunk.name.clone(),
            stream,
        };
        let of_both = |trunk: &Labelled<TrunkId>| TrunkLabels {
            pbx: self.pbx.clone(),
            trunk: trunk.name.clone(),
        };
        self.trunks.observe(&self.budget, trunk, measure, of_stream, of_both);
    }

    pub(super) fn of_agent(&mut self, agent: &Labelled<AgentId>, measure: VoiceMeasure) {
        let agent = in_histograms(agent, self.histograms);
        let of_stream = |agent: &Labelled<AgentId>, stream| AgentStreamLabels {
            pbx: self.pbx.clone(),
            agent: agent.name.clone(),
            stream,
        };
        let of_both = |agent: &Labelled<AgentId>| AgentLabels {
            pbx: self.pbx.clone(),
            agent: agent.name.clone(),
        };
        self.agents.observe(&self.budget, &agent, measure, of_stream, of_both);
    }
}

impl<S: Labels, L: Labels> Families<S, L> {
    fn lines(&self) -> usize {
        let of_stream = self.jitter.lines() + self.loss.lines();
        StreamOf::ALL.len() * of_stream + self.round_trip.lines() + self.score.lines()
    }

    fn of_pbx<I>(&self) -> Measured<I, S, L> {
        Measured {
            jitter: self.jitter.handles(),
            loss: self.loss.handles(),
            score: self.score.handles(),
            round_trip: self.round_trip.handles(),
        }
    }
}

impl<K, S: Labels, L: Labels> Measured<Id<K>, S, L>
where
    Id<K>: Copy + Eq + Hash,
{
    /// Counts a measurement under `one`, or `other` if there is no room.
    fn observe(
        &mut self,
        budget: &Budget,
        one: &Labelled<Id<K>>,
        measure: VoiceMeasure,
        of_stream: impl Fn(&Labelled<Id<K>>, StreamOf) -> S,
        of_both: impl Fn(&Labelled<Id<K>>) -> L,
    ) {
        let other = one.or_other();
        let (histograms, stream, value) = match measure {
            VoiceMeasure::Jitter(stream, jitter) => {
                (&mut self.jitter, stream, jitter.as_secs_f64())
            }
            VoiceMeasure::Loss(stream, loss) => (&mut self.loss, stream, loss),
            VoiceMeasure::RoundTrip(length) => {
                let other = || (other.id, of_both(&other));
                let series = self.round_trip.ensure_within(budget, one.id, || of_both(one), other);
                return series.observe(length.as_secs_f64());
            }
            VoiceMeasure::Score(score) => {
                let other = || (other.id, of_both(&other));
                return self
                    .score
                    .ensure_within(budget, one.id, || of_both(one), other)
                    .observe(score);
            }
        };
        let labels = || of_stream(one, stream);
        let other = || ((other.id, stream), of_stream(&other, stream));
        histograms.ensure_within(budget, (one.id, stream), labels, other).observe(value);
    }
}

/// In seconds.  Below 20 ms a phone's buffer takes it; beyond 50 ms packets come too late to be heard.
const JITTER: [f64; 7] = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
/// One percent is heard by nobody, 5 % by everybody.
const LOSS: [f64; 8] = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
/// In seconds.  Up to 300 ms people do not notice it (ITU-T G.114: 150 ms in each direction).
const ROUND_TRIP: [f64; 8] = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0];
/// Twenty times the MOS that Asterisk estimates: below 60 is poor, and no score is above 90.
const SCORE: [f64; 8] = [40.0, 50.0, 60.0, 65.0, 70.0, 75.0, 80.0, 85.0];
