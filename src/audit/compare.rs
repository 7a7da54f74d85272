//! Both sides compared: equal, explained, or different.
//!
//! Used for a whole queue where only metrics are given, and for each call where a capture is.

use std::time::Duration;

use super::comparison::Comparison;
use super::counted::Counted;
use super::logged::Logged;
use super::matching::Matching;
use super::row::{Row, SLACK, SumRow};
use super::subject::{Apart, Position, Reason, Subject};
use super::tally::{ENDS, Length};

/// AgentCompletes of a PBX that came late or never: they are counted for no queue, so all queues
/// share them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Late {
    /// Ends they may still explain.
    ends: u64,
    /// Talks they may still explain.
    talks: u64,
}

impl Late {
    pub(super) const fn of(number: u64) -> Self {
        Self { ends: number, talks: number }
    }
}

/// Compares a whole queue; `gaps`: the exporter was disconnected after its start.
pub(super) fn compare_queue(
    logged: &Logged,
    counted: &Counted,
    late: &mut Late,
    gaps: bool,
) -> Comparison {
    let mut matching = Matching::new(logged, counted);
    matching.settle(&mut late.ends);
    let unseen = matching.connected_unseen;
    let mut result = matching.result;

    // A caller who waited before a gap and talks after it is answered, but the moment of the answer
    // is not known.
    let answered = result.sum_of(&[Subject::Answered]).counted;
    let unheld = answered.saturating_sub(counted.hold.of.into());
    let partly = partly_seen(counted) + if gaps { unheld } else { 0 };
    let unmeasured = Unmeasured::of(unheld, partly, unseen);
    result.hold = whole(logged.hold, counted.hold, unmeasured, logged.longest_hold);

    let apart = counted.apart(Apart::EndUnknown).all() + counted.apart(Apart::EndLost).all();
    let ends = result.sum_of(&ENDS).counted + u64::from(apart);
    let unmeasured = Unmeasured::of(ends.saturating_sub(counted.talk.of.into()), partly, unseen);
    result.talk = whole(logged.talk, counted.talk, unmeasured, logged.longest_talk);
    late.talks -= result.talk.explain_more(Reason::TalkCut, late.talks, logged.longest_talk);

    for at in Position::ALL.into_iter().filter(|_| counted.has_positions) {
        result.positions[at as usize] = places(&result, at, logged, counted);
    }
    result
}

/// Compares one call; `gaps`: the exporter was disconnected after its start.
pub(super) fn compare_call(logged: &Logged, counted: &Counted, gaps: bool) -> Comparison {
    let mut matching = Matching::new(logged, counted);
    let mut late = u64::from(counted.apart(Apart::EndLate).all());
    matching.settle(&mut late);
    let mut result = matching.result;

    let excused = partly_seen(counted) > 0 || gaps && counted.hold.of == 0;
    let hold = result.sum_of(&[Subject::Answered]);
    result.hold = of_call(&hold, logged.hold, counted.hold, excused);
    let talk = result.sum_of(&ENDS);
    result.talk = of_call(&talk, logged.talk, counted.talk, excused);
    result.talk.explain_cut(talk_after(logged, counted));
    for at in Position::ALL {
        result.positions[at as usize] = places(&result, at, logged, counted);
    }
    result
}

/// Stays of which a beginning or an end was hidden: they may lack a length.
fn partly_seen(counted: &Counted) -> u64 {
    use Apart as A;
    let hidden = [A::AdoptedWaiting, A::AdoptedTalking, A::WaitLost, A::EndLost];
    hidden
        .iter()
        .map(|&apart| u64::from(counted.apart(apart).all() - counted.lost_synchronised(apart)))
        .sum()
}

/// Calls of which the exporter does not know the length.
#[derive(Clone, Copy, Debug)]
struct Unmeasured {
    /// It was not seen from beginning to end.
    excused: u64,
    /// For no known reason.
    lacking: u64,
}

