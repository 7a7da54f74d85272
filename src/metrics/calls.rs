//! Counters and histograms of all calls and of trunks.

use std::collections::HashSet;
use std::time::Duration;

use hashbrown::DefaultHashBuilder;

use super::budget::Budget;
use super::catalogue::entry;
use super::column::Counts;
use super::endpoints::OF_TRUNK;
use super::family::{Family, Handles, One};
use super::histogram::{Distributions, Layout};
use super::labels::{
    CallHangupLabels, CallLabels, CallRingLabels, CallTalkLabels, CauseLabels, PbxLabels,
    TrunkAttemptLabels, TrunkHangupLabels,
};
use super::members::{NOBODY_AND_OTHER, SERVED_CAUSE, in_histograms};
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::{AgentHistograms, Settings, ZeroSeries};
use crate::correlator::{AgentId, CallResult, Cause, Direction, TrunkId, Word};
use crate::pbx::PbxName;

/// What is counted of the calls of all PBXs.
#[derive(Debug)]
pub(super) struct CallFamilies {
    histograms: AgentHistograms,
    zero_series: ZeroSeries,
    calls: Family<CallLabels, Counts>,
    ring: Family<CallRingLabels, Distributions>,
    talk: Family<CallTalkLabels, Distributions>,
    hangups: Family<CallHangupLabels, Counts>,
    attempts: Family<TrunkAttemptLabels, Counts>,
    attempt_hangups: Family<TrunkHangupLabels, Counts>,
    recordings: Family<PbxLabels, Counts>,
}

/// The calls of one PBX.
#[derive(Debug)]
pub(super) struct CallMetrics {
    pbx: PbxName,
    budget: Budget,
    histograms: AgentHistograms,
    zero_series: ZeroSeries,
    /// The routes that have all that a call may be counted in.
    prepared: HashSet<Route, DefaultHashBuilder>,
    calls: Handles<(Route, CallResult), CallLabels, Counts>,
    ring: Handles<(Direction, CallResult), CallRingLabels, Distributions>,
    talk: Handles<(Direction, AgentId), CallTalkLabels, Distributions>,
    hangups: Handles<(Route, CauseLabels), CallHangupLabels, Counts>,
    attempts: Handles<(TrunkId, CallResult), TrunkAttemptLabels, Counts>,
    attempt_hangups: Handles<(TrunkId, CauseLabels), TrunkHangupLabels, Counts>,
    recordings: Handles<(), PbxLabels, Counts>,
}

type Route = (Direction, AgentId, TrunkId);

/// The agent and the trunk of a call, with their labels.
#[derive(Clone, Debug)]
pub(super) struct Parties {
    pub(super) direction: Direction,
    pub(super) agent: Labelled<AgentId>,
    pub(super) trunk: Labelled<TrunkId>,
}

impl Parties {
    fn route(&self) -> Route {
        (self.direction, self.agent.id, self.trunk.id)
    }

    /// What a series of them is counted under that there is no room for.
    fn or_other(&self) -> Self {
        Self {
            direction: self.direction,
            agent: self.agent.or_other(),
            trunk: self.trunk.or_other(),
        }
    }

    fn nobody(direction: Direction) -> Self {
        Self { direction, agent: Labelled::none(), trunk: Labelled::none() }
    }
}

