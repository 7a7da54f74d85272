//! Counters and histograms by queue: entries, how each wait ended, and how long it took.

use std::time::Duration;

use super::budget::Budget;
use super::catalogue::entry;
use super::column::Counts;
use super::family::{Family, Handles, One};
use super::histogram::{Distributions, Layout};
use super::labels::{
    AdoptedLabels, ArrivalLabels, ExitLabels, FlowLabels, PenaltyLabels, PositionLabels,
    QueueLabels, RefusalLabels,
};
use super::naming::Labelled;
use super::registrar::Registrar;
use super::settings::{Settings, ZeroSeries};
use crate::correlator::{
    AgentState, Caller, FlowBy, Outcome, Penalty, Phase, PositionAt, QueueId, Refusal, TransferTo,
    Word,
};
use crate::pbx::PbxName;

/// What is counted of the queues of all PBXs.
#[derive(Debug)]
pub(super) struct QueueFamilies {
    zero_series: ZeroSeries,
    entries: Family<QueueLabels, Counts>,
    adopted: Family<AdoptedLabels, Counts>,
    exits: Family<ExitLabels, Counts>,
    refusals: Family<RefusalLabels, Counts>,
    hold: Family<ExitLabels, Distributions>,
    position: Family<PositionLabels, Distributions>,
    answered_by: Family<PenaltyLabels, Counts>,
    answered_in_target: Family<QueueLabels, Counts>,
    abandoned_in_target: Family<QueueLabels, Counts>,
    short_abandons: Family<QueueLabels, Counts>,
    arrivals: Family<ArrivalLabels, Counts>,
    flows: Family<FlowLabels, Counts>,
    recorded_calls: Family<QueueLabels, Counts>,
}

/// The queues of one PBX.
#[derive(Debug)]
pub(super) struct QueueMetrics {
    pbx: PbxName,
    zero_series: ZeroSeries,
    budget: Budget,
    /// The queues between which the ways begin at zero; empty where they begin with the event.
    joined: Vec<Labelled<QueueId>>,
    entries: Handles<QueueId, QueueLabels, Counts>,
    adopted: Handles<(QueueId, Phase), AdoptedLabels, Counts>,
    exits: Handles<(QueueId, Outcome), ExitLabels, Counts>,
    refusals: Handles<(QueueId, Refusal), RefusalLabels, Counts>,
    hold: Handles<(QueueId, Outcome), ExitLabels, Distributions>,
    position: Handles<(QueueId, PositionAt), PositionLabels, Distributions>,
    answered_by: Handles<(QueueId, Penalty), PenaltyLabels, Counts>,
    answered_in_target: Handles<QueueId, QueueLabels, Counts>,
    abandoned_in_target: Handles<QueueId, QueueLabels, Counts>,
    short_abandons: Handles<QueueId, QueueLabels, Counts>,
    arrivals: Handles<(QueueId, TransferTo), ArrivalLabels, Counts>,
    flows: Handles<(QueueId, QueueId, FlowBy), FlowLabels, Counts>,
    recorded_calls: Handles<QueueId, QueueLabels, Counts>,
}

/// A wait that ended, and what it is measured by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) outcome: Outcome,
    pub(super) hold: Option<Duration>,
    pub(super) target: Option<Duration>,
    pub(super) short_abandon: Duration,
}

impl Wait {
    /// The same comparison as the bucket's: a wait of exactly the target is within it.
    pub(super) fn in_target(&self) -> bool {
        self.hold.zip(self.target).is_some_and(|(hold, target)| hold <= target)
    }
}

impl QueueFamilies {
    pub(super) fn new(registrar: &mut Registrar, settings: &Settings) -> Self {
        Self {
            zero_series: settings.zero_series,
            entries: registrar.family(const { entry("asterisk_queue_entries_total") }),
            adopted: registrar.family(const { entry("asterisk_queue_adopted_total") }),
            exits: registrar.family(const { entry("asterisk_queue_exits_total") }),
            refusals: registrar.family(const { entry("asterisk_queue_refusals_total") }),
            hold: registrar.histograms(
                const { entry("asterisk_queue_hold_seconds") },
                Layout::new(settings.hold_bounds(), settings.detail),
            ),
            position: registrar.histograms(
                const { entry("asterisk_queue_position") },
                Layout::new(POSITIONS.into(), settings.detail.without_exemplars()),
            ),
            answered_by: registrar
                .family(const { entry("asterisk_queue_answered_by_penalty_total") }),
            answered_in_target: registrar
                .family(const { entry("asterisk_queue_answered_in_target_total") }),
            abandoned_in_target: registrar
                .family(const { entry("asterisk_queue_abandoned_in_target_total") }),
            short_abandons: registrar
                .family(const { entry("asterisk_queue_short_abandons_total") }),
            arrivals: registrar.family(const { entry("asterisk_queue_transfer_arrivals_total") }),
            flows: registrar.family(const { entry("asterisk_queue_flows_total") }),
            recorded_calls: registrar
                .family(const { entry("asterisk_queue_recorded_calls_total") }),
        }
    }

