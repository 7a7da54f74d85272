//! Weighs what one side says against the other: equal, explained, or different.
//!
//! Used for a whole queue where only metrics are given, for each call where a recording is.  What
//! explains a difference is used up by it, so an excuse never covers more than its own counter
//! justifies.

use std::time::Duration;

use super::subject::{Apart, Reason, Subject};
use super::tally::{Counted, ENDS, Length, Said};

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    pub(super) counts: [Row; Subject::ALL.len()],
    /// What only the exporter has, and no line of queue_log fits.
    pub(super) apart: [Row; Apart::ALL.len()],
    pub(super) hold: SumRow,
    pub(super) talk: SumRow,
    /// Lines and counts at the window's edges that the other side does not have.
    pub(super) left_out: u64,
}

impl Weighed {
    pub(super) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, row)| sum.add(row));
        self.apart.iter_mut().zip(&other.apart).for_each(|(sum, row)| sum.add(row));
        self.hold.add(&other.hold);
        self.talk.add(&other.talk);
        self.left_out += other.left_out;
    }

    /// Adds what belongs to no call: what the exporter could not tell the call of may be what a
    /// call lacks.
    pub(super) fn add_whole(&mut self, whole: &Self) {
        let lacking = self.counts.map(|row| row.missing);
        self.add(whole);
        for ((sum, row), lacking) in self.counts.iter_mut().zip(&whole.counts).zip(lacking) {
            let same = row.extra.min(lacking);
            (sum.missing, sum.extra) = (sum.missing - same, sum.extra - same);
        }
    }

    /// How many things are on one side only, and how many lengths differ.
    pub(super) fn differences(&self) -> u64 {
        let rows = self.counts.iter().chain(&self.apart);
        let counts: u64 = rows.map(|row| row.missing + row.extra).sum();
        counts + u64::from(self.hold.differs()) + u64::from(self.talk.differs())
    }

    /// Whether the exporter has an end that no line tells, and which one may tell.
    pub(super) fn lacks_lines(&self) -> bool {
        self.apart.iter().any(|row| row.counted > 0)
    }

    fn sum_of(&self, subjects: &[Subject]) -> Row {
        subjects.iter().fold(Row::default(), |mut sum, &subject| {
            sum.add(&self.counts[subject as usize]);
            sum
        })
    }
}

/// The two sides of a number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) said: u64,
    pub(super) counted: u64,
    /// In queue_log, and nothing counted it.
    pub(super) missing: u64,
    /// Counted, and not in queue_log.
    pub(super) extra: u64,
    /// Differences that have a reason, by it.
    pub(super) explained: [u64; Reason::ALL.len()],
}

impl Row {
    pub(super) fn explains(&self) -> bool {
        self.explained.iter().any(|&number| number > 0)
    }

    pub(super) const fn differs(&self) -> bool {
        self.missing > 0 || self.extra > 0
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.said += other.said;
        self.counted += other.counted;
        self.missing += other.missing;
        self.extra += other.extra;
        for (sum, number) in self.explained.iter_mut().zip(other.explained) {
            *sum += number;
        }
    }

    /// Covers as much of what is missing as the budget has.
    fn excuse(&mut self, reason: Reason, budget: &mut u64) -> u64 {
        let covered = self.missing.min(*budget);
        *budget -= covered;
        self.missing -= covered;
        self.explained[reason as usize] += covered;
        covered
    }

    /// Something that only the exporter has, which is in order.
    fn excuse_extra(&mut self, reason: Reason, number: u64) {
        self.counted += number;
        self.explained[reason as usize] += number;
    }
}

/// The two sides of a sum of seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SumRow {
    pub(super) said: f64,
    pub(super) counted: f64,
    /// Calls that were compared: each may differ by a second.
    pub(super) calls: u64,
    /// Seconds that have a reason, and calls, by it.
    pub(super) explained: [(f64, u64); Reason::ALL.len()],
    /// Calls that were counted without their length, and nothing tells why.
    pub(super) lacking: u64,
    /// A single call differs by more than it may.
    pub(super) off: bool,
}