impl CallFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        let detail = settings.detail.without_exemplars();
        let ring = Layout::new(settings.ring_bounds(), detail);
        let talk = Layout::new(settings.agent_bounds(&settings.buckets.talk), detail);
        Self {
            histograms: settings.agent_histograms,
            zero_series: settings.zero_series,
            calls: registrar.family(const { entry("asterisk_calls_total") }),
            ring: registrar.histograms(const { entry("asterisk_call_ring_seconds") }, ring),
            talk: registrar.histograms(const { entry("asterisk_call_talk_seconds") }, talk),
            hangups: registrar.family(const { entry("asterisk_call_hangups_total") }),
            attempts: registrar.family(const { entry("asterisk_trunk_attempts_total") }),
            attempt_hangups: registrar
                .family(const { entry("asterisk_trunk_attempt_hangups_total") }),
            recordings: registrar.family(const { entry("asterisk_recordings_total") }),
        }
    }

    /// The lines of a trunk: attempts by result and by cause, and the gauges.
    pub(super) const fn trunk_lines() -> usize {
        CallResult::ALL.len() + CauseLabels::COUNT + 1 + OF_TRUNK
    }

    /// The lines of what has no agent and no trunk, or no room for its own.
    pub(super) fn kept(&self) -> usize {
        let (directions, results) = (Direction::ALL.len(), CallResult::ALL.len());
        let routes = directions * NOBODY_AND_OTHER * NO_TRUNK_AND_OTHER;
        let by_route = routes * (results + CauseLabels::COUNT);
        let ring = directions * results * self.ring.lines();
        let talk = directions * NOBODY_AND_OTHER * self.talk.lines();
        by_route + ring + talk + Self::trunk_lines() + RECORDINGS
    }

    /// The metrics of `pbx`, at zero where neither agent nor trunk need be known.
    pub(super) fn of_pbx(&self, pbx: &PbxName, budget: &Budget) -> CallMetrics {
        let mut metrics = CallMetrics {
            pbx: pbx.clone(),
            budget: budget.clone(),
            histograms: self.histograms,
            zero_series: self.zero_series,
            prepared: HashSet::default(),
            calls: self.calls.handles(),
            ring: self.ring.handles(),
            talk: self.talk.handles(),
            hangups: self.hangups.handles(),
            attempts: self.attempts.handles(),
            attempt_hangups: self.attempt_hangups.handles(),
            recordings: self.recordings.handles(),
        };

        // Calls without an agent and a trunk are known from the start; others begin with theirs.
        for &direction in Direction::ALL {
            for &result in CallResult::ALL {
                metrics.call(&Parties::nobody(direction), result);
            }
        }
        metrics.recordings();
        if self.zero_series >= ZeroSeries::Usual {
            metrics.start_all();
        }
        metrics
    }
}

impl CallMetrics {
    /// Starts at zero what any call may be counted in, without an agent and a trunk.
    fn start_all(&mut self) {
        for &direction in Direction::ALL {
            for &result in CallResult::ALL {
                self.ring(direction, result);
            }
            // It has its place already.
            self.began(&Parties::nobody(direction), |_| true);
        }
    }

    /// Starts every attempt counter of a known trunk at zero, and the calls of no agent.
    pub(super) fn trunk_known(&mut self, trunk: &Labelled<TrunkId>) {
        for &result in CallResult::ALL {
            self.attempt(trunk, result);
        }
        if self.zero_series < ZeroSeries::Usual {
            return;
        }

        for cause in Cause::all() {
            self.attempt_hangup(trunk, CauseLabels::from(cause));
        }
        let budget = self.budget.clone();
        for direction in [Direction::Inbound, Direction::Outbound] {
            let parties = Parties { direction, agent: Labelled::none(), trunk: trunk.clone() };
            self.began(&parties, |lines| budget.take_early(lines));
        }
    }

    /// Starts what a call may be counted in at zero, as far as there is `room`.
    pub(super) fn began(&mut self, parties: &Parties, room: impl Fn(usize) -> bool + Copy) {
        let route = parties.route();
        if self.prepared.contains(&route) {
            return;
        }

        // The agent of an inbound call is who answered it.
        let is_answered = parties.direction == Direction::Inbound && !parties.agent.id.is_none();
        let results = if is_answered { &[CallResult::Answered] } else { CallResult::ALL };
        let mut has_all = true;
        for &result in results {
            let labels = || call_labels(&self.pbx, parties, result);
            has_all &= self.calls.begin(room, (route, result), labels);
        }

        let causes = if is_answered { &[SERVED_CAUSE][..] } else { &CALL_CAUSES };
        for &cause in causes {
            let cause = CauseLabels::from(cause);
            let labels = || hangup_labels(&self.pbx, parties, cause);
            has_all &= self.hangups.begin(room, (route, cause), labels);
        }

        let agent = in_histograms(&parties.agent, self.histograms);
        let labels = || talk_labels(&self.pbx, parties.direction, &agent);
        has_all &= self.talk.begin(room, (parties.direction, agent.id), labels);

        // What had no room is asked for again: so no more is kept than there are series.
        if has_all {
            self.prepared.insert(route);
        }
    }

    pub(super) fn ended(&mut self, parties: &Parties, result: CallResult) {
        let labels = |parties: &Parties| call_labels(&self.pbx, parties, result);
        self.calls
            .ensure_within(
                &self.budget,
                (parties.route(), result),
                || labels(parties),
                || {
                    let other = parties.or_other();
                    ((other.route(), result), labels(&other))
                },
            )
            .inc();
    }