impl Unmeasured {
    /// So many were counted without their length, so many may be, and so many more were not even
    /// counted.
    fn of(without: u64, may: u64, uncounted: u64) -> Self {
        let excused = without.min(may);
        Self { excused: excused + uncounted, lacking: without - excused }
    }
}

/// How long queue_log went on with a talk whose agent had hung up, or whose caller was parked.
fn talk_after(logged: &Logged, counted: &Counted) -> Option<Duration> {
    let over = counted.agent_gone.into_iter().chain(counted.caller_parked).min()?;
    Some(logged.talked_until?.since(over))
}

/// Places in the queue of callers who entered or abandoned, if both sides know those of all of them.
fn places(result: &Comparison, at: Position, logged: &Logged, counted: &Counted) -> Row {
    let counts = &result.counts[at.subject() as usize];
    let [sure, edge] = logged.positions(at);
    let ours = counted.positions[at as usize];
    let lines = sure.of + edge.of;

    // What lies at the edges may be added, each caller's place at least as the first one's.
    let at_edges = ours.of.saturating_sub(sure.of).min(edge.of);
    let most = if at_edges == 0 { 0 } else { edge.sum };
    let least = u64::from(at_edges);
    let log = ours.sum.clamp(sure.sum + least.min(most), sure.sum + most);
    let mut row = Row { logged: log, counted: ours.sum, ..Row::default() };
    row.missing = row.logged.saturating_sub(row.counted);
    row.extra = row.counted.saturating_sub(row.logged);
    if (sure.of..=lines).contains(&ours.of) {
        return row;
    }

    // Lines without a position, or the counts show what is wrong.
    let explained: u64 = counts.explained.iter().sum();
    let without = u64::from(sure.of.saturating_sub(ours.of));
    if ours.of > lines || counts.differs() {
        return Row::default();
    }
    // Lines that only queue_log has are explained, with their places: each is 1 at least.
    if without <= explained && row.missing >= without {
        let reasons = Reason::ALL.into_iter().zip(counts.explained);
        let reason = reasons.filter(|(_, number)| *number > 0).map(|(reason, _)| reason).next();
        let mut budget = row.missing;
        if let Some(reason) = reason {
            row.explain(reason, &mut budget);
        }
    }
    row
}

/// Seconds of a queue: what lies at the edges may be added, and calls without a length are on one
/// side only.
fn whole(logged: [Length; 2], counted: Length, unmeasured: Unmeasured, longest: f64) -> SumRow {
    let [sure, edge] = logged;
    let mut row = SumRow {
        logged: counted.sum.clamp(sure.sum, sure.sum + edge.sum),
        counted: counted.sum,
        calls: u64::from((sure.of + edge.of).max(counted.of)),
        lacking: unmeasured.lacking,
        ..SumRow::default()
    };

    row.explain_more(Reason::Unmeasured, unmeasured.excused, longest);
    row
}

/// Seconds of one call, if both sides know all of them; `counts` is what its lines and counts came
/// to.
fn of_call(counts: &Row, logged: [Length; 2], counted: Length, excused: bool) -> SumRow {
    let [sure, edge] = logged;
    let of = sure.of + edge.of;
    let mut row = SumRow {
        logged: sure.sum + edge.sum,
        counted: counted.sum,
        calls: u64::from(of),
        ..SumRow::default()
    };
    if of == counted.of {
        row.off = row.rest().abs() > (f64::from(of) + SLACK).max(row.tolerance() as f64);
        return row;
    }

    // The counts show what is wrong if anything is, and what lies at an edge is left out.
    if counts.differs() || counts.logged == 0 {
        return SumRow::default();
    }
    let calls = u64::from(of.abs_diff(counted.of));
    if excused {
        row.explain(Reason::Unmeasured, calls);
    } else if edge.of > 0 || of < counted.of {
        return SumRow::default();
    } else {
        row.lacking = calls;
    }
    row
}

#[cfg(test)]
mod tests;