impl SumRow {
    pub(super) fn differs(&self) -> bool {
        self.off || self.lacking > 0 || self.rest().abs() > self.tolerance() as f64
    }

    /// Seconds that nothing explains yet.
    fn rest(&self) -> f64 {
        let explained: f64 = self.explained.iter().map(|(seconds, _)| seconds).sum();
        self.said - self.counted - explained
    }

    /// Seconds that both sides may differ by: one a call, which is rounding, and one in all, which
    /// is a busy PBX.
    pub(super) const fn tolerance(&self) -> u64 {
        if self.calls == 0 { 0 } else { self.calls + LAG }
    }

    pub(super) fn explains(&self) -> bool {
        self.explained.iter().any(|(_, calls)| *calls > 0)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.said += other.said;
        self.counted += other.counted;
        self.calls += other.calls;
        self.off |= other.off;
        self.lacking += other.lacking;
        for (sum, (seconds, calls)) in self.explained.iter_mut().zip(other.explained) {
            *sum = (sum.0 + seconds, sum.1 + calls);
        }
    }

    /// The agent's phone hung up that long before queue_log says the talk ended.
    fn cut(&mut self, went_on: Option<Duration>) {
        let more = self.rest();
        if more > self.calls as f64 + SLACK
            && went_on.is_some_and(|span| (span.as_secs_f64() - more).abs() <= 2.0)
            && self.lacking == 0
        {
            self.explain(Reason::TalkCut, 1);
            self.off = false;
        }
    }

    fn explain(&mut self, reason: Reason, calls: u64) {
        self.explained[reason as usize] = (self.rest(), calls);
    }

    /// Lets so many calls explain what queue_log has more of: each at most the longest that it has.
    /// Tells how many it takes.
    fn explain_more(&mut self, reason: Reason, calls: u64, longest: f64) -> u64 {
        let more = self.rest();
        if calls == 0 || longest <= 0.0 || more <= self.tolerance() as f64 {
            return 0;
        }
        let needed = calls.min((more / longest).ceil() as u64);
        self.explained[reason as usize] = (more.min(needed as f64 * longest), needed);
        needed
    }
}

/// AgentCompletes of a PBX that came late or never: no queue is told for them, so all share them.
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

/// Weighs a whole queue; `gaps`: the exporter lost sight of the PBX.
pub(super) fn weigh_queue(said: &Said, counted: &Counted, late: &mut Late, gaps: bool) -> Weighed {
    let mut scales = Scales::new(said, counted);
    scales.settle(&mut late.ends);
    let answered = scales.weighed.sum_of(&[Subject::Answered]).counted;
    let unheld = answered.saturating_sub(counted.hold.of.into());
    // who waited before a gap and talks behind it is answered, and was connected nobody knows when
    let partly = partly_seen(counted) + if gaps { unheld } else { 0 };
    let unseen = scales.answered_unseen;
    let hold =
        whole(said.hold, counted.hold, Unmeasured::of(unheld, partly, unseen), said.longest_hold);
    let apart = counted.apart(Apart::EndUnknown).all() + counted.apart(Apart::EndLost).all();
    let ends = scales.weighed.sum_of(&ENDS).counted + u64::from(apart);
    let unmeasured = Unmeasured::of(ends.saturating_sub(counted.talk.of.into()), partly, unseen);
    let mut talk = whole(said.talk, counted.talk, unmeasured, said.longest_talk);
    late.talks -= talk.explain_more(Reason::TalkCut, late.talks, said.longest_talk);
    Weighed { hold, talk, ..scales.weighed }
}

