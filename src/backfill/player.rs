//! Plays a log through the recorder of a live exporter.

use std::collections::{HashSet, VecDeque};

use super::agents::AgentAliases;
use super::days::Days;
use super::facts::{self, facts};
use super::{BackfillError, Period, whole};
use crate::audit::{Latest, Place, Repeats};
use crate::clock::Moment;
use crate::correlator::{AgentId, Names, Observation, QueueId, RingResult};
use crate::metrics::{History, Pace};
use crate::queue_log::{Line, Verb};

/// A log that is played, line by line.
#[derive(Debug)]
pub struct Player {
    period: Period,
    pace: Pace,
    names: Names,
    aliases: AgentAliases,
    history: History,
    days: Days,
    /// The next second at which there may be samples.
    next: u64,
    /// Something was counted since the last sample.
    is_changed: bool,
    known: HashSet<QueueId>,
    members: HashSet<(QueueId, AgentId)>,
    latest: Latest,
    /// Ring attempts in vain, until it is sure that the agent did not answer after all.
    rang: VecDeque<Rang>,
    summary: Summary,
}

#[derive(Debug)]
struct Rang {
    at: Moment,
    call: Box<[u8]>,
    queue: QueueId,
    agent: AgentId,
}

/// What was done.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// How many lines were counted.
    pub lines: u64,
    /// Lines that were written later than they happened, by a step or more: they count where they
    /// are.
    pub late: u64,
    /// Lines that repeat another.
    pub repeated: u64,
    /// Queues whose service level target is not configured.
    pub untargeted: Vec<String>,
    /// How many samples were written.
    pub samples: u64,
}

impl Player {
    /// Plays a log into a history of the same pace; `names` begin with the log's queues.
    pub fn new(period: Period, pace: Pace, names: Names, history: History, days: Days) -> Self {
        Self {
            next: pace.after(pace.begin()),
            period,
            pace,
            names,
            aliases: AgentAliases::default(),
            history,
            days,
            is_changed: false,
            known: HashSet::new(),
            members: HashSet::new(),
            latest: Latest::default(),
            rang: VecDeque::new(),
            summary: Summary::default(),
        }
    }

    /// Calls agents by these aliases.
    pub fn with_aliases(self, aliases: AgentAliases) -> Self {
        Self { aliases, ..self }
    }

    /// Takes a line.
    ///
    /// # Errors
    /// A day before it cannot be written.
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), BackfillError> {
        if !self.period.has(line.at) || line.queue == b"NONE" {
            return Ok(());
        }
        if matches!(line.verb, Verb::Other(_) | Verb::AutoUnpaused) {
            return Ok(());
        }
        self.advance(line.at)?;

        let queue = self.names.queues.intern(line.queue);
        self.know_queue(queue);
        let agent = self.agent(queue, line);
        self.summary.lines += 1;

        match self.latest.take(queue.index(), line, Place::Inside) {
            Repeats::End { .. } => {
                self.summary.repeated += 1;
                return Ok(());
            }
            Repeats::RingAttempt(_) => self.take_back(line, queue, agent),
            Repeats::Nothing => {}
        }
        if line.verb == Verb::RingNoAnswer {
            self.rang.push_back(Rang { at: line.at, call: line.call.into(), queue, agent });
        }
        let Self { history, names, .. } = self;
        facts(line, queue, agent, |fact| history.observe(names, fact));
        self.is_changed = true;
        Ok(())
    }

    /// Writes what is left, up to the end of the period.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<Summary, BackfillError> {
        // A RINGNOANSWER of the last seconds can have no CONNECT any more.
        self.sure(None);
        // The exporter that goes on may have been scraped in the last second, which rounding up made:
        // a sample behind one of its own would be counted again.
        let end = self.period.to.map_or(self.next, |to| whole(to).saturating_sub(1));
        while self.next < end {
            self.step(self.next)?;
        }
        self.sample(end);
        self.summary.samples =
            self.days.finish(&mut self.history, end, self.period.to.is_some())?;
        Ok(self.summary)
    }

    /// Takes the samples before a line.
    fn advance(&mut self, at: Moment) -> Result<(), BackfillError> {
        let second = whole(at);
        // A line of the second in which a sample is taken comes after it, as in a scrape.
        while self.next <= second {
            let next = self.next;
            self.sure(Some(Moment::from_secs(next)));
            self.step(next)?;
        }
        if second + 2 * self.period.step < self.next {
            self.summary.late += 1;
        }
        self.sure(Some(at));
        Ok(())
    }

    /// Takes the samples of a second, if there are any, and has the days before it written.
    fn step(&mut self, at: u64) -> Result<(), BackfillError> {
        self.sample(at);
        self.next = self.pace.after(at);
        self.days.pass(&mut self.history, at)
    }

    fn sample(&mut self, at: u64) {
        if std::mem::take(&mut self.is_changed) {
            self.history.sample(at);
        }
    }

    /// Counts the ring attempts that nobody answered after all.
    fn sure(&mut self, now: Option<Moment>) {
        while let Some(rang) = self.rang.front()
            && now.is_none_or(|now| whole(rang.at) + DOUBT <= whole(now))
        {
            let (queue, agent, result) = (rang.queue, rang.agent, RingResult::NoAnswer);
            let fact = Observation::RingEnded { queue, agent, result, length: None };
            self.history.observe(&self.names, fact);
            self.is_changed = true;
            self.rang.pop_front();
        }
    }

    fn take_back(&mut self, line: &Line<'_>, queue: QueueId, agent: AgentId) {
        let is_it =
            |rang: &Rang| rang.queue == queue && rang.agent == agent && *rang.call == *line.call;
        if let Some(at) = self.rang.iter().rposition(is_it) {
            self.rang.remove(at);
            self.summary.repeated += 1;
        }
    }

    fn know_queue(&mut self, queue: QueueId) {
        if self.known.insert(queue) && !self.history.know_queue(&self.names, queue) {
            self.summary.untargeted.push(self.names.queues.name(queue).to_owned());
        }
    }

    fn agent(&mut self, queue: QueueId, line: &Line<'_>) -> AgentId {
        let Some(name) = facts::agent(line) else { return AgentId::NONE };
        let agent = self.names.agents.intern(self.aliases.of(name));
        if self.members.insert((queue, agent)) {
            self.history.observe(&self.names, Observation::MemberKnown { queue, agent });
        }
        agent
    }
}

/// Seconds after a RINGNOANSWER in which the agent's CONNECT may come: the two are written within
/// milliseconds.
const DOUBT: u64 = 2;
