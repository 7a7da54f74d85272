//! The rows of one queue, with the calls behind each difference.

use std::collections::BTreeMap;

use super::compare::{Late, compare_call, compare_queue};
use super::comparison::Comparison;
use super::queue::Queue;
use super::report::{CallRow, Figures, ReportRow, State, What};
use super::row::{Row, SumRow};
use super::subject::{Apart, Position, Reason, Subject};

/// A queue that was compared.
pub(super) struct QueueRows {
    name: Box<str>,
    sum: Comparison,
    calls: BTreeMap<What, (Vec<CallRow>, u64)>,
}

impl QueueRows {
    /// Compares each call of a queue, and the rest as a whole.
    pub(super) fn new(queue: Queue, late: &mut Late, gaps: bool, by_call: bool) -> Self {
        let mut this =
            Self { name: queue.name, sum: Comparison::default(), calls: BTreeMap::new() };
        for (call, sides) in queue.calls {
            this.add_call(&call, &compare_call(&sides.logged, &sides.counted, gaps));
        }

        let mut whole = compare_queue(&queue.whole.logged, &queue.whole.counted, late, gaps);
        if by_call {
            // What belongs to no call was not seen whole: the capture began in its middle.
            whole.hold.lacking = 0;
            whole.talk.lacking = 0;
        }
        this.sum.add_whole(&whole);
        this
    }

    fn add_call(&mut self, call: &[u8], comparison: &Comparison) {
        self.sum.add(comparison);

        // Most calls of a capture are equal, and would hide the others in a report.
        let differing = figures(comparison).filter(|(_, _, state)| *state != State::Equal);
        for (what, figures, state) in differing {
            let (calls, more) = self.calls.entry(what).or_default();
            if calls.len() < CALLS_MAX {
                let uniqueid = String::from_utf8_lossy(call).into_owned();
                calls.push(CallRow { uniqueid, figures, state });
            } else {
                *more += 1;
            }
        }
    }

    /// Lines and counts at the window's edges that the other side does not have.
    pub(super) fn left_out(&self) -> u64 {
        self.sum.left_out
    }

    /// Every figure that is not zero on both sides.
    pub(super) fn rows(mut self) -> Vec<ReportRow> {
        let queue = self.name.into_string();

        figures(&self.sum)
            .filter(|(_, figures, state)| *state == State::Differs || !figures.are_zero())
            .map(|(what, figures, state)| {
                // Calls that agree are no reason for a row that differs.
                let (mut calls, more_calls) = self.calls.remove(&what).unwrap_or_default();
                calls.retain(|call| call.state >= state);
                calls.sort_by(|a, b| (a.state, &a.uniqueid).cmp(&(b.state, &b.uniqueid)));
                ReportRow { queue: queue.clone(), what, figures, state, calls, more_calls }
            })
            .collect()
    }
}

/// Every figure with what it is, in the order of a stay.
fn figures(comparison: &Comparison) -> impl Iterator<Item = (What, Figures, State)> {
    let counts = Subject::ALL.into_iter().map(What::Count).zip(&comparison.counts);
    let apart = Apart::ALL.into_iter().map(What::Apart).zip(&comparison.apart);
    let counts = counts
        .chain(apart)
        .map(|(what, row)| (what, Figures::of(row), State::of(row.differs(), row.explains())));

    let sums = [(What::Hold, &comparison.hold), (What::Talk, &comparison.talk)];
    let sums = sums
        .into_iter()
        .map(|(what, row)| (what, Figures::of_sum(row), State::of(row.differs(), row.explains())));

    let positions = Position::ALL.into_iter().map(What::Position).zip(&comparison.positions);
    let positions = positions
        .map(|(what, row)| (what, Figures::of(row), State::of(row.differs(), row.explains())));
    counts.chain(sums).chain(positions)
}

impl Figures {
    fn of(row: &Row) -> Self {
        let explained = Reason::ALL.into_iter().zip(row.explained);
        Self::Counts {
            logged: row.logged,
            counted: row.counted,
            missing: row.missing,
            extra: row.extra,
            explained: explained.filter(|(_, number)| *number > 0).collect(),
        }
    }

    fn of_sum(row: &SumRow) -> Self {
        let explained = Reason::ALL.into_iter().zip(row.explained);
        Self::Seconds {
            logged: row.logged,
            counted: row.counted,
            tolerance: row.tolerance(),
            explained: explained
                .filter(|(_, (_, calls))| *calls > 0)
                .map(|(reason, (seconds, calls))| (reason, seconds, calls))
                .collect(),
            lacking: row.lacking,
        }
    }
}

/// How many calls are kept behind a row.
const CALLS_MAX: usize = 1000;
