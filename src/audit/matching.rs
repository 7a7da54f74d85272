//! Lines and counts matched with each other, and what explains those that have no match.
//!
//! What explains a difference is a budget that the exporter's own counters give, and is used up by
//! it: an explanation never covers more than its counter justifies.

use super::comparison::Comparison;
use super::counted::Counted;
use super::logged::Logged;
use super::subject::{Apart, Reason, Subject};
use super::tally::ENDS;

/// Both sides, and what may explain a difference and is not used up yet.
pub(super) struct Matching {
    pub(super) result: Comparison,
    /// Callers who were connected while the exporter was not synchronised.
    pub(super) connected_unseen: u64,
    /// Lines at the edges that the exporter did not count as such.
    spare: [u64; Subject::ALL.len()],
    budgets: [u64; Apart::ALL.len()],
    /// Counts at the edges: they may explain, but need not.
    optional: [u64; Apart::ALL.len()],
    /// Lines that may have been written while the exporter was not synchronised: only these can be
    /// lost.
    hidden: [u64; Subject::ALL.len()],
    /// Talks that queue_log ends twice: by the first end, by the second, and how many.
    ended_twice: Vec<(Subject, Subject, u64)>,
}

impl Matching {
    /// Both sides side by side: what one has more of is a difference.
    pub(super) fn new(logged: &Logged, counted: &Counted) -> Self {
        // What was lost while the exporter was synchronised is an error of its own, so it is no
        // budget for anything.
        let budget = |apart| counted.apart(apart).all() - counted.lost_synchronised(apart);
        let mut matching = Self {
            result: Comparison::default(),
            connected_unseen: 0,
            spare: [0; Subject::ALL.len()],
            budgets: Apart::ALL.map(|apart| budget(apart).into()),
            optional: Apart::ALL.map(|apart| counted.apart(apart).edge.into()),
            hidden: Subject::ALL.map(|subject| logged.hidden(subject).into()),
            ended_twice: ended_twice(logged),
        };

        for subject in Subject::ALL {
            matching.match_up(subject, logged, counted);
        }

        // The rest has no counterpart to be matched with, but the report shows it.
        let unpaused = &mut matching.result.counts[Subject::Unpaused as usize];
        unpaused.logged += u64::from(logged.auto_unpaused());
        unpaused.explained[Reason::AutoUnpause as usize] += u64::from(logged.auto_unpaused());

        for apart in Apart::ALL {
            let lost = u64::from(counted.lost_synchronised(apart));
            let row = &mut matching.result.apart[apart as usize];
            row.counted = lost;
            row.extra = lost;
        }
        matching
    }

    fn match_up(&mut self, subject: Subject, logged: &Logged, counted: &Counted) {
        let log = logged.count(subject);
        let ours = counted.count(subject);

        // What lies at an edge of the window counts only if the other side has it too.
        let both = log.all().min(ours.all());
        let log_compared = both.max(log.sure);
        let ours_compared = both.max(ours.sure);
        let spare = u64::from(log.all() - log_compared);
        self.spare[subject as usize] = spare;
        self.result.left_out += spare + u64::from(ours.all() - ours_compared);

        let duplicates = u64::from(logged.duplicates(subject));
        let row = &mut self.result.counts[subject as usize];
        row.logged = u64::from(log_compared) + duplicates;
        row.counted = ours_compared.into();
        row.missing = u64::from(log_compared.saturating_sub(ours_compared));
        row.extra = u64::from(ours_compared.saturating_sub(log_compared));
        row.explained[Reason::Duplicate as usize] += duplicates;
    }

    /// Explains what it can; `late`: AgentCompletes that came late or never.
    ///
    /// The order matters, as a budget that is used up is gone: explanations that fit one verb only
    /// come before those that fit several.
    pub(super) fn settle(&mut self, late: &mut u64) {
        use Apart as A;
        self.settle_double_ends();

        // One that was found talking explains its ENTERQUEUE and its CONNECT, so its budget is
        // needed twice.
        self.cover_hidden(A::AdoptedWaiting, Reason::Adopted, &[Subject::Entered]);
        let adopted = self.budgets[A::AdoptedTalking as usize];
        self.cover_hidden(A::AdoptedTalking, Reason::Adopted, &[Subject::Entered]);
        self.budgets[A::AdoptedTalking as usize] = adopted;
        self.connected_unseen +=
            self.cover_hidden(A::AdoptedTalking, Reason::Adopted, &[Subject::Answered]);

        self.cover(A::Redirected, Reason::Redirected, &[Subject::Abandoned]);
        self.cover(A::Unserved, Reason::Unserved, &WITHOUT_REASON);

        // A wait whose end was not seen may have ended with an agent, and then the end of that talk
        // was not seen either.
        let mut connected = self.cover_hidden(A::WaitLost, Reason::Lost, &[Subject::Answered]);
        self.connected_unseen += connected;
        self.cover_hidden(A::WaitLost, Reason::Lost, &UNANSWERED);
        self.cover_hidden(A::RingLost, Reason::Lost, &[Subject::RingNoAnswer]);
        self.cover(A::EndUnknown, Reason::Late, &ENDS);
        self.cover_hidden(A::EndLost, Reason::Lost, &ENDS);
        for subject in ENDS {
            self.explain_hidden(Reason::Lost, subject, &mut connected);
        }

        self.settle_late_ends(late);
        self.settle_budgets();
    }