    /// The lines of a queue and of its hold times, gauges included.
    pub(super) fn lines(&self) -> usize {
        let counters = SINGLE
            + Phase::ALL.len()
            + Outcome::ALL.len()
            + KNOWN_REFUSALS
            + Penalty::ALL.len()
            + TransferTo::ALL.len();
        let gauges = GAUGES + AgentState::ALL.len();
        let positions = PositionAt::ALL.len() * self.position.lines();
        counters + gauges + positions + (Outcome::ALL.len() - 1) * self.hold.lines()
    }

    /// The lines of the queues that there is no room for, of the ways between queues that have none,
    /// and of queues that do not exist.
    pub(super) fn kept(&self) -> usize {
        self.lines() + 1 + FlowBy::ALL.len()
    }

    /// The metrics of `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName, budget: &Budget) -> QueueMetrics {
        let mut metrics = QueueMetrics {
            pbx: pbx.clone(),
            zero_series: self.zero_series,
            budget: budget.clone(),
            joined: Vec::new(),
            entries: self.entries.handles(),
            adopted: self.adopted.handles(),
            exits: self.exits.handles(),
            refusals: self.refusals.handles(),
            hold: self.hold.handles(),
            position: self.position.handles(),
            answered_by: self.answered_by.handles(),
            answered_in_target: self.answered_in_target.handles(),
            abandoned_in_target: self.abandoned_in_target.handles(),
            short_abandons: self.short_abandons.handles(),
            arrivals: self.arrivals.handles(),
            flows: self.flows.handles(),
            recorded_calls: self.recorded_calls.handles(),
        };

        // A queue that does not exist is never reported as known.
        metrics.refusal(&Labelled::none(), Refusal::UnknownQueue);
        metrics
    }
}