/// Weighs one call; `gaps`: the exporter lost sight of the PBX.
pub(super) fn weigh_call(said: &Said, counted: &Counted, gaps: bool) -> Weighed {
    let mut scales = Scales::new(said, counted);
    let mut late = u64::from(counted.apart(Apart::EndLate).all());
    scales.settle(&mut late);
    let mut weighed = scales.weighed;
    let hold = weighed.sum_of(&[Subject::Answered]);
    let excused = partly_seen(counted) > 0 || gaps && counted.hold.of == 0;
    weighed.hold = of_call(&hold, said.hold, counted.hold, excused);
    let talk = weighed.sum_of(&ENDS);
    weighed.talk = of_call(&talk, said.talk, counted.talk, excused);
    weighed.talk.cut(talk_after(said, counted));
    weighed
}

/// Stays of which a beginning or an end was hidden: they may lack a length.
fn partly_seen(counted: &Counted) -> u64 {
    use Apart as A;
    let hidden = [A::AdoptedWaiting, A::AdoptedTalking, A::WaitLost, A::EndLost];
    hidden
        .iter()
        .map(|&apart| u64::from(counted.apart(apart).all() - counted.lost_in_sight(apart)))
        .sum()
}

/// Calls of which the exporter does not know the length.
#[derive(Clone, Copy, Debug)]
struct Unmeasured {
    /// It was not seen from beginning to end.
    excused: u64,
    /// Nothing tells why.
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
fn talk_after(said: &Said, counted: &Counted) -> Option<Duration> {
    let over = counted.agent_gone.into_iter().chain(counted.caller_parked).min()?;
    Some(said.talked_until?.since(over))
}

/// Seconds of a queue: what lies at the edges may be added, and calls without a length are on one
/// side only.
fn whole(said: [Length; 2], counted: Length, unmeasured: Unmeasured, longest: f64) -> SumRow {
    let [sure, edge] = said;
    let mut row = SumRow {
        said: counted.sum.clamp(sure.sum, sure.sum + edge.sum),
        counted: counted.sum,
        calls: u64::from((sure.of + edge.of).max(counted.of)),
        lacking: unmeasured.lacking,
        ..SumRow::default()
    };
    row.explain_more(Reason::Unmeasured, unmeasured.excused, longest);
    row
}

/// Seconds of one call, if both sides know all of them; `row` is what their lines and counts came
/// to.
fn of_call(counts: &Row, said: [Length; 2], counted: Length, excused: bool) -> SumRow {
    let [sure, edge] = said;
    let (sum, of) = (sure.sum + edge.sum, sure.of + edge.of);
    let mut row =
        SumRow { said: sum, counted: counted.sum, calls: u64::from(of), ..SumRow::default() };
    if of != counted.of {
        // the counts tell what is wrong if anything is, and what lies at an edge is left out
        if counts.differs() || counts.said == 0 {
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
        return row;
    }
    row.off = row.rest().abs() > (f64::from(of) + SLACK).max(row.tolerance() as f64);
    row
}

/// Both sides, and what may explain a difference and is not used up yet.
struct Scales {
    weighed: Weighed,
    /// Lines at the edges that the exporter did not count as such.
    spare: [u64; Subject::ALL.len()],
    budgets: [u64; Apart::ALL.len()],
    /// Counts at the edges: they may explain, but need not.
    optional: [u64; Apart::ALL.len()],
    /// Lines that may have been written while the exporter could not see: only these can be lost.
    hidden: [u64; Subject::ALL.len()],
    /// Callers who were connected while the exporter could not see.
    answered_unseen: u64,
    /// Talks that queue_log ends twice: by the first end, by the second, and how many.
    both: Vec<(Subject, Subject, u64)>,
}

impl Scales {
    fn new(said: &Said, counted: &Counted) -> Self {
        let mut scales = Self {
            weighed: Weighed::default(),
            spare: [0; Subject::ALL.len()],
            budgets: Apart::ALL
                .map(|apart| (counted.apart(apart).all() - counted.lost_in_sight(apart)).into()),
            optional: Apart::ALL.map(|apart| counted.apart(apart).edge.into()),
            hidden: Subject::ALL.map(|subject| said.hidden(subject).into()),
            answered_unseen: 0,
            both: both(said),
        };
        for subject in Subject::ALL {
            let (log, ours) = (said.count(subject), counted.count(subject));
            let both = log.all().min(ours.all());
            let (log_now, ours_now) = (both.max(log.sure), both.max(ours.sure));
            let row = &mut scales.weighed.counts[subject as usize];
            (row.said, row.counted) = (log_now.into(), ours_now.into());
            row.missing = u64::from(log_now.saturating_sub(ours_now));
            row.extra = u64::from(ours_now.saturating_sub(log_now));
            let again = u64::from(said.said_again(subject));
            row.said += again;
            row.explained[Reason::Twice as usize] += again;
            scales.spare[subject as usize] = u64::from(log.all() - log_now);
            scales.weighed.left_out +=
                u64::from(log.all() - log_now) + u64::from(ours.all() - ours_now);
        }
        let unpaused = &mut scales.weighed.counts[Subject::Unpaused as usize];
        unpaused.said += u64::from(said.auto_unpaused());
        unpaused.explained[Reason::AutoUnpause as usize] += u64::from(said.auto_unpaused());
        for apart in Apart::ALL {
            let (row, lost) =
                (&mut scales.weighed.apart[apart as usize], counted.lost_in_sight(apart));
            (row.counted, row.extra) = (lost.into(), lost.into());
        }
        scales
    }

    fn settle(&mut self, late: &mut u64) {
        use Apart as A;
        self.either();
        self.cover_hidden(A::AdoptedWaiting, Reason::Adopted, &[Subject::Entered]);
        let adopted = self.budgets[A::AdoptedTalking as usize];
        self.cover_hidden(A::AdoptedTalking, Reason::Adopted, &[Subject::Entered]);
        self.budgets[A::AdoptedTalking as usize] = adopted;
        self.answered_unseen +=
            self.cover_hidden(A::AdoptedTalking, Reason::Adopted, &[Subject::Answered]);

        self.cover(A::Redirected, Reason::Redirected, &[Subject::Abandoned]);
        self.cover(A::Unserved, Reason::Unserved, &WITHOUT_REASON);
        let connected_unseen = self.cover_hidden(A::WaitLost, Reason::Lost, &[Subject::Answered]);
        self.answered_unseen += connected_unseen;
        self.cover_hidden(A::WaitLost, Reason::Lost, &UNANSWERED);
        self.cover_hidden(A::RingLost, Reason::Lost, &[Subject::RangInVain]);

        self.cover(A::EndUnknown, Reason::Late, &ENDS);
        self.cover_hidden(A::EndLost, Reason::Lost, &ENDS);
        let mut unseen = connected_unseen;
        for subject in ENDS {
            self.excuse_hidden(Reason::Lost, subject, &mut unseen);
        }
        self.relabel(late);
        self.leftovers();
    }

    /// Lets what only the exporter counts explain lines that nothing else did.
    fn cover(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) -> u64 {
        let budget = &mut self.budgets[apart as usize];
        let rows = &mut self.weighed.counts;
        subjects.iter().map(|&subject| rows[subject as usize].excuse(reason, budget)).sum()
    }

    /// The same for what was out of sight, which explains no line that was written in sight.
    fn cover_hidden(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) -> u64 {
        let mut budget = self.budgets[apart as usize];
        let covered =
            subjects.iter().map(|&subject| self.excuse_hidden(reason, subject, &mut budget)).sum();
        self.budgets[apart as usize] = budget;
        covered
    }

    fn excuse_hidden(&mut self, reason: Reason, subject: Subject, budget: &mut u64) -> u64 {
        let hidden = &mut self.hidden[subject as usize];
        let covered =
            self.weighed.counts[subject as usize].excuse(reason, &mut (*budget).min(*hidden));
        (*budget, *hidden) = (*budget - covered, *hidden - covered);
        covered
    }

    /// Of two lines that end one talk the exporter may have counted the second.
    fn either(&mut self) {
        for (first, then, number) in std::mem::take(&mut self.both) {
            let counts = &mut self.weighed.counts;
            let other = number.min(counts[first as usize].missing).min(counts[then as usize].extra);
            counts[first as usize].missing -= other;
            counts[first as usize].explained[Reason::Twice as usize] += other;
            counts[then as usize].extra -= other;
            counts[then as usize].explained[Reason::Twice as usize] -= other;
        }
    }

    /// Who ended a talk was decided before AgentComplete came, and may be somebody else.
    fn relabel(&mut self, late: &mut u64) {
        for subject in ENDS {
            let row = &mut self.weighed.counts[subject as usize];
            let other = row.extra.min(*late);
            (row.extra, *late) = (row.extra - other, *late - other);
            row.explained[Reason::Late as usize] += other;
            let mut instead = other;
            for subject in ENDS {
                self.weighed.counts[subject as usize].excuse(Reason::Late, &mut instead);
            }
        }
    }

    /// What only the exporter has must still fit a line, unless the PBX wrote none.
    fn leftovers(&mut self) {
        for apart in Apart::ALL {
            let left = self.budgets[apart as usize];
            let row = &mut self.weighed.apart[apart as usize];
            match apart {
                Apart::Redirected => self.demand(apart, Reason::Redirected, &[Subject::Abandoned]),
                Apart::Unserved => self.demand(apart, Reason::Unserved, &WITHOUT_REASON),
                // a crash leaves it open in queue_log for ever
                Apart::WaitLost | Apart::EndLost | Apart::RingLost => {
                    row.excuse_extra(Reason::Lost, left);
                }
                // without an AgentComplete there is no line either
                Apart::EndUnknown => row.excuse_extra(Reason::Late, left),
                Apart::EndLate | Apart::AdoptedWaiting | Apart::AdoptedTalking => {}
            }
        }
    }

    /// The rest must have lines at the window's edge, or be at the edge itself; else it is counted
    /// for nothing.
    fn demand(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) {
        let mut left = self.budgets[apart as usize];
        for &subject in subjects {
            let taken = left.min(self.spare[subject as usize]);
            left -= taken;
            self.spare[subject as usize] -= taken;
            self.weighed.left_out -= taken;
            let row = &mut self.weighed.counts[subject as usize];
            row.said += taken;
            row.explained[reason as usize] += taken;
        }
        left = left.saturating_sub(self.optional[apart as usize]);
        let row = &mut self.weighed.apart[apart as usize];
        (row.counted, row.extra) = (row.counted + left, row.extra + left);
    }
}

/// Talks that queue_log ends in two ways.
fn both(said: &Said) -> Vec<(Subject, Subject, u64)> {
    let pairs = ENDS.iter().flat_map(|&first| ENDS.iter().map(move |&then| (first, then)));
    let pairs = pairs.filter(|(first, then)| first != then);
    pairs
        .map(|(first, then)| (first, then, said.said_both(first, then).into()))
        .filter(|pair| pair.2 > 0)
        .collect()
}

/// Ends of a wait that look alike to an account that does not see VarSet.
const WITHOUT_REASON: [Subject; 5] = [
    Subject::Abandoned,
    Subject::Timeout,
    Subject::LeaveEmpty,
    Subject::Withdrawn,
    Subject::ExitKey,
];
/// Ends of a wait without an agent.
const UNANSWERED: [Subject; 6] = [
    Subject::Abandoned,
    Subject::Timeout,
    Subject::LeaveEmpty,
    Subject::Withdrawn,
    Subject::ExitKey,
    Subject::Incompatible,
];
/// What may lie between an event and its line, in seconds: 1.3 were seen on 22.10 with ten times as
/// much to do as it could.
const LAG: u64 = 1;
/// A call that differs by no more than rounding needs no explanation.
const SLACK: f64 = 0.1;

#[cfg(test)]
mod tests;