    pub(super) fn rang(&mut self, direction: Direction, result: CallResult, length: Duration) {
        self.ring(direction, result).observe(length.as_secs_f64());
    }

    pub(super) fn talked(
        &mut self,
        direction: Direction,
        agent: &Labelled<AgentId>,
        length: Duration,
    ) {
        let agent = in_histograms(agent, self.histograms);
        let labels = |agent: &Labelled<AgentId>| talk_labels(&self.pbx, direction, agent);
        self.talk
            .ensure_within(
                &self.budget,
                (direction, agent.id),
                || labels(&agent),
                || {
                    let other = agent.or_other();
                    ((direction, other.id), labels(&other))
                },
            )
            .observe(length.as_secs_f64());
    }

    pub(super) fn hung_up(&mut self, parties: &Parties, cause: Cause) {
        let cause = CauseLabels::from(cause);
        let labels = |parties: &Parties| hangup_labels(&self.pbx, parties, cause);
        self.hangups
            .ensure_within(
                &self.budget,
                (parties.route(), cause),
                || labels(parties),
                || {
                    let other = parties.or_other();
                    ((other.route(), cause), labels(&other))
                },
            )
            .inc();
    }

    pub(super) fn attempted(&mut self, trunk: &Labelled<TrunkId>, result: CallResult) {
        self.attempt(trunk, result).inc();
    }

    pub(super) fn attempt_hung_up(&mut self, trunk: &Labelled<TrunkId>, cause: Cause) {
        self.attempt_hangup(trunk, CauseLabels::from(cause)).inc();
    }

    pub(super) fn recording_ended(&mut self) {
        self.recordings().inc();
    }

    fn ring(&mut self, direction: Direction, result: CallResult) -> One<'_, Distributions> {
        let labels = || CallRingLabels { pbx: self.pbx.clone(), direction, result };
        self.ring.ensure((direction, result), labels)
    }

    fn attempt_hangup(&mut self, trunk: &Labelled<TrunkId>, cause: CauseLabels) -> One<'_, Counts> {
        let labels =
            || TrunkHangupLabels { pbx: self.pbx.clone(), trunk: trunk.name.clone(), cause };
        self.attempt_hangups.ensure((trunk.id, cause), labels)
    }

    fn call(&mut self, parties: &Parties, result: CallResult) -> One<'_, Counts> {
        self.calls.ensure((parties.route(), result), || call_labels(&self.pbx, parties, result))
    }

    fn attempt(&mut self, trunk: &Labelled<TrunkId>, result: CallResult) -> One<'_, Counts> {
        self.attempts.ensure((trunk.id, result), || TrunkAttemptLabels {
            pbx: self.pbx.clone(),
            trunk: trunk.name.clone(),
            result,
        })
    }

    fn recordings(&mut self) -> One<'_, Counts> {
        self.recordings.ensure((), || PbxLabels { pbx: self.pbx.clone() })
    }
}

fn call_labels(pbx: &PbxName, parties: &Parties, result: CallResult) -> CallLabels {
    CallLabels {
        pbx: pbx.clone(),
        direction: parties.direction,
        agent: parties.agent.name.clone(),
        trunk: parties.trunk.name.clone(),
        result,
    }
}

fn talk_labels(pbx: &PbxName, direction: Direction, agent: &Labelled<AgentId>) -> CallTalkLabels {
    CallTalkLabels { pbx: pbx.clone(), direction, agent: agent.name.clone() }
}

fn hangup_labels(pbx: &PbxName, parties: &Parties, cause: CauseLabels) -> CallHangupLabels {
    CallHangupLabels {
        pbx: pbx.clone(),
        direction: parties.direction,
        agent: parties.agent.name.clone(),
        trunk: parties.trunk.name.clone(),
        cause,
    }
}

/// What calls usually end with: nothing, a number that is none, hung up, busy, no answer (18, 19),
/// not registered, rejected, unreachable, and a carrier without room or out of order.
pub(super) const CALL_CAUSES: [Cause; 12] = [
    Cause(0),
    Cause(1),
    Cause(16),
    Cause(17),
    Cause(18),
    Cause(19),
    Cause(20),
    Cause(21),
    Cause(27),
    Cause(34),
    Cause(38),
    Cause(41),
];
/// The values of the label `trunk` where there is no room for the trunk's own.
const NO_TRUNK_AND_OTHER: usize = 2;
/// The counter of recordings.
const RECORDINGS: usize = 1;
