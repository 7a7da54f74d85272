//! Weighs what one side says against the other: equal, explained, or different.
//!
//! Used for a whole queue where only metrics are given, for each call where a recording is.  What explains a
//! difference is used up by it, so an excuse never covers more than its own counter justifies.

use std::time::Duration;

use super::subject::{Apart, Reason, Subject};
use super::tally::{Counted, Length, Said};

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

    /// Adds what belongs to no call: what the exporter could not tell the call of may be what a call lacks.
    pub(super) fn add_whole(&mut self, whole: &Self) {
        let lacking = self.counts.map(|row| row.missing);
        self.add(whole);
        for ((sum, row), lacking) in self.counts.iter_mut().zip(&whole.counts).zip(lacking) {
            let same = row.extra.min(lacking);
            (sum.missing, sum.extra) = (sum.missing - same, sum.extra - same);
        }
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
    /// A single call differs by more than it may.
    pub(super) off: bool,
}

impl SumRow {
    pub(super) fn differs(&self) -> bool {
        let explained: f64 = self.explained.iter().map(|(seconds, _)| seconds).sum();
        self.off || (self.said - self.counted - explained).abs() > self.tolerance() as f64
    }

    /// Seconds that both sides may differ by: one a call, which is rounding, and one in all, which is a busy PBX.
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
        for (sum, (seconds, calls)) in self.explained.iter_mut().zip(other.explained) {
            *sum = (sum.0 + seconds, sum.1 + calls);
        }
    }

    fn explain(&mut self, reason: Reason, calls: u64) {
        self.explained[reason as usize] = (self.said - self.counted, calls);
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

/// Weighs a whole queue.
pub(super) fn weigh_queue(said: &Said, counted: &Counted, late: &mut Late) -> Weighed {
    let mut scales = Scales::new(said, counted);
    scales.settle(&mut late.ends);
    let hold = whole(said.hold, counted.hold, scales.unmeasured(&[Subject::Answered], 0, counted.hold));
    let ends = counted.apart(Apart::EndUnknown).all() + counted.apart(Apart::EndLost).all();
    let mut talk = whole(said.talk, counted.talk, scales.unmeasured(&ENDS, ends.into(), counted.talk));
    if late.talks > 0 && talk.differs() && talk.said > talk.counted {
        late.talks -= 1;
        talk.explain(Reason::TalkCut, 1);
    }
    Weighed { hold, talk, ..scales.weighed }
}

/// Weighs one call.
pub(super) fn weigh_call(said: &Said, counted: &Counted) -> Weighed {
    let mut scales = Scales::new(said, counted);
    let mut late = u64::from(counted.apart(Apart::EndLate).all());
    scales.settle(&mut late);
    let mut weighed = scales.weighed;
    let hold = weighed.sum_of(&[Subject::Answered]);
    weighed.hold = of_call(&hold, said.hold, counted.hold, None);
    let talk = weighed.sum_of(&ENDS);
    weighed.talk = of_call(&talk, said.talk, counted.talk, talk_after(said, counted));
    weighed
}

/// How long queue_log went on with a talk whose agent had hung up.
fn talk_after(said: &Said, counted: &Counted) -> Option<Duration> {
    Some(said.talked_until?.since(counted.agent_gone?))
}

/// Seconds of a queue: what lies at the edges may be added, and calls without a length are on one side only.
fn whole(said: [Length; 2], counted: Length, unmeasured: u64) -> SumRow {
    let [sure, edge] = said;
    let mut row = SumRow {
        said: counted.sum.clamp(sure.sum, sure.sum + edge.sum),
        counted: counted.sum,
        calls: u64::from((sure.of + edge.of).max(counted.of)),
        ..SumRow::default()
    };
    if unmeasured > 0 && row.differs() && row.said > row.counted {
        row.explain(Reason::Unmeasured, unmeasured);
    }
    row
}

/// Seconds of one call, if both sides know all of them; `row` is what their lines and counts came to.
fn of_call(counts: &Row, said: [Length; 2], counted: Length, went_on: Option<Duration>) -> SumRow {
    let [sure, edge] = said;
    let (sum, of) = (sure.sum + edge.sum, sure.of + edge.of);
    let mut row = SumRow { said: sum, counted: counted.sum, calls: u64::from(of), ..SumRow::default() };
    if of != counted.of {
        // the counts tell what is wrong if anything is, and what lies at an edge is left out
        if counts.differs() || counts.said == 0 {
            return SumRow::default();
        }
        row.explain(Reason::Unmeasured, u64::from(of.abs_diff(counted.of)));
        return row;
    }
    let more = row.said - row.counted;
    if more.abs() <= f64::from(of) + SLACK {
        return row;
    }
    // the agent's phone hung up that long before queue_log says the talk ended
    if went_on.is_some_and(|span| more > 0.0 && (span.as_secs_f64() - more).abs() <= 2.0) {
        row.explain(Reason::TalkCut, 1);
    } else {
        row.off = more.abs() > row.tolerance() as f64;
    }
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
    /// Callers who were connected while the exporter could not see.
    answered_unseen: u64,
}

impl Scales {
    fn new(said: &Said, counted: &Counted) -> Self {
        let mut scales = Self {
            weighed: Weighed::default(),
            spare: [0; Subject::ALL.len()],
            budgets: Apart::ALL.map(|apart| counted.apart(apart).all().into()),
            optional: Apart::ALL.map(|apart| counted.apart(apart).edge.into()),
            answered_unseen: 0,
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
            scales.weighed.left_out += u64::from(log.all() - log_now) + u64::from(ours.all() - ours_now);
        }
        scales
    }

    fn settle(&mut self, late: &mut u64) {
        use Apart as A;
        self.cover(A::AdoptedWaiting, Reason::Adopted, &[Subject::Entered]);
        let adopted = self.budgets[A::AdoptedTalking as usize];
        self.cover(A::AdoptedTalking, Reason::Adopted, &[Subject::Entered]);
        self.budgets[A::AdoptedTalking as usize] = adopted;
        self.answered_unseen += self.cover(A::AdoptedTalking, Reason::Adopted, &[Subject::Answered]);

        self.cover(A::Redirected, Reason::Redirected, &[Subject::Abandoned]);
        self.cover(A::Unserved, Reason::Unserved, &WITHOUT_REASON);
        let connected_unseen = self.cover(A::WaitLost, Reason::Lost, &[Subject::Answered]);
        self.answered_unseen += connected_unseen;
        self.cover(A::WaitLost, Reason::Lost, &UNANSWERED);
        self.cover(A::RingLost, Reason::Lost, &[Subject::RangInVain]);

        self.cover(A::EndUnknown, Reason::Late, &ENDS);
        self.cover(A::EndLost, Reason::Lost, &ENDS);
        let mut unseen = connected_unseen;
        for subject in ENDS {
            self.weighed.counts[subject as usize].excuse(Reason::Lost, &mut unseen);
        }
        self.relabel(late);
        self.leftovers();
    }

    /// Calls of which the exporter does not know the length.
    fn unmeasured(&self, subjects: &[Subject], apart: u64, measured: Length) -> u64 {
        let counted = self.weighed.sum_of(subjects).counted + apart;
        counted.saturating_sub(measured.of.into()) + self.answered_unseen
    }

    /// Lets what only the exporter counts explain lines that nothing else did.
    fn cover(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) -> u64 {
        let budget = &mut self.budgets[apart as usize];
        let rows = &mut self.weighed.counts;
        subjects.iter().map(|&subject| rows[subject as usize].excuse(reason, budget)).sum()
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
                Apart::WaitLost | Apart::EndLost | Apart::RingLost => row.excuse_extra(Reason::Lost, left),
                // without an AgentComplete there is no line either
                Apart::EndUnknown => row.excuse_extra(Reason::Late, left),
                Apart::EndLate | Apart::AdoptedWaiting | Apart::AdoptedTalking => {}
            }
        }
    }

    /// The rest must have lines at the window's edge, or be at the edge itself; else it is counted for nothing.
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