impl QueueMetrics {
    /// Starts everything of a known queue at zero.
    pub(super) fn known(&mut self, queue: &Labelled<QueueId>) {
        let single = [
            &mut self.entries,
            &mut self.answered_in_target,
            &mut self.abandoned_in_target,
            &mut self.short_abandons,
            &mut self.recorded_calls,
        ];
        for counters in single {
            counters.ensure(queue.id, || by_queue(&self.pbx, queue));
        }

        for &phase in Phase::ALL {
            self.adoption(queue, phase);
        }
        for &to in TransferTo::ALL {
            self.arrival(queue, to);
        }
        for &penalty in Penalty::ALL {
            self.answer(queue, penalty);
        }
        for &outcome in Outcome::ALL {
            self.exit(queue, outcome);
        }
        // An unknown queue is counted under the empty name only.
        for &reason in Refusal::ALL.iter().filter(|reason| **reason != Refusal::UnknownQueue) {
            self.refusal(queue, reason);
        }

        if self.zero_series >= ZeroSeries::Usual {
            for &outcome in Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::Lost) {
                self.hold(queue, outcome);
            }
            for &at in PositionAt::ALL {
                self.position(queue, at);
            }
        }
    }

    pub(super) fn entered(&mut self, queue: &Labelled<QueueId>) {
        self.entries.ensure(queue.id, || by_queue(&self.pbx, queue)).inc();
    }

    pub(super) fn adopted(&mut self, queue: &Labelled<QueueId>, phase: Phase) {
        self.adoption(queue, phase).inc();
    }

    pub(super) fn refused(&mut self, queue: &Labelled<QueueId>, reason: Refusal) {
        self.refusal(queue, reason).inc();
    }

    pub(super) fn recorded(&mut self, queue: &Labelled<QueueId>) {
        self.recorded_calls.ensure(queue.id, || by_queue(&self.pbx, queue)).inc();
    }

    /// A wait ended; `of` is the caller whose call may become its exemplar.
    pub(super) fn exited(&mut self, queue: &Labelled<QueueId>, wait: Wait, of: Option<Caller<'_>>) {
        let Wait { outcome, hold, target: _, short_abandon } = wait;
        self.exit(queue, outcome).inc();

        // How long a lost caller waited is unknown, whatever the observation has.
        let Some(hold) = hold.filter(|_| outcome != Outcome::Lost) else { return };
        self.hold(queue, outcome).observe_of(hold.as_secs_f64(), of);

        let in_target = wait.in_target();
        let labels = || by_queue(&self.pbx, queue);
        if outcome == Outcome::Answered && in_target {
            self.answered_in_target.ensure(queue.id, labels).inc();
        }
        if outcome == Outcome::Abandoned && in_target {
            self.abandoned_in_target.ensure(queue.id, labels).inc();
        }
        if outcome == Outcome::Abandoned && hold <= short_abandon {
            self.short_abandons.ensure(queue.id, labels).inc();
        }
    }

    /// A member with a penalty answered.
    pub(super) fn answered_by(&mut self, queue: &Labelled<QueueId>, penalty: Penalty) {
        self.answer(queue, penalty).inc();
    }

    /// A caller was in a place of the queue.
    pub(super) fn positioned(&mut self, queue: &Labelled<QueueId>, at: PositionAt, position: u32) {
        self.position(queue, at).observe(position.into());
    }

    fn position(&mut self, queue: &Labelled<QueueId>, at: PositionAt) -> One<'_, Distributions> {
        self.position.ensure((queue.id, at), || PositionLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            at,
        })
    }

    fn answer(&mut self, queue: &Labelled<QueueId>, penalty: Penalty) -> One<'_, Counts> {
        self.answered_by.ensure((queue.id, penalty), || PenaltyLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            penalty,
        })
    }

    /// A transferred call arrived.
    pub(super) fn arrived(&mut self, queue: &Labelled<QueueId>, to: TransferTo) {
        self.arrival(queue, to).inc();
    }

    /// A caller went from one queue to another.
    pub(super) fn flowed(&mut self, queue: &Labelled<QueueId>, to: &Labelled<QueueId>, by: FlowBy) {
        self.flows
            .ensure_within(
                &self.budget,
                (queue.id, to.id, by),
                || flow_labels(&self.pbx, queue, to, by),
                || {
                    let other = Labelled::other();
                    ((other.id, other.id, by), flow_labels(&self.pbx, &other, &other, by))
                },
            )
            .inc();
    }

    /// Starts the ways between a queue and those before it at zero, as far as there is `room`; of many
    /// queues, only those between the first.
    pub(super) fn join(&mut self, queue: &Labelled<QueueId>, room: impl Fn(usize) -> bool + Copy) {
        if self.joined.len() >= JOINED || self.joined.iter().any(|known| known.id == queue.id) {
            return;
        }
        self.joined.push(queue.clone());
        for other in &self.joined {
            for &by in FlowBy::ALL {
                for (queue, to) in [(queue, other), (other, queue)] {
                    let labels = || flow_labels(&self.pbx, queue, to, by);
                    self.flows.begin(room, (queue.id, to.id, by), labels);
                }
            }
        }
    }

    fn arrival(&mut self, queue: &Labelled<QueueId>, to: TransferTo) -> One<'_, Counts> {
        self.arrivals.ensure((queue.id, to), || ArrivalLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            to,
        })
    }

    fn adoption(&mut self, queue: &Labelled<QueueId>, phase: Phase) -> One<'_, Counts> {
        self.adopted.ensure((queue.id, phase), || AdoptedLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            phase,
        })
    }

    fn exit(&mut self, queue: &Labelled<QueueId>, outcome: Outcome) -> One<'_, Counts> {
        self.exits.ensure((queue.id, outcome), || ExitLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            outcome,
        })
    }

    fn hold(&mut self, queue: &Labelled<QueueId>, outcome: Outcome) -> One<'_, Distributions> {
        self.hold.ensure((queue.id, outcome), || ExitLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            outcome,
        })
    }

    fn refusal(&mut self, queue: &Labelled<QueueId>, reason: Refusal) -> One<'_, Counts> {
        self.refusals.ensure((queue.id, reason), || RefusalLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            reason,
        })
    }
}

/// Places: the next one, and how long queues are that callers leave again.
const POSITIONS: [f64; 6] = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0];
/// Between so many queues all ways start at zero: their number grows with the square.
const JOINED: usize = 50;
/// Counters without a label besides the queue's.
const SINGLE: usize = 5;
/// Refusals that a queue that exists can have.
const KNOWN_REFUSALS: usize = Refusal::ALL.len() - 1;
/// Callers waiting and talking, the longest wait, the target, the agents needed, the group; and the
/// agents in each state.
const GAUGES: usize = 6;

fn flow_labels(
    pbx: &PbxName,
    queue: &Labelled<QueueId>,
    to: &Labelled<QueueId>,
    by: FlowBy,
) -> FlowLabels {
    FlowLabels { pbx: pbx.clone(), queue: queue.name.clone(), to_queue: to.name.clone(), by }
}

fn by_queue(pbx: &PbxName, queue: &Labelled<QueueId>) -> QueueLabels {
    QueueLabels { pbx: pbx.clone(), queue: queue.name.clone() }
}
