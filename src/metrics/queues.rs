//! What is counted by queue: who came, how each wait ended, and how long it took.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::catalogue::entry;
use super::labels::{AdoptedLabels, ExitLabels, QueueLabels, QueueName, RefusalLabels};
use super::naming::Shown;
use super::settings::Settings;
use super::shelf::{Histograms, Kept, Shelf};
use crate::correlator::{Caller, Outcome, Phase, QueueId, Refusal, Word};
use crate::pbx::PbxName;

/// The queues of one PBX.
#[derive(Clone, Debug)]
pub(super) struct QueueMetrics {
    pbx: PbxName,
    short_abandon: Duration,
    entries: Kept<QueueId, QueueLabels, Counter>,
    adopted: Kept<(QueueId, Phase), AdoptedLabels, Counter>,
    exits: Kept<(QueueId, Outcome), ExitLabels, Counter>,
    refusals: Kept<(QueueId, Refusal), RefusalLabels, Counter>,
    hold: Histograms<(QueueId, Outcome), ExitLabels>,
    answered_in_target: Kept<QueueId, QueueLabels, Counter>,
    abandoned_in_target: Kept<QueueId, QueueLabels, Counter>,
    short_abandons: Kept<QueueId, QueueLabels, Counter>,
    recorded_calls: Kept<QueueId, QueueLabels, Counter>,
}

/// A wait that ended, and the target it is measured by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) outcome: Outcome,
    pub(super) hold: Option<Duration>,
    pub(super) target: Option<Duration>,
}

impl QueueMetrics {
    pub(super) fn new(shelf: &mut Shelf, settings: &Settings) -> Self {
        Self {
            pbx: PbxName::new(""),
            short_abandon: settings.short_abandon,
            entries: shelf.kept(const { entry("asterisk_queue_entries_total") }),
            adopted: shelf.kept(const { entry("asterisk_queue_adopted_total") }),
            exits: shelf.kept(const { entry("asterisk_queue_exits_total") }),
            refusals: shelf.kept(const { entry("asterisk_queue_refusals_total") }),
            hold: shelf.histograms(
                const { entry("asterisk_queue_hold_seconds") },
                settings.hold_bounds(),
                settings.detail,
            ),
            answered_in_target: shelf
                .kept(const { entry("asterisk_queue_answered_in_target_total") }),
            abandoned_in_target: shelf
                .kept(const { entry("asterisk_queue_abandoned_in_target_total") }),
            short_abandons: shelf.kept(const { entry("asterisk_queue_short_abandons_total") }),
            recorded_calls: shelf.kept(const { entry("asterisk_queue_recorded_calls_total") }),
        }
    }

    /// The same metrics for `pbx`.
    pub(super) fn of_pbx(&self, pbx: &PbxName) -> Self {
        let mut metrics = Self { pbx: pbx.clone(), ..self.clone() };
        let nowhere = Shown { id: QueueId::NONE, name: QueueName::new(""), folded: false };
        metrics.refusal(&nowhere, Refusal::UnknownQueue);
        metrics
    }

    /// Everything of a known queue stands at zero.
    pub(super) fn known(&mut self, queue: &Shown<QueueId>) {
        let single = [
            &mut self.entries,
            &mut self.answered_in_target,
            &mut self.abandoned_in_target,
            &mut self.short_abandons,
            &mut self.recorded_calls,
        ];
        for counters in single {
            counters.of(queue.id, || by_queue(&self.pbx, queue));
        }
        for &phase in Phase::ALL {
            self.adoption(queue, phase);
        }
        for &outcome in Outcome::ALL {
            self.exit(queue, outcome);
        }
        // An unknown queue has no name to stand under.
        for &reason in Refusal::ALL.iter().filter(|reason| **reason != Refusal::UnknownQueue) {
            self.refusal(queue, reason);
        }
    }

    pub(super) fn entered(&mut self, queue: &Shown<QueueId>) {
        self.entries.of(queue.id, || by_queue(&self.pbx, queue)).inc();
    }

    pub(super) fn adopted(&mut self, queue: &Shown<QueueId>, phase: Phase) {
        self.adoption(queue, phase).inc();
    }

    pub(super) fn refused(&mut self, queue: &Shown<QueueId>, reason: Refusal) {
        self.refusal(queue, reason).inc();
    }

    pub(super) fn recorded(&mut self, queue: &Shown<QueueId>) {
        self.recorded_calls.of(queue.id, || by_queue(&self.pbx, queue)).inc();
    }

    /// A wait ended; `of` is who may be shown as an example of it.
    pub(super) fn exited(&mut self, queue: &Shown<QueueId>, wait: Wait, of: Option<Caller<'_>>) {
        let Wait { outcome, hold, target } = wait;
        self.exit(queue, outcome).inc();
        // How long a lost caller waited nobody knows, whatever the observation says.
        let Some(hold) = hold.filter(|_| outcome != Outcome::Lost) else { return };
        let labels = || ExitLabels { pbx: self.pbx.clone(), queue: queue.name.clone(), outcome };
        self.hold.of((queue.id, outcome), labels).observe_of(hold.as_secs_f64(), of);

        let in_target = target.is_some_and(|target| hold <= target);
        let labels = || by_queue(&self.pbx, queue);
        if outcome == Outcome::Answered && in_target {
            self.answered_in_target.of(queue.id, labels).inc();
        }
        if outcome == Outcome::Abandoned && in_target {
            self.abandoned_in_target.of(queue.id, labels).inc();
        }
        if outcome == Outcome::Abandoned && hold <= self.short_abandon {
            self.short_abandons.of(queue.id, labels).inc();
        }
    }

    fn adoption(&mut self, queue: &Shown<QueueId>, phase: Phase) -> &Counter {
        self.adopted.of((queue.id, phase), || AdoptedLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            phase,
        })
    }

    fn exit(&mut self, queue: &Shown<QueueId>, outcome: Outcome) -> &Counter {
        self.exits.of((queue.id, outcome), || ExitLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            outcome,
        })
    }

    fn refusal(&mut self, queue: &Shown<QueueId>, reason: Refusal) -> &Counter {
        self.refusals.of((queue.id, reason), || RefusalLabels {
            pbx: self.pbx.clone(),
            queue: queue.name.clone(),
            reason,
        })
    }
}

fn by_queue(pbx: &PbxName, queue: &Shown<QueueId>) -> QueueLabels {
    QueueLabels { pbx: pbx.clone(), queue: queue.name.clone() }
}