/// Ends of a talk.
const ENDS: [Subject; 3] = [Subject::ByCaller, Subject::ByAgent, Subject::Transferred];
/// Ends of a wait that look alike to an account that does not see VarSet.
const WITHOUT_REASON: [Subject; 5] =
    [Subject::Abandoned, Subject::Timeout, Subject::LeaveEmpty, Subject::Withdrawn, Subject::ExitKey];
/// Ends of a wait without an agent.
const UNANSWERED: [Subject; 6] = [
    Subject::Abandoned,
    Subject::Timeout,
    Subject::LeaveEmpty,
    Subject::Withdrawn,
    Subject::ExitKey,
    Subject::Incompatible,
];
/// What may lie between an event and its line, in seconds: 1.3 were seen on 22.10 with ten times as much to do as it
/// could.
const LAG: u64 = 1;
/// A call that differs by no more than rounding needs no explanation.
const SLACK: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::window::Place;
    use crate::clock::Moment;
    use crate::queue_log::Verb;

    fn said(verbs: &[Verb<'_>]) -> Said {
        let mut said = Said::default();
        for &verb in verbs {
            assert!(said.line(Moment::from_secs(100), verb, Place::Inside));
        }
        said
    }

    fn counted(counts: &[Subject], apart: &[Apart]) -> Counted {
        let mut counted = Counted::default();
        counts.iter().for_each(|&subject| counted.saw(subject, Place::Inside));
        apart.iter().for_each(|&apart| counted.saw_apart(apart, Place::Inside));
        counted
    }

    fn weigh(said: &Said, counted: &Counted) -> Weighed {
        weigh_queue(said, counted, &mut Late::default())
    }

    /// Missing, extra and explained of a subject.
    fn found(weighed: &Weighed, subject: Subject) -> [u64; 3] {
        let row = weighed.counts[subject as usize];
        [row.missing, row.extra, row.explained.iter().sum()]
    }

    #[test]
    fn an_excuse_is_used_up() {
        let log = said(&[Verb::Abandoned, Verb::Abandoned, Verb::Abandoned, Verb::TimedOut]);
        let weighed = weigh(&log, &counted(&[], &[Apart::Redirected, Apart::Unserved]));
        assert_eq!(found(&weighed, Subject::Abandoned), [1, 0, 2]);
        assert_eq!(found(&weighed, Subject::Timeout), [1, 0, 0]);
        let weighed =
            weigh(&log, &counted(&[], &[Apart::Redirected, Apart::Unserved, Apart::WaitLost, Apart::WaitLost]));
        assert_eq!(found(&weighed, Subject::Abandoned), [0, 0, 3]);
        assert_eq!(found(&weighed, Subject::Timeout), [0, 0, 1]);
    }

    #[test]
    fn an_excuse_without_a_line_is_a_difference_unless_the_pbx_crashed() {
        let weighed = weigh(&said(&[]), &counted(&[], &[Apart::Redirected, Apart::Unserved, Apart::WaitLost]));
        let extra =
            [Apart::Redirected, Apart::Unserved, Apart::WaitLost].map(|apart| weighed.apart[apart as usize].extra);
        assert_eq!(extra, [1, 1, 0]);
        assert!(weighed.apart[Apart::WaitLost as usize].explains());
    }

    #[test]
    fn only_what_queue_log_has_more_of_can_be_excused() {
        let weighed = weigh(&said(&[]), &counted(&[Subject::Abandoned, Subject::Entered], &[Apart::AdoptedWaiting]));
        assert_eq!(found(&weighed, Subject::Abandoned), [0, 1, 0]);
        assert_eq!(found(&weighed, Subject::Entered), [0, 1, 0]);
        let weighed = weigh(&said(&[Verb::Entered; 2]), &counted(&[], &[Apart::AdoptedWaiting]));
        assert_eq!(found(&weighed, Subject::Entered), [1, 0, 1]);
    }

    #[test]
    fn a_late_complete_may_name_somebody_else_and_make_one_talk_longer() {
        let talk = Duration::from_secs(60);
        let log = said(&[Verb::CompletedByCaller { talk }]);
        let mut ours = counted(&[Subject::ByAgent], &[]);
        ours.talked(Duration::from_secs(20));
        let mut late = Late::of(1);
        let first = weigh_queue(&log, &ours, &mut late);
        assert_eq!(found(&first, Subject::ByCaller), [0, 0, 1]);
        assert_eq!(found(&first, Subject::ByAgent), [0, 0, 1]);
        assert!(!first.talk.differs() && first.talk.explains());
        let second = weigh_queue(&log, &ours, &mut late);
        assert_eq!((found(&second, Subject::ByCaller), found(&second, Subject::ByAgent)), ([1, 0, 0], [0, 1, 0]));
        assert!(second.talk.differs());
    }

    #[test]
    fn a_talk_is_cut_only_if_the_agent_hung_up_that_long_before() {
        let log = said(&[Verb::CompletedByCaller { talk: Duration::from_secs(60) }]);
        let mut ours = counted(&[Subject::ByCaller], &[]);
        ours.talked(Duration::from_secs(20));
        for (hung_up, cut) in [(None, false), (Some(61), true), (Some(99), false), (Some(40), false)] {
            ours.agent_gone = hung_up.map(Moment::from_secs);
            let weighed = weigh_call(&log, &ours);
            assert_eq!((weighed.talk.explains(), weighed.talk.differs()), (cut, !cut), "{hung_up:?}");
        }
        // queue_log never counts less than the talk
        let shorter = said(&[Verb::CompletedByCaller { talk: Duration::from_secs(10) }]);
        assert!(weigh_call(&shorter, &ours).talk.differs());
    }

    #[test]
    fn a_second_a_call_and_one_more_is_no_difference() {
        let hold = Duration::from_secs(4);
        let log = said(&[Verb::Connected { hold, ring: None }; 2]);
        let mut ours = counted(&[Subject::Answered; 2], &[]);
        ours.held(Duration::from_millis(5400));
        ours.held(Duration::from_millis(5400));
        assert!(!weigh(&log, &ours).hold.differs());
        ours.hold.sum += 0.5;
        assert!(weigh(&log, &ours).hold.differs());
    }

    #[test]
    fn what_lies_at_an_edge_counts_only_if_both_sides_have_it() {
        let mut log = said(&[Verb::Entered]);
        log.line(Moment::from_secs(1), Verb::Entered, Place::Edge);
        log.line(Moment::from_secs(1), Verb::Entered, Place::Edge);
        for (ours, [missing, extra], left_out) in
            [(0, [1, 0], 2), (1, [0, 0], 2), (2, [0, 0], 1), (3, [0, 0], 0), (4, [0, 1], 0)]
        {
            let weighed = weigh(&log, &counted(&vec![Subject::Entered; ours], &[]));
            assert_eq!(found(&weighed, Subject::Entered), [missing, extra, 0], "{ours} counted");
            assert_eq!(weighed.left_out, left_out, "{ours} counted");
        }
    }

    #[test]
    fn an_end_that_is_logged_twice_is_one_end() {
        let talk = Duration::from_secs(5);
        let mut log = said(&[Verb::CompletedByCaller { talk }]);
        log.end_again(Verb::Transferred { talk });
        let mut ours = counted(&[Subject::ByCaller], &[]);
        ours.talked(talk);
        for weighed in [weigh(&log, &ours), weigh_call(&log, &ours)] {
            assert_eq!(found(&weighed, Subject::ByCaller), [0, 0, 0]);
            assert_eq!(found(&weighed, Subject::Transferred), [0, 0, 1]);
            assert_eq!(weighed.counts[Subject::Transferred as usize].said, 1);
            assert!(!weighed.talk.differs());
        }
    }

    #[test]
    fn what_has_no_call_may_be_what_a_call_lacks() {
        let mut sum = Weighed::default();
        sum.add(&weigh_call(&said(&[Verb::CompletedByCaller { talk: Duration::ZERO }]), &Counted::default()));
        sum.add_whole(&weigh(&said(&[]), &counted(&[Subject::ByCaller], &[])));
        assert_eq!(found(&sum, Subject::ByCaller), [0, 0, 0]);
        assert_eq!(
            (sum.counts[Subject::ByCaller as usize].said, sum.counts[Subject::ByCaller as usize].counted),
            (1, 1)
        );
    }
}
