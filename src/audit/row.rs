//! The two sides of one figure: a number, or a sum of seconds.

use std::time::Duration;

use super::subject::Reason;

/// The two sides of a number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) logged: u64,
    pub(super) counted: u64,
    /// In queue_log, and nothing counted it.
    pub(super) missing: u64,
    /// Counted, and not in queue_log.
    pub(super) extra: u64,
    /// Differences that have a reason, by it.
    pub(super) explained: [u64; Reason::ALL.len()],
}

impl Row {
    /// Whether any difference has a reason.
    pub(super) fn explains(&self) -> bool {
        self.explained.iter().any(|&number| number > 0)
    }

    /// Whether any difference has none.
    pub(super) const fn differs(&self) -> bool {
        self.missing > 0 || self.extra > 0
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.logged += other.logged;
        self.counted += other.counted;
        self.missing += other.missing;
        self.extra += other.extra;
        for (sum, number) in self.explained.iter_mut().zip(other.explained) {
            *sum += number;
        }
    }

    /// Explains as much of what is missing as the budget has, and returns how much that was.
    pub(super) fn explain(&mut self, reason: Reason, budget: &mut u64) -> u64 {
        let covered = self.missing.min(*budget);
        *budget -= covered;
        self.missing -= covered;
        self.explained[reason as usize] += covered;
        covered
    }

    /// Adds something that only the exporter has, and that needs no line.
    pub(super) fn explain_extra(&mut self, reason: Reason, number: u64) {
        self.counted += number;
        self.explained[reason as usize] += number;
    }
}

/// The two sides of a sum of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SumRow {
    pub(super) logged: f64,
    pub(super) counted: f64,
    /// Calls that were compared: each may differ by a second.
    pub(super) calls: u64,
    /// Seconds that have a reason, and calls, by it.
    pub(super) explained: [(f64, u64); Reason::ALL.len()],
    /// Calls that were counted without their length, for no known reason.
    pub(super) lacking: u64,
    /// A single call differs by more than it may.
    pub(super) off: bool,
}

impl SumRow {
    /// Whether any call has a reason to differ.
    pub(super) fn explains(&self) -> bool {
        self.explained.iter().any(|(_, calls)| *calls > 0)
    }

    /// Whether the sides differ by more than rounding and reasons allow.
    pub(super) fn differs(&self) -> bool {
        self.off || self.lacking > 0 || self.rest().abs() > self.tolerance() as f64
    }

    /// Seconds that nothing explains yet.
    pub(super) fn rest(&self) -> f64 {
        let explained: f64 = self.explained.iter().map(|(seconds, _)| seconds).sum();
        self.logged - self.counted - explained
    }

    /// Seconds that both sides may differ by: one a call, which is rounding, and one in all, which
    /// is a busy PBX.
    pub(super) const fn tolerance(&self) -> u64 {
        if self.calls == 0 { 0 } else { self.calls + LAG }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.logged += other.logged;
        self.counted += other.counted;
        self.calls += other.calls;
        self.off |= other.off;
        self.lacking += other.lacking;

        for (sum, (seconds, calls)) in self.explained.iter_mut().zip(other.explained) {
            sum.0 += seconds;
            sum.1 += calls;
        }
    }

    /// Explains all that is left by so many calls.
    pub(super) fn explain(&mut self, reason: Reason, calls: u64) {
        self.explained[reason as usize] = (self.rest(), calls);
    }

    /// Lets so many calls explain what queue_log has more of: each at most the longest that it has.
    /// Returns how many it takes.
    pub(super) fn explain_more(&mut self, reason: Reason, calls: u64, longest: f64) -> u64 {
        let more = self.rest();
        if calls == 0 || longest <= 0.0 || more <= self.tolerance() as f64 {
            return 0;
        }

        let needed = calls.min((more / longest).ceil() as u64);
        self.explained[reason as usize] = (more.min(needed as f64 * longest), needed);
        needed
    }

    /// Explains a talk that queue_log ends `went_on` after the agent's phone had hung up, if that is
    /// how much longer it is.
    pub(super) fn explain_cut(&mut self, went_on: Option<Duration>) {
        let more = self.rest();
        if more > self.calls as f64 + SLACK
            && went_on.is_some_and(|span| (span.as_secs_f64() - more).abs() <= 2.0)
            && self.lacking == 0
        {
            self.explain(Reason::TalkCut, 1);
            self.off = false;
        }
    }
}

/// What may lie between an event and its line, in seconds: 1.3 were seen on 22.10 with ten times as
/// much to do as it could.
const LAG: u64 = 1;
/// A call that differs by no more than rounding needs no explanation.
pub(super) const SLACK: f64 = 0.1;
