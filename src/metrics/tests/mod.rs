//! Exact numbers, as a scrape shows them.

use std::time::Duration;

use super::part::Chosen;
use super::snapshot::Values;
use super::*;
use crate::correlator::{
    AgentId, AgentNow, AgentState, Names, Observation, Observe, QueueId, ReasonId, State,
};

mod agents;
mod board;
mod calls;
mod contract;
mod demand;
mod groups;
mod histograms;
mod limits;
mod queues;
mod self_metrics;
mod starts;
mod voice;
mod zero;

/// One PBX called `hq`, seen by nobody but the test.
pub(super) struct Bench {
    pub(super) names: Names,
    pub(super) metrics: Metrics,
    pub(super) recorder: Recorder,
    pub(super) state: State,
}

impl Bench {
    pub(super) fn new(settings: Settings) -> Self {
        Self::of(Metrics::new(settings))
    }

    pub(super) fn of(metrics: Metrics) -> Self {
        let recorder = metrics.recorder(&PbxName::new("hq"));
        Self { names: Names::default(), metrics, recorder, state: State::default() }
    }

    pub(super) fn queue(&mut self, name: &str) -> QueueId {
        self.names.queues.intern(name.as_bytes())
    }

    pub(super) fn agent(&mut self, name: &str) -> AgentId {
        self.names.agents.intern(name.as_bytes())
    }

    pub(super) fn see(&mut self, seen: Observation) {
        self.recorder.observe(&self.names, seen, None);
    }

    /// The numbers of what was seen and of `self.state`.
    pub(super) fn snapshot(&mut self) -> Snapshot {
        let state = PbxState::new(self.state.clone(), &self.names, &mut self.recorder);
        self.metrics.snapshot(vec![state])
    }

    pub(super) fn scrape(&mut self, format: Format) -> Scrape {
        Scrape(self.snapshot().text(&Part::All, format))
    }

    pub(super) fn protobuf(&mut self) -> Vec<u8> {
        self.snapshot().named().write(Exposition::Protobuf, &Part::All)
    }

    pub(super) fn text(&mut self) -> Scrape {
        self.scrape(Format::Text)
    }
}

/// What a scrape answered.
pub(super) struct Scrape(pub(super) String);

impl Scrape {
    /// The value of a sample, written as in the text but for the `pbx`, which is `hq`.
    pub(super) fn of(&self, sample: &str) -> Option<f64> {
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        let comma = if labels == "}" { "" } else { "," };
        let line = match labels.strip_prefix("le=") {
            Some(rest) => {
                let (bound, labels) = rest.split_once(',').expect("a bucket has labels besides le");
                format!("{name}{{le={bound},pbx=\"hq\",{labels} ")
            }
            None => format!("{name}{{pbx=\"hq\"{comma}{labels} "),
        };
        let value = self.0.lines().find_map(|text| text.strip_prefix(&line))?;
        Some(value.parse().expect("a sample ends with a number"))
    }

    /// All samples of a metric added up, `None` if there are none.
    pub(super) fn sum(&self, name: &str) -> Option<f64> {
        let values = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once(' '));
        values
            .map(|(_, value)| value.parse::<f64>().expect("a sample ends with a number"))
            .reduce(|a, b| a + b)
    }
}

/// An agent of whom only the state is known.
pub(super) const fn doing(agent: AgentId, state: AgentState) -> AgentNow {
    let (since, talk_since, login, last_call) = (None, None, None, None);
    AgentNow {
        agent,
        state,
        reason: ReasonId::NONE,
        busy: None,
        since,
        talk_since,
        login,
        last_call,
    }
}

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
