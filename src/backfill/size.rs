//! About how much will be written, before it is: people have disks of a size.

use std::collections::{BTreeMap, BTreeSet};

use super::whole;
use crate::correlator::Names;
use crate::metrics::{Pace, Settings, Target};
use crate::queue_log::{Line, Verb};

/// How much is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size {
    /// Samples of all series.
    pub samples: u64,
    /// Of all files.
    pub bytes: u64,
}

/// What decides about it.
#[derive(Debug)]
pub(super) struct Sizes {
    pace: Pace,
    by_agent: bool,
    names: Names,
    queues: Vec<Calls>,
}

/// The calls of a queue.
#[derive(Debug, Default)]
struct Calls {
    /// How long its name is.
    name: usize,
    /// Its steps with a sample for the calls around them, and up to when these are counted.
    steps: u64,
    until: u64,
    /// The outcomes of waits, each with a histogram.
    outcomes: BTreeSet<&'static str>,
    /// Agents, and whether they answered anybody.
    agents: BTreeMap<Box<[u8]>, bool>,
    entries: bool,
    abandons: bool,
}

impl Sizes {
    pub(super) fn new(pace: Pace, by_agent: bool) -> Self {
        Self { pace, by_agent, names: Names::default(), queues: Vec::new() }
    }

    /// Takes a line that is counted, and the agent whom it is about.
    pub(super) fn add(&mut self, line: &Line<'_>, agent: Option<&[u8]>) {
        let queue = self.names.queues.intern(line.queue).index();
        if queue >= self.queues.len() {
            self.queues.resize_with(queue + 1, Calls::default);
        }

        let calls = &mut self.queues[queue];
        calls.name = line.queue.len();
        calls.change(self.pace, self.pace.after(whole(line.at)));
        calls.outcomes.extend(outcome(line.verb));
        calls.entries |= matches!(line.verb, Verb::Entered { .. });
        calls.abandons |= matches!(line.verb, Verb::Abandoned { .. });
        if let Some(agent) = agent {
            let agent = if self.by_agent { agent } else { b"" };
            let answers = matches!(line.verb, Verb::Connected { .. });
            match calls.agents.get_mut(agent) {
                Some(answered) => *answered |= answers,
                None => drop(calls.agents.insert(agent.into(), answers)),
            }
        }
    }

    /// For the time from the beginning of `pace` to the second `end`.
    pub(super) fn of(&self, settings: &Settings, target: &Target, pace: Pace, end: u64) -> Size {
        let seconds = end.saturating_sub(pace.begin());
        let of_target = target.pbx.as_str().len() + target.job.len() + target.instance.len();

        let mut size = Size { samples: 0, bytes: 0 };
        for calls in &self.queues {
            let lines = calls.lines(settings);
            if lines == 0 {
                continue;
            }
            let steps = calls.steps.min(seconds / pace.step());
            let quiet = (seconds - steps * pace.step()) / pace.beat();
            let samples = lines * (steps + quiet);
            let length = LINE + of_target + calls.name + calls.length_of_agents();
            size.samples += samples;
            size.bytes += samples * length as u64;
        }
        size
    }
}

impl Calls {
    /// Something changes at a step: a late line adds nothing.
    fn change(&mut self, pace: Pace, at: u64) {
        let from = at.saturating_sub(pace.lead()).max(self.until);
        let until = at + pace.lead() + pace.step();
        self.steps += until.saturating_sub(from) / pace.step();
        self.until = self.until.max(until);
    }

    /// How many lines of a page the queue has.
    fn lines(&self, settings: &Settings) -> u64 {
        if self.until == 0 {
            return 0;
        }
        let [hold, talk, ring] =
            [&settings.buckets.hold, &settings.buckets.talk, &settings.buckets.ring]
                .map(|bounds| bounds.len() + FRAME);
        let positions = [self.entries, self.abandons].map(|has| usize::from(has) * POSITION);
        let talkers = self.agents.values().filter(|answered| **answered).count();
        let lines = OF_QUEUE
            + positions.iter().sum::<usize>()
            + self.outcomes.len() * hold
            + self.agents.len() * OF_AGENT
            + talkers * (talk + ring);
        lines as u64
    }

    /// About half of the lines have the label.
    fn length_of_agents(&self) -> usize {
        let all: usize = self.agents.keys().map(|agent| agent.len()).sum();
        all / self.agents.len().max(1) / 2
    }
}

fn outcome(verb: Verb<'_>) -> Option<&'static str> {
    Some(match verb {
        Verb::Connected { .. } => "answered",
        Verb::Abandoned { .. } => "abandoned",
        Verb::TimedOut => "timeout",
        Verb::LeftEmpty => "leave_empty",
        Verb::Withdrawn => "withdrawn",
        Verb::PressedKey => "exit_key",
        _ => return None,
    })
}

/// Sum, count and the last bucket.
const FRAME: usize = 3;
/// Counters of a queue: entries, exits by outcome, short abandons, and those with a target.
const OF_QUEUE: usize = 12;
/// Positions of callers.
const POSITION: usize = 9 + FRAME;
/// Counters of an agent in a queue: rings, completions, dumps and pauses.
const OF_AGENT: usize = 8;
/// About how long a line is without the names of PBX, queue, agent, job and instance.
const LINE: usize = 110;