    /// Lets what only the exporter counts explain lines that nothing else did.
    fn cover(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) -> u64 {
        let budget = &mut self.budgets[apart as usize];
        let rows = &mut self.result.counts;
        subjects.iter().map(|&subject| rows[subject as usize].explain(reason, budget)).sum()
    }

    /// The same for what happened while the exporter was not synchronised, which explains no line
    /// that was written while it was.
    fn cover_hidden(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) -> u64 {
        let mut budget = self.budgets[apart as usize];
        let covered =
            subjects.iter().map(|&subject| self.explain_hidden(reason, subject, &mut budget)).sum();
        self.budgets[apart as usize] = budget;
        covered
    }

    fn explain_hidden(&mut self, reason: Reason, subject: Subject, budget: &mut u64) -> u64 {
        let hidden = &mut self.hidden[subject as usize];
        let row = &mut self.result.counts[subject as usize];
        let covered = row.explain(reason, &mut (*budget).min(*hidden));
        *budget -= covered;
        *hidden -= covered;
        covered
    }

    /// Of two lines that end one talk the exporter may have counted the second.
    fn settle_double_ends(&mut self) {
        for (first, then, number) in std::mem::take(&mut self.ended_twice) {
            let counts = &mut self.result.counts;
            let other = number.min(counts[first as usize].missing).min(counts[then as usize].extra);
            counts[first as usize].missing -= other;
            counts[first as usize].explained[Reason::Duplicate as usize] += other;
            counts[then as usize].extra -= other;
            counts[then as usize].explained[Reason::Duplicate as usize] -= other;
        }
    }

    /// Which side ended a talk was decided before AgentComplete came, and may be the other one.
    fn settle_late_ends(&mut self, late: &mut u64) {
        for subject in ENDS {
            let row = &mut self.result.counts[subject as usize];
            let other = row.extra.min(*late);
            row.extra -= other;
            *late -= other;
            row.explained[Reason::Late as usize] += other;

            let mut instead = other;
            for subject in ENDS {
                self.result.counts[subject as usize].explain(Reason::Late, &mut instead);
            }
        }
    }

    /// What is left of a budget must still fit a line, unless the PBX wrote none.
    fn settle_budgets(&mut self) {
        for apart in Apart::ALL {
            let left = self.budgets[apart as usize];
            let row = &mut self.result.apart[apart as usize];

            match apart {
                Apart::Redirected => self.demand(apart, Reason::Redirected, &[Subject::Abandoned]),
                Apart::Unserved => self.demand(apart, Reason::Unserved, &WITHOUT_REASON),
                // After a crash queue_log never gets the line that ends it.
                Apart::WaitLost | Apart::EndLost | Apart::RingLost => {
                    row.explain_extra(Reason::Lost, left);
                }
                // Without an AgentComplete there is no line either.
                Apart::EndUnknown => row.explain_extra(Reason::Late, left),
                Apart::EndLate | Apart::AdoptedWaiting | Apart::AdoptedTalking => {}
            }
        }
    }

    /// The rest must have lines at the window's edge, or be at the edge itself; else it is a
    /// difference.
    fn demand(&mut self, apart: Apart, reason: Reason, subjects: &[Subject]) {
        let mut left = self.budgets[apart as usize];
        for &subject in subjects {
            let taken = left.min(self.spare[subject as usize]);
            left -= taken;
            self.spare[subject as usize] -= taken;
            self.result.left_out -= taken;

            let row = &mut self.result.counts[subject as usize];
            row.logged += taken;
            row.explained[reason as usize] += taken;
        }

        left = left.saturating_sub(self.optional[apart as usize]);
        let row = &mut self.result.apart[apart as usize];
        row.counted += left;
        row.extra += left;
    }
}

/// Talks that queue_log ends in two ways.
fn ended_twice(logged: &Logged) -> Vec<(Subject, Subject, u64)> {
    let pairs = ENDS.iter().flat_map(|&first| ENDS.iter().map(move |&then| (first, then)));
    pairs
        .filter(|(first, then)| first != then)
        .map(|(first, then)| (first, then, logged.double_ends(first, then).into()))
        .filter(|(_, _, number)| *number > 0)
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
